"""Surfaces as one self-contained HTML file (plotly): nothing is loaded from a network when it is opened."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from explorer.app.drawing import MARKERS, label, metadata, missing
from explorer.errors import Invalid

SYMBOLS = {"o": "circle", "X": "x", "^": "diamond", "s": "square", "D": "diamond-open"}


def html(document: dict[str, Any]) -> bytes:
    """The page of a surface; settings are in a ``<script type="application/json">`` and in the figure's ``meta``."""
    if len(document.get("axes", ())) != 2:
        raise Invalid("HTML", expected="a surface", got="a slice or a tree", remedy="write a .svg or .png file")
    try:
        import plotly.graph_objects as go
        import plotly.io as pio
    except ModuleNotFoundError:
        raise missing("plotly") from None
    s, t = document["axes"]
    values = np.array(document["values"], dtype=float).T
    finite = values[np.isfinite(values)]
    top = float(np.quantile(finite, 0.9))
    clipped = np.where(values <= top, values, np.nan)  # steep walls would hide the floor
    figure = go.Figure(
        go.Surface(x=s, y=t, z=clipped.tolist(), colorscale="Viridis", opacity=0.9, colorbar={"title": "F"}, name="F")
    )
    for family in document.get("families", []):
        x, y, z = zip(*family["points"], strict=True)
        figure.add_trace(_points(go, x, y, z, family["kind"], f"{family['name']}: {family['kind']}, family", 2))
    for mark in document["marks"]:
        x, y = mark["at"]
        figure.add_trace(_points(go, [x], [y], [mark["value"]], mark["kind"], label(mark), 6))
    figure.update_layout(
        title=f"{document['title']} ({document['trust']})", meta=json.loads(metadata(document)), template="plotly_white",
        scene={"xaxis_title": document["labels"][0], "yaxis_title": document["labels"][1], "zaxis_title": "F"},
    )  # fmt: skip
    page = pio.to_html(figure, include_plotlyjs=True, full_html=True, div_id="landscape")
    about = f'<script type="application/json" id="explorer-settings">{metadata(document).replace("<", chr(92) + "u003c")}</script>'
    return page.replace("</head>", f"{about}</head>", 1).encode("utf-8")


def _points(go: Any, x: Any, y: Any, z: Any, kind: str, name: str, size: int) -> Any:
    marker, colour = MARKERS[kind]
    return go.Scatter3d(x=list(x), y=list(y), z=list(z), mode="markers", name=name, marker={"symbol": SYMBOLS[marker], "color": colour, "size": size})  # fmt: skip
