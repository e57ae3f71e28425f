"""Writes a backbone again in the forms that ONNX Runtime's quantisers give it, and notes how each is computed.

    python experiments/forms.py BACKBONE RESULTS.json [--only "NAME;NAME"] [--pack PACK --role ROLE]

Run from the repository's root; needs onnxruntime and its quantisers, which nothing else here does. The backbone is a
folder with one ONNX file, whose weights are dequantised to float32 first. Of each form it is noted how far the logits
of the page's kernels lie from ONNX Runtime's and from those of the float32 form on the same kernels, the first of 24
greedy tokens that differs, and whether the fingerprint is the backbone's; with `--pack`, what a role of it answers, and
up to which letter that is what it answers on the backbone itself. What is there in the results already is not measured
again, and stays where it is not asked for.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    QuantFormat,
    QuantType,
    matmul_bnb4_quantizer,
    matmul_nbits_quantizer,
    quantize_dynamic,
)
from safetensors.numpy import load_file

from hycora_scale.onnx_matrices import OnnxGraph, embedding_of, is_linear, matrix_of

HYCORA = ["npm", "run", "--silent", "hycora", "--"]
QUESTION = "Good evening! What have you been up to?"
IDS = "1,42,17,250,9,9,300,31,7,120,64,2"
HALF = (TensorProto.FLOAT16, TensorProto.BFLOAT16)


def _wide(tensor: onnx.TensorProto) -> onnx.TensorProto:
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name)


def _angles(tensor: onnx.TensorProto, theta: float) -> onnx.TensorProto:
    """A table of cosines or sines without the rounding of its halves."""
    positions, half = tensor.dims
    angles = np.outer(np.arange(positions), theta ** (-np.arange(half) / half))
    values = np.cos(angles) if tensor.name.startswith("cos") else np.sin(angles)
    return numpy_helper.from_array(values.astype(np.float32), tensor.name)


def as_floats(path: Path, theta: float) -> onnx.ModelProto:
    """The model with float32 everywhere, each linear a plain product and the embedding a plain table."""
    graph = OnnxGraph(path)
    model = onnx.load(str(path))
    added: list[onnx.TensorProto] = []
    for node in model.graph.node:
        if is_linear(graph, node) and node.op_type.startswith("MatMul") and node.op_type != "MatMul":
            name = f"{node.input[1]}.float"
            added.append(numpy_helper.from_array(np.ascontiguousarray(matrix_of(graph, node).T), name))
            node.op_type, node.domain = "MatMul", ""
            node.input[:] = [node.input[0], name]
            del node.attribute[:]
        elif node.op_type == "GatherBlockQuantized":
            added.append(numpy_helper.from_array(np.ascontiguousarray(embedding_of(graph)), "embedding.float"))
            node.op_type, node.domain = "Gather", ""
            node.input[:] = ["embedding.float", node.input[1]]
            del node.attribute[:]
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i in HALF:
                attribute.i = TensorProto.FLOAT
            if attribute.type == onnx.AttributeProto.TENSOR and attribute.t.data_type in HALF:
                attribute.t.CopyFrom(_wide(attribute.t))
    used = {name for node in model.graph.node for name in node.input}
    stored = [tensor for tensor in model.graph.initializer if tensor.name in used]
    halves = [tensor for tensor in stored if tensor.data_type in HALF]
    tables = [_angles(tensor, theta) for tensor in halves if tensor.name in ("cos_cache", "sin_cache")]
    kept = [tensor for tensor in stored if tensor.data_type not in HALF] + tables
    kept += [_wide(tensor) for tensor in halves if tensor.name not in ("cos_cache", "sin_cache")]
    del model.graph.initializer[:]
    model.graph.initializer.extend([*kept, *added])
    for value in [*model.graph.input, *model.graph.output]:
        if value.type.tensor_type.elem_type in HALF:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    del model.graph.value_info[:]
    return model


def _save(model: onnx.ModelProto, out: Path) -> None:
    onnx.save(model, str(out), save_as_external_data=True, location=f"{out.name}_data", size_threshold=4096)


def _blocks(bits: int, size: int, is_symmetric: bool, form: QuantFormat = QuantFormat.QOperator) -> Callable[..., None]:
    def write(source: Path, out: Path) -> None:
        settings = {"bits": bits, "block_size": size, "is_symmetric": is_symmetric, "quant_format": form}
        quantiser = matmul_nbits_quantizer.MatMulNBitsQuantizer(onnx.load(str(source)), **settings)
        quantiser.process()
        _save(quantiser.model.model, out)

    return write


def _levels(kind: int) -> Callable[..., None]:
    def write(source: Path, out: Path) -> None:
        quantiser = matmul_bnb4_quantizer.MatMulBnb4Quantizer(onnx.load(str(source)), kind, 64)
        quantiser.process()
        _save(quantiser.model.model, out)

    return write


def _rounded(kind: QuantType, is_by_column: bool) -> Callable[..., None]:
    def write(source: Path, out: Path) -> None:
        settings: dict[str, Any] = {"weight_type": kind, "per_channel": is_by_column, "use_external_data_format": True}
        # Of what comes out of ONNX Runtime's own operators it cannot tell the type.
        settings["extra_options"] = {"DefaultTensorType": TensorProto.FLOAT}
        quantize_dynamic(source, out, op_types_to_quantize=["MatMul", "Gather"], **settings)

    return write


def _cast(data_type: int) -> Callable[..., None]:
    def write(source: Path, out: Path) -> None:
        """Stores matrices in two bytes and widens them beside what they are used by."""
        model = onnx.load(str(source))
        casts = []
        for tensor in model.graph.initializer:
            if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) != 2:
                continue
            values = numpy_helper.to_array(tensor)
            halves = helper.make_tensor(f"{tensor.name}.half", data_type, values.shape, values.reshape(-1))
            casts.append(helper.make_node("Cast", [halves.name], [tensor.name], to=TensorProto.FLOAT))
            tensor.CopyFrom(halves)
        nodes = [*casts, *model.graph.node]
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        _save(model, out)

    return write


FORMS: dict[str, Callable[..., None]] = {
    "blocks of 32, 4 bits": _blocks(4, 32, True),
    "blocks of 128, 4 bits, zero points": _blocks(4, 128, False),
    "blocks of 32, 8 bits": _blocks(8, 32, True),
    "blocks of 32, 2 bits, zero points": _blocks(2, 32, False),
    "dequantised blocks of 32, 4 bits": _blocks(4, 32, True, QuantFormat.QDQ),
    "dequantised blocks of 64, 4 bits, zero points": _blocks(4, 64, False, QuantFormat.QDQ),
    "NF4": _levels(matmul_bnb4_quantizer.MatMulBnb4Quantizer.NF4),
    "FP4": _levels(matmul_bnb4_quantizer.MatMulBnb4Quantizer.FP4),
    "rounded, int8": _rounded(QuantType.QInt8, False),
    "rounded, uint8": _rounded(QuantType.QUInt8, False),
    "rounded, int8 by column": _rounded(QuantType.QInt8, True),
    "float16": _cast(TensorProto.FLOAT16),
}


def _run(*words: str, is_needed: bool = False) -> str:
    """What a command says, its complaints too; one that is needed must not fail."""
    finished = subprocess.run([*HYCORA, *words], capture_output=True, text=True)
    if finished.returncode == 0:
        return finished.stdout
    if is_needed:
        raise RuntimeError(f"hycora {' '.join(words)}: {finished.stderr}")
    return f"{finished.stdout}{finished.stderr}"


@cache
def _logits(folder: Path) -> np.ndarray | None:
    out = folder / "logits.safetensors"
    _run("logits", "--backbone", str(folder), "--engine", "webgpu", "--ids", IDS, "--out", str(out))
    return load_file(out)["logits"].astype(np.float64) if out.exists() else None


def _fingerprint(folder: Path) -> str:
    return json.loads(_run("inspect", str(folder), "--json"))["fingerprint"]


def _answer(folder: Path, options: argparse.Namespace) -> str | None:
    """What a role says in at most 24 tokens, the likeliest ones."""
    if not options.pack:
        return None
    role = ["--pack", str(options.pack), "--role", options.role, "--engine", "webgpu"]
    asked = ["--prompt", QUESTION, "--greedy", "--max-tokens", "24"]
    return _run("generate", "--backbone", str(folder), *role, *asked, is_needed=True).strip()


def _played(said: str | None, original: str | None) -> dict[str, Any]:
    if said is None or original is None:
        return {}
    pairs = zip(said, original)
    differs = next((at for at, (a, b) in enumerate(pairs) if a != b), None)
    shorter = min(len(said), len(original))
    return {"answer": said, "sameLetters": None if said == original else shorter if differs is None else differs}


def measure(folder: Path, floats: Path, mark: str) -> dict[str, Any]:
    """What is noted of a form."""
    said = _run("check", "--backbone", str(folder), "--json")
    try:
        found = json.loads(said)
        compared = {name: found[name] for name in ("reason", "nmse", "nmseUnrounded")}
        compared["differsAt"] = found["firstDifferentToken"]
    except ValueError:
        compared = {"failed": said.strip()}
    ours, exact = _logits(folder), _logits(floats)
    is_there = ours is not None and exact is not None
    from_floats = float(((ours - exact) ** 2).sum() / (exact**2).sum()) if is_there else None
    return {**compared, "nmseFromFloats": from_floats, "isSameBackbone": _fingerprint(folder) == mark}


def main() -> None:
    """Writes each form, measures it and deletes it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("backbone", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--pack", type=Path)
    parser.add_argument("--role", default="")
    options = parser.parse_args()
    (source,) = options.backbone.rglob("*.onnx")
    wanted = options.only.split(";") if options.only else list(FORMS)
    with tempfile.TemporaryDirectory() as place:

        def folder_of(name: str) -> Path:
            folder = Path(place) / name.replace(" ", "-").replace(",", "")
            folder.mkdir()
            for file in options.backbone.glob("*.json"):
                shutil.copy(file, folder)
            return folder

        floats = folder_of("float32")
        theta = json.loads((options.backbone / "config.json").read_text("utf8"))["rope_theta"]
        _save(as_floats(source, theta), floats / "model.onnx")
        mark = _fingerprint(options.backbone)
        original = _answer(options.backbone, options)
        rows = json.loads(options.results.read_text("utf8")) if options.results.exists() else {}
        for name in ["float32", *wanted]:
            known = rows.get(name, {})
            folder = floats if name == "float32" else folder_of(name)
            try:
                if name != "float32":
                    FORMS[name](floats / "model.onnx", folder / "model.onnx")
                found = known if "nmseFromFloats" in known else measure(folder, floats, mark)
                rows[name] = {**found, **_played(_answer(folder, options), original)}
            except Exception as error:
                rows[name] = {"failed": f"the quantiser: {error}"}
            print(name, json.dumps(rows[name]), flush=True)
            options.results.write_text(json.dumps(rows, indent=2) + "\n")
            if name != "float32":
                shutil.rmtree(folder)


if __name__ == "__main__":
    main()
