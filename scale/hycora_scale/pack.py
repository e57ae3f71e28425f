"""Persona packs: one safetensors file, read with all checks and written so that the page takes it."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .errors import check
from .pack_config import PackConfig, expected_tensors, read_pack_config

_KEYS = ("format", "format_version", "config", "backbone", "roles", "provenance", "sha256")
_MOST_BYTES = 512 * 2**20
_MOST_HEADER = 8 * 2**20
_DTYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2")}


@dataclass(frozen=True)
class Pack:
    """A pack of which everything has been checked; tensors are float32."""

    name: str
    config: PackConfig
    roles: list[dict[str, Any]]
    """`{name, card?, system?, blend?}` in role-id order, blends last."""
    backbone: dict[str, str]
    """`{name, architecture, fingerprint}`."""
    tensors: dict[str, Tensor]
    provenance: dict[str, Any] = field(default_factory=dict)
    sha256: str = ""

    @property
    def rows(self) -> int:
        """How many roles have rows of their own."""
        return sum("blend" not in role for role in self.roles)

    @property
    def has_heads(self) -> bool:
        """Whether the two projections of the contrastive loss are there."""
        return "hidden_to_role_emb_layer.weight" in self.tensors


def read_pack(path: Path) -> Pack:
    """Reads a pack; raises `format-invalid`, `format-unsupported`, or `usage` where there is no such file."""
    check(path.is_file(), "usage", f"{path} cannot be read")
    name = path.name
    check(path.stat().st_size <= _MOST_BYTES, "format-invalid", f"{name} has more than {_MOST_BYTES} bytes")
    data = path.read_bytes()
    header, first = _read_header(data, name)
    metadata = header.pop("__metadata__", {})
    check(metadata.get("format") == "hycora-pack", "format-invalid", f"{name} is not a persona pack")
    version = metadata.get("format_version")
    check(version == "1", "format-unsupported", f'{name}: format_version is {version!r}, expected "1"')
    check(set(metadata) == set(_KEYS), "format-invalid", f"{name}: __metadata__ has not exactly the keys {_KEYS}")
    digest = hashlib.sha256(data[first:]).hexdigest()
    claim = metadata["sha256"]
    check(digest == claim, "format-invalid", f"{name}: the data has the SHA-256 {digest}, the metadata says {claim}")
    config = read_pack_config(_parse(metadata, "config", name), name)
    roles = _parse(metadata, "roles", name)
    rows = sum("blend" not in role for role in roles)
    tensors = {key: _read_tensor(data, first, key, entry, name) for key, entry in header.items()}
    heads = "hidden_to_role_emb_layer.weight" in tensors
    expected = expected_tensors(config, rows, has_heads=heads)
    missing = next((key for key in expected if key not in tensors), None)
    check(missing is None, "format-invalid", f"{name} has no tensor {missing}")
    for key, tensor in tensors.items():
        wanted = expected.get(key)
        check(wanted is not None, "format-invalid", f"{name} has the tensor {key}, which its config does not ask for")
        fact = f"{name}: {key} has shape {list(tensor.shape)}, expected {list(wanted or ())}"
        check(tuple(tensor.shape) == wanted, "format-invalid", fact)
        check(bool(tensor.isfinite().all()), "format-invalid", f"{name}: {key} holds a value that is not finite")
    backbone, provenance = _parse(metadata, "backbone", name), _parse(metadata, "provenance", name)
    return Pack(name, config, roles, backbone, tensors, provenance, digest)


def _read_header(data: bytes, name: str) -> tuple[dict[str, Any], int]:
    check(len(data) > 8, "format-invalid", f"{name} is too short for a safetensors file")
    (length,) = struct.unpack("<Q", data[:8])
    check(length <= min(_MOST_HEADER, len(data) - 8), "format-invalid", f"{name} ends within its header")
    try:
        return json.loads(data[8 : 8 + length]), 8 + length
    except ValueError:
        check(False, "format-invalid", f"{name}: the header is not JSON")
        raise


def _parse(metadata: dict[str, str], key: str, name: str) -> Any:
    try:
        return json.loads(metadata[key])
    except ValueError:
        check(False, "format-invalid", f"{name}: {key} is not JSON")
        raise


def _read_tensor(data: bytes, first: int, key: str, entry: dict[str, Any], name: str) -> Tensor:
    dtype = _DTYPES.get(entry["dtype"])
    check(dtype is not None, "format-invalid", f"{name}: {key} is {entry['dtype']}, expected F32 or F16")
    begin, end = entry["data_offsets"]
    values = np.frombuffer(data[first + begin : first + end], dtype)
    return torch.from_numpy(values.astype(np.float32).reshape(entry["shape"]))


def write_pack(path: Path, pack: Pack) -> None:
    """Writes a pack, F32, so that a crash leaves the old file or the new one; it is read again with all checks."""
    expected = expected_tensors(pack.config, pack.rows, has_heads=pack.has_heads)
    entries: dict[str, Any] = {}
    parts: list[bytes] = []
    offset = 0
    for key in sorted(expected):
        content = pack.tensors[key].detach().to("cpu", torch.float32).contiguous().numpy().astype("<f4").tobytes()
        shape = list(expected[key])
        entries[key] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + len(content)]}
        parts.append(content)
        offset += len(content)
    section = b"".join(parts)
    metadata = {
        "format": "hycora-pack",
        "format_version": "1",
        "config": _text(pack.config.to_json()),
        "backbone": _text(pack.backbone),
        "roles": _text(pack.roles),
        "provenance": _text(pack.provenance),
        "sha256": hashlib.sha256(section).hexdigest(),
    }
    header = _text({"__metadata__": metadata, **entries}).encode()
    header += b" " * (-len(header) % 8)
    replace_file(path, struct.pack("<Q", len(header)) + header + section)
    read_pack(path)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file so that a crash leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)
