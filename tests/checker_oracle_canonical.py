"""The second opinion on the canonical space: Gauss quadrature, singular values, least squares and sampling in floating point."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np

CANONICAL_RULES = ("disparity", "fourier-limit", "frozen", "revival", "aliased", "too-few-breaks")
CANONICAL_GOALS = (
    "full-rank-not-global", "full-rank-slope", "rank-deficient", "trapped", "trapped-at-full-rank", "fourier-gap", "truncated-loss-gap",
    "truncation-unbounded", "revived-unit", "no-trigonometric-fit", "not-interpolable",
)  # fmt: skip
NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)
KNOWN: dict[Any, Any] = {}


def step_holds(opinion: Any, step: dict[str, Any]) -> bool:
    found = {
        "disparity": disparity, "fourier-limit": limit, "frozen": frozen, "revival": revival, "aliased": aliased,
        "too-few-breaks": breaks,
    }  # fmt: skip
    return bool(found[step["rule"]](opinion, step))


def value(opinion: Any, theta: list[Any], x: Any) -> float:
    return float(opinion.f.outputs(theta, [x])[0])


def data(opinion: Any) -> tuple[list[list[float]], list[float], list[float]]:
    body = json.loads(opinion.text)["data"]
    inputs = [[float(Fraction(v)) for v in row] for row in body["inputs"]]
    return inputs, [float(Fraction(row[0])) for row in body["targets"]], [float(c) for c in opinion.f.weights]


def on_line(opinion: Any, name: str, cells: list[str]) -> tuple[Any, Any, Any, Any]:
    """Nodes and weights of a quadrature on [0, 1], f and its differences by every parameter there."""
    key = (opinion.text, str(opinion.points[name]), tuple(cells))
    if key not in KNOWN:
        ends = [0.0, *(float(Fraction(c)) for c in cells), 1.0]
        parts = [((a + b) / 2 + NODES * (b - a) / 2, WEIGHTS * (b - a) / 2) for a, b in pairwise(ends)]
        x, w = (np.concatenate(part) for part in zip(*parts, strict=True))
        theta, h = opinion.points[name], 1e-6
        f = np.array([value(opinion, theta, v) for v in x])
        slopes = []
        for m in range(opinion.f.size):
            sides = [
                np.array([value(opinion, [t + s * h * (k == m) for k, t in enumerate(theta)], v) for v in x])
                for s in (1, -1)
            ]
            slopes.append((sides[0] - sides[1]) / (2 * h))
        KNOWN[key] = x, w, f, np.array(slopes)
    return KNOWN[key]


def waves(x: Any, top: int) -> Any:
    return np.array(
        [np.ones_like(x), *(wave(2 * np.pi * k * x) for k in range(1, top + 1) for wave in (np.cos, np.sin))]
    )


def disparity(opinion: Any, step: dict[str, Any]) -> bool:
    x, w, f, slopes = on_line(opinion, step["point"], step["cells"])
    basis = waves(x, step["frequencies"])
    sizes = np.linalg.svd((slopes * w) @ basis.T, compute_uv=False)
    if int((sizes > 1e-7).sum()) != step["rank"]:
        return False
    if "slope" not in step:
        return True
    factors = np.array([1.0] + [2.0] * (len(basis) - 1))
    coefficients = (basis * w) @ f * factors
    inputs, targets, weights = data(opinion)
    at = waves(np.array([row[0] for row in inputs]), step["frequencies"])
    gradient = at @ (2 * np.array(weights) * (coefficients @ at - np.array(targets)))
    return Fraction(step["slope"]) > 0 and np.abs(gradient).max() >= float(Fraction(step["slope"])) - 1e-9


def limit(opinion: Any, step: dict[str, Any]) -> bool:
    """The partial sum with 400 frequencies, from 8000 midpoints, at the data."""
    theta, inputs = opinion.points[step["point"]], data(opinion)
    key = (opinion.text, str(theta), "limit")
    if key not in KNOWN:
        x = (np.arange(2000) + 0.5) / 2000
        f = np.array([value(opinion, theta, v) for v in x])
        total = 0.0
        for row, y, c in zip(*inputs, strict=True):
            kernel = 1 + 2 * sum(np.cos(2 * np.pi * k * (row[0] - x)) for k in range(1, 200))
            total += c * (float((f * kernel).mean()) - y) ** 2
        KNOWN[key] = total, value(opinion, theta, 0) - value(opinion, theta, 1)
    total, jump = KNOWN[key]
    field = opinion.certificate["points"][step["point"]]["field"]
    claimed = float(opinion.element(step["value"], opinion.generator(field)))
    return abs(jump) > 1e-12 and abs(total - claimed) < 0.02 * (1 + abs(claimed))


def frozen(opinion: Any, step: dict[str, Any]) -> bool:
    """No slope but that of an output bias, at random points near p, and F >= value there for any output bias."""
    theta, rng = opinion.points[step["point"]], random.Random(3)
    output_bias = bool(opinion.f.bias[-1])
    for _ in range(4):
        near = [t + 1e-4 * rng.uniform(-1, 1) for t in theta]
        if output_bias:
            near[-1] += rng.uniform(-3, 3)
        slopes = opinion.f.gradient(near)
        if any(abs(g) > 1e-12 for g in (slopes[:-1] if output_bias else slopes)):
            return False
        if opinion.f(near) < float(Fraction(step["value"])) - 1e-9:
            return False
    return True


def unit(opinion: Any, theta: list[Any], layer: int, j: int, x: list[Any]) -> Any:
    """The activation of one unit, by running the network up to its layer."""
    widths, at, signal = opinion.f.net["widths"], 0, x
    for k in range(layer):
        rows, cols = widths[k + 1], widths[k]
        shift = at + rows * cols
        z = [
            sum(theta[at + i * cols + n] * s for n, s in enumerate(signal))
            + (theta[shift + i] if opinion.f.bias[k] else 0)
            for i in range(rows)
        ]
        signal = [opinion.f.activations[k](v) for v in z]
        at = shift + rows * bool(opinion.f.bias[k])
    return signal[j]


def revival(opinion: Any, step: dict[str, Any]) -> bool:
    p, q = opinion.points[step["point"]], opinion.points[step["to"]]
    h = float(Fraction(step["step"]))
    if h <= 0 or any(abs(b - (a - h * g)) > 1e-9 for a, b, g in zip(p, q, opinion.f.gradient(p), strict=True)):
        return False
    inputs, where = data(opinion)[0], (step["layer"], step["unit"] - 1)
    cube = product(*[[k / 8 for k in range(9)]] * len(inputs[0]))
    asleep = all(unit(opinion, p, *where, list(x)) == 0 for x in cube)
    return asleep and any(unit(opinion, q, *where, x) != 0 for x in inputs)


def aliased(opinion: Any, step: dict[str, Any]) -> bool:
    """Least squares over all the complex exponentials: no smaller loss than the stated one."""
    inputs, targets, weights = data(opinion)
    grid = product(*(range(-n, n + 1) for n in step["frequencies"]))
    table = np.array([np.exp(2j * np.pi * (np.array(inputs) @ np.array(k))) for k in grid]).T
    root = np.sqrt(np.array(weights))
    found = np.linalg.lstsq(table * root[:, None], np.array(targets) * root, rcond=1e-10)[0]
    loss = float((np.array(weights) * np.abs(table @ found - np.array(targets)) ** 2).sum())
    return Fraction(step["value"]) > 0 and loss >= float(Fraction(step["value"])) - 1e-9


def breaks(opinion: Any, step: dict[str, Any]) -> bool:
    """Scalar inputs, relu-like or polynomial units: counts disjoint windows on which no polynomial piece fits (by numpy's fit)."""
    net = opinion.f.net
    act = net["activation"] if isinstance(net["activation"], dict) else net["activation"][0]
    kind = act if isinstance(act, str) else act["kind"]
    known = {"relu": (1, 1), "leaky_relu": (1, 1), "requ": (2, 1), "square": (2, 0), "cubic": (3, 0), "linear": (1, 0)}
    if kind not in known or len(net["widths"]) != 3:
        return False
    degree, per_unit = known[kind]
    inputs, targets, _ = data(opinion)
    points = sorted((x[0], y) for x, y in zip(inputs, targets, strict=True))
    at = forced = 0
    while at + degree + 1 < len(points):
        x, y = (np.array(column) for column in zip(*points[at : at + degree + 2], strict=True))
        misfit = np.abs(np.polynomial.Polynomial.fit(x, y, degree)(x) - y).max() > 1e-9
        forced, at = forced + misfit, at + (degree + 1 if misfit else 1)
    return forced > per_unit * net["widths"][1]


def goal_holds(opinion: Any) -> bool:
    """All steps hold; is the goal what they say?"""
    goal, steps = opinion.certificate["goal"], {s["rule"]: s for s in opinion.certificate["steps"]}
    kind, theta = goal["kind"], opinion.points.get(goal.get("point"))
    body = json.loads(opinion.text)
    samples = len(body["data"]["inputs"])
    if kind in ("revived-unit", "not-interpolable", "fourier-gap"):
        return True
    if kind == "no-trigonometric-fit":
        return bool(np.prod([2 * n + 1 for n in steps["aliased"]["frequencies"]]) >= samples)
    if kind == "truncation-unbounded":
        return body["network"].get("output_activation", "linear") in ("linear", {"kind": "linear"})
    if kind == "truncated-loss-gap":
        field = opinion.certificate["points"][goal["point"]]["field"]
        claimed = opinion.element(steps["fourier-limit"]["value"], opinion.generator(field))
        return abs(opinion.f(theta) - claimed) > 1e-30
    if kind == "trapped":
        return bool(opinion.f(opinion.points[goal["better"]]) < float(Fraction(steps["frozen"]["value"])) - 1e-12)
    columns = 2 * steps["disparity"]["frequencies"] + 1
    if not opinion.f.size >= columns >= samples:
        return False
    full = steps["disparity"]["rank"] == columns
    if kind == "rank-deficient":
        slopes = on_line(opinion, goal["point"], steps["disparity"]["cells"])[3]
        gaps = [np.abs(a - b).max() for k, a in enumerate(slopes) for b in slopes[:k]]
        return not full and min([*gaps, *np.abs(slopes).max(axis=1)]) > 1e-9
    if kind == "trapped-at-full-rank":
        other = opinion.points[goal["better"]]
        return full and bool(opinion.f(other) < float(Fraction(steps["frozen"]["value"])) - 1e-12)
    if kind == "full-rank-not-global" and not opinion.f(opinion.points[goal["better"]]) < opinion.f(theta):
        return False
    return full and opinion.critical(theta)
