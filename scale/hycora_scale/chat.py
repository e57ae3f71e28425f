"""Tokenizer and chat template of a backbone's folder, and dialogues as rows of tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from .errors import HycoraError
from .templates import ChatTemplate

# Around a turn's text, with its number, while the template is rendered; of the private use areas, so that no text holds
# them.
_OPEN, _CLOSE = "\U000f0001", "\U0010fffc"
_MARKS = re.compile(f"{_OPEN}(\\d+){_OPEN}|{_CLOSE}")
# Begins and ends what stands for a special token that somebody wrote, around its number.
_QUOTE = "\U0010fffb"
_QUOTED = re.compile(f"{_QUOTE}(\\d+){_QUOTE}")


@dataclass(frozen=True)
class Turn:
    """One turn; `speaker` is `user` for the visitor, `role` for the character, `system` for what nobody says.

    A reply that is not learnt stands there for what comes after it, and counts nowhere.
    """

    speaker: str
    text: str
    is_learnt: bool = True

    @property
    def counts(self) -> bool:
        """Whether it is a reply that is learnt and measured."""
        return self.speaker == "role" and self.is_learnt


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
    is_open: bool = False
    """The template writes no token that ends a turn; one of the model's stands at the end, where it has one."""


@dataclass(frozen=True)
class _Span:
    """Where the text of a turn lies in what the template writes."""

    turn: int
    start: int
    end: int


class Codec:
    """How a backbone reads chats: its template and its tokenizer."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        template: str,
        tokens: dict[str, str],
        added: frozenset[int],
        ends: Sequence[int] = (),
    ) -> None:
        """Makes a codec; `ends` are the ids that end a turn by the model's own configuration."""
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
        self.cue = self._cue()
        self.stops = tuple(dict.fromkeys([*self._template_end(), *ends]))

    def _cue(self) -> str:
        """What the template writes between what the visitor said last and the place where the model goes on."""
        return self._tail([{"role": "user", "content": f"{_OPEN}0{_OPEN}Hello{_CLOSE}"}], reply=True)

    def _template_end(self) -> list[int]:
        """The first added token after an assistant's message that is no white space."""
        said = {"role": "assistant", "content": f"{_OPEN}1{_OPEN}Hi{_CLOSE}"}
        tail = self._tail([{"role": "user", "content": "Hello"}, said], reply=False)
        return [id_ for id_ in self.encode(tail) if id_ in self.added and self.decode([id_]).strip()][:1]

    def _tail(self, messages: Sequence[dict[str, str]], *, reply: bool) -> str:
        """What stands behind the marked text; nothing where the template refuses even these."""
        try:
            text, spans = _without_marks(self.render(messages, None, reply=reply))
        except HycoraError:
            return ""
        return text[spans[0].end :] if spans else ""

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
    tokenizer = Tokenizer.from_file(str(file))
    return Codec(tokenizer, template, tokens, frozenset(added), _ends(folder, tokenizer, tokens["eos_token"]))


def _ends(folder: Path, tokenizer: Tokenizer, token: str) -> list[int]:
    """The ids that end a turn by generation_config.json and tokenizer_config.json."""
    file = folder / "generation_config.json"
    stated = json.loads(file.read_text("utf8")).get("eos_token_id") if file.exists() else None
    ids = [*(stated if isinstance(stated, list) else [stated]), tokenizer.token_to_id(token) if token else None]
    return [id_ for id_ in ids if isinstance(id_, int) and id_ >= 0]


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


def _without_marks(marked: str) -> tuple[str, list[_Span]]:
    """The text without its marks, and where they stood."""
    spans: list[_Span] = []
    text, at, begun = "", 0, None
    for found in _MARKS.finditer(marked):
        text += marked[at : found.start()]
        at = found.end()
        if found[1] is not None:
            begun = (int(found[1]), len(text))
        elif begun is not None:
            spans.append(_Span(*begun, len(text)))
            begun = None
    return text + marked[at:], spans


def _rendered(codec: Codec, turns: Sequence[Turn], system: str | None) -> tuple[str, list[_Span]]:
    messages = [
        {
            "role": "assistant" if turn.speaker == "role" else turn.speaker,
            "content": f"{_OPEN}{index}{_OPEN}{codec.quote(turn.text)}{_CLOSE}",
        }
        for index, turn in enumerate(turns)
    ]
    text, spans = _without_marks(codec.render(messages, None if system is None else codec.quote(system)))
    return _with_cues(text, spans, turns, codec.cue)


def _with_cues(text: str, spans: list[_Span], turns: Sequence[Turn], cue: str) -> tuple[str, list[_Span]]:
    """The chat with the cue before each reply that is learnt as it is when the reply is generated.

    What has been said stands there without the closed thought behind which it was said.
    """
    cued, at, moved = "", 0, []
    for index, span in enumerate(spans):
        before = text[spans[index - 1].end : span.start] if index else ""
        is_cued = turns[span.turn].counts and before != "" and cue.startswith(before)
        cued += text[at : span.start] + (cue[len(before) :] if is_cued else "")
        at, start = span.end, len(cued)
        cued += text[span.start : span.end]
        moved.append(_Span(span.turn, start, len(cued)))
    return cued + text[at:], moved


def _encode_turns(codec: Codec, turns: Sequence[Turn], system: str | None) -> tuple[list[int], list[bool], bool]:
    """A chat through the template as tokens: those of the whole text, as it is read when the chat goes on.

    Of each reply that counts, all is learnt from the first token behind the prompt for it up to and with the token that
    ends the turn. The last value says whether the template writes one.
    """
    text, spans = _rendered(codec, turns, system)
    ids = codec.encode(text)
    marks = [False] * len(ids)
    last, is_ended = 0, True
    for index, span in enumerate(spans):
        if not turns[span.turn].counts:
            continue
        before = text[spans[index - 1].end : span.start] if index else ""
        # White space behind the cue is the model's to say.
        rest = before[len(codec.cue) :] if before.startswith(codec.cue) else ""
        lead = rest if not rest.strip() else ""
        first = _tokens_at(codec, text, ids, span.start - len(lead))[0]
        spoken = _tokens_at(codec, text, ids, span.end)[1]
        tail = text[span.end : spans[index + 1].start if index + 1 < len(spans) else None]
        is_ended = any(id_ in codec.stops for id_ in codec.encode(tail))
        ends = (
            next((at for at in range(spoken, len(ids)) if ids[at] in codec.stops), spoken) if is_ended else spoken - 1
        )
        last = ends + 1
        marks[first:last] = [True] * (last - first)
    if is_ended or not codec.stops:
        return ids, marks, is_ended
    return [*ids[:last], codec.stops[0]], [*marks[:last], True], False


def _tokens_at(codec: Codec, text: str, ids: Sequence[int], place: int) -> tuple[int, int]:
    """Where a place lies among the tokens: the first that is not wholly before it, and the first wholly behind it."""
    head = text[:place]
    # Where what follows holds a quoted token, the beginning is read as it is there only with a quote of its own.
    heads = [codec.encode(one) for one in ([head, head + _QUOTE] if _QUOTE in text else [head])]
    common, own = max(((_common(one, ids), one) for one in heads), key=lambda pair: pair[0])
    rest = len(codec.decode(own[common:]).replace(_QUOTE, ""))
    first = common
    while first < len(ids) and rest > 0 and len(codec.decode(ids[common : first + 1])) <= rest:
        first += 1
    return first, first + (rest > len(codec.decode(ids[common:first])))


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    return next((at for at, (left, right) in enumerate(zip(one, other)) if left != right), min(len(one), len(other)))


def encode_row(codec: Codec, role: str, turns: Sequence[Turn], system: str | None, most: int) -> TokenRow | str:
    """A dialogue as a row of at most `most` tokens, or why there is none: no word of a reply fits, or it is refused.

    Whole exchanges go from the front, down to the last, then tokens from the end.
    """
    first = 0
    try:
        ids, marks, is_ended = _encode_turns(codec, turns, system)
        while len(ids) > most:
            following = [at for at, turn in enumerate(turns) if at > first and turn.speaker == "user"]
            if not following:
                break
            first = following[0]
            ids, marks, is_ended = _encode_turns(codec, turns[first:], system)
    except HycoraError as error:
        if error.code != "template-refused":
            raise
        return str(error)
    ids, marks = ids[:most], marks[:most]
    anchor = max((index for index, mark in enumerate(marks) if mark), default=0)
    if anchor < 1:
        return f"no word of {role}'s reply fits into {most} tokens"
    return TokenRow(role, tuple(ids), tuple(marks), anchor, first, is_open=not is_ended)
