"""Averages a pack with the one that it was trained on from: what was learnt since, in a share.

python experiments/average.py BEFORE AFTER SHARE OUT

θ = (1 − share)·θ_before + share·θ_after, tensor by tensor; what the first one lacks counts as 0 there (the part of A
that `widen.py --static` adds begins at 0). Everything else is the second one's.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from hycora_scale.pack import read_pack, write_pack


def main() -> None:
    """Writes the average."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("share", type=float)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    before, after, share = read_pack(options.before), read_pack(options.after), options.share
    tensors = {}
    for name, learnt in after.tensors.items():
        old = before.tensors.get(name)
        old = torch.zeros_like(learnt) if old is None else old
        tensors[name] = (1 - share) * old.float() + share * learnt.float()
    write_pack(options.out, replace(after, tensors=tensors))


if __name__ == "__main__":
    main()
