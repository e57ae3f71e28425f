"""The adapted linear layer, and how it finds its place in a Hugging Face decoder."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .errors import check
from .functions import adapted_linear, rms_norm
from .hypernetwork import Factors

# Names of linears as decoders have them, with the projections that their outputs are, one after the other.
_LINEARS: dict[str, tuple[str, ...]] = {
    "q_proj": ("q",),
    "k_proj": ("k",),
    "v_proj": ("v",),
    "o_proj": ("o",),
    "up_proj": ("up",),
    "down_proj": ("down",),
    "gate_proj": ("gate",),
    "qkv_proj": ("q", "k", "v"),
    "gate_up_proj": ("gate", "up"),
    # Granite
    "shared_mlp.input_linear": ("gate", "up"),
    "shared_mlp.output_linear": ("down",),
    # ChatGLM2
    "query_key_value": ("q", "k", "v"),
    "self_attention.dense": ("o",),
    "dense_h_to_4h": ("gate", "up"),
    "dense_4h_to_h": ("down",),
}
_NORM = re.compile(r"(?:input|post_attention)_layernorm$")
_LAYER = re.compile(r"(?:^|\.)(?:layers|h)\.(\d+)\.(.+)$")


@dataclass
class Stage:
    """Who plays: the factors of the roles on stage and which of them each row of the batch has."""

    scale: float = 1.0
    dropout: float = 0.0
    factors: Factors | None = None
    """Those that get gradients."""
    low: Factors | None = None
    """The same in the precision of the products."""
    slots: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    """Of each row: the place of its role among the factors' slots."""
    is_sequence_first: bool = False
    """The decoder's states are [tokens, rows, hidden]."""

    def clear(self) -> None:
        """Sends everybody off."""
        self.factors = self.low = None


@dataclass(frozen=True)
class Part:
    """A slice of a linear's output that is one projection."""

    projection: str
    first: int
    length: int


class AdaptedLinear(nn.Module):
    """y = x·Wᵀ + b + (α/r)·(dropout(x)·A)·B, with A and B of each row's role; W and b are frozen."""

    def __init__(self, base: nn.Linear, layer: int, parts: tuple[Part, ...], stage: Stage) -> None:
        super().__init__()
        self.base = base
        self.layer = layer
        self.parts = parts
        self.stage = stage

    def forward(self, x: Tensor) -> Tensor:
        """x [rows, tokens, in] → [rows, tokens, out], or both with tokens first."""
        weight, bias = self.base.weight, self.base.bias
        if len(self.parts) == 1:
            return self._project(x, weight, bias, self.parts[0])
        lengths = [part.length for part in self.parts]
        biases = bias.split(lengths) if bias is not None else [None] * len(lengths)
        slices = zip(weight.split(lengths), biases, self.parts)
        return torch.cat([self._project(x, own, own_bias, part) for own, own_bias, part in slices], dim=-1)

    def _project(self, x: Tensor, weight: Tensor, bias: Tensor | None, part: Part) -> Tensor:
        stage, name = self.stage, part.projection
        if stage.factors is None or stage.low is None or name not in stage.factors.a:
            return F.linear(x.to(weight.dtype), weight, bias)
        both = [side[name][self.layer] for f in (stage.factors, stage.low) for side in (f.a, f.b)]
        turned = stage.is_sequence_first
        rows = x.transpose(0, 1).contiguous() if turned else x
        y = adapted_linear(
            rows, weight, bias, (both[0], both[1], both[2], both[3]), stage.slots, stage.scale, stage.dropout
        )
        return y.transpose(0, 1) if turned else y


class FrozenRmsNorm(nn.Module):
    """An RMS norm whose gain does not learn; its result has the precision of the products that read it."""

    def __init__(self, gain: nn.Parameter, epsilon: float, dtype: torch.dtype) -> None:
        super().__init__()
        self.weight = gain
        self.epsilon = epsilon
        self.dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        """gain·x / √(mean(x²) + ε), x [..., hidden]."""
        return rms_norm(x, self.weight, self.epsilon, self.dtype)


def added_to_gain(norm: nn.Module) -> int:
    """What an RMS norm adds to its gain before it multiplies by it: 1 in Gemma, else nothing."""
    if not type(norm).__name__.endswith("RMSNorm"):
        return 0
    with torch.no_grad():
        ones = torch.ones_like(norm.weight)
        return round(float((norm(ones) - norm.weight).mean()))


def freeze_norms(model: nn.Module, dtype: torch.dtype) -> None:
    """Replaces the RMS norms around attention and feed-forward of a decoder, whose gains never learn."""
    for name, module in list(model.named_modules()):
        epsilon = getattr(module, "variance_epsilon", None)
        is_plain = type(module).__name__.endswith("RMSNorm") and epsilon is not None and hasattr(module, "weight")
        if is_plain and _NORM.search(name):
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, FrozenRmsNorm(module.weight, epsilon, dtype))


@dataclass
class Adaptable:
    """A decoder whose linears take part: how many layers, and (in, out) of every projection."""

    stage: Stage
    layers: int = 0
    dims: dict[str, tuple[int, int]] = field(default_factory=dict)


def adapt(model: nn.Module, kv_heads: int | None, heads: int | None) -> Adaptable:
    """Replaces the linears of a decoder that have a projection's name; raises `model-incompatible` without any."""
    adaptable = Adaptable(Stage())
    found = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    for name, module in found:
        place = _LAYER.search(name)
        leaf = place and next((leaf for leaf in _LINEARS if f".{place[2]}".endswith(f".{leaf}")), None)
        if not place or not leaf:
            continue
        layer = int(place[1])
        parts = _parts(_LINEARS[leaf], module.out_features, kv_heads, heads)
        parent_name, _, child = name.rpartition(".")
        parent = model.get_submodule(parent_name)
        setattr(parent, child, AdaptedLinear(module, layer, parts, adaptable.stage))
        adaptable.layers = max(adaptable.layers, layer + 1)
        for part in parts:
            known = adaptable.dims.setdefault(part.projection, (module.in_features, part.length))
            same = known == (module.in_features, part.length)
            check(same, "model-incompatible", f"{part.projection} has other sizes in layer {layer} than before")
    check(adaptable.layers, "model-incompatible", "the backbone has no linears that are known by name")
    return adaptable


def _parts(projections: tuple[str, ...], out: int, kv_heads: int | None, heads: int | None) -> tuple[Part, ...]:
    if projections == ("q", "k", "v"):
        check(kv_heads and heads, "model-incompatible", "the backbone's config has no head counts to split QKV by")
        unit = out // (heads + 2 * kv_heads)
        lengths = [unit * heads, unit * kv_heads, unit * kv_heads]
    else:
        lengths = [out // len(projections)] * len(projections)
    firsts = [sum(lengths[:index]) for index in range(len(lengths))]
    return tuple(Part(*part) for part in zip(projections, firsts, lengths))
