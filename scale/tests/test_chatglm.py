"""ChatGLM2 out of graphs, which bring no code along."""

from __future__ import annotations

import warnings
from pathlib import Path

import onnx
import pytest
import torch
from conftest import ROOT, nmse
from safetensors.torch import load_file
from test_backbone import random_factors

from hycora_scale.backbone import open_backbone

# Of the norms of seed 1 and a tokenizer of two tokens, as `hycora inspect` gives it.
FINGERPRINT = "0fa5555fe4e71425de71b654afb7cb0ad459a091c366813ddf47dffd1d0393b6"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as PyTorch's exporter leaves it: fused linears, tokens along the first axis."""
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(str(ROOT / "scale/experiments"))
    import chatglm2

    folder = tmp_path_factory.mktemp("chatglm")
    model = chatglm2.build(1)
    chatglm2.write_golden(model, folder)
    with warnings.catch_warnings(action="ignore"):
        chatglm2.export(model, folder, False)
    model.config.save_pretrained(folder)
    (folder / "tokenizer.json").write_text('{"model": {"vocab": {"a": 0, "b": 1}}}')
    patch.undo()
    return folder


def without_names(folder: Path) -> None:
    """Takes the names from nodes and matrices, as the other exporter does; vectors keep theirs."""
    model = onnx.load(folder / "model.onnx")
    matrices = {tensor.name: f"val_{at}" for at, tensor in enumerate(model.graph.initializer) if len(tensor.dims) == 2}
    for at, node in enumerate(model.graph.node):
        node.name = f"node_{at}"
        node.input[:] = [matrices.get(name, name) for name in node.input]
    for tensor in model.graph.initializer:
        tensor.name = matrices.get(tensor.name, tensor.name)
    onnx.save(model, folder / "model.onnx")


@pytest.mark.parametrize("is_named", [True, False])
def test_a_graph_of_chatglm2_is_computed_and_trained_without_its_code(exported, is_named, monkeypatch):
    monkeypatch.setattr("hycora_scale.backbone.load_codec", lambda folder: None)
    if not is_named:
        without_names(exported)
    backbone = open_backbone(str(exported), model=None, dtype=torch.float32, device=torch.device("cpu"))
    assert (backbone.architecture, backbone.fingerprint, backbone.context) == ("chatglm", FINGERPRINT, 256)
    golden = load_file(exported / "golden.safetensors")
    ids = torch.cat([golden["input_ids"], torch.tensor([42])])[None]
    with torch.no_grad():
        found = (backbone.hidden(ids, None, None) @ backbone.head.T)[0]
    assert nmse(found[:-1], golden["logits"]) < 1e-10
    assert nmse(found[-1], golden["step_logits"].reshape(-1)) < 1e-10
    leaves = random_factors(backbone.adaptable.dims, 2, 1).leaves()
    backbone.hidden(ids, leaves, None).square().sum().backward()
    assert all(matrix.grad.abs().max() > 0 for matrix in leaves.all())
