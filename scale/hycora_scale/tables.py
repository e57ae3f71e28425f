"""CSV as a data set: one exchange a record, columns told by their names."""

from __future__ import annotations

import csv
import io
import json

from .scenes import Collector

_ROLE = ("role", "character", "char", "name", "persona", "speaker", "character_name")
_USER = ("user", "question", "prompt", "instruction", "input", "visitor", "human", "message", "query")
_REPLY = ("reply", "response", "answer", "output", "assistant", "completion", "bot", "line", "text")


def csv_header(text: str) -> tuple[list[str], str] | None:
    """The header under whichever delimiter gives most columns; None when it has fewer than two."""
    headers = [(next(csv.reader(io.StringIO(text[:65536]), delimiter=mark), []), mark) for mark in ",\t;"]
    columns, delimiter = max(headers, key=lambda header: len(header[0]))
    return ([column.strip() for column in columns], delimiter) if len(columns) > 1 else None


def guess_columns(columns: list[str]) -> tuple[int | None, int, int] | None:
    """The places of role, visitor and reply; None when no column is the visitor's or none the character's."""
    lower = [column.lower() for column in columns]

    def find(names: tuple[str, ...]) -> int | None:
        return next((lower.index(name) for name in names if name in lower), None)

    user, reply = find(_USER), find(_REPLY)
    return None if user is None or reply is None else (find(_ROLE), user, reply)


def _places(columns: list[str], mapping: tuple[str | None, str, str]) -> tuple[int | None, int, int]:
    role, user, reply = mapping
    return None if role is None else columns.index(role), columns.index(user), columns.index(reply)


def add_csv(
    text: str,
    columns: list[str],
    delimiter: str,
    role_name: str | None,
    into: Collector,
    mapping: tuple[str | None, str, str] | None = None,
) -> None:
    """Reads a CSV text with a header, by the columns of role, visitor and reply that are named or guessed."""
    missing = next((column for column in mapping or () if column is not None and column not in columns), None)
    if missing is not None:
        into.rejected.append((1, f"it has no column {json.dumps(missing, ensure_ascii=False)}"))
        return
    places = _places(columns, mapping) if mapping else guess_columns(columns)
    if places is None:
        into.rejected.append((1, "which of its columns are the visitor's and the character's is unknown"))
        return
    role, user, reply = places
    split = next((index for index, column in enumerate(columns) if column.lower() == "split"), None)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    next(reader)
    end = reader.line_num
    for cells in reader:
        line, end = end + 1, reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            into.rejected.append((line, f"it has {len(cells)} cells, the header has {len(columns)}"))
            continue
        named = cells[role].strip() if role is not None else ""
        side = cells[split].strip() or None if split is not None else None
        into.add(line, named or role_name, side, [("user", cells[user]), ("role", cells[reply])])
