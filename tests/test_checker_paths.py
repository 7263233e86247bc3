"""Paths, escapes, basins and coercivity against independent decisions: SymPy's real roots, exact sampling, hand-made forgeries."""

from __future__ import annotations

import itertools
import json
import random
from fractions import Fraction

import pytest
import sympy

from explorer import checker

T = sympy.Symbol("t")
NAMES = ("x", "y")


def monomial(terms):
    return {
        "format": "explorer.problem/1",
        "network": {
            "kind": "monomial",
            "parameters": list(NAMES[: len(next(iter(terms)))]),
            "terms": [{"coefficient": str(c), "exponents": list(e)} for e, c in terms.items()],
        },
    }


def rational_point(values):
    return {"field": "rational", "coordinates": [str(Fraction(v)) for v in values]}


def verdict(problem, goal, points, steps):
    raw = json.dumps(problem).encode()
    body = {
        "format": "explorer.certificate/1",
        "problem": checker.Problem(checker.parse_json(raw, "problem")).digest,
        "goal": goal,
        "points": points,
        "steps": steps,
    }
    return checker.check(raw, json.dumps(body).encode())


def value(terms, point):
    total = Fraction(0)
    for exponents, c in terms.items():
        for x, e in zip(point, exponents, strict=True):
            c = c * Fraction(x) ** e
        total += c
    return total


def random_terms(pick, size):
    return {
        tuple(pick.randint(0, 3) for _ in range(size)): Fraction(pick.choice([-3, -2, -1, 1, 2, 3]))
        for _ in range(pick.randint(1, 5))
    }


def straight(p, q):
    """The segment from p to q as one piece."""
    rows = [[(a, 0), (b - a, 1)] for a, b in zip(p, q, strict=True)]
    return [[[str(c), [e]] for c, e in row if c] for row in rows]


def true_course(terms, p, q):
    """The derivative of F along the segment, by SymPy: (polynomial, its real roots strictly inside (0, 1))."""

    def rational(v):
        return sympy.Rational(v.numerator, v.denominator)

    line = [rational(a) + rational(b - a) * T for a, b in zip(p, q, strict=True)]
    f = sum(rational(c) * sympy.prod(x**e for x, e in zip(line, k, strict=True)) for k, c in terms.items())
    return sympy.Poly(sympy.expand(f), T, domain="QQ")


def falls(poly):
    """Whether a polynomial is <= 0 on [0, 1]: its sign between consecutive real roots."""
    if poly.is_zero:
        return True
    roots = sorted({sympy.Integer(0), sympy.Integer(1), *(r for r in sympy.real_roots(poly) if 0 < r < 1)})
    middles = [(sympy.N(a, 60) + sympy.N(b, 60)) / 2 for a, b in itertools.pairwise(roots)]
    return all(poly.eval(sympy.Rational(str(m))) < 0 for m in middles)


def test_descending_segments_against_sympy():
    """Accepted exactly if F falls, except where the derivative touches 0 inside, which the checker leaves undecided."""
    pick, accepted = random.Random(31), 0
    for _ in range(60):
        terms = random_terms(pick, 2)
        p, q = ([Fraction(pick.randint(-3, 3), pick.randint(1, 2)) for _ in range(2)] for _ in range(2))
        if p == q or value(terms, q) >= value(terms, p):
            continue
        answer = verdict(
            monomial(terms),
            {"kind": "descending-path", "point": "p", "better": "q"},
            {"p": rational_point(p), "q": rational_point(q)},
            [
                {"rule": "value", "point": "p", "value": str(value(terms, p))},
                {"rule": "value", "point": "q", "value": str(value(terms, q))},
                {"rule": "below", "lower": "q", "upper": "p"},
                {"rule": "path", "point": "p", "to": "q", "pieces": [straight(p, q)]},
            ],
        )
        derivative = true_course(terms, p, q).diff(T)
        accepted += answer.status == "verified"
        if answer.status == "verified":
            assert falls(derivative), answer.line
        elif falls(derivative):
            assert any(0 < r < 1 for r in sympy.real_roots(derivative)), answer.line
    assert accepted > 8


def test_bounded_segments_against_sympy():
    pick, seen = random.Random(37), set()
    for _ in range(60):
        terms, level = random_terms(pick, 2), pick.randint(-4, 12)
        p, q = ([Fraction(pick.randint(-3, 3), 2) for _ in range(2)] for _ in range(2))
        if p == q:
            continue
        answer = verdict(
            monomial(terms),
            {"kind": "bounded-path", "point": "p", "to": "q"},
            {"p": rational_point(p), "q": rational_point(q)},
            [{"rule": "path", "point": "p", "to": "q", "pieces": [straight(p, q)], "level": str(level)}],
        )
        seen.add(answer.status)
        excess = true_course(terms, p, q) - level
        if answer.status == "verified":
            assert falls(excess), answer.line
        elif falls(excess):
            assert any(0 < r < 1 for r in sympy.real_roots(excess)), answer.line
    assert seen == {"verified", "rejected"}


SQUARE = {(2, 0): Fraction(1), (0, 2): Fraction(1)}  # x^2 + y^2


def path_verdict(pieces, p, q, level="9"):
    return verdict(
        monomial(SQUARE),
        {"kind": "bounded-path", "point": "p", "to": "q"},
        {"p": rational_point(p), "q": rational_point(q)},
        [{"rule": "path", "point": "p", "to": "q", "pieces": pieces, "level": level}],
    ).status


def test_forged_paths_are_refused():
    good = straight([1, 0], [0, 1])
    assert path_verdict([good], [1, 0], [0, 1]) == "verified"
    assert path_verdict([good], [1, 0], [0, 1], level="1") == "verified"  # 1 at both ends, less between
    assert path_verdict([good], [1, 0], [0, 1], level="99/100") == "rejected"  # the ends stand out
    assert path_verdict([good], [0, 1], [1, 0]) == "rejected"  # the other way round
    assert path_verdict([good], [1, 0], [0, 2]) == "rejected"  # ends elsewhere
    assert path_verdict([good], [2, 0], [0, 1]) == "rejected"  # starts elsewhere
    assert path_verdict([good, straight([0, 2], [3, 0])], [1, 0], [3, 0]) == "rejected"  # a jump
    assert path_verdict([good, straight([0, 1], [3, 0])], [1, 0], [3, 0]) == "verified"
    assert path_verdict([], [1, 0], [0, 1]) == "rejected"
    assert path_verdict([[[["1", [-1]]], [["1", [1]]]]], [1, 0], [1, 1]) == "rejected"  # a pole at t = 0


def escape_verdict(terms, p, start, limit, path, q, low):
    return verdict(
        monomial(terms),
        {"kind": "escape-path", "point": "p", "better": "q"},
        {"p": rational_point(p), "q": rational_point(q)},
        [
            {"rule": "value", "point": "q", "value": str(low)},
            {"rule": "escape", "point": "p", "from": start, "limit": limit, "path": path},
        ],
    )


def test_escapes():
    """By hand: F = (xy - 1)^2 + y^2 + 9y - 20y^4 is u^2 + 9u - 20u^4 along x = t, y = u = 1/t; it grows with u for u <= 1/4
    (dF/du = 2u + 9 - 80u^3 > 0), so it falls to 0 as t grows from 4 on, but not from t = 1 on. F(0, 1) = -9."""
    square = {(2, 2): Fraction(1), (1, 1): Fraction(-2), (0, 0): Fraction(1)}
    terms = square | {(0, 2): Fraction(1), (0, 1): Fraction(9), (0, 4): Fraction(-20)}
    path, q = [[["1", [1, 0]]], [["1", [-1, 0]]]], [0, 1]
    p = [4, Fraction(1, 4)]
    assert value(terms, q) == -9
    assert escape_verdict(terms, p, "4", "0", path, q, -9).status == "verified"
    assert escape_verdict(terms, [1, 1], "1", "0", path, q, -9).status == "rejected"  # F rises at first
    assert escape_verdict(terms, p, "4", "-1", path, q, -9).status == "rejected"  # another limit
    assert escape_verdict(terms, [4, Fraction(1, 5)], "4", "0", path, q, -9).status == "rejected"  # starts elsewhere
    assert escape_verdict(terms, p, "3", "0", path, q, -9).status == "rejected"
    assert escape_verdict(square, [1, 1], "1", "0", path, q, 1).status == "rejected"  # F is constant along it
    assert escape_verdict(square | {(0, 1): Fraction(1)}, [1, 1], "1", "0", path, q, 2).status == "rejected"  # F(q) > 0
    still = [[["4", [0, 0]]], [["1", [-1, 0]]]]  # x = 4, y = 1/t stays bounded; F tends to 1
    assert escape_verdict(terms, p, "4", "1", still, q, -9).status == "rejected"


def basin_verdict(terms, p, level, lower, upper, cuts, q):
    return verdict(
        monomial(terms),
        {"kind": "spurious-basin", "point": "p", "better": "q"},
        {"p": rational_point(p), "q": rational_point(q)},
        [
            {"rule": "value", "point": "p", "value": str(value(terms, p))},
            {"rule": "value", "point": "q", "value": str(value(terms, q))},
            {"rule": "basin", "point": "p", "level": level, "lower": lower, "upper": upper, "cuts": cuts},
        ],
    )


def test_accepted_basins_have_high_faces():
    """Random double wells plus a coupling: where the checker accepts, F on a fine sample of the faces lies above the level."""
    pick, accepted = random.Random(41), 0
    for _ in range(30):
        tilt, join = Fraction(pick.randint(1, 4), 8), Fraction(pick.randint(-2, 2), 4)
        terms = {(4, 0): Fraction(1), (2, 0): Fraction(-2), (1, 0): tilt, (0, 2): Fraction(1), (1, 1): join}
        p, q = [1, 0], [-1, 0]
        box = [Fraction(pick.randint(-2, 4), 5), -1], [Fraction(pick.randint(5, 9), 5), 1]
        level = value(terms, p) + Fraction(pick.randint(0, 6), 20)
        answer = basin_verdict(terms, p, str(level), *([str(v) for v in side] for side in box), [16, 16], q)
        if answer.status != "verified":
            continue
        accepted += 1
        (a, c), (b, d) = box
        for k in range(101):
            s = Fraction(k, 100)
            x, y = a + (b - a) * s, c + (d - c) * s
            assert all(value(terms, v) > level for v in ([x, c], [x, d], [a, y], [b, y]))
            for j in range(0, 101, 10):
                assert value(terms, [x, c + (d - c) * Fraction(j, 100)]) > value(terms, q)
    assert accepted > 2


def test_forged_basins_are_refused():
    well = {(4,): Fraction(1), (2,): Fraction(-2), (1,): Fraction(1, 4)}  # x^4 - 2x^2 + x/4: wells near 1 and -1
    good = (well, [1], "-1/2", ["1/2"], ["3/2"], [8], [-1])
    assert basin_verdict(*good).status == "verified"
    for place, other in (
        (1, [Fraction(3, 2)]),  # on the boundary
        (1, [2]),  # outside
        (2, "-1"),  # F(p) = -3/4 is above the level
        (2, "1"),  # the faces are not above it
        (3, ["-3/2"]),  # the box holds both wells: F(q) is not below its lower bound
        (4, ["1/2"]),  # an empty box
        (6, [Fraction(9, 10)]),  # q inside of the box
    ):
        forged = [*good[:place], other, *good[place + 1 :]]
        assert basin_verdict(*forged).status in ("rejected", "malformed"), other


def coercive_verdict(kind, weights, level, bounds, exponent=None):
    problem = {
        "format": "explorer.problem/1",
        "network": {"kind": "dense", "widths": [1, 1, 1], "activation": "relu", "bias": True},
        "data": {"inputs": [["1"]], "targets": [["1"]]},
        "loss": {"kind": "squared"},
        "regularizer": {"kind": kind, "weights": weights} | ({"exponent": exponent} if exponent else {}),
    }
    return verdict(problem, {"kind": "coercive"}, {}, [{"rule": "coercive", "level": level, "bounds": bounds}]).status


def test_coercivity():
    """lambda r^p >= level by hand; parameters w1, b1, w2 in this order."""
    assert coercive_verdict("l2", ["1", "4", "1"], "4", ["2", "1", "2"]) == "verified"
    assert coercive_verdict("l2", ["1", "4", "1"], "4", ["2", "99/100", "2"]) == "rejected"
    assert coercive_verdict("l2", ["1", "0", "1"], "4", ["2", "9", "2"]) == "rejected"  # an unpenalised parameter
    assert coercive_verdict("power", "1", "8", ["2", "2", "2"], exponent=3) == "verified"
    assert coercive_verdict("power", "1", "9", ["2", "2", "2"], exponent=3) == "rejected"
    # (1/3)(|a|^3 + 2 (w^2 + b^2)^(3/2)): a = r gives r^3/3, w = r gives 2 r^3/3
    assert coercive_verdict("neuron-cubic", "3", "16", ["2", "2", "3"]) == "verified"
    assert coercive_verdict("neuron-cubic", "3", "17", ["2", "2", "3"]) == "rejected"
    assert coercive_verdict("neuron-cubic", "3", "16", ["2", "2", "5/2"]) == "rejected"
    assert coercive_verdict("l2", "1", "-1", ["-1", "1", "1"]) == "rejected"  # no negative radius


@pytest.mark.parametrize(
    "kind", ["descending-path", "bounded-path", "escape-path", "spurious-basin", "coercive", "unattained-infimum"]
)
def test_goals_need_their_step(kind):
    goal = {"kind": kind, "point": "p", "better": "q"}
    if kind == "bounded-path":
        goal = {"kind": kind, "point": "p", "to": "q"}
    if kind == "coercive":
        goal = {"kind": kind}
    if kind == "unattained-infimum":
        goal = {"kind": kind, "point": "p"}
    points = {"p": rational_point([1, 0]), "q": rational_point([0, 0])}
    steps = [{"rule": "value", "point": "p", "value": "1"}, {"rule": "value", "point": "q", "value": "0"}]
    assert verdict(monomial(SQUARE), goal, points, steps).status == "rejected"
