"""The exports of messengers, whose lines begin with a time."""

from __future__ import annotations

from dataclasses import replace

import regex as re

from .reading import Reading
from .scenes import Scene, SceneLine, add_scenes
from .text_rows import is_too_long, text_lines
from .words import plain_name, side_of, trim, without_unseen

_DATE = (
    r"(?:[0-9]{1,4}(?:[./-]|\. |년 )\s?(?:[0-9]{1,2}|\p{L}{3,9})(?:[./-]|\. |월 )\s?[0-9]{1,4}[.일]?"
    r"|\p{L}{3,9} [0-9]{1,2},? [0-9]{4})"
)
_TIME = r"(?:\p{L}{2} )?[0-9]{1,2}[:.h][0-9]{2}(?:[:.][0-9]{2})?(?:[\s\u202f]?[ap]\.?\s?m\.?)?"
_BOTH = rf"(?:{_DATE},?\s+(?:\p{{L}}{{2}} )?)?{_TIME}"
_STAMPS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\[(?:{_BOTH}|{_DATE})\]\s*(?:-\s*)?(?P<rest>.*)",
        rf"{_BOTH}\s+[-–]\s+(?P<rest>.*)",
        rf"{_DATE},?\s+{_TIME},\s+(?P<rest>.*)",
        rf"{_TIME}\t(?P<name>[^\t]{{1,60}})\t(?P<text>.*)",
        rf"\[(?P<name>[^\]]{{1,60}})\]\s*\[{_BOTH}\]\s*(?P<text>.*)",
        rf"{_BOTH}\s+(?P<rest><[^<>]{{1,40}}>\s.*)",
        rf"(?P<header>[^:\[\]]{{1,60}}), \[{_BOTH}\]\s*",
    )
]
_SPOKEN = re.compile(r"(?:<([^<>]{1,40})>|([^:：]{1,60}?)\s*[:：])(?:\s|$)(.*)")
_LOOKED_AT = 60
_STAMPED = 0.3

# Somebody's words (name, text), a name over words that follow (name, None), or the program's own (None, text).
_Stamped = tuple[str | None, str | None]


def _read_stamped(row: str) -> _Stamped | None:
    plain = re.sub(r"^[\s\p{Cf}]+", "", row)
    for stamp in _STAMPS:
        found = stamp.fullmatch(plain)
        if not found:
            continue
        groups = found.groupdict()
        if groups.get("header") is not None:
            return plain_name(groups["header"]), None
        if groups.get("name") is not None:
            return plain_name(groups["name"]), groups["text"]
        rest = groups["rest"]
        spoken = _SPOKEN.fullmatch(rest)
        return (plain_name(spoken[1] or spoken[2]), spoken[3]) if spoken else (None, rest)
    return None


def is_stamped(text: str) -> bool:
    """Whether a text is the export of a messenger: many of its lines begin with a time."""
    looked = stamped = 0
    for _, row in text_lines(text):
        stamped += not is_too_long(row) and _read_stamped(row[:400]) is not None
        looked += 1
        if looked >= _LOOKED_AT:
            break
    return stamped > 1 and stamped >= _STAMPED * looked


def _is_programmed(text: str) -> bool:
    """What programs write in place of a picture, a call or a message that was taken back."""
    return text.startswith("\u200e") or bool(re.fullmatch("<[^<>]+>", trim(without_unseen(text))))


def add_stamped(text: str, role: str | None, into: Reading) -> None:
    """Reads a messenger's export: lines that a time begins, with who wrote them; others belong to the one before."""
    lines: list[SceneLine] = []
    rows = [(line, row, _read_stamped(row)) for line, row in text_lines(text)]
    named = sum(stamped is not None and stamped[0] is not None for _, _, stamped in rows)
    services = sum(stamped is not None and stamped[0] is None for _, _, stamped in rows)
    # Where hardly a stamped line has a colon, what stands behind the stamp is the name.
    is_headed = services > named
    left, is_open = 0, False
    for line, row, stamped in rows:
        if stamped is None:
            if is_open and lines:
                said = lines[-1].text
                lines[-1] = replace(lines[-1], text=row if said == "" else f"{said}\n{trim(row)}")
            else:
                left += 1
            continue
        who, words = stamped
        name = who if who is not None else plain_name(words or "") if is_headed else None
        said = "" if who is None or words is None else words
        is_header = words is None or (who is None and is_headed)
        is_open = name is not None and (is_header or not _is_programmed(said))
        if name is None or not is_open:
            left += 1
        else:
            is_visitor = side_of(name) == "visitor"
            by = "visitor" if is_visitor else "named"
            lines.append(SceneLine(by, "" if is_visitor else name, re.sub(r"\u200e<[^<>\n]+>\s*$", "", said), line))
    if left:
        count = "one line" if left == 1 else f"{left} lines"
        into.tell(f"Left out of the messenger's export: {count} of the program's own.")
    add_scenes([Scene([line for line in lines if trim(line.text)])], role, into)
