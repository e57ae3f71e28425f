"""Data sets as dialogues: every form that the page reads, told apart by content."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .chat import Turn
from .errors import check
from .random import Random

_MAX_ROLE = 256
_MAX_TURNS = 1000
_MAX_ROW_BYTES = 2**20


@dataclass(frozen=True)
class Dialogue:
    """A dialogue; turns alternate, the last is the character's. `split` is None where the data says nothing."""

    role: str
    turns: tuple[Turn, ...]
    split: str | None
    line: int


@dataclass
class Reading:
    """The dialogues of a file and the rows that are none, as (line, reason)."""

    dialogues: list[Dialogue] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, role: object, split: object, raw: Iterable[tuple[str, object]]) -> None:
        """Takes a row: system turns go, turns of one speaker are joined, what the visitor says last of all goes."""
        spoken = list(raw)
        name = role.strip() if isinstance(role, str) else ""
        fault = _fault(name, split, spoken)
        if fault:
            self.rejected.append((line, fault))
            return
        turns: list[Turn] = []
        for speaker, text in spoken:
            if speaker == "system":
                continue
            said = str(text).strip()
            if turns and turns[-1].speaker == speaker:
                turns[-1] = Turn(speaker, f"{turns[-1].text}\n{said}")
            else:
                turns.append(Turn(speaker, said))
        if turns and turns[-1].speaker == "user":
            turns.pop()
        if not turns:
            self.rejected.append((line, "it has no reply of the character"))
            return
        self.dialogues.append(Dialogue(name, tuple(turns), split if isinstance(split, str) else None, line))


def _fault(name: str, split: object, raw: list[tuple[str, object]]) -> str | None:
    if not name:
        return "it names no character"
    if len(name) > _MAX_ROLE or re.search(r"[\x00-\x1f\x7f-\x9f]", name):
        return "its character's name is too long or has control characters"
    if split not in (None, "train", "test"):
        return 'its split is neither "train" nor "test"'
    if len(raw) > _MAX_TURNS:
        return f"it has {len(raw)} turns, at most {_MAX_TURNS} are read"
    for index, (speaker, text) in enumerate(raw, 1):
        if not isinstance(text, str):
            return f"its turn {index} has no text"
        if speaker != "system" and not text.strip():
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


def read_dataset(text: str, name: str) -> Reading:
    """Reads messages JSONL or JSON, ShareGPT, Alpaca or RoleBench; raises `format-invalid` for anything else."""
    reading = Reading()
    plain = text.removeprefix("\ufeff")
    for line, row in _rows(plain):
        if len(row.encode("utf8", "surrogatepass")) > _MAX_ROW_BYTES:
            reading.rejected.append((line, "it is longer than 1 MiB"))
            continue
        try:
            record = json.loads(row)
        except ValueError:
            reading.rejected.append((line, "it is not valid JSON"))
            continue
        if isinstance(record, dict):
            add_record(record, line, reading)
        else:
            reading.rejected.append((line, "it is not a JSON object"))
    return reading


def _rows(text: str) -> Iterable[tuple[int, str]]:
    """The rows of a JSON or JSONL text, with the line that each begins on."""
    stripped = text.strip()
    if stripped.startswith("["):
        try:
            elements = json.loads(stripped)
        except ValueError:
            elements = None
        if isinstance(elements, list):
            return [(1, json.dumps(element)) for element in elements]
    if stripped.startswith("{") and "\n" in stripped:
        try:
            json.loads(stripped)
            return [(1, stripped)]
        except ValueError:
            pass
    return [(line, row) for line, row in enumerate(text.split("\n"), 1) if row.strip()]


def _first(record: dict[str, Any], keys: Iterable[str]) -> Any:
    return next((record[key] for key in keys if record.get(key) is not None), None)


def add_record(record: dict[str, Any], line: int, reading: Reading, role_name: str | None = None) -> None:
    """Reads a JSON object as a row of one of the families that are told apart by their keys."""
    named = _first(record, ("role", "character", "name"))
    role = named if isinstance(named, str) and named.strip() else role_name
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
    turns: list[tuple[str, object]] = []
    for index, entry in enumerate(record[key], 1):
        speaker, text = _turn(entry)
        word = speaker.lower() if isinstance(speaker, str) else ""
        known = _SPEAKERS.get(word) or ("role" if is_named and word else None)
        if known is None:
            reading.rejected.append((line, f"its turn {index} is neither the user's nor the assistant's"))
            return
        turns.append((known, text))
    reading.add(line, role, record.get("split"), turns)
    others = record.get("alt")
    if is_named and isinstance(others, list) and turns and turns[-1][0] == "role":
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
        said, answered = (pair + [None, None])[:2] if isinstance(pair, list) else (None, None)
        before += [("user", said), ("role", answered)]
    given = record.get("input")
    if isinstance(user, str) and isinstance(given, str) and given.strip():
        user = f"{user}\n\n{given}"
    reading.add(line, role, record.get("split"), [*before, ("user", user), ("role", reply)])


# --- the split ---------------------------------------------------------------------------------------------------------

_HELD_OUT = 1 / 5
_LEAST_DIALOGUES = 3


def _normalise(text: str) -> str:
    import unicodedata

    folded = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"[^\w]+|_", " ", folded).strip()


def _keys(dialogue: Dialogue) -> list[str]:
    """What makes two dialogues the same: all that the visitor says, or all that the character says."""
    keys = []
    for side in ("user", "role"):
        key = _normalise("\n".join(turn.text for turn in dialogue.turns if turn.speaker == side))
        if key:
            keys.append(f"{side} {key}")
    return keys


def _groups(dialogues: list[Dialogue]) -> list[list[int]]:
    """The indices of dialogues that share a key with one another, in order of first appearance."""
    parent = list(range(len(dialogues)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    holders: dict[str, int] = {}
    for index, dialogue in enumerate(dialogues):
        for key in _keys(dialogue):
            holder = holders.setdefault(key, index)
            low, high = sorted((root(holder), root(index)))
            parent[high] = low
    groups: dict[int, list[int]] = {}
    for index in range(len(dialogues)):
        groups.setdefault(root(index), []).append(index)
    return list(groups.values())


def _count(dialogues: Iterable[Dialogue]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for dialogue in dialogues:
        counts[dialogue.role] = counts.get(dialogue.role, 0) + 1
    return counts


def split_dialogues(dialogues: list[Dialogue], seed: int) -> list[Dialogue]:
    """Holds out a fifth of every role's dialogues; rows with a split keep it, copies stand on one side."""
    random = Random(seed, 1)
    room = {
        role: 0 if count < _LEAST_DIALOGUES else max(1, int(count * _HELD_OUT + 0.5))
        for role, count in _count(dialogues).items()
    }
    for dialogue in dialogues:
        if dialogue.split == "test":
            room[dialogue.role] -= 1
    held_out: set[int] = set()
    drawn = [(random.next_u32(), index, group) for index, group in enumerate(_groups(dialogues))]
    for _, _, group in sorted(drawn):
        members = [dialogues[index] for index in group]
        open_rows = [index for index in group if dialogues[index].split is None]
        counts = _count(dialogues[index] for index in open_rows)
        is_test = any(member.split == "test" for member in members)
        is_train = any(member.split == "train" for member in members)
        fits = all(count <= room.get(role, 0) for role, count in counts.items())
        # A copy of a row that was marked follows it.
        if is_test or (not is_train and fits):
            held_out.update(open_rows)
            for role, count in counts.items():
                room[role] -= count
    return [
        replace(dialogue, split=dialogue.split or ("test" if index in held_out else "train"))
        for index, dialogue in enumerate(dialogues)
    ]


# --- files -------------------------------------------------------------------------------------------------------------


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


def read_files(paths: Iterable[str]) -> tuple[list[Dialogue], list[str]]:
    """The dialogues of files and folders, and what cannot be used, a line each."""
    dialogues: list[Dialogue] = []
    notes: list[str] = []
    for file in data_files(paths):
        reading = read_dataset(file.read_text("utf8"), file.name)
        dialogues += reading.dialogues
        notes += [f"{file.name}:{line}: {reason}" for line, reason in reading.rejected]
    check(dialogues, "format-invalid", f"{', '.join(paths)} has no row that is a dialogue")
    return dialogues, notes


def write_dataset(dialogues: Iterable[Dialogue]) -> str:
    """Messages JSONL with role and split, which reads back the same."""
    lines = []
    for dialogue in dialogues:
        messages = [
            {"role": "user" if turn.speaker == "user" else "assistant", "content": turn.text} for turn in dialogue.turns
        ]
        split = {"split": dialogue.split} if dialogue.split else {}
        lines.append(json.dumps({"role": dialogue.role, **split, "messages": messages}, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines)
