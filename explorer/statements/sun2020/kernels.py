"""Conditions of sections VI and VII at one point: rank of the features and of the tangent kernel, exact losses, silent units."""

from __future__ import annotations

from collections.abc import Callable

from explorer.errors import ExplorerError, Unsupported
from explorer.induced.features import gradient_features, kinks
from explorer.induced.linear import dot, rank
from explorer.point import AnyPoint, Point
from explorer.probes.dependent import feature_rank
from explorer.probes.near import is_zero, value_at
from explorer.problem import DenseNetwork, Problem
from explorer.solve.results import Component, Trust
from explorer.statements.nouns import Judgement, Predicate, Subject, Witness
from explorer.statements.sun2020.conditions import look


def exact_point(subject: Subject) -> Point:
    """The subject's point; `Unsupported` where none is given, or only a box."""
    if not isinstance(subject.point, Point):
        raise Unsupported("the point", expected="an exact point", got="none", remedy="give one with at=")
    return subject.point


def samples(problem: Problem) -> int:
    return len(problem.data) if problem.data is not None else 0


def at_point(
    name: str,
    text: str,
    decide: Callable[[Subject, Point], tuple[bool, str]],
    latex: str = "",
    *,
    rank: str = "",
) -> Predicate:
    """A condition at the subject's exact point; unknown where none is given. ``rank``: the matrix whose rank decides it."""

    def test(subject: Subject) -> Judgement:
        if not isinstance(subject.problem.network, DenseNetwork):
            return Judgement(False, "the problem is not a dense network on data")
        holds, because = decide(subject, exact_point(subject))
        return Judgement(holds, because, shows=rank_shown(exact_point(subject), rank) if rank else ())

    return Predicate(name, text, test, latex)


def rank_shown(point: Point, matrix: str) -> tuple[Witness, ...]:
    """The certificate of the rank of that matrix at the point."""
    return (Witness("rank", point, options={"ranks": (matrix,)}),)


def _features_full(subject: Subject, point: Point) -> tuple[bool, str]:
    net = subject.problem.network
    assert isinstance(net, DenseNetwork)
    if net.depth < 2:
        return False, "there is no hidden layer"
    found, full = feature_rank(subject.problem, point), min(net.widths[-2], samples(subject.problem))
    return found == full, f"rank {found}, min(width, n) = {full}"


def _features_n(subject: Subject, point: Point) -> tuple[bool, str]:
    net = subject.problem.network
    assert isinstance(net, DenseNetwork)
    if net.depth < 2:
        return False, "there is no hidden layer"
    found = feature_rank(subject.problem, point)
    return found == samples(subject.problem), f"rank {found}, n = {samples(subject.problem)}"


def _differentiable(subject: Subject, point: Point) -> tuple[bool, str]:
    found = kinks(subject.problem, point)
    return (
        not found,
        "no pre-activation is at a kink" if not found else f"unit {found[0][1]} of layer {found[0][0]} is at a kink",
    )


def kernel_rank(problem: Problem, point: Point) -> int:
    """rank of G (P x n for scalar outputs), which is that of K = G^T G."""
    return gradient_features(problem, point).rank


def _kernel_full(subject: Subject, point: Point) -> tuple[bool, str]:
    found = kernel_rank(subject.problem, point)
    return found == samples(subject.problem), f"rank of K is {found}, n = {samples(subject.problem)}"


FEATURES_FULL = at_point("full-rank-features", "the features of the last hidden layer have full rank min(d_L, n) at the point", _features_full, r"\operatorname{rank}Z_L=\min(d_L,n)", rank="features")  # fmt: skip
FEATURES_N = at_point("features-of-rank-n", "the features of the last hidden layer have rank n at the point", _features_n, r"\operatorname{rank}Z_L=n", rank="features")  # fmt: skip
DIFFERENTIABLE = at_point("differentiable", "the network is differentiable in its parameters at the point, at every sample", _differentiable)  # fmt: skip
KERNEL_FULL = at_point(
    "kernel-full-rank",
    "the tangent kernel K has full rank n at the point",
    _kernel_full,
    r"\det K\ne0",
    rank="gradients",
)


def gram_of_features(problem: Problem, point: Point) -> int:
    """The rank of K = G^T G, computed from K itself."""
    found = gradient_features(problem, point)
    a = found.arithmetic
    rows = list(zip(*found.columns, strict=True))
    return rank(a, [[dot(a, list(u), list(v)) for v in rows] for u in rows])


def _same_rank(subject: Subject, point: Point) -> tuple[bool, str]:
    n, g, k = samples(subject.problem), kernel_rank(subject.problem, point), gram_of_features(subject.problem, point)
    return (g == n) == (k == n) and g == k, f"rank G = {g}, rank K = {k}, n = {n}"


SAME_RANK = at_point(
    "same-rank",
    "G has rank n exactly if K is regular",
    _same_rank,
    r"\operatorname{rank}G=n\iff\det K\ne0",
    rank="gradients",
)


def zero_loss(subject: Subject, point: AnyPoint, component: Component | None) -> Judgement:
    """F = 0 there, with the certificate that shows it."""
    if not isinstance(point, Point):
        return Judgement.unknown("the point is known by a box only")
    value = value_at(subject.problem, point)
    if is_zero(value):
        return Judgement(True, "F = 0 there", shows=(Witness("global-minimum", point),))
    return Judgement(False, "F is not 0 there", Trust.COMPUTED, (Witness("value", point),))


def is_minimum(subject: Subject, point: Point) -> tuple[bool, str]:
    found = look(subject, point)
    if found.kind is None:
        return False, found.because
    if found.kind.is_minimum:
        return True, found.because
    try:
        if is_zero(value_at(subject.problem, point)):
            return True, "F = 0 there"
    except ExplorerError:
        pass
    if found.kind.value == "undecided":
        raise Unsupported("the kind of the point", expected="a rule that decides it", got=found.because)
    return False, found.because


LOCAL_MINIMUM = at_point("local-minimum", "the point is a local minimum", is_minimum)
