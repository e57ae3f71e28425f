"""Experiments: every cell of a settings file is run once and noted as a line; means, spreads and a picture follow.

A settings file is one JSON object:

    kind      `training`, `new-role` or `cost`
    backbone  as `--backbone`; for `cost` `sizes` may stand for it
    base      a training file
    variants  {name: changes of the base, objects key by key}
    roles     numbers of roles, each of which is a cell of its own
    replies   numbers of replies that a new role is taught with, likewise
    whom      new roles, each a cell, over which means are taken
    seeds     each a cell, too; left out, the base's
    picture   see `experiment_picture`

and what its kind asks for. A cell is a variant with one of each of these.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import itertools
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import check
from .experiment_picture import picture_of, require_library
from .pack import replace_file

_OWN = Path(__file__).resolve().parents[1] / "experiments"
_FACTORS = ("variant", "roles", "replies", "whom", "seed")
_GROUPS = ("variant", "roles", "replies")
_KEYS = {"kind", "base", "variants", "roles", "replies", "whom", "seeds", "picture"}
_NUMBERS = (int, float)

Figures = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One run: whose changes, how many roles (None: all that the data has), which seed (None: the base's), and of a new
    role how many replies and who it is."""

    variant: str
    roles: int | None
    seed: int | None
    config: dict[str, Any]
    """The training file."""
    replies: int | None = None
    whom: str | None = None

    @property
    def factors(self) -> dict[str, Any]:
        """What tells it from the other cells."""
        return {key: getattr(self, key) for key in _FACTORS if getattr(self, key) is not None}


class Kind:
    """What is done with a cell; opened once for a settings file."""

    keys: frozenset[str] = frozenset()
    """Keys of the settings beside the common ones."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings

    def measure(self, cell: Cell) -> Figures:
        """The figures of a cell."""
        raise NotImplementedError


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The base with changes, objects key by key."""
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return result


def _kinds() -> dict[str, type[Kind]]:
    from .experiment_cost import Cost
    from .experiment_new_role import NewRole
    from .experiment_training import Training

    return {"cost": Cost, "new-role": NewRole, "training": Training}


def read_settings(name: str) -> tuple[Path, dict[str, Any]]:
    """The settings file of a name, or at a path; raises `usage` or `format-invalid`."""
    path = Path(name) if name.endswith(".json") else _OWN / "settings" / f"{name}.json"
    known = ", ".join(sorted(file.stem for file in (_OWN / "settings").glob("*.json"))) or "none here"
    check(path.is_file(), "usage", f"there is no experiment {name}, expected a settings file or one of: {known}")
    try:
        settings = json.loads(path.read_text("utf8"))
    except ValueError as error:
        check(False, "format-invalid", f"{path.name} is not JSON: {error}")
        raise
    check(isinstance(settings, dict), "format-invalid", f"{path.name} is not an object")
    kinds = _kinds()
    kind = settings.get("kind")
    check(kind in kinds, "format-invalid", f"{path.name}: kind is {kind!r}, expected one of {sorted(kinds)}")
    unknown = sorted(set(settings) - _KEYS - kinds[kind].keys)
    check(not unknown, "format-invalid", f"{path.name} has the unknown keys {unknown}")
    for key in ("base", "variants"):
        check(isinstance(settings.get(key), dict), "format-invalid", f"{path.name}: {key} is not an object")
    return path, settings


def cells_of(settings: dict[str, Any]) -> Iterator[Cell]:
    """All cells, in the order of the file: new roles, then numbers of replies or roles, then variants, then seeds."""
    several = [settings.get(key) or [None] for key in ("whom", "replies", "roles")]
    for whom, replies, roles in itertools.product(*several):
        for variant, changes in settings["variants"].items():
            for seed in settings.get("seeds") or [None]:
                config = merged(settings["base"], changes)
                config = config if seed is None else {**config, "seed": seed}
                yield Cell(variant, roles, seed, config, replies, whom)


def digest_of(settings: dict[str, Any], cell: Cell) -> str:
    """What a line's figures depend on, in twelve letters: a line of other settings is not taken for this cell's."""
    shared = {key: value for key, value in settings.items() if key not in _KEYS} | {"kind": settings["kind"]}
    text = json.dumps([shared, cell.factors, cell.config], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_lines(path: Path) -> list[Figures]:
    """The lines that are noted; one that was cut off while it was written is taken away."""
    if not path.exists():
        return []
    text = path.read_text("utf8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        replace_file(path, whole.encode())
    try:
        return [json.loads(line) for line in whole.splitlines()]
    except ValueError as error:
        check(False, "format-invalid", f"{path.name} has a line that is not JSON: {error}")
        raise


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def run_cells(settings: dict[str, Any], path: Path, measure: Callable[[Cell], Figures]) -> list[Figures]:
    """Runs the cells that no line has yet, appending a line each; all lines, in the order of the cells.

    Raises `usage` where a line of the file was made by other settings.
    """
    noted = {line["of"]: line for line in read_lines(path)}
    wanted = {digest_of(settings, cell): cell for cell in cells_of(settings)}
    foreign = next((line for of, line in noted.items() if of not in wanted), None)
    fact = f"{path} has a line of other settings, {foreign}: move the file away, or give the settings another name"
    check(foreign is None, "usage", fact)
    for of, cell in wanted.items():
        if of in noted:
            continue
        line = {**cell.factors, **_rounded(measure(cell)), "of": of}
        with path.open("a", encoding="utf8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        print(json.dumps(line, ensure_ascii=False), file=sys.stderr, flush=True)
        noted[of] = line
    return [noted[of] for of in wanted]


def _leaves(value: dict[str, Any], before: str = "") -> Iterator[tuple[str, float]]:
    for key, one in value.items():
        if isinstance(one, dict):
            yield from _leaves(one, f"{before}{key}.")
        elif isinstance(one, _NUMBERS) and not isinstance(one, bool) and key not in _FACTORS:
            yield f"{before}{key}", one


def summarise(lines: list[Figures]) -> list[dict[str, Any]]:
    """Of each variant and number of roles or replies the mean over its runs, which differ in seeds or new roles.

    The spread is the sample standard deviation, null of one run.
    """
    groups: dict[tuple[Any, ...], list[dict[str, float]]] = {}
    for line in lines:
        groups.setdefault(tuple(line.get(key) for key in _GROUPS), []).append(dict(_leaves(line)))
    rows = []
    for factors, runs in groups.items():
        figures = {}
        for name in dict.fromkeys(name for run in runs for name in run):
            values = [run[name] for run in runs if name in run]
            spread = round(statistics.stdev(values), 5) if len(values) > 1 else None
            mean = round(statistics.fmean(values), 5)
            figures[name] = {"mean": int(mean) if mean == int(mean) else mean, "spread": spread}
        own = {key: value for key, value in zip(_GROUPS, factors) if value is not None}
        rows.append({**own, "runs": len(runs), "figures": figures})
    return rows


def csv_of(rows: list[dict[str, Any]]) -> str:
    """The summary as a table: a column for the mean of each figure and one for its spread."""
    names = list(dict.fromkeys(name for row in rows for name in row["figures"]))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    factors = [key for key in _GROUPS if key != "replies" or any(key in row for row in rows)]
    table.writerow([*factors, "runs", *(f"{name}{part}" for name in names for part in ("", " spread"))])
    for row in rows:
        pairs = [row["figures"].get(name, {"mean": None, "spread": None}) for name in names]
        values = [pair[part] for pair in pairs for part in ("mean", "spread")]
        table.writerow([*(row.get(key) for key in factors), row["runs"], *values])
    return text.getvalue()


def experiment(options: argparse.Namespace) -> dict[str, Any]:
    """Runs what is left of an experiment and writes NAME.jsonl, NAME.json, NAME.csv and NAME.svg; says where."""
    path, settings = read_settings(options.name)
    if "picture" in settings:
        require_library()
    out = Path(options.out) if options.out else _OWN / "results"
    out.mkdir(parents=True, exist_ok=True)
    files = {ending: out / f"{path.stem}.{ending}" for ending in ("jsonl", "json", "csv", "svg")}
    opened: list[Kind] = []

    def measure(cell: Cell) -> Figures:
        if not opened:
            opened.append(_kinds()[settings["kind"]](settings))
        return opened[0].measure(cell)

    lines = run_cells(settings, files["jsonl"], measure)
    rows = summarise(lines)
    command = f"python -m hycora_scale experiment {options.name}"
    text = json.dumps({"command": command, "rows": rows}, indent=2, ensure_ascii=False)
    replace_file(files["json"], f"{text}\n".encode())
    replace_file(files["csv"], csv_of(rows).encode())
    if "picture" in settings:
        replace_file(files["svg"], picture_of(settings["picture"], lines).encode())
    else:
        files.pop("svg")
    return {"lines": len(lines), "files": [str(file) for file in files.values()]}
