"""Widens the rank of a pack without a change to what it says, to go on training from it.

python experiments/widen.py PACK OUT RANK

New columns of A are drawn with the spread of the old ones, new rows of B are 0, and alpha grows with the rank, so that
the product and its scale are those of before.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from hycora_scale.pack import read_pack, write_pack


def widened(name: str, values: Tensor, rank: int, more: int) -> Tensor:
    """A tensor of a pack with generated A and shared B: the generators' outputs [in·r, …] and B [r, out] grow."""
    if name.endswith(".lora_B"):
        return torch.cat([values, values.new_zeros(more, *values.shape[1:])])
    if not name.rpartition("_down_linear.up.")[1]:
        return values
    columns = values.unflatten(0, (-1, rank))
    spread = columns.std() if name.endswith(".weight") else 0
    fresh = torch.randn(columns.shape[0], more, *columns.shape[2:]) * spread
    return torch.cat([columns, fresh], dim=1).flatten(0, 1).contiguous()


def main(source: str, target: str, rank: str) -> None:
    """Writes the wider pack."""
    torch.manual_seed(0)
    pack = read_pack(Path(source))
    config, more = pack.config, int(rank) - pack.config.rank
    tensors = {name: widened(name, values.float(), config.rank, more) for name, values in pack.tensors.items()}
    wider = replace(config, rank=int(rank), alpha=config.alpha * int(rank) / config.rank)
    write_pack(Path(target), replace(pack, config=wider, tensors=tensors))


if __name__ == "__main__":
    main(*sys.argv[1:])
