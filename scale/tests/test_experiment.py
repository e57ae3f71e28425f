from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT

from hycora_scale import experiment_picture
from hycora_scale.__main__ import main
from hycora_scale.chat import Turn
from hycora_scale.config import read_train_config
from hycora_scale.cost import Sizes, adapter_of, trained_numbers
from hycora_scale.dataset import Dialogue
from hycora_scale.errors import HycoraError
from hycora_scale.experiment import cells_of, csv_of, digest_of, read_lines, read_settings, run_cells, summarise
from hycora_scale.experiment_cost import formula_numbers
from hycora_scale.experiment_new_role import first_replies
from hycora_scale.experiment_training import ExaggeratedScorer
from hycora_scale.pack_config import expected_tensors
from hycora_scale.trainee import begin_training

OWN = ROOT / "scale/experiments"
NAMES = sorted(path.stem for path in (OWN / "settings").glob("*.json"))
COST = {
    "kind": "cost",
    "backbone": "starter",
    "largestFile": 4_000_000,
    "base": {"rank": 2, "hypernetwork": {"hidden": 16, "generatorRank": 2}},
    "variants": {
        "shared": {"sources": {"A": "shared"}},
        "tables": {"sources": {"A": "table", "B": "table"}},
        "generated": {"sources": {"A": "hyper", "B": "hyper"}},
        "static": {"sources": {"A": "hyper+static"}},
    },
    "roles": [1, 3, 1000],
}


def written(folder: Path, settings: dict[str, Any], name: str = "tiny") -> str:
    """A settings file; its path."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(settings), "utf8")
    return str(path)


def test_numbers_by_the_formula_are_those_of_a_written_file(tmp_path: Path, capsys) -> None:
    settings = written(tmp_path, COST)
    assert main(["experiment", settings, "--out", str(tmp_path / "out")]) == 0, capsys.readouterr().err
    lines = read_lines(tmp_path / "out/tiny.jsonl")
    assert len(lines) == 12
    read = [line for line in lines if "writtenNumbers" in line]
    assert {line["variant"] for line in read} == set(COST["variants"])
    assert all(line["writtenNumbers"] == line["numbers"] for line in read)
    assert all(0 < line["writtenBytes"] - line["bytes"] < 100_000 for line in read)
    large = [(line["variant"], line["roles"]) for line in lines if line not in read]
    assert large == [("tables", 1000)]
    rows = json.loads((tmp_path / "out/tiny.json").read_text("utf8"))["rows"]
    table = list(csv.DictReader((tmp_path / "out/tiny.csv").read_text("utf8").splitlines()))
    assert [row["figures"]["numbers"]["mean"] for row in rows] == [line["numbers"] for line in lines]
    assert [int(row["numbers"]) for row in table] == [line["numbers"] for line in lines]
    assert not (tmp_path / "out/tiny.svg").exists()


@pytest.mark.parametrize(
    ("sizes", "training", "roles", "millions"),
    [
        (
            Sizes(28, 3584, 28, 4, 128, 18944, 152064),
            {"roleEmbedding": 128, "layerEmbedding": 128, "hidden": 512, "generatorRank": 28},
            5,
            22.30 - 0.48,
        ),
        (
            Sizes(32, 4096, 32, 32, 128, 11008, 32000),
            {"roleEmbedding": 256, "layerEmbedding": 128, "hidden": 728, "generatorRank": 32},
            95,
            24.01 - 1.11,
        ),
    ],
)
def test_the_formula_counts_the_authors_models(sizes: Sizes, training: dict, roles: int, millions: float) -> None:
    """Counted in the released configurations of Qwen2-7B and LLaMA-2-7B, without the heads of HCL."""
    config = read_train_config({"hypernetwork": training, "contrast": {"form": "off"}})
    assert formula_numbers(sizes, config, roles) / 1e6 == pytest.approx(millions, abs=0.011)
    assert formula_numbers(sizes, config, roles) == trained_numbers(adapter_of(sizes, config), roles, has_heads=False)
    assert expected_tensors(adapter_of(sizes, config), roles, has_heads=False)


def noted(tmp_path: Path, settings: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """The lines of a run whose figure is the count of runs, and which cells ran."""
    ran: list[str] = []

    def measure(cell: Any) -> dict[str, Any]:
        ran.append(f"{cell.variant} {cell.seed}")
        return {"figure": float(len(ran)), "inner": {"one": 1}}

    return run_cells(settings, tmp_path / "x.jsonl", measure), ran


def test_a_run_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    settings = {"kind": "training", "base": {}, "variants": {"a": {}, "b": {"steps": 2}}, "seeds": [1, 2]}
    lines, ran = noted(tmp_path, settings)
    assert ran == ["a 1", "a 2", "b 1", "b 2"]
    assert noted(tmp_path, settings) == (lines, [])
    path = tmp_path / "x.jsonl"
    whole = path.read_text("utf8").splitlines(keepends=True)
    path.write_text("".join(whole[:2]) + whole[2][:20], "utf8")
    again, ran = noted(tmp_path, settings)
    assert ran == ["b 1", "b 2"]
    assert again[:2] == lines[:2]
    assert len(path.read_text("utf8").splitlines()) == 4


def failure(capsys: Any, *words: str) -> str:
    """What the command says when it fails."""
    capsys.readouterr()
    assert main(["experiment", *words]) == 1
    return capsys.readouterr().err


def test_lines_of_other_settings_are_refused(tmp_path: Path, capsys) -> None:
    small = {**COST, "roles": [1]}
    assert main(["experiment", written(tmp_path, small), "--out", str(tmp_path / "out")]) == 0
    before = (tmp_path / "out/tiny.jsonl").read_text("utf8")
    other = written(tmp_path, {**small, "base": {"rank": 3}})
    assert "line of other settings" in failure(capsys, other, "--out", str(tmp_path / "out"))
    assert (tmp_path / "out/tiny.jsonl").read_text("utf8") == before


def test_mistakes_in_settings_are_named(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"one of: {', '.join(NAMES)}" in failure(capsys, "nothing")
    assert "kind is 'other'" in failure(capsys, written(tmp_path, {**COST, "kind": "other"}))
    assert "unknown keys ['colour']" in failure(capsys, written(tmp_path, {**COST, "colour": 1}))
    assert "variants is not an object" in failure(capsys, written(tmp_path, {**COST, "variants": []}))
    assert "largestFile in bytes" in failure(capsys, written(tmp_path, {**COST, "largestFile": None}))
    monkeypatch.setattr(experiment_picture.importlib.util, "find_spec", lambda name: None)
    pictured = {**COST, "picture": {"kind": "curves", "panels": []}}
    assert "needs matplotlib" in failure(capsys, written(tmp_path, pictured), "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_means_and_spreads_are_over_seeds() -> None:
    lines = [
        {"variant": "a", "seed": seed, "role": value, "inner": {"x": 1}, "of": "-"}
        for seed, value in ((1, 2.0), (2, 4.0))
    ]
    rows = summarise([*lines, {"variant": "b", "role": 1.5, "of": "-"}])
    assert rows[0] == {
        "variant": "a",
        "runs": 2,
        "figures": {"role": {"mean": 3, "spread": 1.41421}, "inner.x": {"mean": 1, "spread": 0.0}},
    }
    assert rows[1]["figures"] == {"role": {"mean": 1.5, "spread": None}}
    taught = [
        {"variant": "a", "replies": replies, "whom": whom, "best": value}
        for replies, whom, value in ((5, "X", 3.0), (5, "Y", 5.0), (10, "X", 2.0))
    ]
    rows = summarise(taught)
    assert [(row["replies"], row["runs"], row["figures"]["best"]["mean"]) for row in rows] == [(5, 2, 4), (10, 1, 2)]
    assert csv_of(rows).splitlines()[:2] == ["variant,roles,replies,runs,best,best spread", "a,,5,2,4,1.41421"]


def test_a_training_run_is_a_cell(tmp_path: Path, capsys) -> None:
    talk = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Yes, yes."}]
    data = [{"role": role, "split": split, "messages": talk} for role in "ABC" for split in ("train", "train", "test")]
    (tmp_path / "lines.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in data), "utf8")
    settings = {
        "kind": "training",
        "backbone": "starter",
        "data": str(tmp_path / "lines.jsonl"),
        "exchanges": 1,
        "rows": {"train": 1, "test": 1},
        "base": {"batch": 1, "rank": 2, "contrast": {"form": "off"}, "hypernetwork": {"hidden": 8, "generatorRank": 2}},
        "variants": {"table": {"sources": {"A": "table"}}, "generated": {"start": {"centred": False}}},
        "roles": [2],
    }
    words = ["experiment", written(tmp_path, settings), "--out", str(tmp_path / "out")]
    assert main(words) == 0, capsys.readouterr().err
    lines = read_lines(tmp_path / "out/tiny.jsonl")
    assert [(line["variant"], line["roles"], line["steps"]) for line in lines] == [("table", 2, 2), ("generated", 2, 2)]
    assert lines[0]["parameters"] > lines[1]["parameters"]
    assert all(0 < line["role"] < line["bare"] for line in lines)
    settings["roles"] = [4]
    assert "3 roles, expected 4" in failure(capsys, written(tmp_path, settings, "more"), "--out", str(tmp_path / "out"))


NEW_ROLE = {
    "kind": "new-role",
    "backbone": "starter",
    "data": "data/cast/*/scenes.jsonl",
    "exchanges": 2,
    "others": 1,
    "stops": [1, 3],
    "whom": ["Alice"],
    "replies": [3],
    "base": {
        "batch": 2,
        "learningRate": 0.05,
        "contrast": {"form": "off"},
        "before": {"steps": 1, "batch": 1, "contrast": {"form": "off"}, "hypernetwork": {"hidden": 8}},
    },
    "variants": {
        "vector": {"mode": "quick"},
        "whole": {"mode": "full"},
        "own": {"before": None, "sources": {"A": "shared"}},
    },
    "picture": {"kind": "curves", "over": "replies", "panels": [{"figure": "best", "label": "loss"}]},
}


def test_a_new_role_is_taught_with_few_replies(tmp_path: Path, capsys) -> None:
    pytest.importorskip("matplotlib")
    words = ["experiment", written(tmp_path, NEW_ROLE), "--out", str(tmp_path / "out")]
    assert main(words) == 0, capsys.readouterr().err
    lines = {line["variant"]: line for line in read_lines(tmp_path / "out/tiny.jsonl")}
    assert lines["vector"]["parameters"] == 64
    assert all(line["best"] == min(line["after"].values()) for line in lines.values())
    assert all(line["after"][f"{line['bestStop']}"] == line["best"] for line in lines.values())
    assert all(set(line["after"]) == {"1", "3"} for line in lines.values())
    # Before the first step the new role of a pack is something else than the bare backbone.
    assert lines["vector"]["before"] == lines["whole"]["before"] != lines["own"]["before"]
    assert lines["whole"]["best"] < lines["whole"]["before"]
    # The others have vectors of their own.
    assert lines["vector"]["others"]["after"] == lines["vector"]["others"]["before"]
    assert lines["whole"]["others"]["after"] != lines["whole"]["others"]["before"]
    assert "others" not in lines["own"]
    lacking = {**NEW_ROLE, "stops": []}
    assert "lacks whom" in failure(capsys, written(tmp_path, lacking, "l"), "--out", str(tmp_path / "out"))
    nobody = {**NEW_ROLE, "whom": ["Nobody"]}
    assert "no role Nobody" in failure(capsys, written(tmp_path, nobody, "n"), "--out", str(tmp_path / "out"))


def test_few_replies_are_the_beginning_of_more() -> None:
    def says(name: str, *replies: str) -> Dialogue:
        turns = [turn for reply in replies for turn in (Turn("user", "?"), Turn("role", reply))]
        return Dialogue(name, (*turns, Turn("user", "!")), None, 1)

    rows = [says("A", "a", "b"), says("A", "c"), says("A", "d", "e", "f"), says("A", "g", "h")]

    def replies(count: int) -> list[str]:
        return [turn.text for one in first_replies(rows, count, 42) for turn in one.turns if turn.counts]

    assert [len(replies(count)) for count in (1, 4, 5, 8)] == [1, 4, 5, 8]
    assert all(replies(8)[:count] == replies(count) for count in (1, 4, 5))
    # Nothing follows the last reply.
    assert all(one.turns[-1].counts for one in first_replies(rows, 5, 42))
    with pytest.raises(HycoraError, match="8 replies to learn from, expected 9"):
        first_replies(rows, 9, 42)


def test_roles_may_be_measured_with_more_of_what_they_differ_by(starter: Any) -> None:
    config = read_train_config({"contrast": {"form": "off"}, "hypernetwork": {"hidden": 8}})
    trainee = begin_training(config, starter, ["A", "B", "C"], None)
    before, after = (
        [ExaggeratedScorer(starter, trainee, trainee.tensors, by).factors(role) for role in range(3)]
        for by in (1.0, 2.5)
    )
    own, wider = (torch.stack([one.a["q"][0] for one in each]) for each in (before, after))
    torch.testing.assert_close(wider.mean(0), own.mean(0))
    torch.testing.assert_close(wider - wider.mean(0), 2.5 * (own - own.mean(0)))
    torch.testing.assert_close(after[0].b["q"][0], before[0].b["q"][0])


@pytest.mark.parametrize("name", NAMES)
def test_what_is_committed_is_whole(name: str) -> None:
    _, settings = read_settings(name)
    lines = read_lines(OWN / f"results/{name}.jsonl")
    assert [line["of"] for line in lines] == [digest_of(settings, cell) for cell in cells_of(settings)]
    summary = json.loads((OWN / f"results/{name}.json").read_text("utf8"))
    assert summary["command"] == f"python -m hycora_scale experiment {name}"
    assert summary["rows"] == summarise(lines)
    assert (OWN / f"results/{name}.csv").read_text("utf8") == csv_of(summary["rows"])


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_follows_the_readers_scheme(name: str) -> None:
    pytest.importorskip("matplotlib")
    _, settings = read_settings(name)
    lines = read_lines(OWN / f"results/{name}.jsonl")
    svg = experiment_picture.picture_of(settings["picture"], lines)
    assert svg == experiment_picture.picture_of(settings["picture"], lines)
    assert "prefers-color-scheme:dark" in svg
    colours = svg.split("</style>", 1)[1]
    assert "#" not in colours.replace('"#', "").replace("url(#", "")
    assert all(f">{line['variant']}<" in svg for line in lines)
    assert len(svg) < 50_000
