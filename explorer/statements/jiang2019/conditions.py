"""Conditions of Jiang 2019: the setting on the unit cube, points on the line, full-rank disparity, silent units. All exact."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from explorer.canonical.cells import Cell, cells
from explorer.canonical.disparity import Disparity, largest_full_rank
from explorer.canonical.interpolation import interpolant
from explorer.canonical.slopes import gradient, loss_value
from explorer.canonical.units import silent_units
from explorer.errors import Unsupported
from explorer.point import AnyPoint, Point
from explorer.problem import DenseNetwork, Problem
from explorer.statements.nouns import Judgement, Predicate, Subject

MAX_PARAMETERS = 40  # of an exact disparity matrix in a predicate
MAX_SAMPLES = 24


def at(problem: Callable[[], Problem], *points: Iterable[object]) -> Callable[[], Subject]:
    """A subject: the problem at the first point; the others are known to have a lower loss."""

    def build() -> Subject:
        chosen = [Point.rational(p) for p in points]
        return Subject(problem(), chosen[0] if chosen else None, tuple(chosen[1:]))

    return build


def point_of(subject: Subject) -> Point:
    """The given rational point; `Unsupported` where none is given."""
    if not isinstance(subject.point, Point) or not subject.point.is_rational:
        raise Unsupported("point", expected="a rational point", got="none", remedy="give one")
    return subject.point


def _cube(subject: Subject) -> Judgement:
    net, data, loss = subject.problem.network, subject.problem.data, subject.problem.loss
    if not isinstance(net, DenseNetwork) or data is None or loss is None or net.widths[-1] != 1:
        return Judgement(False, "the problem is not a network with scalar output on data")
    if subject.problem.regularizer is not None:
        return Judgement(False, "the objective has a regularizer")
    if any(not 0 <= v <= 1 for x in data.inputs for v in x):
        return Judgement(False, "an input lies outside the unit cube")
    if len(set(data.inputs)) < len(data):
        return Judgement(False, "two inputs are equal")
    return Judgement(True, "read off the problem")


def _squared(subject: Subject) -> Judgement:
    found = _cube(subject)
    if found.holds and subject.problem.loss is not None and subject.problem.loss.kind != "squared":
        return Judgement(False, "the loss is not the squared loss")
    return found


def _line(subject: Subject) -> Judgement:
    found = _squared(subject)
    if not found.holds:
        return found
    net, data = subject.problem.network, subject.problem.data
    assert isinstance(net, DenseNetwork)
    assert data is not None
    if net.widths[0] != 1:
        return Judgement(False, "the inputs have more than one coordinate (decided for K = 1)")
    if net.parameter_count > MAX_PARAMETERS or len(data) > MAX_SAMPLES:
        return Judgement(False, f"more than {MAX_PARAMETERS} parameters or {MAX_SAMPLES} samples")
    return found


def _given(subject: Subject) -> Judgement:
    found = _line(subject)
    if not found.holds:
        return found
    if not isinstance(subject.point, Point) or not subject.point.is_rational:
        return Judgement(False, "no rational point is given")
    try:
        on_line(subject)
    except Unsupported as error:
        return Judgement(False, f"the network function is not piecewise polynomial there: {error.sentence()}")
    return Judgement(True, "the network function and its derivatives are polynomials on finitely many cells of [0, 1]")


CUBE = Predicate(
    "distinct-inputs-in-the-cube",
    "a network with scalar output on distinct inputs in the unit cube, no regularizer",
    _cube,
    r"x_t\in[0,1]^K",
)
SQUARED_ON_CUBE = Predicate(
    "squared-loss-on-the-cube", "the squared loss of a scalar network on distinct inputs in the unit cube", _squared
)
ON_LINE = Predicate("inputs-on-the-line", "that, with scalar inputs and moderate size", _line, r"K=1")
AT_POINT = Predicate(
    "point-on-the-line",
    "scalar inputs, a piecewise polynomial network, and a rational point",
    _given,
    r"w\in\mathbb Q^M",
)


def under(base: Predicate, name: str, text: str, test: Callable[[Subject], Judgement], latex: str = "") -> Predicate:
    """A condition that makes sense only where ``base`` holds: elsewhere it is false, with the reason that ``base`` gives."""

    def both(subject: Subject) -> Judgement:
        first = base.test(subject)
        return test(subject) if first.holds else first

    return Predicate(name, text, both, latex)


def given(name: str, text: str, test: Callable[[Subject], Judgement], latex: str = "") -> Predicate:
    """A condition on a given point on the line."""
    return under(AT_POINT, name, text, test, latex)


def on_line(subject: Subject) -> tuple[Cell, ...]:
    """x -> f(x; p) on [0, 1], cell by cell."""
    return cells(subject.problem, point_of(subject))


def samples(subject: Subject) -> int:
    assert subject.problem.data is not None
    return len(subject.problem.data)


def full_rank(subject: Subject) -> Disparity | None:
    """H with the most columns N >= T that still has full column rank at the point."""
    return largest_full_rank(subject.problem, point_of(subject), least=samples(subject))


def _full(subject: Subject) -> Judgement:
    found = full_rank(subject)
    if found is None:
        return Judgement(False, "H has no full column rank for any N with T <= N <= M")
    return Judgement(True, f"H has {len(found.rows)} rows and rank {found.rank} = N >= T = {samples(subject)}, exactly over Q(pi)")  # fmt: skip


FULL_RANK = given(
    "full-rank-disparity",
    "the disparity matrix has full column rank N for some N with M >= N >= T",
    _full,
    r"\operatorname{rank}H(w)=N,\ M\ge N\ge T",
)


def is_stationary(subject: Subject) -> bool:
    return not any(gradient(subject.problem, point_of(subject)))


STATIONARY = given(
    "stationary",
    "the gradient of the loss vanishes at the point",
    lambda s: (
        Judgement(True, "all partial derivatives are exactly 0")
        if is_stationary(s)
        else Judgement(False, "it is not 0")
    ),
    r"\nabla_wQ(w)=0",
)


def all_silent(subject: Subject) -> bool:
    """One hidden layer, linear output, and every hidden unit strictly inactive at every input of the data."""
    net = subject.problem.network
    if not isinstance(net, DenseNetwork) or net.depth != 2 or net.output.kind != "linear":
        return False
    try:
        return len(silent_units(subject.problem, point_of(subject))) == net.widths[1]
    except Unsupported:
        return False


def better_point(subject: Subject) -> AnyPoint | None:
    """A point with a lower loss: among the given ones, or the interpolant of a wide enough ReLU layer."""
    here = loss_value(subject.problem, point_of(subject))
    for point in subject.points:
        if loss_value(subject.problem, point) < here:
            return point
    try:
        found = interpolant(subject.problem)
    except Unsupported:
        return None
    return found if found is not None and here > 0 else None


def zero_loss(subject: Subject) -> bool:
    return loss_value(subject.problem, point_of(subject)) == 0


def quarter_cells(subject: Subject) -> bool:
    """Whether all kinks lie at multiples of 1/4, where the checker's rule applies."""
    return all((4 * c.low).denominator == 1 for c in on_line(subject))


def hidden_units(problem: Problem) -> int:
    net = problem.network
    assert isinstance(net, DenseNetwork)
    return sum(net.widths[1:-1])


def inner(subject: Subject) -> bool:
    """All inputs strictly inside (0, 1)."""
    assert subject.problem.data is not None
    return all(Fraction(0) < v < 1 for x in subject.problem.data.inputs for v in x)
