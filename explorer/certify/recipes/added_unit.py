"""One exponential unit added to a network (Sun et al. 2020, eq. (7) and Theorem VI.1): what it does to local minima.

L(theta, a, w, b) = sum_i l_i(f_theta(x_i) + a exp(w.x_i + b)) + lambda a^2. a dL/da - dL/db = 2 lambda a^2 identically, so a = 0 at every
critical point, and at a local minimum all loss slopes vanish (docs/constructions/added-unit.md). So a loss without critical points, such as the logistic
one, has no local minimum at all, and with the squared loss every local minimum interpolates. Where a bad local minimum was,
a path now leads to infinity along which L falls to 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from explorer.certify.certificate import Certificate, Instance, accepted
from explorer.certify.encode import assemble
from explorer.certify.goals import certify
from explorer.certify.paths import escape_certificate
from explorer.paths.curves import EscapeCurve, Piece
from explorer.point import Point, RationalField
from explorer.problem import Problem

F = Fraction
LAMBDA = F(1, 2)  #: of exp_a, as in the survey


def network(*, widths: Sequence[int], inputs: Sequence[Any], targets: Sequence[Any], **options: Any) -> Problem:
    """A network with the added unit, of which only exp_a is regularized."""
    plain = Problem.dense(widths=widths, inputs=inputs, targets=targets, **options)
    weights = [F(0)] * len(plain.parameters) + [LAMBDA] + [F(0)] * (widths[0] + 1)
    return Problem.dense(
        widths=widths, inputs=inputs, targets=targets, added_exponential=True,
        regularizer={"kind": "l2", "weights": weights}, **options,
    )  # fmt: skip


def statement(problem: Problem) -> Certificate:
    """What the added unit means for all local minima: ``no-local-minimum`` (logistic loss) or ``local-minima-interpolate``."""
    assert problem.loss is not None
    kind = "no-local-minimum" if problem.loss.kind == "logistic" else "local-minima-interpolate"
    return accepted(assemble(problem, {"kind": kind}, {}, [{"rule": "added-unit"}]))


def no_minimum(source: str) -> tuple[Instance, ...]:
    """Separable data, logistic loss: part (i) of the theorem, that a local minimum exists, fails for a line and for ReLU units."""
    line = network(widths=[1, 1], inputs=[1, -2], targets=[1, -1], loss="logistic", slug="added-line", source=source)
    relu = network(
        widths=[1, 3, 1], activation="relu", bias=True, inputs=[-1, 0, 1], targets=[1, -1, 1], loss="logistic",
        slug="added-relu", source=source,
    )  # fmt: skip
    return tuple(Instance(p.slug, p, (("no-local-minimum", statement(p)),)) for p in (line, relu))


def interpolating(source: str) -> tuple[Instance, ...]:
    """Squared loss: every local minimum interpolates. A network that can do it, and one that cannot, f = theta x on (1, 1), (2, 1):
    there is no local minimum then, and F falls to 0 on a path to infinity."""
    able = network(widths=[1, 1], inputs=[1], targets=[1], slug="added-able", source=source)
    unable = network(widths=[1, 1], inputs=[1, 2], targets=[1, 1], slug="added-unable", source=source)
    at = Point.rational([1, 0, 0, 0])
    still: Piece = ((), (((F(1),), (-1, 0)),), (), (((F(1),), (0, 1)),))
    path = EscapeCurve(
        RationalField(), still, F(1), F(0), "theta = 0, exp_a = 1/t, exp_w = 0, exp_b = ln t: f = 1 everywhere"
    )
    return (
        Instance(
            able.slug,
            able,
            (("local-minima-interpolate", statement(able)), ("global-minimum", certify(able, "global-minimum", at=at))),
        ),
        Instance(
            unable.slug,
            unable,
            (
                ("local-minima-interpolate", statement(unable)),
                ("infimum-at-infinity", escape_certificate(unable, path, goal="infimum-at-infinity")),
            ),
        ),
    )


def limitation(source: str) -> tuple[Instance, ...]:
    """A dead ReLU unit, x = y = 1, (w, v) = (-1, 1): a bad local minimum, from which the added unit opens a path to infinity.

    exp_a = 1/t - 1/t^2, exp_b = ln t, from t = 1 (where both are 0) on: the output is 1 - 1/t, F = 1/t^2 + (1/t - 1/t^2)^2/2
    falls from 1 to 0 = inf F, and the unit stays dead.
    """
    plain = Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[1], targets=[1], slug="dead-unit", source=source)
    dead, alive = Point.rational([-1, 1]), Point.rational([1, 1])
    bad = certify(plain, "spurious-local-minimum", at=dead, better=alive)
    added = network(widths=[1, 1, 1], activation="relu", inputs=[1], targets=[1], slug="dead-unit-added", source=source)
    curve: Piece = (
        (((F(-1),), (0, 0)),),
        (((F(1),), (0, 0)),),
        (((F(-1),), (-2, 0)), ((F(1),), (-1, 0))),
        (),
        (((F(1),), (0, 1)),),
    )
    path = EscapeCurve(RationalField(), curve, F(1), F(0), "the added unit does the work, |exp_b| grows like ln t")
    way = escape_certificate(added, path, goal="infimum-at-infinity")
    return (
        Instance(plain.slug, plain, (("spurious-local-minimum", bad),)),
        Instance(added.slug, added, (("infimum-at-infinity", way), ("local-minima-interpolate", statement(added)))),
    )
