from __future__ import annotations

import json
import shutil
from pathlib import Path

import huggingface_hub
import pytest
import torch
import transformers
from conftest import ROOT, nmse
from safetensors.torch import save_file
from test_backbone import CPU, SIZES, logits, random_factors

from hycora_scale.__main__ import main
from hycora_scale.backbone import Backbone, open_backbone
from hycora_scale.config import read_train_config
from hycora_scale.errors import HycoraError
from hycora_scale.folders import backbone_folder, config_file
from hycora_scale.hypernetwork import Factors
from hycora_scale.pack import read_pack
from hycora_scale.trainee import begin_training


def with_own_gains(model: torch.nn.Module) -> torch.nn.Module:
    for name, parameter in model.named_parameters():
        if "norm" in name:
            parameter.data = torch.rand_like(parameter) + 0.5
    return model.eval()


def open_plain(folder: Path, *, trust: bool = False) -> Backbone:
    return open_backbone(str(folder), model=None, dtype=torch.float32, device=CPU, trust_remote_code=trust)


# Granite's multipliers, none of them 1.
MULTIPLIED = {
    "logits_scaling": 8.0,
    "embedding_multiplier": 12.0,
    "residual_multiplier": 0.22,
    "attention_multiplier": 0.25,
}


@pytest.mark.parametrize("kind", ["Llama", "Mistral", "Qwen2", "Qwen3", "Phi3", "Granite"])
def test_a_checkpoint_has_the_logits_of_its_library(tmp_path, kind):
    torch.manual_seed(0)
    more = {"Qwen3": {"head_dim": 8}, "Granite": MULTIPLIED}.get(kind, {})
    config = getattr(transformers, f"{kind}Config")(**SIZES, **more)
    model = with_own_gains(getattr(transformers, f"{kind}ForCausalLM")(config))
    model.save_pretrained(tmp_path)
    ids = torch.randint(2, 64, (2, 9))
    backbone = open_plain(tmp_path)
    assert nmse(logits(backbone, ids), model(ids).logits.detach()) < 1e-10
    assert set(backbone.adaptable.dims) == {"q", "k", "v", "o", "up", "down", "gate"}


BEYOND = [
    ("Gemma2", {"head_dim": 8}, "final_logit_softcapping 30.0"),
    ("Cohere", {}, "logit_scale 0.0625"),
]


@pytest.mark.parametrize(("kind", "more", "fact"), BEYOND)
def test_a_checkpoint_whose_logits_are_more_than_its_head_is_refused(tmp_path, kind, more, fact):
    sizes = {name: value for name, value in SIZES.items() if name != "rms_norm_eps"}
    getattr(transformers, f"{kind}Config")(**sizes, **more).save_pretrained(tmp_path)
    with pytest.raises(HycoraError, match=fact) as caught:
        open_plain(tmp_path)
    assert caught.value.code == "model-incompatible"


def test_a_folder_without_weights_and_one_of_an_unknown_kind_are_refused(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({**SIZES, "model_type": "llama"}), "utf8")
    with pytest.raises(HycoraError, match="has no weights that are read"):
        open_plain(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "mystery"}', "utf8")
    with pytest.raises(HycoraError, match="no decoder of the kind mystery is known"):
        open_plain(tmp_path)


@pytest.fixture
def toy(tmp_path) -> tuple[Path, torch.nn.Module]:
    """A folder that brings its own code, and the model in it."""
    folder = tmp_path / "toy"
    folder.mkdir()
    shutil.copy(Path(__file__).parent / "chatglm2_toy.py", folder)
    config = {
        "model_type": "chatglm2-toy",
        "auto_map": {"AutoConfig": "chatglm2_toy.ToyConfig", "AutoModelForCausalLM": "chatglm2_toy.Toy"},
        "num_layers": 2,
        "hidden_size": 32,
        "ffn_hidden_size": 48,
        "num_attention_heads": 4,
        "multi_query_group_num": 2,
        "padded_vocab_size": 64,
        "vocab_size": 64,
        "layernorm_epsilon": 1e-5,
        "seq_length": 128,
    }
    (folder / "config.json").write_text(json.dumps(config), "utf8")
    torch.manual_seed(2)
    read = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=True)
    model = with_own_gains(transformers.AutoModelForCausalLM.from_config(read, trust_remote_code=True))
    save_file(model.state_dict(), folder / "model.safetensors", {"format": "pt"})
    return folder, model


def test_code_that_comes_with_a_backbone_runs_only_where_it_is_trusted(toy):
    with pytest.raises(HycoraError, match="toy brings code of its own, which runs only with --trust-remote-code"):
        open_plain(toy[0])


@pytest.mark.parametrize("tokens", [5, 2])
def test_a_decoder_with_tokens_first_plays_the_role_of_each_row(toy, tokens):
    folder, model = toy
    backbone = open_plain(folder, trust=True)
    ids = torch.randint(0, 64, (2, tokens))
    assert nmse(logits(backbone, ids), model(ids).logits.detach()) < 1e-10
    backbone.adaptable.stage.scale = 2.0
    factors = random_factors(dict(sorted(backbone.adaptable.dims.items())), 2, 2)
    both = logits(backbone, ids, factors, torch.tensor([1, 0]))
    for row, role in ((0, 1), (1, 0)):
        own = Factors({name: [t[role : role + 1] for t in ts] for name, ts in factors.a.items()}, factors.b)
        assert nmse(both[row], logits(backbone, ids[row : row + 1], own)[0]) < 1e-10
    assert nmse(both, logits(backbone, ids)) > 1e-4
    leaves = factors.leaves()
    backbone.hidden(ids, leaves, torch.tensor([1, 0])).square().sum().backward()
    assert all(matrix.grad.abs().max() > 0 for matrix in leaves.all())


def as_fused_official(tensors: dict[str, torch.Tensor], dims: dict[str, tuple[int, int]]) -> dict[str, torch.Tensor]:
    """ChatGLM2's checkpoint of the authors' code: four linears a layer, B of fused ones side by side."""
    linears = {
        "self_attention.query_key_value": "qkv",
        "self_attention.dense": "o",
        "mlp.dense_h_to_4h": ("gate", "up"),
        "mlp.dense_4h_to_h": ("down",),
    }
    made = {f"transformer.encoder.layers.0.self_attention.query_key_value.{n}": t for n, t in tensors.items()}
    draw = torch.Generator().manual_seed(9)
    for linear, projections in linears.items():
        stem = f"transformer.encoder.layers.{{}}.{linear}."
        size = dims[projections[0]][0]
        shapes = {"down.weight": (4, 16), "down.bias": (4,), "up.weight": (8 * size, 4), "up.bias": (8 * size,)}
        for part, shape in shapes.items():
            made[stem.format(0) + f"down_linear.{part}"] = torch.randn(shape, generator=draw)
        width = sum(dims[name][1] for name in projections)
        for layer in range(2):
            made[stem.format(layer) + "lora_B"] = torch.randn((8, width), generator=draw)
    return made


def test_a_chatglm2_checkpoint_of_the_authors_code_becomes_a_pack(toy, tmp_path, capsys):
    folder, _ = toy
    backbone = open_plain(folder, trust=True)
    sizes = {"roleEmbedding": 8, "layerEmbedding": 8, "hidden": 16, "generatorRank": 4}
    trainee = begin_training(read_train_config({"hypernetwork": sizes}), backbone, ["Ada", "Bo"], None)
    encoder = {name: t for name, t in trainee.tensors.items() if name.startswith(("roles_emb", "hypernet_encoder"))}
    encoder["layers_emb.weight"] = torch.randn(4 * 2, 8)
    official = tmp_path / "official"
    official.mkdir()
    tensors = as_fused_official(encoder, backbone.adaptable.dims)
    save_file(tensors, official / "model.safetensors")
    (tmp_path / "roles.json").write_text('["Ada", "Bo"]', "utf8")
    out = tmp_path / "made.hycora.safetensors"
    words = ["import-official", str(official), "--backbone", str(folder), "--trust-remote-code"]
    words += ["--roles", str(tmp_path / "roles.json"), "--out", str(out)]
    assert main(words) == 0, capsys.readouterr().err
    pack = read_pack(out)
    # What the authors share between the parts of a fused linear stands at each of them.
    assert torch.equal(pack.tensors["q_down_linear.up.weight"], pack.tensors["v_down_linear.up.weight"])
    fused = tensors["transformer.encoder.layers.1.self_attention.query_key_value.lora_B"]
    parts = [pack.tensors[f"layers.1.{name}.lora_B"] for name in "qkv"]
    assert torch.equal(torch.cat(parts, dim=1), fused)
    assert torch.equal(pack.tensors["layers_emb.weight"][:2], pack.tensors["layers_emb.weight"][2:4])


def test_a_shipped_backbone_is_found_from_below_the_repository(tmp_path, monkeypatch):
    monkeypatch.setattr("hycora_scale.folders.__file__", str(tmp_path / "lib" / "hycora_scale" / "folders.py"))
    monkeypatch.chdir(ROOT / "scale" / "tests")
    assert config_file("starter") == ROOT / "public" / "models" / "starter" / "config.json"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HycoraError, match=r"starter is no folder with a config\.json"):
        config_file("starter")


def test_only_what_is_needed_is_fetched_from_the_hub(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", lambda _, allow_patterns: asked.append(allow_patterns) or str(tmp_path)
    )
    config_file("somebody/something")
    backbone_folder("somebody/something", model=None, with_code=False)
    backbone_folder("somebody/something", model="onnx/model_q4.onnx", with_code=True)
    plan, plain, onnx = asked
    assert plan == ["config.json"]
    assert "*.safetensors" in plain and "*.py" not in plain
    assert {"onnx/model_q4.onnx*", "*.py"} <= set(onnx) and "*.safetensors" not in onnx
