"""The rows of a JSON text, in whichever way they stand in it."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .text_rows import is_too_long
from .words import SPACES, split_of

_MAX_DEPTH = 32
_MAX_WRAPPED = 4
NOT_JSON = "it is not valid JSON"
_TOO_DEEP = f"it nests deeper than {_MAX_DEPTH} levels"
# Keys under which exporters put the rows; where an object has one of them, its other lists are about the rows.
_LISTS = frozenset(
    [
        *("chats", "conversations", "data", "dataset", "dialogs", "dialogues", "entries", "examples", "instances"),
        *("messages", "records", "results", "rows", "samples", "threads"),
    ]
)
_STRING = re.compile(r'"(?:[^"\\\n]|\\[\s\S])*"')
_STOPS = re.compile(r'["{}\[\]]')
_SCALAR = re.compile(r"[\s\S][^\n,\]}]*")
_BLANKS = re.compile(f"[{SPACES},]*")
_SPACE = re.compile(f"[{SPACES}]*")


@dataclass(frozen=True)
class JsonRow:
    """A row, or why there is none; `split` is the side that the list around it names.

    `is_list`: it is a list of turns and nothing else, which may be a long chat.
    """

    line: int
    record: dict[str, Any] | None = None
    reason: str = ""
    split: str | None = None
    is_list: bool = False


@dataclass(frozen=True)
class RowKinds:
    """What a reader of rows knows of them: whether an object is a row, whether a list is the turns of one dialogue."""

    is_row: Callable[[dict[str, Any]], bool]
    is_dialogue: Callable[[list[Any]], bool]
    on_left: Callable[[list[str]], None]


def json_rows(text: str, kinds: RowKinds) -> Iterator[JsonRow]:
    """The rows of a JSON text, each parsed by itself, so that one bad row is one bad row.

    They may stand one a line or over several, in arrays, several arrays one behind another, as lists of turns, under a
    key or under one for each side of the split, as columns.
    """
    return _RowFinder(text, kinds).values(0, None)


def _container_end(text: str, start: int) -> int | str:
    """Where the object or array ends that begins at `start`, or what is wrong with its brackets."""
    closers: list[str] = []
    at = start
    while stop := _STOPS.search(text, at):
        mark, at = stop[0], stop.end()
        if mark == '"':
            string = _STRING.match(text, stop.start())
            if not string:
                return NOT_JSON
            at = string.end()
        elif mark in "{[":
            closers.append("}" if mark == "{" else "]")
            if len(closers) > _MAX_DEPTH:
                return _TOO_DEEP
        else:
            if not closers or closers.pop() != mark:
                return NOT_JSON
            if not closers:
                return at
    return NOT_JSON


def _scalar_end(text: str, start: int) -> int:
    """Where a value ends that is no object or array."""
    found = (text[start] == '"' and _STRING.match(text, start)) or _SCALAR.match(text, start)
    return found.end() if found else start + 1


def _next_start(text: str, broken: int, *, is_array: bool) -> int:
    """The line behind a broken value on which another can begin, or the array end: no further in than the broken."""
    indent = broken - (text.rfind("\n", 0, broken) + 1)
    line = text.find("\n", broken) + 1
    while line > 0:
        at = line
        while at < len(text) and text[at] in " \t":
            at += 1
        if at - line <= indent and text[at : at + 1] in (("{", "[", "]") if is_array else ("{", "[")):
            return at
        line = text.find("\n", line) + 1
    return len(text)


def _fields(text: str, start: int) -> Iterator[tuple[str, int]]:
    """The keys of an object whose brackets are sound, each with where its value begins."""
    at = start + 1
    while True:
        at = _end(_BLANKS, text, at)
        key = _STRING.match(text, at)
        if not key:
            return
        colon = _end(_SPACE, text, key.end())
        if text[colon : colon + 1] != ":":
            return
        value = _end(_SPACE, text, colon + 1)
        end = _container_end(text, value) if text[value : value + 1] in ("{", "[") else _scalar_end(text, value)
        if isinstance(end, str):
            return
        yield _key_text(key[0]), value
        at = end


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return found.end() if found else start


def _key_text(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        return quoted[1:-1]


class _RowFinder:
    def __init__(self, text: str, kinds: RowKinds) -> None:
        self._text, self._kinds, self._at = text, kinds, 0
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def _line(self, at: int) -> int:
        return bisect_right(self._starts, at)

    def values(self, depth: int, split: str | None) -> Iterator[JsonRow]:
        """What stands one behind another, commas or none between: the whole text, or a list to its bracket."""
        text = self._text
        while True:
            start = self._at = _end(_BLANKS, text, self._at)
            mark = text[start : start + 1]
            if mark == "" or (depth > 0 and mark == "]"):
                self._at += 1
                return
            if mark == "[" and depth < _MAX_WRAPPED:
                yield from self._list(depth, split)
            elif mark in ("{", "["):
                end = _container_end(text, start)
                self._at = _next_start(text, start, is_array=depth > 0) if isinstance(end, str) else end
                yield from self._object(start, end, depth, split)
            else:
                self._at = _scalar_end(text, start)
                yield self._row(start, self._at, split)

    def _list(self, depth: int, split: str | None) -> Iterator[JsonRow]:
        start = self._at
        end = _container_end(self._text, start)
        found = None if isinstance(end, str) else self._parse(start, end)
        if isinstance(end, int) and isinstance(found, list) and self._kinds.is_dialogue(found):
            self._at = end
            yield JsonRow(self._line(start), {"messages": found}, split=split, is_list=True)
        else:
            self._at = start + 1
            yield from self.values(depth + 1, split)

    def _parse(self, start: int, end: int) -> Any:
        """The value there; None where it is too long or no JSON."""
        row = self._text[start:end]
        try:
            return None if is_too_long(row) else json.loads(row, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return None

    def _row(self, start: int, end: int | str, split: str | None) -> JsonRow:
        line = self._line(start)
        if isinstance(end, str):
            return JsonRow(line, reason=end, split=split)
        value = self._parse(start, end)
        if isinstance(value, dict):
            row = value.get("row")
            return JsonRow(line, row if isinstance(row, dict) and "row_idx" in value else value, split=split)
        if value is not None or self._text[start:end].strip() == "null":
            return JsonRow(line, reason="it is not a JSON object", split=split)
        is_long = is_too_long(self._text[start:end])
        return JsonRow(line, reason="it is longer than 1 MiB" if is_long else NOT_JSON, split=split)

    def _object(self, start: int, end: int | str, depth: int, split: str | None) -> Iterator[JsonRow]:
        row = self._row(start, end, split)
        if row.record is not None and self._kinds.is_row(row.record):
            yield row
            return
        columns = _column_rows(row.record) if row.record is not None else None
        can_hold = columns is None and isinstance(end, int) and depth < _MAX_WRAPPED
        lists = self._lists_of(start) if can_hold else []
        for record in columns or []:
            yield JsonRow(row.line, record, split=split)
        for key, value in lists:
            self._at = value
            side = split if split_of(key) is None else key
            if self._text[value] == "[":
                yield from self._list(depth + 1, side)
            else:
                yield from self._object(value, _container_end(self._text, value), depth + 1, side)
        if lists and isinstance(end, int):
            self._at = end
        elif columns is None:
            yield row

    def _lists_of(self, start: int) -> list[tuple[str, int]]:
        """Where the rows of an object lie that is none itself: lists of objects, or objects that hold such lists."""
        text = self._text
        fields = list(_fields(text, start))
        lists = [
            (key, at)
            for key, at in fields
            if text[at] == "[" and text[(inner := _end(_SPACE, text, at + 1)) : inner + 1] in ("{", "[")
        ]
        named = [(key, at) for key, at in lists if _is_list_key(key)]
        chosen = named or lists
        if not chosen:
            return [(key, at) for key, at in fields if text[at] == "{" and _is_list_key(key)]
        self._kinds.on_left([key for key, at in lists if (key, at) not in chosen])
        return chosen


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _is_list_key(key: str) -> bool:
    return key.lower() in _LISTS or split_of(key) is not None


def _column_rows(record: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The rows of an object that holds columns: lists of one length or, as pandas writes them, objects by index."""
    names, data = record.get("columns"), record.get("data")
    if isinstance(names, list) and isinstance(data, list) and all(isinstance(row, list) for row in data):
        return [{str(name): row[i] if i < len(row) else None for i, name in enumerate(names)} for row in data]
    columns = {name: _column(values) for name, values in record.items()}
    lengths = {len(values) for values in columns.values()}
    has_texts = any(all(not isinstance(value, (dict, list)) for value in values) for values in columns.values())
    if len(lengths) != 1 or lengths == {0} or not has_texts:
        return None
    return [{name: values[index] for name, values in columns.items()} for index in range(lengths.pop())]


def _column(values: Any) -> list[Any]:
    if isinstance(values, dict) and all(re.fullmatch("[0-9]+", key) for key in values):
        return list(values.values())
    return values if isinstance(values, list) else []
