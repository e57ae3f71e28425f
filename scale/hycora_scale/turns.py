"""The turns of a row as lines of a scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .fields import Fields
from .scenes import SceneLine
from .words import plain_name, tag_of, trim

_TAGGED = ("from", "role", "speaker", "author", "sender", "user", "who", "character", "name")
_NAMED = ("speaker", "character", "from", "sender", "sender_name", "author", "who", "name", "user", "role")
_SAID = ("value", "content", "text", "message", "utterance", "line", "body", "msg", "dialogue", "says", "quote")
_FLAGS = ("weight", "train", "training", "trainable", "learn", "loss", "loss_mask", "train_on_turn")
_MASKS = ("mask", "masked")
_PARTS = ("train_detail", "training_detail")
_LOGGED = ("sender_name", "author", "from_id", "ts", "timestamp", "timestamp_ms", "date", "send_date")
_NOBODY = "is neither the user's nor the assistant's"


def content_text(content: Any) -> Any:
    """A message's text: a string, or the text parts of a list, words of one line where some stand there bare."""
    if not isinstance(content, list):
        return content
    parts = [Fields(part).peek("text") if isinstance(part, dict) else part for part in content]
    is_inline = any(isinstance(part, str) for part in content)
    return ("" if is_inline else "\n").join(parts) if all(isinstance(part, str) for part in parts) else None


def _speaker_text(value: Any) -> str | None:
    """Who speaks: a word, or an object with a name, as exporters of chats have it."""
    name = Fields(value).first(("name", "real_name", "username")) if isinstance(value, dict) else value
    return name if isinstance(name, str) and trim(name) else None


def turn_fields(turn: Any) -> Fields | None:
    """Speaker and text of a turn `{role, content}`, `{from, value}`, `{speaker, text}`, `[speaker, text]`."""
    if isinstance(turn, dict):
        return Fields(turn)
    if not isinstance(turn, list) or len(turn) != 2 or not isinstance(turn[0], str):
        return None
    return Fields([("speaker", turn[0]), ("text", turn[1])])


def _speaker_of(fields: Fields) -> tuple[str | None, str] | None:
    """Whose a turn is: a side, and a name where there is one."""
    tags = [tag_of(text) for key in _TAGGED if (text := _speaker_text(fields.peek(key))) is not None]
    tag = next((one for one in tags if one is not None), None)
    names = [text for key in _NAMED if (text := _speaker_text(fields.peek(key))) is not None and tag_of(text) is None]
    return (tag, plain_name(names[0]) if names else "") if tag or names else None


def is_turn(fields: Fields) -> bool:
    """Whether fields are those of a turn: somebody speaks, and there is what they say."""
    return _speaker_of(fields) is not None and fields.has(*_SAID)


def _is_logged(fields: Fields) -> bool:
    """Whether a turn is out of the log of a chat between people rather than written for a model."""
    speaker = _speaker_of(fields)
    return not (speaker and speaker[0]) and fields.has(*_LOGGED)


def is_log(entry: Any) -> bool:
    """Whether an entry of a list is out of a log."""
    return isinstance(entry, dict) and _is_logged(Fields(entry))


def is_dialogue(turns: Sequence[Any]) -> bool:
    """Whether a list is the turns of one dialogue: each is somebody's, or they are texts that alternate."""
    is_text = bool(turns) and isinstance(turns[0], str)
    return len(turns) > 1 and all(isinstance(turn, str) if is_text else _is_own_turn(turn) for turn in turns)


def holds_turns(turns: Sequence[Any]) -> bool:
    """Whether what stands where turns are expected is turns, if broken ones, and no list of rows."""
    first = turns[0] if turns else None
    if isinstance(first, list):
        return bool(first) and isinstance(first[0], str)
    return not isinstance(first, dict) or any(map(_is_own_turn, turns))


def _is_own_turn(entry: Any) -> bool:
    fields = turn_fields(entry)
    return fields is not None and is_turn(fields) and not _is_logged(fields)


def flag_of(value: Any) -> bool | None:
    """1 or 0, true or false, also as text; None for anything else."""
    word = str(value).lower()
    if word in ("1", "true", "1.0"):
        return True
    return False if word in ("0", "false", "0.0") else None


def _learnt(fields: Fields) -> bool | str:
    """Whether what fields say of themselves is learnt; as text, a flag that says neither."""
    is_learnt = True
    for key in (*_FLAGS, *_MASKS):
        value = fields.get(key)
        if value is None or value == "":
            continue
        flag = flag_of(value)
        if flag is None:
            return f"has a {key} that is neither 0 nor 1"
        if flag == (key in _MASKS):
            is_learnt = False
    part = next((key for key in _PARTS if isinstance(fields.get(key), list)), None)
    return f"has a {part}: it is learnt whole or not at all" if part else is_learnt


def read_turns(turns: Sequence[Any], line: int) -> list[SceneLine] | str:
    """A list's turns as lines of a scene, texts alone by turns the visitor first; or why they are none."""
    lines = []
    for index, turn in enumerate(turns):
        side = "assistant" if index % 2 else "user"
        fields = turn_fields({"role": side, "content": turn} if isinstance(turn, str) else turn)
        found = turn_line(fields, line) if fields else _NOBODY
        if isinstance(found, str):
            return f"its turn {index + 1} {found}"
        lines.append(found)
    return lines


def turn_line(fields: Fields, line: int) -> SceneLine | str:
    """A turn as a line of a scene, or why it is none, as the end of a sentence that begins with the turn."""
    speaker = _speaker_of(fields)
    if speaker is None:
        return _NOBODY
    tag, name = speaker
    if tag == "tool":
        return "is a tool's"
    is_learnt = _learnt(fields)
    if isinstance(is_learnt, str):
        return is_learnt
    for key in (*_TAGGED, *_NAMED):
        fields.get(key)
    text = content_text(fields.first(_SAID))
    if tag in ("system", "visitor"):
        return SceneLine(tag, "" if tag == "system" else name, text, line, is_learnt=is_learnt)
    by = "named" if name else "character"
    return SceneLine(by, name, text, line, is_own=bool(name) and tag == "character", is_learnt=is_learnt)
