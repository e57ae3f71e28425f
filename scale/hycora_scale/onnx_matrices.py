"""The constant matrices of an ONNX graph, dequantised: what linears multiply with, and the table of embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from .errors import check

# Linears by how their weights are stored; each has them as its second input.
_LINEARS = (
    "MatMul",
    "Gemm",
    "MatMulNBits",
    "MatMulBnb4",
    "MatMulInteger",
    "DynamicQuantizeMatMul",
    "MatMulIntegerToFloat",
)
# Operators that keep which numbers a constant has.
_KEEPING = ("Identity", "Cast", "Transpose", "DequantizeLinear")
# Reference: Dettmers et al., "QLoRA", 2023, appendix E.
_NORMAL_LEVELS = (
    *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453),
    *(-0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0),
    *(0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224),
    *(0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
)
_FLOAT_HALF = (0.0, 0.0052083334, 0.6666667, 1.0, 0.33333334, 0.5, 0.16666667, 0.25)
_FLOAT_LEVELS = (*_FLOAT_HALF, *(-level for level in _FLOAT_HALF))


class OnnxGraph:
    """An ONNX graph with its tensors at hand."""

    def __init__(self, path: Path) -> None:
        self._folder = str(path.parent)
        graph = onnx.load(str(path), load_external_data=False).graph
        self.nodes = list(graph.node)
        self._initializers = {tensor.name: tensor for tensor in graph.initializer}
        self._makers = {output: node for node in self.nodes for output in node.output}
        self._readers: dict[str, list[onnx.NodeProto]] = {}
        for node in self.nodes:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)

    def names(self) -> list[str]:
        """Of all initializers."""
        return list(self._initializers)

    def has(self, name: str) -> bool:
        """Whether a value is an initializer."""
        return name in self._initializers

    def array(self, name: str) -> np.ndarray:
        """A tensor's values as stored; external data is read from its file."""
        return numpy_helper.to_array(self._initializers[name], self._folder)

    def rank(self, name: str) -> int:
        """How many axes an initializer has."""
        return len(self._initializers[name].dims)

    def maker(self, name: str) -> onnx.NodeProto | None:
        """The node that gives a value."""
        return self._makers.get(name)

    def readers(self, name: str) -> list[onnx.NodeProto]:
        """The nodes that use a value."""
        return self._readers.get(name, [])

    def root(self, name: str) -> str:
        """The initializer behind a constant, through what keeps its numbers; empty where there is none."""
        if self.has(name):
            return name
        node = self.maker(name)
        return self.root(node.input[0]) if node is not None and node.op_type in _KEEPING else ""

    def constant(self, name: str) -> np.ndarray:
        """The values of a constant, dequantised on the way."""
        if self.has(name):
            return self.array(name)
        node = self._makers[name]
        inner = self.constant(node.input[0])
        if node.op_type == "Transpose":
            return inner.transpose(attributes_of(node).get("perm"))
        if node.op_type == "DequantizeLinear":
            return self.dequantised(inner, node)
        return inner

    def number(self, name: str) -> float:
        """The one number of an initializer or a Constant."""
        node = self.maker(name)
        if node is None:
            return float(self.array(name).item())
        return float(numpy_helper.to_array(node.attribute[0].t).item())

    def dequantised(self, codes: np.ndarray, node: onnx.NodeProto) -> np.ndarray:
        """scale·(q − zero point) by a node's scales: one, one for each index of an axis, or blocks along it."""
        found = attributes_of(node)
        along = (int(found.get("axis", 1)) % max(codes.ndim, 1), int(found.get("block_size", 0)))
        zeros = self.constant(node.input[2]) if len(node.input) > 2 and node.input[2] else None
        return _scaled(codes, self.constant(node.input[1]), zeros, along)


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    """Numbers and lists of numbers by name."""
    return {a.name: list(a.ints) or a.i for a in node.attribute}


def is_linear(graph: OnnxGraph, node: onnx.NodeProto) -> bool:
    """Whether a node multiplies with a constant."""
    return node.op_type in _LINEARS and graph.root(node.input[1]) != ""


def matrix_of(graph: OnnxGraph, node: onnx.NodeProto) -> np.ndarray:
    """The weight of a linear as [out, in], float32."""
    if node.op_type == "MatMulNBits":
        numbers = attributes_of(node)
        return _blocks(graph, node.input[1:4], numbers, (numbers["N"], numbers["K"]))
    if node.op_type == "MatMulBnb4":
        return _levels(graph, node)
    if node.op_type == "MatMulInteger":
        zeros = node.input[3] if len(node.input) > 3 else ""
        return _integers(graph, node.input[1], _product_scale(graph, node), zeros)
    if node.op_type == "DynamicQuantizeMatMul":
        return _integers(graph, node.input[1], node.input[2], node.input[3] if len(node.input) > 3 else "")
    if node.op_type == "MatMulIntegerToFloat":
        return _integers(graph, node.input[1], node.input[3], node.input[5] if len(node.input) > 5 else "")
    weight = graph.constant(node.input[1]).astype(np.float32)
    is_turned = node.op_type == "Gemm" and attributes_of(node).get("transB", 0) == 1
    return np.ascontiguousarray(weight if is_turned else weight.T)


def embedding_of(graph: OnnxGraph) -> np.ndarray | None:
    """The table that the token ids choose from, [vocabulary, hidden]."""
    for node in graph.nodes:
        if node.op_type not in ("Gather", "GatherBlockQuantized") or _source(graph, node.input[1]) != "input_ids":
            continue
        if node.op_type == "GatherBlockQuantized":
            return _gathered_blocks(graph, node)
        if not graph.root(node.input[0]):
            continue
        table = graph.constant(node.input[0])
        for reader in graph.readers(node.output[0]):
            if reader.op_type == "DequantizeLinear":
                return graph.dequantised(table, reader)
        return table.astype(np.float32)
    return None


def _source(graph: OnnxGraph, name: str) -> str:
    """The value that a cast or a reshape of token ids comes from."""
    node = graph.maker(name)
    return _source(graph, node.input[0]) if node is not None and node.op_type in ("Cast", "Reshape") else name


def _scaled(codes: np.ndarray, scales: np.ndarray, zeros: np.ndarray | None, along: tuple[int, int]) -> np.ndarray:
    axis, block = along

    def spread(values: np.ndarray) -> np.ndarray:
        values = values.astype(np.float32)
        if values.size == 1:
            return values.reshape(())
        if block == 0:
            return values.reshape([-1 if at == axis else 1 for at in range(codes.ndim)])
        return np.repeat(values, block, axis=axis).take(range(codes.shape[axis]), axis=axis)

    shifted = codes.astype(np.float32) - (0 if zeros is None else spread(zeros))
    return shifted * spread(scales)


def _integers(graph: OnnxGraph, codes: str, scales: str, zeros: str) -> np.ndarray:
    """A matrix [in, out] of integers with a scale for all or for each column → [out, in]."""
    found = graph.constant(zeros) if zeros else None
    return np.ascontiguousarray(_scaled(graph.constant(codes), graph.constant(scales), found, (1, 0)).T)


def _product_scale(graph: OnnxGraph, product: onnx.NodeProto) -> str:
    """The scale that a product of integers is multiplied with behind its cast, but for that of its rows."""
    value = product.output[0]
    for _ in range(2):
        (reader,) = graph.readers(value)
        if reader.op_type == "Mul":
            scale = next(name for name in reader.input if name != value)
            both = graph.maker(scale)
            check(both is not None, "format-unsupported", f"{product.name} has no scale that is known")
            return next(name for name in both.input if graph.root(name))
        value = reader.output[0]
    check(False, "format-unsupported", f"{product.name} has no scale that is known")
    return ""


def _blocks(graph: OnnxGraph, parts: Any, numbers: dict[str, Any], shape: tuple[int, int]) -> np.ndarray:
    """Blocks along the rows of bytes, each with a scale and perhaps a zero point → [out, in]."""
    out, width = shape
    bits, size = numbers.get("bits", 4), numbers["block_size"]
    check(bits in (2, 4, 8), "format-unsupported", f"{parts[0]} has {bits} bits, expected 2, 4 or 8")
    blocks = -(-width // size)
    values = _unpack(graph.array(parts[0]).reshape(out, -1), bits).astype(np.float32)
    scales = graph.array(graph.root(parts[1])).reshape(out, blocks, 1).astype(np.float32)
    zeros: np.ndarray | float = float(1 << (bits - 1))
    if len(parts) > 2 and parts[2]:
        stored = graph.array(graph.root(parts[2])).reshape(out, -1)
        is_packed = stored.dtype == np.uint8
        zeros = (_unpack(stored, bits) if is_packed else stored)[:, :blocks, None].astype(np.float32)
    whole = values.reshape(out, blocks, size)
    return np.ascontiguousarray(((whole - zeros) * scales).reshape(out, blocks * size)[:, :width])


def _gathered_blocks(graph: OnnxGraph, node: onnx.NodeProto) -> np.ndarray:
    """GatherBlockQuantized: as MatMulNBits in bytes, or codes of a type of their own."""
    numbers = attributes_of(node)
    codes = graph.constant(_unshaped(graph, node.input[0]))
    scales = graph.array(_unshaped(graph, node.input[2]))
    size = numbers["block_size"]
    if codes.dtype != np.uint8:
        zeros = graph.array(node.input[3]) if len(node.input) > 3 and node.input[3] else None
        return _scaled(codes, scales, zeros, (1, size))
    out = scales.shape[0] if scales.ndim > 1 else codes.shape[0]
    width = codes.size * 8 // numbers.get("bits", 4) // out
    parts = [_unshaped(graph, name) if name else "" for name in (node.input[0], *node.input[2:])]
    return _blocks(graph, parts, numbers, (out, width))


def _unshaped(graph: OnnxGraph, name: str) -> str:
    """The constant behind a reshape."""
    node = graph.maker(name)
    return _unshaped(graph, node.input[0]) if node is not None and node.op_type == "Reshape" else name


def _levels(graph: OnnxGraph, node: onnx.NodeProto) -> np.ndarray:
    """MatMulBnb4: 4-bit names of levels, the upper half of a byte first, in one run of blocks → [out, in]."""
    numbers = attributes_of(node)
    packed = graph.array(node.input[1]).reshape(-1)
    codes = np.stack([packed >> 4, packed & 15], axis=-1).reshape(-1)
    levels = np.array(_NORMAL_LEVELS if numbers.get("quant_type", 1) == 1 else _FLOAT_LEVELS, np.float32)
    count = numbers["N"] * numbers["K"]
    scales = np.repeat(graph.array(node.input[2]).reshape(-1).astype(np.float32), numbers["block_size"])
    return (levels[codes[:count]] * scales[:count]).reshape(numbers["N"], numbers["K"])


def _unpack(packed: np.ndarray, bits: int) -> np.ndarray:
    """Bytes as numbers of 2 or 4 bits, the lowest first, or of 8."""
    if bits == 8:
        return packed
    parts = [(packed >> shift) & ((1 << bits) - 1) for shift in range(0, 8, bits)]
    return np.stack(parts, axis=-1).reshape(*packed.shape[:-1], -1)
