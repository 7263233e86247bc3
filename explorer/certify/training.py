"""Certificates about Gram matrices of ReLU units and about training the hidden weights alone (explorer.gram).

One rule, one goal of the same name; what the rule's keys mean stands in docs/certificate.md. The steps here speak of F = 2 L, so
that a step ``rate`` on the loss L of Du et al. is written as rate/2.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from explorer.budget import Budget
from explorer.certify.certificate import Certificate, accepted
from explorer.certify.encode import Step, assemble, number
from explorer.errors import NotCertifiable
from explorer.gram import antipodal
from explorer.gram.flow import ends_at, resting
from explorer.gram.limit import lambda_0, short_lower
from explorer.gram.training import Hidden, floor_of
from explorer.problem import Problem

if TYPE_CHECKING:
    from explorer.statements.nouns import Witness


def _written(problem: Problem, witness: Witness, step: Step) -> Certificate:
    """The certificate of one step about the witness's point, or about the problem alone."""
    rule = {"rule": witness.goal} | step
    if witness.at is None:
        return accepted(assemble(problem, {"kind": witness.goal}, {}, [rule]))
    at = Hidden.of(problem, witness.at).point  # type: ignore[arg-type]
    return accepted(assemble(problem, {"kind": witness.goal, "point": "p"}, {"p": at}, [rule | {"point": "p"}]))


def _inputs(problem: Problem) -> tuple[tuple[Fraction, ...], ...]:
    if problem.data is None:
        raise NotCertifiable("the limit Gram matrix", expected="data")
    return problem.data.inputs


def gram_floor(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """lambda_min of the limit Gram matrix is at least a positive number: ``value``, or the best short one that is known."""
    least = lambda_0(_inputs(problem))
    value = witness.options.get("value", least.exact if least.exact is not None else short_lower(least.lower))
    if value <= 0:
        raise NotCertifiable("gram-floor", expected="a positive smallest eigenvalue", got=least.text)
    return _written(problem, witness, {"value": number(value)})


def gram_null(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """A vector in the kernel of the limit Gram matrix."""
    found = antipodal.kernel(_inputs(problem))
    if not found:
        raise NotCertifiable("gram-null", expected="repeated inputs or dependent antipodal pairs", got="none")
    vector = witness.options.get("vector", found[0])
    return _written(problem, witness, {"vector": [number(c) for c in vector]})


def hidden_gram(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """lambda_min(H(p)) is at least ``value`` (default: the best short number known)."""
    value = witness.options.get("value", floor_of(Hidden.of(problem, witness.at)))  # type: ignore[arg-type]
    if value <= 0:
        raise NotCertifiable("hidden-gram", expected="a positive smallest eigenvalue")
    return _written(problem, witness, {"value": number(value)})


def linear_descent(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """No pattern ever changes under gradient descent with step ``rate`` on L."""
    floor = floor_of(Hidden.of(problem, witness.at))  # type: ignore[arg-type]
    if floor <= 0:
        raise NotCertifiable("linear-descent", expected="a positive definite H(p)")
    return _written(problem, witness, {"rate": number(witness.options["rate"] / 2), "floor": number(floor)})


def hidden_descent(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """Where ``steps`` steps of gradient descent with step ``rate`` on L lead."""
    rate, steps = witness.options["rate"], witness.options["steps"]
    last = Hidden.of(problem, witness.at)  # type: ignore[arg-type]
    clock = budget.start()
    for _ in range(steps):
        clock.check("following gradient descent")
        last = last.moved(rate)
    return _written(problem, witness, {"rate": number(rate / 2), "steps": steps, "value": number(last.squared_error)})


def flow_ends(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """The gradient flow with relu'(0) = 1 stops at a kink."""
    sample = ends_at(Hidden.of(problem, witness.at))  # type: ignore[arg-type]
    if sample is None:
        raise NotCertifiable("flow-ends", expected="an isolated sample at which a unit is driven to 0", got="none")
    return _written(problem, witness, {"sample": sample + 1})


def flow_rests(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """Filippov's inclusion rests at the point, while H of relu'(0) = 1 is positive definite there."""
    at = Hidden.of(problem, witness.at)  # type: ignore[arg-type]
    chosen, floor = resting(at), floor_of(at)
    if chosen is None or floor <= 0:
        raise NotCertifiable("flow-rests", expected="numbers from [0, 1] at the ties, and a positive definite H(p)")
    return _written(problem, witness, {"selection": [number(c) for c in chosen], "floor": number(floor)})


def initial_mean(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """E|y - u(0)|^2 = sum (y_i^2 + |x_i|^2/2)."""
    data = problem.data
    if data is None:
        raise NotCertifiable("initial-mean", expected="data")
    parts = (
        sum((v * v for v in x), Fraction(0)) / 2 + y[0] ** 2 for x, y in zip(data.inputs, data.targets, strict=True)
    )
    return _written(problem, witness, {"value": number(sum(parts, Fraction(0)))})


TRAINING: dict[str, Callable[[Problem, Witness, Budget], Certificate]] = {
    "gram-floor": gram_floor,
    "gram-null": gram_null,
    "hidden-gram": hidden_gram,
    "linear-descent": linear_descent,
    "hidden-descent": hidden_descent,
    "flow-ends": flow_ends,
    "flow-rests": flow_rests,
    "initial-mean": initial_mean,
}
