"""Differentiable pieces with hand-written gradients: fewer passes over memory than autograd's own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def _product(x: Tensor, matrices: Tensor, slots: Tensor) -> Tensor:
    """x·M_s of each row: x [rows, tokens, in], matrices [slots | 1, in, out]; one matrix serves all."""
    return x @ matrices[0] if len(matrices) == 1 else torch.bmm(x, matrices[slots])


def _gradient(x: Tensor, dy: Tensor, like: Tensor, slots: Tensor, dtype: torch.dtype) -> Tensor:
    """Of the matrices of `_product`: Σ over the rows of a slot of xᵀ·dy."""
    if len(like) == 1:
        return (x.flatten(0, 1).T @ dy.flatten(0, 1)).to(dtype).unsqueeze(0)
    return torch.zeros_like(like, dtype=dtype).index_add_(0, slots, torch.bmm(x.mT, dy).to(dtype))


class _Adapted(torch.autograd.Function):
    """y = x·Wᵀ + b + scale·(x∘m·A_s)·B_s, s the row's slot, m a scaled dropout mask; W and b are frozen.

    x [rows, tokens, in], A [slots | 1, in, r], B [slots | 1, r, out]. A and B come twice: as leaves that get the
    gradient, and in the precision of the products.
    """

    @staticmethod
    def forward(ctx, x, weight, bias, a, b, a_low, b_low, slots: Tensor, scale: float, mask):
        x = x.to(weight.dtype)
        y = F.linear(x, weight, bias)
        low = _product(x if mask is None else x * mask, a_low, slots)
        y.add_(_product(low, b_low, slots), alpha=scale)
        ctx.save_for_backward(x, weight, a_low, b_low, low, mask, slots)
        ctx.scale, ctx.precision = scale, a.dtype
        return y

    @staticmethod
    def backward(ctx, *upstream: Tensor):
        x, weight, a_low, b_low, low, mask, slots = ctx.saved_tensors
        dy = upstream[0].to(x.dtype).contiguous()
        dlow = _product(dy, b_low.mT, slots).mul_(ctx.scale)
        db = _gradient(low * ctx.scale, dy, b_low, slots, ctx.precision)
        da = _gradient(x if mask is None else x * mask, dlow, a_low, slots, ctx.precision)
        dx = None
        if ctx.needs_input_grad[0]:
            dx = dy @ weight
            along = _product(dlow, a_low.mT, slots)
            dx = dx.add_(along) if mask is None else dx.addcmul_(along, mask)
        return dx, None, None, da, db, None, None, None, None, None


def adapted_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    factors: tuple[Tensor, Tensor, Tensor, Tensor],
    slots: Tensor,
    scale: float,
    dropout: float,
) -> Tensor:
    """A frozen linear with each row's low-rank correction; `factors` are A, B and both in the products' precision,
    `slots` [rows]."""
    mask = None
    if dropout > 0:
        kept = torch.empty(x.shape, dtype=weight.dtype, device=x.device).bernoulli_(1 - dropout)
        mask = kept.div_(1 - dropout)
    return _Adapted.apply(x, weight, bias, *factors, slots, scale, mask)


class _RmsNorm(torch.autograd.Function):
    """y = gain·x / √(mean(x²) + ε) along the last axis, given out in `dtype`; the gain is frozen."""

    @staticmethod
    def forward(ctx, x, gain, epsilon: float, dtype: torch.dtype):
        share = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1]).add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, gain, share)
        return (x * share).mul_(gain).to(dtype)

    @staticmethod
    def backward(ctx, *upstream: Tensor):
        x, gain, share = ctx.saved_tensors
        dy = upstream[0].to(x.dtype) * gain
        along = (dy * x).sum(dim=-1, keepdim=True).mul_(share.square()).div_(x.shape[-1])
        return dy.sub_(x * along).mul_(share), None, None, None


def rms_norm(x: Tensor, gain: Tensor, epsilon: float, dtype: torch.dtype) -> Tensor:
    """RMS norm with a frozen gain."""
    return _RmsNorm.apply(x, gain, epsilon, dtype)
