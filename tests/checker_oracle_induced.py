"""The second opinion on induced models and hidden kinks: difference quotients of the outputs in mpmath, random combinations."""

from __future__ import annotations

import random
from typing import Any

INDUCED_RULES = ("tangent-optimal", "kinks-nearby", "rank")


def step_holds(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    f, theta = opinion.f, opinion.points[step["point"]]
    if f.net["kind"] != "dense" or (step["rule"] == "tangent-optimal" and f.body.get("regularizer")):
        return False
    if step["rule"] == "rank":
        return rank_holds(f, theta, step, mp)
    if step["rule"] == "kinks-nearby":
        return hidden_kink(f, theta, step, mp)
    generator = opinion.generator(opinion.certificate["points"][step["point"]]["field"])
    given = [opinion.element(g, generator) for g in step["combination"]]
    data, rng, h = f.body["data"], random.Random(7), mp.mpf(10) ** -16
    columns, outputs = [], stacked(f, theta)
    for k in range(f.size):
        ahead, back = ([t + s * h * (i == k) for i, t in enumerate(theta)] for s in (1, -1))
        columns.append([(a - b) / (2 * h) for a, b in zip(stacked(f, ahead), stacked(f, back), strict=True)])

    def combined(weights: list[Any]) -> list[Any]:
        return [mp.fdot(weights, [c[r] for c in columns]) for r in range(len(outputs))]

    def loss(values: list[Any]) -> Any:
        width, total = len(data["targets"][0]), mp.mpf(0)
        for r, value in enumerate(values):
            goal, c = exact(data["targets"][r // width][r % width], mp), f.weights[r // width]
            squared = f.body["loss"]["kind"] == "squared"
            total += c * ((goal - value) ** 2 if squared else mp.log(1 + mp.exp(-goal * value)))
        return total

    if any(abs(a - b) > mp.mpf(10) ** -20 for a, b in zip(combined(given), outputs, strict=True)):
        return False
    here = loss(outputs)
    tries = (
        [g + (2 * mp.mpf(rng.random()) - 1) * scale for g in given]
        for scale in (3, 1, mp.mpf("0.01"))
        for _ in range(40)
    )
    return all(
        loss(combined(t)) >= here - mp.mpf(10) ** -12 for t in tries
    )  # one-sided C^1 units: quotients err by the step


def rank_holds(f: Any, theta: list[Any], step: dict[str, Any], mp: Any) -> bool:
    """Numerical rank by singular values: with ``rows`` that of these rows, which must be all of them."""
    inputs, h = f.body["data"]["inputs"], mp.mpf(10) ** -16
    if step["matrix"] == "gradients":
        columns = []
        for k in range(f.size):
            ahead, back = ([t + s * h * (i == k) for i, t in enumerate(theta)] for s in (1, -1))
            columns.append([(a - b) / (2 * h) for a, b in zip(stacked(f, ahead), stacked(f, back), strict=True)])
        rows = [list(row) for row in zip(*columns, strict=True)]
    elif step["matrix"] == "features":
        rows = [f.features(theta, x) for x in inputs]
    else:
        width = f.net["widths"][0]
        rows = [f.outputs(theta, [str(int(i == j)) for j in range(width)]) for i in range(width)]
    rows = [rows[k - 1] for k in step["rows"]] if "rows" in step else rows
    wide = mp.matrix(rows) if len(rows) >= len(rows[0]) else mp.matrix(rows).T
    found = sum(bool(s > mp.mpf(10) ** -14) for s in mp.svd_r(wide, compute_uv=False))
    return bool(found == step["rank"] == len(step.get("rows", range(step["rank"]))))


def exact(text: Any, mp: Any) -> Any:
    top, _, bottom = str(text).partition("/")
    return mp.mpf(int(top)) / int(bottom or 1)


def stacked(f: Any, theta: list[Any]) -> list[Any]:
    return [v for x in f.body["data"]["inputs"] for v in f.outputs(theta, x)]


def hidden_kink(f: Any, theta: list[Any], step: dict[str, Any], mp: Any) -> bool:
    """One-sided slopes of output 1 on the sample along every parameter: equal at p, different for some one at p + t e."""
    widths, h = f.net["widths"], mp.mpf(10) ** -20
    if len(widths) != 3:
        return False
    second = widths[1] * (widths[0] + f.bias[0])
    weight, x = second + step["unit"] - 1, f.body["data"]["inputs"][step["sample"] - 1]

    def jumps(at: list[Any], sample: Any) -> bool:
        for k in range(f.size):
            moved = [[t + s * h * (i == k) for i, t in enumerate(at)] for s in (1, -1)]
            right, left = ((f.outputs(m, sample)[0] - f.outputs(at, sample)[0]) / h for m in moved)
            if abs(right + left) > mp.mpf(10) ** -6:
                return True
        return False

    beside = [[t + s * (i == weight) for i, t in enumerate(theta)] for s in (mp.mpf("0.3"), mp.mpf("-0.7"))]
    return not any(jumps(theta, s) for s in f.body["data"]["inputs"]) and all(jumps(b, x) for b in beside)
