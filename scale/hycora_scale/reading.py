"""The dialogues of a file, and what should be told of how they were read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import regex as re

from .chat import Turn
from .errors import check
from .thoughts import without_thoughts
from .words import (
    fill_names,
    is_row_number,
    look_of,
    macros_in,
    plain_name,
    split_of,
    trim,
    well_formed,
)

_MAX_ROLE = 256
_MAX_TURNS = 1000
_MAX_REJECTED = 100_000
_MAX_NAMED = 8
# Keys that number rows, of which nobody expects anything.
_NUMBERS = ("id", "_id", "idx", "index", "uuid")


@dataclass(frozen=True)
class Dialogue:
    """A dialogue; turns alternate, the last is the character's. `split` is None where the data says nothing.

    `item` names the question that it is a wording of.
    """

    role: str
    turns: tuple[Turn, ...]
    split: str | None
    line: int
    item: str | None = None


@dataclass(frozen=True)
class DatasetOptions:
    """Who speaks in rows that name nobody, and which CSV columns hold what: (role or None, visitor, reply).

    `side` is that of rows that do not say theirs, as the name of their file does.
    """

    role_name: str | None = None
    columns: tuple[str | None, str, str] | None = None
    side: str | None = None


@dataclass
class Reading:
    """The dialogues of a file, the rows that are none, as (line, reason), and what else should be told of it."""

    name: str = ""
    side: str | None = None
    dialogues: list[Dialogue] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)
    told: dict[str, None] = field(default_factory=dict)
    keys: dict[str, None] = field(default_factory=dict)
    macros: dict[str, None] = field(default_factory=dict)
    numbered: str | None = None

    def reject(self, line: int, reason: str) -> None:
        """Notes a row that cannot be used; raises `format-invalid` beyond what a person could want to read."""
        if len(self.rejected) >= _MAX_REJECTED:
            first, why = self.rejected[0]
            fact = f"{self.name}: more than {_MAX_REJECTED} rows cannot be used; line {first}: {why}"
            check(False, "format-invalid", fact)
        self.rejected.append((line, reason))

    def tell(self, sentence: str) -> None:
        """Tells a sentence, once."""
        self.told[sentence] = None

    def number(self, name: str, whose: str) -> None:
        """Notes that names number the rows, which are all somebody's."""
        self.numbered = self.numbered or f"Names such as {name} number the rows, which are all taken for {whose}'s."

    def leave(self, keys: Iterable[str]) -> None:
        """Notes what rows hold under these keys, which nothing is made of."""
        self.keys.update((key, None) for key in keys if key.lower() not in _NUMBERS)

    def add(self, line: int, role: object, split: object, spoken: Sequence[Turn], item: str | None = None) -> None:
        """Takes a row; one that cannot be used is rejected with its reason.

        Names and macros are filled in, line breaks are LF, thoughts and system turns go, turns of one speaker are
        joined (and learnt where all of them are), what the visitor says last of all goes.
        """
        name = plain_name(role) if isinstance(role, str) else ""
        fault = _fault(name, split, spoken)
        if fault:
            self.reject(line, fault)
            return
        turns: list[Turn] = []
        for turn in spoken:
            if turn.speaker == "system":
                continue
            said = self._said_by(name, turn)
            if not said:
                self.reject(line, "one of its replies is all thought")
                return
            if turns and turns[-1].speaker == turn.speaker:
                last = turns[-1]
                turns[-1] = Turn(last.speaker, f"{last.text}\n{said}", last.is_learnt and turn.is_learnt)
            else:
                turns.append(replace(turn, text=said))
        if turns and turns[-1].speaker == "user":
            turns.pop()
        if not any(turn.counts for turn in turns):
            self.reject(line, "it has no reply of the character" + (" that is learnt" if turns else ""))
            return
        self.dialogues.append(Dialogue(name, tuple(turns), split_of(split) or self.side, line, item))

    def _said_by(self, role: str, turn: Turn) -> str:
        lines = re.sub(r"\r\n?", "\n", turn.text) if "\r" in turn.text else turn.text
        filled = trim(fill_names(well_formed(lines), role))
        said = without_thoughts(filled) if turn.speaker == "role" else filled
        if said != filled:
            self.tell("What a model thinks before it speaks is left out of its replies.")
        self.macros.update(dict.fromkeys(macros_in(said)))
        return said

    def notes(self) -> list[str]:
        """What should be told of the whole, a sentence each."""
        names = list(dict.fromkeys(dialogue.role for dialogue in self.dialogues))
        # What stands before a wording of an item is there for that by its very form.
        rows = [dialogue for dialogue in self.dialogues if dialogue.item is None]
        context = sum(not turn.is_learnt for dialogue in rows for turn in dialogue.turns)
        notes = [*self.told, *([self.numbered] if self.numbered else [])]
        if context:
            whose = "One reply is" if context == 1 else f"{context} replies are"
            notes.append(f"{whose} there for what comes after, and not learnt.")
        if self.keys:
            notes.append(f"Not read of the rows: {_listed(list(self.keys))}.")
        if self.macros:
            notes.append(f"Macros that are left as they stand: {_listed(list(self.macros))}.")
        looks: dict[str, list[str]] = {}
        for name in names:
            looks.setdefault(look_of(name), []).append(name)
        same = [own for own in looks.values() if len(own) > 1]
        notes += [f"{', '.join(own)} look alike and are characters of their own." for own in same]
        if len(names) > 2 and len(names) == len(self.dialogues) and all(map(is_row_number, names)):
            notes.append(f"Every row has a character of its own: {_listed(names)}; say who speaks.")
        return notes


def _listed(words: list[str]) -> str:
    more = len(words) - _MAX_NAMED
    first = ", ".join(words[:_MAX_NAMED])
    return f"{first} and {more} more" if more > 0 else first


def _fault(name: str, split: object, spoken: Sequence[Turn]) -> str | None:
    if not name:
        return "it names no character"
    if len(name) > _MAX_ROLE:
        return f"its character's name is longer than {_MAX_ROLE} characters"
    if re.search(r"[\x00-\x1f\x7f-\x9f]", name):
        return "its character's name has control characters"
    if split not in (None, "") and split_of(split) is None:
        return 'its split is none of "train", "test" and "wording", nor another name of them'
    if len(spoken) > _MAX_TURNS:
        return f"it has {len(spoken)} turns, at most {_MAX_TURNS} are read"
    for index, turn in enumerate(spoken, 1):
        if not isinstance(turn.text, str):
            return f"its turn {index} has no text"
    for index, turn in enumerate(spoken, 1):
        if turn.speaker != "system" and not trim(turn.text):
            return f"its turn {index} is empty"
    return None
