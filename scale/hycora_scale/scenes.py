"""Scenes, in which several may speak, as dialogues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .chat import Turn
from .errors import check
from .reading import Reading

_MAX_SPEAKERS = 32
_MAX_EXCHANGES = 5


@dataclass(frozen=True)
class SceneLine:
    """What somebody says: `by` is `visitor`, `character` (whom the text is about), `named` or `system`.

    `is_own`: of somebody by name, whether the line is marked as a model's, and so is learnt, whoever else speaks.
    """

    by: str
    name: str
    text: Any
    line: int
    is_own: bool = False
    is_learnt: bool = True


@dataclass(frozen=True)
class Scene:
    """Lines that belong together, and what is said of them all."""

    lines: Sequence[SceneLine]
    split: Any = None
    item: str | None = None


@dataclass
class _Cast:
    names: dict[str, None] = field(default_factory=dict)
    own: dict[str, None] = field(default_factory=dict)
    visitors: dict[str, None] = field(default_factory=dict)
    has_visitor: bool = False
    has_character: bool = False
    character: str | None = None

    def learners(self) -> list[str | None]:
        same = self.character if self.character in self.names else None
        if self.own:
            others = [self.character] if self.has_character else []
            return list(dict.fromkeys([*self.own, *others]))
        if self.has_character or same is not None:
            return [self.character]
        # Where nobody is marked as the visitor, whoever speaks first is.
        return [*self.names] if self.has_visitor or len(self.names) < 2 else [*self.names][1:]

    def speaker_of(self, line: SceneLine) -> str | None:
        """Whose a line is; None for the visitor's and the system's."""
        if line.by == "character":
            return self.character or ""
        return line.name if line.by == "named" else None


def add_scenes(scenes: Sequence[Scene], role: str | None, into: Reading, *, is_whole: bool = False) -> None:
    """Makes dialogues of scenes, once for every character in them.

    `role` is who the `character` is, and the only one to learn where the scene has them; `is_whole` whether each scene
    is one dialogue, however long it is. Raises `format-invalid` when more than 32 people speak.
    """
    cast = _cast_of([line for scene in scenes for line in scene.lines], role, into.name)
    learners = cast.learners()
    unheard = [name for name in cast.names if name not in learners]
    named = [name for name in learners if name is not None]
    others = unheard if cast.has_visitor else unheard[1:]
    if others and named:
        into.tell(f"Of those who speak only {', '.join(named)} learns; {', '.join(others)} is listened to.")
    before = len(into.dialogues) + len(into.rejected)
    for scene in scenes:
        for name in learners:
            _add_scene(scene, name, cast, into, is_whole=is_whole)
    first = next((line for scene in scenes for line in scene.lines), None)
    if first and len(into.dialogues) + len(into.rejected) == before:
        into.reject(first.line, "it has no reply of the character")


def _cast_of(lines: Sequence[SceneLine], role: str | None, file: str) -> _Cast:
    cast = _Cast()
    for line in lines:
        if line.by == "visitor":
            cast.has_visitor = True
            if line.name:
                cast.visitors[line.name] = None
        cast.has_character = cast.has_character or line.by == "character"
        if line.by == "named":
            cast.names[line.name] = None
        if line.is_own:
            cast.own[line.name] = None
        fact = f'{file}: more than {_MAX_SPEAKERS} names speak, expected a dialogue as "Name: line"'
        check(len(cast.names) <= _MAX_SPEAKERS, "format-invalid", fact)
    same = next((name for name in cast.names if role is not None and name.lower() == role.lower()), None)
    cast.character = role if same is None else same
    return cast


def _add_scene(scene: Scene, role: str | None, cast: _Cast, into: Reading, *, is_whole: bool) -> None:
    is_crowd = len(cast.names) - (role in cast.names) + cast.has_visitor > 1
    turns: list[Turn] = []
    first, exchanges = 0, 0

    def finish() -> None:
        if any(turn.speaker == "role" for turn in turns):
            into.add(first, role, scene.split, list(turns), scene.item)

    for spoken in scene.lines:
        who = cast.speaker_of(spoken)
        is_role = who is not None and who == (role or "")
        if turns and turns[-1].speaker == "role" and not is_role:
            exchanges += 1
            if exchanges >= _MAX_EXCHANGES and not is_whole:
                finish()
                turns, exchanges = [], 0
        if not turns:
            first = spoken.line
        is_named = not is_role and (len(cast.visitors) > 1 and spoken.name != "" if who is None else is_crowd)
        text = spoken.text
        if is_named and isinstance(text, str):
            text = f"{spoken.name if who is None else who}: {text}"
        turns.append(Turn("system" if spoken.by == "system" else "role" if is_role else "user", text, spoken.is_learnt))
    finish()
