"""The nouns of a critical set: their JSON is the contract of ``explorer solve --json``; numbers compare exactly."""

from __future__ import annotations

import json
from fractions import Fraction as Q

import pytest

from explorer.point import EnclosedPoint, Inertia, Ln2Ring, NumberField, Point, RationalField
from explorer.problem import Problem
from explorer.solve.results import Component, Coverage, CriticalSet, Kind, Trust, Value
from explorer.solve.scalars import compare, element_json, enclosure
from explorer.solve.values import order
from explorer.solve.varieties.strata import Interval, _simplest

PROBLEM = Problem.monomial(["x", "y"], {(2, 0): 1, (0, 2): 1})
SQRT2 = NumberField((Q(-2), Q(0), Q(1)), (Q(1), Q(2)))
ALPHA = (Q(0), Q(1))


def point_component(point: Point | EnclosedPoint, inertia: Inertia | None, *, orbit: int = 1) -> Component:
    return Component(
        0, point, Value.rational(Q(1)), inertia, Kind.UNDECIDED, None, "because", orbit=orbit, isolated=True
    )


def made(*components: Component, complete: bool = True) -> CriticalSet:
    return CriticalSet(PROBLEM, components, Coverage(complete, "by hand", Trust.COMPUTED, "a test"))


def test_json_has_the_keys_of_the_contract() -> None:
    box = EnclosedPoint((Q(1, 3), Q(0)), (Q(1, 2), Q(1)))
    body = made(point_component(Point.rational(["1/2", 0]), Inertia(2, 0, 0)), point_component(box, None)).to_json()
    json.dumps(body)  # plain data
    assert {"format", "problem", "coverage", "parameters", "components", "summary"} <= body.keys()
    assert body["coverage"] == {"complete": True, "method": "by hand", "trust": "computed", "reason": "a test"}
    first, second = body["components"]
    assert first["sample"] == {"x": {"exact": "1/2", "approx": 0.5}, "y": {"exact": "0", "approx": 0.0}}
    assert first["value"] == {"exact": "1", "approx": 1.0}
    assert (first["inertia"], first["index"]) == ({"positive": 2, "zero": 0, "negative": 0}, 0)
    assert first["global"] is None
    assert second["sample"]["x"] == {"exact": None, "enclosure": ["1/3", "1/2"], "approx": 5 / 12}
    assert (second["inertia"], second["index"]) == (None, None)
    assert body["summary"]["by_index"] == {"0": 1, "unknown": 1}


def test_the_morse_sum_needs_a_complete_nondegenerate_finite_list() -> None:
    minimum, saddle = Inertia(2, 0, 0), Inertia(1, 0, 1)
    origin = Point.rational([0, 0])
    full = (point_component(origin, minimum, orbit=4), point_component(origin, saddle, orbit=3))
    assert made(*full).morse_sum == 1
    assert made(*full, complete=False).morse_sum is None
    assert made(*full, point_component(origin, Inertia(1, 1, 0))).morse_sum is None
    assert made(*full, point_component(origin, None)).morse_sum is None
    assert made(*full).real_points == 7


def test_numbers_in_json() -> None:
    assert element_json((Q(1, 2),), RationalField()) == "1/2"
    shown = element_json((Q(1), Q(1)), SQRT2)  # 1 + sqrt 2 is a root of t^2 - 2t - 1
    assert shown["polynomial"] == ["-1", "-2", "1"]
    lo, hi = (Q(v) for v in shown["interval"])
    assert (lo - 1) ** 2 < 2 < (hi - 1) ** 2
    assert element_json((Q(0), Q(3)), Ln2Ring()) == {"ln2": ["0", "3"]}
    # (x^2 - 2)(x - 5): alpha is sqrt 2, and alpha^2 = 2 is found to be rational although m is reducible
    reducible = NumberField((Q(10), Q(-2), Q(-5), Q(1)), (Q(1), Q(2)))
    assert element_json((Q(0), Q(0), Q(1)), reducible) == "2"


def test_comparison_across_fields() -> None:
    other = NumberField((Q(-8), Q(0), Q(1)), (Q(2), Q(3)))  # sqrt 8 = 2 sqrt 2
    assert compare((Q(0), Q(2)), SQRT2, ALPHA, other) == 0
    assert compare((Q(0), Q(2)), SQRT2, (Q(1, 10**30), Q(1)), other) == -1
    assert compare(ALPHA, SQRT2, (Q(7, 5),), RationalField()) == 1  # (7/5)^2 = 49/25 < 2
    minus = NumberField((Q(-2), Q(0), Q(1)), (Q(-2), Q(-1)))
    assert compare(ALPHA, SQRT2, ALPHA, minus) == 1  # the same polynomial, the other root
    lo, hi = enclosure(ALPHA, SQRT2)
    assert lo**2 < 2 < hi**2


def test_overlapping_enclosures_are_not_compared() -> None:
    a, b = Value(Q(0), Q(2)), Value(Q(1), Q(3))
    assert order(a, b) is None
    assert order(Value(Q(0), Q(1, 2)), b) == -1
    assert order(b, Value(Q(0), Q(1, 2))) == 1
    assert order(Value.rational(Q(1)), Value.rational(Q(1))) == 0


@pytest.mark.parametrize(
    ("lo", "hi", "simple"),  # by hand: the smallest denominator strictly between
    [
        ("1/3", "1/2", "2/5"),
        ("0", "1", "1/2"),
        ("0", "1/7", "1/8"),
        ("-1/2", "-1/3", "-2/5"),
        ("1", "3", "2"),
        ("-1", "1", "0"),
    ],
)
def test_simple_samples(lo: str, hi: str, simple: str) -> None:
    assert _simplest(Q(lo), Q(hi)) == Q(simple)


def test_samples_of_an_unbounded_interval_keep_inside() -> None:
    from explorer.algebra.roots import real_roots

    root = real_roots([-2, 0, 1])[1]  # sqrt 2
    for interval, inside in (
        (Interval(root, None), lambda q: q > 0 and q * q > 2),
        (Interval(None, root), lambda q: q < 0 or q * q < 2),
    ):
        samples = interval.samples()
        assert all(inside(next(samples)) for _ in range(20))
