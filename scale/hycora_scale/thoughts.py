"""What models write around what they think; `src/formats/thoughts.ts` has the same."""

from __future__ import annotations

from .words import SPACES, trim

# What begins the words of a reply where a model writes them in channels, one for what it thinks among them.
_FINAL = "<|channel|>final<|message|>"
# Each pair as some family of models writes it; a tag that opens may be one that closes.
_TAGS = (
    *(("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<thought>", "</thought>")),
    *(("<reasoning>", "</reasoning>"), ("<seed:think>", "</seed:think>"), ("[THINK]", "[/THINK]")),
    *(("<|START_THINKING|>", "<|END_THINKING|>"), ("<|begin_of_thought|>", "<|end_of_thought|>")),
    *(("<|inner_prefix|>", "<|inner_suffix|>"), ("<|channel>thought", "<channel|>"), ("◁think▷", "◁/think▷")),
    *(("<|channel|>", _FINAL), ("<|start|>assistant", _FINAL), ("<|end|><|start|>", _FINAL)),
)
# What ends words in the final channel: others may follow.
_FINAL_ENDS = (("<|end|>", _FINAL), ("<|return|>", _FINAL))


def without_thoughts(text: str) -> str:
    """A reply without what is thought in it; of a thought that began before, its end is left out too."""
    if not any(mark in text for mark in "<[◁"):
        return text
    said, rest, tags = "", text, _TAGS
    while True:
        at, close = _first_open(rest, tags)
        said += rest[:at]
        if close is None or close not in rest[at:]:
            break
        rest = rest[at:].partition(close)[2].lstrip(SPACES)
        tags = (*_TAGS, *_FINAL_ENDS) if close == _FINAL else tags
    for _, close in _TAGS:
        said = said.rpartition(close)[2] if close in said else said
    return trim(said)


def _first_open(text: str, tags: tuple[tuple[str, str], ...]) -> tuple[int, str | None]:
    """Where the first tag that opens stands, and what closes it; the text's end and None where there is none."""
    found = [(text.find(begin), close) for begin, close in tags if begin in text]
    return min(found, key=lambda one: one[0], default=(len(text), None))


def close_thought(text: str) -> str:
    """A text behind which somebody speaks rather than thinks: what a prompt ends with, where it opens a thought."""
    end = text.rstrip(SPACES)
    if end.endswith("<|start|>assistant"):
        return end + _FINAL
    close = next((close for tag, close in _TAGS if end.endswith(tag)), None)
    return text if close is None else f"{end}\n\n{close}\n\n"
