"""Branch and prune: sound arithmetic, complete lists, honest leftovers."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from enclosure_tools import REGULARISED, TABLE, found_by_chance, ridge
from mpmath import mp, mpf

from explorer.budget import Budget
from explorer.certify import certify
from explorer.errors import NotCertifiable, Unsupported
from explorer.point import EnclosedPoint
from explorer.problem import Problem
from explorer.solve.boxes import arrays as ia
from explorer.solve.boxes import enclosure
from explorer.solve.boxes.arrays import Range
from explorer.solve.boxes.enclosure import by_enclosure
from explorer.solve.boxes.leftovers import clusters
from explorer.solve.boxes.points import search
from explorer.solve.boxes.prune import outer_box, prune
from explorer.solve.boxes.tape import derivatives
from explorer.solve.critical import critical_set

# -- arithmetic --------------------------------------------------------------------------------------------------------

FUNCTIONS = {
    "exp": (ia.exp, mp.exp, 60),
    "sigmoid": (ia.sigmoid, lambda z: 1 / (1 + mp.exp(-z)), 60),
    "softplus": (ia.softplus, lambda z: mp.log(1 + mp.exp(z)), 60),
    "sin": (ia.sine, mp.sin, 5000),
    "cos": (ia.cosine, mp.cos, 5000),
    "erf": (ia.erf, mp.erf, 9),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_enclose_mpmath(name: str) -> None:
    """Random and awkward arguments against mpmath at 50 digits: no containment failure, and tight at points."""
    ours, theirs, size = FUNCTIONS[name]
    rng = np.random.default_rng(1)
    awkward = [
        0.0,
        5e-324,
        -1e-308,
        1e-16,
        -1e-8,
        1.0,
        np.pi,
        6.0,
        6.000001,
        -6.0,
        0.35,
        np.log(2) / 2,
        36.7,
        -36.7,
        59.9,
    ]
    x = np.concatenate(
        [rng.uniform(-size, size, 600), rng.normal(size=400) * 10.0 ** rng.uniform(-12, 1, 400), awkward]
    )
    x = x[np.abs(x) <= size]
    y = x + np.abs(rng.normal(size=x.shape)) * 10.0 ** rng.uniform(-9, 0, x.shape)
    points, wide = ours(Range(x, x)), ours(Range(x, y))
    with mp.workdps(50):
        for k in range(len(x)):
            for value in (theirs(mpf(x[k])), theirs(mpf(y[k])), theirs(mpf((x[k] + y[k]) / 2))):
                assert wide.lo[k] <= value <= wide.hi[k]
            value = theirs(mpf(x[k]))
            assert points.lo[k] <= value <= points.hi[k]
            assert points.hi[k] - points.lo[k] <= 3e-11 * (1 + abs(value))


def test_huge_and_undefined_arguments_prove_nothing() -> None:
    x = np.array([-1e308, -800.0, 800.0, 1e308, np.nan, np.inf])
    with np.errstate(all="ignore"):
        e, s, p = ia.exp(Range(x, x)), ia.sigmoid(Range(x, x)), ia.sine(Range(x, x))
        product = ia.mul(e, Range(np.zeros(6), np.zeros(6)))
    assert e.lo[0] == 0 < e.hi[0]
    assert e.hi[3] == np.inf > e.lo[3] > 1e300
    assert s.lo[0] == 0
    assert s.hi[3] == 1
    assert np.isnan([e.lo[4], s.lo[4], p.lo[3], p.lo[4], product.hi[3]]).all()  # comparisons with nan are false


def test_arithmetic_encloses_exact_rational_arithmetic() -> None:
    rng = random.Random(0)
    ends = [sorted(Fraction(rng.choice((1, 3, 10**6)) * rng.uniform(-1, 1)) for _ in range(4)) for _ in range(300)]
    a = Range(*(np.array([float(e[k]) for e in ends]) for k in (0, 2)))
    b = Range(*(np.array([float(e[k]) for e in ends]) for k in (1, 3)))
    inner = [(e[0] + (e[2] - e[0]) / 3, e[1] + (e[3] - e[1]) / 7) for e in ends]
    for ours, exact in (
        (ia.add(a, b), lambda u, v: u + v), (ia.sub(a, b), lambda u, v: u - v), (ia.mul(a, b), lambda u, v: u * v),
        (ia.square(a), lambda u, v: u * u), (ia.total([a, b, a]), lambda u, v: u + v + u),
    ):  # fmt: skip
        for k, (u, v) in enumerate(inner):
            assert Fraction(ours.lo[k]) <= exact(u, v) <= Fraction(ours.hi[k])


ACTIVATIONS = {
    "tanh": mp.tanh,
    "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
    "softplus": lambda z: mp.log(1 + mp.exp(z)),
    "swish": lambda z: z / (1 + mp.exp(-z)),
    "gelu": lambda z: z * (1 + mp.erf(z / mp.sqrt(2))) / 2,
    "erf": mp.erf,
    "sin": mp.sin,
    "exp": mp.exp,
    "cubic": lambda z: z**3,
}


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_gradients_and_hessians_hold_mpmath_derivatives(kind: str) -> None:
    """F = (v phi(w) - 1/2)^2 + (v phi(-2w) + 1/3)^2 + (v^2 + w^2)/20, differentiated numerically by mpmath."""
    phi = ACTIVATIONS[kind]
    problem = ridge(kind, [1, 1, 1], [1, -2], ["1/2", "-1/3"], "1/20")
    rng = np.random.default_rng(2)
    centre, half = rng.normal(size=(2, 8)), 10.0 ** rng.uniform(-6, 0, (2, 8))
    g, h = derivatives(problem, centre - half, centre + half, order=2)
    assert h is not None
    with mp.workdps(40):

        def loss(w: Any, v: Any) -> Any:
            return (v * phi(w) - mpf(1) / 2) ** 2 + (v * phi(-2 * w) + mpf(1) / 3) ** 2 + (w * w + v * v) / 20

        for n in range(8):
            at = [mpf(centre[k, n]) + mpf(half[k, n]) * mpf(rng.uniform(-0.999, 0.999)) for k in range(2)]
            for order, low, high in (
                ((1, 0), g.lo[0, n], g.hi[0, n]), ((0, 1), g.lo[1, n], g.hi[1, n]),
                ((2, 0), h.lo[0, 0, n], h.hi[0, 0, n]), ((1, 1), h.lo[0, 1, n], h.hi[0, 1, n]),
            ):  # fmt: skip
                assert low - 1e-9 <= mp.diff(loss, tuple(at), order) <= high + 1e-9


# -- complete lists ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REGULARISED)
def test_complete_lists_agree_with_random_search_and_morse_theory(name: str) -> None:
    problem = REGULARISED[name]
    found = critical_set(problem, budget=Budget(60))
    assert found.coverage.complete, found.coverage.reason
    assert found.coverage.method == "branch and prune"
    assert found.morse_sum == 1  # Euler characteristic of R^d, F coercive
    assert found.real_points == found_by_chance(problem)
    assert found.global_value is not None


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("tanh 1-3-1", marks=pytest.mark.slow),
        *[pytest.param(name, marks=pytest.mark.nightly) for name in TABLE if name != "tanh 1-3-1"],
    ],
)
def test_networks_of_four_and_six_parameters(name: str) -> None:
    """Counts equal to random starts in an implementation of its own, and Morse's sum 1."""
    found = by_enclosure(TABLE[name], Budget(300).start())
    assert found.coverage.complete, found.coverage.reason
    assert found.morse_sum == 1
    assert found.real_points == found_by_chance(TABLE[name], 600 if name == "tanh 1-3-1" else 2000)


def test_degenerate_families_end_as_undecided_boxes() -> None:
    """(1 - xy)^2 + z^2 is 0 on a hyperbola: the box search says where it could not decide, and stops."""
    curve = Problem.monomial(["x", "y", "z"], {(0, 0, 0): 1, (1, 1, 0): -2, (2, 2, 0): 1, (0, 0, 2): 1})
    found = critical_set(curve, box=EnclosedPoint((Fraction(-2),) * 3, (Fraction(2),) * 3), budget=Budget(30))
    assert not found.coverage.complete
    assert "undecided boxes" in found.coverage.reason
    assert found.coverage.box == "[-2, 2] x [-2, 2] x [-2, 2]"
    assert found.by_index == {"1": 1}  # the origin: Hessian [[0, -2], [-2, 0]] and 2
    with pytest.raises(NotCertifiable, match="undecided"):
        certify(curve, "critical-points-in-box", at=EnclosedPoint((Fraction(-2),) * 3, (Fraction(2),) * 3))


def test_a_degenerate_point_is_not_dropped() -> None:
    """(x^2 - 2)^4 has one critical point in [1, 2], of nullity 1, and irrational: undecided, and near sqrt 2."""
    quartic = Problem.monomial(["x"], {(8,): 1, (6,): -8, (4,): 24, (2,): -32, (0,): 16})
    found = critical_set(quartic, box=EnclosedPoint((Fraction(1),), (Fraction(2),)))
    assert not found.coverage.complete
    assert not found.components
    assert "undecided boxes in 1 group" in found.coverage.reason
    assert "[1.414" in found.coverage.reason
    assert "numerically a Hessian of nullity 1" in found.coverage.reason


def test_undecided_boxes_speak_of_their_images() -> None:
    """Where a limit stops the search, what is left is left in the half that is looked at and in its images."""
    problem = REGULARISED["tanh two units"]
    where = enclosure.Region.everywhere(problem)
    box = outer_box(where.lower, where.upper)
    points = search(problem, where.lower, where.upper, Budget(60).start())
    run = prune(problem, box, [], Budget(60).start(), mirrors=points.mirrors, depths=(2, 3))
    found = enclosure._assembled(problem, where, points, run, clusters(points.tape, *run.rest, box[1]))
    assert run.undecided
    assert not found.coverage.complete
    assert "images of these under the symmetries" in found.coverage.reason


def test_without_a_radius_the_answer_says_so() -> None:
    free = Problem.dense(widths=[1, 2, 1], activation="swish", inputs=[1, 2], targets=[1, -1], bias=True)
    found = critical_set(free)
    assert not found.components
    assert "a-priori radius" in found.coverage.reason
    with pytest.raises(Unsupported, match="radius"):
        certify(free, "critical-points-complete")


def test_the_budget_stops_the_search() -> None:
    slow = ridge("tanh", [1, 3, 1], [1, 2, 3], [1, -1, 1], "1/1000")
    found = critical_set(slow, budget=Budget(1))
    assert not found.coverage.complete
    assert "spent" in found.coverage.reason


@pytest.mark.parametrize("name", ["swish bias", "logistic tanh"])
def test_complete_lists_are_verified(name: str) -> None:
    certificate = certify(REGULARISED[name], "critical-points-complete")
    fact = certificate.check().fact
    assert fact.startswith("F has exactly 3 critical points, all nondegenerate: 2 of index 0, 1 of index 1")


# (activation, inputs, targets, weight) -> kinds of the critical points besides and at the origin, by hand: for x > 0 a relu unit is
# linear on w > 0, with v = w = s, sum x (y - s^2 x) = weight; dead for w < 0. H(s) = -2 sum y phi(s x) against 2 weight.
KINKED = [
    ("relu", [1], [2], "1/2", ["strict minimum"], "saddle"),  # s^2 = 3/2, H = -4 and 1
    ("relu", [1], [2], "3", [], "strict minimum"),  # 2 - s^2 = 3 has no solution
    (
        "relu",
        [1, -1, 2],
        [2, 1, 1],
        "1/2",
        ["strict minimum", "strict minimum"],
        "saddle",
    ),  # s^2 = 7/10; on w < 0 s^2 = 1/2
]


@pytest.mark.parametrize(("kind", "inputs", "targets", "weight", "others", "origin"), KINKED)
def test_one_relu_unit_with_ridge_completely(
    kind: str, inputs: Any, targets: Any, weight: str, others: list[str], origin: str
) -> None:
    problem = ridge(kind, [1, 1, 1], inputs, targets, weight)
    found = by_enclosure(problem, Budget(30).start())
    assert found.coverage.complete
    at_origin = [c for c in found.components if "origin" in c.description]
    assert [c.kind.value for c in at_origin] == [origin]
    assert sorted(c.kind.value for c in found.components if c not in at_origin) == others
    assert "besides the origin" in certify(problem, "critical-points-complete").check().fact
