from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
import torch
from conftest import nmse, shared
from safetensors.torch import load_file
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    Olmo2Config,
    Olmo2ForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
)

from hycora_scale.adapters import adapt
from hycora_scale.backbone import open_backbone
from hycora_scale.hypernetwork import Factors, generate
from hycora_scale.pack import read_pack

CPU = torch.device("cpu")


def logits(backbone, ids, factors=None, slots=None):
    with torch.no_grad():
        return backbone.hidden(ids, factors, slots) @ backbone.head.T


# Graphs with integer products compute with 8-bit activations, ours with the weights' true values.
EXPORTS = {
    "f_smollm3_opt": 1e-10,
    "f_ernie_genai_fp32": 1e-10,
    "f_phi4mini_opt": 1e-10,
    "f_granite4_genai_fp32": 1e-10,
    "f_qwen3_opt": 1e-10,
    "f_gemma3_opt": 1e-10,
    "f_mistral_window_opt": 1e-10,
    "g_llama_fp16_cpu": 1e-5,
    "g_llama_fp32_cpu": 1e-10,
    "g_llama_int4_web": 1e-3,
    "g_qwen2_fp32_cpu": 1e-10,
    "g_qwen2_fp32_cpu_nofuse": 1e-10,
    "q_int8": 1e-3,
    "q_q4": 1e-3,
    "q_uint8": 1e-3,
    "t_llama_dyn18": 1e-10,
    "t_llama_ts17": 1e-10,
    "t_qwen2_ts17": 1e-10,
}


@pytest.mark.parametrize("name", EXPORTS)
def test_weights_of_every_exporter_give_onnx_runtimes_logits(name):
    folder = shared(f"onnx/{name}")
    backbone = open_backbone(str(folder), model=None, dtype=torch.float32, device=CPU)
    golden = load_file(folder / "golden.safetensors")
    found = logits(backbone, golden["input_ids"].reshape(1, -1))[0]
    assert nmse(found, golden["logits"].reshape(found.shape)) < EXPORTS[name]


# As the engine has them in tests/unit/model/goldens.test.ts.
FINGERPRINTS = {
    "reports/engine/qk-norm-inside-attention": "93cb9359616918f4f9a25c2492c258adbadcac8aa53561d18c7723886a5c99cd",
}


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_a_family_has_the_fingerprint_that_the_engine_gives_it(name):
    backbone = open_backbone(str(shared(name)), model=None, dtype=torch.float32, device=CPU)
    assert backbone.fingerprint == FINGERPRINTS[name]


# The same, of folders that have no tokenizer, with two tokens in its place.
EXPORTED_FINGERPRINTS = {
    "f_gemma3_opt": "1e0d6ea637b6c54ee3c9a04f5b26b30689ec22677f117647da02d85ad4cf4dcc",
    "f_granite4_genai_fp32": "dcdf6f861fe438b1b41fc008806cc84ccee447e4887c6845c46d46dff4627548",
    "f_mistral_window_opt": "ff88da2a9a2184dfd4b1c2131dfdeb60b9ce3a67a3ec80318f705215b508f644",
    "f_qwen3_opt": "3fa70a743690fbf7d385b5c066285be315587e125ff145d1765cf9bc5bf5b000",
}


@pytest.mark.parametrize("name", EXPORTED_FINGERPRINTS)
def test_an_exported_family_has_the_fingerprint_that_the_engine_gives_it(name, tmp_path, monkeypatch):
    shutil.copytree(shared(f"onnx/{name}"), tmp_path, dirs_exist_ok=True)
    (tmp_path / "tokenizer.json").write_text('{"model": {"vocab": {"a": 0, "b": 1}}}')
    monkeypatch.setattr("hycora_scale.backbone.load_codec", lambda folder: None)
    backbone = open_backbone(str(tmp_path), model=None, dtype=torch.float32, device=CPU)
    assert backbone.fingerprint == EXPORTED_FINGERPRINTS[name]


def test_gemmas_window_and_gains_are_those_of_its_own_code(tmp_path):
    config = Gemma3TextConfig(
        **SIZES,
        head_dim=8,
        sliding_window=3,
        layer_types=["sliding_attention", "full_attention"],
        query_pre_attn_scalar=8,
    )
    torch.manual_seed(3)
    model = Gemma3ForCausalLM(config).requires_grad_(False)
    for name, parameter in model.named_parameters():
        if "norm" in name:
            parameter.copy_(torch.randn(parameter.shape) * 0.2)
    model.save_pretrained(tmp_path)
    backbone = open_backbone(str(tmp_path), model=None, dtype=torch.float32, device=CPU)
    ids = torch.randint(0, 64, (2, 9))
    wanted = model(ids).logits
    assert nmse(logits(backbone, ids), wanted) < 1e-10
    # What no layer with a window sees any more reaches later tokens through the other layer alone.
    other = ids.clone()
    other[:, 0] = (ids[:, 0] + 1) % 64
    assert nmse(logits(backbone, other), wanted) > 1e-6


def test_the_starter_plays_its_roles_as_the_golden_does():
    shared("golden/backbone")
    backbone = open_backbone(str(shared("backbone/starter")), model="onnx/model.onnx", dtype=torch.float32, device=CPU)
    pack = read_pack(shared("backbone/starter.hycora.safetensors"))
    assert backbone.fingerprint == pack.backbone["fingerprint"]
    backbone.adaptable.stage.scale = pack.config.scale
    golden = load_file(shared("golden/backbone/golden.safetensors"))
    factors = generate(pack.config, pack.tensors, torch.arange(6))
    for prompt in range(3):
        ids = golden[f"prompt.{prompt}.ids"].unsqueeze(0)
        assert nmse(logits(backbone, ids)[0], golden[f"prompt.{prompt}.bare.logits"]) < 1e-10
        found = logits(backbone, ids.expand(6, -1), factors, torch.arange(6))
        for role in range(6):
            assert nmse(found[role], golden[f"prompt.{prompt}.role{role}.logits"]) < 1e-10


def test_smollm2_is_read_from_its_four_bit_file():
    golden = load_file(shared("backbone/smollm2-135m-instruct/golden.safetensors"))
    played = load_file(shared("backbone/smollm2-test-golden.safetensors"))
    pack = read_pack(shared("backbone/smollm2-test.hycora.safetensors"))
    backbone = open_backbone("smollm2-135m-instruct", model=None, dtype=torch.float32, device=CPU)
    assert backbone.fingerprint == pack.backbone["fingerprint"]
    for prompt in ("plain", "chat"):
        wanted = golden[f"{prompt}.logits"]
        assert nmse(logits(backbone, golden[f"{prompt}.ids"].unsqueeze(0))[0, -len(wanted) :], wanted) < 1e-8
    backbone.adaptable.stage.scale = pack.config.scale
    for role in (0, 7):
        factors = generate(pack.config, pack.tensors, torch.tensor([role]))
        assert nmse(factors.a["q"][29][0], played[f"{role}.A.29.q"]) < 1e-10
        found = logits(backbone, played[f"{role}.ids"].unsqueeze(0), factors)[0, -3:]
        assert nmse(found, played[f"{role}.logits"]) < 1e-8


def random_factors(dims: dict[str, tuple[int, int]], layers: int, slots: int) -> Factors:
    generator = torch.Generator().manual_seed(7)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * 0.1

    return Factors(
        {name: [draw(slots, size, 4) for _ in range(layers)] for name, (size, _) in dims.items()},
        {name: [draw(1, 4, out) for _ in range(layers)] for name, (_, out) in dims.items()},
    )


SIZES = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 64,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "rms_norm_eps": 1e-5,
}


def as_fused(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    fused = dict(state)
    for layer in range(2):
        stem = f"model.layers.{layer}."
        qkv = [fused.pop(f"{stem}self_attn.{part}_proj.weight") for part in "qkv"]
        wide = [fused.pop(f"{stem}mlp.{part}_proj.weight") for part in ("gate", "up")]
        fused[f"{stem}self_attn.qkv_proj.weight"] = torch.cat(qkv)
        fused[f"{stem}mlp.gate_up_proj.weight"] = torch.cat(wide)
    return fused


def test_a_fused_layout_takes_the_same_matrices_as_separate_linears():
    torch.manual_seed(1)
    plain = LlamaForCausalLM(LlamaConfig(**SIZES)).requires_grad_(False)
    fused = Phi3ForCausalLM(Phi3Config(**SIZES)).requires_grad_(False)
    fused.load_state_dict(as_fused(plain.state_dict()))
    ids = torch.randint(0, 64, (2, 9))
    outputs = []
    for model in (plain, fused):
        adaptable = adapt(model, 2, 4)
        assert set(adaptable.dims) == {"q", "k", "v", "o", "up", "down", "gate"}
        stage = adaptable.stage
        stage.scale, stage.slots = 2.0, torch.tensor([1, 0])
        stage.factors = stage.low = random_factors(dict(sorted(adaptable.dims.items())), 2, 2)
        outputs.append(model(ids).logits)
    assert nmse(outputs[1], outputs[0]) < 1e-10


def test_gains_stand_in_the_order_of_their_use():
    from hycora_scale.backbone import _norms

    model = Olmo2ForCausalLM(Olmo2Config(**SIZES))
    places = ("self_attn.q_norm", "self_attn.k_norm", "post_attention_layernorm", "post_feedforward_layernorm")
    norms = [model.get_submodule(f"model.layers.{layer}.{place}") for layer in range(2) for place in places]
    for value, norm in enumerate([*norms, model.model.norm]):
        norm.weight.data.fill_(value)
    gains, _ = _norms(model, model.config)
    assert [int(gain[0].detach()) for gain in gains] == list(range(9))


def test_a_pack_of_another_backbone_is_refused(starter):
    from hycora_scale.errors import HycoraError
    from hycora_scale.trainee import compare_pack

    pack = read_pack(shared("backbone/smollm2-test.hycora.safetensors"))
    with pytest.raises(HycoraError, match="is for smollm2-135m-instruct, not for starter"):
        compare_pack(pack, starter)
    unnamed = replace(pack, backbone={**pack.backbone, "fingerprint": ""})
    with pytest.raises(HycoraError, match="not for starter"):
        compare_pack(unnamed, starter)
