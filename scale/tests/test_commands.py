"""The command lines of the README, in short forms."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from hycora_scale.__main__ import _parser, main

README = (ROOT / "scale/README.md").read_text("utf8")
LINES = [
    {
        "role": "Alice",
        "split": split,
        "messages": [{"role": "user", "content": said}, {"role": "assistant", "content": "Yes."}],
    }
    for split, said in (("train", "Hello."), ("train", "Are you well?"), ("test", "Do you like tea?"))
]
SMALL = {"steps": 1, "batch": 2, "rank": 2, "hypernetwork": {"hidden": 16, "generatorRank": 2}}


def documented(command: str) -> list[str]:
    """The words of the README's command line on a command of this package."""
    found = re.findall(rf"^(?: {{4}}|.*`)(python -m hycora_scale {command}\b[^`\n]*)", README, re.MULTILINE)
    assert len(found) == 1, f"{command}: {found}"
    return shlex.split(re.sub(r"[\[\]]", "", found[0]))[3:]


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    """What stands for the README's names of files."""
    (tmp_path / "lines.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in LINES), "utf8")
    (tmp_path / "config.json").write_text(json.dumps(SMALL), "utf8")
    return {
        "smollm2-135m-instruct": "starter",
        "public/cast/lines.jsonl": str(tmp_path / "lines.jsonl"),
        "mine.hycora.safetensors": str(tmp_path / "mine.hycora.safetensors"),
        "DIR": str(ROOT / "public/models/starter"),
        "F": str(ROOT / "public/packs/starter.hycora.safetensors"),
        "N": "12",
        "T": "400",
    }


def test_the_readmes_training_runs(places: dict[str, str], tmp_path: Path, capsys) -> None:
    words = [places.get(word, word) for word in documented("train")]
    assert main([*words, "--config", str(tmp_path / "config.json"), "--device", "cpu"]) == 0, capsys.readouterr().err
    assert (tmp_path / "mine.hycora.safetensors").is_file()


def test_the_readmes_evaluation_runs(places: dict[str, str], capsys) -> None:
    words = [places.get(word, word) for word in documented("evaluate")]
    words[words.index("wording")] = "test"
    assert main([*words, "--device", "cpu"]) == 0, capsys.readouterr().err
    assert json.loads(capsys.readouterr().out)["roles"] == ["Alice"]


def test_the_readmes_plan_runs(places: dict[str, str], tmp_path: Path, capsys) -> None:
    words = [places.get(word, word) for word in documented("plan")]
    words[words.index("--config") + 1] = str(tmp_path / "config.json")
    assert main(words) == 0, capsys.readouterr().err
    assert json.loads(capsys.readouterr().out)


def test_the_readmes_import_is_understood() -> None:
    """What it does is tested with a checkpoint (test_packs)."""
    options = _parser().parse_args(documented("import-official"))
    assert (options.command, options.alpha, options.roles) == ("import-official", 32, "roles_desc.json")


def test_accelerate_starts_this_package(tmp_path: Path) -> None:
    """PyTorch's own launcher does in test_train."""
    before = ["accelerate.commands.launch", "--cpu", "--num_processes", "1"]
    words = [sys.executable, "-m", *before, "-m", "hycora_scale", "plan", "--backbone", "starter"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scale"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "{" in done.stdout


def test_the_lock_pins_what_the_package_asks_for() -> None:
    project = (ROOT / "scale/pyproject.toml").read_text("utf8")
    wanted = re.search(r"^dependencies = \[(.*?)\]", project, re.DOTALL | re.MULTILINE)
    assert wanted
    names = {re.split(r"[<>=~! ]", entry)[0] for entry in re.findall(r'"([^"]+)"', wanted[1])}
    lock = (ROOT / "scale/requirements.lock").read_text("utf8")
    pinned = {line.split("==")[0].lower() for line in lock.splitlines() if "==" in line}
    assert names
    assert names <= pinned
