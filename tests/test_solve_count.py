"""Numbers of complex critical points: published counts of generic members, and counts by hand.

The published numbers (chains A3 to A6: 5, 17, ... are k-fold products; 2-1-2: 17 and so on) are those that Singular and Macaulay2 give for
the whole gradient systems; here only the reduced ones are counted.
"""

from __future__ import annotations

import itertools
import random
from fractions import Fraction as F

import pytest

from explorer.algebra.groebner import quick_count
from explorer.algebra.msolve import find_msolve
from explorer.algebra.parametrization import Dimension
from explorer.algebra.quotient import Vanishes
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Budget
from explorer.errors import BudgetExceeded, Unsupported
from explorer.problem import Problem
from explorer.solve import count as counting
from explorer.solve.count import complex_count
from explorer.solve.critical import critical_set

needs_msolve = pytest.mark.skipif(find_msolve() is None, reason="needs the msolve program")


def generic(widths, activation="linear", samples=5, *, bias=False, seed=1):
    """Random data with one decimal and different ridge weights; samples 1: x = y = 1."""
    rng = random.Random(f"{widths}/{activation}/{seed}")
    size = sum(a * b for a, b in itertools.pairwise(widths)) + (sum(widths[1:-1]) if bias else 0)

    def rows(n):
        return [[F(round(10 * rng.gauss(0, 1)), 10) for _ in range(n)] for _ in range(samples)]

    return Problem.dense(
        widths=list(widths),
        activation=activation,
        inputs=[[1]] if samples == 1 else rows(widths[0]),
        targets=[[1]] if samples == 1 else rows(widths[-1]),
        bias=[bias] * (len(widths) - 2) + [False],
        regularizer={"kind": "l2", "weights": [F(k, 100) for k in rng.sample(range(1, 100), size)]},
    )


#: widths, activation, samples, the published number
EXACT = [
    ((1, 1, 1), "linear", 1, 5),
    ((1, 1, 1, 1), "linear", 1, 17),
    ((1, 1, 1, 1, 1), "linear", 1, 49),
    ((1, 1, 1, 1, 1, 1), "linear", 1, 129),
    ((1, 1, 1, 1, 1, 1, 1), "linear", 1, 321),
    ((2, 1, 2), "linear", 5, 17),
    ((2, 2, 1), "linear", 5, 33),
    ((1, 2, 2, 1), "linear", 5, 129),
    ((1, 3, 1), "square", 3, 105),
    ((1, 2, 1), "cubic", 3, 73),
]
MODULAR = [
    ((3, 1, 3), "linear", 5, False, 37),
    ((2, 1, 1, 2), "linear", 5, False, 81),
    ((2, 2, 2), "linear", 5, False, 225),
    ((2, 2, 1), "square", 3, False, 481),
    ((1, 1, 1), "cubic", 3, True, 73),
]


@pytest.mark.parametrize(("widths", "activation", "samples", "number"), EXACT, ids=str)
def test_published_numbers_exactly(widths, activation, samples, number, monkeypatch):
    monkeypatch.setenv("EXPLORER_MSOLVE", "")  # nothing here needs msolve
    found = complex_count(generic(widths, activation, samples), budget=Budget(60))
    assert (found.number, found.word) == (number, "exact over Q")


@needs_msolve
@pytest.mark.parametrize(("widths", "activation", "samples", "bias", "number"), MODULAR, ids=str)
def test_published_numbers_modulo_a_prime(widths, activation, samples, bias, number):
    found = complex_count(generic(widths, activation, samples, bias=bias), budget=Budget(60))
    assert (found.number, found.word) == (number, "modulo a prime")


@needs_msolve
@pytest.mark.slow
@pytest.mark.parametrize(
    ("widths", "activation", "number"), [((2, 2, 2, 1), "linear", 641), ((2, 3, 1), "square", 4929)]
)
def test_larger_published_numbers(widths, activation, number):
    samples = 5 if activation == "linear" else 3
    assert complex_count(generic(widths, activation, samples), budget=Budget(200)).number == number


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("widths", [(1, 2, 1), (2, 2, 1), (2, 1, 2)])
def test_as_many_as_critical_set_says(widths, seed):
    p = generic(widths, samples=3, seed=seed)
    number = complex_count(p).number
    assert f"{number} complex solutions" in critical_set(p, budget=Budget(60)).coverage.reason


def test_one_weight_by_hand():
    # F' = 3 x^2 - 3 has two zeros; F' = 4 x^3 has one, three times
    assert complex_count(Problem.monomial(["x"], {(3,): 1, (1,): -3})).number == 2
    assert complex_count(Problem.monomial(["x"], {(4,): 1})).number == 3


def test_a_chain_of_two_by_hand():
    # (v w - 1)^2 + a (w^2 + v^2): v (v w - 1) = -a w and w (v w - 1) = -a v give the origin or v = +-w, with w^2 = 1 - a or -1 - a: two each
    p = Problem.dense(
        widths=[1, 1, 1],
        inputs=[[1]],
        targets=[[1]],
        activation="linear",
        regularizer={"kind": "l2", "weights": F(1, 3)},
    )
    assert complex_count(p).number == 5


def test_families_and_other_losses_are_refused():
    free = Problem.dense(widths=[1, 1, 1], inputs=[[1]], targets=[[1]], activation="linear")
    with pytest.raises(Unsupported, match="infinitely many"):
        complex_count(free)
    with pytest.raises(Unsupported, match="polynomial"):
        complex_count(Problem.dense(widths=[1, 1, 1], inputs=[[1]], targets=[[1]], activation="sigmoid"))


def test_equal_ridge_weights_with_families_are_refused():
    # two linear units with one ridge weight: the orthogonal group of the hidden layer moves the critical points
    p = Problem.dense(
        widths=[1, 2, 1],
        inputs=[[1]],
        targets=[[3]],
        activation="linear",
        regularizer={"kind": "l2", "weights": F(1, 3)},
    )
    with pytest.raises(Unsupported, match="infinitely many"):
        complex_count(p, budget=Budget(30))


def test_the_budget_is_kept():
    with pytest.raises(BudgetExceeded):
        complex_count(generic((3, 2, 3)), budget=Budget(0.001))


def test_a_unit_that_vanishes_is_seen():
    # x (x - 1) = 0, y = x: x is 0 at one of the two solutions; x^2 = 2 never
    both = PolynomialSystem.of("xy", [{(2, 0): 1, (1, 0): -1}, {(0, 1): 1, (1, 0): -1}])
    assert quick_count(both) == (Dimension.FINITE, 2)
    with pytest.raises(Vanishes):
        quick_count(both, [0])
    with pytest.raises(counting.Unstructured):
        counting._dimension(both, Budget(10).start(), [0])
    never = PolynomialSystem.of("xy", [{(2, 0): 1, (0, 0): -2}, {(0, 1): 1, (1, 0): -1}])
    assert counting._dimension(never, Budget(10).start(), [0]) == (2, True)


@needs_msolve
def test_a_unit_that_vanishes_is_seen_modulo_a_prime(monkeypatch):
    monkeypatch.setattr(counting.groebner, "quick_count", lambda *_: None)
    both = PolynomialSystem.of("xy", [{(2, 0): 1, (1, 0): -1}, {(0, 1): 1, (1, 0): -1}])
    with pytest.raises(counting.Unstructured):
        counting._dimension(both, Budget(10).start(), [0])
    never = PolynomialSystem.of("xy", [{(2, 0): 1, (0, 0): -2}, {(0, 1): 1, (1, 0): -1}])
    assert counting._dimension(never, Budget(10).start(), [0]) == (2, False)
