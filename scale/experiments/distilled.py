"""Teaches characters from their cards alone, and notes what an adapter keeps of a card that is not sent any more.

    python experiments/distilled.py RESULTS.json WORK [--cards "Sherlock Holmes;Alice"] [--backbone BACKBONE]

Run from the repository's root. Of each card `hycora teach --card --ask` has the backbone, told the whole card, answer
questions; the twin trains an adapter on every second answer by the recipe that `teach` has for so many; then answers
that were not learnt are weighed by the bare model with the character's line, by the bare model with the whole card
before the chat, and by the adapter with the line. `WORK` keeps answers and packs, which are not made again, and the
state of a run that was stopped.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hycora_scale.backbone import Backbone, open_backbone
from hycora_scale.cards import card_text
from hycora_scale.dataset import read_files
from hycora_scale.evaluate import Measured, Scorer, sample
from hycora_scale.pack import read_pack

HYCORA = ["npm", "run", "--silent", "hycora", "--"]
TWIN = [sys.executable, "-m", "hycora_scale"]
VISITOR = "stranger"
SEED = 42
# Held-out replies of a character that are weighed, and how many of their tokens.
REPLIES, REPLY_TOKENS = 26, 80
RECIPE: dict[str, Any] = {
    "batch": 12,
    "wordings": 2,
    "maxTokens": 384,
    "system": "You are {name}. Stay in character.",
    "learningRate": 1e-3,
    "learningRateB": 2e-3,
    "warmup": 20,
    "rank": 16,
    "alpha": 64,
    "hypernetwork": {"generatorRank": 64},
    "contrast": {"weight": 0.05},
}
PASSES = 6


def recipe(answers: int) -> dict[str, Any]:
    """What `hycora teach` trains so many answers of a card with, on a model of this size."""
    steps = max(30, -(-PASSES * RECIPE["wordings"] * answers // RECIPE["batch"]))
    return {"steps": steps, **RECIPE}


@dataclass(frozen=True)
class Taught:
    """A character's card with the files that were made of it."""

    name: str
    card: dict[str, Any]
    lines: Path
    pack: Path

    def rows(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The card's greeting, where it has one, and its answers, each with its questions."""
        rows = [json.loads(line) for line in self.lines.read_text("utf8").splitlines()]
        return [row for row in rows if "questions" not in row], [row for row in rows if "questions" in row]

    def lessons(self) -> list[dict[str, Any]]:
        """Every second answer: those that `teach` would have been given."""
        return self.rows()[1][::2]

    def learnt(self) -> list[dict[str, Any]]:
        """What of the lessons is learnt: the wordings that are not held out."""
        return [cut(row, len(row["questions"]) - row.pop("held")) for row in self.lessons() if row["split"] == "train"]

    def held_out(self) -> list[dict[str, Any]]:
        """The other answers, each to two wordings: without the greeting before it, and behind it."""
        known = {row["item"] for row in self.learnt()}
        others = [cut(row, 2) for row in self.rows()[1] if row["item"] not in known]
        return [{key: value for key, value in row.items() if key != "held"} | {"split": "test"} for row in others]


def cut(row: dict[str, Any], count: int) -> dict[str, Any]:
    """An answer with the first of its wordings alone."""
    return {**row, **{key: row[key][:count] for key in ("questions", "after") if key in row}}


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Writes rows a line each."""
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), "utf8")
    return path


def teach(name: str, card: dict[str, Any], backbone: str, work: Path) -> Taught:
    """Answers and adapter of a card, as far as they are not there."""
    stem = name.lower().replace(" ", "-")
    file, pack = work / f"{stem}.json", work / f"{stem}.hycora.safetensors"
    taught = Taught(name, card, Path(f"{pack}.lines.jsonl"), pack)
    file.write_text(json.dumps({"spec": "chara_card_v2", "spec_version": "2.0", "data": card}), "utf8")
    if not taught.lines.exists():
        asked = ["teach", "--backbone", backbone, "--card", str(file), "--ask", "--out", str(pack)]
        subprocess.run([*HYCORA, *asked], check=True)
    if not pack.exists():
        unfinished = work / f"{stem}.unfinished"
        config = work / f"{stem}.config.json"
        config.write_text(json.dumps({**recipe(len(taught.lessons())), "checkpointEvery": 5}), "utf8")
        data = write_rows(work / f"{stem}.learnt.jsonl", [*taught.rows()[0], *taught.learnt()])
        files = ["--data", str(data), "--config", str(config), "--out", str(unfinished)]
        resume = ["--resume"] if Path(f"{unfinished}.checkpoint").exists() else []
        words = ["train", "--backbone", backbone, *files, *resume, "--device", "cpu", "--dtype", "float32"]
        with (work / f"{stem}.log").open("a") as log:
            subprocess.run([*TWIN, *words], check=True, stdout=log)
        unfinished.rename(pack)
    return taught


def last_loss(taught: Taught) -> float:
    """Of the last step, on what was learnt in it."""
    log = taught.pack.with_name(f"{taught.pack.name.split('.')[0]}.log")
    steps = [json.loads(line) for line in log.read_text("utf8").splitlines()]
    return [step["crossEntropy"] for step in steps if "crossEntropy" in step][-1]


def weigh(backbone: Backbone, taught: Taught) -> dict[str, Any]:
    """Mean loss of held-out answers in nats a token: the line alone, the card before the chat, the adapter."""
    pack = read_pack(taught.pack)
    scorer = Scorer(backbone, pack.config, pack.tensors, REPLY_TOKENS)
    rows = [*taught.rows()[0], *taught.held_out()]
    dialogues, _ = read_files([str(write_rows(taught.pack.with_suffix(".heldout.jsonl"), rows))])
    line = pack.roles[0]["system"]
    chosen = [scorer.fit(one, line) for one in sample(dialogues, [taught.name], REPLIES, SEED)]
    measured = [one for one in chosen if one]
    card = card_text(taught.card, VISITOR)

    def told(dialogue: Measured) -> str:
        return scorer.fit_system(dialogue, card)

    by_line = scorer.rows(measured, lambda _: line)
    by_card = scorer.rows(measured, told)
    losses = {
        "line": scorer.score(by_line, None),
        "card": scorer.score(by_card, None),
        "adapter": scorer.score(by_line, scorer.factors(0)),
    }
    counts = [scorer.codec.encode(text) for text in (line, card)]
    return {
        "asked": len(taught.rows()[1]),
        "lessons": len(taught.lessons()),
        "learnt": len(taught.learnt()),
        "heldOut": len(taught.held_out()),
        "lastLoss": last_loss(taught),
        "replies": len(losses["line"]),
        "lineTokens": len(counts[0]),
        "cardTokens": len(counts[1]),
        "loss": {name: sum(value for _, value in scores) / len(scores) for name, scores in losses.items()},
        "config": recipe(len(taught.lessons())),
    }


def main() -> None:
    """Teaches and weighs each card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--cards", default="Sherlock Holmes;Alice")
    parser.add_argument("--backbone", default="smollm2-135m-instruct")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    cast = json.loads(Path("public/cast/cards.json").read_text("utf8"))
    rows = json.loads(options.results.read_text("utf8")) if options.results.exists() else {}
    settings = {"visitor": VISITOR, "seed": SEED, "replyTokens": REPLY_TOKENS, "backbone": options.backbone}
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    for name in options.cards.split(";"):
        taught = teach(name, cast[name]["card"], options.backbone, options.work)
        backbone = open_backbone(options.backbone, model=None, dtype=torch.float32, device=torch.device("cpu"))
        rows[name] = {**weigh(backbone, taught), **settings, "commit": commit}
        print(name, json.dumps(rows[name]), flush=True)
        options.results.write_text(json.dumps(rows, indent=2) + "\n", "utf8")


if __name__ == "__main__":
    main()
