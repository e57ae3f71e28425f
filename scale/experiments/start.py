"""Writes a pack to start from whose hyper-network begins without a part that all codes z share.

python experiments/start.py BACKBONE TRAINING.json DATA OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from study import cosines, other_start

from hycora_scale.backbone import open_backbone
from hycora_scale.pack import Pack, write_pack
from hycora_scale.train_command import prepare_data, read_config, read_split


def main(place: str, config_path: str, data: str, out: str) -> None:
    """Draws a fresh adapter for the roles of the data and centres it."""
    config = read_config(config_path, None)
    backbone = open_backbone(place, model=None, dtype=torch.float32, device=torch.device("cpu"))
    trainee, _ = prepare_data(read_split([data], config.seed, may_write=False), config, backbone, None)
    other_start(trainee, {"centre": True})
    print(cosines(trainee, trainee.tensors))
    whose = {"name": backbone.name, "architecture": backbone.architecture, "fingerprint": backbone.fingerprint}
    write_pack(Path(out), Pack("the pack to write", trainee.config, trainee.roles, whose, trainee.tensors))


if __name__ == "__main__":
    main(*sys.argv[1:])
