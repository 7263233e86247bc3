"""From a float to a theorem, or an honest failure: `promote` proposes exact points near a float and lets exact code judge.

Proposals, in order: every coordinate the simplest fraction near it; every coordinate on the lattice a + b ln 2; for
polynomial losses a small box with exactly one critical point (Krawczyk's test). Where the Hessian is singular
(families), as many coordinates as it has null directions are first moved to simple numbers and the rest follows by
Newton's method. A proposal counts only when the gradient vanishes *exactly* there (or the box is proved), and a fact only
when the independent checker has accepted its certificate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from explorer.algebra.inertia import Undecided
from explorer.algebra.krawczyk import prove_root
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Budget, Deadline
from explorer.certify.goals import GOALS, certify
from explorer.errors import BudgetExceeded, ExplorerError, Invalid, Unknown
from explorer.model.kinds import is_polynomial
from explorer.model.landscape import landscape
from explorer.model.polynomial import loss_polynomial
from explorer.numeric.backend import compiled
from explorer.numeric.newton import polish
from explorer.numeric.points import eigenvalue_error
from explorer.numeric.twin import Twin
from explorer.point import AnyPoint, Element, Ln2Ring, Point
from explorer.problem import Problem

if TYPE_CHECKING:
    from explorer.certify.certificate import Certificate

Tensor: TypeAlias = torch.Tensor
#: how near a float must be to the number that it is taken for, relative to 1 + |x|
NEAR = 2e-8
MAX_DENOMINATOR = 720
#: |b| <= 8 in a + b ln 2, in halves
LN2_STEPS = 16


@dataclass(frozen=True)
class Promotion:
    """``certificate`` is None where nothing was proved; ``because`` says what was proved, or every attempt that failed.

    ``point``: the exact point or box, None if none was found. ``moved``: its largest distance from the float point.
    """

    point: AnyPoint | None
    how: str
    goal: str | None
    certificate: Certificate | None
    because: str
    moved: float | None

    @property
    def succeeded(self) -> bool:
        return self.certificate is not None


def promote(
    problem: Problem, theta: Sequence[float], *, goal: str | None = None, budget: Budget | None = None
) -> Promotion:
    """An exact critical point near ``theta`` and a certificate about it, or the reasons why there is none.

    ``goal`` None: the strongest of the fitting goals that can be proved (global minimum, strict local minimum, local
    minimum; strict saddle, saddle; maximum; critical point), as the float spectrum suggests.
    """
    if goal is not None and goal not in GOALS:
        raise Unknown("goal", expected=f"one of {', '.join(GOALS)}", got=repr(goal)[:60])
    values = [float(x) for x in theta]
    if len(values) != len(problem.parameters) or not all(map(math.isfinite, values)):
        raise Invalid("theta", expected=f"{len(problem.parameters)} finite numbers", got=f"{len(values)} numbers")
    clock = (budget or Budget()).start()
    twin = compiled(problem, device="cpu")
    failures: list[str] = []
    proposals = list(_proposals(problem, twin, values, clock, failures))
    for aim in (goal,) if goal else _aims(twin, values):
        for how, point in proposals:
            moved = max(abs(a - b) for a, b in zip(_floats(point), values, strict=True))
            try:
                clock.check(f"proving {aim}")
                made = certify(problem, aim, at=point, budget=Budget(clock.remaining))
            except BudgetExceeded as spent:
                because = "; ".join(dict.fromkeys([*failures, spent.sentence()]))
                return Promotion(point, how, None, None, because, moved)
            except ExplorerError as refused:
                failures.append(f"{aim} at the {how}: {refused.sentence()}")
                continue
            return Promotion(point, how, aim, made, f"verified: {made.check().fact}", moved)
    if clock.over:
        failures.append("the budget was spent")
    return Promotion(
        None, "none", None, None, "; ".join(dict.fromkeys(failures)) or "no exact point was found near it", None
    )


def _floats(point: AnyPoint) -> list[float]:
    from explorer.numeric.exact_points import floats

    return floats(point)


def _aims(twin: Twin, theta: list[float]) -> tuple[str, ...]:
    batch = torch.tensor([theta], dtype=torch.float64)
    _, _, h = twin.quadratics(batch)
    spectrum, error = torch.linalg.eigvalsh(h[0]), eigenvalue_error(h[0]) * 1e3
    up, down = bool((spectrum > error).any()), bool((spectrum < -error).any())
    if up and down:
        return ("strict-saddle", "saddle", "critical-point")
    if down:
        return ("strict-local-maximum", "local-maximum", "saddle", "critical-point")
    return ("global-minimum", "strict-local-minimum", "local-minimum", "saddle", "critical-point")


def _proposals(
    problem: Problem, twin: Twin, values: list[float], clock: Deadline, failures: list[str]
) -> Iterator[tuple[str, AnyPoint]]:
    """Exact critical points near ``values``, most readable first."""
    seen: list[Point] = []
    start = torch.tensor([values], dtype=torch.float64)
    near = [polish(twin, start)[0]]
    holds, why_not = is_polynomial(problem)
    near += _simplified(twin, near[0], holds)
    for x in near:
        for how, guess in (("rational point", _rational), ("point over ln 2", _over_ln2)):
            if clock.over:
                return
            point = guess(x.tolist())
            if point is None:
                failures.append(f"no {how} within {NEAR:g} of it")
                continue
            why = _critical(problem, point)
            if why:
                failures.append(f"{how}: {why}")
            elif point not in seen:
                seen.append(point)
                yield how, point
    if not holds:
        failures.append(f"no box: {why_not}")
        return
    loss = loss_polynomial(problem)
    system = PolynomialSystem.gradient(loss.names, loss.terms)
    proof = prove_root(system, [Fraction(v) for v in near[0].tolist()])
    if isinstance(proof, Undecided):
        failures.append(f"no box: {proof.reason}")
    elif max(abs(float(c) - v) for c, v in zip(proof.point.centre, near[0].tolist(), strict=True)) > 1e-4 * (
        1 + max(map(abs, values))
    ):
        failures.append("no box: Newton's iteration led to another critical point")
    else:
        yield "box with one critical point", proof.point


def _critical(problem: Problem, point: Point) -> str:
    """Empty if the exact gradient vanishes at ``point``; else why not."""
    try:
        local = landscape(problem).at(point, order=1)
    except ExplorerError as refused:
        return refused.sentence()
    return "" if local.is_critical else "the exact gradient does not vanish there"


def simplest(x: float, tolerance: float, most: int = MAX_DENOMINATOR) -> Fraction | None:
    """The fraction with the least denominator (at most ``most``) within ``tolerance`` of ``x``."""
    for bound in (1, 2, 3, 4, 6, 8, 12, 16, 24, 30, 60, 100, 240, most):
        if bound > most:
            break
        q = Fraction(x).limit_denominator(bound)
        if abs(float(q) - x) <= tolerance:
            return q
    return None


def _rational(values: list[float]) -> Point | None:
    found = [simplest(x, NEAR * (1 + abs(x))) for x in values]
    return None if None in found else Point.rational(found)


def _over_ln2(values: list[float]) -> Point | None:
    elements = [_lattice(x) for x in values]
    return None if None in elements else Point(Ln2Ring(), tuple(e for e in elements if e is not None))


def _lattice(x: float) -> Element | None:
    """a + b ln 2 near ``x``: first b = 0, then a = 0, then both, small numbers first."""
    tolerance = NEAR * (1 + abs(x))
    plain = simplest(x, tolerance, 60)
    if plain is not None:
        return (plain,)
    halves = sorted((Fraction(s * k, 2) for k in range(1, LN2_STEPS + 1) for s in (1, -1)), key=lambda b: (b.denominator, abs(b)))  # fmt: skip
    for most in (0, 12):
        for b in halves:
            rest = x - float(b) * math.log(2)
            a = simplest(rest, tolerance, most) if most else (Fraction(0) if abs(rest) <= tolerance else None)
            if a is not None:
                return (a, b)
    whole = simplest(x, tolerance)
    return None if whole is None else (whole,)


def _simplified(twin: Twin, x: Tensor, polynomial: bool) -> list[Tensor]:
    """``x`` moved along its null directions to simple coordinates (coarse grids first), the others re-solved."""
    _, _, h = twin.quadratics(x[None])
    eigenvalues, vectors = torch.linalg.eigh(h[0])
    flat = eigenvalues.abs() <= 1e-6 * eigenvalues.abs().max().clamp_min(1e-300)
    count = int(flat.sum())
    if count == 0:
        return []
    null = vectors[:, flat]
    # outer layers enter linearly: with the inner ones held, what remains is often rational
    early = torch.linspace(1, 1e-3, len(x), dtype=x.dtype)[:, None] * null
    units = (1.0,) if polynomial else (math.log(2), 1.0)
    out = []
    for free in {tuple(_pivots(early, count)): None, tuple(_pivots(null, count)): None}:
        for grid in (1, 2, 4, 16):
            for unit in units:
                moved = _resolve(twin, x, list(free), grid / unit)
                if moved is not None:
                    out.append(moved)
    return out


def _pivots(null: Tensor, count: int) -> list[int]:
    """Rows of the null space basis that are most independent, by elimination with complete row pivoting."""
    rest, chosen = null.clone(), []
    for _ in range(count):
        k = int(rest.norm(dim=1).argmax())
        chosen.append(k)
        row = rest[k] / rest[k].norm().clamp_min(1e-300)
        rest = rest - (rest @ row)[:, None] * row
    return sorted(chosen)


def _resolve(twin: Twin, x: Tensor, free: list[int], grid: float) -> Tensor | None:
    """Newton's method on the other coordinates with the free ones held on the grid; None if it does not converge."""
    y = x.clone()
    y[free] = torch.round(y[free] * grid) / grid
    bound = [k for k in range(len(x)) if k not in free]
    for _ in range(40):
        _, g, h = twin.quadratics(y[None])
        if float(g.abs().max()) <= 1e-13 * (1 + float(h.abs().max())):
            break
        if not bound:
            return None
        step = torch.linalg.lstsq(h[0][:, bound], -g[0][:, None], driver="gelsd").solution[:, 0]
        y[bound] = y[bound] + step
        if not bool(torch.isfinite(y).all()):
            return None
    _, g, h = twin.quadratics(y[None])
    return y if float(g.abs().max()) <= 1e-10 * (1 + float(h.abs().max())) else None


def promotion_json(p: Promotion, problem: Problem) -> dict[str, Any]:
    """The document of ``explorer promote --json``."""
    return {
        "format": "explorer.promotion/1",
        "problem": problem.digest,
        "succeeded": p.succeeded,
        "how": p.how,
        "goal": p.goal,
        "trust": "verified" if p.succeeded else "numerical",
        "because": p.because,
        "moved": p.moved,
        "certificate": None if p.certificate is None else p.certificate.to_json(),
    }
