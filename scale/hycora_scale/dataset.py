"""Data sets as dialogues: every form that the page reads, told apart by content."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .chat import Turn
from .errors import check
from .items import Items, is_item
from .scenes import add_card, add_chat, add_script, is_card, is_chat, is_script, text_lines
from .tables import add_csv, csv_header, guess_columns
from .text import decode_text

# What a dialogue is for: to be learnt, to measure what was never asked, or a known question in another wording.
SPLITS = ("train", "test", "wording")
# Speaker and text as they stand in a file.
RawTurn = tuple[str, Any]

_MAX_ROLE = 256
_MAX_TURNS = 1000
_MAX_ROW_BYTES = 2**20


@dataclass(frozen=True)
class Dialogue:
    """A dialogue; turns alternate, the last is the character's. `split` is None where the data says nothing.

    `item` names the question that it is a wording of.
    """

    role: str
    turns: tuple[Turn, ...]
    split: str | None
    line: int
    item: str | None = None


@dataclass
class Reading:
    """The dialogues of a file and the rows that are none, as (line, reason)."""

    dialogues: list[Dialogue] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)

    def add(
        self, line: int, role: object, split: object, raw: Iterable[RawTurn | Turn], item: str | None = None
    ) -> None:
        """Takes a row: system turns go, turns of one speaker are joined, what the visitor says last of all goes.

        A reply that is joined out of several is learnt where all of them are.
        """
        spoken = [turn if isinstance(turn, Turn) else Turn(*turn) for turn in raw]
        name = role.strip() if isinstance(role, str) else ""
        fault = _fault(name, split, spoken)
        if fault:
            self.rejected.append((line, fault))
            return
        turns: list[Turn] = []
        for turn in spoken:
            if turn.speaker == "system":
                continue
            said = turn.text.strip()
            if turns and turns[-1].speaker == turn.speaker:
                last = turns[-1]
                turns[-1] = Turn(last.speaker, f"{last.text}\n{said}", last.is_learnt and turn.is_learnt)
            else:
                turns.append(replace(turn, text=said))
        if turns and turns[-1].speaker == "user":
            turns.pop()
        if not any(turn.counts for turn in turns):
            self.rejected.append((line, "it has no reply of the character" + (" that is learnt" if turns else "")))
            return
        kept = split if isinstance(split, str) else None
        self.dialogues.append(Dialogue(name, tuple(turns), kept, line, item))


def _fault(name: str, split: object, raw: list[Turn]) -> str | None:
    if not name:
        return "it names no character"
    if len(name) > _MAX_ROLE or re.search(r"[\x00-\x1f\x7f-\x9f]", name):
        return "its character's name is too long or has control characters"
    if split not in (None, *SPLITS):
        return 'its split is none of "train", "test" and "wording"'
    if len(raw) > _MAX_TURNS:
        return f"it has {len(raw)} turns, at most {_MAX_TURNS} are read"
    for index, turn in enumerate(raw, 1):
        if not isinstance(turn.text, str):
            return f"its turn {index} has no text"
        if turn.speaker != "system" and not turn.text.strip():
            return f"its turn {index} is empty"
    return None


_SPEAKERS = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "role",
    "gpt": "role",
    "model": "role",
    "bot": "role",
    "role": "role",
    "character": "role",
}


@dataclass(frozen=True)
class DatasetOptions:
    """Who speaks in rows that name nobody, and which CSV columns hold what: (role or None, visitor, reply)."""

    role_name: str | None = None
    columns: tuple[str | None, str, str] | None = None


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

    Messages JSONL or JSON, ShareGPT, Alpaca, RoleBench (each of several references a dialogue of its own), SillyTavern,
    a card's examples, CSV, or `Name: line` text. Raises `format-invalid` for anything else.
    """
    reading = Reading()
    plain = re.sub(r"\r(?!\n)", "\n", text.removeprefix("\ufeff"))
    if re.match(r"\s*(?:\[\s*[{\]]|\{\s*[\"}])", plain):
        _read_json(plain, name, options.role_name, reading)
        return reading
    header = csv_header(plain)
    is_table = options.columns or (header and guess_columns(header[0]))
    if header and (is_table or re.search(r"\.[ct]sv$", name, re.IGNORECASE)):
        add_csv(plain, *header, options.role_name, reading, options.columns)
        return reading
    fact = f'{name} is no data set that is known: expected JSON, JSONL, CSV with a header, or "Name: line" text'
    check(is_script(plain), "format-invalid", fact)
    add_script(plain, options.role_name, name, reading)
    return reading


def _read_json(text: str, name: str, role_name: str | None, reading: Reading) -> None:
    records = []
    for line, row in _rows(text):
        if len(row.encode("utf8", "surrogatepass")) > _MAX_ROW_BYTES:
            reading.rejected.append((line, "it is longer than 1 MiB"))
            continue
        try:
            record = json.loads(row)
        except ValueError:
            reading.rejected.append((line, "it is not valid JSON"))
            continue
        if isinstance(record, dict):
            records.append((line, record))
        else:
            reading.rejected.append((line, "it is not a JSON object"))
    if records and is_chat(records[0][1]):
        add_chat(records, role_name, name, reading)
        return
    items = Items()
    for _, record in records:
        if is_item(record):
            items.take(record, _role_of(record, role_name))
    for line, record in records:
        if is_card(record):
            add_card(record, line, name, reading)
        elif is_item(record):
            items.add(record, line, _role_of(record, role_name), reading)
        else:
            add_record(record, line, reading, role_name)
    reading.rejected.sort()


def _rows(text: str) -> Iterable[tuple[int, str]]:
    """The rows of a JSON or JSONL text, with the line that each begins on."""
    stripped = text.strip()
    whole = None
    if stripped.startswith("[") or "\n" in stripped:
        with suppress(ValueError):
            whole = json.loads(stripped)
    if isinstance(whole, list):
        return [(1, json.dumps(element)) for element in whole]
    return [(1, stripped)] if isinstance(whole, dict) else text_lines(text)


def _first(record: dict[str, Any], keys: Iterable[str]) -> Any:
    return next((record[key] for key in keys if record.get(key) is not None), None)


def _role_of(record: dict[str, Any], role_name: str | None) -> Any:
    """Who speaks in a row: its `role`, `character` or `name`, else whoever the options name."""
    named = _first(record, ("role", "character", "name"))
    return named if isinstance(named, str) and named.strip() else role_name


def add_record(record: dict[str, Any], line: int, reading: Reading, role_name: str | None = None) -> None:
    """Reads a JSON object as a row of one of the families that are told apart by their keys."""
    role = _role_of(record, role_name)
    for key in ("messages", "conversations", "conversation", "turns"):
        if key in record:
            _add_turns(record, key, line, role, reading)
            return
    if "generated" in record:
        replies = record["generated"] if isinstance(record["generated"], list) else [record["generated"]]
        for reply in replies:
            reading.add(line, role, record.get("split"), [("user", record.get("question")), ("role", reply)])
        if not replies:
            reading.rejected.append((line, "it has no reply of the character"))
        return
    user, reply = ("instruction", "prompt", "question"), ("output", "response", "completion", "answer")
    if any(key in record for key in user) and any(key in record for key in reply):
        _add_instruction(record, line, role, reading, _first(record, user), _first(record, reply))
        return
    reason = "it has none of messages, conversations, instruction and output, question and generated"
    reading.rejected.append((line, reason))


def _add_turns(record: dict[str, Any], key: str, line: int, role: Any, reading: Reading) -> None:
    is_named = key == "turns"
    if not isinstance(record[key], list):
        reading.rejected.append((line, "its turns are not a list"))
        return
    turns: list[Turn] = []
    for index, entry in enumerate(record[key], 1):
        speaker, text = _turn(entry)
        weight = entry.get("weight") if isinstance(entry, dict) else None
        if weight not in (None, 0, 1):
            reading.rejected.append((line, f"its turn {index} has a weight that is neither 0 nor 1"))
            return
        word = speaker.lower() if isinstance(speaker, str) else ""
        known = _SPEAKERS.get(word) or ("role" if is_named and word else None)
        if known is None:
            reading.rejected.append((line, f"its turn {index} is neither the user's nor the assistant's"))
            return
        turns.append(Turn(known, text, weight != 0))
    item = record.get("item")
    reading.add(line, role, record.get("split"), turns, item if isinstance(item, str) and item.strip() else None)
    others = record.get("alt")
    if is_named and isinstance(others, list) and turns and turns[-1].speaker == "role":
        # Each further reference is a dialogue of its own.
        for text in others:
            reading.add(line, role, record.get("split"), [*turns[:-1], ("role", text)])


def _turn(entry: Any) -> tuple[Any, Any]:
    """Speaker and text of `{role, content}`, `{from, value}`, `{speaker, text}` or `[speaker, text]`."""
    if isinstance(entry, list):
        return (entry[0] if entry else None), (entry[1] if len(entry) > 1 else None)
    if not isinstance(entry, dict):
        return None, None
    content = _first(entry, ("value", "content", "text"))
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in content]
        content = "\n".join(parts) if all(isinstance(part, str) for part in parts) else None
    return _first(entry, ("from", "speaker", "role")), content


def _add_instruction(record: dict[str, Any], line: int, role: Any, reading: Reading, user: Any, reply: Any) -> None:
    before: list[tuple[str, object]] = []
    history = record.get("history")
    for pair in history if isinstance(history, list) else []:
        said, answered = [*pair, None, None][:2] if isinstance(pair, list) else (None, None)
        before += [("user", said), ("role", answered)]
    given = record.get("input")
    if isinstance(user, str) and isinstance(given, str) and given.strip():
        user = f"{user}\n\n{given}"
    reading.add(line, role, record.get("split"), [*before, ("user", user), ("role", reply)])


def split_path(path: Path) -> Path:
    """Where a split is written: beside the data."""
    return path.with_name(re.sub(r"\.(jsonl?|csv|txt)$", "", path.name, flags=re.IGNORECASE) + ".split.jsonl")


def data_files(paths: Iterable[str]) -> list[Path]:
    """The files that are named, and the JSONL and CSV files of folders."""
    files: list[Path] = []
    for word in paths:
        path = Path(word)
        check(path.exists(), "usage", f"{word} is no file and no folder")
        inside = sorted(path.glob("*.jsonl")) + sorted(path.glob("*.csv")) if path.is_dir() else [path]
        files += [file for file in inside if path.is_file() or not file.name.endswith(".split.jsonl")]
    return files


def read_files(paths: Iterable[str], options: DatasetOptions = AS_WRITTEN) -> tuple[list[Dialogue], list[str]]:
    """The dialogues of files and folders, and what cannot be used, a line each."""
    dialogues: list[Dialogue] = []
    notes: list[str] = []
    for file in data_files(paths):
        text, warning = decode_text(file.read_bytes(), file.name)
        notes += [f"warning: {warning}"] if warning else []
        reading = read_dataset(text, file.name, options)
        dialogues += reading.dialogues
        notes += [f"{file.name}:{line}: {reason}" for line, reason in reading.rejected]
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
