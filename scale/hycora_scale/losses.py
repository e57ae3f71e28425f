"""Cross-entropy over reply tokens through a frozen head, and the contrastive loss."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .hypernetwork import Tensors, linear

TEMPERATURE = 0.1
# Rows whose logits are in memory at a time.
_ROWS = 512


class _TokenLosses(torch.autograd.Function):
    """−log softmax(H·Wᵀ)[target] of every row; its gradient is taken at once, so that no logits are kept."""

    @staticmethod
    def forward(ctx, hidden: Tensor, head: Tensor, targets: Tensor) -> Tensor:
        losses = hidden.new_empty(len(targets), dtype=torch.promote_types(hidden.dtype, torch.float32))
        gradient = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for rows in torch.arange(len(targets), device=hidden.device).split(_ROWS):
            own = hidden[rows].to(head.dtype)
            logits = (own @ head.T).to(losses.dtype)
            log_norm = logits.logsumexp(dim=-1, keepdim=True)
            wanted = targets[rows].unsqueeze(1)
            losses[rows] = (log_norm - logits.gather(1, wanted)).squeeze(1)
            if gradient is not None:
                probability = (logits - log_norm).exp_()
                probability.scatter_add_(1, wanted, -torch.ones_like(wanted, dtype=probability.dtype))
                gradient[rows] = (probability.to(head.dtype) @ head).to(hidden.dtype)
        ctx.save_for_backward(gradient)
        return losses

    @staticmethod
    def backward(ctx, *upstream: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * upstream[0].unsqueeze(1).to(gradient.dtype), None, None


def token_losses(hidden: Tensor, head: Tensor, targets: Tensor) -> Tensor:
    """The cross-entropy of each row, [n]: hidden [n, d], head [vocabulary, d], targets [n]."""
    with torch.autocast(hidden.device.type, enabled=False):
        return _TokenLosses.apply(hidden, head, targets)


def log_likelihoods(hidden: Tensor, head: Tensor, targets: Tensor) -> Tensor:
    """log p(target) of rows, [n], without gradients."""
    parts = []
    for own, wanted in zip(hidden.split(_ROWS), targets.split(_ROWS)):
        logits = own.to(head.dtype) @ head.T
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        parts.append(logits.gather(1, wanted.unsqueeze(1)).squeeze(1) - logits.logsumexp(dim=-1))
    return torch.cat(parts)


def contrast(tensors: Tensors, pooled: Tensor, own_roles: Tensor, all_roles: Tensor, form: str) -> Tensor:
    """The summed contrastive loss of rows: Σ_i −1/|P(i)| Σ_{j∈P(i)} log softmax_j(t_i·s_j/τ).

    t = normalise(W_t·H + b_t) of `pooled` [n, d], whose roles are `own_roles` [n]; s = normalise(W_r·e + b_r) of the
    roles of the whole micro-batch, `all_roles` [b] (form `batch`), or of every role (form `table`).
    """
    said = F.normalize(linear(tensors, "hidden_to_role_emb_layer", pooled), dim=-1)
    table = tensors["roles_emb.weight"]
    speakers = F.normalize(linear(tensors, "role_emb_to_role_emb_layer", table), dim=-1)
    columns = all_roles if form == "batch" else torch.arange(len(table), device=pooled.device)
    scores = (said @ speakers.T).index_select(1, columns) / TEMPERATURE
    log_shares = scores - scores.logsumexp(dim=-1, keepdim=True)
    same = (own_roles.unsqueeze(1) == columns.unsqueeze(0)).to(log_shares.dtype)
    return -((log_shares * same).sum(dim=-1) / same.sum(dim=-1)).sum()
