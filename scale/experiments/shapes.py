"""Writes random models of the sizes of real ones, in 4 bits, and measures how the page's engine loads and plays them.

    python experiments/shapes.py RESULTS.json [--only "0.5b;1b"] [--alone 1b] [--tokens 8] [--keep FOLDER]

Run from the repository's root. Each model is a folder like an exporter's (one graph, its weights beside it in one file)
in a temporary place or, with `--keep`, below a folder that stays; `bench` says of it what loading takes of time,
JavaScript's memory and the device's, and how many tokens a second both this engine and ONNX Runtime draw from the same
file. What is not asked for stays in the results.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hycora_scale.cost import Sizes

HYCORA = ["npm", "run", "--silent", "hycora", "--"]
MICROSOFT = "com.microsoft"
BLOCK = 32
EPSILON = 1e-6
# The spread of codes from 0 to 15 about 8.
CODE_SPREAD = 4.6
# What is written at once.
PIECE = 2**24


@dataclass(frozen=True)
class Shape(Sizes):
    """The sizes of a decoder, and what family it is built like."""

    family: str
    theta: float = 1e6
    positions: int = 8192


SHAPES = {
    "tiny": Shape(2, 64, 4, 2, 16, 128, 512, "llama"),
    "0.5b": Shape(24, 896, 14, 2, 64, 4864, 151936, "qwen2"),
    "1b": Shape(16, 2048, 32, 8, 64, 8192, 128256, "llama", theta=5e5),
    "1.5b": Shape(28, 1536, 12, 2, 128, 8960, 151936, "qwen2"),
    "3.8b": Shape(32, 3072, 32, 32, 96, 8192, 32064, "llama", theta=1e4, positions=4096),
}
"""Of a model to try this with, of Qwen2.5-0.5B, Llama-3.2-1B, Qwen2.5-1.5B and Phi-3-mini."""


class Graph:
    """A graph that is being written, its weights as they come into the file beside it."""

    def __init__(self, shape: Shape, folder: Path) -> None:
        self.shape, self.nodes, self.initializers = shape, [], []
        self.data = (folder / "model_q4f16.onnx_data").open("wb")
        self.random = np.random.default_rng(7)

    def node(self, kind: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes: Any) -> str:
        """Adds a node and says what its first output is called."""
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=outputs[0], domain=domain, **attributes))
        return outputs[0]

    def inline(self, name: str, values: np.ndarray) -> str:
        """Values that lie in the graph itself."""
        self.initializers.append(numpy_helper.from_array(values, name))
        return name

    def stored(self, name: str, kind: int, dims: tuple[int, ...], count: int, piece: Callable[[int], bytes]) -> str:
        """Values that lie beside the graph, `count` bytes of them, made a piece at a time."""
        tensor = TensorProto(name=name, data_type=kind, dims=dims, data_location=TensorProto.EXTERNAL)
        place = {"location": Path(self.data.name).name, "offset": self.data.tell(), "length": count}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        self.initializers.append(tensor)
        for done in range(0, count, PIECE):
            self.data.write(piece(min(PIECE, count - done)))
        return name

    def codes(self, name: str, rows: int, columns: int) -> list[str]:
        """A matrix [rows, columns] in blocks: codes of noise, scales that keep products in bounds, zero points."""
        blocks = columns // BLOCK
        scale = np.float16(1 / (CODE_SPREAD * columns**0.5)).tobytes()
        half, byte = TensorProto.FLOAT16, TensorProto.UINT8
        codes, zeros = (rows, blocks, BLOCK // 2), (rows, (blocks + 1) // 2)
        return [
            self.stored(f"{name}.codes", byte, codes, rows * columns // 2, self.random.bytes),
            self.stored(f"{name}.scales", half, (rows, blocks), 2 * rows * blocks, lambda n: scale * (n // 2)),
            self.stored(f"{name}.zeros", byte, zeros, rows * zeros[1], lambda n: b"\x88" * n),
        ]

    def linear(self, x: str, name: str, out: int, width: int, output: str | None = None) -> str:
        """A product with a matrix of its own."""
        return self.product(x, self.codes(name, out, width), out, width, output or f"{name}.y")

    def product(self, x: str, matrix: list[str], out: int, width: int, output: str) -> str:
        """A product with a matrix in blocks."""
        sizes = {"K": width, "N": out, "bits": 4, "block_size": BLOCK}
        return self.node("MatMulNBits", [x, *matrix], [output], MICROSOFT, **sizes)

    def gain(self, place: int) -> str:
        """Gains of the norm at a place, ones, by its name: two stand in every layer, and one behind them all."""
        layer, is_second = divmod(place, 2)
        norm = "post_attention_layernorm" if is_second else "input_layernorm"
        name = "model.norm" if layer == self.shape.layers else f"model.layers.{layer}.{norm}"
        return self.inline(f"{name}.weight", np.ones(self.shape.hidden, np.float16))


def _attention(graph: Graph, x: str, layer: int, lengths: list[str]) -> str:
    shape, name = graph.shape, f"model.layers.{layer}.attn"
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    parts = []
    for part, out in (("q", queries), ("k", keys), ("v", keys)):
        y = graph.linear(x, f"{name}.{part}_proj", out, shape.hidden)
        if shape.family == "qwen2":
            bias = graph.inline(f"{name}.{part}_proj.bias", graph.random.normal(0, 0.1, out).astype(np.float16))
            y = graph.node("Add", [y, bias], [f"{y}.biased"])
        parts.append(y)
    past = [f"past_key_values.{layer}.{part}" for part in ("key", "value")]
    present = [f"present.{layer}.{part}" for part in ("key", "value")]
    sizes = {"num_heads": shape.heads, "kv_num_heads": shape.kv_heads, "scale": shape.head_dim**-0.5, "do_rotary": 1}
    inputs = [*parts, *past, *lengths, "cos_cache", "sin_cache"]
    seen = graph.node("GroupQueryAttention", inputs, [f"{name}.seen", *present], MICROSOFT, **sizes)
    return graph.linear(seen, f"{name}.o_proj", shape.hidden, queries)


def _mlp(graph: Graph, x: str, layer: int) -> str:
    shape, name = graph.shape, f"model.layers.{layer}.mlp"
    gate = graph.linear(x, f"{name}.gate_proj", shape.ffn, shape.hidden)
    up = graph.linear(x, f"{name}.up_proj", shape.ffn, shape.hidden)
    half = graph.node("Sigmoid", [gate], [f"{name}.sigmoid"])
    silu = graph.node("Mul", [gate, half], [f"{name}.silu"])
    return graph.linear(graph.node("Mul", [silu, up], [f"{name}.gated"]), f"{name}.down_proj", shape.hidden, shape.ffn)


def _lengths(graph: Graph) -> list[str]:
    """How many tokens each sequence has but one, and how many all have room for, as the attention wants them."""
    one = graph.inline("one", np.array([1], np.int64))
    seen = graph.node("ReduceSum", ["attention_mask", one], ["seen"], keepdims=0)
    behind = graph.node("Cast", [graph.node("Sub", [seen, one], ["behind.long"])], ["behind"], to=TensorProto.INT32)
    sizes = graph.node("Shape", ["attention_mask"], ["sizes"])
    index = graph.inline("second", np.array(1, np.int64))
    total = graph.node("Gather", [sizes, index], ["total.long"], axis=0)
    return [behind, graph.node("Cast", [total], ["total"], to=TensorProto.INT32)]


def _decoder(graph: Graph) -> None:
    shape = graph.shape
    angles = np.outer(np.arange(shape.positions), shape.theta ** (-2 * np.arange(shape.head_dim // 2) / shape.head_dim))
    graph.inline("cos_cache", np.cos(angles).astype(np.float16))
    graph.inline("sin_cache", np.sin(angles).astype(np.float16))
    lengths = _lengths(graph)
    table = graph.codes("lm_head", shape.vocabulary, shape.hidden)
    rows = graph.inline("rows", np.array([shape.vocabulary, shape.hidden // 2], np.int64))
    flat = graph.node("Reshape", [table[0], rows], ["embedding.codes"])
    sizes = {"bits": 4, "block_size": BLOCK, "gather_axis": 0, "quantize_axis": 1}
    stream = graph.node("GatherBlockQuantized", [flat, "input_ids", *table[1:]], ["embedded"], MICROSOFT, **sizes)
    norm = {"epsilon": EPSILON}
    x = graph.node("SimplifiedLayerNormalization", [stream, graph.gain(0)], ["normed.0"], axis=-1, **norm)
    for at in range(1, 2 * shape.layers + 1):
        layer, is_mlp = divmod(at - 1, 2)
        added = _mlp(graph, x, layer) if is_mlp else _attention(graph, x, layer, lengths)
        outputs = [f"normed.{at}", "", "", f"stream.{at}"]
        inputs = [stream, added, graph.gain(at)]
        x = graph.node("SkipSimplifiedLayerNormalization", inputs, outputs, MICROSOFT, **norm)
        stream = outputs[-1]
    graph.product(x, table, shape.vocabulary, shape.hidden, "logits")


def write_model(shape: Shape, folder: Path) -> None:
    """Writes a decoder of a shape into a folder: its graph, its weights and its config.json."""
    (folder / "onnx").mkdir(parents=True)
    graph = Graph(shape, folder / "onnx")
    _decoder(graph)
    graph.data.close()
    half, whole = TensorProto.FLOAT16, TensorProto.INT64

    def value(name: str, kind: int, dims: list[str | int]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, dims)

    def caches(name: str, length: str) -> list[onnx.ValueInfoProto]:
        dims, parts = ["batch", shape.kv_heads, length, shape.head_dim], ("key", "value")
        return [value(f"{name}.{layer}.{part}", half, dims) for layer in range(shape.layers) for part in parts]

    inputs = [value("input_ids", whole, ["batch", "tokens"]), value("attention_mask", whole, ["batch", "total"])]
    outputs = [value("logits", half, ["batch", "tokens", shape.vocabulary])]
    inputs, outputs = [*inputs, *caches("past_key_values", "past")], [*outputs, *caches("present", "total")]
    made = helper.make_graph(graph.nodes, "random", inputs, outputs, graph.initializers)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)]
    onnx.save(helper.make_model(made, opset_imports=opsets, ir_version=10), folder / "onnx/model_q4f16.onnx")
    (folder / "config.json").write_text(json.dumps(_config(shape), indent=2) + "\n")


def _config(shape: Shape) -> dict[str, Any]:
    return {
        "model_type": shape.family,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.ffn,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "hidden_act": "silu",
        "max_position_embeddings": shape.positions,
        "rms_norm_eps": EPSILON,
        "rope_theta": shape.theta,
        "vocab_size": shape.vocabulary,
        "tie_word_embeddings": True,
    }


def measure(folder: Path, is_alone: bool, tokens: int) -> dict[str, Any]:
    """What `bench` says of a model, in a process of its own."""
    words = ["bench", "--backbone", str(folder), "--cases", "load", "--tokens", str(tokens), "--json"]
    alone = ["--alone"] if is_alone else []
    said = subprocess.run([*HYCORA, *words, *alone], check=True, capture_output=True, text=True).stdout
    return json.loads(said)


def main() -> None:
    """Writes each model, measures it and deletes it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path)
    parser.add_argument("--only", default=";".join(name for name in SHAPES if name != "tiny"))
    parser.add_argument("--alone", default="1b;1.5b;3.8b", help="models that ONNX Runtime is not given")
    parser.add_argument("--tokens", type=int, default=8, help="that an answer has")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    results = json.loads(options.results.read_text("utf8")) if options.results.exists() else {}
    with tempfile.TemporaryDirectory() as place:
        for name in options.only.split(";"):
            folder = (options.keep or Path(place)) / f"random-{name}"
            if not folder.exists():
                write_model(SHAPES[name], folder)
            results[name] = {
                "shape": asdict(SHAPES[name]),
                **measure(folder, name in options.alone.split(";"), options.tokens),
            }
            print(name, json.dumps(results[name]), flush=True)
            options.results.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
