"""The cost of a role from a dozen to ten thousand: numbers, the time to make one role's matrices, steps of training.

python experiments/roles.py BACKBONE TRAINED_BACKBONE RESULTS.json
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import time
from pathlib import Path

import torch

from hycora_scale.backbone import open_backbone
from hycora_scale.batches import Batch
from hycora_scale.config import TrainConfig, read_train_config
from hycora_scale.cost import adapter_of, read_sizes, trained_numbers
from hycora_scale.hypernetwork import generate
from hycora_scale.initialise import initial_tensors
from hycora_scale.trainee import begin_training
from hycora_scale.trainer import Trainer

ROLES = (12, 100, 1000, 10000)
ROWS, TOKENS, STEPS = 12, 64, 5


def middle(times: list[float]) -> float:
    """The median of an odd number of times."""
    return sorted(times)[len(times) // 2]


def seconds_a_role(config, tensors, roles: int, rounds: int = 15) -> float:
    """The middle time to make all A of one role, roles taken from all over the table."""
    times = []
    for round_ in range(rounds):
        role = torch.tensor([(round_ * 7919) % roles])
        began = time.process_time()
        with torch.no_grad():
            generate(config, tensors, role)
        times.append(time.process_time() - began)
    return middle(times)


def made_up_batch(roles: int) -> Batch:
    """The same tokens whatever the number of roles, each row of another role, from all over the table."""
    draw = torch.Generator().manual_seed(1)
    ids = torch.randint(5, 500, (ROWS, TOKENS), generator=draw)
    replies = (torch.arange(TOKENS) >= TOKENS // 2).expand(ROWS, TOKENS)
    return Batch(ids, replies, torch.full((ROWS,), TOKENS - 1), torch.arange(ROWS) * roles // ROWS)


def train_steps(backbone_name: str, roles: int, form: str, results) -> None:
    """Takes a few steps in a process of its own; puts seconds of a step and the process's largest memory."""
    torch.set_num_threads(1)
    backbone = open_backbone(backbone_name, model=None, dtype=torch.float32, device=torch.device("cpu"))
    config = read_train_config({"batch": ROWS, "contrast": {"form": form}, "hypernetwork": {"generatorRank": 64}})
    trainee = begin_training(config, backbone, [f"Role {index}" for index in range(roles)], None)
    trainer, batch = Trainer(backbone, trainee, config), made_up_batch(roles)
    times = []
    for step in range(STEPS + 1):
        began = time.process_time()
        trainer.step(step, [batch], 0.1)
        times.append(time.process_time() - began)
    # The first step fills caches. Linux counts in KiB.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    results.put((round(middle(times[1:]), 3), peak))


def steps_of(backbone: str, roles: int, form: str) -> dict[str, float]:
    """Seconds of processor time a step and peak bytes, measured in a fresh process."""
    spawn = multiprocessing.get_context("spawn")
    results = spawn.SimpleQueue()
    process = spawn.Process(target=train_steps, args=(backbone, roles, form, results))
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(f"the steps with {roles} roles failed")
    seconds, peak = results.get()
    return {"processorSeconds": seconds, "peakBytes": peak}


def main(backbone: str, trained_backbone: str, results: str) -> None:
    """Writes a row for each number of roles; everything runs on one thread, so that processor time is time."""
    torch.set_num_threads(1)
    sizes, base = read_sizes(backbone), TrainConfig()
    config = adapter_of(sizes, base)
    table_numbers = config.rank * sizes.layers * sum(size for size, _ in config.dims.values())
    shared_b = config.rank * sizes.layers * sum(out for _, out in config.dims.values())
    rows = []
    for roles in ROLES:
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
                "step": {form: steps_of(trained_backbone, roles, form) for form in ("off", "table")},
            }
        )
        print(rows[-1], flush=True)
    step = {"backbone": trained_backbone, "rows": ROWS, "tokens": TOKENS, "generatorRank": 64, "threads": 1}
    text = json.dumps({"backbone": backbone, "step": step, "rows": rows}, indent=1)
    Path(results).write_text(f"{text}\n", "utf8")


if __name__ == "__main__":
    main(*sys.argv[1:])
