"""Certificates of symmetric critical points of student-teacher losses: rule ``symmetric-inertia``.

The last digits come from gradients over intervals, computed by the checker's own `Tied` (docs/certificate.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any

from explorer import checker
from explorer.certify.certificate import Certificate
from explorer.certify.encode import Step, assemble, number
from explorer.certify.values import bounds_step, rounded_out
from explorer.errors import NotCertifiable
from explorer.point import TaughtPoint, TiedPoint
from explorer.problem import Problem
from explorer.propose.tied import Shape, lower_bound


@dataclass(frozen=True)
class Symmetry(Shape):
    """A `Shape` with the steps that prove what was found there."""

    def polished(self, start: Sequence[Fraction], *, bits: int = 64) -> TiedPoint:
        """Newton's method in the scaled variables with gradients from intervals, until they are far below 2^-bits."""
        ring, places = checker.Intervals(checker.Meter(10**12)), 2 * bits + 24
        correction = self.correction(start)
        grid = [2 ** (places + floor(1 / s).bit_length()) for s in self.scale]
        centre = [Fraction(round(v * g), g) for v, g in zip(start, grid, strict=True)]
        for _ in range(24):
            tied = self.tied(ring, [ring.of(v) for v in centre])
            slopes = [sum(ring.ends(tied.slope(o))) / 2 / s for o, s in zip(self.orbits, self.scale, strict=True)]
            if max(map(abs, slopes)) < Fraction(1, 2 ** (bits + 12)):
                break
            centre = [
                Fraction(round((c + s * m) * g), g)
                for c, s, m, g in zip(centre, self.scale, correction(slopes), grid, strict=True)
            ]
        return TiedPoint(self.sizes, self.rows, self.columns, tuple(centre), tuple(self.scale), Fraction(1, 2**bits))

    def steps(self, point: TiedPoint, name: str = "p") -> list[Step]:
        """``symmetric-inertia`` and the value at the point; `NotCertifiable` where a sign cannot be decided."""
        ring = checker.Intervals(checker.Meter(10**12))
        scale = [ring.of(s) for s in self.scale]
        try:
            tied = self.tied(ring, [ring.of(v) for v in point.centre])
            block = [
                [sum(ring.ends(ring.mul(ring.mul(a, v), b))) / 2 for v, b in zip(row, scale, strict=True)]
                for row, a in zip(tied.trivial_block(), scale, strict=True)
            ]
            modulus = lower_bound(block)
            if modulus <= 0:
                raise NotCertifiable(name, expected="a minimum among the symmetric matrices", got="a saddle there")
            near = self.tied(
                ring, [_around(ring, v, point.radius * s) for v, s in zip(point.centre, self.scale, strict=True)]
            )
            inertia = checker.symmetric_inertia(near, scale, ring.of(modulus))
            slopes = [tied.slope(o) for o in self.orbits]
            low, high = ring.ends(tied.value())
        except checker.Rejected as error:
            raise NotCertifiable(name, expected="certain signs of all blocks of the Hessian", got=error.why) from None
        length = sum((max(map(abs, ring.ends(g))) / s) ** 2 for g, s in zip(slopes, self.scale, strict=True))
        return [
            {"rule": "symmetric-inertia", "point": name, "modulus": number(modulus), "inertia": list(inertia)},
            bounds_step(name, *rounded_out(low - length / modulus, high)),
        ]

    def certificate(self, problem: Problem, point: TiedPoint) -> Certificate:
        """``spurious-local-minimum`` of the point; the lower point is the teacher itself, where F = 0."""
        steps = self.steps(point)
        goal = {"kind": "spurious-local-minimum", "point": "p", "better": "q", "hypotheses": []}
        taught: list[Step] = [
            {"rule": "value", "point": "q", "value": "0"},
            {"rule": "below", "lower": "q", "upper": "p"},
        ]
        return assemble(problem, goal, {"p": point, "q": TaughtPoint()}, [*steps, *taught])

    def inertia_certificate(self, problem: Problem, point: TiedPoint) -> Certificate:
        """``critical-inertia`` of the point: also of saddles, if they are minima among the symmetric matrices."""
        goal = {"kind": "critical-inertia", "point": "p"}
        return assemble(problem, goal, {"p": point}, self.steps(point)[:1])

    def matrix(self, entries: Sequence[Any]) -> list[list[Any]]:
        """W in full, one row per student."""
        known = dict(zip(self.orbits, entries, strict=True))
        rows = [(r, a, x) for r, a in enumerate(self.rows) for x in range(self.sizes[a])]
        columns = [(c, b, x) for c, b in enumerate(self.columns) for x in range(self.sizes[b])]
        return [[known[r, c, a == b and x == y] for c, b, y in columns] for r, a, x in rows]


def _around(ring: Any, value: Fraction, radius: Fraction) -> Any:
    return ring.hull(ring.of(value - radius), ring.of(value + radius))
