"""Errors as the command line shows them: a code and one sentence."""

from __future__ import annotations


class HycoraError(Exception):
    """A failure with a code of `docs/command-line.md`; the message states file, fact and expectation."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check(holds: object, code: str, message: str) -> None:
    """Raises `HycoraError(code, message)` unless `holds`."""
    if not holds:
        raise HycoraError(code, message)
