"""The cost of a role from a dozen to ten thousand: parameters, bytes, and the time to make one role's matrices.

python experiments/roles.py BACKBONE RESULTS.json
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import torch

from hycora_scale.config import TrainConfig
from hycora_scale.cost import adapter_of, read_sizes, trained_numbers
from hycora_scale.hypernetwork import generate
from hycora_scale.initialise import initial_tensors


def seconds_a_role(config, tensors, roles: int, rounds: int = 15) -> float:
    """The middle time to make all A of one role, roles taken from all over the table."""
    times = []
    for round_ in range(rounds):
        role = torch.tensor([(round_ * 7919) % roles])
        began = time.process_time()
        with torch.no_grad():
            generate(config, tensors, role)
        times.append(time.process_time() - began)
    return sorted(times)[rounds // 2]


def main(backbone: str, results: str) -> None:
    """Writes a row for each number of roles."""
    sizes, base = read_sizes(backbone), TrainConfig()
    config = adapter_of(sizes, base)
    table_numbers = config.rank * sizes.layers * sum(size for size, _ in config.dims.values())
    shared_b = config.rank * sizes.layers * sum(out for _, out in config.dims.values())
    rows = []
    for roles in (12, 100, 1000, 10000):
        tensors = initial_tensors(config, roles, has_heads=False, seed=1)
        numbers = trained_numbers(config, roles, has_heads=False)
        rows.append(
            {
                "roles": roles,
                "hycora": numbers,
                "tableOfA": roles * table_numbers + shared_b,
                "oneLoraEach": roles * (table_numbers + shared_b),
                "floatsOfOneMoreRole": trained_numbers(config, roles + 1, has_heads=False) - numbers,
                "secondsToMakeARole": round(seconds_a_role(config, tensors, roles), 4),
            }
        )
        print(rows[-1], flush=True)
    Path(results).write_text(json.dumps({"backbone": backbone, "rows": rows}, indent=1) + "\n", "utf8")


if __name__ == "__main__":
    main(*sys.argv[1:])
