"""A training run as a cell of an experiment: what it reaches on the held-out rows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .backbone import open_backbone
from .config import read_train_config
from .dataset import Dialogue
from .errors import check
from .evaluate import Scorer, evaluate
from .experiment import Cell, Figures, Kind
from .hypernetwork import encode, generate
from .schedule import contrast_weight
from .train_command import prepare_data, read_split
from .trainee import Trainee
from .trainer import Trainer

_ROOT = Path(__file__).resolve().parents[2]


def other_start(trainee: Trainee, start: dict[str, Any]) -> None:
    """Changes a fresh hyper-network in place: wider role vectors, or codes z with the part that they have in common."""
    tensors, config = trainee.tensors, trainee.config
    hyper = config.hypernetwork
    if not hyper or not start:
        return
    tensors["roles_emb.weight"].mul_(start.get("roleSpread", 1))
    tensors["layers_emb.weight"].mul_(start.get("layerSpread", 1))
    for name in (name for name in tensors if name.endswith(".lora_A0")):
        tensors[name].mul_(start.get("staticSpread", 1))
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
    sums: dict[str, list[float]] = {"roles": [], "layers": []}
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


def found(data: str) -> list[Path]:
    """The file at a path, or those that a pattern of paths below the repository's root finds, in their order."""
    if Path(data).exists():
        return [Path(data)]
    files = sorted(_ROOT.glob(data)) if "*" in data else [_ROOT / data]
    check(files, "usage", f"no file is found by {data}")
    return files


def some(dialogues: list[Dialogue], roles: int, counts: dict[str, int]) -> list[Dialogue]:
    """Of each of the first roles the same number of rows of each split."""
    names = list(dict.fromkeys(dialogue.role for dialogue in dialogues))[:roles]
    check(len(names) == roles, "usage", f"the data has {len(names)} roles, expected {roles}")
    of_split = {(name, split): count for name in names for split, count in counts.items()}
    kept = []
    for (name, split), count in of_split.items():
        kept += [one for one in dialogues if one.role == name and one.split == split][:count]
    return kept


class Training(Kind):
    """Trains each cell and measures it.

    `data` is a data set or a pattern of several, `exchanges` how many held-out replies of a role are measured. With
    `roles`, `rows` says how many rows of each split a role has (`{"train", "test"}`), `measuredRoles` of how many roles
    the figures are. Where the training file has no `steps`, they are one pass. A change of `start` asks for another
    beginning of the hyper-network, `{"centred": false}`, `{"roleSpread": 2}` or `{"staticSpread": 0}` (of A₀), for
    another rate of role vectors, `{"vectorRate": 10}`, or for generators that learn only what roles differ by,
    `{"apart": true}`.
    """

    keys = frozenset({"backbone", "data", "exchanges", "rows", "measuredRoles"})

    def __init__(self, settings: dict) -> None:
        super().__init__(settings)
        missing = [key for key in ("backbone", "data", "exchanges") if key not in settings]
        check(not missing, "format-invalid", f"an experiment of the kind training lacks {missing}")
        check("roles" not in settings or "rows" in settings, "format-invalid", "an experiment with roles lacks rows")
        place = settings["backbone"]
        self._backbone = open_backbone(place, model=None, dtype=torch.float32, device=torch.device("cpu"))
        self._dialogues = read_split([str(file) for file in found(settings["data"])], 42, may_write=False)

    def measure(self, cell: Cell) -> Figures:
        """Losses, role swap, trained numbers, cosines of A and processor time of one run."""
        dialogues = self._dialogues
        if cell.roles is not None:
            dialogues = some(dialogues, cell.roles, self.settings["rows"])
        settings = dict(cell.config)
        start = settings.pop("start", {})
        rows = sum(dialogue.split == "train" for dialogue in dialogues)
        config = read_train_config({"steps": max(1, rows // settings.get("batch", 4)), **settings})
        trainee, batches = prepare_data(dialogues, config, self._backbone, None)
        other_start(trainee, start)
        trainer = Trainer(self._backbone, trainee, config)
        trainer.vector_rate = start.get("vectorRate", 1.0)
        trainer.is_apart = start.get("apart", False)
        with torch.no_grad():
            at_start = cosines(trainee, trainer.tensors())
        began, losses = time.process_time(), []
        for step in range(config.steps):
            epochs = batches.epochs
            weight = contrast_weight(config.contrast, step / config.steps * epochs, epochs)
            losses.append(trainer.step(step, batches.at(step), weight).cross_entropy)
        seconds = time.process_time() - began
        tensors = trainer.tensors()
        scorer = Scorer(self._backbone, trainee.config, tensors, 40)
        roles = trainee.roles[: self.settings.get("measuredRoles")]
        exchanges = self.settings["exchanges"]
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
            "steps": config.steps,
            "epochs": batches.epochs,
            "cosineStart": at_start,
            "cosineEnd": cosines(trainee, tensors),
            "seconds": round(seconds),
        }
