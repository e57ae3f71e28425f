"""The example dialogue of character cards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import regex as re

from .macros import MacroValues, fill_macros
from .pcg import seed_of
from .reading import Reading
from .scenes import Scene, SceneLine, add_scenes
from .text_rows import is_too_long
from .words import SPACES, trim, well_formed

_S = f"[{SPACES}]"
# What begins another scene, wherever it stands.
_START = re.compile(rf"(?:(?!\n){_S})*(?:<START>|<\|endoftext\|>|END_OF_DIALOG(?:UE)?)(?:(?!\n){_S})*:?", re.IGNORECASE)
_RULE = re.compile(rf"{_S}*(?:[-=*_~]{{3,}}|#{{3,}}){_S}*")
# A name before a colon: a macro, or words that begin with a letter; in bold, in brackets, behind a mark.
_NAMED = re.compile(
    rf"{_S}*(?:[#>]{_S}*)?(?:\*\*|__|\[)?"
    rf"(\{{\{{{_S}*[A-Za-z0-9_]+{_S}*\}}\}}|<[A-Za-z0-9_]+>|\p{{L}}[^:：\n]{{0,39}}?)"
    rf"(?:\*\*|__|\])?({_S}*\([^()\n]{{1,60}}\))?(?:\*\*|__|\])?{_S}*[:：](?:\*\*|__)?{_S}*([^\n\r\u2028\u2029]*)\Z"
)
_MOST_NAME_WORDS = 5
_VISITOR = re.compile(
    rf"\{{\{{{_S}*(?:user|random_user_[0-9]+){_S}*\}}\}}|<user>"
    r"|(?:random[ _])?(?:user|anon|guest|visitor|stranger|human|player)[ _]?[0-9]*|you|me",
    re.IGNORECASE,
)
_CHARACTER = re.compile(rf"\{{\{{{_S}*(?:char|bot){_S}*\}}\}}|<(?:char|bot)>", re.IGNORECASE)
_MAX_TEXT, _MAX_SHORT, _MAX_ENTRIES = 2**20, 1024, 1024


def is_card(record: dict[str, Any]) -> bool:
    """Whether a JSON object is a character card."""
    data = record.get("data")
    return "mes_example" in record or (isinstance(data, dict) and "mes_example" in data)


def add_card(record: dict[str, Any], line: int, into: Reading) -> None:
    """Reads a card's example dialogue; where only one besides the visitor speaks, that is the card's character."""
    inner = record.get("data")
    data = inner if isinstance(inner, dict) else record
    name = trim(_text_in(data.get("name"), _MAX_SHORT)) or trim(_text_in(record.get("name"), _MAX_SHORT))
    examples = _text_in(data.get("mes_example"), _MAX_TEXT)
    if not name:
        into.reject(line, "the character card has no name")
    elif not trim(examples):
        into.reject(line, "the card has no example dialogue")
    else:
        names = [name, trim(_text_in(data.get("nickname"), _MAX_SHORT))]
        scenes = [Scene([_filled(one, name) for one in scene]) for scene in _scenes_of(examples, names, line, into)]
        add_scenes(scenes, name, into)


def _scalar(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    return well_formed(value) if isinstance(value, str) else None


def _text_in(value: object, most: int) -> str:
    """A field that is to be a text; a list of texts is its lines."""
    parts = value[:_MAX_ENTRIES] if isinstance(value, list) else [value]
    return "\n".join(text for part in parts if (text := _scalar(part)) is not None)[:most]


def _filled(line: SceneLine, character: str) -> SceneLine:
    """A line with its macros filled; the visitor of a data set has no name."""
    values = MacroValues("you", character, seed=seed_of(line.text))
    return SceneLine(line.by, line.name, fill_macros(line.text, values), line.line)


def _scenes_of(examples: str, names: Iterable[str], line: int, into: Reading) -> list[list[SceneLine]]:
    """The scenes of example messages; what is said before anybody is named is left out, and told."""
    text = _START.sub("\n<START>\n", re.sub(r"\r\n?", "\n", examples))
    rows = [row for row in text.split("\n") if trim(row)]
    speakers = _speakers_of(rows, names)
    scenes: list[list[SceneLine]] = [[]]
    for row in rows:
        scene, spoken = scenes[-1], _read_spoken(row)
        by = speakers.get(spoken[0].lower()) if spoken else None
        if is_too_long(row):
            into.reject(line, "a line of its example dialogue is longer than 1 MiB")
        elif row == "<START>" or _RULE.fullmatch(row):
            scenes.append([])
        elif spoken and by:
            scene.append(SceneLine(by, spoken[0] if by == "named" else "", spoken[1], line))
        elif scene:
            last = scene[-1]
            scene[-1] = SceneLine(last.by, last.name, trim(f"{last.text}\n{trim(row)}"), line)
        else:
            into.reject(line, "nobody is named before a colon")
    return [scene for scene in scenes if scene]


def _read_spoken(row: str) -> tuple[str, str] | None:
    """The name before a colon and what is said."""
    found = _NAMED.match(row)
    name = trim(found[1]) if found else ""
    is_name = name != "" and len(re.split(f"{_S}+", name)) <= _MOST_NAME_WORDS
    return (name, trim(found[3])) if found and is_name else None


def _speakers_of(rows: list[str], names: Iterable[str]) -> dict[str, str]:
    """Who speaks, by name: the visitor and the character under any of their names, others who come up more than once.

    The only other one is the character under another name, where it does not speak itself.
    """
    counts: dict[str, int] = {}
    for row in rows:
        spoken = _read_spoken(row)
        if spoken:
            name = spoken[0].lower()
            counts[name] = counts.get(name, 0) + 1
    own = {calling for name in names if name for calling in _callings(name)}
    speakers: dict[str, str] = {}
    for name in counts:
        if _VISITOR.fullmatch(name):
            speakers[name] = "visitor"
        elif _CHARACTER.fullmatch(name) or name in own:
            speakers[name] = "character"
    is_silent = "character" not in speakers.values()
    others = [name for name, count in counts.items() if name not in speakers and (count > 1 or is_silent)]
    for index, name in enumerate(sorted(others, key=lambda name: -counts[name])):
        speakers[name] = "character" if is_silent and index == 0 and speakers else "named"
    return speakers


def _callings(name: str) -> list[str]:
    """A name, and its parts: "Orla Quay" is also called "Orla"."""
    lower = trim(name).lower()
    return [lower, *(part for part in re.split(f"{_S}+", lower) if len(part) > 2)]
