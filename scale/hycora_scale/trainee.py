"""What a run trains: a pack in the making."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from .backbone import Backbone
from .config import PROJECTIONS, TrainConfig, system_line
from .errors import HycoraError, check
from .initialise import initial_tensors, with_new_role
from .pack import Pack
from .pack_config import HypernetworkConfig, PackConfig, is_hyper


@dataclass(frozen=True)
class Trainee:
    """Configuration, roles and tensors of the pack; `only_role` is the only one whose vector is fitted, or None."""

    config: PackConfig
    roles: list[dict[str, Any]]
    tensors: dict[str, Tensor]
    has_heads: bool
    only_role: int | None = None

    @property
    def role_ids(self) -> dict[str, int]:
        """Names of roles to their ids."""
        return {role["name"]: index for index, role in enumerate(self.roles)}


def line_of(config: TrainConfig, start: Pack | None, name: str) -> str | None:
    """The line of a role in the pack to be, behind which its rows stand: the start's own, else the configuration's."""
    own = next((role for role in start.roles[: start.rows] if role["name"] == name), None) if start else None
    return own.get("system") if own else system_line(config.system, name)


def _role(config: TrainConfig, name: str) -> dict[str, Any]:
    line = line_of(config, None, name)
    return {"name": name} if line is None else {"name": name, "system": line}


def _fresh(config: TrainConfig, backbone: Backbone, names: Sequence[str]) -> Trainee:
    fact = f'mode "{config.mode}" adds a role to a pack, so it needs a start pack'
    check(config.mode == "all", "usage", fact)
    dims = backbone.adaptable.dims
    targets = tuple(name for name in PROJECTIONS if name in config.targets and name in dims)
    hyper = is_hyper(config.sources.A, config.sources.B)
    has_heads = config.contrast.form != "off"
    sizes = config.hypernetwork
    pack_config = PackConfig(
        rank=config.rank,
        alpha=config.alpha,
        layers=backbone.adaptable.layers,
        projections=targets,
        dims={name: dims[name] for name in targets},
        source_a=config.sources.A,
        source_b=config.sources.B,
        role_embedding=sizes.roleEmbedding if hyper or has_heads else None,
        hypernetwork=HypernetworkConfig(
            layer_embedding=sizes.layerEmbedding,
            hidden=sizes.hidden,
            residual_blocks=sizes.residualBlocks,
            generator_rank=sizes.generatorRank,
        )
        if hyper
        else None,
    )
    tensors = initial_tensors(pack_config, len(names), has_heads=has_heads, seed=config.seed)
    return Trainee(pack_config, [_role(config, name) for name in names], tensors, has_heads)


def compare_pack(pack: Pack, backbone: Backbone) -> list[str]:
    """Demands that a pack is the backbone's; returns warnings. Raises `model-incompatible` naming both."""
    theirs, ours = pack.backbone["fingerprint"], backbone.fingerprint
    fact = f"{pack.name} is for {pack.backbone['name']}, not for {backbone.name}"
    check(not theirs or not ours or theirs == ours, "model-incompatible", fact)
    dims = {name: backbone.adaptable.dims.get(name) for name in pack.config.projections}
    check(pack.config.layers == backbone.adaptable.layers and dims == pack.config.dims, "model-incompatible", fact)
    return [] if theirs and ours else [f"warning: whether {pack.name} is for {backbone.name} cannot be told"]


def _grown(pack: Pack, config: TrainConfig, names: Sequence[str]) -> Trainee:
    own = pack.roles[: pack.rows]
    known = [role["name"] for role in own]
    for role in own:
        line = system_line(config.system, role["name"]) if role["name"] in names else None
        fact = f'the configuration gives {role["name"]} another line than the start pack does: leave it out of "system"'
        check(line is None or line == role.get("system"), "usage", fact)
    wanted = list(names) if config.mode == "all" else [config.role or ""]
    missing = [name for name in wanted if name not in known]
    if config.mode == "all" and missing:
        fact = f'the data has {", ".join(missing)}, which the start pack lacks: use mode "full" for a new role'
        raise HycoraError("usage", fact)
    tensors, roles = dict(pack.tensors), own
    if missing:
        roles = [*own, _role(config, missing[0])]
        tensors = with_new_role(tensors, len(own), config.seed)
        known.append(missing[0])
    only = known.index(config.role) if config.mode == "quick" and config.role else None
    if only is not None and not pack.config.hypernetwork:
        fact = f"the vector of {config.role} cannot be fitted: the pack has none that makes its matrices"
        raise HycoraError("format-unsupported", fact)
    return Trainee(pack.config, roles, tensors, pack.has_heads, only)


def begin_training(config: TrainConfig, backbone: Backbone, names: Sequence[str], start: Pack | None) -> Trainee:
    """What a run begins with: tensors drawn anew, or a start pack's, with the new role's row where there is one."""
    trainee = _grown(start, config, names) if start else _fresh(config, backbone, names)
    fact = 'the start pack has no heads for the contrastive loss: set contrast.form to "off"'
    check(config.contrast.form == "off" or trainee.has_heads, "usage", fact)
    return trainee
