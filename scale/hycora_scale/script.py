"""Dialogues as people paste them: `Name: line` text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import regex as re

from .named_line import NamedLine, is_odd_name, read_named
from .reading import Reading
from .scenes import Scene, SceneLine, add_scenes
from .text_rows import is_too_long, text_lines
from .words import side_in, side_of, trim

_SEPARATOR = re.compile(r"\s*(?:<START>|[-=*_]{3,})\s*", re.IGNORECASE)
_MOST_ADDRESSED = 50
_MOST_TOLD = 8


def is_script(text: str) -> bool:
    """Whether a text looks like a pasted dialogue or a card's example messages."""
    for looked, (_, row) in enumerate(text_lines(text)):
        if looked >= 50:
            return False
        if _SEPARATOR.fullmatch(row) or (not is_too_long(row) and read_named(row)):
            return True
    return False


@dataclass
class _Speakers:
    """The names of a text as they are spoken by; `words` come up once and are taken for words of a reply."""

    names: set[str]
    parts: dict[str, str]
    words: dict[str, int]
    left: dict[str, None]

    def speak(self, named: NamedLine) -> str | None:
        """Who speaks a line."""
        name = _whole(named, self.parts)
        return name if name in self.names else None


def _whole(named: NamedLine, parts: dict[str, str]) -> str:
    return trim(f"{named.name} {parts.get(named.name, '')}")


def _parts_of(named: list[NamedLine]) -> dict[str, str]:
    """The brackets that stand behind a name each time, and more than once: they are a part of it."""
    parts: dict[str, str] = {}
    counts: dict[str, int] = {}
    for one in named:
        if parts.setdefault(one.name, one.direction) != one.direction:
            parts[one.name] = ""
        counts[one.name] = counts.get(one.name, 0) + 1
    return {name: part for name, part in parts.items() if counts[name] > 1}


def _speakers_of(text: str) -> _Speakers:
    named = [(line, found) for line, row in text_lines(text) if not is_too_long(row) and (found := read_named(row))]
    parts = _parts_of([one for _, one in named])
    counts: dict[str, int] = {}
    lines: dict[str, int] = {}
    for line, one in named:
        name = _whole(one, parts)
        counts[name] = counts.get(name, 0) + 1
        lines[name] = line
    once = [name for name, count in counts.items() if count == 1]
    addressed = {name for name in once if _is_addressed(name, text)} if len(once) <= _MOST_ADDRESSED else set()
    often = {
        name
        for name, count in counts.items()
        if count > 1 or side_of(name) is not None or is_odd_name(name) or name in addressed
    }
    names = often if len(often) > 1 else set(counts)
    words = {name: line for name, line in lines.items() if name not in names}
    left = [one.direction for _, one in named if one.direction and not parts.get(one.name)]
    return _Speakers(names, parts, words, dict.fromkeys(left))


def _is_addressed(name: str, text: str) -> bool:
    """Whether somebody says a name within a sentence."""
    at = text.find(name)
    while at >= 0:
        before, behind = text[max(0, at - 2) : at], text[at + len(name) : at + len(name) + 2]
        if re.search(r"[\p{L},] $", before) and not re.match(r"[\p{L}\p{N}]|\s?[:：]", behind):
            return True
        at = text.find(name, at + len(name))
    return False


def _scenes_of(
    text: str, on_nobody: Callable[[int, str], Any], at: int | None = None
) -> tuple[list[list[SceneLine]], _Speakers]:
    speakers = _speakers_of(text)
    scenes: list[list[SceneLine]] = [[]]
    for own, spoken in text_lines(text):
        line, scene = own if at is None else at, scenes[-1]
        named = None if is_too_long(spoken) else read_named(spoken)
        name = speakers.speak(named) if named else None
        if is_too_long(spoken):
            on_nobody(line, "it is longer than 1 MiB")
        elif _SEPARATOR.fullmatch(spoken):
            if scene:
                scenes.append([])
        elif named and name is not None:
            side = side_in(speakers.names, name)
            by = "named" if side in (None, "tool") else side
            scene.append(SceneLine(by, name if by == "named" else "", named.text, line))
        elif scene:
            scene[-1] = replace(scene[-1], text=trim(f"{scene[-1].text}\n{trim(spoken)}"))
        else:
            on_nobody(line, "nobody is named before a colon")
    return scenes, speakers


def add_script(text: str, role: str | None, into: Reading) -> None:
    """Reads `Name: line` text; a line without a name belongs to the one before."""
    scenes, speakers = _scenes_of(text, into.reject)
    words = [f"{name} (line {line})" for name, line in speakers.words.items()]
    if words:
        more = " and others" if len(words) > _MOST_TOLD else ""
        told = f"{', '.join(words[:_MOST_TOLD])}{more}"
        into.tell(f"Before a colon once, and taken for words of the line above: {told}.")
    if speakers.left:
        told = ", ".join(list(speakers.left)[:_MOST_TOLD])
        into.tell(f"Stage directions behind names are left out: {told}.")
    add_scenes([Scene(lines) for lines in scenes], role, into)


def script_lines(text: str, line: int) -> list[SceneLine] | None:
    """A text within a row as lines of one scene; None where nobody is named in it."""
    scenes, _ = _scenes_of(text, lambda *_: None, line)
    return [spoken for scene in scenes for spoken in scene] or None
