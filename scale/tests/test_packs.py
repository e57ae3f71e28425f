from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import ROOT, relative, shared
from safetensors.torch import load_file, save_file

from hycora_scale.__main__ import main
from hycora_scale.errors import HycoraError
from hycora_scale.hypernetwork import generate
from hycora_scale.initialise import initial_tensors, with_new_role
from hycora_scale.pack import read_pack, write_pack
from hycora_scale.pack_config import HypernetworkConfig, PackConfig, expected_tensors

SHIPPED = ROOT / "public/packs/starter.hycora.safetensors"
DIMS = {"q": (256, 256), "k": (256, 128), "v": (256, 128), "o": (256, 256)}
DIMS |= {"up": (256, 704), "down": (704, 256), "gate": (256, 704)}


def config(source_a: str = "hyper", source_b: str = "shared") -> PackConfig:
    sizes = HypernetworkConfig(layer_embedding=8, hidden=32, residual_blocks=1, generator_rank=6)
    return PackConfig(4, 8, 6, tuple(DIMS), DIMS, source_a, source_b, 8, sizes)


def test_a_pack_is_written_as_it_was_read(tmp_path):
    pack = read_pack(SHIPPED)
    copy = tmp_path / "copy.hycora.safetensors"
    write_pack(copy, pack)
    again = read_pack(copy)
    assert (again.config, again.roles, again.backbone) == (pack.config, pack.roles, pack.backbone)
    assert all(torch.equal(again.tensors[name], tensor) for name, tensor in pack.tensors.items())


def changed(path: Path, change) -> Path:
    data = SHIPPED.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    section = change(header, bytearray(data[8 + length :]))
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(section))
    return path


def set_metadata(key: str, value: str):
    def change(header, section):
        header["__metadata__"][key] = value
        return section

    return change


def flip(_, section):
    section[100] ^= 1
    return section


BROKEN = [
    (flip, "SHA-256"),
    (set_metadata("format_version", "2"), "format_version"),
    (set_metadata("roles", '[{"name": "A"}]'), "has shape"),
    (set_metadata("mood", "fine"), "exactly the keys"),
    (set_metadata("config", "{}"), "lacks"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_a_broken_pack_is_refused(tmp_path, change, message):
    with pytest.raises(HycoraError, match=message):
        read_pack(changed(tmp_path / "broken.hycora.safetensors", change))


def test_a_fresh_adapter_has_the_spread_that_it_should_and_changes_nothing():
    tensors = initial_tensors(config(), 5, has_heads=True, seed=42)
    factors = generate(config(), tensors, torch.arange(5))
    for name, layers in factors.a.items():
        spread = torch.stack(layers).std(dim=(-2, -1)).mean().item()
        assert spread == pytest.approx((3 * DIMS[name][0]) ** -0.5, rel=0.01)
        common = torch.stack(layers).mean(dim=(0, 1)).norm() / torch.stack(layers).norm(dim=(-2, -1)).mean()
        assert common < 1e-5
    assert all(matrix.abs().max() == 0 for layers in factors.b.values() for matrix in layers)
    assert tensors["roles_emb.weight"].abs().max() <= 2


@pytest.mark.parametrize("source_a", ["shared", "table", "hyper", "hyper+static"])
@pytest.mark.parametrize("source_b", ["shared", "table", "hyper"])
def test_every_pair_of_sources_makes_matrices(source_a, source_b):
    own = config(source_a, source_b)
    if "hyper" not in source_a and source_b != "hyper":
        own = replace(own, hypernetwork=None, role_embedding=None)
    tensors = initial_tensors(own, 3, has_heads=False, seed=1)
    assert {name: tuple(t.shape) for name, t in tensors.items()} == expected_tensors(own, 3, has_heads=False)
    factors = generate(own, tensors, torch.tensor([2, 0]))
    assert factors.a["down"][5].shape[1:] == (704, 4)
    assert factors.b["down"][5].shape[1:] == (4, 256)
    if source_a == "table":
        assert torch.equal(factors.a["q"][1][0], tensors["layers.1.q.lora_A_table"][2])


def test_a_new_role_starts_near_the_mean():
    tensors = initial_tensors(config(), 5, has_heads=False, seed=1)
    grown = with_new_role(tensors, 5, 1)["roles_emb.weight"]
    mean = tensors["roles_emb.weight"].mean(dim=0)
    assert torch.equal(grown[:5], tensors["roles_emb.weight"])
    assert 0 < relative(grown[5], mean) < 0.5


def test_the_hyper_network_is_the_authors():
    file = shared("golden/hypernet.safetensors")
    golden = load_file(file)
    header = file.read_bytes()
    facts = json.loads(header[8 : 8 + struct.unpack("<Q", header[:8])[0]])["__metadata__"]
    sizes = json.loads(facts["config"])
    tensors = {name.removeprefix("param."): t for name, t in golden.items() if name.startswith("param.")}
    stored = {name.removeprefix("io."): t for name, t in golden.items() if name.endswith("lora_B")}
    hidden, inner, key, rank = (sizes[name] for name in ("hidden_size", "intermediate_size", "kv_size", "rank_dim"))
    dims = {"q": (hidden, hidden), "k": (hidden, key), "v": (hidden, key), "o": (hidden, hidden)}
    dims |= {"up": (hidden, inner), "down": (inner, hidden), "gate": (hidden, inner)}
    generator = tensors["q_down_linear.down.weight"].shape[0]
    hyper = HypernetworkConfig(
        sizes["layers_emb_dim"], sizes["hyper_hidden_dim"], sizes["residual_blocks_num"], generator
    )
    own = PackConfig(
        rank, sizes["alpha"], sizes["layers"], tuple(dims), dims, "hyper", "shared", sizes["roles_emb_dim"], hyper
    )
    factors = generate(own, tensors | stored, torch.arange(sizes["roles_num"]))
    for name, layers in factors.a.items():
        for layer, matrices in enumerate(layers):
            wanted = golden[f"io.layers.{layer}.{name}.A_all_roles"]
            assert relative(matrices, wanted.reshape(matrices.shape)) < 1e-5


def as_official(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A pack's tensors as the authors' code saves them, each under its first alias."""
    renamed = {}
    for name, tensor in tensors.items():
        if name.startswith("layers."):
            _, layer, projection, _ = name.split(".")
            block = "mlp" if projection in ("up", "down", "gate") else "self_attn"
            renamed[f"model.layers.{layer}.{block}.{projection}_proj.lora_B"] = tensor
        elif "_down_linear." in name:
            projection, part = name.split("_down_linear.")
            block = "mlp" if projection in ("up", "down", "gate") else "self_attn"
            renamed[f"model.layers.0.{block}.{projection}_proj.down_linear.{part}"] = tensor
        elif name.startswith(("hidden_to", "role_emb_to")):
            renamed[name] = tensor
        else:
            renamed[f"model.layers.0.self_attn.q_proj.{name}"] = tensor
    return renamed


def test_a_checkpoint_of_the_authors_code_becomes_a_pack(tmp_path, capsys):
    tensors = initial_tensors(config(), 2, has_heads=True, seed=3)
    save_file(as_official(tensors), tmp_path / "model.safetensors")
    (tmp_path / "roles.json").write_text('{"Ada": "a sea captain", "Bo": "a gardener"}', "utf8")
    out = tmp_path / "made.hycora.safetensors"
    words = ["import-official", str(tmp_path), "--backbone", "starter", "--roles", str(tmp_path / "roles.json")]
    assert main([*words, "--alpha", "8", "--out", str(out)]) == 0, capsys.readouterr().err
    pack = read_pack(out)
    assert [role["name"] for role in pack.roles] == ["Ada", "Bo"]
    assert pack.config == config()
    assert all(torch.equal(pack.tensors[name], tensor) for name, tensor in tensors.items())
