"""The loss of a problem file in double precision, for many parameter vectors at once. Shares nothing with explorer.

Only NumPy and the problem's JSON: dense networks, squared and logistic loss, l2 or power regularizer or none, and monomial losses.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np

LN2 = math.log(2)
erf = np.vectorize(math.erf, otypes=[float])


def phi(activation: dict[str, Any], z: np.ndarray) -> np.ndarray:
    kind = activation["kind"]
    with np.errstate(over="ignore"):
        if kind in ("sigmoid", "swish"):
            s = 1 / (1 + np.exp(-z))
            return s if kind == "sigmoid" else z * s
        if kind == "elu":
            return np.where(z >= 0, z, float(Fraction(activation["alpha"])) * np.expm1(np.minimum(z, 0)))
    if kind == "softplus":
        return np.logaddexp(0, z)
    if kind == "gelu":
        return z * (1 + erf(z / math.sqrt(2))) / 2
    if kind == "erf":
        return erf(z)
    if kind in ("tanh", "exp", "sin"):
        return getattr(np, kind)(z)
    return piecewise(activation, z)


def piecewise(activation: dict[str, Any], z: np.ndarray) -> np.ndarray:
    kind = activation["kind"]
    fixed = {
        "linear": [[0, 1]],
        "square": [[0, 0, 1]],
        "cubic": [[0, 0, 0, 1]],
        "relu": [[0], [0, 1]],
        "requ": [[0], [0, 0, 1]],
    }
    pieces: list[list[Any]] = fixed.get(kind, [])
    breaks: list[Any] = [0] if len(pieces) == 2 else []
    if kind == "polynomial":
        pieces = [activation["coefficients"]]
    elif kind == "leaky_relu":
        pieces, breaks = [[0, activation["slope"]], [0, 1]], [0]
    elif kind == "piecewise-polynomial":
        pieces, breaks = activation["pieces"], activation["breaks"]
    values = [np.polynomial.polynomial.polyval(z, [float(Fraction(c)) for c in piece]) for piece in pieces]
    return np.choose(np.searchsorted([float(Fraction(b)) for b in breaks], z), values) if breaks else values[0]


def loss(problem: dict[str, Any], theta: np.ndarray) -> np.ndarray:
    """F at every row of ``theta`` (parameters in the documented order)."""
    net = problem["network"]
    if net["kind"] == "monomial":
        return sum(
            float(Fraction(t["coefficient"])) * np.prod(theta ** np.array(t["exponents"]), axis=1) for t in net["terms"]
        )
    widths, hidden = net["widths"], len(net["widths"]) - 2
    given = net["activation"]
    layers = [
        a if isinstance(a, dict) else {"kind": a} for a in (given if isinstance(given, list) else [given] * hidden)
    ]
    bias = net["bias"] if isinstance(net["bias"], list) else [net["bias"]] * hidden + [False]
    penalty = problem.get("regularizer") or {"kind": "l2", "weights": ["0"] * theta.shape[1]}
    assert penalty["kind"] in ("l2", "power")
    shrink = np.abs(theta) ** penalty.get("exponent", 2) @ np.array([float(Fraction(v)) for v in penalty["weights"]])
    x = np.array([[float(Fraction(v)) for v in row] for row in problem["data"]["inputs"]])
    y = np.array([[float(Fraction(v)) for v in row] for row in problem["data"]["targets"]])
    c = np.array([float(Fraction(v)) for v in problem["loss"]["weights"]])
    h = np.broadcast_to(x, (len(theta), *x.shape))
    start = 0
    for k, (cols, rows) in enumerate(itertools.pairwise(widths)):
        w = theta[:, start : start + rows * cols].reshape(-1, rows, cols)
        start += rows * cols
        z = np.einsum("bnc,brc->bnr", h, w)
        if bias[k]:
            z = z + theta[:, None, start : start + rows]
            start += rows
        h = phi(layers[k] if k < hidden else net.get("output_activation") or {"kind": "linear"}, z)
    if net["kind"] == "dense+exp":
        a, inner, b = theta[:, start], theta[:, start + 1 : -1], theta[:, -1]
        h = h + (a[:, None] * np.exp(inner @ x.T + b[:, None]))[:, :, None]
    if problem["loss"]["kind"] == "logistic":
        return (c * np.logaddexp(0, -y * h)[:, :, 0]).sum(axis=1) + shrink
    return (c[:, None] * (h - y) ** 2).sum(axis=(1, 2)) + shrink


def vector(point: dict[str, Any]) -> np.ndarray:
    """The coordinates of a certificate's point, in double precision (number fields: the middle of a refined interval)."""
    field, rows = point["field"], point["coordinates"]
    if field == "rational":
        return np.array([float(Fraction(c)) for c in rows])
    generator = LN2 if field == "ln2" else root(field)
    return np.array([sum(float(Fraction(c)) * generator**k for k, c in enumerate(e)) for e in rows])


def root(field: dict[str, Any]) -> float:
    coefficients = [Fraction(c) for c in field["polynomial"]]
    low, high = (Fraction(v) for v in field["interval"])

    def value(t: Fraction) -> Fraction:
        return sum((c * t**k for k, c in enumerate(coefficients)), Fraction(0))

    positive = value(high) > 0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if (value(middle) > 0) == positive else (middle, high)
    return float(low)


def lowest_nearby(
    problem: dict[str, Any], p: np.ndarray, *, tries: int, seed: int, radii: tuple[float, ...]
) -> tuple[float, float]:
    """(F(p), the least F at ``tries`` random points on spheres around p), half of them along few coordinates."""
    draw = np.random.default_rng(seed)
    steps = draw.standard_normal((tries, len(p)))
    steps[: tries // 2] *= draw.random((tries // 2, len(p))) < min(1, 3 / len(p))
    norms = np.linalg.norm(steps, axis=1, keepdims=True)
    steps = np.divide(steps, norms, out=np.zeros_like(steps), where=norms > 0) * draw.choice(radii, (tries, 1))
    return float(loss(problem, p[None, :])[0]), float(loss(problem, p + steps).min())
