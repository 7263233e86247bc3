"""Lower bounds of the loss other than 0, and global minima that attain them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from explorer.certify import certify
from explorer.errors import NotCertifiable
from explorer.problem import Problem


def net(activation: str, widths: list[int], inputs: Any, targets: Any, **more: Any) -> Problem:
    return Problem.dense(widths=widths, activation=activation, inputs=inputs, targets=targets, **more)


#: problem, floor; by hand: the distance of the targets from the features, and trailing eigenvalues
FLOORS = {
    "multiples of (1, 2)": (net("linear", [1, 1, 1], [1, 2], [1, 3]), "1/5"),  # 10 - 7^2/5
    "a line with bias": (net("linear", [1, 1, 1], [0, 1, 2], [0, 1, 0], bias=[False, True]), "2/3"),  # y - 1/3
    "multiples of (1, 4, 9)": (net("square", [1, 3, 1], [1, 2, 3], [1, 3, -1]), "531/49"),  # 11 - 4^2/98
    "equal inputs": (net("tanh", [1, 2, 1], [1, 1, 2], [1, 2, 3], loss_weights=["1", "1/4", "1"]), "1/5"),
    "rank one": (net("linear", [2, 1, 2], [[1, 0], [0, 1]], [[2, 0], [0, 1]]), "1"),  # singular values 2, 1
    "rank one of three": (net("linear", [3, 1, 3], [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[3, 0, 0], [0, 2, 0], [0, 0, 1]]), "5"),
    "rank one, weighted": (
        net("linear", [2, 1, 2], [[1, 0], [0, 1]], [[2, 0], [0, 1]], loss_weights=["1", "9"]),
        "4",  # 1 * 4 and 9 * 1: the smaller one is lost
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FLOORS)
def test_floors_are_those_derived_by_hand(name: str) -> None:
    problem, floor = FLOORS[name]
    assert certify(problem, "lower-bound").check().fact.startswith(f"F >= {floor} everywhere")


def test_global_minima_at_a_positive_floor() -> None:
    problem = FLOORS["rank one"][0]
    best = dict(zip(problem.parameters, (1, 0, 2, 0), strict=True))
    fact = certify(problem, "global-minimum", at=best).check().fact
    assert fact.startswith("p is a global minimum of F; F(p) = 1")
    other = dict(zip(problem.parameters, (1, 0, 1, 0), strict=True))
    with pytest.raises(NotCertifiable, match="floor"):
        certify(problem, "global-minimum", at=other)


def test_the_minimum_of_a_complete_list() -> None:
    """F = (2 - vw)^2 + (v^2 + w^2)/2 has its minimum 7/4 at v = w = sqrt(3/2)."""
    problem = net("linear", [1, 1, 1], [1], [2], regularizer={"kind": "l2", "weights": "1/2"})
    certificate = certify(problem, "minimum-value")
    words = certificate.check().fact.removeprefix("F attains its minimum, and ").split(";")[0].split()
    low, high = Fraction(words[0]), Fraction(words[-1].rstrip(","))
    assert low <= Fraction(7, 4) <= high < low + Fraction(1, 100)
