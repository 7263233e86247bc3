"""Gradient systems of the ridge cases, written out by code that shares nothing with explorer (and no SymPy).

A polynomial is a dict {exponent tuple: Fraction}. Only what these cases need is understood: dense networks, activation
linear, square, cubic or polynomial, squared loss, l2 regularizer or none. Parameters in the documented order, layer by layer,
rows first, then the biases of the layer.
"""

from __future__ import annotations

import itertools
import json
from fractions import Fraction
from math import lcm
from pathlib import Path

Polynomial = dict[tuple[int, ...], Fraction]

CASES = Path(__file__).resolve().parents[2] / "cases"
RIDGE_CASES = (
    "xyz-decay",
    "linear-2-2-ridge",
    "quadratic-2",
    "linear-2-2-1-ridge",
    "linear-2-1-1-2-ridge",
    "linear-1-2-2-1-ridge",
    "linear-3-1-3-ridge",
    "chain-5-ridge",
    "square-bias-ridge",
    "quartic-neuron-ridge",
)


def add(p: Polynomial, q: Polynomial, factor: Fraction = Fraction(1)) -> Polynomial:
    out = dict(p)
    for e, c in q.items():
        out[e] = out.get(e, Fraction(0)) + factor * c
        if not out[e]:
            del out[e]
    return out


def multiply(p: Polynomial, q: Polynomial) -> Polynomial:
    out: Polynomial = {}
    for e, c in p.items():
        out = add(out, {tuple(a + b for a, b in zip(e, f, strict=True)): c * d for f, d in q.items()})
    return out


def differentiate(p: Polynomial, k: int) -> Polynomial:
    return {(*e[:k], e[k] - 1, *e[k + 1 :]): c * e[k] for e, c in p.items() if e[k]}


def compose(coefficients: list[str], z: Polynomial, zero: tuple[int, ...]) -> Polynomial:
    total: Polynomial = {}
    for c in reversed(coefficients):
        total = add(multiply(total, z), {zero: Fraction(c)})
    return total


def loss(problem: dict) -> Polynomial:
    """F = sum_i c_i |y_i - f(x_i)|^2 + sum_k lambda_k theta_k^2 of a problem file, expanded."""
    net, reg = problem["network"], problem["regularizer"]
    widths = net["widths"]
    known = {"linear": ["0", "1"], "square": ["0", "0", "1"], "cubic": ["0", "0", "0", "1"]}
    if problem["loss"]["kind"] != "squared" or (reg and reg["kind"] != "l2"):
        raise ValueError(f"{problem['slug']}: not one of the shapes that this script understands")
    curves = [a.get("coefficients") or known[a["kind"]] for a in net["activation"]]
    sizes = [
        a * b + (b if biased else 0) for (a, b), biased in zip(itertools.pairwise(widths), net["bias"], strict=True)
    ]
    count = sum(sizes)
    unit = [tuple(int(i == k) for i in range(count)) for k in range(count)]
    zero = (0,) * count
    total: Polynomial = {}
    rows = zip(problem["data"]["inputs"], problem["data"]["targets"], problem["loss"]["weights"], strict=True)
    for x, y, weight in rows:
        units = [{zero: Fraction(v)} if Fraction(v) else {} for v in x]
        offset = 0
        for layer, (columns, height) in enumerate(itertools.pairwise(widths)):
            nxt = []
            for i in range(height):
                z: Polynomial = {}
                for j in range(columns):
                    z = add(z, multiply({unit[offset + i * columns + j]: Fraction(1)}, units[j]))
                if net["bias"][layer]:
                    z = add(z, {unit[offset + columns * height + i]: Fraction(1)})
                nxt.append(compose(curves[layer], z, zero) if layer < len(curves) else z)
            offset += sizes[layer]
            units = nxt
        for f, target in zip(units, y, strict=True):
            residual = add({zero: Fraction(target)}, f, Fraction(-1))
            total = add(total, multiply(residual, residual), Fraction(weight))
    for k, weight in enumerate(reg["weights"] if reg else ()):
        total = add(total, multiply({unit[k]: Fraction(weight)}, {unit[k]: Fraction(1)}))
    return total


def gradient(slug: str) -> tuple[Polynomial, list[Polynomial]]:
    """The loss of a case and its gradient."""
    f = loss(json.loads((CASES / slug / "problem.json").read_text(encoding="utf-8")))
    count = len(next(iter(f)))
    return f, [differentiate(f, k) for k in range(count)]


def show(p: Polynomial, names: list[str]) -> str:
    """The polynomial with its denominators cleared, in the syntax that Singular and PHCpack share."""
    scale = lcm(*(c.denominator for c in p.values()))
    terms = []
    for e, c in sorted(p.items(), reverse=True):
        factors = [f"{n}^{k}" if k > 1 else n for n, k in zip(names, e, strict=True) if k]
        terms.append("*".join([f"{int(c * scale):+d}", *factors]))
    return "".join(terms).removeprefix("+")


def names(count: int) -> list[str]:
    return [f"t{k + 1}" for k in range(count)]
