"""Conditions of Kawaguchi, Huang, Kaelbling 2019 on a subject, and the points at which they are looked at."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from explorer.errors import Unsupported
from explorer.induced.features import Features, gradient_features, kinks
from explorer.point import Point, RationalField
from explorer.problem import DenseNetwork, Problem
from explorer.solve.results import Component
from explorer.statements.nouns import Judgement, Predicate, Subject

#: points per subject that a "for all critical points" is tried on, and the largest network
MOST_POINTS, MOST_PARAMETERS, MOST_ROWS = 12, 60, 60


def is_model(problem: Problem) -> bool:
    """A dense network on data: the only model class of the project with outputs to take gradients of."""
    return isinstance(problem.network, DenseNetwork) and problem.data is not None and problem.loss is not None


def small_model(problem: Problem) -> bool:
    """A model for which exact linear algebra over all its gradient features is a matter of seconds."""
    if not is_model(problem):
        return False
    data = problem.data
    assert data is not None
    rows = len(data) * len(data.targets[0])
    return len(problem.parameters) <= MOST_PARAMETERS and rows <= MOST_ROWS


def _model(subject: Subject) -> Judgement:
    if not is_model(subject.problem):
        return Judgement(False, "the problem is not a network on data: it has no outputs f(x; theta)")
    if not small_model(subject.problem):
        return Judgement.unknown(f"more than {MOST_PARAMETERS} parameters or {MOST_ROWS} rows: left out for time")
    return Judgement(True, "read off the problem")


def _convex(subject: Subject) -> Judgement:
    p = subject.problem
    if p.loss is None:
        return Judgement(False, "the problem has no loss of an output")
    if p.regularizer is not None:
        return Judgement(False, "L must be a sum of losses of outputs; the problem has a regularizer")
    return Judgement(
        True, f"the {p.loss.kind} loss is convex and differentiable in the output, and nothing is added to it"
    )


MODEL = Predicate("model", "the problem is a network on data, small enough to write out its Jacobian", _model)
A1 = Predicate(
    "assumption-1",
    "each loss is a convex differentiable function of the output, and L is their weighted sum",
    _convex,
    r"\ell_{y_i}\text{ convex, differentiable}",
)
A1_SQUARED = Predicate(
    "squared-loss-only",
    "the loss is the squared loss without regularizer (so that induced minima are exact least squares)",
    lambda s: (
        Judgement(False, "the loss is not the squared loss")
        if s.problem.loss is None or s.problem.loss.kind != "squared"
        else _convex(s)
    ),
)


def origin(problem: Problem) -> Point:
    """theta = 0."""
    return Point(RationalField(), ((Fraction(0),),) * len(problem.parameters))


def critical_points(subject: Subject) -> list[tuple[Point, Component | None]]:
    """The subject's point, or the exact samples of its critical set with their components."""
    if isinstance(subject.point, Point):
        return [(subject.point, None)]
    found = [(c.sample, c) for c in subject.critical.components if isinstance(c.sample, Point)]
    return found[:MOST_POINTS]  # type: ignore[return-value]


def local_minima(subject: Subject) -> list[Point]:
    """Points known to be local minima: samples of components of that kind (among them the subject's point, if it has one)."""
    chosen = [c for c in subject.critical.components if c.kind.is_minimum]
    if subject.point is not None:
        chosen = [c for c in chosen if subject.point == c.sample or subject.point in c.points]
        if not chosen:
            raise Unsupported(
                "the point", expected="a listed local minimum", got="a point that the solver does not list as one"
            )
    return [c.sample for c in chosen if isinstance(c.sample, Point)][:MOST_POINTS]


def features_at(subject: Subject, points: list[Point]) -> list[tuple[Point, Features]]:
    """Gradient features at the points where the outputs are differentiable by the exact engine; the others are left out."""
    out = []
    for point in points:
        try:
            out.append((point, gradient_features(subject.problem, point)))
        except Unsupported:
            continue
    return out


def differentiable_critical(subject: Subject) -> list[tuple[Point, Features]]:
    """Critical points (given or listed) at which all outputs are differentiable, with their features."""
    found = features_at(subject, [p for p, _ in critical_points(subject)])
    if subject.problem.loss is not None and subject.problem.loss.kind == "squared":
        from explorer.induced.features import squared_gradient

        return [(p, f) for p, f in found if all(f.arithmetic.is_zero(g) for g in squared_gradient(f))]
    return found


def some(name: str, text: str, find: Callable[[Subject], list[object]], *, latex: str = "") -> Predicate:
    """Holds when ``find`` names at least one point."""

    def test(subject: Subject) -> Judgement:
        count = len(find(subject))
        if count:
            return Judgement(True, f"{count} point(s)")
        if subject.point is None and not subject.critical.coverage.complete:
            return Judgement.unknown("none is listed, and the list may not be complete")
        return Judgement(False, "no such point, given or listed")

    return Predicate(name, text, test, latex)


CRITICAL = some(
    "differentiable-critical-point",
    "the point (or some listed one) is critical, with outputs differentiable there",
    lambda s: list(differentiable_critical(s)),
    latex=r"\theta\notin\Omega,\ \nabla L(\theta)=0",
)


def away_from_kinks(problem: Problem, point: Point) -> bool:
    """Strict margins: no pre-activation at a kink, so the outputs are differentiable on a neighbourhood."""
    return not kinks(problem, point)
