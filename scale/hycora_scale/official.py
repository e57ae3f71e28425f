"""A checkpoint of the authors' code as a pack."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from .backbone import Backbone, open_backbone
from .config import PROJECTIONS
from .errors import HycoraError, check
from .pack import Pack, write_pack
from .pack_config import HypernetworkConfig, PackConfig, expected_tensors

_LAYER = re.compile(r"(?:^|\.)layers\.(\d+)\.(?:self_attn|self_attention|mlp)\.(\w+)\.(.+)$")
_SHARED = re.compile(r"^(roles_emb|layers_emb|hypernet_encoder)\.")
_HEADS = re.compile(r"(?:^|\.)((?:hidden_to_role_emb_layer|role_emb_to_role_emb_layer)\.(?:weight|bias))$")


@dataclass(frozen=True)
class _Source:
    """Which of the authors' linears holds a projection: its place in their layer ids, and which share of its output."""

    linear: str
    index: int


# Llama and Qwen adapt seven linears a layer, ChatGLM2 four, of which two hold several projections.
_SEPARATE = {name: _Source(f"{name}_proj", index) for index, name in enumerate(PROJECTIONS)}
_FUSED = {
    **{name: _Source("query_key_value", 0) for name in "qkv"},
    "o": _Source("dense", 1),
    **{name: _Source("dense_h_to_4h", 2) for name in ("gate", "up")},
    "down": _Source("dense_4h_to_h", 3),
}
_FUSED_ORDER = {"query_key_value": ("q", "k", "v"), "dense_h_to_4h": ("gate", "up")}


@dataclass
class _Checkpoint:
    """The authors' tensors: those of the encoder, those of each linear's generator, each linear's B, the heads."""

    shared: dict[str, Tensor]
    generators: dict[str, dict[str, Tensor]]
    b: dict[tuple[int, str], Tensor]
    heads: dict[str, Tensor]

    @property
    def layers(self) -> int:
        return 1 + max(layer for layer, _ in self.b)

    @property
    def sources(self) -> dict[str, _Source]:
        return _FUSED if (0, "query_key_value") in self.b else _SEPARATE


def _load(folder: Path) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors |= load_file(file)
    for pattern in ("*.bin", "*.pt"):
        for file in sorted(folder.glob(pattern)):
            loaded = torch.load(file, map_location="cpu", weights_only=True)
            tensors |= {name: value for name, value in loaded.items() if isinstance(value, Tensor)}
    return tensors


def _sort(tensors: dict[str, Tensor], where: str) -> _Checkpoint:
    """Shared tensors stand under their first alias, the first linear of layer 0."""
    checkpoint = _Checkpoint({}, {}, {}, {})
    for name, tensor in tensors.items():
        head, place = _HEADS.search(name), _LAYER.search(name)
        if head:
            checkpoint.heads[head[1]] = tensor.float()
        elif place:
            layer, linear, rest = int(place[1]), place[2], place[3]
            if rest == "lora_B":
                checkpoint.b[layer, linear] = tensor.float()
            elif rest.startswith("down_linear."):
                checkpoint.generators.setdefault(linear, {})[rest.removeprefix("down_linear.")] = tensor.float()
            elif _SHARED.match(rest):
                checkpoint.shared.setdefault(rest, tensor.float())
    is_whole = checkpoint.b and checkpoint.generators and "roles_emb.weight" in checkpoint.shared
    check(is_whole, "format-invalid", f"{where} has no lora_B, down_linear and roles_emb of the authors' code")
    return checkpoint


def _config(checkpoint: _Checkpoint, backbone: Backbone, alpha: float) -> PackConfig:
    shared, sources = checkpoint.shared, checkpoint.sources
    hidden, _ = shared["hypernet_encoder.fc_input.weight"].shape
    blocks = {match[1] for name in shared if (match := re.match(r"hypernet_encoder\.layers\.(\d+)\.", name))}
    present = tuple(name for name in PROJECTIONS if sources[name].linear in checkpoint.generators)
    generator = checkpoint.generators[sources[present[0]].linear]
    return PackConfig(
        rank=next(iter(checkpoint.b.values())).shape[0],
        alpha=alpha,
        layers=checkpoint.layers,
        projections=present,
        dims={name: backbone.adaptable.dims[name] for name in present},
        source_a="hyper",
        source_b="shared",
        role_embedding=shared["roles_emb.weight"].shape[1],
        hypernetwork=HypernetworkConfig(
            layer_embedding=shared["layers_emb.weight"].shape[1],
            hidden=hidden,
            residual_blocks=len(blocks),
            generator_rank=generator["down.weight"].shape[0],
            layernorm_input="hypernet_encoder.norm_input.weight" in shared,
            layernorm_output="hypernet_encoder.norm_output.weight" in shared,
        ),
    )


def _tensors(checkpoint: _Checkpoint, config: PackConfig, backbone: Backbone) -> dict[str, Tensor]:
    """The pack's tensors; what ChatGLM2 shares between fused projections is repeated for each."""
    tensors = {**checkpoint.shared, **checkpoint.heads}
    table, layers = checkpoint.shared["layers_emb.weight"], config.layers
    rows = [checkpoint.sources[name].index for name in config.projections]
    tensors["layers_emb.weight"] = torch.cat([table[row * layers : (row + 1) * layers] for row in rows])
    for name in config.projections:
        linear = checkpoint.sources[name].linear
        for part, tensor in checkpoint.generators[linear].items():
            tensors[f"{name}_down_linear.{part}"] = tensor
        order = _FUSED_ORDER.get(linear, (name,))
        lengths = [backbone.adaptable.dims[other][1] for other in order]
        for layer in range(layers):
            slices = checkpoint.b[layer, linear].split(lengths, dim=1)
            tensors[f"layers.{layer}.{name}.lora_B"] = slices[order.index(name)].contiguous()
    return tensors


def role_names(path: str) -> list[str]:
    """Names in role-id order: a JSON list, or an object whose keys they are (the authors' `roles_desc_*.json`)."""
    try:
        value: Any = json.loads(Path(path).read_text("utf8"))
    except (OSError, ValueError) as error:
        raise HycoraError("usage", f"{path} is not a JSON file of role names") from error
    return [str(name) for name in value]


def import_official(options: argparse.Namespace) -> None:
    """Reads a folder with a checkpoint of the authors' code and writes a pack."""
    folder = Path(options.folder)
    check(folder.is_dir(), "usage", f"{folder} is no folder")
    checkpoint = _sort(_load(folder), folder.name)
    names = role_names(options.roles)
    rows = len(checkpoint.shared["roles_emb.weight"])
    check(len(names) == rows, "usage", f"{options.roles} names {len(names)} roles, the checkpoint has {rows}")
    backbone = open_backbone(
        options.backbone,
        model=options.model,
        dtype=torch.float32,
        device=torch.device("cpu"),
        trust_remote_code=options.trust_remote_code,
    )
    config = _config(checkpoint, backbone, options.alpha)
    tensors = _tensors(checkpoint, config, backbone)
    for name, shape in expected_tensors(config, rows, has_heads=bool(checkpoint.heads)).items():
        fact = f"{folder.name}: {name} is missing or does not fit {backbone.name}"
        check(name in tensors and tuple(tensors[name].shape) == shape, "model-incompatible", fact)
    whose = {"name": backbone.name, "architecture": backbone.architecture, "fingerprint": backbone.fingerprint}
    roles = [{"name": name} for name in names]
    write_pack(Path(options.out), Pack("the pack to write", config, roles, whose, tensors, {"imported": folder.name}))
