"""Static pictures with matplotlib, without its global state: a Figure of its own, no pyplot, settings in a context.

The metadata of the file hold the settings (kind, seed, counts) as JSON; SVG files have no date and a fixed salt, so the same
document gives the same bytes.
"""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np

from explorer.errors import Unsupported

#: kind -> (marker, colour); saddles by index share theirs
MARKERS = {
    "strict minimum": ("o", "#1b7837"),
    "minimum": ("o", "#5aae61"),
    "strict saddle": ("X", "#b2182b"),
    "saddle": ("X", "#d6604d"),
    "maximum": ("^", "#762a83"),
    "strict maximum": ("^", "#762a83"),
    "undecided": ("s", "#7f7f7f"),
    "": ("D", "#333333"),
}
BOX = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.7}
SPURIOUS, LINE = "#b2182b", "#2166ac"
SETTINGS = {"svg.hashsalt": "explorer", "svg.fonttype": "none", "font.size": 9.0, "axes.spines.top": False, "axes.spines.right": False}  # fmt: skip


def drawn(document: dict[str, Any], form: str) -> bytes:
    """The picture of a document of `explorer.app.pictures` as ``png`` or ``svg``."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise missing("matplotlib") from None
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(7.0, 4.6), dpi=120, layout="constrained")
        axes = figure.add_subplot()
        if document["format"].startswith("explorer.merge-tree"):
            _tree(axes, document)
        elif len(document["axes"]) == 1:
            _curve(axes, document)
        else:
            _contours(figure, axes, document)
        axes.set_title(f"{document['title']}  ({document['trust']})", fontsize=10)
        out = io.BytesIO()
        about = {"Title": document["title"], "Description": metadata(document)}
        figure.savefig(out, format=form, metadata=about | ({"Date": None} if form == "svg" else {"Software": None}))
    return out.getvalue()


def metadata(document: dict[str, Any]) -> str:
    """What a file says about itself: everything but the values."""
    kept = {k: document[k] for k in ("format", "title", "problem", "trust", "settings") if k in document}
    return json.dumps(kept, sort_keys=True, ensure_ascii=True)


def missing(package: str) -> Unsupported:
    return Unsupported(
        "explorer plot", expected=package, got="none installed",
        remedy="pip install 'landscape-explorer[plot]', or write the data with -o FILE.json",
    )  # fmt: skip


def label(mark: dict[str, Any]) -> str:
    """``3.1: strict saddle, index 1``."""
    said = mark["kind"] + (f", index {mark['index']}" if mark["index"] is not None else "")
    return f"{mark['name']}: {said}" if said else mark["name"]


def _values(document: dict[str, Any]) -> Any:
    return np.array(document["values"], dtype=float)  # null becomes nan


def _curve(axes: Any, document: dict[str, Any]) -> None:
    t, values = np.array(document["axes"][0]), _values(document)
    axes.plot(t, values, color=LINE, linewidth=1.4, label="F")
    if "straight" in document:
        axes.plot(
            t, document["straight"], color="#7f7f7f", linewidth=1.0, linestyle="--", label="F on the straight line"
        )
        axes.legend(frameon=False)
    axes.set_xlabel(document["labels"][0])
    axes.set_ylabel("F")
    ends = [m for m in document["marks"] if m["name"] in ("a", "b") and not m["kind"]]
    _marked(
        axes, [(m["at"][0], m["value"], m) for m in document["marks"] if m not in ends or not _covered(m, document)]
    )


def _covered(mark: dict[str, Any], document: dict[str, Any]) -> bool:
    """Whether a critical point is marked at the same place, so that a plain a or b would only hide it."""
    return any(m["kind"] and np.allclose(m["at"], mark["at"], atol=1e-9) for m in document["marks"])


def _contours(figure: Any, axes: Any, document: dict[str, Any]) -> None:
    s, t = (np.array(a) for a in document["axes"])
    values = _values(document).T
    finite = values[np.isfinite(values)]
    low, high = float(finite.min()), float(np.quantile(finite, 0.85))
    # levels crowd towards the minimum: F is flat there and steep outside
    levels = np.unique(low + (max(high - low, 1e-12)) * np.linspace(0, 1, 22) ** 2)
    drawing = axes.contourf(s, t, values, levels=levels, cmap="viridis", extend="max")
    axes.contour(s, t, values, levels=levels, colors="white", linewidths=0.3, alpha=0.6)
    figure.colorbar(drawing, ax=axes, label="F")
    for family in document.get("families", []):
        points, (_, colour) = np.array(family["points"]), MARKERS[family["kind"]]
        axes.scatter(points[:, 0], points[:, 1], s=5, color=colour, edgecolors="white", linewidths=0.2, zorder=3)
    axes.set_xlabel(document["labels"][0])
    axes.set_ylabel(document["labels"][1])
    plain = [m for m in document["marks"] if not m["kind"] and _covered(m, document)]
    _marked(axes, [(*m["at"], m) for m in document["marks"] if m not in plain])
    axes.set_xlim(s[0], s[-1])
    axes.set_ylim(t[0], t[-1])


def _marked(axes: Any, points: list[tuple[float, float, dict[str, Any]]]) -> None:
    shown: set[str] = set()
    for x, y, mark in points:
        marker, colour = MARKERS[mark["kind"]]
        said = label(mark).partition(": ")[2]
        name = None if said in shown or not said else said
        shown |= {said} - {""}
        axes.scatter(
            [x], [y], marker=marker, s=46, color=colour, edgecolors="white", linewidths=0.8, zorder=4, label=name
        )
        axes.annotate(mark["name"], (x, y), textcoords="offset points", xytext=(5, 5), fontsize=7, zorder=5, bbox=BOX)
    if shown:
        axes.legend(fontsize=7, loc="best", framealpha=0.8)


def _tree(axes: Any, document: dict[str, Any]) -> None:
    """Leaves side by side at their values, joined upward; what lies between a leaf and its merge is the valley."""
    nodes = {n["name"]: n for n in document["nodes"]}
    above = dict(document["edges"])
    x, y = _positions(nodes, above), _heights(axes, sorted({n["height"] for n in nodes.values()}))
    spurious = {v["name"] for v in document["valleys"] if v["spurious"]}
    for child, parent in above.items():
        colour = SPURIOUS if child in spurious else LINE
        low, high = y[nodes[child]["height"]], y[nodes[parent]["height"]]
        axes.plot([x[child], x[child], x[parent]], [low, high, high], color=colour, linewidth=1.5)
    for name, node in nodes.items():
        is_merge, height = node["kind"] == "merge", node["height"]
        kind = "strict saddle" if is_merge else "minimum" if node["kind"] == "minimum" else ""
        marker, colour = MARKERS[kind]
        axes.scatter(
            [x[name]], [y[height]], marker=marker, s=40, color=SPURIOUS if name in spurious else colour, zorder=3
        )
        text = ", ".join(node["critical"]) if is_merge else name
        text = text if len(text) <= 24 else f"{text[:20]} ..."
        axes.annotate(text, (x[name], y[height]), textcoords="offset points", xytext=(0, 6 if is_merge else -14), ha="center", fontsize=7)  # fmt: skip
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.margins(0.1, 0.18)
    if spurious:
        axes.set_xlabel("red: a valley without a global minimum (spurious)", fontsize=8)


def _heights(axes: Any, levels: list[float]) -> dict[float, float]:
    """Where each level is drawn: at its value, or evenly spaced (and said so) where one gap would hide another."""
    gaps = np.diff(levels)
    even = len(gaps) > 1 and float(gaps.max()) > 25 * float(gaps.min())
    digits = next((k for k in range(4, 17) if len({f"{v:.{k}g}" for v in levels}) == len(levels)), 17)
    y = {v: float(k) if even else v for k, v in enumerate(levels)}
    axes.set_yticks(list(y.values()), [f"{v:.{digits}g}" for v in levels])
    axes.set_ylabel("F (levels evenly spaced)" if even else "F")
    axes.grid(axis="y", linewidth=0.3)
    return y


def _positions(nodes: dict[str, Any], above: dict[str, str]) -> dict[str, float]:
    """Leaves in the order of a walk from the roots, merges in the middle of what they join."""
    below: dict[str, list[str]] = {}
    for child, parent in above.items():
        below.setdefault(parent, []).append(child)
    x: dict[str, float] = {}

    def place(name: str) -> float:
        children = below.get(name, [])
        x[name] = float(np.mean([place(c) for c in children])) if children else float(sum(n not in below for n in x))
        return x[name]

    for name in nodes:
        if name not in above:
            place(name)
    return x
