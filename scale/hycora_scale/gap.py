"""The likelihood gap: a role's lines should be likelier under its own adapter than under another role's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .batches import Batch
from .config import GapConfig
from .pcg import Random, shuffled

# Away from the streams of epochs and tensors.
_STREAM = 1 << 24


@dataclass(frozen=True)
class Rivals:
    """Of the first rows of a micro-batch: the other roles that each is also read under, ids, as many for each."""

    candidates: list[list[int]]


def draw_rivals(gap: GapConfig, own_roles: Sequence[int], roles: int, seed: int, micro_step: int) -> Rivals:
    """The rivals of a micro-batch: ⌈share·rows⌉ rows with `among` roles each, or all others where there are fewer.

    No rows where the weight is 0, or where there is no other role.
    """
    if gap.weight == 0 or roles < 2:
        return Rivals([])
    random = Random(seed, _STREAM + micro_step)
    count = math.ceil(gap.share * len(own_roles))
    others = [[role for role in range(roles) if role != own] for own in own_roles[:count]]
    return Rivals([shuffled(each, random)[: gap.among] for each in others])


def with_rivals(part: Batch, places: Sequence[int], roles: Sequence[int]) -> Batch:
    """The rows and behind them those at `places` once more, with other roles."""
    again = torch.tensor(list(places), dtype=torch.long)
    return Batch(
        torch.cat([part.ids, part.ids[again]]),
        torch.cat([part.replies, part.replies[again]]),
        torch.cat([part.anchors, part.anchors[again]]),
        torch.cat([part.roles, torch.tensor(list(roles), dtype=torch.long)]),
    )


def mean_by_row(losses: Tensor, rows: Tensor, count: int) -> Tensor:
    """Means of values over the rows that they belong to: losses [n], rows [n] → [count]."""
    sums = losses.new_zeros(count).index_add(0, rows, losses)
    return sums / rows.bincount(minlength=count).clamp_min(1)


def gap_loss(own: Tensor, other: Tensor, margin: float) -> Tensor:
    """Σ_i max(0, m − (NLL_i of the other role − NLL_i of the own)), NLLs in nats a token, [n] each."""
    return (margin - (other - own)).clamp_min(0).sum()
