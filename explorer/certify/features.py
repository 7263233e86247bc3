"""Certificates about the features of the last hidden layer, and about the logistic losses that are decided as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from explorer.budget import Budget
from explorer.certify.certificate import Certificate, accepted
from explorer.certify.encode import Step, assemble, number
from explorer.errors import NotCertifiable
from explorer.point import Point
from explorer.probes.dependent import relation, relation_near
from explorer.problem import Problem

if TYPE_CHECKING:
    from explorer.statements.nouns import Witness


def feature_null(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """sum_i c_i h(x_i) = 0 at all parameters."""
    found = relation(problem)
    if found is None:
        raise NotCertifiable(
            "feature-null", expected="a repeated input, or few polynomial units of one input", got="none"
        )
    return _one(problem, "feature-null", {"vector": [number(c) for c in found]})


def feature_null_near(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """sum_i c_i h(x_i) = 0 at all parameters near the point."""
    found = relation_near(problem, witness.at) if isinstance(witness.at, Point) else None
    if found is None:
        raise NotCertifiable(
            "feature-null-near", expected="affine pieces around the point and dependent columns", got="none"
        )
    step = {"rule": "feature-null-near", "point": "p", "vector": [number(c) for c in found]}
    goal = {"kind": "feature-null-near", "point": "p"}
    return accepted(assemble(problem, goal, {"p": witness.at}, [step]))  # type: ignore[dict-item]


def _one(problem: Problem, goal: str, keys: Step, rule: str = "") -> Certificate:
    return accepted(assemble(problem, {"kind": goal}, {}, [{"rule": rule or goal} | keys]))


FEATURES: dict[str, Callable[[Problem, Witness, Budget], Certificate]] = {
    "feature-null": feature_null,
    "feature-null-near": feature_null_near,
    "positive": lambda problem, witness, budget: _one(problem, "positive", {}),
    "local-minima-classify": lambda problem, witness, budget: _one(
        problem, "local-minima-classify", {}, "orthogonal-requ"
    ),
    "no-local-minimum": lambda problem, witness, budget: _one(problem, "no-local-minimum", {}, "added-unit"),
    "local-minima-interpolate": lambda problem, witness, budget: _one(
        problem, "local-minima-interpolate", {}, "added-unit"
    ),
}
