"""Chat templates, and the one repair of what a template does not take as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime

from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .errors import HycoraError
from .thoughts import close_thought

Messages = Sequence[dict[str, str]]

# The visitor's first turn where a template wants one and the chat has none: silence, in any language.
SILENCE = "…"
# What templates of models that can think ask, each family by its own name.
_NO_THINKING = {"enable_thinking": False, "thinking": False}
# What Hugging Face's library gives every template: templates ask whether it is none, and not whether it is there.
_NO_TOOLS = {"tools": None, "documents": None}
# Marks what is masked in training elsewhere; here it says nothing.
_GENERATION = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")


class ChatTemplate:
    """A backbone's chat template; `tokens` are its begin token and the like, by the names that templates know."""

    def __init__(self, source: str, tokens: dict[str, str]) -> None:
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
        environment.filters["tojson"] = lambda value, **rest: json.dumps(value, ensure_ascii=False, **rest)
        self._template = environment.from_string(_GENERATION.sub("", source))
        self._tokens = tokens

    def render(self, messages: Messages, system: str | None, *, reply: bool = False) -> str:
        """The text of a conversation; `system` None, or white space, means no system turn, not even the template's own.

        What the template does not take is repaired: turns of one speaker in a row are joined, a first turn of the
        visitor's is made, and the system text goes before the first message. Of the ways to say it the first is taken
        in which nothing is missing.
        """
        line = system if system and system.strip() else None
        ways: list[Callable[[], str]]
        if line is None:
            ways = [lambda: self._bare(messages, reply), lambda: self._bare(_alternating(messages), reply)]
        else:
            turn = {"role": "system", "content": line}
            folded = _before(line, messages)
            ways = [
                lambda: self._plain([turn, *messages], reply),
                lambda: self._plain([turn, *_alternating(messages)], reply),
                lambda: self._bare(folded, reply),
                lambda: self._bare(_alternating(folded), reply),
            ]
        text = self._first_whole(ways, [*(message["content"] for message in messages), line or ""])
        return close_thought(text) if reply else text

    def _first_whole(self, ways: Sequence[Callable[[], str]], contents: Sequence[str]) -> str:
        whole: str | None = None
        refusal: HycoraError | None = None
        for way in ways:
            try:
                text = way()
            except HycoraError as error:
                refusal = refusal or error
                continue
            if all(content.strip() in text for content in contents):
                return text
            whole = text if whole is None else whole
        if whole is None:
            raise refusal or HycoraError("template-refused", "the chat template gives no text")
        return whole

    def _plain(self, messages: Messages, reply: bool) -> str:
        try:
            asked = {**_NO_THINKING, **_NO_TOOLS, **self._tokens}
            return self._template.render(messages=messages, add_generation_prompt=reply, **asked)
        except TemplateError as error:
            raise HycoraError("template-refused", f"the chat template refuses the chat: {error}") from error

    def _tried(self, messages: Messages, reply: bool) -> str | HycoraError:
        try:
            return self._plain(messages, reply)
        except HycoraError as error:
            return error

    def _bare(self, messages: Messages, reply: bool) -> str:
        """Without any system turn: rendered behind an empty one, which is then cut off."""
        empty = {"role": "system", "content": ""}
        plain, prefix = self._tried(messages, reply), self._tried([empty], False)
        full = self._tried([empty, *messages], reply)
        if isinstance(prefix, HycoraError) or isinstance(full, HycoraError) or not full.startswith(prefix):
            # A template that takes no system turn adds none either.
            if isinstance(plain, HycoraError):
                raise plain
            return plain
        rest = full[len(prefix) :]
        # What begins every text stands before the system turn, of which it is no part.
        begin = self._tokens.get("bos_token", "")
        begun = begin and rest and prefix.startswith(begin) and not rest.startswith(begin)
        cut = begin + rest if begun else rest
        return cut if isinstance(plain, HycoraError) or _adds_system(plain, cut, prefix) else plain


def _adds_system(plain: str, cut: str, prefix: str) -> bool:
    """Whether a text has a system turn that nobody asked for: more than control tokens before what it is without."""
    if len(plain) <= len(cut):
        # The empty system turn left a trace of its own.
        return False
    opening = plain[: len(plain) - len(cut)]
    return not (plain.endswith(cut) and prefix.startswith(opening) and not re.search(r"\s", opening))


def _alternating(messages: Messages) -> list[dict[str, str]]:
    """The visitor first, then by turns; messages of one speaker in a row become one, a blank line between them.

    Those that say nothing are left out.
    """
    said = [message for message in messages if message["content"].strip()]
    turns = [] if said and said[0]["role"] == "user" else [{"role": "user", "content": SILENCE}]
    for message in said:
        if turns and turns[-1]["role"] == message["role"]:
            turns[-1] = {**message, "content": f"{turns[-1]['content']}\n\n{message['content']}"}
        else:
            turns.append(message)
    return turns


def _before(line: str, messages: Messages) -> list[dict[str, str]]:
    """The system text before the visitor's first message, or as that message where the other speaks first."""
    if messages and messages[0]["role"] == "user":
        return [{"role": "user", "content": f"{line}\n\n{messages[0]['content']}"}, *messages[1:]]
    return [{"role": "user", "content": line}, *messages]


def _refuse(message: str) -> None:
    raise TemplateError(message)
