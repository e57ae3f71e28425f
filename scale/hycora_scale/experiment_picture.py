"""Pictures of experiments: small SVG files that are readable on light and on dark paper.

A settings file's `picture` is `{kind, panels, log?, over?}`, a panel `{figure, label, written?}`:

    curves    the figure over the number of roles, or over `over`, a line a variant, named at its end; `written` dots
              beside it; where several lines have the same place, their mean
    dots      a row a variant, a dot a run

`log` names the axes with a logarithmic scale (`"x"`, `"xy"`).
"""

from __future__ import annotations

import importlib.util
import io
import re
import statistics
from typing import Any

from .errors import check

Line = dict[str, Any]

# Light and dark; matplotlib draws with the light ones, which become variables that follow the reader's scheme.
_INK, _SOFT, _HAIR = ("#1d1b18", "#ece6dc"), ("#57524a", "#b7afa3"), ("#d9d2c5", "#3b362f")
_SERIES = (
    ("#a3471f", "#f0a07d"),
    ("#1f5fa3", "#7db6f0"),
    ("#2b7a4a", "#79d9a0"),
    ("#7a3f8f", "#d09be6"),
    ("#7a6410", "#dcc45a"),
    ("#0f7077", "#6fd3da"),
)
_NUMBER = re.compile(r"\d+\.\d{3,}")
_WIDTH, _PANEL_HEIGHT, _ROW_HEIGHT = 6.4, 2.9, 0.3


def require_library() -> None:
    """Raises `usage` where matplotlib is not installed."""
    fact = "an experiment with a picture needs matplotlib: pip install './scale[pictures]'"
    check(importlib.util.find_spec("matplotlib") is not None, "usage", fact)


def picture_of(settings: dict[str, Any], lines: list[Line]) -> str:
    """The SVG of an experiment's lines; the same lines give the same text."""
    require_library()
    import matplotlib

    kinds = {"curves": _curves, "dots": _dots}
    check(settings.get("kind") in kinds, "format-invalid", f"picture: kind is none of {sorted(kinds)}")
    style = {
        "svg.hashsalt": "hycora",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 10,
        "text.color": _INK[0],
        "axes.edgecolor": _HAIR[0],
        "axes.labelcolor": _SOFT[0],
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": _SOFT[0],
        "ytick.color": _SOFT[0],
        "grid.color": _HAIR[0],
        "grid.linewidth": 0.6,
    }
    with matplotlib.rc_context(style):
        figure = kinds[settings["kind"]](settings, lines)
        text = io.StringIO()
        metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(text, format="svg", transparent=True, bbox_inches="tight", metadata=metadata)
    return _themed(text.getvalue())


def _figure(width: float, height: float, panels: int, *, beside: bool) -> tuple[Any, list[Any]]:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    shape = (1, panels) if beside else (panels, 1)
    axes = figure.subplots(*shape, squeeze=False, sharey=beside)
    return figure, list(axes.flat)


def _variants(lines: list[Line]) -> list[str]:
    return list(dict.fromkeys(line["variant"] for line in lines))


def _means(lines: list[Line], over: str, figure: str) -> list[tuple[float, float]]:
    """The mean of a figure at each place, in the order of the places."""
    places = sorted({line[over] for line in lines})
    return [(x, statistics.fmean(line[figure] for line in lines if line[over] == x)) for x in places]


def _curves(settings: dict[str, Any], lines: list[Line]) -> Any:
    panels = settings["panels"]
    over = settings.get("over", "roles")
    figure, axes = _figure(_WIDTH, _PANEL_HEIGHT * len(panels), len(panels), beside=False)
    for axis, panel in zip(axes, panels):
        ends = []
        for variant, (colour, _) in zip(_variants(lines), _SERIES):
            own = [line for line in lines if line["variant"] == variant]
            points = _means(own, over, panel["figure"])
            axis.plot(*zip(*points), color=colour, linewidth=1.6)
            written = [line for line in own if line.get(panel.get("written")) is not None]
            where = [line[over] for line in written], [line[panel["written"]] for line in written]
            axis.plot(*where, "o", color=colour, markersize=4)
            if "written" not in panel:
                axis.plot(*zip(*points), "o", color=colour, markersize=4)
            ends.append((points[-1], variant, colour))
        log = settings.get("log", "")
        axis.set_xscale("log" if "x" in log else "linear")
        axis.set_yscale("log" if "y" in log else "linear")
        axis.minorticks_off()
        axis.xaxis.set_major_formatter("{x:,.0f}")
        axis.set_ylabel(panel["label"])
        axis.grid(axis="y")
        axis.set_axisbelow(True)
        _name_ends(axis, ends)
    axes[-1].set_xlabel(over)
    return figure


def _name_ends(axis: Any, ends: list[Any]) -> None:
    """Names lines at their right end, pushed apart where they would overlap."""
    from matplotlib.transforms import blended_transform_factory

    axis.figure.draw_without_rendering()
    to_share = axis.transData + axis.transAxes.inverted()
    least = 0.085
    below = -1.0
    places = blended_transform_factory(axis.transAxes, axis.transAxes)
    for (x, y), name, colour in sorted(ends, key=lambda end: end[0][1]):
        height = max(to_share.transform((x, y))[1], below + least)
        below = height
        axis.text(1.02, height, name, transform=places, color=colour, va="center", fontsize=9)


def _dots(settings: dict[str, Any], lines: list[Line]) -> Any:
    names, panels = _variants(lines), settings["panels"]
    figure, axes = _figure(_WIDTH, 0.8 + _ROW_HEIGHT * len(names), len(panels), beside=True)
    for axis, panel, (colour, _) in zip(axes, panels, _SERIES):
        points = [(line[panel["figure"]], names.index(line["variant"])) for line in lines]
        axis.plot(*zip(*points), "o", color=colour, markersize=5, alpha=0.85)
        axis.set_xlabel(panel["label"])
        axis.grid(axis="both")
        axis.set_axisbelow(True)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    return figure


def _themed(svg: str) -> str:
    """The SVG with its colours as variables, and without what differs from one run to the next."""
    pairs = [_INK, _SOFT, _HAIR, *_SERIES]
    for index, (light, _) in enumerate(pairs):
        svg = svg.replace(light, f"var(--c{index})")
    light, dark = ("".join(f"--c{index}:{pair[side]};" for index, pair in enumerate(pairs)) for side in (0, 1))
    style = f"<style>svg{{{light}}}@media (prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
    svg = svg.replace("<defs>", f"{style}\n <defs>", 1)
    svg = re.sub(r"<[^>]*>", lambda tag: _NUMBER.sub(_shorter, tag[0]), svg)
    return re.sub(r"[ \t]+\n", "\n", re.sub(r"\n\s*\n", "\n", svg))


def _shorter(number: re.Match[str]) -> str:
    """A coordinate to a hundredth of a point, which is enough for the eye."""
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
