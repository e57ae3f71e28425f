"""Ctrl+C and SIGTERM as a question that a run asks between its steps."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

import torch
import torch.distributed as distributed

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Hears the first signal while it is entered; the second one ends the process as it always would."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._is_heard = False
        self._before = {}

    def __enter__(self) -> Interrupt:
        self._before = {name: signal.signal(name, self._hear) for name in _SIGNALS}
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._restore()

    def is_heard(self) -> bool:
        """Whether any process heard one; all of them ask at the same place, so that they stop after the same step."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return self._is_heard
        heard = torch.tensor(float(self._is_heard), device=self._device)
        distributed.all_reduce(heard)
        return heard.item() > 0

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._is_heard = True
        self._restore()

    def _restore(self) -> None:
        for name, handler in self._before.items():
            signal.signal(name, handler)
        self._before = {}
