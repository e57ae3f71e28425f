"""Rows that are one answer to a question in several wordings."""

from __future__ import annotations

from typing import Any

from .chat import Turn
from .json_rows import JsonRow
from .reading import Reading
from .words import split_of, trim

# The name of the item that holds what a character says before the visitor does.
GREETING = "greeting"
_MOST_WORDINGS = 100


def is_item(record: dict[str, Any]) -> bool:
    """Whether a JSON object is an item: one answer in several wordings, or a greeting."""
    return "item" in record and "answer" in record and ("questions" in record or record["item"] == GREETING)


class Items:
    """The items of a file by role and name, since any of them may stand before another."""

    def __init__(self) -> None:
        self._before: dict[tuple[object, object], list[Turn]] = {}

    def take(self, record: dict[str, Any], role: object) -> None:
        """Remembers what stands before a wording that names this item; of two with one name, the first."""
        questions, answer = record.get("questions"), record["answer"]
        if not isinstance(answer, str) or not isinstance(record["item"], str):
            return
        said = [Turn("user", questions[0])] if isinstance(questions, list) and questions else []
        self._before.setdefault((role, record["item"]), [*said, Turn("role", answer, is_learnt=False)])

    def add(self, row: JsonRow, record: dict[str, Any], role: object, into: Reading) -> None:
        """Adds a dialogue for each wording of an item; a greeting by itself is none."""
        fault = _fault(record) or self._fault_before(record, role)
        if fault:
            into.reject(row.line, fault)
            return
        questions = record.get("questions", [])
        after = record.get("after") or [None] * len(questions)
        held, split = record.get("held") or 0, record.get("split") or row.split
        side = split_of(split) or into.side
        for index, (question, name) in enumerate(zip(questions, after)):
            before = self._before[role, name] if name is not None else []
            is_held = side != "test" and index >= len(questions) - held
            turns = [*before, Turn("user", question), Turn("role", record["answer"])]
            into.add(row.line, role, "wording" if is_held else split, turns, record["item"])

    def _fault_before(self, record: dict[str, Any], role: object) -> str | None:
        for index, name in enumerate(record.get("after") or [], 1):
            if name is not None and (role, name) not in self._before:
                return f'its wording {index} stands after "{name}", which is no item of its character'
        return None


def _fault(record: dict[str, Any]) -> str | None:
    questions, held, after = record.get("questions", []), record.get("held"), record.get("after")
    if not isinstance(record["item"], str) or not trim(record["item"]):
        return "its item has no name"
    if not isinstance(record["answer"], str) or not trim(record["answer"]):
        return "it has no answer"
    if not isinstance(questions, list) or len(questions) > _MOST_WORDINGS:
        return f"its questions are no list of at most {_MOST_WORDINGS}"
    if record["item"] != GREETING and not questions:
        return "it has no question"
    for index, question in enumerate(questions, 1):
        if not isinstance(question, str) or not trim(question):
            return f"its wording {index} has no text"
    if held is not None and (isinstance(held, bool) or not isinstance(held, int) or not 0 <= held <= len(questions)):
        return f"held is none of 0 to {len(questions)}, the number of its questions"
    is_list = isinstance(after, list) and len(after) == len(questions)
    if after is not None and not (is_list and all(name is None or isinstance(name, str) for name in after)):
        return "after is no list with a name or null for each of its questions"
    return None
