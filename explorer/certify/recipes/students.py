"""Safran, Shamir 2018, theorem 1: spurious local minima of student-teacher ReLU networks, for every number of units from 6 on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from explorer.budget import Deadline
from explorer.certify.certificate import Certificate, Instance, accepted
from explorer.certify.convexity import ball_bounds, ball_step, polished
from explorer.certify.encode import assemble
from explorer.certify.requests import Request
from explorer.certify.tied import Symmetry
from explorer.certify.values import bounds_step, rounded_out
from explorer.errors import Invalid, NotCertifiable
from explorer.point import TaughtPoint
from explorer.problem import Problem
from explorer.propose.continuation import followed
from explorer.students import MAX_SIZE

STATEMENT = "safran2018.thm-1"
EVERY = "explorer.spurious-every-width"
MAX_FULL = 2_500  #: parameters up to which the certificate of the whole Hessian is written beside the symmetric one
MANY = 60  #: units beyond which a minimum is continued from fewer units


def symmetries(students: int, units: int) -> Iterator[Symmetry]:
    """Where spurious minima are looked for: all units alike but one, or but two, or none; further students apart."""
    extra = students - units
    if extra == 0:
        yield from (Symmetry((units - q, q), (0, 1), (0, 1)) for q in (1, 2) if units - q > q)
        if units > 1:
            yield Symmetry((units,), (0,), (0,))
    elif extra > 0 and units > 1:
        yield Symmetry((units - 1, 1), (0, *[1] * (extra + 1)), (0, 1))
        yield Symmetry((units, 1), (0, *[1] * extra), (0,))


def continued(symmetry: Symmetry, *, seed: int) -> list[Fraction] | None:
    """A minimum of the same kind with many units: found with few, then followed while the number of units grows."""
    for start in Symmetry((MANY // 2, *symmetry.sizes[1:]), symmetry.rows, symmetry.columns).minima(seed=seed):
        found = followed(symmetry, MANY // 2, start)
        if found is not None:
            return found
    return None


def found_minima(students: int, units: int, *, seed: int, deadline: Deadline) -> Iterator[tuple[Symmetry, Certificate]]:
    """Certificates of spurious minima, as the searches find them."""
    problem = Problem.student_teacher(students, teacher=units, slug=slug(students, units, units), source=STATEMENT)
    for symmetry in symmetries(students, units):
        deadline.check("looking for spurious minima")
        if max(symmetry.sizes) > MANY:
            start = continued(symmetry, seed=seed)
            starts = [] if start is None else [start]
        else:
            starts = symmetry.minima(seed=seed)  # type: ignore[assignment]
        for entries in starts:
            deadline.check("certifying a spurious minimum")
            try:
                bits = 64 + 2 * max(symmetry.sizes).bit_length()
                point = symmetry.polished(entries, bits=min(bits, 100))
                yield symmetry, accepted(symmetry.certificate(problem, point))
            except NotCertifiable:
                continue


def slug(students: int, units: int, inputs: int) -> str:
    parts = (
        [f"students-{students}"] + [f"teacher-{units}"] * (units != students) + [f"inputs-{inputs}"] * (inputs != units)
    )
    return "-".join(parts) if max(students, inputs) < 10**20 else "students-many"


def full(problem: Problem, start: Sequence[Fraction]) -> Certificate:
    """``spurious-local-minimum`` by the whole Hessian over a ball; not yet checked."""
    ball = polished(problem, start)
    step = ball_step(problem, "p", ball)
    bounds = rounded_out(*ball_bounds(problem, ball, Fraction(step["modulus"])))
    steps = [
        step,
        bounds_step("p", *bounds),
        {"rule": "value", "point": "q", "value": "0"},
        {"rule": "below", "lower": "q", "upper": "p"},
    ]
    goal = {"kind": "spurious-local-minimum", "point": "p", "better": "q", "hypotheses": []}
    return assemble(problem, goal, {"p": ball, "q": TaughtPoint()}, steps)


def spurious_minima(request: Request) -> tuple[Instance, ...]:
    """One instance: width students, ``teacher`` orthonormal units (default: as many), ``inputs`` dimensions (default: as many
    as the teacher has units). A certificate by symmetry, and one by the whole Hessian up to 2,500 parameters."""
    request.allow(STATEMENT, "width", "teacher", "inputs")
    students = request.whole("width", 6, 1, MAX_SIZE)
    units = request.whole("teacher", students, 1, MAX_SIZE)
    inputs = units
    if request.inputs is not None:
        given = list(request.inputs)
        if len(given) != 1 or isinstance(given[0], (list, tuple)) or int(given[0]) != given[0] or given[0] < units:
            raise Invalid("inputs", expected=f"the number of input coordinates, at least {units}", got=repr(given)[:60])
        inputs = int(given[0])
    deadline = request.clock()
    for symmetry, certificate in found_minima(students, units, seed=request.seed, deadline=deadline):
        named = [("symmetric", certificate)] if inputs == units else []
        problem = certificate.problem
        if students * inputs <= MAX_FULL:
            centre = [Fraction(v) for v in certificate.body["points"]["p"]["centre"]]
            rows = symmetry.matrix(centre)
            problem = Problem.student_teacher(
                students, teacher=units, inputs=inputs, slug=slug(students, units, inputs), source=STATEMENT
            )
            start = [v for row in rows for v in (*row, *[Fraction(0)] * (inputs - units))]
            deadline.check("certifying the whole Hessian")
            named.append(("full", accepted(full(problem, start))))
        if named:
            return (Instance(problem.slug, problem, tuple(named)),)
        raise NotCertifiable(STATEMENT, expected=f"at most {MAX_FULL} parameters with more inputs than teacher units")
    raise NotCertifiable(
        STATEMENT,
        expected="a spurious local minimum among symmetric matrices",
        got=f"none found for {students} students of {units} units"[:120],
        remedy="the theorem is about 6 units and more; another --seed searches from other starts",
    )


def every_width(request: Request) -> tuple[Instance, ...]:
    """One certificate for every number of units from ``width`` (default 200) on."""
    from explorer.certify.uniform import uniform_minimum  # loads FLINT

    request.allow(EVERY, "width")
    first = request.whole("width", 200, 6, 10**9)
    found = uniform_minimum(first, source=EVERY, deadline=request.clock())
    return (Instance(found.problem.slug, found.problem, (("uniform", found),)),)
