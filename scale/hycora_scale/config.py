"""The training file: one JSON object with the keys, defaults and bounds of the page's trainer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .errors import HycoraError, check

PROJECTIONS = ("q", "k", "v", "o", "up", "down", "gate")
SOURCES_OF_A = ("shared", "table", "hyper", "hyper+static")
SOURCES_OF_B = ("shared", "table", "hyper")


@dataclass(frozen=True)
class ContrastConfig:
    """The contrastive loss: its form, its largest weight λ, when it starts (in epochs) and how it rises."""

    form: str = "table"
    weight: float = 0.1
    start: float = 0
    schedule: str = "half-cosine"


@dataclass(frozen=True)
class GapConfig:
    """The likelihood gap: its weight (0 for none), and by how many nats a token a role's lines should be likelier
    under its own adapter than under another's; the share of a micro-batch's rows that take part, and among how many
    other roles, drawn at random, the one that the lines suit best is taken.
    """

    weight: float = 0
    margin: float = 0.3
    share: float = 0.25
    among: int = 1


@dataclass(frozen=True)
class HypernetworkSizes:
    """Sizes of a hyper-network that starts from nothing."""

    roleEmbedding: int = 64
    layerEmbedding: int = 64
    hidden: int = 256
    residualBlocks: int = 2
    generatorRank: int = 16


@dataclass(frozen=True)
class Sources:
    """Where A and B come from."""

    A: str = "hyper"
    B: str = "shared"


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a run but backbone, data and start; field names are the file's keys."""

    steps: int = 100
    batch: int = 4
    accumulate: int = 1
    seed: int = 42
    learningRate: float = 1e-3
    learningRateB: float = 2e-3
    schedule: str = "cosine"
    warmup: int = 5
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    weightDecay: float = 0
    clip: float = 1
    dropout: float = 0
    rank: int = 8
    alpha: float = 32
    targets: tuple[str, ...] = PROJECTIONS
    sources: Sources = field(default_factory=Sources)
    contrast: ContrastConfig = field(default_factory=ContrastConfig)
    gap: GapConfig = field(default_factory=GapConfig)
    mode: str = "all"
    role: str | None = None
    checkpointEvery: int = 25
    hypernetwork: HypernetworkSizes = field(default_factory=HypernetworkSizes)
    maxTokens: int = 256
    wordings: int = 0
    system: str | Mapping[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        """The configuration as a JSON object."""
        return asdict(self)


_LARGE = 10**9


class _Fields:
    """Reads entries one by one with their bounds; what was not asked for is an error in the end."""

    def __init__(self, value: object, where: str) -> None:
        check(isinstance(value, dict), "format-invalid", f"{where} is not an object")
        self._entries: dict[str, Any] = dict(value)  # type: ignore[call-overload]
        self._where = where
        self._read: set[str] = set()

    def take(self, key: str, fallback: Any = None) -> Any:
        self._read.add(key)
        return self._entries.get(key, fallback)

    def number(self, key: str, fallback: float, least: float, most: float) -> float:
        value = self.take(key, fallback)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most:
            return value
        raise self.fault(key, f"a number from {least} to {most}")

    def integer(self, key: str, fallback: int, least: int, most: int) -> int:
        value = self.number(key, fallback, least, most)
        if float(value).is_integer():
            return int(value)
        raise self.fault(key, "an integer")

    def choice(self, key: str, fallback: str, choices: Sequence[str]) -> str:
        value = self.take(key, fallback)
        if value in choices:
            return value
        raise self.fault(key, " or ".join(f'"{choice}"' for choice in choices))

    def fault(self, key: str, expected: str) -> HycoraError:
        found = json.dumps(self._entries.get(key))
        return HycoraError("format-invalid", f"{self._where}: {key} is {found}, expected {expected}")

    def done(self) -> None:
        unknown = next((key for key in self._entries if key not in self._read), None)
        check(unknown is None, "format-invalid", f'{self._where} has the unknown key "{unknown}"')


def _targets(fields: _Fields) -> tuple[str, ...]:
    value = fields.take("targets", list(PROJECTIONS))
    is_known = isinstance(value, list) and value and all(name in PROJECTIONS for name in value)
    if not is_known or len(set(value)) < len(value):
        raise fields.fault("targets", f"a list out of {', '.join(PROJECTIONS)}")
    return tuple(name for name in PROJECTIONS if name in value)


def _betas(fields: _Fields, fallback: tuple[float, float]) -> tuple[float, float]:
    value = fields.take("betas", list(fallback))
    if isinstance(value, list) and len(value) == 2 and all(isinstance(b, (int, float)) and 0 <= b < 1 for b in value):
        return (float(value[0]), float(value[1]))
    raise fields.fault("betas", "two numbers from 0 to below 1")


def _system(fields: _Fields) -> str | Mapping[str, str] | None:
    value = fields.take("system")
    is_object = isinstance(value, dict) and all(isinstance(line, str) for line in value.values())
    if value is None or isinstance(value, str) or is_object:
        return value
    raise fields.fault("system", "a text, or one text a role")


def _sources(value: object) -> Sources:
    fields = _Fields({} if value is None else value, "sources")
    sources = Sources(fields.choice("A", "hyper", SOURCES_OF_A), fields.choice("B", "shared", SOURCES_OF_B))
    fields.done()
    return sources


def _contrast(value: object) -> ContrastConfig:
    fields = _Fields({} if value is None else value, "contrast")
    base = ContrastConfig()
    contrast = ContrastConfig(
        form=fields.choice("form", base.form, ("off", "batch", "table")),
        weight=fields.number("weight", base.weight, 0, 1000),
        start=fields.number("start", base.start, 0, 1e6),
        schedule=fields.choice("schedule", base.schedule, ("none", "linear", "half-cosine")),
    )
    fields.done()
    return contrast


def _gap(value: object) -> GapConfig:
    fields = _Fields({} if value is None else value, "gap")
    base = GapConfig()
    gap = GapConfig(
        weight=fields.number("weight", base.weight, 0, 1000),
        margin=fields.number("margin", base.margin, 0, 100),
        share=fields.number("share", base.share, 0, 1),
        among=fields.integer("among", base.among, 1, 4096),
    )
    fields.done()
    return gap


def _sizes(value: object) -> HypernetworkSizes:
    fields = _Fields({} if value is None else value, "hypernetwork")
    base = HypernetworkSizes()
    sizes = HypernetworkSizes(
        roleEmbedding=fields.integer("roleEmbedding", base.roleEmbedding, 1, 65536),
        layerEmbedding=fields.integer("layerEmbedding", base.layerEmbedding, 1, 65536),
        hidden=fields.integer("hidden", base.hidden, 1, 65536),
        residualBlocks=fields.integer("residualBlocks", base.residualBlocks, 0, 64),
        generatorRank=fields.integer("generatorRank", base.generatorRank, 1, 65536),
    )
    fields.done()
    return sizes


def read_train_config(value: object, start: tuple[int, float] | None = None) -> TrainConfig:
    """Validates a training file's JSON; what it leaves out has its default.

    `start` is (rank, alpha) of the start pack, which decides them and all sizes.
    Raises `format-invalid` naming the key, `usage` where the rank is not the start's.
    """
    fields = _Fields(value, "the configuration")
    base = TrainConfig()
    rate = fields.number("learningRate", base.learningRate, 0, 1)
    role = fields.take("role")
    if role is not None and not isinstance(role, str):
        raise fields.fault("role", "a name")
    config = TrainConfig(
        steps=fields.integer("steps", base.steps, 1, _LARGE),
        batch=fields.integer("batch", base.batch, 1, 4096),
        accumulate=fields.integer("accumulate", base.accumulate, 1, 4096),
        seed=fields.integer("seed", base.seed, 0, 2**32 - 1),
        learningRate=rate,
        learningRateB=fields.number("learningRateB", rate, 0, 1),
        schedule=fields.choice("schedule", base.schedule, ("constant", "cosine")),
        warmup=fields.integer("warmup", base.warmup, 0, _LARGE),
        betas=_betas(fields, base.betas),
        epsilon=fields.number("epsilon", base.epsilon, 1e-20, 1),
        weightDecay=fields.number("weightDecay", base.weightDecay, 0, 100),
        clip=fields.number("clip", base.clip, 0, 1e9),
        dropout=fields.number("dropout", base.dropout, 0, 0.95),
        rank=fields.integer("rank", start[0] if start else base.rank, 1, 256),
        alpha=fields.number("alpha", start[1] if start else base.alpha, 1e-6, 1e6),
        targets=_targets(fields),
        sources=_sources(fields.take("sources")),
        contrast=_contrast(fields.take("contrast")),
        gap=_gap(fields.take("gap")),
        mode=fields.choice("mode", base.mode, ("all", "quick", "full")),
        role=role,
        checkpointEvery=fields.integer("checkpointEvery", base.checkpointEvery, 1, _LARGE),
        hypernetwork=_sizes(fields.take("hypernetwork")),
        maxTokens=fields.integer("maxTokens", base.maxTokens, 8, 65536),
        wordings=fields.integer("wordings", base.wordings, 0, 100),
        system=_system(fields),
    )
    fields.done()
    if start:
        fact = f"the configuration: rank is {config.rank}, the start pack has {start[0]}"
        check(config.rank == start[0], "usage", fact)
    need = f'the configuration: mode "{config.mode}" needs the new role\'s name in "role"'
    check(config.mode == "all" or config.role is not None, "format-invalid", need)
    return config


def system_line(system: str | Mapping[str, str] | None, name: str) -> str | None:
    """A role's line: its own text, or the template with its name; None for none."""
    if system is None:
        return None
    return system.replace("{name}", name) if isinstance(system, str) else system.get(name)
