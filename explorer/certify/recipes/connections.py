"""Descending and connecting paths of wide one-hidden-layer networks, on the data of known bad minima."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from explorer.certify.certificate import Instance
from explorer.certify.goals import certify
from explorer.certify.paths import connect, descend
from explorer.certify.recipes.sigmoid import bad_minimum
from explorer.point import Element, Ln2Ring, Point
from explorer.problem import Problem

F = Fraction


def _ln2(k: int) -> Element:
    return (F(0), F(k)) if k else (F(0),)


def down_from_bad_minimum(samples: int, width: int, *, bias: bool, source: str) -> Instance:
    """The sub-optimal local minimum of the sigmoid recipe, with a path from it along which F never rises, to F = 0."""
    made = bad_minimum(samples, width, bias=bias)
    slug = f"descent-sigmoid-n{samples}-w{width}" + ("-bias" if bias else "")
    problem = replace(made.problem, slug=slug, source=source)
    body = made.certificates[0][1].to_json()["points"]["p"]["coordinates"]
    point = Point(Ln2Ring(), tuple(tuple(F(c) for c in element) for element in body))
    bad = certify(problem, "local-minimum", at=point)
    return Instance(slug, problem, (("local-minimum", bad), ("descending-path", descend(problem, point))))


def sigmoid_swap(source: str) -> Instance:
    """Three sigmoid units, two samples: two global minima whose units stand in swapped places, joined at constant loss.

    x = (1, 3), y = (-8/3, 43/9): v sigma(w) with w = (0, ln 2), v = (-50, 67/2) interpolates (-25 + 67/3, -25 + 268/9).
    """
    problem = Problem.dense(
        widths=[1, 3, 1], activation="sigmoid", inputs=[1, 3], targets=[F(-8, 3), F(43, 9)],
        slug="connect-sigmoid-swap", source=source,
    )  # fmt: skip
    a = Point(Ln2Ring(), (_ln2(0), _ln2(1), _ln2(0), (F(-50),), (F(67, 2),), (F(0),)))
    b = Point(Ln2Ring(), (_ln2(1), _ln2(0), _ln2(0), (F(67, 2),), (F(-50),), (F(0),)))
    return _joined(problem, a, b)


def relu_swap(source: str) -> Instance:
    """ReLU, x = +-1, y = (1, 1): with two units the global minima fall apart, with three they are joined at loss 0."""
    problem = Problem.dense(
        widths=[1, 3, 1], activation="relu", inputs=[1, -1], targets=[1, 1], slug="connect-relu-swap", source=source
    )
    return _joined(problem, Point.rational([1, -1, 0, 1, 1, 0]), Point.rational([-1, 1, 0, 1, 1, 0]))


def quadratic_swap(source: str) -> Instance:
    """phi = t^2 with bias has only three independent features (1, x, x^2) for any number of samples: width 4 connects n = 5."""
    problem = Problem.dense(
        widths=[1, 4, 1], activation="square", bias=True, inputs=[-2, -1, 0, 1, 2], targets=[4, 1, 0, 1, 4],
        slug="connect-quadratic", source=source,
    )  # fmt: skip
    # x^2 = (x)^2 = ((x + 1)^2 + (x - 1)^2)/2 - 1 = ((x + 1)^2 + (x - 1)^2)/2 - (0 x + 1)^2
    a = Point.rational([1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])
    b = Point.rational([0, 1, 1, 0, 1, 1, -1, 0, -1, F(1, 2), F(1, 2), 0])
    return _joined(problem, a, b)


def _joined(problem: Problem, a: Point, b: Point) -> Instance:
    minima = [(f"global-minimum-{k}", certify(problem, "global-minimum", at=p)) for k, p in enumerate((a, b), 1)]
    return Instance(problem.slug, problem, (("bounded-path", connect(problem, a, b)), *minima))
