"""Critical points in a box: floating Newton proposes, Krawczyk's test in ball arithmetic proves, in boxes as wide as it allows.

Wide boxes matter: branch and prune has to come down to their size around every critical point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from typing import cast

import flint
import numpy as np

from explorer.algebra.balls import ball, round_dyadic
from explorer.algebra.inertia import PRECISION, BoxInertia, inertia_in_box
from explorer.algebra.krawczyk import KrawczykProof, prove_box, prove_root
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline
from explorer.errors import BudgetExceeded, Unsupported
from explorer.point import EnclosedPoint, Inertia
from explorer.problem import Problem
from explorer.solve.boxes.arrays import Array
from explorer.solve.boxes.balls import AnalyticGradient
from explorer.solve.boxes.dead_line import Line
from explorer.solve.boxes.kinks import Origin, origin
from explorer.solve.boxes.mirror import Move, moves
from explorer.solve.boxes.prune import Box, inner_box
from explorer.solve.boxes.singular import Singular, singular_point
from explorer.solve.boxes.tape import Tape

STARTS, STEPS, MORE_STEPS = 512, 50, 12
WIDEST, NARROWEST = 1, 30  #: half-widths 2^-k of the boxes that are tried


@dataclass(frozen=True)
class Certified:
    """The only critical point in ``wide`` lies in ``narrow``; over ``wide`` the Hessian is regular with this inertia."""

    narrow: EnclosedPoint
    wide: EnclosedPoint
    inertia: Inertia


@dataclass
class Points:
    """The certified critical points of a problem in a region, found one after the other."""

    problem: Problem
    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]
    deadline: Deadline
    #: a further condition on wide boxes (a certificate's writer asks the checker)
    accept: Callable[[EnclosedPoint], bool] = lambda box: True
    #: what is known of the origin on the kinks of relu-like units
    origin: Origin | None = None
    widest: int = WIDEST
    found: list[Certified] = field(default_factory=list)
    #: degenerate critical points, each alone in a box
    singular: list[Singular] = field(default_factory=list)
    #: a line of critical points, with boxes around it
    line: Line | None = None

    @property
    def singular_boxes(self) -> list[tuple[list[Fraction], list[Fraction]]]:
        return [([v - s.half for v in at], [v + s.half for v in at]) for s in self.singular for at in s.places]

    def settle(self, candidates: Sequence[Sequence[Fraction]]) -> bool:
        """Whether one of the rational points, or several, are degenerate critical points, alone in a box; they are kept then."""
        known = len(self.singular)
        for at in candidates:
            inside = all(a < v < b for a, v, b in zip(self.lower, at, self.upper, strict=True))
            if not inside or any(tuple(at) in s.places for s in self.singular):
                continue
            try:
                new = singular_point(self.problem, at, self.mirrors, self.deadline)
            except BudgetExceeded:  # the search says so itself
                break
            self.singular += [] if new is None else [new]
        return len(self.singular) > known

    @cached_property
    def mirrors(self) -> tuple[Move, ...]:
        return moves(self.problem, self.lower, self.upper)

    @cached_property
    def tape(self) -> Tape:
        return Tape.of(self.problem)

    def discover(self, starts: Array) -> list[Box]:
        """New known boxes around limits of Newton's method from the columns of ``starts``."""
        lo, hi = inner_box(self.lower, self.upper)
        known = [inner_box(c.wide.lower, c.wide.upper) for c in self.found]
        try:
            limits = limits_of_newton(self.tape, starts, lo, hi, self.deadline, steps=MORE_STEPS)
        except BudgetExceeded:  # the search for which this is says so itself, and keeps what it has
            return []
        new = [x for x in limits if not any(((a <= x) & (x <= b)).all() for a, b in known)]
        return [box for x in new for box in self.propose(x)]

    def propose(self, near: Array) -> list[Box]:
        """Certify a critical point near a float point, and its images under the symmetries; their wide boxes rounded inward if it is new."""
        system = cast(PolynomialSystem, AnalyticGradient(self.problem, across=True))
        try:
            proof = prove_root(system, [Fraction(float_value) for float_value in near.tolist()])
        except Unsupported:  # across a break of an activation
            return []
        if not isinstance(proof, KrawczykProof):
            return []
        narrow = proof.point
        inside = zip(self.lower, narrow.lower, narrow.upper, self.upper, strict=True)
        if not all(a < x and y < b for a, x, y, b in inside):
            return []
        if any(_meet(narrow, c.wide) for c in self.found):  # either known, or too near to tell: the known one stands
            return []
        new = self._widest(narrow)
        self.found += new
        return [inner_box(c.wide.lower, c.wide.upper) for c in new]

    def _widest(self, narrow: EnclosedPoint) -> list[Certified]:
        system = cast(PolynomialSystem, AnalyticGradient(self.problem, across=True))
        for k in range(self.widest, NARROWEST):
            half = Fraction(1, 2**k)
            middle = [round_dyadic(v, k + 6) for v in narrow.centre]
            wide = EnclosedPoint(tuple(v - half for v in middle), tuple(v + half for v in middle))
            region = zip(self.lower, wide.lower, wide.upper, self.upper, strict=True)
            if not all(a <= x and y <= b for a, x, y, b in region):
                continue
            images = self._images(narrow, wide)
            if any(_meet(image, c.wide) for _, image in images for c in self.found):
                continue
            if any(_meet(a, b) for (_, a), (_, b) in combinations(images, 2)):
                continue
            try:
                proof = prove_box(system, wide)
                at = _inertia(system, wide) if isinstance(proof, KrawczykProof) else None
                if at is not None and self.accept(wide):
                    return [Certified(near, box, at) for near, box in images]
            except Unsupported:
                continue
        return []

    def _images(self, narrow: EnclosedPoint, wide: EnclosedPoint) -> list[tuple[EnclosedPoint, EnclosedPoint]]:
        """All images of the two boxes under the symmetries, told apart by the wide one."""
        out = [(narrow, wide)]
        for near, box in out:  # grows on the way
            for move in self.mirrors:
                image = EnclosedPoint(*move.image(box.lower, box.upper))
                if all(image != known for _, known in out):
                    out.append((EnclosedPoint(*move.image(near.lower, near.upper)), image))
        return out


def search(
    problem: Problem,
    lower: Sequence[Fraction],
    upper: Sequence[Fraction],
    deadline: Deadline,
    *,
    accept: Callable[[EnclosedPoint], bool] = lambda box: True,
    widest: int = WIDEST,
    line: Line | None = None,
) -> Points:
    """Certified critical points that Newton's method finds from fixed pseudo-random starts in the region."""
    points = Points(problem, tuple(lower), tuple(upper), deadline, accept, origin(problem), widest, line=line)
    lo, hi = inner_box(lower, upper)
    random = np.random.default_rng(0)
    x = lo[:, None] + (hi - lo)[:, None] * random.random((len(lo), STARTS))
    x[:, 0] = np.clip(0, lo, hi)
    if points.origin is None and line is None:
        points.settle([[Fraction(0)] * len(lower)])
    for near in limits_of_newton(points.tape, x, lo, hi, deadline):
        deadline.check("certifying critical points")
        if line is None or not line.near(near.tolist()):
            points.propose(near)
    return points


def limits_of_newton(
    tape: Tape, x: Array, lo: Array, hi: Array, deadline: Deadline, *, steps: int = STEPS
) -> list[Array]:
    """Limits of damped Newton iterations, each once (up to the square root of the precision), as proposals."""
    d = len(lo)
    width = (hi - lo)[:, None]
    step = np.broadcast_to(width, x.shape)
    with np.errstate(all="ignore"):
        for _ in range(steps):
            deadline.check("looking for critical points")
            g, h = tape.derivatives(x, x, order=2)
            assert h is not None
            matrix, slope = np.moveaxis(h.mid, -1, 0), np.moveaxis(g.mid, -1, 0)
            good = np.isfinite(matrix).all(axis=(1, 2)) & np.isfinite(slope).all(axis=1)
            matrix, slope, x = matrix[good], slope[good], x[:, good]
            matrix = matrix + np.ldexp(np.abs(matrix).max(initial=0), -40) * np.eye(d) + np.ldexp(1, -400) * np.eye(d)
            try:
                step = np.linalg.solve(matrix, slope[..., None])[..., 0].T
            except np.linalg.LinAlgError:
                break
            step = np.clip(np.nan_to_num(step), -width / 8, width / 8)
            x = x - step
            near = ((x > lo[:, None] - width) & (x < hi[:, None] + width)).all(axis=0)
            x, step = x[:, near], step[:, near]
            if not x.shape[1]:
                return []
        last = np.abs(step).max(axis=0) if step.shape[1] == x.shape[1] else np.zeros(x.shape[1])
    x = x[:, last < np.ldexp(1, -20)]
    x = x[:, ((x >= lo[:, None]) & (x <= hi[:, None])).all(axis=0)]
    keys = np.rint(np.ldexp(x, 16)).astype(np.int64)
    _, first = np.unique(keys, axis=1, return_index=True)
    out: list[Array] = []
    for n in sorted(first.tolist()):
        if not any(np.abs(x[:, n] - other).max() < np.ldexp(1, -14) for other in out):
            out.append(x[:, n])
    return out[:512]


def _inertia(system: PolynomialSystem, box: EnclosedPoint) -> Inertia | None:
    with flint.ctx.workprec(PRECISION):
        balls = [ball(a, b) for a, b in zip(box.lower, box.upper, strict=True)]
        found = inertia_in_box(system.jacobian_at_balls(balls))
    return found.inertia if isinstance(found, BoxInertia) else None


def _meet(a: EnclosedPoint, b: EnclosedPoint) -> bool:
    return all(x <= v and u <= y for x, y, u, v in zip(a.lower, a.upper, b.lower, b.upper, strict=True))
