"""A decoder's weights out of an ONNX file, dequantised, under Hugging Face's names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from .errors import check

_PLACE = re.compile(r"layers[./](\d+)[./](?:self_attn|attn|mlp)[./](\w+_proj)\b")
_HEAD = re.compile(r"(?:^|[./])lm_head\b")
_EMBEDDING = re.compile(r"embed_tokens\.weight(_quantized)?$")
_NORM = re.compile(r"layers\.(\d+)\.(input_layernorm|post_attention_layernorm|\w+\.[qk]_norm)\b.*weight$")
_LINEAR_OPS = ("MatMul", "MatMulNBits", "MatMulInteger", "Gemm")
# In which order a block runs its linears, for graphs that have lost their names.
_ORDER = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class _Graph:
    """An ONNX graph with its tensors at hand."""

    def __init__(self, path: Path) -> None:
        self._folder = str(path.parent)
        graph = onnx.load(str(path), load_external_data=False).graph
        self.nodes = list(graph.node)
        self._initializers = {tensor.name: tensor for tensor in graph.initializer}

    def names(self) -> list[str]:
        return list(self._initializers)

    def has(self, name: str) -> bool:
        return name in self._initializers

    def array(self, name: str) -> np.ndarray:
        """A tensor's values as stored; external data is read from its file."""
        return numpy_helper.to_array(self._initializers[name], self._folder)

    def rank(self, name: str) -> int:
        return len(self._initializers[name].dims)


def read_weights(path: Path, *, layers: int, heads: int, kv_heads: int, head_dim: int) -> dict[str, Tensor]:
    """The state dict of a Llama or Qwen decoder, float32; raises `format-unsupported` where a part is not found.

    Linears are found by node name, or, where an exporter dropped the names, by their order in the graph. Quantised
    ones (MatMulNBits of 4 and 8 bits, integer matrices with a scale) become scale·(q − zero point).
    """
    graph = _Graph(path)
    state: dict[str, Tensor] = {}
    for name, weight in _linears(graph, layers):
        state[name] = torch.from_numpy(weight)
    _add_biases(graph, state)
    _split_qkv(state, layers, heads * head_dim, kv_heads * head_dim)
    for name in graph.names():
        place = _NORM.search(name)
        if place:
            state[f"model.layers.{place[1]}.{_hf(place[2])}.weight"] = _floats(graph.array(name))
        elif re.search(r"(?:model\.norm|final_norm\w*)\.weight$", name):
            state["model.norm.weight"] = _floats(graph.array(name))
        elif _EMBEDDING.search(name):
            state["model.embed_tokens.weight"] = torch.from_numpy(_integer_matrix(graph, name))
        elif re.search(r"lm_head\.weight$", name):
            state["lm_head.weight"] = _floats(graph.array(name))
    head = state.get("lm_head.weight", state.get("model.embed_tokens.weight"))
    check(head is not None, "format-unsupported", f"{path.name} has no embedding that is known by name")
    state.setdefault("lm_head.weight", head)
    state.setdefault("model.embed_tokens.weight", head)
    return state


def _hf(part: str) -> str:
    return part.replace("attn.", "self_attn.") if part.startswith("attn.") else part


def _floats(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values.astype(np.float32)))


def _linears(graph: _Graph, layers: int) -> list[tuple[str, np.ndarray]]:
    """Linears as (Hugging Face's name, [out, in])."""
    named: list[tuple[str, np.ndarray]] = []
    nameless = []
    for node in graph.nodes:
        if node.op_type not in _LINEAR_OPS or not graph.has(node.input[1]):
            continue
        place = _PLACE.search(node.name) or _PLACE.search(node.input[1])
        if place:
            named.append((f"model.layers.{place[1]}.{_module(place[2])}.weight", _matrix(graph, node)))
        elif _HEAD.search(node.name) or _HEAD.search(node.input[1]):
            named.append(("lm_head.weight", _matrix(graph, node)))
        elif graph.rank(node.input[1]) > 1:
            nameless.append(node)
    if any(name.startswith("model.layers.") for name, _ in named):
        return named
    found = len(nameless) in (len(_ORDER) * layers, len(_ORDER) * layers + 1)
    check(found, "format-unsupported", f"the graph has {len(nameless)} linears without names in {layers} layers")
    for index, node in enumerate(nameless[: len(_ORDER) * layers]):
        layer, place = divmod(index, len(_ORDER))
        named.append((f"model.layers.{layer}.{_module(_ORDER[place])}.weight", _matrix(graph, node)))
    if len(nameless) > len(_ORDER) * layers:
        named.append(("lm_head.weight", _matrix(graph, nameless[-1])))
    return named


def _module(leaf: str) -> str:
    return f"{'mlp' if leaf in ('gate_proj', 'up_proj', 'down_proj', 'gate_up_proj') else 'self_attn'}.{leaf}"


def _matrix(graph: _Graph, node: onnx.NodeProto) -> np.ndarray:
    """The weight of a linear as [out, in], float32."""
    if node.op_type == "MatMulNBits":
        return _blocks(graph, node)
    transposed = node.op_type == "Gemm" and any(a.name == "transB" and a.i for a in node.attribute)
    weight = _integer_matrix(graph, node.input[1])
    return np.ascontiguousarray(weight if transposed else weight.T)


def _integer_matrix(graph: _Graph, name: str) -> np.ndarray:
    """scale·(q − zero point) where a matrix is stored as integers, else its values; float32."""
    values = graph.array(name)
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    stem = name.removesuffix("_quantized")
    scale = graph.array(f"{stem}_scale").astype(np.float32)
    zero = graph.array(f"{stem}_zero_point") if graph.has(f"{stem}_zero_point") else np.zeros(1, values.dtype)
    return (values.astype(np.float32) - zero.astype(np.float32)) * scale


def _blocks(graph: _Graph, node: onnx.NodeProto) -> np.ndarray:
    """MatMulNBits: blocks along `in`, each with a scale and perhaps a zero point → [out, in]."""
    numbers = {a.name: a.i for a in node.attribute}
    bits, size, width, out = numbers["bits"], numbers["block_size"], numbers["K"], numbers["N"]
    check(bits in (4, 8), "format-unsupported", f"{node.name} has {bits} bits, expected 4 or 8")
    blocks = -(-width // size)
    packed = graph.array(node.input[1]).reshape(out, blocks, -1)
    values = _unpack(packed, bits).astype(np.float32)
    scales = graph.array(node.input[2]).reshape(out, blocks, 1).astype(np.float32)
    zeros: np.ndarray | float = float(1 << (bits - 1))
    if len(node.input) > 3 and node.input[3]:
        stored = graph.array(node.input[3]).reshape(out, -1)
        is_packed = stored.dtype.kind == "u"
        zeros = (_unpack(stored, bits) if is_packed else stored)[:, :blocks, None].astype(np.float32)
    return np.ascontiguousarray(((values - zeros) * scales).reshape(out, blocks * size)[:, :width])


def _unpack(packed: np.ndarray, bits: int) -> np.ndarray:
    """Bytes as numbers of 4 bits, the lower half first, or of 8."""
    if bits == 8:
        return packed
    return np.stack([packed & 15, packed >> 4], axis=-1).reshape(*packed.shape[:-1], -1)


def _add_biases(graph: _Graph, state: dict[str, Tensor]) -> None:
    for node in graph.nodes:
        place = _PLACE.search(node.name)
        if not place or node.op_type not in ("Add", "Gemm", "MatMulNBits"):
            continue
        vectors = [name for name in node.input if name and graph.has(name) and graph.rank(name) == 1]
        operands = vectors if node.op_type == "Add" else [name for name in vectors if name.endswith("bias")]
        if operands:
            name = f"model.layers.{place[1]}.{_module(place[2])}.bias"
            state[name] = _floats(graph.array(operands[0]))


def _split_qkv(state: dict[str, Tensor], layers: int, query: int, key: int) -> None:
    """Cuts fused QKV of every layer into its three linears."""
    for layer in range(layers):
        for kind in ("weight", "bias"):
            stem = f"model.layers.{layer}.self_attn."
            fused = state.pop(f"{stem}qkv_proj.{kind}", None)
            if fused is None:
                continue
            for part, own in zip("qkv", fused.split([query, key, key])):
                state[f"{stem}{part}_proj.{kind}"] = own.contiguous()


# Linears that some decoders have as one, with those that stand in for them.
_FUSED = {"qkv_proj": ("q_proj", "k_proj", "v_proj"), "gate_up_proj": ("gate_proj", "up_proj")}


def join_linears(state: dict[str, Tensor], wanted: Iterable[str]) -> None:
    """Joins linears that were read apart where the decoder wants them as one."""
    for name in wanted:
        stem, _, kind = name.rpartition(".")
        before, _, leaf = stem.rpartition(".")
        if name in state or leaf not in _FUSED:
            continue
        parts = [f"{before}.{part}.{kind}" for part in _FUSED[leaf]]
        if all(part in state for part in parts):
            state[name] = torch.cat([state.pop(part) for part in parts])
