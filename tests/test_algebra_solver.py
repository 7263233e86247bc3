"""The solver by both engines. Known counts: by hand where it says so; N_C of the network families from Singular 4.4
(vdim of a standard basis over Q) and Macaulay2 1.26 (exact degree), runs of 2026 on generic data of the same shape."""

from __future__ import annotations

import random
from fractions import Fraction as Q
from itertools import pairwise, product

import flint
import pytest
from clock_tools import processor_seconds
from flint import fmpq_poly, fmpz_poly

from explorer.algebra import groebner, msolve, solver
from explorer.algebra.balls import ball
from explorer.algebra.exactify import Conjugates, satisfies
from explorer.algebra.fields import arithmetic
from explorer.algebra.inertia import BoxInertia, inertia, inertia_in_box
from explorer.algebra.krawczyk import KrawczykProof, prove_box, prove_root
from explorer.algebra.parametrization import Dimension, Parametrization, Proposal
from explorer.algebra.solver import SystemSolution, solve_zero_dimensional
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline
from explorer.errors import BudgetExceeded, Unsupported
from explorer.point import EnclosedPoint, Point

HAVE_MSOLVE = msolve.find_msolve() is not None
needs_msolve = pytest.mark.skipif(not HAVE_MSOLVE, reason="msolve is not installed")
ENGINES = [pytest.param("msolve", marks=needs_msolve), "groebner", "auto"]
Poly = dict[tuple[int, ...], Q]


# -- a few lines of polynomial arithmetic, so that the losses below come from no code under test -------------------


def add(*ps: Poly) -> Poly:
    out: Poly = {}
    for p in ps:
        for e, c in p.items():
            out[e] = out.get(e, Q(0)) + c
    return out


def mul(p: Poly, q: Poly) -> Poly:
    out: Poly = {}
    for e, c in p.items():
        for f, d in q.items():
            g = tuple(a + b for a, b in zip(e, f, strict=True))
            out[g] = out.get(g, Q(0)) + c * d
    return out


def scale(c: Q | int, p: Poly) -> Poly:
    return {e: Q(c) * d for e, d in p.items()}


def unknown(k: int, n: int) -> Poly:
    return {tuple(int(i == k) for i in range(n)): Q(1)}


def constant(c: Q | int, n: int) -> Poly:
    return {(0,) * n: Q(c)}


def gradient(loss: Poly) -> PolynomialSystem:
    n = len(next(iter(loss)))
    return PolynomialSystem.gradient([f"t{k}" for k in range(n)], loss)


def chain(k: int) -> PolynomialSystem:
    """(w1...wk - 1)^2 + sum lambda_i w_i^2 with distinct small lambda_i."""
    p = constant(1, k)
    for i in range(k):
        p = mul(p, unknown(i, k))
    p = add(p, constant(-1, k))
    ridge = [scale(Q(i + 2, 60), mul(unknown(i, k), unknown(i, k))) for i in range(k)]
    return gradient(add(mul(p, p), *ridge))


def linear_network(widths: list[int], seed: int) -> PolynomialSystem:
    """A deep linear network on five random integer samples with distinct ridge weights."""
    rng = random.Random(seed)
    n = sum(a * b for a, b in pairwise(widths))
    unknowns = iter(unknown(k, n) for k in range(n))
    layers = [[[next(unknowns) for _ in range(a)] for _ in range(b)] for a, b in pairwise(widths)]
    loss: Poly = {}
    for _ in range(5):
        values = [constant(rng.randint(-3, 3), n) for _ in range(widths[0])]
        for layer in layers:
            values = [add(*(mul(w, v) for w, v in zip(row, values, strict=True))) for row in layer]
        for v in values:
            r = add(v, constant(rng.randint(-3, 3), n))
            loss = add(loss, mul(r, r))
    return gradient(add(loss, *(scale(Q(rng.randint(1, 40), 20), mul(unknown(k, n), unknown(k, n))) for k in range(n))))


def quadratic_network(width: int) -> PolynomialSystem:
    """sum_j v_j (w_j x)^2 on x = 1, 2, 3 with one ridge weight: inputs of dimension one, square activation."""
    n, loss = 2 * width, {}
    for x, y in ((1, 1), (2, -1), (3, 2)):
        squares = [mul(unknown(j, n), unknown(j, n)) for j in range(width)]
        units = [scale(x * x, mul(squares[j], unknown(width + j, n))) for j in range(width)]
        r = add(*units, constant(-y, n))
        loss = add(loss, mul(r, r))
    return gradient(add(loss, *(scale(Q(1, 5), mul(unknown(k, n), unknown(k, n))) for k in range(n))))


def solve(system: PolynomialSystem, engine: str = "auto", seconds: float = 100) -> SystemSolution:
    return solve_zero_dimensional(system, Deadline(seconds), engine=engine)  # type: ignore[arg-type]


def morse_sum(solution: SystemSolution) -> int:
    """sum (-1)^index over the real critical points, each inertia exact or rigorous; every point must be nondegenerate."""
    total = 0
    for root in solution.roots:
        if isinstance(root.point, Point):
            found = inertia(solution.system.jacobian_at(root.point), root.point.field)
        else:
            with flint.ctx.workprec(256):
                balls = [ball(a, b) for a, b in zip(root.point.lower, root.point.upper, strict=True)]
                box = inertia_in_box(solution.system.jacobian_at_balls(balls))
            assert isinstance(box, BoxInertia), box
            found = box.inertia
        assert found.zero == 0
        total += (-1) ** found.negative
    return total


# -- hand-derivable systems -------------------------------------------------------------------------------------

HAND: dict[str, tuple[PolynomialSystem, Dimension, int, int, list[list[str]]]] = {
    # name: system, dimension, distinct complex points, multiplicity, rational real points (in order)
    "x^2=2, y=x": (
        PolynomialSystem.of("xy", [{(2, 0): 1, (0, 0): -2}, {(0, 1): 1, (1, 0): -1}]), Dimension.FINITE, 2, 2, []),
    "rational": (
        PolynomialSystem.of("xy", [{(2, 0): 9, (0, 0): -4}, {(1, 1): 1, (0, 0): -1}]), Dimension.FINITE, 2, 2,
        [["-2/3", "-3/2"], ["2/3", "3/2"]]),
    "double point": (
        PolynomialSystem.of("xy", [{(2, 0): 1, (1, 0): -2, (0, 0): 1}, {(0, 1): 1, (1, 0): -1}]),
        Dimension.FINITE, 1, 2, [["1", "1"]]),
    "fourfold point": (
        PolynomialSystem.of("xy", [{(2, 0): 1}, {(0, 2): 1}]), Dimension.FINITE, 1, 4, [["0", "0"]]),
    # x (x - 1) = 0, x y = 0, y^2 = 0: the double point (0, 0) and the simple point (1, 0)
    "double and simple": (
        PolynomialSystem.of("xy", [{(2, 0): 1, (1, 0): -1}, {(1, 1): 1}, {(0, 2): 1}]),
        Dimension.FINITE, 2, 3, [["0", "0"], ["1", "0"]]),
    "no real point": (
        PolynomialSystem.of("xy", [{(2, 0): 1, (0, 0): 1}, {(0, 1): 1}]), Dimension.FINITE, 2, 2, []),
    "no point at all": (
        PolynomialSystem.of("xy", [{(2, 0): 1, (0, 0): 1}, {(1, 0): 1}]), Dimension.EMPTY, 0, 0, []),
    "overdetermined": (
        PolynomialSystem.of("xy", [{(2, 0): 1, (0, 0): -1}, {(0, 1): 1, (1, 0): -1}, {(1, 1): 1, (0, 0): -1}]),
        Dimension.FINITE, 2, 2, [["-1", "-1"], ["1", "1"]]),
    "grid": (  # points (a, b), a and b in {0, 1, 2}: no single coordinate separates them
        PolynomialSystem.of("xy", [{(3, 0): 1, (2, 0): -3, (1, 0): 2}, {(0, 3): 1, (0, 2): -3, (0, 1): 2}]),
        Dimension.FINITE, 9, 9, [[str(a), str(b)] for a, b in product(range(3), repeat=2)]),
    "one unknown": (PolynomialSystem.of("x", [{(3,): 1, (1,): -1}]), Dimension.FINITE, 3, 3, [["-1"], ["0"], ["1"]]),
    "one unknown, double": (
        PolynomialSystem.of("x", [{(3,): 1, (2,): -1}]), Dimension.FINITE, 2, 3, [["0"], ["1"]]),
}  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", HAND)
def test_by_hand(name: str, engine: str) -> None:
    system, dimension, points, multiplicity, rational = HAND[name]
    found = solve(system, engine)
    assert (found.dimension, found.complex_count, found.multiplicity) == (dimension, points, multiplicity)
    assert found.complete, found.reason
    exact = [r.point for r in found.roots if isinstance(r.point, Point) and r.point.is_rational]
    assert exact == [Point.rational(p) for p in rational]
    assert all(r.proof == "exact" and system.vanishes_at(r.point) for r in found.roots if isinstance(r.point, Point))


def test_multiple_points_are_kept_and_marked() -> None:
    found = solve(HAND["double and simple"][0])
    assert [r.singular for r in found.roots] == [True, False]
    assert "multiple" in found.roots[0].note
    assert found.complex_count_is == "exact"


@pytest.mark.parametrize("engine", ENGINES)
def test_infinitely_many_solutions_are_a_result(engine: str) -> None:
    found = solve(PolynomialSystem.of("xy", [{(1, 1): 1}, {(1, 0): 1}]), engine)  # the line x = 0
    assert found.dimension is Dimension.POSITIVE
    assert not found.complete
    assert found.reason
    assert solve(PolynomialSystem.of("xy", [{}, {}])).dimension is Dimension.POSITIVE
    assert solve(PolynomialSystem.of("xy", [{(0, 0): 3}, {}])).dimension is Dimension.EMPTY


@pytest.mark.parametrize("engine", ENGINES)
def test_squares_of_irrational_points(engine: str) -> None:
    """(x^2 - 2)^2 = 0, y = x: two double points at +-sqrt 2, exact in the field and marked singular."""
    system = PolynomialSystem.of("xy", [{(4, 0): 1, (2, 0): -4, (0, 0): 4}, {(0, 1): 1, (1, 0): -1}])
    found = solve(system, engine)
    assert (found.complex_count, found.multiplicity, len(found.roots)) == (2, 4, 2)
    assert all(r.singular and isinstance(r.point, Point) and system.vanishes_at(r.point) for r in found.roots)
    signs = [arithmetic(r.point.field).sign(r.point.coordinates[0]) for r in found.roots if isinstance(r.point, Point)]
    assert signs == [-1, 1]


# -- network families -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("k", "complex_count"), [(3, 17), (4, 49)])
def test_chain(k: int, complex_count: int, engine: str) -> None:
    """Real points by hand: all lambda_i w_i^2 are equal, so besides the origin each of the two positive values of the
    product has 2^(k-1) sign patterns: 2^k + 1 points."""
    found = solve(chain(k), engine)
    assert (found.complex_count, len(found.roots), found.complete) == (complex_count, 2**k + 1, True)
    assert morse_sum(found) == 1


FAMILIES = {
    "2-1-2": (linear_network([2, 1, 2], 5), 17),
    "2-2-1": (linear_network([2, 2, 1], 5), 33),
    "3-1-3": (linear_network([3, 1, 3], 5), 37),
    "1-1-1-1-1": (linear_network([1, 1, 1, 1, 1], 5), 49),
    "quadratic, two units": (quadratic_network(2), 33),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_engines_agree(name: str) -> None:
    """Complex count against other programs; Morse sum of a coercive Morse function is 1; both engines find the same."""
    system, complex_count = FAMILIES[name]
    solutions = [solve(system, "groebner")] + ([solve(system, "msolve")] if HAVE_MSOLVE else [])
    for found in solutions:
        assert found.dimension is Dimension.FINITE
        assert found.complete, found.reason
        assert found.complex_count == found.multiplicity == complex_count
        assert morse_sum(found) == 1
    assert solutions[0].complex_count_is == "exact"
    boxes = [[r.enclosure for r in s.roots] for s in solutions]
    assert len({len(b) for b in boxes}) == 1
    for left, right in zip(boxes[0], boxes[-1], strict=True):
        assert all(a <= d and c <= b for (a, b), (c, d) in zip(left, right, strict=True))


@pytest.mark.slow
@needs_msolve
@pytest.mark.parametrize(
    ("system", "complex_count"), [(quadratic_network(3), 105), (linear_network([2, 1, 1, 2], 5), 81)]
)
def test_larger_families(system: PolynomialSystem, complex_count: int) -> None:
    found = solve(system, "msolve")
    assert (found.complex_count, found.complete) == (complex_count, True)
    assert morse_sum(found) == 1


def test_large_degree_roots_are_boxes_that_krawczyk_proves() -> None:
    found = solve(FAMILIES["3-1-3"][0], "groebner")
    boxes = [r for r in found.roots if isinstance(r.point, EnclosedPoint)]
    assert boxes
    assert all(r.proof == "krawczyk" and not r.singular for r in boxes)
    proofs = [prove_box(found.system, r.point) for r in boxes if isinstance(r.point, EnclosedPoint)]
    assert all(isinstance(p, KrawczykProof) for p in proofs)
    every = solve_zero_dimensional(FAMILIES["3-1-3"][0], Deadline(60), engine="groebner", max_field_degree=40)
    assert all(r.proof == "exact" for r in every.roots)
    assert len(every.roots) == len(found.roots)


# -- distrust -----------------------------------------------------------------------------------------------------


def test_a_wrong_proposal_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that lies about x^2 = 2, y = x: it says y = -x, or adds a point that is no solution."""
    system = HAND["x^2=2, y=x"][0]
    t = fmpq_poly([0, 1])
    for w, numerators in [
        (fmpz_poly([-2, 0, 1]), (t, -t)),
        (fmpz_poly([-2, 0, 1]) * fmpz_poly([-3, 1]), (t, t)),
    ]:
        lie = Proposal(Dimension.FINITE, "liar", "exact", Parametrization(w, fmpq_poly([1]), numerators), w.degree())
        monkeypatch.setattr(solver, "_propose", lambda *_, lie=lie: lie)
        found = solve(system)
        assert not found.complete
        assert "does not solve" in found.reason
        assert all(system.vanishes_at(r.point) for r in found.roots if isinstance(r.point, Point))


def test_merged_points_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parametrisation that lists (sqrt 2, sqrt 2) under two factors."""
    system = HAND["x^2=2, y=x"][0]
    # t^2 = 2 gives x = t, and s^2 = 8 gives x = s/2: the same points twice; numerator (t^3 + 4 t)/12 does both
    w = fmpz_poly([-2, 0, 1]) * fmpz_poly([-8, 0, 1])
    x = fmpq_poly([0, 14, 0, -1]) / 12  # odd cubic a t + b t^3 with a + 2 b = 1 and a + 8 b = 1/2
    lie = Proposal(Dimension.FINITE, "liar", "exact", Parametrization(w, fmpq_poly([1]), (x, x)), 4)
    monkeypatch.setattr(solver, "_propose", lambda *_: lie)
    found = solve(system)
    assert not found.complete
    assert "told apart" in found.reason


@pytest.mark.parametrize(
    "text",
    ["", "[", "[0]:", "[2, 3]:", "[0, [0, 2, 2, ['x1', 'x2'], [0,1], [2, []]]]:", "Segmentation fault", "[1",
     "[0, [0, 2, 2, ['x1', 'x2'], [0,1], [1, [[2, [1, 2, 1]], [1, [0, 2]], [[[1, [-4, 0]], 1]]]]]]:"],
)  # fmt: skip
def test_unusable_output_of_msolve(text: str) -> None:
    found = msolve.parse(text, 2)
    assert found.dimension is Dimension.UNDECIDED
    assert found.reason


def test_msolve_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_MSOLVE", "")
    assert msolve.find_msolve() is None
    assert "FLINT" in solve(chain(3)).method
    with pytest.raises(Unsupported):
        solve(chain(3), "msolve")


def test_small_systems_are_solved_exactly_in_this_process_and_large_ones_are_refused() -> None:
    """49 = 1 + 3 * 2^4 by hand (tests/test_homotopy.py); x = x + 1 has no solution; xy = 0 has infinitely many."""
    found = groebner.quick(chain(4))
    assert found is not None
    assert (found.dimension, found.multiplicity, found.counts) == (Dimension.FINITE, 49, "exact")
    assert groebner.quick(chain(4), largest=48) is None
    assert groebner.quick(chain(5)) is None
    assert groebner.quick(linear_network([2, 2, 2], 1)) is None
    empty = groebner.quick(PolynomialSystem.of(["x", "y"], [{(1, 0): 1, (0, 1): 1}, {(1, 0): 1, (0, 1): 1, (0, 0): 1}]))
    assert empty is not None
    assert empty.dimension is Dimension.EMPTY
    lines = groebner.quick(PolynomialSystem.of(["x", "y"], [{(1, 1): 1}]))
    assert lines is not None
    assert lines.dimension is Dimension.POSITIVE


@pytest.mark.skipif(not HAVE_MSOLVE, reason="needs msolve")
def test_msolve_refuses_more_solutions_than_wanted() -> None:
    binary = msolve.find_msolve()
    assert binary is not None
    with pytest.raises(msolve.TooMany, match="129"):
        msolve.propose(chain(5), binary, Deadline(30), largest=128)
    assert msolve.propose(chain(5), binary, Deadline(30), largest=129).multiplicity == 129
    assert msolve.multiplicity(chain(5), binary, Deadline(30)) == 129


def test_a_broken_msolve_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("EXPLORER_MSOLVE", "/bin/false")
    found = solve(chain(5))  # too large for this process
    assert (found.complex_count, found.complete, found.complex_count_is) == (129, True, "exact")
    assert "after msolve" in found.method


@pytest.mark.parametrize("engine", ENGINES)
def test_the_budget_really_stops(engine: str) -> None:
    """2-2-2-1 takes msolve half a minute and the exact engine for ever: either must end with the budget."""
    before = processor_seconds()
    with pytest.raises(BudgetExceeded):
        solve(linear_network([2, 2, 2, 1], 1), engine, seconds=1.5)
    assert processor_seconds() - before < 6  # the engine's own included


@needs_msolve
def test_what_was_left_out_for_lack_of_time_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """msolve's answer without the exact one beside it, and roots without the second isolation, are called that."""

    def out_of_time(*_: object, **__: object) -> None:
        raise BudgetExceeded("budget", got="its share spent", remedy="wait")

    monkeypatch.setattr(groebner, "quick", lambda *_, **__: None)
    assert solver.NO_SECOND not in solve(chain(3)).method
    monkeypatch.setattr(groebner, "propose", out_of_time)
    found = solve(chain(3))
    assert (found.complex_count_is, solver.NO_SECOND in found.method) == ("modular", True)
    notes: list[str] = []
    roots = fmpz_poly([-2, 0, 1])  # x^2 - 2
    assert solver.isolated_twice(roots, Deadline(None), notes)[1]
    assert not notes
    once, agree = solver.isolated_twice(roots, Deadline(0), notes)
    assert (len(once), agree, notes) == (2, True, ["real roots isolated once, for lack of time"])


def test_same_input_same_answer() -> None:
    assert solve(chain(3)) == solve(chain(3))
    if HAVE_MSOLVE:
        assert solve(chain(4), "msolve") == solve(chain(4), "msolve")


def test_engine_crash_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groebner.sys, "executable", "/bin/false")
    found = solve(chain(5), "groebner")
    assert found.dimension is Dimension.UNDECIDED
    assert not found.complete
    assert "failed" in found.reason


def test_substituting_in_a_field_stops_with_the_clock():
    """x^2 = 2, y = x: (t, t) modulo t^2 - 2 solves it; no time left, no answer."""
    system = PolynomialSystem.of(["x", "y"], [{(2, 0): 1, (0, 0): -2}, {(1, 1): 1, (0, 0): -2}])
    points = Conjugates(fmpz_poly([-2, 0, 1]), (fmpq_poly([0, 1]), fmpq_poly([0, 1])))
    assert satisfies(system, points, Deadline(None))
    with pytest.raises(BudgetExceeded, match="substituting proposed roots"):
        satisfies(system, points, Deadline(0.0))


def test_one_proof_for_each_orbit_of_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    system = PolynomialSystem.of("xy", [{(2, 0): 1, (0, 0): -2}, {(0, 2): 1, (0, 0): -3}])  # x^2 = 2, y^2 = 3
    asked = []
    monkeypatch.setattr(solver, "prove_root", lambda *a, **k: asked.append(a) or prove_root(*a, **k))
    found = solve_zero_dimensional(system, Deadline(60), engine="groebner", max_field_degree=1)
    assert len(asked) == 1
    assert len(found.roots) == 4
    assert {tuple(a + b > 0 for a, b in r.enclosure) for r in found.roots} == set(product((False, True), repeat=2))
    for r in found.roots:
        assert isinstance(r.point, EnclosedPoint)
        assert isinstance(prove_box(system, r.point), KrawczykProof)
        assert all(a**2 < v < b**2 or b**2 < v < a**2 for (a, b), v in zip(r.enclosure, (2, 3), strict=True))
