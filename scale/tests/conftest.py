"""Where the tests find backbones and goldens; what lies beside the repository may be missing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hycora_scale.backbone import Backbone, open_backbone

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"


def shared(path: str) -> Path:
    """A path beside the repository; the test is skipped where it is missing."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"needs ../shared/{path}")
    return found


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Tiny products run best on one thread."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def starter() -> Backbone:
    """The shipped starter in float32."""
    return open_backbone("starter", model=None, dtype=torch.float32, device=torch.device("cpu"))


def relative(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """‖Δ‖ / ‖wanted‖"""
    return ((found - wanted).norm() / wanted.norm()).item()


def nmse(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """The squared relative error."""
    return relative(found.double(), wanted.double()) ** 2
