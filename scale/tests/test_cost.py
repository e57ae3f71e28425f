from __future__ import annotations

import json

import pytest
import torch

from hycora_scale.__main__ import main
from hycora_scale.backbone import open_backbone
from hycora_scale.config import read_train_config
from hycora_scale.cost import layer_bytes_per_token, loading, read_sizes
from hycora_scale.hypernetwork import generate
from hycora_scale.initialise import initial_tensors
from hycora_scale.trainee import begin_training


@pytest.mark.parametrize(("rows", "tokens"), [(2, 64), (4, 32), (1, 160)])
def test_what_a_layer_keeps_is_what_the_formula_says(rows, tokens):
    backbone = open_backbone("starter", model=None, dtype=torch.bfloat16, device=torch.device("cpu"))
    trainee = begin_training(read_train_config({}), backbone, ["Ada", "Bo"], None)
    tensors = initial_tensors(trainee.config, 2, has_heads=True, seed=1)
    leaves = generate(trainee.config, tensors, torch.arange(2)).leaves()
    given = {tensor.untyped_storage().data_ptr() for tensor in backbone.model.state_dict().values()}
    given |= {tensor.untyped_storage().data_ptr() for tensor in leaves.all()}
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in given:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        hidden = backbone.hidden(
            torch.zeros(rows, tokens, dtype=torch.long), leaves, torch.zeros(rows, dtype=torch.long)
        )
    assert hidden.requires_grad
    numbers = sum(t.numel() for t in leaves.all())
    found = (sum(kept.values()) - 2 * numbers) / (rows * tokens * backbone.adaptable.layers)
    sizes = read_sizes("starter")
    wanted = layer_bytes_per_token(sizes, trainee.config.rank, tokens, fused_attention=False)
    assert found == pytest.approx(wanted, rel=0.15)


def test_the_backbone_has_the_bytes_that_the_formula_says_and_sums_in_float32():
    backbone = open_backbone("starter", model=None, dtype=torch.bfloat16, device=torch.device("cpu"))
    found = sum(p.numel() * p.element_size() for p in backbone.model.parameters() if p.dim() > 1)
    sizes = read_sizes("starter")
    assert found == loading(sizes)["device"]
    entering: list[torch.dtype] = []
    last = backbone.model.get_decoder().layers[-1]
    last.register_forward_pre_hook(lambda _, inputs: entering.append(inputs[0].dtype))
    backbone.hidden(torch.zeros(1, 4, dtype=torch.long), None, None)
    assert entering == [torch.float32]


def test_a_plan_needs_no_weights(tmp_path, capsys):
    sizes = {"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32}
    sizes |= {"intermediate_size": 11008, "vocab_size": 32000, "model_type": "llama"}
    (tmp_path / "config.json").write_text(json.dumps(sizes), "utf8")
    (tmp_path / "train.json").write_text(json.dumps({"batch": 64, "maxTokens": 1024}), "utf8")
    words = ["plan", "--backbone", str(tmp_path), "--config", str(tmp_path / "train.json"), "--roles", "95"]
    assert main([*words, "--processes", "8", "--teraflops", "400"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert 10e9 < plan["bytes"]["total"] < 80e9
    # Each process reads all of it before it keeps its share.
    assert plan["loadPeak"]["host"] > 6.5e9 * 4 > plan["loadPeak"]["device"] > plan["bytes"]["weights"]
    assert main([*words, "--processes", "8", "--checkpoint-activations"]) == 0
    assert json.loads(capsys.readouterr().out)["bytes"]["activations"] < plan["bytes"]["activations"] / 4
