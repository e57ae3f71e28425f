"""What is held out: a fifth of every role's dialogues, copies never on both sides."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from .dataset import Dialogue
from .pcg import Random

_HELD_OUT = 1 / 5
_LEAST_DIALOGUES = 3


def _normalise(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"[^\w]+|_", " ", folded).strip()


def _keys(dialogue: Dialogue) -> list[str]:
    """What makes two dialogues the same: all that the visitor says, or all that the character is to learn."""
    keys = []
    for side in ("user", "role"):
        said = [turn.text for turn in dialogue.turns if (turn.counts if side == "role" else turn.speaker == "user")]
        key = _normalise("\n".join(said))
        if key:
            keys.append(f"{side} {key}")
    return keys


def _groups(dialogues: list[Dialogue]) -> list[list[int]]:
    """The indices of dialogues that share a key with one another, in order of first appearance."""
    parent = list(range(len(dialogues)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    holders: dict[str, int] = {}
    for index, dialogue in enumerate(dialogues):
        for key in _keys(dialogue):
            holder = holders.setdefault(key, index)
            low, high = sorted((root(holder), root(index)))
            parent[high] = low
    groups: dict[int, list[int]] = {}
    for index in range(len(dialogues)):
        groups.setdefault(root(index), []).append(index)
    return list(groups.values())


def _count(dialogues: Iterable[Dialogue]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for dialogue in dialogues:
        counts[dialogue.role] = counts.get(dialogue.role, 0) + 1
    return counts


def split_dialogues(dialogues: list[Dialogue], seed: int) -> list[Dialogue]:
    """Holds out a fifth of every role's dialogues; rows with a split keep it, copies stand on one side.

    The held-out wordings of a question that is drawn go with it.
    """
    random = Random(seed, 1)
    room = {
        role: 0 if count < _LEAST_DIALOGUES else max(1, int(count * _HELD_OUT + 0.5))
        for role, count in _count(dialogues).items()
    }
    for dialogue in dialogues:
        if dialogue.split == "test":
            room[dialogue.role] -= 1
    held_out: set[int] = set()
    drawn = [(random.next_u32(), index, group) for index, group in enumerate(_groups(dialogues))]
    for _, _, group in sorted(drawn):
        members = [dialogues[index] for index in group]
        open_rows = [index for index in group if dialogues[index].split is None]
        counts = _count(dialogues[index] for index in open_rows)
        is_test = any(member.split == "test" for member in members)
        is_train = any(member.split == "train" for member in members)
        fits = all(count <= room.get(role, 0) for role, count in counts.items())
        # A copy of a row that was marked follows it.
        if open_rows and (is_test or (not is_train and fits)):
            held_out.update(index for index in group if dialogues[index].split in (None, "wording"))
            for role, count in counts.items():
                room[role] -= count
    return [
        replace(dialogue, split="test" if index in held_out else dialogue.split or "train")
        for index, dialogue in enumerate(dialogues)
    ]
