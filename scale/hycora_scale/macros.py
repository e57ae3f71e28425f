"""The macros of cards and chats, filled as `src/core/macros.ts` fills them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import count

import regex as re

from .macro_dates import clock_of, day_of, format_date
from .pcg import Random
from .words import SPACES, trim

# Macros within macros beyond this depth stay as they are.
_MAX_DEPTH = 16
_MOST_DICE = 100
_MOST_SIDES = 10**9
_S = f"[{SPACES}]"
_ANGLED = re.compile(r"<(user|char|bot|charifnotgroup|group)>", re.IGNORECASE | re.ASCII)
# The name, and its argument behind a colon, two, a space, or as an offset.
_NAMED = re.compile(
    rf"{_S}*(//|[A-Za-z][A-Za-z0-9_]*(?={_S}*\Z|{_S}*:|{_S}|[+-][0-9])){_S}*:{{0,2}}([\s\S]*)\Z",
)
_DICE = re.compile(rf"{_S}*(?:([0-9]*){_S}*[dD])?{_S}*([0-9]+){_S}*([+-]{_S}*[0-9]+)?{_S}*")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class MacroValues:
    """What the macros of a text stand for; `seed` decides what is drawn, `at` is a local time (now, if left out)."""

    user: str
    character: str
    original: str = ""
    persona: str = ""
    seed: int = 0
    at: datetime | None = None


@dataclass(frozen=True)
class _Macro:
    """`{{name:argument}}`, and where it stands."""

    name: str
    argument: str
    start: int
    end: int


@dataclass(frozen=True)
class _Filling:
    values: MacroValues
    at: datetime
    draw: Callable[[], Random]
    depth: int = 0


_NAMES = ("char", "bot", "charifnotgroup", "group")
# What stands by itself, and stays where anything stands behind it.
_ALONE: dict[str, Callable[[_Filling], str]] = {
    **{name: lambda filling: filling.values.character for name in _NAMES},
    "user": lambda filling: filling.values.user,
    "persona": lambda filling: filling.values.persona,
    "original": lambda filling: filling.values.original,
    "noop": lambda _: "",
    "blank": lambda _: "",
    "br": lambda _: "\n",
    "trim": lambda _: "",
    "time": lambda filling: clock_of(filling.at),
    "date": lambda filling: day_of(filling.at),
    "weekday": lambda filling: format_date(filling.at, "dddd"),
    "isotime": lambda filling: format_date(filling.at, "HH:mm"),
    "isodate": lambda filling: format_date(filling.at, "YYYY-MM-DD"),
}


def _plain(name: str) -> str:
    """The visitors of character.ai's examples are numbered."""
    return "user" if re.fullmatch(r"random_user_[0-9]+", name) else name


def _is_known(macro: _Macro) -> bool:
    return macro.name in _WITH or (_plain(macro.name) in _ALONE and trim(macro.argument) == "")


def fill_macros(text: str, values: MacroValues) -> str:
    """Fills the macros of cards, greetings and lorebooks; what is not known stays."""
    if "{{" not in text and "<" not in text:
        return text
    drawn = count()
    return _fill(text, _Filling(values, values.at or datetime.now(), lambda: Random(values.seed, next(drawn))))


def _closings(text: str) -> dict[int, int]:
    """Where each opening pair of braces is closed."""
    closings: dict[int, int] = {}
    opened: list[int] = []
    at = 0
    while at < len(text) - 1:
        pair = text[at : at + 2]
        # Of three opening braces in a row the first is text.
        if pair == "{{" and text[at + 2 : at + 3] != "{":
            opened.append(at)
            at += 1
        elif pair == "}}":
            if opened:
                closings[opened.pop()] = at + 2
            at += 1
        at += 1
    return closings


def _top_macros(text: str) -> Iterator[_Macro]:
    """Each `{{` with its `}}`, the outermost first where they nest; one without the other is text."""
    closings = _closings(text)
    at = text.find("{{")
    while at >= 0:
        end = closings.get(at)
        if end is not None:
            found = _NAMED.match(text[at + 2 : end - 2])
            yield _Macro(found[1].lower(), found[2], at, end) if found else _Macro("", "", at, end)
        at = text.find("{{", at + 1 if end is None else end)


def _fill(text: str, filling: _Filling) -> str:
    out = _Trimmed()
    at = 0
    for macro in _top_macros(text):
        out.add(_fill_angled(text[at : macro.start], filling))
        if filling.depth >= _MAX_DEPTH or not _is_known(macro):
            out.add(text[macro.start : macro.end])
        elif macro.name == "trim":
            out.trim()
        else:
            out.add(_value_of(macro, filling))
        at = macro.end
    out.add(_fill_angled(text[at:], filling))
    return "".join(out.parts)


def _fill_angled(text: str, filling: _Filling) -> str:
    return _ANGLED.sub(lambda found: _ALONE[found[1].lower()](filling), text)


class _Trimmed:
    """A text in the making, some of whose line breaks go."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._is_trimming = False

    def add(self, part: str) -> None:
        rest = part.lstrip("\r\n") if self._is_trimming else part
        if rest:
            self._is_trimming = False
            self.parts.append(rest)

    def trim(self) -> None:
        self._is_trimming = True
        while self.parts:
            rest = self.parts.pop().rstrip("\r\n")
            if rest:
                self.parts.append(rest)
                return


def _value_of(macro: _Macro, filling: _Filling) -> str:
    if macro.name in _WITH:
        return _WITH[macro.name](filling, macro.argument)
    return _ALONE[_plain(macro.name)](filling)


def _within(argument: str, filling: _Filling) -> str:
    """An argument with its own macros filled."""
    return _fill(argument, replace(filling, depth=filling.depth + 1))


def _choose(filling: _Filling, argument: str) -> str:
    choices = _choices_of(argument)
    return _within(choices[filling.draw().next_below(len(choices))], filling)


def _choices_of(argument: str) -> list[str]:
    r"""Choices are parted by two colons, or else by commas; `\,` is a comma. Those within a macro part nothing."""
    spans = [*((macro.start, macro.end) for macro in _top_macros(argument)), (len(argument), len(argument))]
    begins = [0, *(end for _, end in spans)]

    def cuts(mark: str) -> list[int]:
        return [
            begin + found.start()
            for begin, (start, _) in zip(begins, spans)
            for found in re.finditer(mark, argument[begin:start])
        ]

    colons = cuts("::")
    marks, width = (colons, 2) if colons else (cuts(r"(?<!\\),"), 1)
    starts = [0, *(at + width for at in marks)]
    return [trim(argument[start:end]).replace("\\,", ",") for start, end in zip(starts, [*marks, len(argument)])]


def _roll(filling: _Filling, argument: str) -> str:
    """Dice as `6`, `d6`, `2d6` or `2d6+1`; what is none of these is a roll of nothing."""
    found = _DICE.fullmatch(_within(argument, filling))
    random = filling.draw()
    if not found or int(found[2]) < 1:
        return ""
    most, sides = min(_MOST_DICE, int(found[1] or 0) or 1), min(int(found[2]), _MOST_SIDES)
    plus = int(re.sub(_S, "", found[3] or "0"))
    return str(plus + sum(1 + random.next_below(sides) for _ in range(most)))


def _number(text: str) -> float:
    """A number as the page's language reads it; 0 for what is none."""
    plain = trim(text)
    return float(plain) if _NUMBER.fullmatch(plain) else 0.0


def _newlines(_: _Filling, argument: str) -> str:
    return "\n" * int(min(16.0, max(1.0, _number(argument))))


def _time_in_zone(filling: _Filling, argument: str) -> str:
    hours = _number(argument)
    known = filling.at.astimezone(timezone.utc)
    return clock_of(known + timedelta(hours=hours if math.isfinite(hours) and abs(hours) < 10_000 else 0))


# What may have an argument.
_WITH: dict[str, Callable[[_Filling, str], str]] = {
    "//": lambda *_: "",
    "comment": lambda *_: "",
    "hidden_key": lambda *_: "",
    "newline": _newlines,
    "datetimeformat": lambda filling, argument: format_date(filling.at, trim(argument)),
    "time_utc": _time_in_zone,
    "random": _choose,
    "pick": _choose,
    "roll": _roll,
    "reverse": lambda filling, argument: _within(argument, filling)[::-1],
}
