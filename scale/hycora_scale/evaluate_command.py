"""`evaluate`: the figures of a pack on held-out exchanges."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from .backbone import DTYPES, open_backbone
from .dataset import read_files, split_path
from .evaluate import Scorer
from .evaluate import evaluate as measure
from .pack import read_pack
from .reading import Dialogue
from .split import split_dialogues
from .trainee import compare_pack

# The seed that `train` splits with too, where rows say nothing.
_SPLIT_SEED = 42
_REPLY_TOKENS = 40


def evaluate(options: argparse.Namespace) -> dict[str, Any]:
    """NLL and role swap of a pack, on ten held-out replies of a role cut at 40 tokens, or on all."""
    device = torch.device(options.device) if options.device else Accelerator().device
    pack = read_pack(Path(options.pack))
    backbone = open_backbone(
        options.backbone,
        model=options.model,
        dtype=DTYPES[options.dtype or "float32"],
        device=device,
        trust_remote_code=options.trust_remote_code,
    )
    compare_pack(pack, backbone)
    dialogues = read_measured(options.data)
    scorer = Scorer(backbone, pack.config, pack.tensors, None if options.all else _REPLY_TOKENS)
    count = None if options.all else options.exchanges
    return measure(scorer, pack.roles, dialogues, exchanges=count, seed=options.seed, split=options.split)


def read_measured(paths: list[str]) -> list[Dialogue]:
    """Dialogues with their split: their own, else of the file that `train` left beside them, else a fifth held out.

    Of lines that changed since they were split, those that are the same keep their side, with a warning.
    """
    dialogues, _ = read_files(paths)
    if any(dialogue.split is not None for dialogue in dialogues):
        return dialogues
    beside = split_path(Path(paths[0]).resolve())
    known = read_files([str(beside)])[0] if beside.exists() else []
    sides = {(dialogue.role, dialogue.turns): dialogue.split for dialogue in known}
    sided = [replace(one, split=sides.get((one.role, one.turns))) for one in dialogues]
    fresh = sum(one.split is None for one in sided)
    gone = len(known) - (len(sided) - fresh)
    if known and (fresh or gone):
        fact = f"{beside.name} is of other lines: {fresh} are new, {gone} are gone"
        print(f"warning: {fact}; the new ones are split with seed {_SPLIT_SEED}", file=sys.stderr)
    return split_dialogues(sided, _SPLIT_SEED)
