"""How well a pack plays its roles on held-out exchanges: NLL and role swap, as `hycora evaluate` measures them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from .backbone import Backbone
from .cards import card_text
from .chat import TokenRow, Turn, encode_row
from .dataset import Dialogue
from .errors import check
from .hypernetwork import Factors, generate
from .losses import log_likelihoods
from .pack_config import PackConfig
from .pcg import Random, shuffled

# Room for what a chat template writes around a system text.
_SYSTEM_OVERHEAD = 16
_BATCH_TOKENS = 2048


@dataclass(frozen=True)
class Measured:
    """A dialogue and which of its replies are measured, as ordinals among those that count."""

    role: str
    turns: tuple[Turn, ...]
    wanted: tuple[int, ...]


@dataclass(frozen=True)
class _Scored:
    """A row and the token positions of each reply that counts."""

    role: str
    ids: tuple[int, ...]
    replies: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Cast:
    """A role of the pack: its line and its card's text."""

    name: str
    line: str | None
    card: str


def cast_of(roles: Iterable[dict[str, Any]]) -> list[Cast]:
    """The roles with rows of their own."""
    own = [role for role in roles if "blend" not in role]
    texts = [card_text(role["card"], "the visitor") if role.get("card") else "" for role in own]
    return [Cast(role["name"], role.get("system"), text or role.get("system") or "") for role, text in zip(own, texts)]


def sample(dialogues: Sequence[Dialogue], roles: Sequence[str], count: int | None, seed: int) -> list[Measured]:
    """A seeded choice of replies of each role (all where `count` is None), those of one dialogue together."""
    exchanges: list[tuple[int, int]] = []
    for index, dialogue in enumerate(dialogues):
        replies = sum(turn.counts for turn in dialogue.turns)
        exchanges += [(index, ordinal) for ordinal in range(replies)]
    random = Random(seed, 3)
    wanted: dict[int, list[int]] = {}
    for name in roles:
        own = [exchange for exchange in exchanges if dialogues[exchange[0]].role == name]
        for index, ordinal in shuffled(own, random)[:count]:
            wanted.setdefault(index, []).append(ordinal)
    return [
        Measured(dialogues[index].role, dialogues[index].turns, tuple(sorted(ordinals)))
        for index, ordinals in wanted.items()
    ]


class Scorer:
    """Measures replies under a system text and an adapter."""

    def __init__(self, backbone: Backbone, config: PackConfig, tensors: dict[str, Tensor], reply_tokens: int | None):
        check(backbone.codec, "usage", "the backbone has no tokenizer or no chat template")
        assert backbone.codec
        self.backbone, self.codec = backbone, backbone.codec
        self.config, self.tensors, self.reply_tokens = config, tensors, reply_tokens
        backbone.adaptable.stage.scale = config.scale

    def factors(self, role: int) -> Factors:
        """A role's matrices."""
        precision = torch.float64 if self.backbone.dtype == torch.float64 else torch.float32
        device = self.backbone.device
        tensors = {name: tensor.to(device, precision) for name, tensor in self.tensors.items()}
        with torch.no_grad():
            return generate(self.config, tensors, torch.tensor([role], device=device))

    def fit(self, measured: Measured, line: str | None) -> Measured | None:
        """The dialogue as the role's line leaves room for it, ended with the last reply that is measured."""
        spoken = [index for index, turn in enumerate(measured.turns) if turn.counts]
        end = spoken[max(measured.wanted)]
        ended = replace(measured, turns=measured.turns[: end + 1])
        row = self._encode(ended, line)
        if row is None:
            return None
        gone = _replies_cut(ended, row)
        wanted = tuple(ordinal - gone for ordinal in ended.wanted if ordinal >= gone)
        return replace(ended, turns=ended.turns[row.turns_cut :], wanted=wanted)

    def fit_system(self, measured: Measured, system: str) -> str:
        """As much of a system text as leaves the dialogue room."""
        ids = self.codec.encode(self.codec.quote(system))
        bare = self._encode(measured, None)
        room = max(0, self.backbone.context - (len(bare.ids) if bare else 0) - _SYSTEM_OVERHEAD)
        return system if len(ids) <= room else self.codec.decode(ids[:room]).rstrip("\ufffd")

    def rows(self, measured: Sequence[Measured], system: Callable[[Measured], str | None]) -> list[_Scored]:
        """The dialogues as rows with the positions that count."""
        scored = []
        for dialogue in measured:
            row = self._encode(dialogue, system(dialogue))
            if row is None:
                continue
            replies, gone = _reply_positions(row), _replies_cut(dialogue, row)
            places = [ordinal - gone for ordinal in dialogue.wanted if 0 <= ordinal - gone < len(replies)]
            wanted = tuple(tuple(replies[place][: self.reply_tokens]) for place in places)
            last = max((positions[-1] for positions in wanted), default=-1)
            scored.append(_Scored(dialogue.role, row.ids[: last + 1], wanted))
        return scored

    @torch.no_grad()
    def score(self, rows: Sequence[_Scored], factors: Factors | None) -> list[tuple[str, float]]:
        """(role, mean NLL) of every reply, in the order of the rows."""
        results: list[list[tuple[str, float]]] = [[] for _ in rows]
        order = sorted((index for index, row in enumerate(rows) if row.ids), key=lambda index: -len(rows[index].ids))
        while order:
            size = max(1, _BATCH_TOKENS // len(rows[order[0]].ids))
            batch, order = order[:size], order[size:]
            for index, values in zip(batch, self._score_batch([rows[index] for index in batch], factors)):
                results[index] = [(rows[index].role, value) for value in values]
        return [score for own in results for score in own]

    def _score_batch(self, rows: list[_Scored], factors: Factors | None) -> list[list[float]]:
        width = max(len(row.ids) for row in rows)
        device = self.backbone.device
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        for index, row in enumerate(rows):
            ids[index, : len(row.ids)] = torch.tensor(row.ids)
        hidden = self.backbone.hidden(ids.to(device), factors, None)
        places = [(r, p) for r, row in enumerate(rows) for reply in row.replies for p in reply]
        line, column = (torch.tensor(side) for side in zip(*places))
        before = hidden[line.to(device), (column - 1).to(device)]
        likelihoods = (-log_likelihoods(before, self.backbone.head, ids[line, column].to(device))).tolist()
        values, first = [], 0
        for row in rows:
            own = []
            for reply in row.replies:
                own.append(math.fsum(likelihoods[first : first + len(reply)]) / len(reply))
                first += len(reply)
            values.append(own)
        return values

    def _encode(self, measured: Measured, system: str | None) -> TokenRow | None:
        row = encode_row(self.codec, measured.role, measured.turns, system, self.backbone.context)
        return None if isinstance(row, str) else row


def _replies_cut(measured: Measured, row: TokenRow) -> int:
    return sum(turn.counts for turn in measured.turns[: row.turns_cut])


def _reply_positions(row: TokenRow) -> list[list[int]]:
    replies: list[list[int]] = []
    for index, mark in enumerate(row.replies):
        if mark and index > 0 and row.replies[index - 1]:
            replies[-1].append(index)
        elif mark:
            replies.append([index])
    return replies


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def mean_by_role(scores: Sequence[tuple[str, float]], roles: Sequence[str]) -> list[float]:
    """The mean over each role's replies."""
    return [_mean([value for name, value in scores if name == role]) for role in roles]


def summarise_swap(roles: Sequence[str], scores: Sequence[Sequence[tuple[str, float]]]) -> dict[str, Any]:
    """The role-swap matrix and what it says; `scores[j]` are the same replies under role j's adapter."""
    by_adapter = [mean_by_role(own, roles) for own in scores]
    matrix = [[means[row] for means in by_adapter] for row in range(len(roles))]

    def margin(row: Sequence[float], own: int) -> float:
        return min((value for index, value in enumerate(row) if index != own), default=math.inf) - row[own]

    margins = [margin(row, index) for index, row in enumerate(matrix)]
    replies = [
        margin([own[index][1] for own in scores], roles.index(name)) for index, (name, _) in enumerate(scores[0])
    ]
    return {
        "matrix": matrix,
        "accuracy": _mean([float(value > 0) for value in margins]),
        "margin": _mean(margins) if len(roles) > 1 else 0.0,
        "perReply": _mean([float(value > 0) for value in replies]),
    }


def evaluate(
    scorer: Scorer,
    roles: list[dict[str, Any]],
    dialogues: Sequence[Dialogue],
    *,
    exchanges: int | None,
    seed: int,
    prompted: bool = True,
    split: str = "test",
) -> dict[str, Any]:
    """`{roles, nll: {bare, prompted, role}, roleSwap, details}` on the dialogues of a split.

    NLLs are means over a reply's tokens, then replies, then roles; in the role swap the line stays the scored role's.
    """
    cast = cast_of(roles)
    names = [role.name for role in cast]
    by_name = {role.name: role for role in cast}
    held_out = [dialogue for dialogue in dialogues if dialogue.split == split and dialogue.role in by_name]
    sampled = sample(held_out, names, exchanges, seed)
    fitted = [scorer.fit(dialogue, by_name[dialogue.role].line) for dialogue in sampled]
    measured = [dialogue for dialogue in fitted if dialogue]
    check(measured, "usage", "the data has no held-out exchange of a role of the pack")
    names = [name for name in names if any(dialogue.role == name for dialogue in measured)]
    nll = {"bare": mean_by_role(scorer.score(scorer.rows(measured, lambda _: None), None), names)}
    if prompted:

        def card(dialogue: Measured) -> str | None:
            text = by_name[dialogue.role].card
            return scorer.fit_system(dialogue, text) if text else None

        nll["prompted"] = mean_by_role(scorer.score(scorer.rows(measured, card), None), names)
    rows = scorer.rows(measured, lambda dialogue: by_name[dialogue.role].line)
    ids = {role.name: index for index, role in enumerate(cast)}
    scores = [scorer.score(rows, scorer.factors(ids[name])) for name in names]
    own = [score for name, each in zip(names, scores) for score in each if score[0] == name]
    nll["role"] = mean_by_role(own, names)
    return {
        "roles": names,
        "nll": {condition: _mean(values) for condition, values in nll.items()},
        "roleSwap": summarise_swap(names, scores),
        "details": {"replies": len(scores[0]), "nllByRole": nll},
    }
