"""Lines of a scene's text that name their speaker."""

from __future__ import annotations

from dataclasses import dataclass

import regex as re

from .words import plain_name, side_of, trim

_MAX_NAME = 40
_MAX_WORDS = 5
_AROUND = (
    *(("**", "**"), ("__", "__"), ("*", "*"), ("_", "_"), ("[", "]"), ("<", ">")),
    *(('"', '"'), ("\u201c", "\u201d")),
)
_DIRECTION = re.compile(r"(.*?\S)\s*(\([^()]*\)|（[^（）]*）|\[[^\[\]]*\]|\*[^*]+\*)")
_HTML = re.compile(
    r"a|b|br|code|div|em|h[0-9]|i|img|li|ol|p|pre|q|s|span|start|strong|sub|sup|table|td|tr|u|ul", re.IGNORECASE
)
_TIGHT = re.compile(r"(?:[\p{L}\p{N}\"“”'‘«»*(¿¡…—-]|\p{Extended_Pictographic}).")
_ANGLED = re.compile(r"<([^<>:]{1,40})>\s+(\S.*)")
_LETTER = re.compile(r"[\p{L}\p{N}]|\p{Extended_Pictographic}")


@dataclass(frozen=True)
class NamedLine:
    """A line with its speaker; `direction` is what stands in brackets behind the name.

    `is_tight`: no space follows the colon, as in times, addresses and words of a line too.
    """

    name: str
    direction: str
    text: str
    is_tight: bool


def read_named(row: str) -> NamedLine | None:
    """`Name: line`, the name plain, in Markdown or in brackets, a stage direction behind it; or `<Name> line`."""
    spoken = re.sub(r"^#{1,6}\s+", "", re.sub(r"^[\s\p{Cf}]+", "", row))
    angled = _ANGLED.fullmatch(spoken)
    if angled and side_of(f"<{angled[1]}>") is None:
        name = plain_name(angled[1])
        return NamedLine(name, "", angled[2], True) if _is_name(name) and not _HTML.fullmatch(name) else None
    found = re.search("[:：]", spoken[: 2 * _MAX_NAME])
    if not found or found.start() < 1:
        return None
    after = spoken[found.end() :]
    whole, text = _unwrapped(plain_name(spoken[: found.start()]), after)
    parts = _DIRECTION.fullmatch(whole) if side_of(whole) is None else None
    base, direction = (parts[1], parts[2]) if parts else (whole, "")
    is_tight = found[0] == ":" and not re.match(r"\s|\*|_|$", after)
    if not _is_name(base) or (is_tight and not _is_spoken(base, after)):
        return None
    return NamedLine(base, direction, trim(text), is_tight)


def _unwrapped(name: str, after: str) -> tuple[str, str]:
    """A name without what stands around it, closed before the colon or behind it; and the text."""
    for begin, end in _AROUND:
        if not name.startswith(begin) or side_of(name) is not None:
            continue
        inner = name[len(begin) :]
        if inner.endswith(end):
            return trim(inner[: -len(end)]), after
        if after.startswith(end):
            return trim(inner), after[len(end) :]
    return name, re.sub(r"^(?:\*\*|__)", "", after)


def _is_name(name: str) -> bool:
    is_short = len(name) <= _MAX_NAME and len(name.split(" ")) <= _MAX_WORDS
    is_begun = side_of(name) is not None or re.match(r"[^-–—•>|\\/.,;!?)=+{}]", name)
    return bool(is_short and is_begun and _LETTER.search(name))


def _is_spoken(name: str, after: str) -> bool:
    """Whether a colon without a space behind it is no part of a time, an address, a path or a face."""
    if after.startswith("//") or not _TIGHT.match(after):
        return False
    return not (re.search("[0-9]$", name) and re.match("[0-9]", after))


def is_odd_name(name: str) -> bool:
    """Whether a name is one whatever stands around it: letters and digits in one word, or a picture."""
    is_word = re.fullmatch(r"\S+", name) and not re.fullmatch("[0-9]+(?:st|nd|rd|th)", name, re.IGNORECASE)
    is_mixed = is_word and re.search(r"\p{L}", name) and re.search(r"\p{N}", name)
    return bool(is_mixed or re.search(r"\p{Extended_Pictographic}", name))
