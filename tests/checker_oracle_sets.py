"""The second opinion on facts about sets and paths: sampling in mpmath, regularizer bounds in fractions."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import pairwise
from typing import Any

SET_RULES = ("coercive", "path", "escape", "basin")
SET_GOALS = (
    "coercive", "descending-path", "bounded-path", "escape-path", "infimum-at-infinity", "not-coercive", "barrier",
    "unattained-infimum", "spurious-basin", "spurious-valley",
)  # fmt: skip


def step_holds(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    return bool({"coercive": coercive, "path": path, "escape": escape, "basin": basin}[step["rule"]](opinion, step, mp))


def coercive(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    """weight |r|^p >= level for every parameter, all weights positive (l2 and power regularizers)."""
    body = json.loads(opinion.text)["regularizer"]
    if not body or body["kind"] == "neuron-cubic":
        return False
    weights, exponent = body["weights"], body.get("exponent", 2)
    weights = weights if isinstance(weights, list) else [weights] * len(step["bounds"])
    level = Fraction(step["level"])
    pairs = [(Fraction(w), Fraction(r)) for w, r in zip(weights, step["bounds"], strict=True)]
    return all(w > 0 and r > 0 and w * r**exponent >= level for w, r in pairs)


def moving(opinion: Any, name: str, terms: list[Any], t: Any, mp: Any) -> list[Any]:
    generator = opinion.generator(opinion.certificate["points"][name]["field"])

    def at(row: list[Any]) -> Any:
        parts = [
            opinion.element(c, generator) * t ** e[0] * (mp.log(t) ** e[1] if e[1:] and e[1] else 1) for c, e in row
        ]
        return sum(parts, mp.mpf(0))

    return [at(row) for row in terms]


def near(a: list[Any], b: list[Any], mp: Any) -> bool:
    return all(abs(x - y) < mp.mpf(10) ** -35 for x, y in zip(a, b, strict=True))


def path(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    tiny, name = mp.mpf(10) ** -35, step["point"]
    here = opinion.points[name]
    for piece in step["pieces"]:
        track = [moving(opinion, name, piece, mp.mpf(k) / 32, mp) for k in range(33)]
        values = [opinion.f(theta) for theta in track]
        if not near(track[0], here, mp):
            return False
        if (
            "level" in step
            and max(values) > mp.mpf(Fraction(step["level"]).numerator) / Fraction(step["level"]).denominator + tiny
        ):
            return False
        if "level" not in step and any(b > a + tiny for a, b in pairwise(values)):
            return False
        here = track[-1]
    return near(here, opinion.points[step["to"]], mp)


def escape(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    start, limit = (mp.mpf(Fraction(step[k]).numerator) / Fraction(step[k]).denominator for k in ("from", "limit"))
    times = [start * mp.mpf(2) ** k for k in range(60)]
    track = [moving(opinion, step["point"], step["path"], t, mp) for t in times]
    values = [opinion.f(theta) for theta in track]
    tiny = mp.mpf(10) ** -35  # below it a strict fall cannot be told from rounding
    still = all(abs(v - limit) < tiny for v in values)
    falls = still or all(b < a or abs(a - limit) < tiny for a, b in pairwise(values))
    grows = max(map(abs, track[-1])) > max(1, *map(abs, track[0])) * 30
    return (
        near(track[0], opinion.points[step["point"]], mp)
        and falls
        and grows
        and abs(values[-1] - limit) < mp.mpf("0.001")
    )


def basin(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    rng, level = random.Random(3), Fraction(step["level"])
    low, high = ([Fraction(v) for v in step[key]] for key in ("lower", "upper"))
    bound = mp.mpf(level.numerator) / level.denominator
    for k in range(len(low)):
        for _ in range(60):
            theta = [a + (b - a) * Fraction(rng.randrange(10**6), 10**6) for a, b in zip(low, high, strict=True)]
            theta[k] = rng.choice((low[k], high[k]))
            if opinion.f([mp.mpf(v.numerator) / v.denominator for v in theta]) <= bound:
                return False
    return opinion.f(opinion.points[step["point"]]) <= bound + mp.mpf(10) ** -35


def goal_holds(opinion: Any, mp: Any) -> bool:
    """Whether the goal follows, given that all steps hold."""
    goal, steps = opinion.certificate["goal"], {s["rule"]: s for s in opinion.certificate["steps"]}
    kind, other = goal["kind"], opinion.points.get(goal.get("better", goal.get("to")))
    if kind in ("coercive", "not-coercive"):
        return True
    if kind in ("descending-path", "bounded-path"):
        return ("level" in steps["path"]) == (kind == "bounded-path")
    if kind == "escape-path":
        return opinion.f(other) < float(Fraction(steps["escape"]["limit"])) + 1e-30
    if kind == "infimum-at-infinity":
        return Fraction(steps["escape"]["limit"]) == 0
    if kind == "unattained-infimum":
        return json.loads(opinion.text)["loss"]["kind"] == "logistic"
    if "wall" in steps:
        side = Fraction(steps["wall"].get("side", 0))
        level = Fraction(steps["wall"]["level"])
        low = mp.mpf(side.numerator) / side.denominator
        inside = opinion.f(opinion.points[goal["point"]]) < mp.mpf(level.numerator) / level.denominator
        return kind == "barrier" or (inside and opinion.f(other) < low)
    box = [[Fraction(v) for v in steps["basin"][key]] for key in ("lower", "upper")]
    if kind == "barrier":
        return any(not float(a) <= c <= float(b) for c, a, b in zip(other, *box, strict=True))
    rng = random.Random(4)
    inside = [
        [a + (b - a) * Fraction(rng.randrange(10**6), 10**6) for a, b in zip(*box, strict=True)] for _ in range(300)
    ]
    return all(opinion.f(other) < opinion.f([mp.mpf(v.numerator) / v.denominator for v in theta]) for theta in inside)
