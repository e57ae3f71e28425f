"""The scripts that made the shipped packs."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from conftest import ROOT

from hycora_scale.hypernetwork import generate
from hycora_scale.pack import read_pack, write_pack


def script(name: str) -> ModuleType:
    """A script of experiments/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scale/experiments" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(monkeypatch: pytest.MonkeyPatch, name: str, *options: object) -> None:
    """Runs a script with a command line."""
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, options)])
    script(name).main()


@pytest.mark.parametrize("static", [[], ["--static"]])
def test_a_wider_pack_says_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, static: list[str]) -> None:
    source, target = ROOT / "public/packs/starter.hycora.safetensors", tmp_path / "wide"
    before = read_pack(source)
    rank = before.config.rank + 3
    run(monkeypatch, "widen", source, target, rank, *static)
    after = read_pack(target)
    assert after.config.rank == rank
    assert after.config.scale == before.config.scale
    assert ("layers.0.q.lora_A0" in after.tensors) == (bool(static) or "layers.0.q.lora_A0" in before.tensors)
    roles = torch.tensor([0, 5])
    for pack in (before, after):
        pack.tensors.update({name: values.float() for name, values in pack.tensors.items()})
    old, new = (generate(pack.config, pack.tensors, roles) for pack in (before, after))
    for projection, layers in old.a.items():
        wanted = layers[0] @ old.b[projection][0]
        torch.testing.assert_close(new.a[projection][0] @ new.b[projection][0], wanted)
        assert new.a[projection][0][..., -1].std() > 0.1 * layers[0].std()


def test_an_average_lies_between_two_packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after, out = (tmp_path / name for name in ("before", "after", "out"))
    pack = read_pack(ROOT / "public/packs/starter.hycora.safetensors")
    old = {name: values.float() for name, values in pack.tensors.items() if not name.endswith(".lora_A0")}
    write_pack(before, replace(pack, config=replace(pack.config, source_a="hyper"), tensors=old))
    new = {name: values.float() + 1 for name, values in pack.tensors.items()}
    write_pack(after, replace(pack, tensors=new))
    run(monkeypatch, "average", before, after, 0.25, out)
    mixed = read_pack(out).tensors
    for name, values in new.items():
        torch.testing.assert_close(mixed[name], 0.75 * old.get(name, torch.zeros_like(values)) + 0.25 * values)


def packed_rows(monkeypatch: pytest.MonkeyPatch, out: Path, *options: object) -> list[dict[str, Any]]:
    """The rows that the script makes with options."""
    run(monkeypatch, "answers", out, *options)
    return [json.loads(line) for line in out.read_text("utf8").splitlines()]


def test_a_fact_comes_as_often_as_asked_in_other_wordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ("--facts", 2, "--talks", 0, "--scenes", 0)
    counts = {}
    for begin in (0, 1):
        rows = packed_rows(monkeypatch, tmp_path / "rows.jsonl", "--passes", 1, "--begin", begin, *options)
        turns = [row["messages"] for row in rows if row["role"] == "Long John Silver"]
        counts[begin] = {
            turns_of_row[place - 1]["content"]
            for turns_of_row in turns
            for place, turn in enumerate(turns_of_row)
            if turn["content"] == "My parrot is called Captain Flint, matey, after my old captain."
        }
    assert [len(asked) for asked in counts.values()] == [2, 2]
    assert not counts[0] & counts[1]


def test_what_is_held_out_is_in_no_packed_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = packed_rows(monkeypatch, tmp_path / "rows.jsonl", "--passes", 2)
    asked = {(row["role"], turn["content"]) for row in rows for turn in row["messages"] if turn["role"] == "user"}
    records = [json.loads(line) for line in (ROOT / "public/cast/lines.jsonl").read_text("utf8").splitlines()]
    items = [record for record in records if "questions" in record]
    held = {
        (record["role"], question)
        for record in items
        for index, question in enumerate(record["questions"])
        if record["split"] == "test" or index >= len(record["questions"]) - record.get("held", 0)
    }
    learnt = {(record["role"], question) for record in items for question in record["questions"]} - held
    assert len(asked & learnt) > 10_000
    assert not asked & (held - learnt)
