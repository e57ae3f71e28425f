"""Packs the cast's items into rows of several answers behind reminders, as batches for `train --batches`.

python experiments/reminded.py BACKBONE PACK OUT.safetensors [--batch 4]

The page puts what a character's lorebook says of a visitor's message before that message: facts, and what the character
once said to something like it. So do these rows, by the same rule. Some lack it, so that a character answers without,
too; some lack their own answer alone, so that the nearest others are read for what they are; in some a name, a number
or a colour is another one in both reminder and answer, so that it is read there and not known by heart. For the same
reason replies of dialogues, which no lorebook has, stand among the reminders by a share (`--quoted`). Items are asked
for in one of the further ways of theirs or of the fact that they state, by a share. The settings of `answers.py` are
here, too.
"""

from __future__ import annotations

import argparse
import base64
import json
import math
import re
import zlib
from collections import Counter
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
# How often what an answer states is among the reminders: where the question calls it, and where it does not.
CALLED, BESIDE = 0.95, 0.5
# Shares of exchanges: without reminders, with something else in reminder and answer.
WITHOUT, OTHERWISE = 0.12, 0.25
# Words of a reply at most that stands among the reminders.
MOST_WORDS = 45
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


def stem_of(word: str) -> str:
    """What the forms of a word have in common, as the page's reader of lorebooks has it."""
    singular = word[:-1] if len(word) > 3 and re.search("[^s]s$", word) else word
    stem = re.sub("(?<=..)(?:ing|ed)$", "", singular)
    return stem.removesuffix("e") if len(stem) > 3 else stem


def stems_of(text: str) -> set[str]:
    """The stems of a text's words."""
    return {stem_of(word) for word in re.findall(r"[^\W_]+", re.sub(r"['’]s\b", "", text.lower()))}


@dataclass(frozen=True)
class Entry:
    """What a lorebook says, and what the stems of words weigh that call it; an answer's name is itself."""

    id: str
    text: str
    is_fact: bool
    weights: dict[str, float]


def entries_of(book: Row) -> list[Row]:
    """The entries of a lorebook, those that it has packed among them."""
    packed = base64.b64decode(book["extensions"]["hycora"].get("packed", ""))
    return book["entries"] + (json.loads(zlib.decompress(packed, -zlib.MAX_WBITS)) if packed else [])


class Sheet:
    """What a character's lorebook says of a question: the facts of its sheet, and its own answers."""

    def __init__(self, facts: list[Row], book: Row, unsaid: float) -> None:
        self.unsaid = unsaid
        self.facts = {fact["id"]: fact for fact in facts}
        self._sets = book["extensions"]["hycora"]["sets"]
        self._entries: dict[str, list[Entry]] = {name: [] for name in self._sets}
        for entry in entries_of(book):
            own = entry["extensions"]["hycora"]
            is_fact = own["set"] == "facts"
            said = iter(own["stems"].split())
            weights = {stem: int(hundredths) / 100 for stem, hundredths in zip(said, said)}
            text = entry["content"]
            name = entry["comment"] if is_fact else text[text.index('"') + 1 : -1]
            self._entries[own["set"]].append(Entry(name, text, is_fact, weights))
        self._counts = {
            name: Counter(stem for entry in entries for stem in entry.weights)
            for name, entries in self._entries.items()
        }

    def quoting(self, reply: str) -> str:
        """A reply as the lorebook quotes answers."""
        known = self._entries["answers"][0].text
        return known[: known.index('"') + 1] + reply.replace('"', "'") + '"'

    def called_by(self, question: str, stated: Sequence[str], answered: str | None, random: Random) -> list[Entry]:
        """What the lorebook says of a question, mostly, and at times what is stated or was answered beside it.

        Facts first, and of each set what is called by most last.
        """
        asked = stems_of(question)
        called = self._of_set("facts", asked, {one: CALLED for one in stated}, random)
        is_unsaid = answered is not None and random.random() < self.unsaid
        chances = {} if answered is None else {answered: 0 if is_unsaid else CALLED}
        return called + self._of_set("answers", asked, chances, random)

    def _weight(self, name: str, entry: Entry, asked: set[str]) -> float:
        """What stems weigh together for an entry, by their share of what is asked, as the page has it."""
        known = {stem for stem in asked if stem in entry.weights}
        if not known:
            return 0
        members, counts = len(self._entries[name]), self._counts[name]
        rarity = {stem: math.log(1 + members / max(1, counts[stem])) for stem in asked}
        share = sum(rarity[stem] for stem in known) / sum(rarity.values())
        return sum(entry.weights[stem] for stem in known) * share ** self._sets[name].get("heed", 0)

    def _of_set(self, name: str, asked: set[str], chances: dict[str, float], random: Random) -> list[Entry]:
        own = self._sets[name]
        kept = [entry for entry in self._entries[name] if random.random() < chances.get(entry.id, 1)]
        weighed = [(self._weight(name, entry, asked), entry) for entry in kept]
        least = max(own["least_weight"], own["least_share"] * max(weight for weight, _ in weighed))
        ranked = sorted((pair for pair in weighed if pair[0] >= least), key=lambda pair: -pair[0])[: own["most"]]
        for weight, entry in weighed:
            is_wanted = chances.get(entry.id, 0) > 0 and all(entry is not one for _, one in ranked)
            if is_wanted and random.random() < BESIDE:
                ranked.append((weight, entry))
        return [entry for _, entry in sorted(ranked, key=lambda pair: pair[0])]


class Substitutes:
    """Other words for the one that a fact turns on."""

    def __init__(self, sheets: dict[str, Sheet]) -> None:
        words = {word for sheet in sheets.values() for fact in sheet.facts.values() for word in self._names(fact)}
        self.names = sorted(words)

    @staticmethod
    def _names(fact: Row) -> Iterator[str]:
        for word in fact["accept"]:
            yield from re.findall(rf"(?<!^)\b{re.escape(word.capitalize())}\b", fact["fact"])

    def swapped(self, role: str, exchange: Exchange, random: Random) -> Exchange:
        """The exchange with another name, number or colour in reminder and answer, where one stands in both."""
        reminded = "\n".join(exchange.reminders)
        for pool in (NUMBERS, COLOURS, self.names):
            for word in pool:
                inside = re.compile(rf"\b{re.escape(word)}\b")
                if not (inside.search(reminded) and inside.search(exchange.answer)) or word in role:
                    continue
                if re.search(rf"\b{re.escape(word)}\b", exchange.question, re.IGNORECASE):
                    continue
                other = random.choice([one for one in pool if one != word])
                reminders = tuple(inside.sub(other, text) for text in exchange.reminders)
                return Exchange(reminders, exchange.question, inside.sub(other, exchange.answer))
        return exchange


class Rows:
    """Makes rows of a cast's exchanges."""

    def __init__(
        self,
        codec: Codec,
        lines: dict[str, str | None],
        sheets: dict[str, Sheet],
        ways: dict[tuple[str, str], list[str]],
        random: Random,
    ) -> None:
        self.codec, self.lines, self.sheets, self.ways, self.random = codec, lines, sheets, ways, random
        self.substitutes = Substitutes(sheets)

    def exchange(
        self, role: str, question: str, answer: str, stated: Sequence[str] = (), answered: str | None = None
    ) -> Exchange:
        """A question and its answer behind the reminders that it calls; `answered` is what an item answers."""
        sheet, random = self.sheets[role], self.random
        said = answered and answered.replace('"', "'")
        called = sheet.called_by(question, stated, said, random)
        bare = Exchange((), question, answer)
        if random.random() < WITHOUT:
            return bare
        whole = Exchange(tuple(entry.text for entry in called), question, answer)
        return self.substitutes.swapped(role, whole, random) if random.random() < OTHERWISE else whole

    def quoted(self, role: str, question: str, answer: str, share: float) -> Exchange:
        """An exchange of a dialogue; its reply stands last among the reminders, by a share, if it is not too long."""
        exchange = self.exchange(role, question, answer)
        if len(answer.split()) > MOST_WORDS or self.random.random() >= share:
            return exchange
        return Exchange((*exchange.reminders[-2:], self.sheets[role].quoting(answer)), question, answer)

    def way(self, role: str, question: str, item: Row, share: float) -> str:
        """One of the further ways to ask for an item or for the fact that it states, by a share; else the question."""
        stated = item.get("facts", ())
        further = [*self.ways.get((role, item["item"]), ()), *self.ways.get(("", item["item"]), ())]
        if len(stated) == 1:
            further += self.sheets[role].facts[stated[0]]["ways"]
        return self.random.choice(further) if further and self.random.random() < share else question

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
                exchanges = [
                    rows.exchange(role, one, item["answer"], item.get("facts", ()), item["answer"]) for one, item in few
                ]
                greeting = lines.greetings.get(role) if random.random() < 0.5 else None
                placed.append((index + random.random(), rows.row(role, exchanges, greeting)))
        for record in lines.dialogues:
            share = options.talks if record["id"].startswith("talk") else options.scenes
            if random.random() < share:
                role = record["role"]
                pairs = exchanges_of(record["messages"])
                exchanges = [rows.quoted(role, *pair, options.quoted) for pair in pairs]
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
    parser.add_argument("--ways", type=float, default=0.5, help="share of further ways to ask")
    parser.add_argument("--unsaid", type=float, default=0.25, help="share of items without their own answer")
    parser.add_argument("--quoted", type=float, default=0, help="share of replies of dialogues among the reminders")
    options = parser.parse_args()
    codec = load_codec(backbone_folder(options.backbone, model=None, with_code=False))
    assert codec
    pack = read_pack(options.pack)
    boundaries = json.loads((CAST / "boundaries.json").read_text("utf8"))
    lines = read_lines()
    sheets = {}
    ways = {
        ("", intent["id"]): intent.get("ways", []) for intent in json.loads((CAST / "intents.json").read_text("utf8"))
    }
    books = json.loads(BOOKS.read_text("utf8"))
    for name in lines.items:
        folder = CAST / boundaries[name]["slug"]
        sheets[name] = Sheet(json.loads((folder / "facts.json").read_text("utf8")), books[name], options.unsaid)
        own = map(json.loads, (folder / "own.jsonl").read_text("utf8").splitlines())
        ways.update({(name, item["id"]): item.get("ways", []) for item in own})
    said_first = {role["name"]: role.get("system") for role in pack.roles}
    rows = all_rows(Rows(codec, said_first, sheets, ways, Random(options.seed)), lines, options)
    ids = {role["name"]: index for index, role in enumerate(pack.roles)}
    starts = range(0, len(rows) - options.batch + 1, options.batch)
    batches = [pad_batch(rows[start : start + options.batch], ids) for start in starts]
    save_file(stack(batches), options.out)
    tokens = sum(int(batch.lengths.sum()) for batch in batches)
    print(f"{len(batches)} steps of {options.batch} rows, {tokens} tokens")


if __name__ == "__main__":
    main()
