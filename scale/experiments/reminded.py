"""Packs the cast's items into rows of several answers behind reminders, as batches for `train --batches`.

python experiments/reminded.py BACKBONE PACK OUT.safetensors [--batch 4]

The page puts what a character's lorebook says of a visitor's message before that message. So do these rows, by the same
rule. Some rows lack it, so that a character answers without, too; in some a name or a number is another one in both
reminder and answer, so that it is read there and not known by heart. Items that state one fact are asked for in one of
its ways, by a share. The settings of `answers.py` are the same here.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from answers import ANSWERS_OF_A_ROW, Lines, Row, drawn, pass_options, read_lines
from safetensors.torch import save_file
from torch import Tensor

from hycora_scale.batches import Batch, pad_batch
from hycora_scale.chat import Codec, TokenRow, Turn, encode_row, load_codec
from hycora_scale.folders import backbone_folder
from hycora_scale.pack import read_pack

ROOT = Path(__file__).resolve().parents[2]
CAST, BOOKS = ROOT / "data/cast", ROOT / "public/cast/books.json"
MOST_REMINDERS = 4
# How often what an answer states is among the reminders: where the question calls it, and where it does not.
CALLED, BESIDE = 0.95, 0.5
# Shares of exchanges: without reminders, with something else in reminder and answer.
WITHOUT, OTHERWISE = 0.15, 0.25
MOST_TOKENS = 512
NUMBERS = [
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "twenty",
    "thirty",
]
COLOURS = ["black", "white", "red", "green", "blue", "brown", "grey", "golden"]


@dataclass(frozen=True)
class Exchange:
    """A question, what the character is reminded of before it, and the answer."""

    reminders: tuple[str, ...]
    question: str
    answer: str

    def turns(self) -> Iterator[Turn]:
        """As turns of a row."""
        if self.reminders:
            yield Turn("system", "\n".join(self.reminders))
        yield Turn("user", self.question)
        yield Turn("role", self.answer)


class Sheet:
    """The facts of a character, and what of them its lorebook says of a question."""

    def __init__(self, facts: list[Row], book: Row) -> None:
        self.facts = facts
        self.ways = {fact["id"]: fact["ways"] for fact in facts}
        own = book["extensions"]["hycora"]
        self._least_share, self._least_weight = own["least_share"], own["least_weight"]
        self._weights = [entry["extensions"]["hycora"]["weights"] for entry in book["entries"]]

    def called_by(self, question: str, stated: Sequence[str], random: Random) -> list[Row]:
        """What the lorebook says of a question, for the most part, and at times what the answer states beside it."""
        asked = set(re.findall(r"[^\W_]+", question.lower()))
        weighed = [sum(weights.get(word, 0) for word in asked) for weights in self._weights]
        least = max(self._least_weight, self._least_share * max(weighed))
        called = [index for index, weight in enumerate(weighed) if weight >= least]
        chosen = set()
        for index in sorted(called, key=lambda index: -weighed[index])[:MOST_REMINDERS]:
            if self.facts[index]["id"] not in stated or random.random() < CALLED:
                chosen.add(index)
        for index, fact in enumerate(self.facts):
            if fact["id"] in stated and index not in called and random.random() < BESIDE:
                chosen.add(index)
        return [self.facts[index] for index in sorted(chosen)]


def kind_of(word: str) -> str:
    """Which words may stand in place of one."""
    for name, words in (("number", NUMBERS), ("colour", COLOURS)):
        if word in words:
            return name
    return ""


class Substitutes:
    """Other words for the one that a fact turns on."""

    def __init__(self, sheets: dict[str, Sheet]) -> None:
        words = {word for sheet in sheets.values() for fact in sheet.facts for word in self._names(fact)}
        self.names = sorted(words)

    @staticmethod
    def _names(fact: Row) -> Iterator[str]:
        for word in fact["accept"]:
            yield from re.findall(rf"(?<!^)\b{re.escape(word.capitalize())}\b", fact["fact"])

    def swapped(self, role: str, exchange: Exchange, facts: list[Row], random: Random) -> Exchange | None:
        """The exchange with another name, number or colour in reminder and answer; None where that cannot be."""
        for fact in facts:
            for word in sorted(fact["accept"], key=len, reverse=True):
                kind = kind_of(word)
                written = word if kind else word.capitalize()
                inside = re.compile(rf"\b{re.escape(written)}\b")
                if not (inside.search(fact["fact"]) and inside.search(exchange.answer)):
                    continue
                if re.search(rf"\b{re.escape(word)}\b", exchange.question, re.IGNORECASE):
                    continue
                if not kind and (written not in self.names or written in role):
                    continue
                pool = {"number": NUMBERS, "colour": COLOURS}.get(kind, self.names)
                other = random.choice([one for one in pool if one != written])
                reminders = tuple(inside.sub(other, text) for text in exchange.reminders)
                return Exchange(reminders, exchange.question, inside.sub(other, exchange.answer))
        return None


class Rows:
    """Makes rows of a cast's exchanges."""

    def __init__(self, codec: Codec, lines: dict[str, str | None], sheets: dict[str, Sheet], random: Random) -> None:
        self.codec, self.lines, self.sheets, self.random = codec, lines, sheets, random
        self.substitutes = Substitutes(sheets)

    def exchange(self, role: str, question: str, answer: str, stated: Sequence[str] = ()) -> Exchange:
        """A question and its answer behind the reminders that it calls."""
        sheet, random = self.sheets[role], self.random
        called = sheet.called_by(question, stated, random)
        bare = Exchange((), question, answer)
        if random.random() < WITHOUT:
            return bare
        whole = Exchange(tuple(fact["fact"] for fact in called), question, answer)
        told = [fact for fact in called if fact["id"] in stated]
        if told and random.random() < OTHERWISE:
            return self.substitutes.swapped(role, whole, told, random) or whole
        return whole

    def way(self, role: str, question: str, item: Row, share: float) -> str:
        """One of the ways to ask for the fact that an item states, by a share; else the question."""
        stated = item.get("facts", ())
        isolated = len(stated) == 1 and self.random.random() < share
        return self.random.choice(self.sheets[role].ways[stated[0]]) if isolated else question

    def row(self, role: str, exchanges: list[Exchange], greeting: str | None) -> TokenRow | None:
        """A row of exchanges, behind the greeting where there is one."""
        opening = [Turn("role", greeting, is_learnt=False)] if greeting is not None else []
        turns = [*opening, *(turn for exchange in exchanges for turn in exchange.turns())]
        row = encode_row(self.codec, role, turns, self.lines[role], MOST_TOKENS)
        return row if isinstance(row, TokenRow) else None


def exchanges_of(messages: list[Row]) -> list[tuple[str, str]]:
    """The exchanges of a dialogue that goes by turns."""
    said = [message["content"] for message in messages if message["role"] in ("user", "assistant")]
    start = 1 if messages[0]["role"] == "assistant" else 0
    return list(zip(said[start::2], said[start + 1 :: 2]))


def all_rows(rows: Rows, lines: Lines, options: argparse.Namespace) -> list[TokenRow]:
    """The rows of all passes, each pass mixed in itself."""
    random = rows.random
    placed: list[tuple[float, TokenRow | None]] = []
    for index in range(options.begin, options.begin + options.passes):
        for role, own in lines.items.items():
            drawn_now = drawn(own, index, options.facts)
            asked = [(rows.way(role, one, item, options.ways), item) for one, item in drawn_now]
            random.shuffle(asked)
            for start in range(0, len(asked), ANSWERS_OF_A_ROW):
                few = asked[start : start + ANSWERS_OF_A_ROW]
                exchanges = [rows.exchange(role, one, item["answer"], item.get("facts", ())) for one, item in few]
                greeting = lines.greetings.get(role) if random.random() < 0.5 else None
                placed.append((index + random.random(), rows.row(role, exchanges, greeting)))
        for record in lines.dialogues:
            share = options.talks if record["id"].startswith("talk") else options.scenes
            if random.random() < share:
                role = record["role"]
                exchanges = [rows.exchange(role, *pair) for pair in exchanges_of(record["messages"])]
                placed.append((index + random.random(), rows.row(role, exchanges, None)))
    return [row for _, row in sorted(placed, key=lambda entry: entry[0]) if row]


def stack(batches: list[Batch]) -> dict[str, Tensor]:
    """Batches as the tensors of a file, padded to the longest."""
    width = max(batch.ids.shape[1] for batch in batches)

    def padded(values: list[Tensor]) -> Tensor:
        return torch.stack([torch.nn.functional.pad(value.long(), (0, width - value.shape[1])) for value in values])

    return {
        "input_ids": padded([batch.ids for batch in batches]),
        "reply_mask": padded([batch.replies for batch in batches]),
        "anchor": torch.stack([batch.anchors for batch in batches]),
        "role_ids": torch.stack([batch.roles for batch in batches]),
    }


def main() -> None:
    """Writes the batches."""
    parser = pass_options(__doc__)
    parser.add_argument("backbone")
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--ways", type=float, default=0.5, help="share of other ways to ask for a fact")
    options = parser.parse_args()
    codec = load_codec(backbone_folder(options.backbone, model=None, with_code=False))
    assert codec
    pack = read_pack(options.pack)
    boundaries = json.loads((CAST / "boundaries.json").read_text("utf8"))
    lines = read_lines()
    sheets = {}
    books = json.loads(BOOKS.read_text("utf8"))
    for name in lines.items:
        facts = json.loads((CAST / boundaries[name]["slug"] / "facts.json").read_text("utf8"))
        sheets[name] = Sheet(facts, books[name])
    said_first = {role["name"]: role.get("system") for role in pack.roles}
    rows = all_rows(Rows(codec, said_first, sheets, Random(options.seed)), lines, options)
    ids = {role["name"]: index for index, role in enumerate(pack.roles)}
    starts = range(0, len(rows) - options.batch + 1, options.batch)
    batches = [pad_batch(rows[start : start + options.batch], ids) for start in starts]
    save_file(stack(batches), options.out)
    tokens = sum(int(batch.lengths.sum()) for batch in batches)
    print(f"{len(batches)} steps of {options.batch} rows, {tokens} tokens")


if __name__ == "__main__":
    main()
