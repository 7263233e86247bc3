"""What people write on the command line, read as data: PROBLEM (a path or a case slug) and POINT (JSON). Nothing is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from explorer.app.checking import read_bytes
from explorer.app.places import problem_path
from explorer.errors import Invalid, described, named
from explorer.exact import exact
from explorer.point import AnyPoint, Element, EnclosedPoint, Field, Ln2Ring, NumberField, Point, RationalField
from explorer.problem import Problem
from explorer.reading import read_problem
from explorer.strict import check_keys, strict_json


def read_given_problem(given: str) -> Problem:
    """The problem that ``given`` names (see `problem_path`)."""
    return read_problem(problem_path(given))


def read_point(given: str, problem: Problem) -> AnyPoint:
    """A POINT from inline JSON (it starts with "{") or from a JSON file."""
    inline = given.lstrip().startswith("{")
    try:
        raw = given if inline else read_bytes(Path(given))
    except (Invalid, ValueError) as error:  # ValueError: a zero byte in the path
        raise Invalid(
            named(given),
            expected="a file with a point, or inline JSON",
            got=getattr(error, "got", str(error)),
            remedy=f"write for example '{_example(problem)}'",
        ) from None
    try:
        return point_from_json(strict_json(raw), problem)
    except Invalid as error:
        raise error.inside("POINT" if inline else named(given)) from None


def read_box(given: str, problem: Problem) -> EnclosedPoint:
    """A box: {"lower": [...], "upper": [...]} inline or in a file, or one number r > 0 for [-r, r] in every coordinate."""
    if given[:1].isdigit() or given[:1] == "-":
        r = exact(given, "--box")
        if r <= 0:
            raise Invalid("--box", expected="a positive number r", got=repr(given), remedy="write 3 for [-3, 3]")
        return EnclosedPoint((-r,) * len(problem.parameters), (r,) * len(problem.parameters))
    wanted = '{"lower": [...], "upper": [...]}, inline or in a file, or one number r > 0 for [-r, r]'
    if not given.lstrip().startswith("{") and not Path(given).is_file():
        raise Invalid("--box", expected=wanted, got=described(given), remedy="write 3")
    box = read_point(given, problem)
    if not isinstance(box, EnclosedPoint):
        raise Invalid("--box", expected=wanted, got="a point", remedy="write 3")
    return box


def point_from_json(body: Mapping[str, Any], problem: Problem) -> AnyPoint:
    """A point from {parameter: number} or from a POINT object of docs/certificate.md.

    A number is an exact rational ("1/2" or 3) or {"ln2": [c0, c1, ...]}, which stands for c0 + c1 ln 2 + ...
    """
    d = len(problem.parameters)
    if "coordinates" in body and "coordinates" not in problem.parameters:
        check_keys(body, "point", required=("field", "coordinates"))
        field = _field(body["field"])
        given = _sized(body["coordinates"], d, "point.coordinates")
        return Point(field, tuple(_element(c, field, f"point.coordinates[{k}]") for k, c in enumerate(given)))
    if "lower" in body and "lower" not in problem.parameters:
        check_keys(body, "point", required=("lower", "upper"))
        lower, upper = (
            tuple(exact(v, f"point.{key}[{k}]") for k, v in enumerate(_sized(body[key], d, f"point.{key}")))
            for key in ("lower", "upper")
        )
        return EnclosedPoint(lower, upper)
    check_keys(body, "point", required=problem.parameters)
    elements = [_number(body[name], f"point.{name}") for name in problem.parameters]
    rational = all(len(e) == 1 for e in elements)
    return Point(RationalField() if rational else Ln2Ring(), tuple(elements))


def _number(body: object, where: str) -> Element:
    if isinstance(body, Mapping):
        check_keys(body, where, required=("ln2",))
        return _coefficients(body["ln2"], f"{where}.ln2")
    return (exact(body, where),)


def _field(body: object) -> Field:
    if body == "rational":
        return RationalField()
    if body == "ln2":
        return Ln2Ring()
    if not isinstance(body, Mapping):
        raise Invalid(
            "point.field",
            expected="'rational', 'ln2' or {\"polynomial\", \"interval\"}",
            got=described(body),
            remedy="leave it out for rational coordinates",
        )
    check_keys(body, "point.field", required=("polynomial", "interval"))
    lo, hi = (exact(v, "point.field.interval") for v in _sized(body["interval"], 2, "point.field.interval"))
    return NumberField(_coefficients(body["polynomial"], "point.field.polynomial"), (lo, hi))


def _element(body: object, field: Field, where: str) -> Element:
    if isinstance(field, RationalField):
        return (exact(body, where),)
    return _coefficients(body, where)


def _coefficients(body: object, where: str) -> Element:
    if not isinstance(body, list) or not body:
        raise Invalid(where, expected="a list of coefficients [c0, c1, ...]", got=described(body))
    out = [exact(c, f"{where}[{k}]") for k, c in enumerate(body)]
    while len(out) > 1 and out[-1] == Fraction(0):
        out.pop()
    return tuple(out)


def _sized(body: object, count: int, where: str) -> list[Any]:
    if not isinstance(body, list) or len(body) != count:
        raise Invalid(where, expected=f"a list of {count} numbers", got=described(body), remedy="write [low, high]")
    return body


def _example(problem: Problem) -> str:
    names = problem.parameters
    inside = ", ".join(f'"{n}": "1/2"' for n in names[:2])
    return "{" + inside + (", ..." if len(names) > 2 else "") + "}"


def read_inputs(given: str) -> list[Any]:
    """Sample inputs: numbers between commas (``1,1/2,3``) or a JSON list of numbers or rows (``[[1, 0], [0, 1]]``)."""
    if given.lstrip().startswith("["):
        listed = strict_json('{"inputs": ' + given + "}")["inputs"]
    else:
        listed = [part.strip() for part in given.split(",")]
    return [
        [exact(v, f"--inputs[{i}][{j}]") for j, v in enumerate(row)]
        if isinstance(row, list)
        else exact(row, f"--inputs[{i}]")
        for i, row in enumerate(listed)
    ]
