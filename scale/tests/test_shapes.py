"""Random models of the sizes of real ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_experiments import script

from hycora_scale.backbone import open_backbone


@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_a_random_model_is_read_as_what_it_was_written_as(tmp_path: Path, family: str) -> None:
    shapes = script("shapes")
    shape = replace(shapes.SHAPES["tiny"], family=family)
    shapes.write_model(shape, tmp_path / "model")
    backbone = open_backbone(str(tmp_path / "model"), model=None, dtype=torch.float32, device=torch.device("cpu"))
    assert backbone.head.shape == (shape.vocabulary, shape.hidden)
    assert backbone.adaptable.layers == shape.layers
    hidden = backbone.hidden(torch.tensor([[1, 2, 3], [3, 2, 1]]), None, None)
    # Noise of the spread that keeps what it multiplies in bounds, and no two texts alike.
    assert 0.5 < hidden.std() < 2
    assert (hidden[0] - hidden[1]).abs().mean() > 0.1
    spread = backbone.head.std() * shape.hidden**0.5
    assert 0.9 < spread < 1.1
