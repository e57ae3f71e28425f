"""Tables as data sets: CSV, a row a record, columns told by their names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .fields import Fields
from .records import Row, Sinks, add_record, kind_of
from .text_rows import is_too_long
from .words import trim

_DELIMITERS = (",", "\t", ";", "|")
_MAX_CELLS = 1024
_MOST = 2**20
# How Excel says which delimiter follows.
_SEPARATOR_LINE = re.compile(r'\s*"?sep=(.)"?[^\n]*(?:\n|$)', re.IGNORECASE)
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')


@dataclass(frozen=True)
class CsvRecord:
    """A record of a table, or why it cannot be read."""

    line: int
    cells: list[str]
    fault: str | None = None


@dataclass(frozen=True)
class CsvHeader:
    """What a table's first record says."""

    columns: list[str]
    delimiter: str


def csv_records(text: str, delimiter: str) -> Iterator[CsvRecord]:
    """The records of a CSV text as RFC 4180 has them; a line that says the delimiter is none.

    After one that cannot be read, reading goes on with the next line.
    """
    said = _SEPARATOR_LINE.match(text)
    at = said.end() if said else 0
    line = 1 + text.count("\n", 0, at)
    while at < len(text):
        cells, end, fault = _read_record(text, at, delimiter)
        if fault is not None:
            newline = text.find("\n", at)
            end = len(text) if newline < 0 else newline + 1
            yield CsvRecord(line, [], fault)
        elif any(trim(cell) for cell in cells):
            yield CsvRecord(line, cells)
        line += text.count("\n", at, end)
        at = end


def _read_record(text: str, start: int, delimiter: str) -> tuple[list[str], int, str | None]:
    cells: list[str] = []
    at = start
    while True:
        if at - start > _MOST:
            return cells, start, "it is longer than 1 MiB"
        if len(cells) >= _MAX_CELLS:
            return cells, start, f"it has more than {_MAX_CELLS} cells"
        if text[at : at + 1] == '"':
            quoted = _QUOTED.match(text, at)
            if not quoted or quoted.end() - at > _MOST + 2:
                return cells, start, "a quotation mark is not closed within 1 MiB"
            cells.append(quoted[1].replace('""', '"'))
            at = quoted.end()
        else:
            begin = at
            while at < len(text) and text[at] not in (delimiter, "\n"):
                at += 1
            cells.append(text[begin:at])
        if at >= len(text):
            return cells, at, None
        at += 1
        if text[at - 1] == "\n":
            return cells, at, None
        if text[at - 1] != delimiter:
            return cells, start, "text follows a closing quotation mark"


def _without_padding(cells: list[str], least: int) -> list[str]:
    """Cells without the empty ones at the end, which spreadsheets pad rows with."""
    length = len(cells)
    while length > least and not trim(cells[length - 1]):
        length -= 1
    return cells[:length]


def csv_header(text: str) -> CsvHeader | None:
    """The header of a CSV text.

    By the delimiter that its first line names, else by the one that makes columns which are known, else by the one that
    makes most of them.
    """
    said = _SEPARATOR_LINE.match(text)
    headers = []
    for delimiter in [said[1]] if said else _DELIMITERS:
        first = next(csv_records(text[:65536], delimiter), CsvRecord(1, []))
        headers.append(CsvHeader([trim(cell) for cell in _without_padding(first.cells, 1)], delimiter))
    widest = max(headers, key=lambda header: len(header.columns))
    known = [header for header in headers if are_known(header.columns)]
    best = next((header for header in known if len(header.columns) == len(widest.columns)), None)
    if best or known:
        return best or known[0]
    return widest if len(widest.columns) > 1 and widest.delimiter != "|" else None


def are_known(columns: list[str]) -> bool:
    """Whether columns say by their names what is what."""
    return kind_of(Fields([(column, "name") for column in columns])) is not None


def add_table(text: str, header: CsvHeader, sinks: Sinks) -> None:
    """Reads a CSV text, a row a record, by the user's columns or those that the header's names suggest."""
    columns, into, mapping = header.columns, sinks.into, sinks.options.columns
    missing = next((column for column in mapping or () if column is not None and column not in columns), None)
    if missing is not None:
        into.reject(1, f"it has no column {json.dumps(missing, ensure_ascii=False)}")
        return
    if not mapping and not are_known(columns):
        into.reject(1, "which of its columns are the visitor's and the character's is unknown")
        return
    twice = next((name for index, name in enumerate(columns) if name and name in columns[:index]), None)
    if twice is not None:
        into.tell(f"Two columns are called {twice}; the first is read.")
    records = csv_records(text, header.delimiter)
    next(records)
    for record in records:
        cells = _without_padding(record.cells, len(columns))
        if record.fault is not None:
            into.reject(record.line, record.fault)
        elif len(cells) != len(columns):
            into.reject(record.line, f"it has {len(cells)} cells, the header has {len(columns)}")
        elif any(map(is_too_long, cells)):
            into.reject(record.line, "it is longer than 1 MiB")
        else:
            entries = _mapped(columns, cells, mapping) if mapping else list(zip(columns, cells))
            add_record(Row(Fields(entries), record.line), sinks)


def _mapped(columns: list[str], cells: list[str], mapping: tuple[str | None, str, str]) -> list[tuple[str, str]]:
    """The names under which a row is read, by the user's columns."""
    role, user, reply = mapping
    of = dict(zip(reversed(columns), reversed(cells)))
    named = [] if role is None else [("character", of[role])]
    sides = [("split", cell) for column, cell in zip(columns, cells) if column.lower() == "split"]
    return [*named, ("question", of[user]), ("answer", of[reply]), *sides[:1]]
