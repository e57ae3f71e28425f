"""`train`: a pack out of a data set or given batches, with a JSON line a step on stdout."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from . import __version__
from .backbone import DTYPES, Backbone, open_backbone
from .batches import BatchSource, GivenBatches, RowBatches
from .chat import Codec, TokenRow, encode_row
from .config import TrainConfig, read_train_config
from .dataset import AS_WRITTEN, DatasetOptions, Dialogue, columns_of, read_files, split_path, write_dataset
from .errors import HycoraError, check
from .interrupt import Interrupt
from .pack import Pack, read_pack, replace_file, write_pack
from .run import Run, run_name
from .split import split_dialogues
from .text import decode_text
from .trainee import Trainee, begin_training, compare_pack, line_of
from .trainer import Trainer


@dataclass(frozen=True)
class _Prepared:
    config: TrainConfig
    trainee: Trainee
    batches: BatchSource
    data: Any


def read_config(path: str | None, start: Pack | None) -> TrainConfig:
    """The training file, or the defaults; the start pack decides rank and sizes."""
    sizes = (start.config.rank, start.config.alpha) if start else None
    if path is None:
        return read_train_config({}, sizes)
    try:
        value = json.loads(decode_text(Path(path).read_bytes(), path)[0])
    except OSError as error:
        raise HycoraError("usage", f"{path} cannot be read") from error
    except ValueError as error:
        raise HycoraError("format-invalid", f"{path} is not JSON") from error
    return read_train_config(value, sizes)


def read_split(paths: list[str], seed: int, *, may_write: bool, options: DatasetOptions = AS_WRITTEN) -> list[Dialogue]:
    """Reads and splits data sets; where no split was given, the result is written beside the first."""
    dialogues, notes = read_files(paths, options)
    for note in notes:
        print(note, file=sys.stderr)
    split = split_dialogues(dialogues, seed)
    if may_write and any(dialogue.split is None for dialogue in dialogues):
        try:
            replace_file(split_path(Path(paths[0]).resolve()), write_dataset(split).encode())
        except OSError as error:
            print(f"warning: the split cannot be written beside the data: {error}", file=sys.stderr)
    return split


def try_output(out: Path) -> None:
    """Makes the folder of a file that is written in the end; raises `usage` where nothing can be written there."""
    check(not out.is_dir(), "usage", f"{out} is a folder, expected the name of a file")
    part = out.with_name(out.name + ".part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(b"")
        part.unlink()
    except OSError as error:
        raise HycoraError("usage", f"{out} cannot be written: {error}") from error


def write_safely(out: Path, pack: Pack) -> None:
    """Writes what took long to compute: where its place is gone, among the temporary files."""
    try:
        write_pack(out, pack)
    except OSError as error:
        other = Path(tempfile.gettempdir()) / out.name
        write_pack(other, pack)
        print(f"warning: {out} cannot be written: {error}; it lies at {other}", file=sys.stderr)


def encode_rows(
    backbone: Backbone, dialogues: Iterable[Dialogue], config: TrainConfig, start: Pack | None
) -> list[TokenRow]:
    """The rows of dialogues behind their roles' lines, those without room for a word left out with a note."""
    fact = "the backbone has no tokenizer or no chat template"
    check(backbone.codec, "usage", fact)
    rows = []
    for dialogue in dialogues:
        line = line_of(config, start, dialogue.role)
        row = encode_row(backbone.codec, dialogue.role, dialogue.turns, line, config.maxTokens)
        if isinstance(row, str):
            print(f"not trained on: line {dialogue.line}: {row}", file=sys.stderr)
        else:
            rows.append(replace(row, item=dialogue.item))
    return rows


def tell_of_ends(rows: Iterable[TokenRow], codec: Codec) -> None:
    """Says what ends an answer where the template writes nothing that does."""
    if not any(row.is_open for row in rows):
        return
    fact = "Neither the chat template nor the model has a token that ends a turn: answers go on to their limit."
    if codec.stops:
        end = codec.decode(codec.stops[:1])
        fact = (
            f"The chat template writes no token that ends a turn: {end} is learnt behind the last reply of a dialogue."
        )
    print(fact, file=sys.stderr)


def prepare_data(
    dialogues: list[Dialogue], config: TrainConfig, backbone: Backbone, start: Pack | None
) -> tuple[Trainee, RowBatches]:
    """Trainee and batches of split dialogues.

    Rows of the splits `test` and `wording` are never trained on, and neither are those of roles that are neither the
    start's nor the new one. Raises `usage` when no row is left, or none of the role that is to be taught.
    """
    sides = [[dialogue for dialogue in dialogues if dialogue.split == side] for side in ("train", "test")]
    learnt, held_back = (encode_rows(backbone, side, config, start) for side in sides)
    names = list(dict.fromkeys(row.role for row in learnt))
    fact = f'mode "{config.mode}" teaches {config.role}, of whom the data has no row to train on'
    check(config.mode == "all" or config.role in names, "usage", fact)
    trainee = begin_training(config, backbone, names, start)
    known = trainee.role_ids
    foreign = [row.role for row in [*learnt, *held_back] if row.role not in known]
    if foreign:
        whom = ", ".join(dict.fromkeys(foreign))
        fact = f"{len(foreign)} rows of {whom}, whom the pack that is trained does not have"
        print(f"not trained on: {fact}", file=sys.stderr)
    learnt, held_back = ([row for row in rows if row.role in known] for rows in (learnt, held_back))
    if backbone.codec:
        tell_of_ends(learnt, backbone.codec)
    sizes = {key: getattr(config, key) for key in ("steps", "batch", "accumulate", "seed", "wordings")}
    return trainee, RowBatches(learnt, held_back, known, **sizes)


def _prepare(
    options: argparse.Namespace, config: TrainConfig, backbone: Backbone, start: Pack | None, *, is_main: bool
) -> _Prepared:
    reading = DatasetOptions(options.role, columns_of(options.columns) if options.columns is not None else None)
    if options.batches:
        fact = "--role and --columns say how --data is read, so they do not go with --batches"
        check(reading == DatasetOptions(), "usage", fact)
        check(start, "usage", "--batches needs a --start pack, whose roles its ids name")
        path = Path(options.batches)
        check(path.is_file(), "usage", f"{path} cannot be read")
        names = [role["name"] for role in start.roles[: start.rows]] if start else []
        given = GivenBatches(path, roles=len(names), vocabulary=len(backbone.head))
        config = replace(config, steps=min(config.steps, given.steps), batch=given.rows, accumulate=1)
        return _Prepared(config, begin_training(config, backbone, names, start), given, given.sha256)
    dialogues = read_split(options.data, config.seed, may_write=is_main, options=reading)
    trainee, batches = prepare_data(dialogues, config, backbone, start)
    return _Prepared(config, trainee, batches, [str(dialogue) for dialogue in dialogues])


def train(options: argparse.Namespace) -> None:
    """Trains a pack; a checkpoint beside the output lets `--resume` go on."""
    fact = "give either --data or --batches"
    check((options.data is None) != (options.batches is None), "usage", fact)
    out = Path(options.out)
    checkpoint = out.with_name(out.name + ".checkpoint")
    fact = f"--resume needs {checkpoint}, which is not there"
    check(not options.resume or checkpoint.is_file(), "usage", fact)
    try_output(out)
    accelerator = Accelerator(cpu=options.device == "cpu")
    device = torch.device(options.device) if options.device else accelerator.device
    start = read_pack(Path(options.start)) if options.start else None
    config = read_config(options.config, start)
    backbone = open_backbone(
        options.backbone,
        model=options.model,
        dtype=DTYPES[options.dtype or "float32"],
        device=device,
        trust_remote_code=options.trust_remote_code,
    )
    is_main = accelerator.is_main_process
    if start:
        for warning in compare_pack(start, backbone):
            print(warning, file=sys.stderr)
    prepared = _prepare(options, config, backbone, start, is_main=is_main)
    config = prepared.config
    fact = f"{config.batch} rows of a batch cannot be shared by {accelerator.num_processes} processes"
    check(config.batch % accelerator.num_processes == 0, "usage", fact)
    if options.checkpoint_activations:
        backbone.compute_twice()
    if options.shard or os.environ.get("ACCELERATE_USE_FSDP", "false").lower() in ("1", "true"):
        backbone.shard()
    name = run_name(config.to_json(), start.sha256 if start else None, prepared.data, backbone.fingerprint)
    trainer = Trainer(backbone, prepared.trainee, config)
    run = Run(trainer, config, prepared.batches, name, checkpoint, is_main)
    if is_main:
        numbers = sum(value.numel() for value in trainer.trained.values())
        plan = {"processes": accelerator.num_processes, "trained": numbers, "epochs": prepared.batches.epochs}
        print(json.dumps({"plan": plan}), flush=True)
    with Interrupt(device) as interrupt:
        for line in run.events(resume=options.resume, is_stopped=interrupt.is_heard):
            if is_main:
                print(json.dumps(line), flush=True)
    if is_main:
        about = provenance(run.progress.step, run.progress.facts)
        write_safely(out, finished_pack(prepared.trainee, trainer, backbone, start, about))
    accelerator.end_training()


def provenance(steps: int, facts: dict[str, Any]) -> dict[str, Any]:
    """What the pack says of its training: nothing that hangs on the clock, so that a seed gives the same bytes."""
    losses = {name: round(facts[name], 4) for name in ("firstStep", "lastStep", "heldOut") if name in facts}
    return {
        "steps": steps,
        "replyTokens": facts.get("replyTokens", 0),
        **({"losses": {"unit": "nats a reply token", **losses}} if losses else {}),
        "software": f"hycora_scale {__version__}",
    }


def finished_pack(
    trainee: Trainee, trainer: Trainer, backbone: Backbone, start: Pack | None, about: dict[str, Any]
) -> Pack:
    """The pack as trained so far; `about` is its provenance, to which its start is added."""
    parents = {"parents": [start.sha256]} if start else {}
    whose = {"name": backbone.name, "architecture": backbone.architecture, "fingerprint": backbone.fingerprint}
    tensors = {name: tensor.cpu() for name, tensor in trainer.tensors().items()}
    return Pack("the pack to write", trainee.config, trainee.roles, whose, tensors, {**about, **parents})
