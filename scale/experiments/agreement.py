"""Trains the same steps by the page's trainer and by this one, and notes how far their losses lie apart.

    python experiments/agreement.py RESULTS.json

Run from the repository's root. Both read the cast's lines and draw rows and first tensors from the same seed, in
float32.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = {
    "starter": {"steps": 50, "batch": 4, "maxTokens": 128, "checkpointEvery": 1000},
    "smollm2-135m-instruct": {"steps": 5, "batch": 2, "maxTokens": 64, "checkpointEvery": 1000},
}
COMMANDS = {
    "page": ["npm", "run", "--silent", "hycora", "--", "train"],
    "scale": [sys.executable, "-m", "hycora_scale", "train", "--device", "cpu", "--dtype", "float32"],
}


def losses(command: list[str], backbone: str, config: Path, out: Path) -> list[float]:
    """The loss of every step of a run."""
    words = ["--backbone", backbone, "--data", "public/cast/lines.jsonl", "--config", str(config), "--out", str(out)]
    finished = subprocess.run([*command, *words], check=True, capture_output=True, text=True)
    lines = [json.loads(line) for line in finished.stdout.splitlines()]
    return [line["loss"] for line in lines if "crossEntropy" in line]


def main(results: str) -> None:
    """Runs both on both shipped backbones."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for backbone, settings in RUNS.items():
            config = Path(folder) / "config.json"
            config.write_text(json.dumps({**settings, "system": "You are {name}."}), "utf8")
            runs = {
                name: losses(command, backbone, config, Path(folder) / f"{name}.hycora.safetensors")
                for name, command in COMMANDS.items()
            }
            apart = [abs(a - b) / abs(b) for a, b in zip(runs["page"], runs["scale"], strict=True)]
            rows.append({"backbone": backbone, "config": settings, "furthest": max(apart), **runs})
            print(backbone, max(apart), flush=True)
    Path(results).write_text(json.dumps(rows, indent=1) + "\n", "utf8")


if __name__ == "__main__":
    main(*sys.argv[1:])
