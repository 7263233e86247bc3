"""Valleys, basins and descending paths at a place: the subject's point, else the bad minima that the solver lists, else 0."""

from __future__ import annotations

from collections.abc import Callable

from explorer.errors import ExplorerError, Unsupported
from explorer.paths.curves import EscapeCurve
from explorer.point import AnyPoint, Point
from explorer.probes.descents import down_from, fitted, perturbed_descent
from explorer.probes.flat import flat_line, scaling_curve, spans_everything, with_limit
from explorer.probes.near import is_zero, value_at
from explorer.probes.walls import Hyperplane, hyperplane
from explorer.problem import DenseNetwork
from explorer.solve.results import Kind, Trust
from explorer.statements.nouns import Judgement, Predicate, Subject, Test, Witness
from explorer.statements.sun2020.conditions import exact_points, look, lower_point, wide_enough

Decide = Callable[[Subject, Point], Judgement]


def places(subject: Subject) -> tuple[AnyPoint, ...]:
    if subject.point is not None:
        return (subject.point,)
    bad = tuple(c.sample for c in subject.critical.spurious)
    return bad or (Point.rational([0] * len(subject.problem.parameters)),)


def at_places(decide: Decide) -> Test:
    """The test at every place; False wins, then unknown."""

    def test(subject: Subject) -> Judgement:
        answers = []
        for p in places(subject):
            try:
                answers.append(decide(subject, p) if isinstance(p, Point) else _boxed(subject, p))
            except Unsupported as error:
                answers.append(Judgement.unknown(error.sentence()))
        for wanted in (False, None):
            for a in answers:
                if a.holds is wanted:
                    return a
        shows = tuple(w for a in answers for w in a.shows) if all(a.shows for a in answers) else ()
        partial = subject.point is None or any(a.partial for a in answers)  # shown at these places only
        return Judgement(True, answers[0].because, answers[0].trust, shows, partial)

    return test


def _boxed(subject: Subject, place: AnyPoint) -> Judgement:
    for c in subject.critical.spurious:
        if c.sample == place and c.kind is Kind.STRICT_MINIMUM:
            lowest = min(subject.critical.components, key=lambda d: d.value.upper)
            return _walled(place, lowest.sample)
    return Judgement.unknown("the point is known by a box only")


def _walled(point: AnyPoint, lower: AnyPoint) -> Judgement:
    return Judgement(False, "a strict local minimum that is not global: small sub-level components around it are compact", shows=(Witness("spurious-basin", point, lower),))  # fmt: skip


def strict_bad_minimum(subject: Subject, point: Point) -> Judgement | None:
    """The judgement that a strict sub-optimal minimum decides (False), or None."""
    if look(subject, point).kind is not Kind.STRICT_MINIMUM:
        return None
    try:
        lower = lower_point(subject, point)
    except ExplorerError:
        return None
    return None if lower is None else _walled(point, lower)


# -- valleys --------------------------------------------------------------------------------------------------------------


def _is_lowest(subject: Subject, point: Point) -> bool:
    """F = 0, or the output weights are fitted on units that span all that one unit can do."""
    if is_zero(value_at(subject.problem, point)) and isinstance(subject.problem.network, DenseNetwork):
        return True
    try:
        return spans_everything(subject.problem, point) and fitted(subject.problem, point)
    except ExplorerError:
        return False


def _down_to_the_floor(subject: Subject, point: Point) -> Judgement:
    zero = is_zero(value_at(subject.problem, point))
    if _is_lowest(subject, point):
        shows = (Witness("global-minimum", point),) if zero else ()
        return Judgement(True, "the point itself is a global minimum", shows=shows)
    path = down_from(subject.problem, point, subject.budget)
    if isinstance(path, str):
        return strict_bad_minimum(subject, point) or Judgement.unknown(path)
    if not _is_lowest(subject, path.end):
        return strict_bad_minimum(subject, point) or Judgement.unknown("a path leads down, but not to a minimum that is known to be global")  # fmt: skip
    because = f"a path of {len(path.legs)} pieces on which F never rises leads to a global minimum"
    walked = Witness("descending-path", options={"path": path})
    if is_zero(value_at(subject.problem, path.end)):
        return Judgement(True, because, shows=(walked, Witness("global-minimum", path.end)))
    return Judgement(True, f"{because}: its units span all activation vectors", shows=(walked,), partial=True)


NO_VALLEY_HERE = Predicate(
    "path-to-global-minimum", "from the point (a listed bad minimum, 0) a path on which F never rises leads to a global minimum",
    at_places(_down_to_the_floor), r"\exists\gamma:\ \gamma(0)=\theta,\ F\circ\gamma\downarrow,\ F(\gamma(1))=\min F",
)  # fmt: skip


def _no_valley(subject: Subject) -> Judgement:
    """True for the class of aud.lemma-one-hidden, false at a strict bad minimum, unknown otherwise."""
    net, data, loss = subject.problem.network, subject.problem.data, subject.problem.loss
    wide = isinstance(net, DenseNetwork) and data is not None and wide_enough(subject.problem)
    plain = loss is not None and loss.kind == "squared" and subject.problem.regularizer is None
    if wide and plain and isinstance(net, DenseNetwork) and net.output.kind == "linear":
        return Judgement(True, "one hidden layer with enough units, squared loss (aud.lemma-one-hidden)")
    for p in places(subject):
        found = strict_bad_minimum(subject, p) if isinstance(p, Point) else _boxed(subject, p)
        if found is not None and found.holds is False:
            return found
    return Judgement.unknown("no criterion for the absence of spurious valleys applies")


NO_VALLEY = Predicate("no-spurious-valley", "F has no spurious valley", _no_valley)


def _lower_by_path(subject: Subject, point: Point) -> Judgement:
    if is_zero(value_at(subject.problem, point)):
        return Judgement(True, "F = 0 at the point itself")
    path = down_from(subject.problem, point, subject.budget)
    if isinstance(path, str):
        return strict_bad_minimum(subject, point) or Judgement.unknown(path)
    return Judgement(True, f"a path of {len(path.legs)} pieces on which F never rises", shows=(Witness("descending-path", options={"path": path}),))  # fmt: skip


LOWER_BY_PATH = Predicate(
    "non-increasing-path", "from the point a path on which F never rises leads to smaller loss", at_places(_lower_by_path)
)  # fmt: skip


def wall_step(subject: Subject, found: Hyperplane) -> dict[str, object]:
    """The evidence that the checker's rule ``wall`` asks for."""
    row = ["1" if k == found.parameter else "0" for k in range(len(subject.problem.parameters))]
    return {"level": str(found.level), "wall": row, "proof": "cells", "cells": []}


def behind_a_hyperplane(subject: Subject, point: Point) -> Judgement | None:
    """False if a hyperplane with larger F separates the point from one below everything on its side: a valley without a box."""
    here = value_at(subject.problem, point)
    for q in exact_points(subject):
        found, there = hyperplane(subject.problem, point, q), value_at(subject.problem, q)
        if found is not None and found.side is not None and here.upper < found.level and there.upper < found.side:
            options = {"wall": wall_step(subject, found) | {"side": str(found.side)}}
            because = (
                f"F >= {found.side} on this side of a hyperplane where F = {found.level}, and a smaller value beyond"
            )
            return Judgement(False, because, shows=(Witness("spurious-valley", point, q, options=options),))
    return None


# -- Property PT ----------------------------------------------------------------------------------------------------------


def _property_pt(subject: Subject, point: Point) -> Judgement:
    if is_zero(value_at(subject.problem, point)) and isinstance(subject.problem.network, DenseNetwork):
        return Judgement(True, "a global minimum: the constant path", shows=(Witness("global-minimum", point),))
    try:
        path = perturbed_descent(subject.problem, point)
    except ExplorerError as error:
        return strict_bad_minimum(subject, point) or Judgement.unknown(error.sentence())
    shows = (Witness("descending-path", options={"path": path}), Witness("global-minimum", path.end))
    return Judgement(True, "from a point within 1/8 in every hidden weight F falls strictly on a segment to 0", shows=shows, partial=True)  # fmt: skip


PT_HERE = Predicate(
    "property-pt-here", "near the point (a listed bad minimum, 0) starts a path on which F falls strictly to its minimum",
    at_places(_property_pt), r"\exists\hat\theta\approx\theta,\ \gamma:\hat\theta\to\arg\min F,\ F\circ\gamma\text{ strictly falling}",
)  # fmt: skip

# -- basins ---------------------------------------------------------------------------------------------------------------


def _shown(subject: Subject, point: Point, curve: EscapeCurve) -> Judgement:
    because = f"through the point passes an unbounded curve of constant F: {curve.because}"
    try:
        value = value_at(subject.problem, point).as_fraction
    except Unsupported:
        value = None
    if value is None:
        return Judgement(True, because)
    return Judgement(True, because, shows=(Witness("not-coercive", options={"curve": with_limit(curve, value)}),))


def _level_curve(subject: Subject, point: Point) -> EscapeCurve | None:
    return flat_line(subject.problem, point) or scaling_curve(subject.problem, point)


def _no_strict_set(subject: Subject, point: Point) -> Judgement:
    """No compact set that contains the point is a setwise strict local minimum."""
    curve = _level_curve(subject, point)
    if curve is not None:
        return _shown(subject, point, curve)
    net, data = subject.problem.network, subject.problem.data
    if isinstance(net, DenseNetwork) and data is not None and subject.problem.regularizer is None and net.depth >= 2:
        wide = max(net.widths[1:-1])
        if wide >= len(data):
            return Judgement(True, f"a hidden layer has {wide} >= n units: an unbounded level curve passes through every point (aud.lemma-flatline)")  # fmt: skip
    kind = look(subject, point).kind
    if kind is Kind.STRICT_MINIMUM:
        return Judgement(False, "the point alone is a setwise strict local minimum", shows=(Witness("strict-local-minimum", point),))  # fmt: skip
    return Judgement.unknown("no unbounded curve of constant F through the point is known")


NO_STRICT_SET = Predicate(
    "no-setwise-strict-minimum", "no compact set that contains the point (a listed bad minimum, 0) is a setwise strict local minimum",
    at_places(_no_strict_set),
)  # fmt: skip


def _no_basin(subject: Subject, point: Point) -> Judgement:
    found = strict_bad_minimum(subject, point)
    if found is not None:
        return found
    kind = look(subject, point).kind
    if kind is not None and (kind.is_saddle or kind.is_maximum):
        plain = _no_strict_set(subject, point)
        return plain if plain.holds else Judgement.unknown("the point is no minimum, but it may lie in a larger basin")
    answer = _no_strict_set(subject, point)
    return answer if answer.holds else Judgement.unknown(answer.because)


NO_BASIN = Predicate(
    "no-basin-here", "the point (a listed bad minimum, 0) lies in no sub-optimal basin other than the empty set", at_places(_no_basin)
)  # fmt: skip

# -- definitions and existence ---------------------------------------------------------------------------------------------


def decided(predicate: Predicate, *, name: str, text: str, yes: str, no: str) -> Predicate:
    """For definitions: holds as soon as it is decided whether the defined thing is there, with the certificate of the answer."""

    def test(subject: Subject) -> Judgement:
        found = predicate.test(subject)
        if found.holds is None:
            return found
        shows = found.shows if found.holds else found.shows[:1]
        return Judgement(True, f"{yes if found.holds else no}: {found.because}", found.trust, shows, found.partial)

    return Predicate(name, text, test, predicate.latex)


def witnessed(predicate: Predicate) -> Predicate:
    """For existence statements: a problem that is no witness leaves them open."""

    def test(subject: Subject) -> Judgement:
        found = predicate.test(subject)
        if found.holds is False:
            return Judgement.unknown(f"this problem is no witness, which refutes nothing: {found.because}")
        return found

    return Predicate(predicate.name, predicate.text, test, predicate.latex, predicate.certified_as)


def _strict(subject: Subject) -> Judgement:
    if subject.point is None:
        strict = [c for c in subject.critical.spurious if c.kind is Kind.STRICT_MINIMUM]
        if strict:
            return Judgement(False, "a strict local minimum that is not global", shows=(Witness("spurious-basin", strict[0].sample, min(subject.critical.components, key=lambda d: d.value.upper).sample),))  # fmt: skip
        if not subject.critical.coverage.complete:
            return Judgement.unknown(subject.critical.coverage.reason)
        return Judgement(True, "none in the complete list", subject.critical.coverage.trust)
    if not isinstance(subject.point, Point):
        return Judgement.unknown("the point is known by a box only")
    found = strict_bad_minimum(subject, subject.point)
    if found is not None:
        return found
    if _level_curve(subject, subject.point) is not None:
        return Judgement(True, "an unbounded curve of constant F passes through the point")
    kind = look(subject, subject.point).kind
    if kind in (Kind.STRICT_MINIMUM, Kind.UNDECIDED):
        return Judgement.unknown("the kind of the point, or a lower point, is not known")
    return Judgement(True, "the point is no strict local minimum", Trust.COMPUTED)


NO_STRICT_BAD = Predicate(
    "no-strict-bad-minimum", "no strict local minimum is sub-optimal (the point, where one is given)", _strict
)  # fmt: skip
