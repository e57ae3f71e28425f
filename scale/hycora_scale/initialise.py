"""The tensors that a run begins with, drawn as the page's trainer draws them."""

from __future__ import annotations

import math
import re

import numpy as np
import torch
from torch import Tensor

from .hypernetwork import encode, linear
from .pack_config import PackConfig, expected_tensors
from .pcg import Random

# Roles are drawn alike, so that this many tell the spread of all.
_MEASURED_ROLES = 16
# How far a new role's vector lies from the mean of the others, in shares of their own spread.
_NEW_ROLE_SPREAD = 0.05


def initial_tensors(config: PackConfig, roles: int, *, has_heads: bool, seed: int) -> dict[str, Tensor]:
    """Tensors of a run that starts from nothing, float32.

    Linears Xavier-uniform, biases 0, norms the identity, embeddings normal(0, 1) truncated at ±2, B = 0. A has the
    standard deviation 1/√(3·in): stored A is uniform in ±1/√in, generators are scaled until theirs has it. The codes z
    of a generator of A begin without a common part.
    """
    expected = expected_tensors(config, roles, has_heads=has_heads)
    # A stream of its own keeps every tensor the same whatever else a pack has.
    tensors = {
        name: torch.from_numpy(_draw(name, shape, Random(seed, stream)).astype(np.float32))
        for stream, (name, shape) in enumerate(expected.items(), 1)
    }
    if config.source_a.startswith("hyper"):
        _begin_generators(tensors, config, roles)
    return tensors


def _draw(name: str, shape: tuple[int, ...], random: Random) -> np.ndarray:
    if re.search(r"norm\w*\.weight$", name):
        return np.ones(shape)
    if name.endswith(".bias") or ".lora_B" in name or "_up_linear.up." in name:
        return np.zeros(shape)
    count = math.prod(shape)
    if name.endswith("_emb.weight"):
        return random.truncated_normals(count).reshape(shape)
    rows, columns = shape[-2:]
    bound = 1 / math.sqrt(rows) if ".lora_A" in name else math.sqrt(6 / (rows + columns))
    return ((2 * random.uniforms(count) - 1) * bound).reshape(shape)


def _begin_generators(tensors: dict[str, Tensor], config: PackConfig, roles: int) -> None:
    """Begins every generator of A: b_D = −D·h̄, and std(A), averaged over roles and layers, 1/√(3·in)."""
    hyper = config.hypernetwork
    assert hyper
    double = {name: tensor.double() for name, tensor in tensors.items() if "lora" not in name}
    measured = torch.arange(min(roles, _MEASURED_ROLES))
    for index, projection in enumerate(config.projections):
        ids = torch.arange(index * config.layers, (index + 1) * config.layers)
        name = f"{projection}_down_linear"
        h = encode(hyper, double, measured, ids)
        # A single h is all that there is in common: without it, A would be 0 and learn nothing.
        if h[..., 0].numel() > 1:
            tensors[f"{name}.down.bias"] = -(double[f"{name}.down.weight"] @ h.mean(dim=(0, 1))).float()
            double[f"{name}.down.bias"] = tensors[f"{name}.down.bias"].double()
        matrices = linear(double, f"{name}.up", linear(double, f"{name}.down", h)) / math.sqrt(hyper.hidden)
        spread = matrices.std(dim=-1, correction=0).mean().item()
        factor = 1 / math.sqrt(3 * config.dims[projection][0]) / spread
        tensors[f"{name}.up.weight"] = (double[f"{name}.up.weight"] * factor).float()


def with_new_role(tensors: dict[str, Tensor], roles: int, seed: int) -> dict[str, Tensor]:
    """The tensors with one role more, the last: its rows are the mean of the others, its vector a little off."""
    grown = dict(tensors)
    for name, values in tensors.items():
        is_vector = name == "roles_emb.weight"
        if not is_vector and not re.search(r"\.lora_[AB]_table$", name):
            continue
        mean = values.double().mean(dim=0)
        row = mean
        if is_vector:
            spread = (values.double() - mean).std(correction=0).item() if roles > 1 else 1.0
            step = torch.from_numpy(Random(seed, roles).truncated_normals(mean.numel())).reshape(mean.shape)
            row = mean + _NEW_ROLE_SPREAD * spread * step
        grown[name] = torch.cat([values, row.float().unsqueeze(0)])
    return grown
