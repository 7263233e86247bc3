"""The second opinion on facts about all local minima, walls, slices and lines: other formulas, mpmath, sampling."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from typing import Any

import checker_oracle_motion as motion
import checker_oracle_outputs as outputs


def rectified(body: dict[str, Any]) -> tuple[list[list[Fraction]], list[Fraction], list[Fraction]] | None:
    """(extended inputs, c_i y_i, regularizer weights) of the ReQU problems, None for another problem."""
    net, loss, reg = body["network"], body["loss"], body.get("regularizer")
    act = net.get("activation", "linear")
    name = act[0] if isinstance(act, list) else act
    name = name["kind"] if isinstance(name, dict) else name
    out = net.get("output_activation", "linear")
    out = out["kind"] if isinstance(out, dict) else out
    if not reg or reg["kind"] != "neuron-cubic" or loss["kind"] != "logistic" or name != "requ" or out != "linear":
        return None
    bias = net.get("bias", False)
    extended = bias[0] if isinstance(bias, list) else bias
    rows = [[Fraction(v) for v in x] + [Fraction(1)] * extended for x in body["data"]["inputs"]]
    count = len(rows)
    c = loss.get("weights", 1)
    c = [Fraction(v) for v in c] if isinstance(c, list) else [Fraction(c)] * count
    slopes = [k * Fraction(y[0]) for k, y in zip(c, body["data"]["targets"], strict=True)]
    lam = reg["weights"] if isinstance(reg["weights"], list) else [reg["weights"]] * net["widths"][1]
    return rows, slopes, [Fraction(v) for v in lam]


def orthogonal(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    """The Gram matrix is diagonal, labels count, weights differ and stay below the half of |y_i| c_i G_ii."""
    found = rectified(json.loads(opinion.text))
    if found is None:
        return False
    rows, slopes, lam = found
    gram = [[sum(a * b for a, b in zip(u, v, strict=True)) for v in rows] for u in rows]
    diagonal = all((gram[i][j] == 0) == (i != j) for i in range(len(rows)) for j in range(len(rows)))
    labels = len({s > 0 for s in slopes})
    small = all(2 * v < abs(s) * gram[i][i] for v in lam for i, s in enumerate(slopes))
    return diagonal and all(slopes) and all(v > 0 for v in lam) and len({*lam}) == len(lam) > labels and small


def zero_error(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    found = rectified(json.loads(opinion.text))
    if found is None:
        return False
    rows, slopes, lam = found
    for i, terms in enumerate(step["interpolations"]):
        spent = Fraction(0)
        for k, x in enumerate(rows):
            total = Fraction(0)
            for c, w in terms:
                z = sum(Fraction(a) * b for a, b in zip(w, x, strict=True))
                total += Fraction(c) * z * z if z > 0 else 0
            if total != (i == k):
                return False
        spent = sum((abs(Fraction(c)) * sum(Fraction(a) ** 2 for a in w) for c, w in terms), spent)
        if 2 * min(lam) * spent >= abs(slopes[i]):
            return False
    return len(step["interpolations"]) == len(rows) and all(v > 0 for v in lam)


def added_unit(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    """Only exp_a is penalised, exponentials of the inputs are independent (their Vandermonde-like matrix is regular)."""
    body = json.loads(opinion.text)
    net, reg, data = body["network"], body.get("regularizer"), body["data"]
    if net["kind"] != "dense+exp" or not reg or reg["kind"] != "l2" or not isinstance(reg["weights"], list):
        return False
    weights = [Fraction(v) for v in reg["weights"]]
    here = len(weights) - net["widths"][0] - 2
    if [k for k, v in enumerate(weights) if v] != [here]:
        return False
    points = [[Fraction(v) for v in x] for x in data["inputs"]]
    pick = [[Fraction((k + 2) ** 2 % 7 + k * m, 5) for m in range(1, net["widths"][0] + 1)] for k in range(len(points))]
    rows = [[mp.exp(mp.mpf(float(sum(a * b for a, b in zip(w, x, strict=True))))) for x in points] for w in pick]
    labels = all(Fraction(y[0]) for y in data["targets"])
    return abs(mp.det(mp.matrix(rows))) > mp.mpf(10) ** -30 and (labels or body["loss"]["kind"] == "squared")


def wall(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    """Random points of the hyperplane (and of the side of p) are not lower than claimed."""
    rng, a = random.Random(5), [mp.mpf(Fraction(v).numerator) / Fraction(v).denominator for v in step["wall"]]
    sides = [sum((x * c for x, c in zip(opinion.points[step[k]], a, strict=True)), mp.mpf(0)) for k in ("point", "to")]
    if not sides[0] * sides[1] < 0:
        return False

    def number(text: str) -> Any:
        return mp.mpf(Fraction(text).numerator) / Fraction(text).denominator - mp.mpf(10) ** -30

    pivot = next(k for k, c in enumerate(a) if c)
    for _ in range(400):
        theta = [mp.mpf(rng.choice((0.1, 1, 5)) * rng.uniform(-1, 1)) for _ in a]
        rest = sum((c * t for k, (c, t) in enumerate(zip(a, theta, strict=True)) if k != pivot), mp.mpf(0))
        on = [*theta[:pivot], -rest / a[pivot], *theta[pivot + 1 :]]
        if opinion.f(on) < number(step["level"]):
            return False
        here = sum((c * t for c, t in zip(a, theta, strict=True)), mp.mpf(0))
        if "side" in step and here * sides[0] > 0 and opinion.f(theta) < number(step["side"]):
            return False
    return True


def squares(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    """F at random points is the value plus the squares there."""
    rng = random.Random(8)
    for _ in range(20):
        theta = [mp.mpf(rng.uniform(-2, 2)) for _ in range(opinion.f.size)]
        total = motion.real(step["value"], mp)
        for factor, terms in step["squares"]:
            inner = mp.mpf(0)
            for c, e in terms:
                part = motion.real(c, mp)
                for t, k in zip(theta, e, strict=True):
                    part *= t**k
                inner += part
            if Fraction(factor) <= 0:
                return False
            total += motion.real(factor, mp) * inner**2
        if abs(total - opinion.f(theta)) > mp.mpf(10) ** -30:
            return False
    return True


RULES = {
    "wall": wall,
    "added-unit": added_unit,
    "orthogonal-requ": orthogonal,
    "zero-error": zero_error,
    **outputs.RULES,
    **motion.RULES,
}
#: goals that follow from the one step that they name
GOALS = (
    *motion.GOALS,
    *outputs.GOALS,
    "exact-barrier",
    "no-local-minimum",
    "local-minima-interpolate",
    "local-minima-classify",
    "silent-unit-classifies",
)
