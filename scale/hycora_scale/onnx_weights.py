"""A decoder's weights out of an ONNX file, dequantised, under Hugging Face's names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .errors import check
from .onnx_matrices import OnnxGraph, embedding_of, is_linear, matrix_of

# ChatGLM's linears, by the names of others.
_GLM = {
    "query_key_value": "qkv_proj",
    "dense": "o_proj",
    "dense_h_to_4h": "gate_up_proj",
    "dense_4h_to_h": "down_proj",
}
_MODULES = "self_attn|attn|mlp|self_attention"
_PLACE = re.compile(rf"layers[./](\d+)[./](?:(?:{_MODULES})[./](\w+_proj)|(?:\w+[./])?({'|'.join(_GLM)}))\b")
_HEAD = re.compile(r"(?:^|[./])(?:lm_head|output_layer)\b")
_AROUND = "input_layernorm|post_attention_layernorm|(?:pre|post)_feedforward_layernorm"
_NORM = re.compile(rf"layers\.(\d+)\.({_AROUND}|\w+\.[qk]_norm)\b.*weight$")
# Of nodes, for gains that lost their names when an exporter folded them.
_NORM_NODE = re.compile(rf"(?:layers/|layers\.)(\d+)/({_AROUND}|\w+/[qk]_norm)/|^/?model/(norm)/")
# In which order a block runs its linears, for graphs that have lost their names: by itself each, or fused as GLM's.
_ORDERS = (
    ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
    tuple(_GLM.values()),
)


def read_weights(path: Path, *, layers: int, heads: int, kv_heads: int, head_dim: int) -> dict[str, Tensor]:
    """The state dict of a decoder, float32; raises `format-unsupported` where a part is not found.

    Linears are found by node name, or, where an exporter dropped the names, by their order in the graph; the embedding
    by what it reads. Whatever is quantised becomes scale·(q − zero point).
    """
    graph = OnnxGraph(path)
    state: dict[str, Tensor] = {}
    for name, weight in _linears(graph, layers):
        state[name] = torch.from_numpy(weight)
    _add_biases(graph, state)
    _split_qkv(state, layers, heads * head_dim, kv_heads * head_dim)
    for name in graph.names():
        place = _NORM.search(name)
        if place:
            state[f"model.layers.{place[1]}.{_hf(place[2])}.weight"] = _gain(graph, name)
        elif re.search(r"(?:model\.norm|final_(?:layer)?norm\w*)\.weight$", name):
            state["model.norm.weight"] = _gain(graph, name)
    _add_folded_gains(graph, state)
    table = embedding_of(graph)
    check(table is not None, "format-unsupported", f"{path.name} has no embedding that is known")
    state["model.embed_tokens.weight"] = _floats(table)
    state.setdefault("lm_head.weight", state["model.embed_tokens.weight"])
    return state


def _gain(graph: OnnxGraph, name: str) -> Tensor:
    """A gain as it is multiplied: with what a node adds to it."""
    gain = _floats(graph.array(name))
    for node in graph.readers(name):
        if node.op_type == "Add":
            others = [other for other in node.input if other != name]
            return gain + float(graph.number(others[0]))
    return gain


def _add_folded_gains(graph: OnnxGraph, state: dict[str, Tensor]) -> None:
    """Finds gains without names by the node that multiplies with them."""
    for node in graph.nodes:
        place = _NORM_NODE.search(node.name)
        gains = [name for name in node.input if graph.has(name) and graph.rank(name) == 1]
        if not place or node.op_type != "Mul" or not gains:
            continue
        module = "norm" if place[3] else f"layers.{place[1]}.{place[2].replace('/', '.')}"
        state.setdefault(f"model.{module}.weight", _floats(graph.array(gains[0])))


def _hf(part: str) -> str:
    return part.replace("attn.", "self_attn.") if part.startswith("attn.") else part


def _floats(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values.astype(np.float32)))


def _linears(graph: OnnxGraph, layers: int) -> list[tuple[str, np.ndarray]]:
    """Linears as (Hugging Face's name, [out, in])."""
    named: list[tuple[str, np.ndarray]] = []
    nameless = []
    for node in graph.nodes:
        if not is_linear(graph, node):
            continue
        stored = graph.root(node.input[1])
        place = _PLACE.search(node.name) or _PLACE.search(stored)
        if place:
            named.append((f"{_linear(place)}.weight", matrix_of(graph, node)))
        elif _HEAD.search(node.name) or _HEAD.search(stored):
            named.append(("lm_head.weight", matrix_of(graph, node)))
        elif graph.rank(stored) > 1 or node.op_type == "MatMulBnb4":
            nameless.append(node)
    if any(name.startswith("model.layers.") for name, _ in named):
        return named
    order = next((names for names in _ORDERS if len(nameless) - len(names) * layers in (0, 1)), None)
    check(order, "format-unsupported", f"the graph has {len(nameless)} linears without names in {layers} layers")
    assert order
    for index, node in enumerate(nameless[: len(order) * layers]):
        layer, at = divmod(index, len(order))
        named.append((f"model.layers.{layer}.{_module(order[at])}.weight", matrix_of(graph, node)))
    if len(nameless) > len(order) * layers:
        named.append(("lm_head.weight", matrix_of(graph, nameless[-1])))
    return named


def _linear(place: re.Match[str]) -> str:
    """Hugging Face's name of the linear that a name speaks of."""
    return f"model.layers.{place[1]}.{_module(place[2] or _GLM[place[3]])}"


def _module(leaf: str) -> str:
    return f"{'mlp' if leaf in ('gate_proj', 'up_proj', 'down_proj', 'gate_up_proj') else 'self_attn'}.{leaf}"


def _add_biases(graph: OnnxGraph, state: dict[str, Tensor]) -> None:
    for node in graph.nodes:
        if not (node.op_type == "Add" or is_linear(graph, node)):
            continue
        vectors = [name for name in node.input if name and graph.has(name) and graph.rank(name) == 1]
        places = (_PLACE.search(name) for name in (node.name, *vectors))
        place = next((found for found in places if found), None)
        if not place:
            continue
        operands = vectors if node.op_type == "Add" else [name for name in vectors if name.endswith("bias")]
        if operands:
            state[f"{_linear(place)}.bias"] = _floats(graph.array(operands[0]))


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


# Linears that some decoders have as one or by another name, with those that stand in for them.
_JOINED = {
    "self_attn.qkv_proj": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "mlp.gate_up_proj": ("mlp.gate_proj", "mlp.up_proj"),
    "shared_mlp.input_linear": ("mlp.gate_proj", "mlp.up_proj"),
    "shared_mlp.output_linear": ("mlp.down_proj",),
}


def join_linears(state: dict[str, Tensor], wanted: Iterable[str]) -> None:
    """Joins linears that were read apart where the decoder wants them as one."""
    for name in wanted:
        module, _, kind = name.rpartition(".")
        joined = next((joined for joined in _JOINED if module.endswith(f".{joined}")), None)
        if name in state or not joined:
            continue
        parts = [f"{module.removesuffix(joined)}{part}.{kind}" for part in _JOINED[joined]]
        if all(part in state for part in parts):
            state[name] = torch.cat([state.pop(part) for part in parts])
