"""Rows that are one line each of what several say."""

from __future__ import annotations

import json
import re
from typing import Any

from .fields import Fields
from .reading import Reading
from .scenes import Scene, SceneLine, add_scenes
from .turns import turn_line
from .words import trim

# Columns that tell scenes apart; where their values change, another begins.
_SCENES = (
    *("conversation_id", "conversation", "dialogue_id", "dialog_id", "chat_id", "chat", "scene_id", "scene"),
    *("thread_id", "thread", "session_id", "session", "season", "episode", "chapter", "act", "channel_id"),
)
# What stands beside the lines of a log and is nothing to learn.
_ABOUT = ("id", "type", "date", "date_unixtime", "timestamp", "timestamp_ms", "ts", "from_id", "author_id")


class LogRows:
    """The rows of a file that are one line each; they become dialogues when all of them are there."""

    def __init__(self, into: Reading) -> None:
        self._lines: list[tuple[str, Any, SceneLine]] = []
        self._times: list[float] = []
        self._into = into

    def take(self, fields: Fields, line: int, split: Any) -> None:
        """Takes a line, or rejects it with its reason."""
        key = json.dumps([split, *(_key_part(fields, name) for name in _SCENES)])
        time = fields.get("timestamp_ms")
        found = turn_line(fields, line)
        for name in _ABOUT:
            fields.get(name)
        if isinstance(found, str):
            self._into.reject(line, f"it {found}")
        elif not isinstance(found.text, str) or not trim(found.text):
            self._into.reject(line, "it has no text")
        else:
            text = _mended(found.text) if fields.has("sender_name") else found.text
            line_ = SceneLine(found.by, found.name, text, line, is_own=found.is_own, is_learnt=found.is_learnt)
            self._lines.append((key, split, line_))
            if isinstance(time, (int, float)) and not isinstance(time, bool):
                self._times.append(time)

    def finish(self, role: str | None) -> None:
        """Makes dialogues of the lines; a log of one speaker's lines alone is that many greetings."""
        if not self._lines:
            return
        is_newest_first = len(self._times) == len(self._lines) and self._times[0] > self._times[-1]
        lines = self._lines[::-1] if is_newest_first else self._lines
        is_monologue = len({(line.by, line.name) for _, _, line in lines}) == 1
        scenes: list[tuple[str, Any, list[SceneLine]]] = []
        for key, split, line in lines:
            if scenes and scenes[-1][0] == key and not is_monologue:
                scenes[-1][2].append(line)
            else:
                scenes.append((key, split, [line]))
        add_scenes([Scene(own, split) for _, split, own in scenes], role, self._into)


def _key_part(fields: Fields, name: str) -> Any:
    value = fields.peek(name)
    return None if value is None or isinstance(value, (list, dict)) else fields.get(name)


def _mended(text: str) -> str:
    """A text of Facebook's exports, whose UTF-8 stands there byte by byte as Latin-1."""
    if not re.search("[\x80-\xff]", text):
        return text
    try:
        return text.encode("latin-1").decode("utf8")
    except ValueError:
        return text
