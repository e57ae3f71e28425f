"""Roles to low-rank matrices: the encoder, the generators, and the other sources of A and B."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .pack_config import HypernetworkConfig, PackConfig

Tensors = Mapping[str, Tensor]


@dataclass
class Factors:
    """The matrices of some roles: for each projection a list over layers of A [slots, in, r] and B [slots, r, out].

    `slots` is 1 where all roles share the matrix.
    """

    a: dict[str, list[Tensor]]
    b: dict[str, list[Tensor]]

    def all(self) -> list[Tensor]:
        """Every matrix, in a fixed order."""
        return [tensor for side in (self.a, self.b) for layers in side.values() for tensor in layers]

    def to(self, dtype: torch.dtype) -> Factors:
        """The same values in another precision, cut off from where they came from."""
        cut = [{key: [t.detach().to(dtype) for t in ts] for key, ts in side.items()} for side in (self.a, self.b)]
        return Factors(cut[0], cut[1])

    def leaves(self) -> Factors:
        """The same values cut off from where they came from, each with a gradient of its own."""
        cut = [
            {key: [t.detach().requires_grad_() for t in ts] for key, ts in side.items()} for side in (self.a, self.b)
        ]
        return Factors(cut[0], cut[1])


def linear(tensors: Tensors, name: str, x: Tensor) -> Tensor:
    """x·Wᵀ + b."""
    return F.linear(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"])


def _norm(tensors: Tensors, name: str, x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], tensors[f"{name}.weight"], tensors[f"{name}.bias"], 1e-5)


def encode(config: HypernetworkConfig, tensors: Tensors, roles: Tensor, layer_ids: Tensor) -> Tensor:
    """h of roles at adapted layers.

    v = [e_role ; e_layer], h₀ = ReLU(W·LN(v) + b), h_n = h_{n−1} + W₂·ReLU(W₁·LN(h_{n−1}) + b₁) + b₂, h = LN(h_N).
    `roles` [R], `layer_ids` [L] → [L, R, hidden].
    """
    role = tensors["roles_emb.weight"].index_select(0, roles)
    layer = tensors["layers_emb.weight"].index_select(0, layer_ids)
    shape = (len(layer_ids), len(roles), -1)
    v = torch.cat([role.unsqueeze(0).expand(shape), layer.unsqueeze(1).expand(shape)], dim=-1)
    if config.layernorm_input:
        v = _norm(tensors, "hypernet_encoder.norm_input", v)
    h = F.relu(linear(tensors, "hypernet_encoder.fc_input", v))
    for block in range(config.residual_blocks):
        name = f"hypernet_encoder.layers.{block}"
        inner = F.relu(linear(tensors, f"{name}.fc1", _norm(tensors, f"{name}.norm", h)))
        h = h + linear(tensors, f"{name}.fc2", inner)
    return _norm(tensors, "hypernet_encoder.norm_output", h) if config.layernorm_output else h


def _generate(config: HypernetworkConfig, tensors: Tensors, name: str, h: Tensor, shape: tuple[int, int]) -> Tensor:
    """reshape(U·(D·h + b_D) + b_U) / √hidden: h [L, R, hidden] → [L, R, *shape]."""
    matrix = linear(tensors, f"{name}.up", linear(tensors, f"{name}.down", h))
    return matrix.unflatten(-1, shape) / math.sqrt(config.hidden)


@dataclass(frozen=True)
class Emphasis:
    """By what gradients are multiplied on their way to the generators of A.

    Apart are the mean over roles and what each role differs by from it; with 0 for the mean, that is left to A₀.
    """

    common: float = 1.0
    difference: float = 1.0


EVEN = Emphasis()


def emphasised(made: Tensor, emphasis: Emphasis) -> Tensor:
    """The same matrices [roles, in, r], whose gradient's mean over roles and the rest of it are weighed."""
    if emphasis == EVEN:
        return made
    common = made.mean(dim=0, keepdim=True)
    learnt = emphasis.difference * (made - common) + emphasis.common * common
    return made.detach() + (learnt - learnt.detach())


def generate(config: PackConfig, tensors: Tensors, roles: Tensor, emphasis: Emphasis = EVEN) -> Factors:
    """A and B of roles (ids [R]) from their sources; all A of one projection come from one product."""
    factors = Factors({}, {})
    for index, projection in enumerate(config.projections):
        size, out = config.dims[projection]
        hyper, hidden = config.hypernetwork, None
        if hyper:
            ids = torch.arange(index * config.layers, (index + 1) * config.layers, device=roles.device)
            hidden = encode(hyper, tensors, roles, ids)
        stems = [f"layers.{layer}.{projection}" for layer in range(config.layers)]

        def stored(suffix: str, stems: list[str] = stems) -> list[Tensor]:
            return [tensors[f"{stem}.{suffix}"] for stem in stems]

        if config.source_a == "shared":
            a = [tensor.unsqueeze(0) for tensor in stored("lora_A")]
        elif config.source_a == "table":
            a = [tensor.index_select(0, roles) for tensor in stored("lora_A_table")]
        else:
            made = _generate(hyper, tensors, f"{projection}_down_linear", hidden, (size, config.rank))
            a = [emphasised(matrices, emphasis) for matrices in made.unbind(0)]
        if config.source_a == "hyper+static":
            a = [matrices + static for matrices, static in zip(a, stored("lora_A0"))]
        if config.source_b == "shared":
            b = [tensor.unsqueeze(0) for tensor in stored("lora_B")]
        elif config.source_b == "table":
            b = [tensor.index_select(0, roles) for tensor in stored("lora_B_table")]
        else:
            b = list(_generate(hyper, tensors, f"{projection}_up_linear", hidden, (config.rank, out)).unbind(0))
        factors.a[projection], factors.b[projection] = a, b
    return factors
