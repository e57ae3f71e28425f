"""Makes a trained pack ready to ship: each role's card from the cast, and what is known of the training.

python experiments/ship.py PACK OUT PROVENANCE.json CARDS.json …
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from hycora_scale.pack import read_pack, write_pack


def main(source: str, target: str, provenance: str, *card_files: str) -> None:
    """Writes the pack with the cards of its roles."""
    cards = {}
    for file in card_files:
        cards |= {name: entry["card"] for name, entry in json.loads(Path(file).read_text("utf8")).items()}
    pack = read_pack(Path(source))
    roles = [{"name": role["name"], "card": cards[role["name"]], **role} for role in pack.roles]
    facts = {**pack.provenance, **json.loads(Path(provenance).read_text("utf8"))}
    write_pack(Path(target), replace(pack, roles=roles, provenance=facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
