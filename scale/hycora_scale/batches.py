"""Rows as batches: dealt role by role from a seed, or given in a file."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from .chat import TokenRow
from .errors import HycoraError, check
from .pcg import Random, shuffled


@dataclass(frozen=True)
class Batch:
    """A micro-batch, padded at the right: `ids`, `replies` [rows, tokens], `anchors`, `roles` [rows]."""

    ids: Tensor
    replies: Tensor
    anchors: Tensor
    roles: Tensor

    @property
    def reply_tokens(self) -> int:
        """How many tokens count in the cross-entropy."""
        return int(self.replies.sum())

    @property
    def lengths(self) -> Tensor:
        """Of each row: how many tokens it takes to its anchor and to its last reply token, whichever is later."""
        places = torch.arange(1, self.ids.shape[1] + 1)
        return torch.maximum(self.anchors + 1, (self.replies * places).amax(dim=1))

    def rows(self, indices: Sequence[int]) -> Batch:
        """These rows alone, without the padding that only the others needed."""
        chosen = torch.tensor(list(indices))
        width = int(self.lengths[chosen].max())
        ids, replies = self.ids[chosen, :width], self.replies[chosen, :width]
        return Batch(ids, replies, self.anchors[chosen], self.roles[chosen])


class BatchSource(Protocol):
    """Batches by step."""

    epochs: float
    """That the run's steps make."""
    held_out: list[Batch]
    """Never trained on."""

    def at(self, step: int) -> list[Batch]:
        """The micro-batches of a step, counted from 0."""
        ...


def pad_batch(rows: Sequence[TokenRow], role_ids: Mapping[str, int]) -> Batch:
    """Pads rows to the longest; padding is never read, since attention is causal and the loss masked.

    Raises `usage` naming a role that has no id.
    """
    unknown = next((row.role for row in rows if row.role not in role_ids), None)
    check(unknown is None, "usage", f"the run has no role {unknown}")
    width = max(len(row.ids) for row in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    replies = torch.zeros(len(rows), width, dtype=torch.bool)
    for index, row in enumerate(rows):
        ids[index, : len(row.ids)] = torch.tensor(row.ids)
        replies[index, : len(row.ids)] = torch.tensor(row.replies)
    anchors = torch.tensor([row.anchor for row in rows])
    return Batch(ids, replies, anchors, torch.tensor([role_ids[row.role] for row in rows]))


def _draw_wordings(rows: Sequence[TokenRow], wordings: int, random: Random) -> list[TokenRow]:
    """The rows of a role with at most so many wordings of each item, items in the order of their first; 0 takes all."""
    if wordings == 0:
        return list(rows)
    items: dict[str, list[TokenRow]] = {}
    for row in rows:
        if row.item is not None:
            items.setdefault(row.item, []).append(row)
    drawn = {id(row) for own in items.values() for row in shuffled(own, random)[:wordings]}
    return [row for row in rows if row.item is None or id(row) in drawn]


def epoch_length(rows: Sequence[TokenRow], wordings: int) -> int:
    """How many rows an epoch has."""
    counts = Counter((row.role, row.item) for row in rows)
    return sum(min(n, wordings) if wordings > 0 and item is not None else n for (_, item), n in counts.items())


def epoch_order(rows: Sequence[TokenRow], seed: int, epoch: int, wordings: int = 0) -> list[TokenRow]:
    """Every row once, so that the rows of a batch play different roles as far as they can.

    With `wordings` an epoch has so many wordings of each item, drawn anew, role by role, before the order is. Each
    role's rows have an order of their own and are spread evenly: row i of its n stands at (i + u) / n of the epoch, u
    drawn from [0, 1) for each row.
    """
    random = Random(seed, epoch + 1)
    by_role: dict[str, list[TokenRow]] = {}
    for row in rows:
        by_role.setdefault(row.role, []).append(row)
    by_role = {role: _draw_wordings(own, wordings, random) for role, own in by_role.items()}
    placed: list[tuple[float, TokenRow]] = []
    for own in by_role.values():
        placed += [((index + random.next_uniform()) / len(own), row) for index, row in enumerate(shuffled(own, random))]
    return [row for _, row in sorted(placed, key=lambda entry: entry[0])]


def spread_over(rows: Sequence[TokenRow], most: int) -> list[TokenRow]:
    """At most so many rows at equal distances, since data sets lie role by role."""
    count = min(len(rows), most)
    return [rows[-(-index * len(rows) // count)] for index in range(count)]


class RowBatches:
    """Batches out of rows, epoch after epoch; the same for a resumed run as for one never stopped."""

    _HELD_OUT_ROWS = 48

    def __init__(
        self,
        rows: Sequence[TokenRow],
        held_out: Sequence[TokenRow],
        role_ids: Mapping[str, int],
        *,
        steps: int,
        batch: int,
        accumulate: int,
        seed: int,
        wordings: int = 0,
    ) -> None:
        check(rows, "usage", "there is nothing to train on: no row of the data is left")
        self._rows, self._role_ids, self._seed, self._wordings = rows, role_ids, seed, wordings
        self._batch, self._accumulate = batch, accumulate
        self._epoch, self._order = -1, list(rows)
        self._length = epoch_length(rows, wordings)
        self.epochs = steps * batch * accumulate / self._length
        measured = spread_over(held_out, self._HELD_OUT_ROWS)
        starts = range(0, len(measured), batch)
        self.held_out = [pad_batch(measured[start : start + batch], role_ids) for start in starts]

    def at(self, step: int) -> list[Batch]:
        """The micro-batches of a step; a batch may reach into the next epoch."""
        first = step * self._accumulate
        return [pad_batch(self._rows_at(first + micro), self._role_ids) for micro in range(self._accumulate)]

    def _rows_at(self, micro_step: int) -> list[TokenRow]:
        rows = []
        for place in range(micro_step * self._batch, (micro_step + 1) * self._batch):
            epoch, index = divmod(place, self._length)
            if epoch != self._epoch:
                self._epoch, self._order = epoch, epoch_order(self._rows, self._seed, epoch, self._wordings)
            rows.append(self._order[index])
        return rows


class GivenBatches:
    """Batches of a file: `input_ids`, `reply_mask` [steps, batch, tokens], `anchor`, `role_ids` [steps, batch], I64."""

    def __init__(self, path: Path, *, roles: int, vocabulary: int) -> None:
        """Reads a file for a pack of so many roles; raises `format-invalid` naming what is wrong, or `usage`."""
        try:
            tensors = load_file(path)
        except (SafetensorError, OSError) as error:
            raise HycoraError("format-invalid", f"{path} is no safetensors file") from error
        for name in ("input_ids", "reply_mask", "anchor", "role_ids"):
            found = name in tensors and tensors[name].dtype == torch.long
            check(found, "format-invalid", f"{path} has no {name} of I64")
        shape = tensors["input_ids"].shape
        check(len(shape) == 3 and 0 not in shape, "format-invalid", f"{path}: input_ids is not [steps, batch, tokens]")
        expected = {"reply_mask": shape, "anchor": shape[:2], "role_ids": shape[:2]}
        for name, wanted in expected.items():
            fact = f"{path}: {name} has another shape than {list(wanted)}"
            check(tensors[name].shape == wanted, "format-invalid", fact)
        bounds = {"input_ids": vocabulary, "reply_mask": 2, "anchor": shape[2], "role_ids": roles}
        for name, bound in bounds.items():
            wrong = [value for value in (int(tensors[name].min()), int(tensors[name].max())) if not 0 <= value < bound]
            fact = f"{path}: {name} has {wrong and wrong[0]}, expected 0 to {bound - 1}"
            check(not wrong, "usage" if name == "role_ids" else "format-invalid", fact)
        has_replies = tensors["reply_mask"][:, :, 1:].flatten(1).any(dim=1).all()
        check(has_replies, "format-invalid", f"{path}: reply_mask marks no token of a step behind its first")
        self._tensors = tensors
        self.steps, self.rows = shape[:2]
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self.epochs = 1.0
        self.held_out: list[Batch] = []

    def at(self, step: int) -> list[Batch]:
        """The one micro-batch of a step."""
        names = ("input_ids", "reply_mask", "anchor", "role_ids")
        ids, replies, anchors, roles = (self._tensors[name][step] for name in names)
        return [Batch(ids, replies.bool(), anchors, roles)]
