"""Tokenizer and chat template of a backbone's folder, and dialogues as rows of tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from .templates import ChatTemplate

# Stands for a reply while the template is rendered; of the private use areas, so that no text holds it.
_MARK = "\U000f0001\U0010fffc\U000f0001"
# Begins and ends what stands for a special token that somebody wrote, around its number.
_QUOTE = "\U0010fffb"
_QUOTED = re.compile(f"{_QUOTE}(\\d+){_QUOTE}")


@dataclass(frozen=True)
class Turn:
    """One turn; `speaker` is `user` for the visitor, `role` for the character.

    A reply that is not learnt stands there for what comes after it, and counts nowhere.
    """

    speaker: str
    text: str
    is_learnt: bool = True

    @property
    def counts(self) -> bool:
        """Whether it is a reply that is learnt and measured."""
        return self.speaker != "user" and self.is_learnt


@dataclass(frozen=True)
class TokenRow:
    """A dialogue as tokens; `replies` marks the text that is learnt and the token that ends each of its turns."""

    role: str
    ids: tuple[int, ...]
    replies: tuple[bool, ...]
    anchor: int
    """Index of the last reply token."""
    turns_cut: int
    """Whole turns that did not fit, from the front."""
    item: str | None = None
    """The question that the row is a wording of."""


class Codec:
    """How a backbone reads chats: its template and its tokenizer."""

    def __init__(self, tokenizer: Tokenizer, template: str, tokens: dict[str, str], added: frozenset[int]) -> None:
        self.tokenizer = tokenizer
        self.added = added
        special = [token for token in tokenizer.get_added_tokens_decoder().values() if token.special]
        # Line breaks and tabs are text wherever they stand, though some files call them special.
        declared = [token for token in special if token.content.strip()]
        blank = sorted((token.content for token in special if not token.content.strip()), key=len, reverse=True)
        self._blank = re.compile(f"({'|'.join(map(re.escape, blank)) or '(?!)'})")
        self._controls = [token.content for token in declared]
        # Those that take the white space beside them.
        self._left = {token.content for token in declared if token.lstrip}
        self._right = {token.content for token in declared if token.rstrip}
        longest_first = sorted(self._controls, key=len, reverse=True)
        self._control = re.compile(f"({'|'.join(map(re.escape, longest_first)) or '(?!)'})")
        self._template = ChatTemplate(template, tokens)

    def encode(self, text: str) -> list[int]:
        """The ids of a text; none is added, special tokens that the text spells out are found unless quoted."""
        if _QUOTE not in text:
            return self.tokenizer.encode(text, add_special_tokens=False).ids
        ids: list[int] = []
        whole = ""
        # Every second part is a control token that is meant.
        parts = ["", *self._control.split(text), ""]
        for before, part, behind in zip(parts, parts[1:], parts[2:]):
            if _QUOTE not in part:
                whole += part
                continue
            part = part.lstrip() if before in self._right else part
            part = part.rstrip() if behind in self._left else part
            ids += self.tokenizer.encode(whole, add_special_tokens=False).ids
            ids += self._encode_plain(_QUOTED.sub(self._unquoted, part))
            whole = ""
        return ids + self.tokenizer.encode(whole, add_special_tokens=False).ids

    def _unquoted(self, found: re.Match[str]) -> str:
        number = int(found[1])
        return self._controls[number] if number < len(self._controls) else found[0]

    def _encode_plain(self, text: str) -> list[int]:
        ids: list[int] = []
        self.tokenizer.encode_special_tokens = True
        try:
            # Every second part is white space that is a token of its own.
            for place, part in enumerate(self._blank.split(text)):
                if place % 2:
                    ids.append(self.tokenizer.token_to_id(part))
                else:
                    ids += self.tokenizer.encode(part, add_special_tokens=False).ids
            return ids
        finally:
            self.tokenizer.encode_special_tokens = False

    def quote(self, text: str) -> str:
        """A text as content of a template: the special tokens that it spells out are letters to `encode`."""
        return self._control.sub(lambda found: f"{_QUOTE}{self._controls.index(found[0])}{_QUOTE}", text)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, no token left out."""
        return self.tokenizer.decode(list(ids), skip_special_tokens=False)

    def render(self, messages: Sequence[dict[str, str]], system: str | None, *, reply: bool = False) -> str:
        """The text of a conversation, as `ChatTemplate.render` gives it."""
        return self._template.render(messages, system, reply=reply)


def load_codec(folder: Path) -> Codec | None:
    """The codec of a folder; None without a tokenizer or a chat template."""
    file, config_file = folder / "tokenizer.json", folder / "tokenizer_config.json"
    if not file.exists():
        return None
    config: dict[str, Any] = json.loads(config_file.read_text("utf8")) if config_file.exists() else {}
    separate = folder / "chat_template.jinja"
    template = separate.read_text("utf8") if separate.exists() else _template_text(config.get("chat_template"))
    if template is None:
        return None
    names = ("bos_token", "eos_token", "pad_token", "unk_token")
    tokens = {name: _token_text(config.get(name)) for name in names}
    declared = json.loads(file.read_text("utf8")).get("added_tokens", [])
    added = {int(token["id"]) for token in declared} | {int(key) for key in config.get("added_tokens_decoder", {})}
    return Codec(Tokenizer.from_file(str(file)), template, tokens, frozenset(added))


def _template_text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return None
    named = [entry for entry in value if isinstance(entry, dict)]
    chosen = next((entry for entry in named if entry.get("name") == "default"), named[0] if named else {})
    return chosen.get("template")


def _token_text(value: object) -> str:
    text = value.get("content") if isinstance(value, dict) else value
    return text if isinstance(text, str) else ""


def _encode_turns(codec: Codec, turns: Sequence[Turn], system: str | None) -> tuple[list[int], list[bool]]:
    """Replies are encoded by themselves, as they are generated: behind a prompt whose tokens are already fixed."""
    messages = [
        {"role": "user", "content": codec.quote(turn.text)}
        if turn.speaker == "user"
        else {"role": "assistant", "content": _MARK}
        for turn in turns
    ]
    line = None if system is None else codec.quote(system)
    replies = [turn for turn in turns if turn.speaker != "user"]
    ids: list[int] = []
    marks: list[bool] = []
    for index, segment in enumerate(codec.render(messages, line).split(_MARK)):
        encoded = codec.encode(segment)
        ids += encoded
        # What the template writes behind a reply begins with the token that ends the turn; it is learnt with the reply.
        ends_turn = index > 0 and replies[index - 1].is_learnt and bool(encoded) and encoded[0] in codec.added
        marks += [ends_turn and place == 0 for place in range(len(encoded))]
        if index < len(replies) and replies[index].text:
            reply = codec.encode(codec.quote(replies[index].text))
            ids += reply
            marks += [replies[index].is_learnt] * len(reply)
    return ids, marks


def encode_row(codec: Codec, role: str, turns: Sequence[Turn], system: str | None, most: int) -> TokenRow | None:
    """A dialogue as a row of at most `most` tokens, None where no word of a reply fits.

    Whole turns go from the front, down to the last exchange, then tokens from the end.
    """
    first = 0
    ids, marks = _encode_turns(codec, turns, system)
    while len(ids) > most and first < len(turns) - 2:
        first += 1
        ids, marks = _encode_turns(codec, turns[first:], system)
    ids, marks = ids[:most], marks[:most]
    anchor = max((index for index, mark in enumerate(marks) if mark), default=0)
    return TokenRow(role, tuple(ids), tuple(marks), anchor, first) if anchor > 0 else None
