"""Packs the cast's items into rows of several answers, as the shipped packs were trained on them.

python experiments/answers.py OUT.jsonl [--passes 3] [--begin 0] [--seed 1] [--facts 1] [--talks 0.4] [--scenes 0.05]

A row of one short answer costs a line, a greeting and a template for a few words to learn. Five answers of one role,
drawn anew for each pass and each in another wording, share them, and the later ones learn to answer behind other talk.
Half of the rows have the greeting before them, which is not learnt. An item that states a fact may come several times
a pass, each time in another wording. Held-out wordings and questions stay out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

LINES = Path(__file__).resolve().parents[2] / "public/cast/lines.jsonl"
ANSWERS_OF_A_ROW = 5

Row = dict[str, Any]


def message(speaker: str, content: str) -> Row:
    """A turn of the messages form."""
    return {"role": speaker, "content": content}


def wording(record: Row, index: int) -> str:
    """The wording of an item that pass `index` takes; the same order for the same answer, whatever the seed."""
    learnt = record["questions"][: len(record["questions"]) - record.get("held", 0)]
    Random(record["role"] + record["answer"]).shuffle(learnt)
    return learnt[index % len(learnt)]


def drawn(items: list[Row], index: int, facts: int) -> Iterator[tuple[str, Row]]:
    """Questions of a pass with their items: each item once, `facts` times where it states one."""
    for record in items:
        times = facts if record.get("facts") else 1
        for time in range(times):
            yield wording(record, index * times + time), record


@dataclass(frozen=True)
class Lines:
    """What is learnt: items by role, conversations and scenes, greetings by role."""

    items: dict[str, list[Row]]
    dialogues: list[Row]
    greetings: dict[str, str]


def read_lines() -> Lines:
    """The cast's data set without what is held out."""
    lines = Lines({}, [], {})
    for record in map(json.loads, LINES.read_text("utf8").splitlines()):
        if "item" in record and "questions" not in record:
            lines.greetings[record["role"]] = record["answer"]
        elif record["split"] == "train":
            (lines.items.setdefault(record["role"], []) if "item" in record else lines.dialogues).append(record)
    return lines


def pass_options(about: str | None) -> argparse.ArgumentParser:
    """What passes are made of."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--begin", type=int, default=0, help="number of the first pass: a later one has other wordings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--facts", type=int, default=1, help="how often an item that states a fact comes in a pass")
    parser.add_argument("--talks", type=float, default=0.4, help="share of the conversations in a pass")
    parser.add_argument("--scenes", type=float, default=0.05, help="share of the witty exchanges in a pass")
    return parser


def packed(role: str, exchanges: list[tuple[str, str]], greeting: str | None, random: Random) -> Iterator[Row]:
    """The rows of a role's exchanges in one pass."""
    random.shuffle(exchanges)
    for start in range(0, len(exchanges), ANSWERS_OF_A_ROW):
        messages = []
        for question, answer in exchanges[start : start + ANSWERS_OF_A_ROW]:
            messages += [message("user", question), message("assistant", answer)]
        if greeting is not None and random.random() < 0.5:
            messages.insert(0, {**message("assistant", greeting), "weight": 0})
        yield {"role": role, "split": "train", "messages": messages}


def main() -> None:
    """Writes the rows of all passes, each pass mixed in itself."""
    parser = pass_options(__doc__)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    random = Random(options.seed)
    lines = read_lines()
    rows: list[tuple[float, Row]] = []
    for index in range(options.begin, options.begin + options.passes):
        for role, own in lines.items.items():
            exchanges = [(question, record["answer"]) for question, record in drawn(own, index, options.facts)]
            made = packed(role, exchanges, lines.greetings.get(role), random)
            rows += [(index + random.random(), row) for row in made]
        for record in lines.dialogues:
            share = options.talks if record["id"].startswith("talk") else options.scenes
            if random.random() < share:
                row = {key: record[key] for key in ("role", "split", "messages")}
                rows.append((index + random.random(), row))
    rows.sort(key=lambda entry: entry[0])
    options.out.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for _, row in rows), "utf8")


if __name__ == "__main__":
    main()
