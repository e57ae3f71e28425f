"""The sides of a split that files are on by their names."""

from __future__ import annotations

from collections.abc import Sequence

import regex as re

_HELD = "test(?:ing)?|valid(?:ation)?|eval(?:uation)?|held[ _.-]?out|hold[ _.-]?out"
# A word for a side; `val` and `dev` may be somebody's name as well.
_SIDE = re.compile(
    rf"(?<![a-z])(?:(?P<train>train(?:ing)?)|(?P<held>{_HELD})|val|dev(?:el(?:opment)?)?)(?:set|data|split)?(?![a-z])"
)


def _shared_folders(paths: list[list[str]]) -> int:
    """How many folders are around all of the files."""
    folders = paths[0][:-1] if paths else []
    for at, folder in enumerate(folders):
        if any(len(path) < at + 2 or path[at] != folder for path in paths):
            return at
    return len(folders)


def _word_of(path: list[str]) -> str | None:
    """The last word for a side in a path, of the file's own name before its folders'."""
    for name in reversed(path):
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
        found = list(_SIDE.finditer(words))
        if found:
            return next((word for word in ("train", "held") if found[-1][word] is not None), "short")
    return None


def file_sides(paths: Sequence[str]) -> list[str | None]:
    """The sides of rows that do not say it themselves, as `train.jsonl` beside `validation.jsonl`.

    What all files are called says nothing, and neither do `val` and `dev` where no file is called after `train`.
    """
    names = [path.split("/") for path in paths]
    shared = _shared_folders(names)
    words = [_word_of(path[shared:]) for path in names]
    held = ("held", "short") if "train" in words else ("held",)
    sides = ["train" if word == "train" else "test" if word in held else None for word in words]
    is_held = "test" in sides and any(side != "test" for side in sides)
    return sides if is_held else [None] * len(sides)
