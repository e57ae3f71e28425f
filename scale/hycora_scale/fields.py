"""A row's values by their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import regex as re

from .words import trim


@lru_cache(4096)
def _key_of(name: str) -> str:
    return re.sub(r"[\s-]+", "_", trim(name).lower())


def _is_blank(value: object) -> bool:
    return value is None or value == ""


class Fields:
    """A row's values by their names in lower case, and which of them were asked for."""

    def __init__(self, entries: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        self._values: dict[str, Any] = {}
        self._names: dict[str, str] = {}
        self._asked: set[str] = set()
        for name, value in entries.items() if isinstance(entries, Mapping) else entries:
            key = _key_of(name)
            if key not in self._values:
                self._values[key], self._names[key] = value, name

    def has(self, *keys: str) -> bool:
        """Whether any of the keys is there."""
        return any(key in self._values for key in keys)

    def get(self, key: str) -> Any:
        """A value, counted as read."""
        self._asked.add(key)
        return self._values.get(key)

    def peek(self, key: str | None) -> Any:
        """A value, not counted as read."""
        return self._values.get(key or "")

    def find(self, keys: Sequence[str]) -> str | None:
        """The first of the keys under which something stands."""
        filled = next((key for key in keys if not _is_blank(self._values.get(key))), None)
        return filled or next((key for key in keys if key in self._values), None)

    def first(self, keys: Sequence[str]) -> Any:
        """What stands under the first of the keys that has anything."""
        key = self.find(keys)
        return None if key is None else self.get(key)

    def left(self) -> list[str]:
        """The names, as written, under which something stands that nobody asked for."""
        unasked = (key for key, value in self._values.items() if key not in self._asked and not _is_blank(value))
        return [self._names[key] for key in unasked]
