"""Makes a trained pack ready to ship: each role's card and lorebook from the cast, and what is known of the training.

python experiments/ship.py PACK OUT PROVENANCE.json CARDS.json [--books BOOKS.json]
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from hycora_scale.pack import read_pack, write_pack


def main() -> None:
    """Writes the pack with the cards of its roles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("provenance", type=Path)
    parser.add_argument("cards", type=Path)
    parser.add_argument("--books", type=Path, help="lorebooks that the weights were trained behind")
    options = parser.parse_args()
    cards = {name: entry["card"] for name, entry in json.loads(options.cards.read_text("utf8")).items()}
    books = json.loads(options.books.read_text("utf8")) if options.books else {}
    pack = read_pack(options.pack)
    roles = []
    for role in pack.roles:
        name = role["name"]
        book = {"character_book": books[name]} if name in books else {}
        roles.append({**role, "name": name, "card": {**cards[name], **book}})
    facts = {**pack.provenance, **json.loads(options.provenance.read_text("utf8"))}
    write_pack(options.out, replace(pack, roles=roles, provenance=facts))


if __name__ == "__main__":
    main()
