from __future__ import annotations

import signal
from dataclasses import replace

import pytest
import torch
from conftest import relative
from safetensors.torch import save_file
from test_train import SMALL, train, write_inputs

from hycora_scale import trainer as trainer_module
from hycora_scale.__main__ import main
from hycora_scale.batches import Batch, GivenBatches
from hycora_scale.config import read_train_config
from hycora_scale.errors import HycoraError
from hycora_scale.pack import read_pack
from hycora_scale.trainee import begin_training
from hycora_scale.trainer import Trainer

NAMES = ["Ada", "Bo", "Cy"]


def begin(backbone, **changes: object) -> Trainer:
    """A trainer of three roles with stored B off zero, so that every matrix gets a gradient."""
    config = read_train_config({**SMALL, "contrast": {"form": "off"}, **changes})
    trainee = begin_training(config, backbone, NAMES, None)
    draw = torch.Generator().manual_seed(5)
    tensors = {
        name: torch.randn(tensor.shape, generator=draw) * 0.02 if ".lora_B" in name else tensor
        for name, tensor in trainee.tensors.items()
    }
    return Trainer(backbone, replace(trainee, tensors=tensors), config)


def batch_of(*lengths: int) -> Batch:
    """Rows of such lengths, padded; the second half of each is a reply."""
    draw = torch.Generator().manual_seed(sum(lengths))
    ids = torch.randint(5, 500, (len(lengths), max(lengths)), generator=draw)
    places = torch.arange(max(lengths)).expand(ids.shape)
    ends = torch.tensor(lengths).unsqueeze(1)
    replies = (places >= ends // 2) & (places < ends)
    return Batch(ids, replies, ends[:, 0] - 1, torch.arange(len(lengths)) % len(NAMES))


def gradients(trainer: Trainer, batches: list[Batch]) -> dict[str, torch.Tensor]:
    trainer.gradients(0, batches, 0.3)
    return {name: parameter.grad.clone() for name, parameter in trainer.trained.items()}


def test_activations_that_are_computed_again_change_nothing(tmp_path, capsys, monkeypatch):
    words = write_inputs(tmp_path, dropout=0.2, contrast={"form": "table", "weight": 0.3, "schedule": "none"})
    monkeypatch.setattr(trainer_module, "_CHUNK_TOKENS", 50)
    wanted = train(words, tmp_path / "kept.safetensors", capsys)
    found = train(words, tmp_path / "again.safetensors", capsys, "--checkpoint-activations")
    for one, two in zip(wanted[1:], found[1:], strict=True):
        for key in one.keys() & {"loss", "contrast", "gradientNorm", "heldOut"}:
            assert two[key] == pytest.approx(one[key], rel=1e-5), (key, one["step"])


def test_a_step_makes_its_matrices_once_and_has_the_gradients_of_one_batch(starter, monkeypatch):
    made = []
    generate = trainer_module.generate
    monkeypatch.setattr(
        trainer_module, "generate", lambda *given, **named: made.append(given[2].tolist()) or generate(*given, **named)
    )
    trainer = begin(starter)
    whole = batch_of(12, 9, 7, 11, 5, 8)
    wanted = gradients(trainer, [whole])
    found = gradients(trainer, [whole.rows([1, 3, 4]), whole.rows([0, 2, 5])])
    assert made == [[0, 1, 2], [0, 1, 2]]
    for name, gradient in wanted.items():
        if gradient.abs().max() > 0:
            assert relative(found[name], gradient) < 1e-4, name


def test_a_reply_behind_the_anchor_counts(starter):
    trainer = begin(starter)
    whole = batch_of(12, 9)
    early = replace(whole, anchors=torch.tensor([7, 5]))
    for one, two in zip(gradients(trainer, [whole]).values(), gradients(trainer, [early]).values()):
        torch.testing.assert_close(one, two)
    assert early.lengths.tolist() == [12, 9]
    assert trainer.step(0, [early], 0.0).tokens == 21
    assert replace(early, anchors=torch.tensor([10, 11])).lengths.tolist() == [12, 12]


def given(**changes: torch.Tensor) -> dict[str, torch.Tensor]:
    batch = batch_of(12, 9)
    tensors = {"input_ids": batch.ids, "reply_mask": batch.replies, "anchor": batch.anchors, "role_ids": batch.roles}
    return {name: tensor.long().unsqueeze(0).contiguous() for name, tensor in tensors.items()} | changes


BROKEN = [
    ({"role_ids": torch.tensor([[0, 3]])}, "usage", "role_ids has 3, expected 0 to 2"),
    ({"input_ids": torch.full((1, 2, 12), 9999)}, "format-invalid", "input_ids has 9999, expected 0 to 511"),
    ({"anchor": torch.tensor([[-1, 3]])}, "format-invalid", "anchor has -1, expected 0 to 11"),
    ({"anchor": torch.tensor([[12, 3]])}, "format-invalid", "anchor has 12"),
    ({"reply_mask": torch.full((1, 2, 12), 2)}, "format-invalid", "reply_mask has 2"),
    ({"reply_mask": torch.zeros(1, 2, 12, dtype=torch.long)}, "format-invalid", "marks no token"),
    ({"anchor": torch.tensor([[1, 3]], dtype=torch.int32)}, "format-invalid", "no anchor of I64"),
]


@pytest.mark.parametrize(("change", "code", "message"), BROKEN, ids=[message for *_, message in BROKEN])
def test_given_batches_out_of_range_are_refused(tmp_path, change, code, message):
    file = tmp_path / "batches.safetensors"
    save_file(given(**change), file)
    with pytest.raises(HycoraError, match=message) as caught:
        GivenBatches(file, roles=3, vocabulary=512)
    assert caught.value.code == code


def test_a_file_of_something_else_is_no_batches(tmp_path):
    file = tmp_path / "batches.safetensors"
    file.write_text("hello", "utf8")
    with pytest.raises(HycoraError, match="is no safetensors file"):
        GivenBatches(file, roles=3, vocabulary=512)


def test_given_batches_decide_the_size_of_a_batch(tmp_path, capsys):
    words = write_inputs(tmp_path)
    start, file = tmp_path / "start.safetensors", tmp_path / "batches.safetensors"
    train(words, start, capsys)
    save_file(given(), file)
    config = tmp_path / "config.json"
    config.write_text('{"batch": 7, "accumulate": 3}', "utf8")
    options = ["--backbone", "starter", "--config", str(config), "--device", "cpu", "--start", str(start)]
    lines = train([*options, "--batches", str(file)], tmp_path / "made.safetensors", capsys)
    assert [line["step"] for line in lines[1:]] == [1]
    assert main(["train", *options, "--batches", str(config), "--out", str(start)]) == 1
    assert "is no safetensors file" in capsys.readouterr().err


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_stop_saves_and_writes_the_pack_as_it_is(tmp_path, capsys, monkeypatch, name):
    words = write_inputs(tmp_path, steps=3, checkpointEvery=10)
    whole, stopped = tmp_path / "whole.safetensors", tmp_path / "stopped.safetensors"
    train(words, whole, capsys)
    step = Trainer.step

    def step_and_signal(self, number, *given):
        if number == 1:
            signal.raise_signal(name)
        return step(self, number, *given)

    before = signal.getsignal(name)
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", step_and_signal)
        lines = train(words, stopped, capsys)
    assert lines[-1] == {"note": "Stopped after step 2 of 3; --resume goes on."}
    assert signal.getsignal(name) == before
    assert read_pack(stopped).provenance["steps"] == 2
    assert [line["step"] for line in train(words, stopped, capsys, "--resume") if "crossEntropy" in line] == [3]
    assert stopped.read_bytes() == whole.read_bytes()
