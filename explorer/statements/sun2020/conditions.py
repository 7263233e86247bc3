"""Conditions that several statements of the survey share, decided on a problem and, where one is given, at its point."""

from __future__ import annotations

from collections.abc import Callable

from explorer.errors import ExplorerError, Unsupported
from explorer.point import AnyPoint, Point
from explorer.probes.descents import down_from
from explorer.probes.flat import degree_of_homogeneity, feature_dimension
from explorer.probes.linear import linear_data, targets_full_rank
from explorer.probes.near import Near, below, is_zero, near, value_at
from explorer.probes.output import convex_in_output
from explorer.problem import DenseNetwork, Problem
from explorer.solve.results import Component, Kind, Trust
from explorer.statements.nouns import Judgement, Predicate, Subject, Test, Witness
from explorer.statements.predicates import every_local_minimum_is_global, on_data

# -- the problem ----------------------------------------------------------------------------------------------------------


def on_problem(name: str, text: str, decide: Callable[[Problem], bool], *, latex: str = "", certified_as: str | None = None) -> Predicate:  # fmt: skip
    """A condition read off the problem, whatever its kind."""

    def test(subject: Subject) -> Judgement:
        holds = decide(subject.problem)
        return Judgement(holds, "read off the problem" if holds else f"it is not so that {text}")

    return Predicate(name, text, test, latex, certified_as)


NETWORK = on_data("network", "the loss is that of a dense network on data", lambda net, data: True)
HIDDEN = on_data("hidden-layer", "the network has a hidden layer", lambda net, data: net.depth >= 2)
ONE_HIDDEN = on_data(
    "one-hidden-layer", "the network has one hidden layer", lambda net, data: net.depth == 2, latex="L=2",
    certified_as="one-hidden-layer",
)  # fmt: skip
LINEAR_OUTPUT = on_data(
    "linear-output", "the output layer is linear", lambda net, data: net.output.kind == "linear", certified_as="linear-output"
)  # fmt: skip
SCALAR_OUTPUT = on_data("scalar-output", "there is one output", lambda net, data: net.widths[-1] == 1, certified_as="scalar-output")  # fmt: skip
SCALAR_INPUTS = on_data("scalar-inputs", "the inputs are numbers", lambda net, data: net.widths[0] == 1, certified_as="scalar-inputs")  # fmt: skip
NO_OUTPUT_BIAS = on_data("no-output-bias", "the output layer has no bias", lambda net, data: not net.bias[-1], certified_as="no-output-bias")  # fmt: skip
NO_HIDDEN_BIAS = on_data("no-hidden-bias", "no hidden layer has a bias", lambda net, data: net.depth >= 2 and not any(net.bias[:-1]), certified_as="no-hidden-bias")  # fmt: skip
HIDDEN_BIAS = on_data("hidden-bias", "every hidden layer has biases", lambda net, data: net.depth >= 2 and all(net.bias[:-1]), certified_as="hidden-bias")  # fmt: skip
WIDE_LAST = on_data(
    "last-hidden-width-at-least-samples",
    "the last hidden layer has at least as many units as there are samples",
    lambda net, data: net.depth >= 2 and net.widths[-2] >= len(data),
    latex=r"d_{L-1}\ge n",
)
SOME_WIDE = on_data(
    "a-hidden-width-at-least-samples",
    "some hidden layer has at least as many units as there are samples",
    lambda net, data: net.depth >= 2 and max(net.widths[1:-1]) >= len(data),
    latex=r"d_k\ge n",
)
SEPARATED = on_data(
    "a-coordinate-separates-inputs",
    "some coordinate takes different values at all inputs",
    lambda net, data: any(len(set(column)) == len(data) for column in zip(*data.inputs, strict=True)),
    latex=r"\exists k\ \forall i\ne j:\ x_{ik}\ne x_{jk}",
    certified_as="a-coordinate-separates-inputs",
)
LINEAR = on_data(
    "linear-network", "all activations are linear and there are no biases",
    lambda net, data: net.depth >= 2 and not any(net.bias) and all(a.kind == "linear" for a in (*net.activations, net.output)),
)  # fmt: skip
HOMOGENEOUS = on_data(
    "positively-homogeneous", "the activation of the first hidden layer is positively homogeneous of some degree r > 0",
    lambda net, data: net.depth >= 2 and degree_of_homogeneity(net.activations[0]) is not None,
    latex=r"\phi(az)=a^r\phi(z)\ (a>0)",
)  # fmt: skip
NO_REGULARIZER = on_problem("no-regularizer", "there is no regularizer", lambda p: p.regularizer is None, certified_as="no-regularizer")  # fmt: skip
EQUAL_WEIGHTS = on_problem("unit-weights", "every sample has weight 1", lambda p: p.loss is not None and set(p.loss.weights) == {1}, certified_as="unit-weights")  # fmt: skip


def wide_enough(problem: Problem) -> bool:
    """One hidden layer with at least as many units as a bound of the dimension of the activation vectors."""
    q, net = feature_dimension(problem), problem.network
    return q is not None and isinstance(net, DenseNetwork) and net.widths[1] >= q


INTRINSIC = on_problem(
    "width-at-least-dimension",
    "the hidden layer has at least as many units as the activation vectors of one unit span dimensions (at most: "
    "different inputs; for polynomial activations monomials)",
    wide_enough,
    latex=r"m\ge q=\dim\operatorname{span}\{(\phi(w\cdot x_i+b))_i\}",
)


def activation(kind: str) -> Predicate:
    """Every hidden unit has the activation of this kind."""
    return on_data(
        f"activation-{kind}", f"every hidden activation is {kind}",
        lambda net, data: net.depth >= 2 and all(a.kind == kind for a in net.activations), certified_as=f"activation-{kind}",
    )  # fmt: skip


def at_least_samples(n: int) -> Predicate:
    return on_data(f"at-least-{n}-samples", f"there are at least {n} samples", lambda net, data: len(data) >= n, latex=rf"n\ge{n}",
                   certified_as="at-least-three-samples" if n == 3 else None)  # fmt: skip


def _convex(subject: Subject) -> Judgement:
    found = convex_in_output(subject.problem)
    if found is None:
        return Judgement.unknown("the loss as a function of the linear output is not a polynomial")
    word = "is convex" if found else "is not convex"
    return Judgement(found, f"the loss {word} as a function of the output of the last linear layer")


CONVEX_LOSS = Predicate("convex-loss", "the loss is convex in the output of the last linear layer", _convex, r"\ell(y,\cdot)\text{ convex}")  # fmt: skip

# -- linear networks ------------------------------------------------------------------------------------------------------


def on_linear(name: str, text: str, decide: Callable[[Problem], bool], *, latex: str = "") -> Predicate:
    """A condition on the data of a linear network; false for other problems."""

    def test(subject: Subject) -> Judgement:
        try:
            holds = decide(subject.problem)
        except Unsupported as error:
            return Judgement(False, error.sentence())
        return Judgement(holds, "exact ranks of the data" if holds else f"it is not so that {text}")

    return Predicate(name, text, test, latex)


INPUTS_FULL_RANK = on_linear("inputs-full-rank", "the inputs span the input space", lambda p: linear_data(p).inputs_full_rank, latex=r"\operatorname{rank}X=d_x")  # fmt: skip
TARGETS_FULL_RANK = on_linear("targets-full-rank", "the targets span the output space", lambda p: bool(linear_data(p)) and targets_full_rank(p), latex=r"\operatorname{rank}Y=d_y")  # fmt: skip

# -- points ---------------------------------------------------------------------------------------------------------------


def points_given(count: int, what: str) -> Predicate:
    """The subject brings this many points."""

    def test(subject: Subject) -> Judgement:
        holds = len(subject.points) == count and all(isinstance(p, Point) for p in subject.points)
        return Judgement(holds, "given" if holds else f"the subject brings {len(subject.points)} exact points")

    return Predicate(f"{count}-points", f"{count} exact points are given: {what}", test)


def exact_points(subject: Subject) -> tuple[Point, ...]:
    return tuple(p for p in subject.points if isinstance(p, Point))


def on_points(count: int, test: Test) -> Test:
    """The test where this many exact points are given; false elsewhere."""

    def guarded(subject: Subject) -> Judgement:
        if len(exact_points(subject)) != count:
            return Judgement(False, f"{count} exact points are needed")
        return test(subject)

    return guarded


def look(subject: Subject, point: AnyPoint) -> Near:
    """The kind at one point, as far as a rule decides it there; never raises for lack of a method."""
    if not isinstance(point, Point):
        return Near(Kind.UNDECIDED, None, "the point is known by a box only")
    try:
        return near(subject.problem, point, subject.budget.start())
    except ExplorerError as error:
        return Near(Kind.UNDECIDED, None, error.sentence())


def everywhere(
    decide: Callable[[Subject, AnyPoint, Component | None], Judgement], *, only: str = "critical point"
) -> Test:
    """The test at the subject's point, or at a sample of every component of the critical set that is a ``only``."""

    def chosen(c: Component) -> bool:
        return {
            "critical point": True,
            "local minimum": c.kind.is_minimum or c.kind is Kind.UNDECIDED,
            "bad local minimum": c.kind.is_minimum and c.is_global is not True,
        }[only]

    def test(subject: Subject) -> Judgement:
        if subject.point is not None:
            return decide(subject, subject.point, None)
        found = subject.critical
        answers = [decide(subject, c.sample, c) for c in found.components if chosen(c)]
        for wanted in (False, None):
            for a in answers:
                if a.holds is wanted:
                    return a
        if not found.coverage.complete:
            return Judgement.unknown(f"nothing against it among the {len(answers)} listed, but {found.coverage.reason}")
        return Judgement(True, f"at each {only} ({len(answers)} components): {answers[0].because}" if answers else f"there is no {only}", found.coverage.trust)  # fmt: skip

    return test


def _critical(subject: Subject, point: AnyPoint, component: Component | None) -> Judgement:
    if component is not None:
        return Judgement(True, "listed by the solver")
    found = look(subject, point)
    if found.kind is Kind.UNDECIDED and found.inertia is None:
        return Judgement.unknown(found.because)
    return Judgement(found.critical, found.because)


CRITICAL = Predicate("critical-point", "the point is critical and F is twice differentiable there", everywhere(_critical), r"\nabla F(\theta)=0")  # fmt: skip


def lower_point(subject: Subject, point: Point) -> Point | None:
    """A point with a smaller value: one of the subject's, the end of a descending path, or a listed critical point."""
    here = value_at(subject.problem, point)
    for q in exact_points(subject):
        if below(value_at(subject.problem, q), here):
            return q
    path = down_from(subject.problem, point, subject.budget)
    if not isinstance(path, str):
        return path.end
    for c in sorted(subject.critical.components, key=lambda c: c.value.upper):
        if isinstance(c.sample, Point) and c.value.upper < here.lower:
            return c.sample
    return None


def minimum_here_is_global(subject: Subject, point: AnyPoint, component: Component | None) -> Judgement:
    """If the point is a local minimum, it is global. False only with a witness that a certificate has to confirm."""
    if not isinstance(point, Point):
        return Judgement.unknown("the point is known by a box only")
    found = look(subject, point)
    if not found.critical or (found.kind is not None and (found.kind.is_saddle or found.kind.is_maximum)):
        return Judgement(True, f"the point is no local minimum: {found.because}")
    value = value_at(subject.problem, point)
    if is_zero(value) and isinstance(subject.problem.network, DenseNetwork):
        return Judgement(True, "F = 0 there, the least value that a sum of nonnegative terms can have", shows=(Witness("global-minimum", point),))  # fmt: skip
    lower = lower_point(subject, point)
    if lower is None:
        return Judgement.unknown(f"no lower point was found ({found.because})")
    return Judgement(False, f"a local minimum that is not global ({found.because})", shows=(Witness("spurious-local-minimum", point, lower),))  # fmt: skip


def local_minima_are_global(subject: Subject) -> Judgement:
    """At the subject's point, or for the whole critical set."""
    if subject.point is not None:
        return minimum_here_is_global(subject, subject.point, None)
    return every_local_minimum_is_global(subject)


MINIMA_ARE_GLOBAL = Predicate(
    "local-minima-are-global",
    "every local minimum is global (the point, where one is given)",
    local_minima_are_global,
    r"\theta\text{ local min}\Rightarrow F(\theta)=\min F",
)


def _linear_minima(subject: Subject) -> Judgement:
    """For linear networks with the squared loss: the infimum over matrices of bounded rank is attained, so it is the least
    critical value, and a complete list decides which minima are global."""
    plain = local_minima_are_global(subject)
    if plain.holds is not None or subject.point is not None or not subject.critical.coverage.complete:
        return plain
    parts = subject.critical.components
    if not parts or any(c.kind is Kind.UNDECIDED for c in parts):
        return plain
    lowest = min(parts, key=lambda c: (c.value.upper, c.value.lower))
    for c in (c for c in parts if c.kind.is_minimum):
        if below(lowest.value, c.value):
            shows = (Witness("spurious-local-minimum", c.sample, lowest.sample),)
            return Judgement(False, "a local minimum above another critical value", shows=shows)
        if below(lowest.value, c.value) is None:
            return plain
    return Judgement(True, "all local minima have the least critical value, and the minimum is attained", subject.critical.coverage.trust)  # fmt: skip


LINEAR_MINIMA = Predicate(MINIMA_ARE_GLOBAL.name, MINIMA_ARE_GLOBAL.text, _linear_minima, MINIMA_ARE_GLOBAL.latex)


def _bad_minimum(subject: Subject) -> Judgement:
    """Some local minimum is not global: the point, or one that the solver lists."""
    if subject.point is None:
        found = every_local_minimum_is_global(subject)
        if found.holds is None:
            return found
        if found.holds:
            return Judgement(False, found.because, found.trust)
        return Judgement(True, found.because, Trust.COMPUTED, found.shows[:1])
    answer = minimum_here_is_global(subject, subject.point, None)
    if answer.holds is None:
        return answer
    if answer.holds:
        return Judgement(False, f"the point is not a sub-optimal local minimum: {answer.because}")
    return Judgement(True, answer.because, Trust.COMPUTED, answer.shows)


BAD_MINIMUM = Predicate(
    "bad-local-minimum",
    "the point is a local minimum that is not global (or the solver lists one)",
    _bad_minimum,
    r"\theta\text{ local min},\ F(\theta)>\min F",
)


def bad_minimum_point(subject: Subject) -> Point | None:
    """The sub-optimal local minimum that the subject brings, or the first that the solver lists with an exact sample."""
    if subject.point is not None:
        return subject.point if isinstance(subject.point, Point) else None
    return next((c.sample for c in subject.critical.spurious if isinstance(c.sample, Point)), None)
