"""Differentiable pieces with hand-written gradients: fewer passes over memory than autograd's own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


class _Adapted(torch.autograd.Function):
    """y = x·Wᵀ + b + scale·(x∘m·A_s)·B_s, s the row's slot, m a scaled dropout mask; W and b are frozen.

    x [rows, tokens, in], A [slots | 1, in, r], B [slots | 1, r, out]. A and B come twice: as leaves that get the
    gradient, and in the precision of the products.
    """

    @staticmethod
    def forward(ctx, x, weight, bias, a, b, a_low, b_low, slots: Sequence[int], scale: float, mask):
        x = x.to(weight.dtype)
        y = F.linear(x, weight, bias)
        dropped = x if mask is None else x * mask
        low = torch.empty(*x.shape[:2], a.shape[-1], dtype=x.dtype, device=x.device)
        for row, slot in enumerate(slots):
            torch.mm(dropped[row], a_low[slot % len(a_low)], out=low[row])
        if len(b_low) == 1:
            y.view(-1, y.shape[-1]).addmm_(low.view(-1, low.shape[-1]), b_low[0], alpha=scale)
        else:
            for row, slot in enumerate(slots):
                y[row].addmm_(low[row], b_low[slot], alpha=scale)
        ctx.save_for_backward(x, weight, a_low, b_low, low, mask)
        ctx.slots, ctx.scale, ctx.precision = slots, scale, a.dtype
        return y

    @staticmethod
    def backward(ctx, *upstream: Tensor):
        x, weight, a_low, b_low, low, mask = ctx.saved_tensors
        scale, precision = ctx.scale, ctx.precision
        dy = upstream[0].to(x.dtype).contiguous()
        dropped = x if mask is None else x * mask
        da = torch.zeros_like(a_low, dtype=precision)
        db = torch.zeros_like(b_low, dtype=precision)
        dx = dy @ weight if ctx.needs_input_grad[0] else None
        if len(b_low) == 1:
            flat = dy.view(-1, dy.shape[-1])
            dlow = torch.mm(flat, b_low[0].T).view(low.shape).mul_(scale)
            db[0] = torch.mm(low.view(-1, low.shape[-1]).T, flat).mul_(scale)
        else:
            dlow = torch.empty_like(low)
            for row, slot in enumerate(ctx.slots):
                torch.mm(dy[row], b_low[slot].T, out=dlow[row])
                db[slot] += torch.mm(low[row].T, dy[row]).mul_(scale)
            dlow.mul_(scale)
        for row, slot in enumerate(ctx.slots):
            da[slot % len(da)] += torch.mm(dropped[row].T, dlow[row])
        if dx is not None:
            for row, slot in enumerate(ctx.slots):
                if mask is None:
                    dx[row].addmm_(dlow[row], a_low[slot % len(a_low)].T)
                else:
                    dx[row].addcmul_(torch.mm(dlow[row], a_low[slot % len(a_low)].T), mask[row])
        return dx, None, None, da, db, None, None, None, None, None


def adapted_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    factors: tuple[Tensor, Tensor, Tensor, Tensor],
    slots: Sequence[int],
    scale: float,
    dropout: float,
) -> Tensor:
    """A frozen linear with each row's low-rank correction; `factors` are A, B and both in the products' precision."""
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
