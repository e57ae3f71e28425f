"""A training run as a cell of an experiment: what it reaches on the held-out rows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .backbone import Backbone, open_backbone
from .batches import RowBatches
from .config import TrainConfig, read_train_config
from .dataset import Dialogue
from .errors import check
from .evaluate import Scorer, evaluate
from .experiment import Cell, Figures, Kind
from .hypernetwork import Emphasis, Factors, encode, generate
from .schedule import contrast_weight
from .train_command import prepare_data, read_split
from .trainee import Trainee
from .trainer import Trainer

_ROOT = Path(__file__).resolve().parents[2]
# Of a held-out reply so many tokens are measured.
REPLY_TOKENS = 40


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


def opened(settings: dict[str, Any]) -> tuple[Backbone, list[Dialogue]]:
    """The backbone of a settings file, on the processor in float32, and its data, split; raises `format-invalid`."""
    missing = [key for key in ("backbone", "data", "exchanges") if key not in settings]
    check(not missing, "format-invalid", f"an experiment of the kind {settings['kind']} lacks {missing}")
    place = settings["backbone"]
    backbone = open_backbone(place, model=None, dtype=torch.float32, device=torch.device("cpu"))
    return backbone, read_split([str(file) for file in found(settings["data"])], 42, may_write=False)


def taught(trainer: Trainer, config: TrainConfig, batches: RowBatches) -> Iterator[float]:
    """Takes all steps of a run, one whenever it is asked for the next loss, which is a step's cross-entropy."""
    for step in range(config.steps):
        epochs = batches.epochs
        weight = contrast_weight(config.contrast, step / config.steps * epochs, epochs)
        yield trainer.step(step, batches.at(step), weight).cross_entropy


class ExaggeratedScorer(Scorer):
    """Measures the roles of a pack, so many, whose A are Ā + γ·(A − Ā), Ā the mean over all of them, γ being `by`."""

    def __init__(self, backbone: Backbone, trainee: Trainee, tensors: dict[str, Tensor], by: float = 1.0) -> None:
        super().__init__(backbone, trainee.config, tensors, REPLY_TOKENS)
        self._by, self._roles = by, len(trainee.roles)

    def factors(self, role: int) -> Factors:
        """A role's matrices, which differ from those of the others by γ times as much."""
        own = super().factors(role)
        if self._by == 1:
            return own
        with torch.no_grad():
            every = generate(self.config, self.tensors, torch.arange(self._roles))
        for projection, layers in own.a.items():
            means = [matrices.mean(dim=0) for matrices in every.a[projection]]
            own.a[projection] = [mean + self._by * (a - mean) for a, mean in zip(layers, means)]
        return own


class Training(Kind):
    """Trains each cell and measures it.

    `data` is a data set or a pattern of several, `exchanges` how many held-out replies of a role are measured. With
    `roles`, `rows` says how many rows of each split a role has (`{"train", "test"}`), `measuredRoles` of how many roles
    the figures are. Where the training file has no `steps`, they are one pass. A change of `start` asks for another
    beginning of the hyper-network, `{"centred": false}`, `{"roleSpread": 2}` or `{"staticSpread": 0}` (of A₀), for
    another rate of role vectors, `{"vectorRate": 10}`, for generators that learn what roles differ by so many times
    as much, `{"differences": 3}`, or only that, `{"apart": true}`. A change of `exaggerated` asks what the trained
    roles reach where what they differ by is multiplied by each of these numbers.
    """

    keys = frozenset({"backbone", "data", "exchanges", "rows", "measuredRoles"})

    def __init__(self, settings: dict) -> None:
        super().__init__(settings)
        check("roles" not in settings or "rows" in settings, "format-invalid", "an experiment with roles lacks rows")
        self._backbone, self._dialogues = opened(settings)

    def measure(self, cell: Cell) -> Figures:
        """Losses, role swap, trained numbers, cosines of A and processor time of one run."""
        dialogues = self._dialogues
        if cell.roles is not None:
            dialogues = some(dialogues, cell.roles, self.settings["rows"])
        settings = dict(cell.config)
        start, factors = settings.pop("start", {}), settings.pop("exaggerated", [])
        rows = sum(dialogue.split == "train" for dialogue in dialogues)
        config = read_train_config({"steps": max(1, rows // settings.get("batch", 4)), **settings})
        trainee, batches = prepare_data(dialogues, config, self._backbone, None)
        other_start(trainee, start)
        trainer = Trainer(self._backbone, trainee, config)
        trainer.vector_rate = start.get("vectorRate", 1.0)
        trainer.emphasis = Emphasis(0.0 if start.get("apart") else 1.0, start.get("differences", 1.0))
        with torch.no_grad():
            at_start = cosines(trainee, trainer.tensors())
        began = time.process_time()
        losses = list(taught(trainer, config, batches))
        seconds = time.process_time() - began
        tensors = trainer.tensors()
        roles = trainee.roles[: self.settings.get("measuredRoles")]

        def reached(by: float) -> Figures:
            scorer = ExaggeratedScorer(self._backbone, trainee, tensors, by)
            exchanges = self.settings["exchanges"]
            figures = evaluate(scorer, roles, dialogues, exchanges=exchanges, seed=42, prompted=False)
            swap = {key: figures["roleSwap"][key] for key in ("accuracy", "perReply", "margin")}
            return {"bare": figures["nll"]["bare"], "role": figures["nll"]["role"], **swap}

        others = {f"{by}": {key: value for key, value in reached(by).items() if key != "bare"} for by in factors}
        return {
            "heldOut": trainer.measure(batches.held_out),
            **reached(1.0),
            **({"exaggerated": others} if others else {}),
            "trainLoss": sum(losses[-20:]) / len(losses[-20:]),
            "parameters": sum(value.numel() for value in trainer.trained.values()),
            "steps": config.steps,
            "epochs": batches.epochs,
            "cosineStart": at_start,
            "cosineEnd": cosines(trainee, tensors),
            "seconds": round(seconds),
        }
