"""Data sets as dialogues: every form that the page reads, told apart by content."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import regex as re

from .card_examples import add_card, is_card
from .errors import check
from .fields import Fields
from .file_sides import file_sides
from .items import Items, is_item
from .json_rows import JsonRow, RowKinds, json_rows
from .log_rows import LogRows
from .reading import DatasetOptions, Dialogue, Reading
from .records import Row, Sinks, add_record, is_row, own_role
from .scenes import Scene, SceneLine, add_scenes
from .script import add_script, is_script
from .stamped import add_stamped, is_stamped
from .tables import add_table, are_known, csv_header
from .text import decode_text
from .turns import is_dialogue
from .words import plain_name, trim

# What a dialogue is for: to be learnt, to measure what was never asked, or a known question in another wording.
SPLITS = ("train", "test", "wording")
AS_WRITTEN = DatasetOptions()


def columns_of(text: str) -> tuple[str | None, str, str]:
    """The columns of a CSV file as `user=…,reply=…[,role=…]` names them. Raises `usage` for anything else."""
    parts = re.split(r",(?=(?:user|reply|role)=)", text)
    named = {key: column.strip() for key, _, column in (part.partition("=") for part in parts)}
    is_known = set(named) <= {"user", "reply", "role"} and len(named) == len(parts) and all(named.values())
    fact = f'--columns is "{text}", expected user=COLUMN,reply=COLUMN and perhaps role=COLUMN'
    check(is_known and "user" in named and "reply" in named, "usage", fact)
    return named.get("role"), named["user"], named["reply"]


def read_dataset(text: str, name: str, options: DatasetOptions = AS_WRITTEN) -> Reading:
    """Reads a data set, told apart by content.

    Rows in JSON Lines or JSON, in whichever way they stand there (messages, ShareGPT, Alpaca, preferences, RoleBench,
    lines by their speakers, items), a SillyTavern chat, a card's examples, a table of such rows, the export of a
    messenger, or `Name: line` text. Raises `format-invalid` for anything else.
    """
    into = Reading(name, options.side)
    sinks = Sinks(into, LogRows(into), options)
    _read_into(re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff")), sinks)
    sinks.logs.finish(options.role_name)
    into.rejected.sort(key=lambda row: row[0])
    return into


def _read_into(text: str, sinks: Sinks) -> None:
    into, name, options = sinks.into, sinks.into.name, sinks.options
    if re.match(r"\s*(?:\[\s*[\"\[{\]]|\{\s*[\"}])", text):
        _read_json(text, sinks)
        return
    fact = f"{name} is written by Python's str(), not as JSON: save it with json.dumps()"
    check(not re.match(r"\s*[\[{]\s*[\[{]?\s*'", text), "format-unsupported", fact)
    yaml = r"^\s*-\s+(?:conversations|from|messages|role|speaker|user)\s*:"
    fact = f"{name} looks like YAML, which is not read: save it as JSON"
    check(not re.search(yaml, text[:4096], re.MULTILINE), "format-unsupported", fact)
    if is_stamped(text):
        add_stamped(text, options.role_name, into)
        return
    header = csv_header(text)
    is_table = options.columns or (header and len(header.columns) > 1 and are_known(header.columns))
    if header and (is_table or re.search(r"\.[ct]sv$", name, re.IGNORECASE)):
        add_table(text, header, sinks)
        return
    fact = f'{name} is no data set that is known: expected JSON, JSONL, CSV with a header, or "Name: line" text'
    check(is_script(text), "format-invalid", fact)
    add_script(text, options.role_name, into)


def _read_json(text: str, sinks: Sinks) -> None:
    into = sinks.into
    kinds = RowKinds(_is_any_row, is_dialogue, into.leave)
    rows = list(json_rows(text, kinds))
    first = next((row.record for row in rows if row.record is not None), None)
    if first is not None and _is_chat(first):
        _add_chat(rows, sinks)
        return
    items = Items()
    for row in rows:
        if row.record is not None and is_item(row.record):
            items.take(row.record, _role_of(row.record, sinks))
    for row in rows:
        if row.record is None:
            into.reject(row.line, row.reason)
        elif is_card(row.record):
            add_card(row.record, row.line, into)
        elif is_item(row.record):
            items.add(row, row.record, _role_of(row.record, sinks), into)
        else:
            add_record(Row(Fields(row.record), row.line, row.split, row.is_list), sinks)


def _is_any_row(record: dict[str, Any]) -> bool:
    return is_card(record) or is_item(record) or _is_chat(record) or is_row(record)


def _role_of(record: dict[str, Any], sinks: Sinks) -> str | None:
    own = own_role(Fields(record), sinks)
    return sinks.options.role_name if own is None else own


def _is_chat(record: dict[str, Any]) -> bool:
    """Whether a line is a header or a message of a SillyTavern chat."""
    if "mes" in record:
        return "is_user" in record or "name" in record
    return ("chat_metadata" in record or "character_name" in record) and "messages" not in record


def _known(name: object) -> str | None:
    """Newer files say "unused" where older ones have a name."""
    plain = plain_name(name) if isinstance(name, str) else ""
    return plain if plain not in ("", "unused") else None


def _add_chat(rows: Iterable[JsonRow], sinks: Sinks) -> None:
    """Reads a SillyTavern chat: every character in it learns its own messages; hidden ones are left out."""
    into, lines = sinks.into, []
    character = sinks.options.role_name
    for row in rows:
        record = row.record
        if record is None:
            into.reject(row.line, row.reason)
            continue
        if "mes" not in record and _is_chat(record):
            character = character or _known(record.get("character_name"))
            continue
        said = record.get("mes")
        # Chub's lines carry `{message}` where others carry the text itself.
        text = said.get("message") if isinstance(said, dict) else said
        if not isinstance(text, str) or not trim(text):
            into.reject(row.line, "it has no text")
        elif record.get("is_system") is not True:
            lines.append(_chat_line(record, character, text, row.line))
    add_scenes([Scene(lines)], character, into)


def _chat_line(record: dict[str, Any], character: str | None, text: str, line: int) -> SceneLine:
    if record.get("is_user") is True:
        return SceneLine("visitor", "", text, line)
    name = _known(record.get("name")) or character or ""
    is_character = name in ("", character)
    return SceneLine("character" if is_character else "named", "" if is_character else name, text, line)


def split_path(path: Path) -> Path:
    """Where a split is written: beside the data."""
    return path.with_name(re.sub(r"\.(jsonl?|csv|txt)$", "", path.name, flags=re.IGNORECASE) + ".split.jsonl")


@dataclass(frozen=True)
class DataFile:
    """A file of data, called by its path within the folder that was named, or by its own name."""

    name: str
    path: Path


_DATA = (".jsonl", ".ndjson", ".csv", ".tsv")
_OTHER_DATA = (".json", ".txt", ".parquet", ".arrow", ".xlsx")


def data_files(paths: Iterable[str]) -> list[DataFile]:
    """The files that are named, and the lines and tables of folders but splits that were drawn."""
    files: list[DataFile] = []
    for word in paths:
        path = Path(word)
        check(path.exists(), "usage", f"{word} is no file and no folder")
        files += _data_in(path) if path.is_dir() else [DataFile(path.name, path)]
    return files


def _inside(folder: Path) -> list[DataFile]:
    found = [DataFile(path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file()]
    seen = [file for file in found if not any(part.startswith(".") for part in file.name.split("/"))]
    return sorted(seen, key=lambda file: file.name)


def _data_in(folder: Path) -> list[DataFile]:
    data = [file for file in _inside(folder) if file.path.suffix.lower() in _DATA]
    return [file for file in data if not file.name.endswith(".split.jsonl")]


def _left_notes(paths: Iterable[str]) -> list[str]:
    """What lies in folders and may be data, but is not read."""
    notes = []
    for word in paths:
        inside = _inside(Path(word)) if Path(word).is_dir() else []
        left = ", ".join(file.name for file in inside if file.path.suffix.lower() in _OTHER_DATA)
        if left:
            notes.append(f"warning: {word}: of a folder only {', '.join(_DATA)} are read, not {left}")
    return notes


def _side_notes(files: list[DataFile], sides: list[str | None]) -> list[str]:
    """What the names of files say of their rows."""
    learnt, held = (
        ", ".join(file.name for file, own in zip(files, sides) if own == side) for side in ("train", "test")
    )
    first = f"{learnt} is learnt, " if learnt else ""
    return [f"By the files' names {first}{held} is held out."] if held else []


def read_files(paths: list[str], options: DatasetOptions = AS_WRITTEN) -> tuple[list[Dialogue], list[str]]:
    """The dialogues of files and folders, and what cannot be used, a line each.

    The sides of rows are taken from the files' names where neither row nor key says them.
    """
    files = data_files(paths)
    sides = file_sides([file.path.as_posix() for file in files])
    dialogues: list[Dialogue] = []
    notes = [*_left_notes(paths), *_side_notes(files, sides)]
    for file, side in zip(files, sides):
        text, warning = decode_text(file.path.read_bytes(), file.name)
        notes += [f"warning: {warning}"] if warning else []
        reading = read_dataset(text, file.name, replace(options, side=side))
        dialogues += reading.dialogues
        notes += [f"{file.name}:{line}: {reason}" for line, reason in reading.rejected]
        notes += [f"{file.name}: {note}" for note in reading.notes()]
    check(dialogues, "format-invalid", f"{', '.join(paths)} has no row that is a dialogue")
    return dialogues, notes


def write_dataset(dialogues: Iterable[Dialogue]) -> str:
    """Messages JSONL with role, item and split, which reads back the same."""
    lines = []
    for dialogue in dialogues:
        messages = [
            {"role": "user" if turn.speaker == "user" else "assistant", "content": turn.text}
            | ({} if turn.is_learnt else {"weight": 0})
            for turn in dialogue.turns
        ]
        about = {"item": dialogue.item, "split": dialogue.split}
        given = {key: value for key, value in about.items() if value}
        lines.append(json.dumps({"role": dialogue.role, **given, "messages": messages}, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines)
