from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import ROOT, relative, shared
from safetensors.torch import load_file

from hycora_scale.__main__ import main
from hycora_scale.backbone import open_backbone
from hycora_scale.batches import GivenBatches
from hycora_scale.config import read_train_config
from hycora_scale.dataset import read_files
from hycora_scale.errors import HycoraError
from hycora_scale.evaluate_command import read_measured
from hycora_scale.pack import read_pack
from hycora_scale.run import Watch
from hycora_scale.train_command import prepare_data, read_split
from hycora_scale.trainee import begin_training
from hycora_scale.trainer import StepReport, Trainer

GOLDEN = {
    "steps": 10,
    "batch": 4,
    "learningRate": 2e-3,
    "schedule": "constant",
    "warmup": 0,
    "weightDecay": 0.01,
    "clip": 1,
    "contrast": {"form": "batch", "weight": 0.3, "schedule": "none", "start": 0},
}


def test_ten_steps_are_those_of_the_golden():
    golden = load_file(shared("golden/backbone/train-golden.safetensors"))
    start = read_pack(shared("golden/backbone/train-start.hycora.safetensors"))
    folder = str(shared("backbone/starter"))
    backbone = open_backbone(folder, model="onnx/model.onnx", dtype=torch.float64, device=torch.device("cpu"))
    config = read_train_config(GOLDEN, (start.config.rank, start.config.alpha))
    batches = GivenBatches(
        shared("golden/backbone/train-golden.safetensors"), roles=len(start.roles), vocabulary=len(backbone.head)
    )
    names = [role["name"] for role in start.roles]
    trainer = Trainer(backbone, begin_training(config, backbone, names, start), config)
    trainer.gradients(0, batches.at(0), 0.3)
    for name, wanted in golden.items():
        if name.startswith("grad."):
            assert relative(trainer.trained[name[5:]].grad, wanted) < 1e-4, name
    for step in range(10):
        report = trainer.step(step, batches.at(step), 0.3)
        for key, found in (
            ("loss", report.loss),
            ("crossEntropy", report.cross_entropy),
            ("contrast", report.contrast),
        ):
            assert found == pytest.approx(golden[key][step].item(), rel=1e-5), (key, step)
    for name, wanted in golden.items():
        if name.startswith("after."):
            assert relative(trainer.tensors()[name[6:]], wanted) < 1e-4, name


ROWS = [
    {"role": role, "messages": [{"role": "user", "content": said}, {"role": "assistant", "content": reply}]}
    for role, reply in (("Ada", "Numbers first."), ("Bo", "Aye, and rum second!"), ("Cy", "Hush, the owls are asleep."))
    for said in ("Hello.", "Who are you?", "What do you fear?", "Sing!", "Where do you live, and why there?")
]
SMALL = {
    "steps": 4,
    "batch": 4,
    "checkpointEvery": 2,
    "hypernetwork": {"roleEmbedding": 8, "layerEmbedding": 8, "hidden": 16, "generatorRank": 4},
    "system": "You are {name}.",
}


def write_inputs(folder: Path, **changes: object) -> list[str]:
    data, config = folder / "rows.jsonl", folder / "config.json"
    data.write_text("".join(f"{json.dumps(row)}\n" for row in ROWS), "utf8")
    config.write_text(json.dumps({**SMALL, **changes}), "utf8")
    return ["--backbone", "starter", "--data", str(data), "--config", str(config), "--device", "cpu"]


def train(words: list[str], out: Path, capsys, *more: str) -> list[dict]:
    assert main(["train", *words, "--out", str(out), *more]) == 0, capsys.readouterr().err
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


SOURCES = [
    {"A": "shared"},
    {"A": "table", "B": "table"},
    {"A": "hyper", "B": "hyper"},
    {"A": "hyper+static"},
]


@pytest.mark.parametrize("sources", SOURCES, ids=str)
def test_every_source_learns_and_makes_a_pack(tmp_path, capsys, sources):
    words = write_inputs(tmp_path, sources=sources, steps=8, learningRate=1e-2, learningRateB=1e-2)
    out = tmp_path / "made.hycora.safetensors"
    lines = [line for line in train(words, out, capsys) if "crossEntropy" in line]
    assert [line["step"] for line in lines] == list(range(1, 9))
    assert lines[-1]["crossEntropy"] < lines[0]["crossEntropy"] - 0.2
    pack = read_pack(out)
    losses = pack.provenance["losses"]
    assert [losses["firstStep"], losses["lastStep"]] == [round(lines[at]["crossEntropy"], 4) for at in (0, -1)]
    assert pack.provenance["steps"] == 8 and pack.provenance["replyTokens"] > 0
    assert [role["system"] for role in pack.roles] == ["You are Ada.", "You are Bo.", "You are Cy."]
    assert pack.config.to_json()["sources"] == {"A": sources["A"], "B": sources.get("B", "shared")}


class _Cut(BaseException):
    """The end of a process, which nothing catches."""


def test_a_run_that_was_stopped_goes_on_as_if_it_never_was(tmp_path, capsys, monkeypatch):
    words = write_inputs(tmp_path, dropout=0.1)
    whole, stopped = tmp_path / "whole.safetensors", tmp_path / "stopped.safetensors"
    train(words, whole, capsys)
    # A checkpoint is of its configuration, so the run is cut off from outside, in its third step.
    step = Trainer.step

    def step_or_end(self, number, *given):
        if number == 2:
            raise _Cut
        return step(self, number, *given)

    with monkeypatch.context() as patch, pytest.raises(_Cut):
        patch.setattr(Trainer, "step", step_or_end)
        train(words, stopped, capsys)
    capsys.readouterr()
    assert stopped.with_name(stopped.name + ".checkpoint").exists()
    lines = train(words, stopped, capsys, "--resume")
    assert stopped.read_bytes() == whole.read_bytes()
    lines += train(words, stopped, capsys, "--resume")
    assert stopped.read_bytes() == whole.read_bytes()
    assert min(line["step"] for line in lines if "step" in line) == 3


def test_what_is_held_out_is_measured_before_the_first_step_and_once_an_epoch(tmp_path, capsys):
    words = write_inputs(tmp_path, steps=8, checkpointEvery=100)
    rows = [{"role": "Ada", "question": f"Question {n}?", "generated": [f"Number {n}."]} for n in range(10)]
    (tmp_path / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf8")
    lines = train(words, tmp_path / "new" / "made.safetensors", capsys)
    looks = [line["step"] for line in lines if "heldOut" in line]
    # Eight rows in batches of four.
    assert looks == [0, 2, 4, 6, 8]
    assert main(["train", *words, "--out", str(tmp_path)]) == 1
    assert "is a folder, expected the name of a file" in capsys.readouterr().err


def _report(loss, **changes):
    report = StepReport(loss, loss, 0, 0, 0, 1e-3, 1, 9, 9, False)
    return replace(report, **changes)


def test_a_run_that_is_lost_is_told_and_ended():
    watch = Watch()
    told = [watch.look(step, _report(loss), 5.1) for step, loss in enumerate((5.1, 9, 9, 4, 9, 12, 38, 40), 1)]
    assert [note is not None for note in told] == [False] * 6 + [True, False]
    for step in (9, 10):
        watch.look(step, _report(8.3, gradient_norm=0), 5.1)
    with pytest.raises(HycoraError, match=r"from step 9 on the gradient is zero, at a loss of 8\.30"):
        watch.look(11, _report(8.3, gradient_norm=0), 5.1)


def test_lines_that_changed_since_they_were_split_are_told_of(tmp_path, capsys):
    data = tmp_path / "d.jsonl"
    rows = [json.dumps({"role": "A", "question": f"Question {n}?", "generated": [f"Says {n}"]}) for n in range(10)]
    data.write_text("\n".join(rows))
    drawn = read_split([str(data)], 42, may_write=True)
    assert [one.split for one in read_measured([str(data)])] == [one.split for one in drawn]
    capsys.readouterr()
    data.write_text("\n".join([*rows[:-1], rows[-1].replace("9", "99")]))
    read_measured([str(data)])
    assert "d.split.jsonl is of other lines: 1 are new, 1 are gone" in capsys.readouterr().err


def test_a_checkpoint_of_another_run_is_refused(tmp_path, capsys):
    words = write_inputs(tmp_path)
    out = tmp_path / "made.safetensors"
    train(words, out, capsys)
    write_inputs(tmp_path, learningRate=0.5)
    assert main(["train", *words, "--out", str(out), "--resume"]) == 1
    assert capsys.readouterr().err.startswith("usage: made.safetensors.checkpoint belongs to another run")


def test_a_run_that_comes_apart_before_its_first_checkpoint_goes_back_to_the_beginning(tmp_path, capsys):
    # Such a decay multiplies every parameter by -19 a step, until the rate is small enough.
    wild = {"steps": 16, "learningRate": 1, "weightDecay": 20, "schedule": "constant", "warmup": 0}
    words = write_inputs(tmp_path, **wild, batch=1, checkpointEvery=100)
    out = tmp_path / "made.safetensors"
    # A checkpoint of another run that lies there is none of this one's business.
    out.with_name(out.name + ".checkpoint").write_bytes(b"another run's")
    lines = train(words, out, capsys)
    notes = [line["note"] for line in lines if "note" in line]
    assert any("back to step 0, at half the learning rate" in note for note in notes)
    steps = [line for line in lines if "crossEntropy" in line]
    skipped = next(index for index, line in enumerate(steps) if "skipped" in line)
    first, again = steps[0], steps[skipped + 3]
    assert skipped > 3 and again["step"] == 1
    assert [again["crossEntropy"], again["learningRate"]] == [first["crossEntropy"], first["learningRate"] / 2]
    assert steps[-1]["step"] == 16
    assert read_pack(out).provenance["losses"]["firstStep"] == round(first["crossEntropy"], 4)


def test_a_new_role_can_be_fitted_alone(tmp_path, capsys):
    words = write_inputs(tmp_path)
    out = tmp_path / "made.safetensors"
    train(words, out, capsys)
    quick = write_inputs(tmp_path, mode="quick", role="Dot", learningRate=1e-2)
    data = tmp_path / "rows.jsonl"
    data.write_text(data.read_text("utf8").replace('"Ada"', '"Dot"'), "utf8")
    rows = [line for line in data.read_text("utf8").splitlines() if '"Dot"' in line]
    data.write_text("\n".join(rows), "utf8")
    grown = tmp_path / "grown.safetensors"
    train(quick, grown, capsys, "--start", str(out))
    before, after = read_pack(out), read_pack(grown)
    assert [role["name"] for role in after.roles] == ["Ada", "Bo", "Cy", "Dot"]
    for name, tensor in before.tensors.items():
        assert torch.equal(after.tensors[name][: len(tensor)], tensor), name


def fails(words: list[str], out: Path, capsys, *more: str) -> str:
    assert main(["train", *words, "--out", str(out), *more]) == 1
    return capsys.readouterr().err.splitlines()[-1]


def test_a_start_keeps_its_lines_and_rows_of_strangers_are_left_out(tmp_path, capsys, starter):
    out = tmp_path / "made.safetensors"
    lines = {"Ada": "You are Ada, who counts.", "Bo": "You are Bo."}
    train(write_inputs(tmp_path, system=lines, steps=1), out, capsys)
    start = read_pack(out)
    dialogues = [replace(d, split="train") for d in read_files([str(tmp_path / "rows.jsonl")])[0]]
    config = read_train_config({**SMALL, "system": None}, (start.config.rank, start.config.alpha))
    trainee, batches = prepare_data(dialogues, config, starter, start)
    for batch in batches.at(0):
        for ids, role in zip(batch.ids, batch.roles):
            line = trainee.roles[role].get("system")
            opening = f"<|im_start|>system\n{line}<" if line else "<|im_start|>user"
            assert starter.codec.decode(ids.tolist()).startswith(opening)
    again = write_inputs(tmp_path, steps=1)
    grown = tmp_path / "grown.safetensors"
    assert fails(again, grown, capsys, "--start", str(out)).startswith(
        "usage: the configuration gives Ada another line"
    )
    data = tmp_path / "rows.jsonl"
    new = write_inputs(tmp_path, steps=1, system=None, mode="full", role="Dot")
    assert fails(new, grown, capsys, "--start", str(out)) == (
        'usage: mode "full" teaches Dot, of whom the data has no row to train on'
    )
    rows = data.read_text("utf8")
    data.write_text(rows.replace('"Ada"', '"Dot"') + rows.replace('"Cy"', '"Eve"'), "utf8")
    assert main(["train", *new, "--out", str(grown), "--start", str(out)]) == 0
    note = "not trained on: 5 rows of Eve, whom the pack that is trained does not have"
    assert note in capsys.readouterr().err
    assert [role["name"] for role in read_pack(grown).roles] == ["Ada", "Bo", "Cy", "Dot"]


def test_a_run_that_is_to_go_on_needs_its_checkpoint(tmp_path, capsys):
    out = tmp_path / "made.safetensors"
    fact = f"usage: --resume needs {out}.checkpoint, which is not there"
    assert fails(write_inputs(tmp_path), out, capsys, "--resume") == fact


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "scale"), "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize(("form", "gap", "more"), [("batch", 0.5, []), ("table", 0, ["--shard"])])
def test_two_processes_give_the_losses_of_one(tmp_path, capsys, form, gap, more):
    start = tmp_path / "start.safetensors"
    train(write_inputs(tmp_path, steps=1), start, capsys)
    contrast, gap = {"form": form, "weight": 0.3, "schedule": "none"}, {"weight": gap, "share": 0.5, "among": 2}
    words = write_inputs(tmp_path, contrast=contrast, gap=gap)
    words += ["--start", str(start)]
    wanted = train(words, tmp_path / "one.safetensors", capsys)
    launch = ["torch.distributed.run", "--nproc_per_node", "2", "--master_port", str(29500 + os.getpid() % 1000)]
    # Without `--` the launcher takes --start for one of its own.
    command = [sys.executable, "-m", *launch, "-m", "hycora_scale", "--", "train"]
    out = tmp_path / "two.safetensors"
    done = subprocess.run(
        [*command, *words, "--out", str(out), *more],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [lines[0]["plan"]["processes"] for lines in (wanted, found)] == [1, 2]
    for one, two in zip(wanted[1:], found[1:], strict=True):
        assert one.keys() == two.keys()
        for key in one.keys() & {"loss", "crossEntropy", "contrast", "gap", "gradientNorm", "heldOut"}:
            assert one[key] == pytest.approx(two[key], rel=1e-5), (key, one["step"])
    tensors = read_pack(tmp_path / "one.safetensors").tensors
    for name, tensor in read_pack(out).tensors.items():
        assert torch.allclose(tensor, tensors[name], atol=1e-4), name
