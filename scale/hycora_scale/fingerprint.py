"""Tells backbones apart by what quantisation does not touch (`docs/pack-format.md`)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor


def fingerprint(folder: Path, sizes: dict[str, Any], gains: Iterable[Tensor]) -> str:
    """Lower-case hex of SHA-256 over architecture, sizes, constants, tokens and norm gains; empty without a tokenizer.

    `sizes` holds architecture, layers, hidden, heads, kvHeads, headDim, ffn, vocabulary, theta, epsilon, in this order,
    and behind them, where a family has them, qkNorm, window, thetaLocal, multipliers.
    """
    file = folder / "tokenizer.json"
    if not file.exists():
        return ""
    tokens = hashlib.sha256(_token_bytes(json.loads(file.read_text("utf8")))).hexdigest()
    rounded = {
        **sizes,
        "theta": _round(sizes["theta"]),
        "epsilon": _round(sizes["epsilon"] * 1e9),
    }
    if "thetaLocal" in sizes:
        rounded["thetaLocal"] = _round(sizes["thetaLocal"])
    if "multipliers" in sizes:
        rounded["multipliers"] = ",".join(str(_round(factor * 1e6)) for factor in sizes["multipliers"])
    rounded["tokens"] = tokens
    digest = hashlib.sha256(json.dumps(rounded, separators=(",", ":")).encode())
    for gain in gains:
        digest.update(gain.detach().float().cpu().numpy().astype("<f2").tobytes())
    return digest.hexdigest()


def _round(value: float) -> int:
    return int(np.floor(value + 0.5))


def _token_bytes(tokenizer: dict[str, Any]) -> bytes:
    """Every token as stored, by id, each followed by a zero byte."""
    vocabulary = tokenizer["model"]["vocab"]
    if isinstance(vocabulary, list):
        tokens = {index: str(entry[0]) for index, entry in enumerate(vocabulary)}
    else:
        tokens = {int(index): token for token, index in vocabulary.items()}
    tokens |= {int(entry["id"]): str(entry["content"]) for entry in tokenizer.get("added_tokens", [])}
    return "".join(f"{tokens[index]}\0" for index in sorted(tokens)).encode("utf8", "surrogatepass")
