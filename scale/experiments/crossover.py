"""How a table of A and a hyper-network compare as the roles grow in number, each with the same rows a role, one pass.

    python experiments/crossover.py DATA RESULTS.jsonl ROLES …

DATA is a data set of many roles, in any form that `train` reads. The margin is that of the first twelve roles among
themselves, so that it means the same in every row. Results already noted are kept.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from study import run

from hycora_scale.backbone import open_backbone
from hycora_scale.train_command import read_split

ROWS, HELD_OUT, MEASURED, BATCH = 25, 4, 12, 12
METHODS = {
    "table": {"sources": {"A": "table"}},
    "hyper": {"hypernetwork": {"generatorRank": 64}},
    "hyper with HCL": {"hypernetwork": {"generatorRank": 64}, "contrast": {"form": "table", "weight": 0.1}},
}


def some(dialogues, roles: int):
    """The same number of rows of each of the first roles."""
    names = list(dict.fromkeys(dialogue.role for dialogue in dialogues))[:roles]
    kept = []
    for name in names:
        for split, count in (("train", ROWS), ("test", HELD_OUT)):
            kept += [one for one in dialogues if one.role == name and one.split == split][:count]
    return kept


def main(data: str, results_path: str, *counts: str) -> None:
    """Trains each method on each number of roles, appending a line each."""
    results = Path(results_path)
    noted = [json.loads(line) for line in results.read_text("utf8").splitlines()] if results.exists() else []
    done = {(row["roles"], row["method"]) for row in noted}
    backbone = open_backbone("starter", model=None, dtype=torch.float32, device=torch.device("cpu"))
    dialogues = read_split([data], 42, may_write=False)
    for roles in map(int, counts):
        own = some(dialogues, roles)
        steps = sum(dialogue.split == "train" for dialogue in own) // BATCH
        base = {"steps": steps, "batch": BATCH, "learningRateB": 0.002, "maxTokens": 160, "contrast": {"form": "off"}}
        for method, changes in METHODS.items():
            if (roles, method) in done:
                continue
            figures = run(backbone, own, {**base, **changes}, HELD_OUT, measured_roles=MEASURED)
            kept = {
                key: figures[key] for key in ("heldOut", "bare", "role", "margin", "perReply", "parameters", "seconds")
            }
            row = {"roles": roles, "method": method, "steps": steps, **kept}
            with results.open("a", encoding="utf8") as file:
                file.write(
                    json.dumps({key: round(v, 4) if isinstance(v, float) else v for key, v in row.items()}) + "\n"
                )
            print(row, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
