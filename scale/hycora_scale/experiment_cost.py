"""What a method costs in numbers and bytes: by the paper's formula, and counted in a file that was written."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from .config import TrainConfig, read_train_config
from .cost import Sizes, adapter_of, read_sizes
from .errors import check
from .experiment import Cell, Figures, Kind
from .initialise import initial_tensors
from .pack import Pack, read_pack, write_pack
from .pack_config import PackConfig

_FLOAT = 4


def formula_numbers(sizes: Sizes, config: TrainConfig, roles: int) -> int:
    """How many numbers a method trains, without the two heads of HCL.

    Stored factors: L·r·Σin of A and L·r·Σout of B, times the roles R for a table. A hyper-network:
    2(e_r + e_l) + d(e_r + e_l + 1) + N(2d(d + 1) + 2d) + 2d, R·e_r + 7·L·e_l, and for each projection of a generated
    factor k(d + 1) + in·r·(k + 1).
    """
    dims = [sizes.dims[name] for name in config.targets]
    ends = {"A": sum(size for size, _ in dims), "B": sum(out for _, out in dims)}
    own = config.hypernetwork
    total, is_generated = 0, False
    for factor, source in (("A", config.sources.A), ("B", config.sources.B)):
        stored = sizes.layers * config.rank * ends[factor]
        if source.startswith("hyper"):
            is_generated = True
            k, d = own.generatorRank, own.hidden
            total += len(dims) * k * (d + 1) + ends[factor] * config.rank * (k + 1)
        total += {"shared": stored, "table": roles * stored, "hyper+static": stored}.get(source, 0)
    if is_generated:
        width, d = own.roleEmbedding + own.layerEmbedding, own.hidden
        encoder = 2 * width + d * (width + 1) + own.residualBlocks * (2 * d * (d + 1) + 2 * d) + 2 * d
        total += encoder + roles * own.roleEmbedding + len(dims) * sizes.layers * own.layerEmbedding
    return total


def written_pack(adapter: PackConfig, roles: int) -> tuple[int, int]:
    """Numbers and bytes of the file that a fresh run of this many roles would write, read again with all checks."""
    tensors = initial_tensors(adapter, roles, has_heads=False, seed=1)
    backbone = {"name": "any", "architecture": "any", "fingerprint": "any"}
    named = [{"name": f"Role {index + 1}"} for index in range(roles)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pack"
        write_pack(path, Pack("pack", adapter, named, backbone, tensors))
        return sum(math.prod(tensor.shape) for tensor in read_pack(path).tensors.values()), path.stat().st_size


class Cost(Kind):
    """Numbers and bytes of each method at each number of roles; written where that is no more than `largestFile`."""

    keys = frozenset({"backbone", "sizes", "largestFile"})

    def __init__(self, settings: dict) -> None:
        super().__init__(settings)
        fact = "an experiment of the kind cost has either backbone or sizes, and largestFile in bytes"
        given = ("backbone" in settings) != ("sizes" in settings) and isinstance(settings.get("largestFile"), int)
        check(given, "format-invalid", fact)
        self._sizes = Sizes(**settings["sizes"]) if "sizes" in settings else read_sizes(settings["backbone"])

    def measure(self, cell: Cell) -> Figures:
        """`{numbers, bytes}` by formula (float32), `{writtenNumbers, writtenBytes}` of a file."""
        check(cell.roles, "format-invalid", "an experiment of the kind cost has roles")
        roles = cell.roles or 0
        config = read_train_config({**cell.config, "contrast": {"form": "off"}})
        numbers = formula_numbers(self._sizes, config, roles)
        figures: Figures = {"numbers": numbers, "bytes": _FLOAT * numbers}
        if _FLOAT * numbers <= self.settings["largestFile"]:
            written, size = written_pack(adapter_of(self._sizes, config), roles)
            figures |= {"writtenNumbers": written, "writtenBytes": size}
        return figures
