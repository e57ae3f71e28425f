"""Learning rate and contrastive weight over a run."""

from __future__ import annotations

import math

from .config import ContrastConfig, TrainConfig


def learning_rate_share(config: TrainConfig, step: int) -> float:
    """The share of the base rate at step s from 0: min(1, (s+1)/warmup) · (1 | ½ + ½·cos(π·s/steps))."""
    rise = min(1.0, (step + 1) / config.warmup) if config.warmup > 0 else 1.0
    fall = 0.5 + 0.5 * math.cos(math.pi * step / config.steps) if config.schedule == "cosine" else 1.0
    return rise * fall


def contrast_weight(contrast: ContrastConfig, epoch: float, epochs: float) -> float:
    """λ at epoch e of E: 0 before `start`, then weight · (1 | p | ½ − ½·cos(π·p)) with p = (e − start)/(E − start)."""
    if contrast.form == "off" or epoch < contrast.start:
        return 0.0
    if contrast.schedule == "none":
        return contrast.weight
    passed = min(1.0, (epoch - contrast.start) / (epochs - contrast.start)) if epochs > contrast.start else 1.0
    return contrast.weight * (passed if contrast.schedule == "linear" else 0.5 - 0.5 * math.cos(math.pi * passed))
