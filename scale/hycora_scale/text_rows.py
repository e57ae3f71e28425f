"""Lines of a text, and how long a row may be."""

from __future__ import annotations

from collections.abc import Iterator

from .words import trim

_MAX_ROW_BYTES = 2**20


def is_too_long(text: str) -> bool:
    """Whether a row takes more than 1 MiB as UTF-8."""
    return len(text) > _MAX_ROW_BYTES // 4 and len(text.encode("utf8", "surrogatepass")) > _MAX_ROW_BYTES


def text_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that hold anything, with their numbers."""
    return ((line, row) for line, row in enumerate(text.split("\n"), 1) if trim(row))
