from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hycora_scale.onnx_matrices import OnnxGraph, embedding_of, is_linear, matrix_of

OUT, WIDTH = 6, 40
CODES = {
    "uint8": (TensorProto.UINT8, 0, 256),
    "int8": (TensorProto.INT8, -128, 128),
    "uint4": (TensorProto.UINT4, 0, 16),
    "int4": (TensorProto.INT4, -8, 8),
}


def opened(folder: Path, nodes, tensors) -> OnnxGraph:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "one", values[:1], values[1:], tensors)
    onnx.save(helper.make_model(graph), str(folder / "model.onnx"))
    return OnnxGraph(folder / "model.onnx")


def linear(graph: OnnxGraph) -> np.ndarray:
    (node,) = [node for node in graph.nodes if is_linear(graph, node)]
    return matrix_of(graph, node)


def floats(name: str, values: np.ndarray):
    return numpy_helper.from_array(values.astype(np.float32), name)


def packed(codes: np.ndarray, bits: int) -> np.ndarray:
    """Codes along the last axis in bytes, the lowest bits first."""
    each = 8 // bits
    filled = np.pad(codes, [(0, 0)] * (codes.ndim - 1) + [(0, -codes.shape[-1] % each)])
    groups = filled.reshape(*filled.shape[:-1], -1, each).astype(np.uint16)
    return (groups << (bits * np.arange(each))).sum(-1).astype(np.uint8)


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("zeros", ["none", "packed", "floats"])
def test_blocks_along_rows(tmp_path: Path, bits: int, zeros: str):
    random = np.random.default_rng(bits)
    size, blocks = 16, 3
    codes = random.integers(0, 1 << bits, (OUT, blocks * size))
    scales = random.normal(size=(OUT, blocks)).astype(np.float32)
    zero = {
        "none": np.full((OUT, blocks), 1 << (bits - 1)),
        "packed": random.integers(0, 1 << bits, (OUT, blocks)),
        "floats": random.normal(size=(OUT, blocks)).astype(np.float32),
    }[zeros]
    tensors = [
        numpy_helper.from_array(packed(codes, bits).reshape(OUT, blocks, -1), "codes"),
        floats("scales", scales),
    ]
    inputs = ["x", "codes", "scales"]
    if zeros != "none":
        inputs.append("zeros")
        stored = numpy_helper.from_array(packed(zero, bits), "zeros") if zeros == "packed" else floats("zeros", zero)
        tensors.append(stored)
    numbers = {"K": WIDTH, "N": OUT, "bits": bits, "block_size": size}
    node = helper.make_node("MatMulNBits", inputs, ["y"], domain="com.microsoft", **numbers)
    found = linear(opened(tmp_path, [node], tensors))
    for n in range(OUT):
        for k in range(WIDTH):
            wanted = (float(codes[n, k]) - float(zero[n, k // size])) * float(scales[n, k // size])
            assert found[n, k] == pytest.approx(wanted, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("size", [16, 64])
def test_levels_in_one_run_of_blocks(tmp_path: Path, kind: int, size: int):
    random = np.random.default_rng(kind)
    codes = random.integers(0, 16, OUT * WIDTH)
    scales = random.random(-(-OUT * WIDTH // size)).astype(np.float32)
    bytes_ = ((codes[0::2] << 4) | codes[1::2]).astype(np.uint8)
    numbers = {"K": WIDTH, "N": OUT, "block_size": size, "quant_type": kind}
    node = helper.make_node("MatMulBnb4", ["x", "codes", "scales"], ["y"], domain="com.microsoft", **numbers)
    found = linear(opened(tmp_path, [node], [numpy_helper.from_array(bytes_, "codes"), floats("scales", scales)]))
    known = {0: {0: 0.0, 3: 1.0, 5: 0.5, 11: -1.0}, 1: {0: -1.0, 7: 0.0, 12: 0.4407098, 15: 1.0}}[kind]
    for index, code in enumerate(codes):
        if int(code) in known:
            wanted = known[int(code)] * scales[index // size]
            assert found[index // WIDTH, index % WIDTH] == pytest.approx(wanted, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("form", ["one", "columns", "blocks"])
@pytest.mark.parametrize("is_turned", [False, True])
def test_dequantised_beside_the_product(tmp_path: Path, kind: str, form: str, is_turned: bool):
    random = np.random.default_rng(3)
    data_type, low, high = CODES[kind]
    size = 16
    codes = random.integers(low, high, (OUT, WIDTH))
    shape = {"one": (1, 1), "columns": (OUT, 1), "blocks": (OUT, 3)}[form]
    scales, zero = random.normal(size=shape).astype(np.float32), random.integers(low, high, shape)
    wanted = np.zeros((OUT, WIDTH))
    for n in range(OUT):
        for k in range(WIDTH):
            at = (n if form != "one" else 0, k // size if form == "blocks" else 0)
            wanted[n, k] = (float(codes[n, k]) - float(zero[at])) * float(scales[at])

    def stored(values: np.ndarray) -> np.ndarray:
        if form == "blocks":
            return values if is_turned else values.T
        return values.reshape(()) if form == "one" else values.reshape(-1)

    codes_as_stored = codes if is_turned else codes.T
    tensors = [
        helper.make_tensor("codes", data_type, codes_as_stored.shape, codes_as_stored.reshape(-1).tolist()),
        floats("scales", stored(scales)),
        helper.make_tensor("zeros", data_type, stored(zero).shape, stored(zero).reshape(-1).tolist()),
    ]
    numbers = {"axis": 1 if is_turned == (form == "blocks") else 0}
    if form == "blocks":
        numbers["block_size"] = size
    nodes = [helper.make_node("DequantizeLinear", ["codes", "scales", "zeros"], ["w"], **numbers)]
    if is_turned:
        nodes.append(helper.make_node("Transpose", ["w"], ["t"], perm=[1, 0]))
    nodes.append(helper.make_node("MatMul", ["x", "t" if is_turned else "w"], ["y"]))
    np.testing.assert_allclose(linear(opened(tmp_path, nodes, tensors)), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("is_one_node", [False, True])
def test_integers_whose_rows_are_rounded(tmp_path: Path, is_one_node: bool):
    random = np.random.default_rng(4)
    codes, zero = random.integers(0, 256, (WIDTH, OUT)), random.integers(0, 256, OUT)
    scales = random.random(OUT).astype(np.float32)
    tensors = [
        numpy_helper.from_array(codes.astype(np.uint8), "codes"),
        numpy_helper.from_array(zero.astype(np.uint8), "zeros"),
        floats("scales", scales),
    ]
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        helper.make_node("MatMulInteger", ["q", "codes", "z", "zeros"], ["i"]),
        helper.make_node("Mul", ["s", "scales"], ["both"]),
        helper.make_node("Cast", ["i"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["f", "both"], ["y"]),
    ]
    if is_one_node:
        inputs = ["x", "codes", "scales", "zeros"]
        nodes = [helper.make_node("DynamicQuantizeMatMul", inputs, ["y"], domain="com.microsoft")]
    wanted = ((codes - zero) * scales).T
    np.testing.assert_allclose(linear(opened(tmp_path, nodes, tensors)), wanted, rtol=1e-6)


def test_halves_of_both_kinds(tmp_path: Path):
    values = np.random.default_rng(5).normal(size=(WIDTH, OUT)).astype(np.float32)
    for data_type in (TensorProto.FLOAT16, TensorProto.BFLOAT16):
        tensor = helper.make_tensor("w", data_type, values.shape, values.reshape(-1).tolist())
        found = linear(opened(tmp_path, [helper.make_node("MatMul", ["x", "w"], ["y"])], [tensor]))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, values.T, rtol=1e-2)


@pytest.mark.parametrize("kind", ["bytes", "int4", "uint4"])
def test_tables_of_blocks(tmp_path: Path, kind: str):
    random = np.random.default_rng(6)
    vocabulary, hidden, size = 5, 32, 16
    scales = random.normal(size=(vocabulary, 2)).astype(np.float32)
    if kind == "bytes":
        codes = random.integers(0, 16, (vocabulary, hidden))
        tensor, zero = numpy_helper.from_array(packed(codes, 4), "codes"), 8
    else:
        data_type, low, high = CODES[kind]
        codes, zero = random.integers(low, high, (vocabulary, hidden)), 0
        tensor = helper.make_tensor("codes", data_type, codes.shape, codes.reshape(-1).tolist())
    numbers = {"bits": 4, "block_size": size, "gather_axis": 0, "quantize_axis": 1}
    inputs = ["codes", "input_ids", "scales"]
    node = helper.make_node("GatherBlockQuantized", inputs, ["y"], domain="com.microsoft", **numbers)
    found = embedding_of(opened(tmp_path, [node], [tensor, floats("scales", scales)]))
    np.testing.assert_allclose(found, (codes - zero) * np.repeat(scales, size, axis=1), rtol=1e-6)


def test_rows_of_codes_that_are_dequantised_afterwards(tmp_path: Path):
    codes = np.random.default_rng(7).integers(0, 256, (5, 8)).astype(np.uint8)
    tensors = [
        numpy_helper.from_array(codes, "codes"),
        floats("scale", np.array(0.25)),
        numpy_helper.from_array(np.array(128, np.uint8), "zero"),
    ]
    nodes = [
        helper.make_node("Gather", ["codes", "input_ids"], ["rows"]),
        helper.make_node("DequantizeLinear", ["rows", "scale", "zero"], ["y"]),
    ]
    np.testing.assert_array_equal(embedding_of(opened(tmp_path, nodes, tensors)), (codes - 128.0) * 0.25)
