"""Holds the plan's operations of a step against the time that steps take, on backbones and batches of several sizes.

python experiments/seconds.py RESULTS.json
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from pathlib import Path

import torch

from hycora_scale import cost
from hycora_scale.backbone import open_backbone
from hycora_scale.batches import Batch
from hycora_scale.config import read_train_config
from hycora_scale.trainee import begin_training
from hycora_scale.trainer import Trainer

SIZES = {"starter": ((4, 64), (12, 64), (4, 256)), "smollm2-135m-instruct": ((2, 64), (4, 64), (2, 256))}
ROLES, STEPS = 12, 3


def middle(action, rounds: int) -> float:
    """The median processor time of an action, its first run left out."""
    times = []
    for _ in range(rounds + 1):
        began = time.process_time()
        action()
        times.append(time.process_time() - began)
    return sorted(times[1:])[rounds // 2]


def product_rate() -> float:
    """Operations a second of a product of two square matrices in float32."""
    matrix = torch.randn(1024, 1024)
    return 2 * 1024**3 / middle(lambda: matrix @ matrix, 5)


def made_up_batch(rows: int, tokens: int) -> Batch:
    """Rows of made-up tokens, the second half a reply."""
    draw = torch.Generator().manual_seed(1)
    ids = torch.randint(5, 500, (rows, tokens), generator=draw)
    replies = (torch.arange(tokens) >= tokens // 2).expand(rows, tokens)
    return Batch(ids, replies, torch.full((rows,), tokens - 1), torch.arange(rows) % ROLES)


def main(results: str) -> None:
    """Writes a row for each size; one thread, float32, so that processor time is time."""
    torch.set_num_threads(1)
    rate, rows = product_rate(), []
    for name, batches in SIZES.items():
        backbone = open_backbone(name, model=None, dtype=torch.float32, device=torch.device("cpu"))
        config = read_train_config({"hypernetwork": {"generatorRank": 64}})
        trainee = begin_training(config, backbone, [f"Role {index}" for index in range(ROLES)], None)
        trainer, sizes = Trainer(backbone, trainee, config), cost.read_sizes(name)
        for count, tokens in batches:
            batch = made_up_batch(count, tokens)
            seconds = middle(partial(trainer.step, 0, [batch], 0.1), STEPS)
            planned = cost.Batch(
                rows=count, tokens=tokens, replies=count * tokens // 2, roles=count, processes=1, recompute=False
            )
            operations = cost.arithmetic(sizes, planned)
            share = operations / seconds / rate
            rows.append({"backbone": name, "rows": count, "tokens": tokens, "operations": operations})
            rows[-1] |= {"processorSeconds": round(seconds, 3), "shareOfProductRate": round(share, 3)}
            print(rows[-1], flush=True)
    Path(results).write_text(json.dumps({"productRate": rate, "rows": rows}, indent=1) + "\n", "utf8")


if __name__ == "__main__":
    main(*sys.argv[1:])
