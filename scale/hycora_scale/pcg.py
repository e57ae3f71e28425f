"""PCG32, the page's source of randomness, so that a seed means the same here and there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")

_MULTIPLIER = 6364136223846793005
_MASK = (1 << 64) - 1


class Random:
    """A stream of numbers (O'Neill, "PCG", 2014); `src/core/random.ts` draws the same ones."""

    def __init__(self, seed: int, stream: int = 0) -> None:
        self._increment = ((stream << 1) | 1) & _MASK
        self._state = 0
        self.next_u32()
        self._state = (self._state + seed) & _MASK
        self.next_u32()

    def next_u32(self) -> int:
        """A uniform integer in [0, 2³²)."""
        old = self._state
        self._state = (old * _MULTIPLIER + self._increment) & _MASK
        shifted = (((old >> 18) ^ old) >> 27) & 0xFFFFFFFF
        rotation = old >> 59
        return ((shifted >> rotation) | (shifted << (-rotation & 31))) & 0xFFFFFFFF

    def next_uniform(self) -> float:
        """A uniform number in [0, 1)."""
        return self.next_u32() / 2**32

    def next_below(self, bound: int) -> int:
        """A uniform integer in [0, bound)."""
        return math.floor(self.next_uniform() * bound)

    def uniforms(self, count: int) -> np.ndarray:
        """The next `count` uniform numbers, float64 [count]."""
        states = np.empty(count + 1, np.uint64)
        states[0] = self._state
        filled, factor, offset = 1, _MULTIPLIER, self._increment
        while filled <= count:
            take = min(filled, count + 1 - filled)
            states[filled : filled + take] = states[:take] * np.uint64(factor) + np.uint64(offset)
            offset = (offset * factor + offset) & _MASK
            factor = (factor * factor) & _MASK
            filled += take
        self._state = int(states[count])
        old = states[:count]
        shifted = (((old >> np.uint64(18)) ^ old) >> np.uint64(27)).astype(np.uint32)
        rotation = (old >> np.uint64(59)).astype(np.uint32)
        left = (np.uint32(32) - rotation) & np.uint32(31)
        return ((shifted >> rotation) | (shifted << left)).astype(np.float64) / 2**32

    def truncated_normals(self, count: int) -> np.ndarray:
        """`count` normal(0, 1) numbers within ±2 (Box–Muller, others drawn again), float64 [count]; ends the stream."""
        kept = np.empty(0)
        while len(kept) < count:
            draws = self.uniforms(2 * (count - len(kept)) + 64).reshape(-1, 2)
            values = np.sqrt(-2 * np.log(1 - draws[:, 0])) * np.cos(2 * np.pi * draws[:, 1])
            kept = np.concatenate([kept, values[np.abs(values) <= 2]])
        return kept[:count]


def seed_of(text: str) -> int:
    """A seed from any text: the same text gives the same seed (FNV-1a over UTF-16, 32 bits)."""
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2")
    value = 0x811C9DC5
    for unit in units.tolist():
        value = ((value ^ unit) * 0x01000193) & 0xFFFFFFFF
    return value


def shuffled(values: Sequence[Item], random: Random) -> list[Item]:
    """The values in a random order (Fisher–Yates)."""
    order = list(values)
    for last in range(len(order) - 1, 0, -1):
        other = random.next_below(last + 1)
        order[last], order[other] = order[other], order[last]
    return order
