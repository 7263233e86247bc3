"""Toy losses with families of critical points, against hand derivations and against brute force on rational grids.

Every expected list below was derived by hand from the gradient written in the comment. The loss and its gradient are
written out again here as plain Python functions, so that membership on the grid and the signs near each sample do not
come from the code under test.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from fractions import Fraction as Q

import pytest

from explorer.budget import Budget
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.results import Component, CriticalSet, Kind


def chain(depth: int) -> Problem:
    return Problem.dense(widths=[1] * (depth + 1), inputs=[1], targets=[1])


def neuron(coefficients: list[str]) -> Problem:
    return Problem.dense(widths=[1, 1, 1], activation="polynomial", coefficients=coefficients, inputs=[1], targets=[1])


# name -> (problem, F, grad F, hand-derived multiset of (dimension, kind, value, global))
CASES = {
    # grad = -2 (1 - v w) (v, w): zero on v w = 1 (two branches, F = 0) and at the origin, Hessian [[0, -2], [-2, 0]]
    "vw": (
        chain(2),
        lambda w, v: (1 - v * w) ** 2,
        lambda w, v: (-2 * (1 - v * w) * v, -2 * (1 - v * w) * w),
        [(1, "minimum", 0, True)] * 2 + [(0, "strict saddle", 1, False)],
    ),
    # grad = -2 (1 - xyz) (yz, xz, xy): four sheets of xyz = 1; two of x, y, z zero: six rays with Hessian block
    # [[0, -2c], [-2c, 0]], and the origin, where F = 1 - 2xyz + ... takes values on both sides of 1
    "xyz": (
        chain(3),
        lambda x, y, z: (1 - x * y * z) ** 2,
        lambda x, y, z: tuple(-2 * (1 - x * y * z) * q for q in (y * z, x * z, x * y)),
        [(2, "minimum", 0, True)] * 4 + [(1, "strict saddle", 1, False)] * 6 + [(0, "saddle", 1, False)],
    ),
    # F = (1 + v (w-1)^2 / 8)^2; grad = (v (w-1)/2, (w-1)^2/4) (1 + v (w-1)^2/8): the curve v (w-1)^2 = -8 (two branches)
    # and the line w = 1, where F = 1 + v (w-1)^2/4 + ...: minima for v > 0, maxima for v < 0, a saddle at v = 0
    "fig2": (
        neuron(["-1/8", "1/4", "-1/8"]),
        lambda w, v: (1 + v * (w - 1) ** 2 / 8) ** 2,
        lambda w, v: tuple(q * (1 + v * (w - 1) ** 2 / 8) for q in (v * (w - 1) / 2, (w - 1) ** 2 / 4)),
        [(1, "minimum", 0, True)] * 2 + [(1, "minimum", 1, False), (1, "maximum", 1, False), (0, "saddle", 1, False)],
    ),
    # F = (1 - v w^2)^2: v w^2 = 1 (two branches), and the line w = 0 with F = 1 - 2 v w^2 + ...: minima for v < 0
    "neuron-square": (
        neuron(["0", "0", "1"]),
        lambda w, v: (1 - v * w**2) ** 2,
        lambda w, v: (-4 * v * w * (1 - v * w**2), -2 * w**2 * (1 - v * w**2)),
        [(1, "minimum", 0, True)] * 2 + [(1, "minimum", 1, False), (1, "maximum", 1, False), (0, "saddle", 1, False)],
    ),
    # F = (1 - v (w^2 + 1))^2: dF/dv = -2 (w^2 + 1)(...) forces v = 1/(w^2 + 1), one branch, F = 0
    "neuron-square-plus-one": (
        neuron(["1", "0", "1"]),
        lambda w, v: (1 - v * (w**2 + 1)) ** 2,
        lambda w, v: (-4 * v * w * (1 - v * (w**2 + 1)), -2 * (w**2 + 1) * (1 - v * (w**2 + 1))),
        [(1, "minimum", 0, True)],
    ),
    # F = (1 - s)^2, s = v1 w1^2 + v2 w2^2: s = 1 (listed as w1 < 0, w1 > 0 and the two pieces of v2 w2^2 = 1 on w1 = 0), and
    # the plane w = 0 with F = 1 - 2 s + ...: quadrants of v (both < 0: minima, both > 0: maxima, mixed: Hessian of both
    # signs), and on the axes and at the origin s takes both signs nearby
    "two-squares": (
        Problem.dense(widths=[1, 2, 1], activation="square", inputs=[1], targets=[1]),
        lambda w1, w2, v1, v2: (1 - v1 * w1**2 - v2 * w2**2) ** 2,
        lambda w1, w2, v1, v2: tuple(
            -2 * (1 - v1 * w1**2 - v2 * w2**2) * q for q in (2 * v1 * w1, 2 * v2 * w2, w1**2, w2**2)
        ),
        [(3, "minimum", 0, True)] * 2
        + [(2, "minimum", 0, True)] * 2
        + [(2, "minimum", 1, False), (2, "maximum", 1, False)]
        + [(2, "strict saddle", 1, False)] * 2
        + [(1, "saddle", 1, False)] * 4
        + [(0, "saddle", 1, False)],
    ),
    # F = y^2 (x^2 - 2); grad = (2 x y^2, 2 y (x^2 - 2)): the line y = 0, cut at x = +-sqrt 2 where F = 2 sqrt2 h y^2 + ...
    "parabolas": (
        Problem.monomial(["x", "y"], {(2, 2): 1, (0, 2): -2}),
        lambda x, y: y**2 * (x**2 - 2),
        lambda x, y: (2 * x * y**2, 2 * y * (x**2 - 2)),
        [(1, "minimum", 0, None)] * 2 + [(1, "maximum", 0, None)] + [(0, "saddle", 0, False)] * 2,
    ),
}
SMALL = {name: case for name, case in CASES.items() if name != "parabolas"}  # its special points are irrational


@pytest.fixture(scope="module", params=CASES)
def solved(request: pytest.FixtureRequest) -> tuple[str, CriticalSet]:
    return request.param, critical_set(CASES[request.param][0], budget=Budget(60))


def test_the_hand_derived_list(solved: tuple[str, CriticalSet]) -> None:
    name, found = solved
    assert found.coverage.complete, found.coverage.reason
    listed = [(c.dimension, c.kind.value, c.value.as_fraction, c.is_global) for c in found.components]
    assert Counter(listed) == Counter(CASES[name][3])


def test_only_isolated_points_are_counted(solved: tuple[str, CriticalSet]) -> None:
    name, found = solved
    # by hand: among these losses only (1 - v w)^2 has an isolated critical point, the origin, of index 1
    assert found.real_points == (1 if name == "vw" else 0)
    assert found.by_index == ({"1": 1} if name == "vw" else {})
    assert found.morse_sum is None


def satisfies(component: Component, names: tuple[str, ...], point: tuple[Q, ...]) -> bool:
    """Whether a rational point meets the printed equations and inequalities of a component."""
    at = dict(zip(names, point, strict=True))
    for text in component.equations:
        number = re.sub(r"(?<![\w^])(\d+)(?!\w)", r"Q(\1)", text.replace("^", "**").replace(" = ", " == "))
        if not eval(number, {"Q": Q}, at):
            return False
    return True


@pytest.mark.parametrize("name", SMALL)
def test_every_critical_grid_point_is_in_exactly_one_component(name: str) -> None:
    problem, _, gradient, _ = CASES[name]
    found = critical_set(problem)
    reach = {2: (32, 4), 3: (4, 2), 4: (2, 1)}[len(problem.parameters)]
    steps = [Q(k, reach[1]) for k in range(-reach[0], reach[0] + 1)]
    critical = 0
    for point in itertools.product(steps, repeat=len(problem.parameters)):
        hits = [c for c in found.components if satisfies(c, problem.parameters, point)]
        is_critical = not any(gradient(*point))
        critical += is_critical
        assert len(hits) == int(is_critical), (point, [c.equations for c in hits])
    assert critical >= 3  # by hand for v = 1/(w^2 + 1): w = 0, -1, 1; the others have more


@pytest.mark.parametrize("name", SMALL)
def test_kinds_against_signs_of_F_near_the_samples(name: str) -> None:
    problem, loss, gradient, _ = CASES[name]
    for c in critical_set(problem).components:
        sample = tuple(x[0] for x in c.sample.coordinates)
        assert not any(gradient(*sample))
        assert loss(*sample) == c.value.as_fraction
        signs = set()
        for r in (Q(1, 50), Q(1, 400)):
            for step in itertools.product((-2, -1, 0, 1, 2), repeat=len(sample)):
                change = loss(*(x + r * s for x, s in zip(sample, step, strict=True))) - loss(*sample)
                signs.add((change > 0) - (change < 0))
        assert (-1 in signs) == (c.kind in (Kind.SADDLE, Kind.STRICT_SADDLE, Kind.MAXIMUM)), (c.sample, signs)
        assert (1 in signs) == (c.kind in (Kind.SADDLE, Kind.STRICT_SADDLE, Kind.MINIMUM)), (c.sample, signs)


def test_special_points_in_a_number_field() -> None:
    found = critical_set(CASES["parabolas"][0])
    points = [c.to_json(("x", "y"))["sample"]["x"]["exact"] for c in found.components if c.dimension == 0]
    assert [p["polynomial"] for p in points] == [["-2", "0", "1"]] * 2


def test_evidence_is_a_family_through_the_sample() -> None:
    found = critical_set(CASES["fig2"][0])
    (spurious,) = found.spurious
    family = spurious.evidence.morse_bott
    assert family is not None
    # the line w = 1: (w, v) = (1, t) at t = the sample's v
    assert family.coordinates[0] == (((Q(1),), (0,)),)
    assert family.coordinates[1] == (((Q(1),), (1,)),)
    assert family.at == (spurious.sample.coordinates[1],)


def test_budget_is_an_answer_not_an_error() -> None:
    found = critical_set(
        Problem.dense(widths=[2, 3, 2], inputs=[[1, 0], [1, 1]], targets=[[1, 2], [2, 1]]), budget=Budget(1)
    )
    assert isinstance(found, CriticalSet)
    if not found.coverage.complete:
        assert found.coverage.reason


def test_an_analytic_loss_says_that_no_method_applies() -> None:
    found = critical_set(Problem.dense(widths=[1, 1, 1], activation="gelu", inputs=[1], targets=[1]))
    assert not found.coverage.complete
    assert "gelu" in found.coverage.reason
    assert found.components == ()
