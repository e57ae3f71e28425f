"""What a pack's `config` says, and the closed world of tensors that it asks for (`docs/pack-format.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .config import PROJECTIONS, SOURCES_OF_A, SOURCES_OF_B
from .errors import check


@dataclass(frozen=True)
class HypernetworkConfig:
    """The sizes of the encoder and the generators."""

    layer_embedding: int
    hidden: int
    residual_blocks: int
    generator_rank: int
    layernorm_input: bool = True
    layernorm_output: bool = True


@dataclass(frozen=True)
class PackConfig:
    """Sizes and sources of an adapter; layer id = index of the projection · layers + layer."""

    rank: int
    alpha: float
    layers: int
    projections: tuple[str, ...]
    dims: dict[str, tuple[int, int]]
    """Projection → (in, out)."""
    source_a: str
    source_b: str
    role_embedding: int | None = None
    """None where there is no role table: no hyper source and no heads."""
    hypernetwork: HypernetworkConfig | None = None

    @property
    def scale(self) -> float:
        """α/r."""
        return self.alpha / self.rank

    @property
    def hidden_size(self) -> int:
        """The width of the backbone's hidden states, which every projection reads or writes."""
        first = self.projections[0]
        return self.dims[first][1 if first in ("o", "down") else 0]

    def to_json(self) -> dict[str, Any]:
        """The JSON object of the metadata, its keys in the order of the format's description."""
        roles = {} if self.role_embedding is None else {"role_embedding": self.role_embedding}
        hyper = self.hypernetwork.__dict__ if self.hypernetwork else {}
        return {
            "rank": self.rank,
            "alpha": self.alpha,
            **roles,
            **hyper,
            "layers": self.layers,
            "projections": list(self.projections),
            "dims": {name: list(pair) for name, pair in self.dims.items()},
            "sources": {"A": self.source_a, "B": self.source_b},
        }


def is_hyper(source_a: str, source_b: str) -> bool:
    """Whether a hyper-network makes A or B."""
    return source_a.startswith("hyper") or source_b == "hyper"


def read_pack_config(value: Any, name: str) -> PackConfig:
    """Validates the parsed `config` of a pack; raises `format-invalid`."""
    where = f"{name}: config"
    check(isinstance(value, dict), "format-invalid", f"{where} is not an object")
    try:
        sources = value["sources"]
        hyper = is_hyper(sources["A"], sources["B"])
        keys = ("layer_embedding", "hidden", "residual_blocks", "generator_rank", "layernorm_input", "layernorm_output")
        config = PackConfig(
            rank=value["rank"],
            alpha=value["alpha"],
            layers=value["layers"],
            projections=tuple(value["projections"]),
            dims={projection: tuple(value["dims"][projection]) for projection in value["projections"]},
            source_a=sources["A"],
            source_b=sources["B"],
            role_embedding=value["role_embedding"] if hyper else value.get("role_embedding"),
            hypernetwork=HypernetworkConfig(**{key: value[key] for key in keys}) if hyper else None,
        )
    except (KeyError, TypeError) as error:
        check(False, "format-invalid", f"{where} lacks {error}")
        raise
    known = set(config.projections) <= set(PROJECTIONS) and len(set(config.projections)) == len(config.projections)
    check(known and config.projections, "format-invalid", f"{where} has projections that are unknown or doubled")
    are_sources = config.source_a in SOURCES_OF_A and config.source_b in SOURCES_OF_B
    check(are_sources, "format-invalid", f"{where} has sources that are unknown")
    unknown = set(value) - set(config.to_json())
    check(not unknown, "format-invalid", f"{where} has the unknown keys {sorted(unknown)}")
    return config


def expected_tensors(config: PackConfig, rows: int, *, has_heads: bool) -> dict[str, tuple[int, ...]]:
    """The tensors of a pack and their shapes, in the order in which a fresh start draws them."""
    shapes: dict[str, tuple[int, ...]] = {}

    def linear(name: str, out: int, size: int) -> None:
        shapes[f"{name}.weight"] = (out, size)
        shapes[f"{name}.bias"] = (out,)

    roles = config.role_embedding
    if roles is not None and (config.hypernetwork or has_heads):
        shapes["roles_emb.weight"] = (rows, roles)
    if roles is not None and has_heads:
        linear("hidden_to_role_emb_layer", roles, config.hidden_size)
        linear("role_emb_to_role_emb_layer", roles, roles)
    if config.hypernetwork and roles is not None:
        _add_hypernetwork(shapes, linear, config, config.hypernetwork, roles)
    for projection in config.projections:
        size, out = config.dims[projection]
        for layer in range(config.layers):
            _add_stored(shapes, config, f"layers.{layer}.{projection}", (rows, size, out))
    return shapes


def _add_hypernetwork(shapes: dict, linear: Any, config: PackConfig, sizes: HypernetworkConfig, roles: int) -> None:
    def norm(name: str, size: int) -> None:
        shapes[f"{name}.weight"] = (size,)
        shapes[f"{name}.bias"] = (size,)

    width = roles + sizes.layer_embedding
    shapes["layers_emb.weight"] = (len(config.projections) * config.layers, sizes.layer_embedding)
    if sizes.layernorm_input:
        norm("hypernet_encoder.norm_input", width)
    linear("hypernet_encoder.fc_input", sizes.hidden, width)
    for block in range(sizes.residual_blocks):
        norm(f"hypernet_encoder.layers.{block}.norm", sizes.hidden)
        linear(f"hypernet_encoder.layers.{block}.fc1", sizes.hidden, sizes.hidden)
        linear(f"hypernet_encoder.layers.{block}.fc2", sizes.hidden, sizes.hidden)
    if sizes.layernorm_output:
        norm("hypernet_encoder.norm_output", sizes.hidden)
    for projection, (size, out) in config.dims.items():
        if config.source_a.startswith("hyper"):
            linear(f"{projection}_down_linear.down", sizes.generator_rank, sizes.hidden)
            linear(f"{projection}_down_linear.up", size * config.rank, sizes.generator_rank)
        if config.source_b == "hyper":
            linear(f"{projection}_up_linear.down", sizes.generator_rank, sizes.hidden)
            linear(f"{projection}_up_linear.up", config.rank * out, sizes.generator_rank)


def _add_stored(shapes: dict, config: PackConfig, stem: str, sizes: tuple[int, int, int]) -> None:
    rows, size, out = sizes
    rank = config.rank
    if config.source_a == "shared":
        shapes[f"{stem}.lora_A"] = (size, rank)
    if config.source_a == "table":
        shapes[f"{stem}.lora_A_table"] = (rows, size, rank)
    if config.source_a == "hyper+static":
        shapes[f"{stem}.lora_A0"] = (size, rank)
    if config.source_b == "shared":
        shapes[f"{stem}.lora_B"] = (rank, out)
    if config.source_b == "table":
        shapes[f"{stem}.lora_B_table"] = (rows, rank, out)
