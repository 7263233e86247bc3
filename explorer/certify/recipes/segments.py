"""Losses on a segment and on a plane slice of parameter space: literal readings of Conjectures V.1 and V.2 that fail.

V.1 says that F_(theta_0, theta*)(alpha) = F(alpha theta_0 + (1 - alpha) theta*) is strictly decreasing on [0, 1] "under certain
conditions". As printed alpha = 0 is theta*, so every successful run violates it; with the orientation repaired, gradient descent
on (v w - 1)^2 with step 1/4 goes from (2, 2) to the minimum (-1, -1) in one step (gradient (12, 12)), and along the segment F takes the
values 9, 0, 1, 0 at 0, 1/3, 2/3, 1. Only the unconditional statement is refuted, the conditions being unspecified.

V.2 (first half): in wide networks every plane slice through a global minimum has no sub-optimal basin. The linear network with
three hidden units, inputs (1, 0), (0, 1) and targets -13/4, 0 is followed along two directions: with z = 1 + a + i (5/2 + b) the outputs are the real and
imaginary part of z^2 + 2 conj(z), and F = |z^2 + 2 conj(z) + 13/4|^2 has a strict local minimum at z = -1. Units padded with zeros make
the same slice at every larger width. Statements "for random directions, with high probability" are not touched.
(Sun et al. 2020, section V.)
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import TypeAlias

from explorer.certify.certificate import Instance
from explorer.certify.goals import certify
from explorer.errors import NotCertifiable
from explorer.point import Point
from explorer.problem import Problem


def interpolation(*, source: str) -> Instance:
    """F rises along the segment from the start to the limit of gradient descent, and is not decreasing as printed."""
    problem = Problem.dense(
        widths=[1, 1, 1], activation="linear", inputs=[1], targets=[1], slug="segment-vw", source=source
    )
    start, third, two_thirds, limit = (Point.rational([c, c]) for c in (2, 1, 0, -1))
    return Instance(
        problem.slug,
        problem,
        (
            ("rises-on-the-segment", certify(problem, "not-global", at=two_thirds, better=third)),
            ("limit-is-lower", certify(problem, "not-global", at=start, better=limit)),
            ("limit-is-global", certify(problem, "global-minimum", at=limit)),
        ),
    )


#: rows (v; w_1, w_2) of three hidden units: the global minimum and two directions
CENTRE = (("1", "1", "5"), ("5/2", "-5/2", "0"), ("1", "2", "-5"))
FIRST = ((1, 1, 0), (0, 0, 0), (0, 2, 0))
SECOND = ((0, 0, 2), (1, -1, 0), (0, 0, -2))
TARGETS = (Fraction(-13, 4), Fraction(0))


def plane_slice(width: int = 3, *, source: str) -> tuple[Instance, ...]:
    """The network with its global minimum, and its slice as a polynomial with a certified sub-optimal strict minimum."""
    if width < 3:
        raise NotCertifiable("plane slice", expected="width >= 3", got=str(width))
    rows = [
        [tuple(Fraction(v) for v in e) for e in zip(*triple, strict=True)]
        for triple in zip(CENTRE, FIRST, SECOND, strict=True)
    ]
    rows += [[(Fraction(0),) * 3] * 3] * (width - 3)
    network = Problem.dense(
        widths=[2, width, 1],
        activation="linear",
        inputs=[[1, 0], [0, 1]],
        targets=list(TARGETS),
        slug=f"slice-network-w{width}",
        source=source,
    )
    centre = Point.rational([*(e[0] for row in rows for e in row[1:]), *(row[0][0] for row in rows)])
    sliced = Problem.monomial(["a", "b"], dict(_slice(rows)), slug=f"slice-w{width}", source=source)
    low, bad = Point.rational([0, 0]), Point.rational([-2, Fraction(-5, 2)])
    return (
        Instance(network.slug, network, (("global-minimum", certify(network, "global-minimum", at=centre)),)),
        Instance(
            sliced.slug,
            sliced,
            (
                ("strict-local-minimum", certify(sliced, "strict-local-minimum", at=bad)),
                ("not-global", certify(sliced, "not-global", at=bad, better=low)),
            ),
        ),
    )


Terms: TypeAlias = dict[tuple[int, ...], Fraction]


def _slice(rows: Sequence[Sequence[tuple[Fraction, ...]]]) -> Terms:
    """sum_i (sum_j v_j w_ji - y_i)^2 with v_j, w_ji affine in (a, b), each given as (constant, a, b)."""
    exponents = ((0, 0), (1, 0), (0, 1))
    total: Terms = {}
    for i, y in enumerate(TARGETS):
        out: Terms = {(0, 0): -y}
        for row in rows:
            out = _plus(
                out, _times(dict(zip(exponents, row[0], strict=True)), dict(zip(exponents, row[1 + i], strict=True)))
            )
        total = _plus(total, _times(out, out))
    return {e: c for e, c in total.items() if c}


def _plus(p: Terms, q: Terms) -> Terms:
    return {e: p.get(e, Fraction(0)) + q.get(e, Fraction(0)) for e in {*p, *q}}


def _times(p: Terms, q: Terms) -> Terms:
    out: Terms = {}
    for (e, c), (f, d) in product(p.items(), q.items()):
        key = (e[0] + f[0], e[1] + f[1])
        out[key] = out.get(key, Fraction(0)) + c * d
    return out
