"""`evaluate`: the figures of a pack on held-out exchanges."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from .backbone import DTYPES, open_backbone
from .dataset import data_files, read_files, split_path
from .evaluate import Scorer
from .evaluate import evaluate as measure
from .pack import read_pack
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
    dialogues, _ = read_files(options.data)
    if all(dialogue.split is None for dialogue in dialogues):
        beside = split_path(data_files(options.data)[0])
        if beside.exists():
            dialogues, _ = read_files([str(beside)])
        dialogues = split_dialogues(dialogues, _SPLIT_SEED)
    scorer = Scorer(backbone, pack.config, pack.tensors, None if options.all else _REPLY_TOKENS)
    count = None if options.all else options.exchanges
    return measure(scorer, pack.roles, dialogues, exchanges=count, seed=options.seed, split=options.split)
