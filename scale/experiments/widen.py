"""Gives a pack more to learn with, without a change to what it says, to go on training from it.

python experiments/widen.py PACK OUT RANK [--static]

New columns of A are drawn with the spread of the old ones, new rows of B are 0, and alpha grows with the rank, so that
the product and its scale are those of before. `--static` adds what all roles share of A, which is 0 at first.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from hycora_scale.pack import read_pack, write_pack
from hycora_scale.pack_config import expected_tensors


def widened(name: str, values: Tensor, rank: int, more: int) -> Tensor:
    """A tensor of a pack with generated A and shared B: the generators' outputs [in·r, …] and B [r, out] grow."""
    if name.endswith(".lora_B"):
        return torch.cat([values, values.new_zeros(more, *values.shape[1:])])
    if name.endswith(".lora_A0"):
        return torch.cat([values, values.new_zeros(len(values), more)], dim=1)
    if not name.rpartition("_down_linear.up.")[1]:
        return values
    columns = values.unflatten(0, (-1, rank))
    spread = columns.std() if name.endswith(".weight") else 0
    fresh = torch.randn(columns.shape[0], more, *columns.shape[2:]) * spread
    return torch.cat([columns, fresh], dim=1).flatten(0, 1).contiguous()


def main() -> None:
    """Writes the wider pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("rank", type=int)
    parser.add_argument("--static", action="store_true", help="add a part of A that all roles share")
    options = parser.parse_args()
    torch.manual_seed(0)
    pack = read_pack(options.pack)
    config, rank = pack.config, options.rank
    more = rank - config.rank
    tensors = {name: widened(name, values.float(), config.rank, more) for name, values in pack.tensors.items()}
    wider = replace(config, rank=rank, alpha=config.alpha * rank / config.rank)
    if options.static:
        wider = replace(wider, source_a="hyper+static")
        shapes = expected_tensors(wider, pack.rows, has_heads=pack.has_heads)
        tensors |= {name: torch.zeros(shape) for name, shape in shapes.items() if name not in tensors}
    write_pack(options.out, replace(pack, config=wider, tensors=tensors))


if __name__ == "__main__":
    main()
