"""Rows of the families that are told apart by their keys."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import regex as re

from .chat import Turn
from .fields import Fields
from .log_rows import LogRows
from .reading import DatasetOptions, Reading
from .scenes import Scene, SceneLine, add_scenes
from .script import script_lines
from .turns import flag_of, holds_turns, is_log, is_turn, read_turns
from .words import is_row_number, plain_name, tag_of, trim

# Where the turns of a row stand.
_TURNS = (
    *("messages", "conversations", "conversation", "turns", "dialogue", "dialog", "chat"),
    *("conversation_history", "utterances", "transcript", "text"),
)
_BESIDE = ("input", "context")
_ASKED = (
    *("instruction", "prompt", "question", "user", "query", "visitor", "human", "message", "user_message"),
    *("user_input", "request", "q", *_BESIDE),
)
_REPLIES = (
    *("output", "response", "reply", "answer", "completion", "assistant", "chosen", "bot", "target", "gpt"),
    *("assistant_message", "bot_message", "model", "npc", "a", "line", "text"),
)
_CHARACTERS = (*("character", "role", "char", "character_name", "char_name", "bot_name", "persona", "speaker", "name"),)
# What marks a whole row as not for learning where it is false: among it an answer that was not liked.
_MARKS = ("train", "learn", "label", "kto_tag", "loss")
_LONGEST_PERSONA = 80


@dataclass(frozen=True)
class Row:
    """A row of a file before it is read; `split` is the side that the list around it names.

    `is_list`: it is a list of turns and nothing else, which may be a long chat.
    """

    fields: Fields
    line: int
    split: str | None = None
    is_list: bool = False


@dataclass(frozen=True)
class Sinks:
    """Where rows go: dialogues at once, lines of a log when all are there."""

    into: Reading
    logs: LogRows
    options: DatasetOptions


def own_role(fields: Fields, sinks: Sinks) -> str | None:
    """Who a row says speaks; a number of the row is nobody's name where the options have one."""
    named = sinks.options.role_name
    for key in _CHARACTERS:
        value = fields.peek(key)
        if not isinstance(value, str) or not trim(value):
            continue
        if key in ("role", "speaker") and tag_of(value) is not None:
            continue
        if key == "persona" and len(value) > _LONGEST_PERSONA:
            continue
        fields.get(key)
        name = plain_name(value)
        if key != "name" or named is None or not is_row_number(name):
            return name
        sinks.into.number(name, named)
    return None


def _list_in(value: Any) -> list[Any] | None:
    """A list of turns, or JSON in a cell that is one; None for anything else."""
    if isinstance(value, list):
        return value
    if not isinstance(value, str) or not re.match(r"\s*\[", value):
        return None
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def _turns_key(fields: Fields) -> str | None:
    for key in _TURNS:
        turns = _list_in(fields.peek(key))
        # The text of one message may be a list too, of its parts.
        if turns is not None and key != "text" and not any(map(is_log, turns)):
            return key
    return None


def _exchange_keys(fields: Fields) -> tuple[str, str] | None:
    # Who sent a message at a time is nobody who asks.
    asked = fields.find([key for key in _ASKED if key != "user" or not fields.has("ts")])
    reply = fields.find([key for key in _REPLIES if key != asked])
    return (asked, reply) if asked is not None and reply is not None else None


def kind_of(fields: Fields) -> str | None:
    """What a row is by its keys: turns, generated, exchange, line or script; None where that is not known."""
    if _turns_key(fields) is not None:
        return "turns"
    if fields.has("generated"):
        return "generated"
    if _exchange_keys(fields):
        return "exchange"
    if is_turn(fields):
        return "line"
    return "script" if fields.has(*_TURNS) else None


def is_row(record: dict[str, Any]) -> bool:
    """Whether an object is a row rather than something that holds rows."""
    fields = Fields(record)
    kind = kind_of(fields)
    if kind == "turns":
        turns = _list_in(fields.peek(_turns_key(fields)))
        return turns is not None and holds_turns(turns)
    if kind == "script":
        return any(isinstance(fields.peek(key), str) for key in _TURNS)
    keys = (_exchange_keys(fields) or ()) if kind == "exchange" else ()
    return kind is not None and all(_is_whole(fields.peek(key)) for key in keys)


def _is_whole(value: Any) -> bool:
    """Whether a value is one row's, not a column of several."""
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], dict) and holds_turns(value)
    return not isinstance(value, dict)


def _is_unlearnt(fields: Fields) -> bool:
    """Whether a row as a whole is marked as not to be learnt."""
    marks = [key for key in _MARKS if re.fullmatch("true|false", str(fields.peek(key)), re.IGNORECASE)]
    is_false = [str(fields.get(key)).lower() == "false" for key in marks]
    return any(is_false) or (flag_of(fields.peek("weight")) is not None and flag_of(fields.get("weight")) is False)


def add_record(row: Row, sinks: Sinks) -> None:
    """Reads a row as one of the families that are told apart by their keys, or rejects it."""
    kind = kind_of(row.fields)
    if kind != "line" and _is_unlearnt(row.fields):
        sinks.into.reject(row.line, "it is marked as not to be learnt")
        return
    before = len(sinks.into.rejected)
    readers = {"turns": _add_turns, "generated": _add_generated, "exchange": _add_exchange, "script": _add_text}
    if kind == "line":
        sinks.logs.take(row.fields, row.line, _split_in(row))
    elif kind is None:
        reason = "it has none of messages, conversations, instruction and output, question and generated"
        sinks.into.reject(row.line, reason)
    else:
        readers[kind](row, sinks)
    if len(sinks.into.rejected) == before:
        sinks.into.leave(row.fields.left())


def _split_in(row: Row) -> Any:
    given = row.fields.get("split")
    return row.split if given is None else given


def _item_of(fields: Fields) -> str | None:
    item = fields.get("item")
    return item if isinstance(item, str) and trim(item) else None


def _system_lines(row: Row) -> list[SceneLine]:
    """System texts beside the turns, as system turns."""
    text = row.fields.first(("system", "system_prompt"))
    return [SceneLine("system", "", text, row.line)] if isinstance(text, str) and trim(text) else []


def _add_turns(row: Row, sinks: Sinks) -> None:
    fields, key = row.fields, _turns_key(row.fields) or ""
    lines = read_turns(_list_in(fields.get(key)) or [], row.line)
    if isinstance(lines, str) or not lines:
        sinks.into.reject(row.line, lines or "it has no turn")
        return
    facts = (_split_in(row), _item_of(fields))
    _add_lines([*_system_lines(row), *lines], facts, row, sinks)
    others = fields.get("alt")
    if key == "turns" and isinstance(others, list) and lines and lines[-1].by != "visitor":
        # Each further reference is a dialogue of its own.
        for text in others:
            _add_lines([*lines[:-1], replace(lines[-1], text=text)], facts, row, sinks)


def _add_lines(lines: list[SceneLine], facts: tuple[Any, str | None], row: Row, sinks: Sinks) -> None:
    """Whoever is not the visitor is the row's character, unless several speak, who are told by name."""
    own = own_role(row.fields, sinks)
    names = list(dict.fromkeys(line.name for line in lines if line.by == "named" and not line.is_own))
    is_foreign = own is not None and bool(names) and own not in names
    if is_foreign and len(names) > 1:
        sinks.into.reject(row.line, f"it is {own}'s, but {' and '.join(names)} speak")
        return
    if is_foreign:
        lines = [
            replace(one, by="character", name="") if one.by == "named" and not one.is_own else one for one in lines
        ]
    role = sinks.options.role_name if own is None else own
    add_scenes([Scene(lines, *facts)], role, sinks.into, is_whole=not row.is_list)


def _add_generated(row: Row, sinks: Sinks) -> None:
    """RoleBench as published: a question and one or more replies, each a dialogue of its own."""
    question, generated = row.fields.get("question"), row.fields.get("generated")
    replies = generated if isinstance(generated, list) else [generated]
    if not replies:
        sinks.into.reject(row.line, "it has no reply of the character")
    own, split = own_role(row.fields, sinks), _split_in(row)
    role = sinks.options.role_name if own is None else own
    for text in replies:
        sinks.into.add(row.line, role, split, [Turn("user", question), Turn("role", text)])


def _history_of(row: Row) -> list[SceneLine] | str:
    """What was said before, as pairs of question and answer or as turns."""
    history = row.fields.get("history")
    if not isinstance(history, list):
        return []
    is_pairs = all(isinstance(pair, list) and all(isinstance(text, str) for text in pair) for pair in history)
    return read_turns([text for pair in history for text in pair] if is_pairs else history, row.line)


def _add_exchange(row: Row, sinks: Sinks) -> None:
    """A question and its answer, each a text or a list of turns; with what stands beside and before them."""
    fields, line = row.fields, row.line
    asked, reply = _exchange_keys(fields) or ("", "")
    question, answer = fields.get(asked), fields.get(reply)
    beside = [fields.get(key) for key in _BESIDE if key not in (asked, reply)]
    before = _history_of(row)
    text = question
    if isinstance(question, str) and trim(question):
        text = "\n\n".join(one for one in (question, *beside) if isinstance(one, str) and trim(one))
    as_list = isinstance(question, list)
    asked_lines = read_turns(question, line) if as_list else [SceneLine("visitor", "", text, line)]
    reply_lines = read_turns(answer, line) if isinstance(answer, list) else [SceneLine("character", "", answer, line)]
    parts = [before, asked_lines, reply_lines]
    fault = next((part for part in parts if isinstance(part, str)), None)
    if fault is not None:
        sinks.into.reject(line, fault)
        return
    # The conversational form of preferences has the question in the answer's list too.
    is_whole = as_list and isinstance(answer, list) and answer[: len(question)] == question
    parts = [before, reply_lines] if is_whole else parts
    lines = [one for part in parts if not isinstance(part, str) for one in part]
    _add_lines([*_system_lines(row), *lines], (_split_in(row), _item_of(fields)), row, sinks)


def _add_text(row: Row, sinks: Sinks) -> None:
    """Turns in one text, as "Name: line"."""
    key = row.fields.find(_TURNS) or ""
    text = row.fields.get(key)
    is_python = isinstance(text, str) and re.match(r"\s*\[\s*(?:\{\s*'|array\()", text)
    lines = script_lines(text, row.line) if isinstance(text, str) and not is_python else None
    if lines:
        _add_lines(lines, (_split_in(row), None), row, sinks)
    elif is_python:
        reason = f"its {key} are written by Python's str(), not as JSON: save them with json.dumps()"
        sinks.into.reject(row.line, reason)
    else:
        sinks.into.reject(row.line, f'its {key} is neither a list of turns nor "Name: line" text')
