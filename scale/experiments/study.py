"""Trains variants of the method on one data set and notes what each reaches on the held-out rows.

    python experiments/study.py VARIANTS.json RESULTS.jsonl [NAME …]

VARIANTS.json: `{"backbone", "data", "base": training file, "variants": {name: changes}}`; a change of `start` asks for
another beginning of the hyper-network: `{"centred": false}` or `{"roleSpread": 2}`. Results already noted are kept.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hycora_scale.backbone import open_backbone
from hycora_scale.config import read_train_config
from hycora_scale.evaluate import Scorer, evaluate
from hycora_scale.hypernetwork import encode, generate
from hycora_scale.schedule import contrast_weight
from hycora_scale.train_command import prepare_data, read_split
from hycora_scale.trainee import Trainee
from hycora_scale.trainer import Trainer


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The base with changes, objects key by key."""
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return result


def other_start(trainee: Trainee, start: dict[str, Any]) -> None:
    """Changes a fresh hyper-network in place: wider role vectors, or codes z with the part that they have in common."""
    tensors, config = trainee.tensors, trainee.config
    hyper = config.hypernetwork
    if not hyper or not start:
        return
    tensors["roles_emb.weight"].mul_(start.get("roleSpread", 1))
    tensors["layers_emb.weight"].mul_(start.get("layerSpread", 1))
    roles = torch.arange(len(trainee.roles))
    for index, projection in enumerate(config.projections):
        ids = torch.arange(index * config.layers, (index + 1) * config.layers)
        h = encode(hyper, tensors, roles, ids)
        name = f"{projection}_down_linear"
        common = tensors[f"{name}.down.weight"] @ h.mean(dim=(0, 1))
        tensors[f"{name}.down.bias"] = -common if start.get("centred", True) else torch.zeros_like(common)
        z = h @ tensors[f"{name}.down.weight"].T + tensors[f"{name}.down.bias"]
        a = z @ tensors[f"{name}.up.weight"].T / hyper.hidden**0.5
        target = (3 * config.dims[projection][0]) ** -0.5 * start.get("gain", 1)
        tensors[f"{name}.up.weight"] *= target / a.std(dim=-1).mean()


def cosines(trainee: Trainee, tensors: dict[str, Tensor]) -> dict[str, float]:
    """Mean cosine of A between roles of one layer, and between layers of one role, over projections."""
    factors = generate(trainee.config, tensors, torch.arange(len(trainee.roles)))
    sums = {"roles": [], "layers": []}
    for layers in factors.a.values():
        a = torch.stack([matrix.flatten(1) for matrix in layers])
        if a.shape[1] == 1:
            continue
        unit = a / a.norm(dim=-1, keepdim=True)
        for key, own in (("roles", unit), ("layers", unit.transpose(0, 1))):
            count = own.shape[1]
            gram = own @ own.transpose(1, 2)
            sums[key].append(((gram.sum(dim=(1, 2)) - count) / (count * (count - 1))).mean().item())
    return {key: round(sum(values) / len(values), 3) for key, values in sums.items() if values}


def run(
    backbone: Any, dialogues: Any, settings: dict[str, Any], exchanges: int, measured_roles: int | None = None
) -> dict[str, Any]:
    """Trains one variant and measures it, on all roles or on the first few."""
    start = settings.pop("start", {})
    config = read_train_config(settings)
    trainee, batches = prepare_data(dialogues, config, backbone, None)
    other_start(trainee, start)
    trainer = Trainer(backbone, trainee, config)
    with torch.no_grad():
        at_start = cosines(trainee, trainer.tensors())
    began, losses = time.process_time(), []
    for step in range(config.steps):
        epochs = batches.epochs
        weight = contrast_weight(config.contrast, step / config.steps * epochs, epochs)
        losses.append(trainer.step(step, batches.at(step), weight).cross_entropy)
    seconds = time.process_time() - began
    tensors = trainer.tensors()
    scorer = Scorer(backbone, trainee.config, tensors, 40)
    roles = trainee.roles[:measured_roles]
    figures = evaluate(scorer, roles, dialogues, exchanges=exchanges, seed=42, prompted=False)
    swap = figures["roleSwap"]
    return {
        "heldOut": trainer.measure(batches.held_out),
        "bare": figures["nll"]["bare"],
        "role": figures["nll"]["role"],
        "accuracy": swap["accuracy"],
        "perReply": swap["perReply"],
        "margin": swap["margin"],
        "trainLoss": sum(losses[-20:]) / len(losses[-20:]),
        "parameters": sum(value.numel() for value in trainer.trained.values()),
        "epochs": batches.epochs,
        "cosineStart": at_start,
        "cosineEnd": cosines(trainee, tensors),
        "seconds": round(seconds),
    }


def main(plan_path: str, results_path: str, *names: str) -> None:
    """Runs the plan's variants, or those that are named, appending a line each."""
    plan = json.loads(Path(plan_path).read_text("utf8"))
    results = Path(results_path)
    done = {json.loads(line)["name"] for line in results.read_text("utf8").splitlines()} if results.exists() else set()
    backbone = open_backbone(plan["backbone"], model=None, dtype=torch.float32, device=torch.device("cpu"))
    dialogues = read_split([plan["data"]], 42, may_write=False)
    for name, changes in plan["variants"].items():
        if name in done or (names and name not in names):
            continue
        figures = run(backbone, dialogues, merged(plan["base"], changes), plan.get("exchanges", 8))
        rounded = {key: round(value, 4) if isinstance(value, float) else value for key, value in figures.items()}
        with results.open("a", encoding="utf8") as file:
            file.write(json.dumps({"name": name, "changes": changes, **rounded}) + "\n")
        print(name, rounded, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
