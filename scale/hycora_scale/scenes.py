"""Dialogues as people paste them: `Name: line` text, a card's examples, SillyTavern chats."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from .errors import check

_MAX_SPEAKERS = 32
_MAX_EXCHANGES = 5
_MAX_NAME_WORDS = 5
_MAX_LINE_BYTES = 2**20

_VISITORS = {"{{user}}", "<user>", "user", "you", "me", "i", "human", "visitor", "player", "guest"}
_CHARACTERS = {"{{char}}", "<char>", "<bot>", "assistant", "bot", "ai", "character"}
_NAMED = re.compile(
    r"^\s*(?:\*\*|__)?(\{\{(?:user|char)\}\}|<(?:user|char|bot)>|[^\W\d_][^:：]{0,39}?)(?:\*\*|__)?\s*"
    r"(?::(?=\s|\*|_|$)|：)(?:\*\*|__)?(.*)$",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"^\s*(?:<START>|[-=*_]{3,})\s*$", re.IGNORECASE)


class Collector(Protocol):
    """Takes rows and what cannot be used."""

    rejected: list[tuple[int, str]]

    def add(self, line: int, role: object, split: object, raw: Iterable[tuple[str, object]]) -> None:
        """Takes a row."""
        ...


@dataclass(frozen=True)
class SceneLine:
    """What somebody says: `by` is `visitor`, `character` (whom the text is about) or `named`."""

    by: str
    name: str
    text: str
    line: int


def add_scenes(scenes: Sequence[Sequence[SceneLine]], role: str | None, file: str, into: Collector) -> None:
    """Cuts scenes into dialogues of at most five exchanges, once for every character in them."""
    spoken = [line for scene in scenes for line in scene]
    names = list(dict.fromkeys(line.name for line in spoken if line.by == "named"))
    fact = f'{file}: more than {_MAX_SPEAKERS} names speak, expected a dialogue as "Name: line"'
    check(len(names) <= _MAX_SPEAKERS, "format-invalid", fact)
    has_visitor = any(line.by == "visitor" for line in spoken)
    has_character = any(line.by == "character" for line in spoken)
    same = next((name for name in names if role is not None and name.lower() == role.lower()), None)
    learnt: Sequence[str | None]
    if has_character or same is not None:
        learnt = [same if same is not None else role]
    else:
        # Where nobody is marked as the visitor, whoever speaks first is.
        learnt = names if has_visitor or len(names) < 2 else names[1:]
    for scene in scenes:
        for name in learnt:
            others = len(names) - (name in names) + has_visitor
            _add_scene(scene, name, others > 1, into)


def _add_scene(scene: Sequence[SceneLine], role: str | None, is_crowd: bool, into: Collector) -> None:
    turns: list[tuple[str, object]] = []
    first, exchanges = 0, 0

    def finish() -> None:
        if any(speaker == "role" for speaker, _ in turns):
            into.add(first, role, None, list(turns))

    for spoken in scene:
        is_role = spoken.by == "character" or (spoken.by == "named" and spoken.name == role)
        if turns and turns[-1][0] == "role" and not is_role:
            exchanges += 1
            if exchanges >= _MAX_EXCHANGES:
                finish()
                turns, exchanges = [], 0
        if not turns:
            first = spoken.line
        filled = _fill(spoken.text, role or "")
        text = f"{spoken.name}: {filled}" if is_crowd and not is_role and spoken.by == "named" else filled
        turns.append(("role" if is_role else "user", text))
    finish()


def _fill(text: str, role: str) -> str:
    """Fills in the names that cards and chats leave open; the visitor has none."""
    return re.sub(
        r"\{\{(char|user)\}\}|<(char|bot|user)>",
        lambda found: "you" if (found[1] or found[2]).lower() == "user" else role,
        text,
        flags=re.IGNORECASE,
    )


def text_lines(text: str) -> list[tuple[int, str]]:
    """The lines that hold anything, with their numbers."""
    return [(line, row.removesuffix("\r")) for line, row in enumerate(text.split("\n"), 1) if row.strip()]


def _is_long(text: str) -> bool:
    return len(text.encode("utf8", "surrogatepass")) > _MAX_LINE_BYTES


def _named(text: str) -> tuple[str, str] | None:
    found = None if _is_long(text) else _NAMED.match(text)
    name = found[1].strip() if found else ""
    return (name, found[2].strip()) if found and name and len(name.split()) <= _MAX_NAME_WORDS else None


def is_script(text: str) -> bool:
    """Whether a text looks like a pasted dialogue or a card's example messages."""
    return any(_SEPARATOR.match(row) or _named(row) for _, row in text_lines(text)[:50])


def _speakers(text: str) -> set[str]:
    """Names that come up once in a longer text are taken for words of a reply, such as "Listen:"."""
    counts: dict[str, int] = {}
    for _, row in text_lines(text):
        named = _named(row)
        if named:
            counts[named[0]] = counts.get(named[0], 0) + 1
    often = {name for name, count in counts.items() if count > 1 or name.lower() in _VISITORS | _CHARACTERS}
    return often if len(often) > 1 else set(counts)


def add_script(text: str, role: str | None, file: str, into: Collector, line_of: int | None = None) -> None:
    """Reads `Name: line` text; a line without a name belongs to the one before. `line_of` stands for every line."""
    speakers = _speakers(text)
    scenes: list[list[SceneLine]] = [[]]
    for own, spoken in text_lines(text):
        line, scene = line_of or own, scenes[-1]
        named = _named(spoken)
        if _is_long(spoken):
            into.rejected.append((line, "it is longer than 1 MiB"))
        elif _SEPARATOR.match(spoken):
            if scene:
                scenes.append([])
        elif named and named[0] in speakers:
            key = named[0].lower()
            by = "visitor" if key in _VISITORS else "character" if key in _CHARACTERS else "named"
            scene.append(SceneLine(by, named[0], named[1], line))
        elif scene:
            scene[-1] = replace(scene[-1], text=f"{scene[-1].text}\n{spoken.strip()}".strip())
        else:
            into.rejected.append((line, "nobody is named before a colon"))
    add_scenes(scenes, role, file, into)


def is_card(record: dict[str, Any]) -> bool:
    """Whether a JSON object is a character card."""
    data = record.get("data")
    return "mes_example" in record or (isinstance(data, dict) and "mes_example" in data)


def add_card(record: dict[str, Any], line: int, file: str, into: Collector) -> None:
    """Reads a card's example dialogue; every line of it counts as the card's own."""
    inner = record.get("data")
    data = inner if isinstance(inner, dict) else record
    name, nickname, example = (data.get(key) for key in ("name", "nickname", "mes_example"))
    if not isinstance(name, str) or not name.strip():
        into.rejected.append((line, "the character card has no name"))
    elif not isinstance(example, str) or not example.strip():
        into.rejected.append((line, "the card has no example dialogue"))
    else:
        if isinstance(nickname, str) and nickname.strip():
            example = example.replace(f"{nickname.strip()}:", "{{char}}:")
        add_script(example, name.strip(), file, into, line)


def is_chat(record: dict[str, Any]) -> bool:
    """Whether a line is a header or a message of a SillyTavern chat."""
    if "mes" in record:
        return "is_user" in record or "name" in record
    return ("chat_metadata" in record or "character_name" in record) and "messages" not in record


def _known(name: object) -> str | None:
    """Newer files say "unused" where older ones have a name."""
    return name.strip() if isinstance(name, str) and name.strip() and name != "unused" else None


def add_chat(records: Iterable[tuple[int, dict[str, Any]]], role: str | None, file: str, into: Collector) -> None:
    """Reads a SillyTavern chat: every character in it learns its own messages; hidden ones are left out."""
    scene: list[SceneLine] = []
    character = role
    for line, record in records:
        if "mes" not in record and is_chat(record):
            character = character or _known(record.get("character_name"))
            continue
        said = record.get("mes")
        # Chub's lines carry `{message}` where others carry the text itself.
        text = said.get("message") if isinstance(said, dict) else said
        if not isinstance(text, str) or not text.strip():
            into.rejected.append((line, "it has no text"))
        elif record.get("is_system") is not True:
            name = _known(record.get("name")) or character or ""
            named = "character" if name in ("", character) else "named"
            scene.append(SceneLine("visitor" if record.get("is_user") is True else named, name, text, line))
    add_scenes([scene], character, file, into)
