"""What must hold of every `CriticalSet`: the hostile questions, each answered by floats or 50-digit numbers, not by the solver.

`audit(problem, found)` returns complaints as text, one per question that failed; an empty list is a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction as Q
from itertools import islice, permutations, product
from math import comb
from typing import Any

import mpmath
import numpy as np
from audit_problems import Poly
from audit_surface import Array, Surface, coordinates, derivative, limits, on_component

from explorer.point import EnclosedPoint
from explorer.problem import MonomialLoss, Problem
from explorer.solve.results import Component, CriticalSet, Kind


def audit(problem: Problem, found: CriticalSet, *, starts: int = 200, seed: int = 0) -> list[str]:
    surface = Surface(problem)
    rng = np.random.default_rng(seed)
    critical, low = limits(surface, starts, rng)
    out = [*_missing(surface, found, critical), *_values(surface, found, low), *_counts(problem, found)]
    out += _along(surface, found, critical, rng)
    out += _refound(surface, found, rng)
    for number, c in enumerate(found.components):
        out += [
            f"component {number} ({c.kind.value}, dimension {c.dimension}): {s}" for s in _component(surface, c, rng)
        ]
    return out


# -- (a) nothing is missing ----------------------------------------------------------------------------------------


def _missing(surface: Surface, found: CriticalSet, critical: Array) -> list[str]:
    if not found.coverage.complete:
        return []
    names = found.parameters
    out = []
    for x in critical:
        if not any(on_component(c, names, x, 1e-5) and _same_value(surface, c, x) for c in found.components):
            # an isolated degenerate point is reached slowly: |grad| ~ r^m, so 1e-10 may mean r ~ 1e-2
            if any(on_component(c, names, x, 5e-2) and (c.inertia is None or c.inertia.zero) for c in found.components):
                continue
            if _runs_away(surface, x):
                continue
            out.append(f"MISSED a critical point near {np.round(x, 6).tolist()}")
            if len(out) >= 3:
                break
    return out


def _same_value(surface: Surface, c: Component, x: Array) -> bool:
    """Closed forms list no equations, or such in f(x_i): F, constant on a family, is what a member must share."""
    if not c.dimension or "those of the sample" in c.description:
        return True
    value = float((c.value.lower + c.value.upper) / 2)
    return abs(float(surface.value(x[None])[0]) - value) < 1e-6 * (1 + abs(value))


def _refound(surface: Surface, found: CriticalSet, rng: Any) -> list[str]:
    """Every listed isolated nondegenerate point is where Newton's iteration goes from a start nearby."""
    if surface.terms is None and not surface.analytic:
        return []
    out = []
    for c in found.components:
        if c.dimension or not c.isolated or c.inertia is None or c.inertia.zero:
            continue
        for p in (c.points or (c.sample,))[:4]:
            goal = np.array([float(v) for v in coordinates(p, 60)])
            soft = np.abs(np.linalg.eigvalsh(surface.hessian(goal[None])[0])).min()
            x = (goal + 1e-3 * min(1.0, soft) * rng.normal(size=surface.d))[None]
            for _ in range(25):
                x = x - np.linalg.lstsq(surface.hessian(x)[0], surface.gradient(x)[0], rcond=None)[0]
            if not np.abs(x[0] - goal).max() < 1e-6 * (1 + np.abs(goal).max()):
                out.append(f"{np.round(goal, 6).tolist()} is not found again from nearby: {np.round(x[0], 6).tolist()}")
    return out


def _runs_away(surface: Surface, x: Array) -> bool:
    """Whether 50-digit Newton from x finds no critical point within 1e-3 of it (the float limit was an illusion)."""
    if surface.analytic:  # on a saturated plateau Newton's iteration walks on to infinity
        y = x[None]
        for _ in range(8):
            y = y - np.linalg.lstsq(surface.hessian(y)[0], surface.gradient(y)[0], rcond=1e-30)[0]
        if not np.abs(y[0] - x).max() < 1e-3:
            return True
    if surface.terms is not None:
        return _polished(surface, x) is None
    around = x + 0.1 * np.random.default_rng(0).uniform(-1, 1, size=(50, len(x)))
    return bool(np.abs(surface.gradient(around)).max() < 1e-4)  # saturated outputs, or a separated sample


def _polished(surface: Surface, x: Array) -> list[Q] | None:
    """The critical point within 1e-3 of x to 30 digits, by Newton's method with a pseudo-inverse; None if there is none."""
    assert surface.terms is not None
    first = [derivative(surface.terms, k) for k in range(surface.d)]
    with mpmath.workdps(50):
        y = mpmath.matrix([mpmath.mpf(float(v)) for v in x])
        for _ in range(60):
            g = mpmath.matrix([_at(p, y) for p in first])
            h = mpmath.matrix([[_at(derivative(p, j), y) for j in range(surface.d)] for p in first])
            u, s, v = mpmath.svd_r(h)
            inverse = mpmath.matrix(surface.d)
            for k in range(surface.d):
                inverse[k, k] = 1 / s[k] if s[k] > mpmath.mpf("1e-6") else 0
            y = y - v.T * inverse * u.T * g
        residual = mpmath.norm(mpmath.matrix([_at(p, y) for p in first]))
        moved = max(abs(y[k] - float(x[k])) for k in range(surface.d))
        if residual > mpmath.mpf("1e-30") or moved > mpmath.mpf("1e-3"):
            return None
        return [Q(int(mpmath.nint(y[k] * mpmath.mpf(2) ** 150)), 2**150) for k in range(surface.d)]


def _along(surface: Surface, found: CriticalSet, critical: Array, rng: Any) -> list[str]:
    """At points on families that an iteration found: value, inertia and kind are those that the family claims."""
    if surface.terms is None:
        return []
    out = []
    tried = dict.fromkeys(range(len(found.components)), 0)
    for x in critical:
        homes = [k for k, c in enumerate(found.components) if on_component(c, found.parameters, x, 1e-3)]
        if len(homes) != 1 or not found.components[homes[0]].dimension or tried[homes[0]] >= 3:
            continue
        c = found.components[homes[0]]
        if "value and inertia are those of the sample" in c.description:
            continue  # nothing is claimed about other points of it
        tried[homes[0]] += 1
        at = _polished(surface, x)
        if at is None:
            continue
        moved = shifted(surface.terms, at)
        constant = moved.get((0,) * surface.d, Q(0))
        words = [] if abs(constant - c.value.lower) < Q(1, 10**20) else [f"F is {float(constant)} there"]
        if c.inertia is not None and (counted := _inertia(moved, surface.d)) != (
            c.inertia.positive,
            c.inertia.zero,
            c.inertia.negative,
        ):
            words.append(f"inertia {c.inertia} at the sample, {counted} there")
        words += _neighbours({e: float(v) for e, v in moved.items() if sum(e) >= 2}, surface.d, c, rng)
        out += [f"family {homes[0]} ({c.kind.value}) at {np.round(x, 5).tolist()}: {w}" for w in words]
    return out


def _at(p: Poly, x: Any) -> Any:
    total = mpmath.mpf(0)
    for e, c in p.items():
        term = mpmath.mpf(c.numerator) / c.denominator
        for k, n in enumerate(e):
            term *= x[k] ** n
        total += term
    return total


# -- global claims -------------------------------------------------------------------------------------------------


def _values(surface: Surface, found: CriticalSet, low: Array) -> list[str]:
    if not len(low):
        return []
    best = float(surface.value(low).min())
    out = []
    for c in found.components:
        value = float(c.value.lower)
        if c.is_global and best < value - 1e-8 * (1 + abs(value)):
            out.append(f"a 'global' value {value} is beaten by {best}")
    if found.global_value is not None:
        value = float(found.global_value.lower)  # a wide enclosure is not a wrong one
        if best < value - 1e-8 * (1 + abs(value)):
            out.append(f"the global value {value} is beaten by {best}")
        if not any(c.is_global is not False for c in found.components):
            out.append("a global value is stated, but every component is said not to be global")
    return out


# -- (e) counts, orbits, Morse sum ---------------------------------------------------------------------------------


def _counts(problem: Problem, found: CriticalSet) -> list[str]:
    out = []
    isolated = [c for c in found.components if c.dimension == 0 and c.isolated]
    if found.real_points != sum(len(c.points) for c in isolated):
        out.append(f"real_points {found.real_points} but {sum(len(c.points) for c in isolated)} points are listed")
    if sum(found.by_index.values()) != found.real_points:
        out.append("the index histogram does not add up")
    points = [np.array([float(v) for v in coordinates(p, 60)]) for c in isolated for p in c.points]
    for k, p in enumerate(points):
        if any(np.abs(p - q).max() < 1e-9 for q in points[:k]):
            out.append("a point is listed twice")
    for c in isolated:
        if c.orbit is not None and c.orbit != len(c.points):
            out.append(f"an orbit of {c.orbit} lists {len(c.points)} points")
    if found.coverage.complete and isinstance(problem.network, MonomialLoss):
        terms = {tuple(e): v for v, e in problem.network.terms}
        for p in points:
            for q in _images(p, terms):
                if not any(np.abs(q - r).max() < 1e-7 * (1 + np.abs(q).max()) for r in points):
                    out.append("the isolated points are not closed under a symmetry of F")
    for c in isolated:  # all points of one orbit: one value, one spectrum
        surface = Surface(problem)
        orbit = np.array([[float(v) for v in coordinates(p, 60)] for p in c.points])
        spectra = np.linalg.eigvalsh(surface.hessian(orbit)) if surface.terms is not None else np.zeros((1, 1))
        values = surface.value(orbit)
        if np.ptp(values) > 1e-7 * (1 + np.abs(values).max()) or np.ptp(spectra, axis=0).max() > 1e-5 * (
            1 + np.abs(spectra).max()
        ):
            out.append("points of one orbit differ in value or spectrum")
    if found.morse_sum not in (None, 1) and _grows(problem):
        out.append(f"the Morse sum of a coercive loss is {found.morse_sum}")
    return out


def _grows(problem: Problem) -> bool:
    """Coercive by its form: every parameter carries a positive regularizer weight."""
    r = problem.regularizer
    return r is not None and all(w > 0 for w in r.weights)


def _images(p: Array, terms: Poly) -> list[Array]:
    """The images of p under every signed permutation of the parameters that fixes the polynomial, by trying them all."""
    d = len(p)
    out = []
    for images, signs in product(permutations(range(d)), product((1, -1), repeat=d)):
        moved: Poly = {}
        for e, c in terms.items():
            key = [0] * d
            sign = 1
            for k, n in enumerate(e):
                key[images[k]] = n
                sign *= signs[k] ** n
            moved[tuple(key)] = c * sign
        if moved == terms:
            q = np.zeros(d)
            for k in range(d):
                q[images[k]] = signs[k] * p[k]
            out.append(q)
    return out


# -- (b), (c), (d) one component -----------------------------------------------------------------------------------


def _component(surface: Surface, c: Component, rng: Any) -> list[str]:
    if surface.terms is None:
        return _by_values(surface, c, rng)
    at = coordinates(c.sample)
    if isinstance(c.sample, EnclosedPoint):
        at = _refined(surface.terms, at)
    moved = shifted(surface.terms, at)
    out = []
    linear = [abs(v) for e, v in moved.items() if sum(e) == 1]
    if max(linear, default=Q(0)) > Q(1, 2**80):
        out.append(f"the gradient at the sample is {float(max(linear)):.3g}")
    constant = moved.get((0,) * surface.d, Q(0))
    if not c.value.lower - Q(1, 2**60) <= constant <= c.value.upper + Q(1, 2**60):
        out.append(f"the value {float(constant)} is outside the stated enclosure")
    if c.inertia is not None and (counted := _inertia(moved, surface.d)) != (
        c.inertia.positive,
        c.inertia.zero,
        c.inertia.negative,
    ):
        out.append(f"inertia {c.inertia} but 50-digit eigenvalues say {counted}")
    if c.dimension and c.inertia is not None and c.inertia.zero < c.dimension:
        out.append(f"a family of dimension {c.dimension} with nullity {c.inertia.zero}")
    near = [float(v) for v in at]
    if not on_component(c, surface.problem.parameters, np.array(near), 1e-9):
        out.append("the sample does not satisfy the component's own equations")
    small = {e: float(v) for e, v in moved.items() if sum(e) >= 2}
    return out + _neighbours(small, surface.d, c, rng)


def _refined(terms: Poly, at: list[Q]) -> list[Q]:
    """Four Newton steps in 80 digits from the centre of a box."""
    d = len(at)
    first = [derivative(terms, k) for k in range(d)]
    second = [[derivative(p, j) for j in range(d)] for p in first]
    with mpmath.workdps(80):
        y = mpmath.matrix([mpmath.mpf(v.numerator) / v.denominator for v in at])
        for _ in range(4):
            h = mpmath.matrix([[_at(p, y) for p in row] for row in second])
            y = y - mpmath.lu_solve(h, mpmath.matrix([_at(p, y) for p in first]))
        return [Q(int(mpmath.nint(y[k] * mpmath.mpf(2) ** 220)), 2**220) for k in range(d)]


def shifted(terms: Poly, at: Sequence[Q], order: int = 8) -> Poly:
    """The coefficients up to total degree ``order`` of F(at + h) in h, by binomials in fixed-point arithmetic of 320 bits."""
    bits = 320
    out: dict[tuple[int, ...], int] = {}
    top = max((n for e in terms for n in e), default=0)
    base = [(v.numerator << bits) // v.denominator for v in at]
    powers = [[1 << bits] for _ in base]
    for x, row in zip(base, powers, strict=True):
        for _ in range(top):
            row.append(row[-1] * x >> bits)
    for e, c in terms.items():
        below = [((), (c.numerator << bits) // c.denominator, 0)]
        for k, n in enumerate(e):
            below = [
                ((*j, m), v * comb(n, m) * powers[k][n - m] >> bits if n else v, degree + m)
                for j, v, degree in below
                for m in range(min(n, order - degree) + 1)
                if m == n or base[k]
            ]
        for j, v, _ in below:
            out[j] = out[j] + v if j in out else v
    return {j: Q(v + (1 << bits - 201) >> bits - 200, 1 << 200) for j, v in out.items()}


def _inertia(moved: Poly, d: int) -> tuple[int, int, int]:
    with mpmath.workdps(50):
        h = mpmath.zeros(d)
        for e, c in moved.items():
            if sum(e) == 2:
                used = [k for k in range(d) if e[k]]
                i, j = used[0], used[-1]
                h[i, j] = h[j, i] = (mpmath.mpf(c.numerator) / c.denominator) * (2 if i == j else 1)
        values = [mpmath.re(v) for v in mpmath.eigsy(h, eigvals_only=True)]
        zero = mpmath.mpf("1e-25") * (1 + max(abs(v) for v in values))
        return sum(v > zero for v in values), sum(abs(v) <= zero for v in values), sum(v < -zero for v in values)


def directions(d: int, rng: Any, count: int = 400) -> Array:
    h = rng.normal(size=(count, d))
    h = np.concatenate([h, np.eye(d), -np.eye(d), np.sign(h[:100]) + 0.0])
    return h / np.linalg.norm(h, axis=1)[:, None]


def _neighbours(small: dict[tuple[int, ...], float], d: int, c: Component, rng: Any) -> list[str]:
    """Signs of F(p + h) - F(p) on small spheres and along curved shells h_k = u_k r^(a_k)."""
    lower = higher = 0
    hessian = np.zeros((d, d))
    for e, v in small.items():
        if sum(e) == 2:
            used = [k for k in range(d) if e[k]]
            i, j = used[0], used[-1]
            hessian[i, j] = hessian[j, i] = 2 * v if i == j else v
    # a cone around a small eigenvalue is narrow in many dimensions: try its axis too
    base = np.concatenate([directions(d, rng), np.linalg.eigh(hessian)[1].T])
    weights = list(islice((w for w in product((1, 2, 3), repeat=d) if min(w) == 1), 40))
    radii = (1e-2, 1e-3)
    for r in radii:
        h = np.concatenate([r ** np.array(w) * base for w in weights])
        total, noise = np.zeros(len(h)), np.zeros(len(h))
        for term in _terms(small, h):
            total += term
            noise += np.abs(term)
        noise = 1e-13 * noise + 1e-60
        lower += bool((total < -noise).any())
        higher += bool((total > noise).any())
    return _verdict(c.kind, lower == len(radii), higher == len(radii), lower, higher)


def _terms(small: dict[tuple[int, ...], float], h: Array) -> Iterator[Array]:
    """Every term at the rows of h; monomials in the order of their factors, so that a product is begun once for all that share it."""
    columns = np.ascontiguousarray(h.T)
    factors = {tuple(k for k, n in enumerate(e) for _ in range(n)): v for e, v in small.items() if v}
    begun: list[tuple[int, Array]] = []
    for word in sorted(factors):
        shared = 0
        while shared < min(len(begun), len(word)) and begun[shared][0] == word[shared]:
            shared += 1
        del begun[shared:]
        for k in word[shared:]:
            begun.append((k, begun[-1][1] * columns[k] if begun else columns[k]))
        yield factors[word] * begun[-1][1]


def _verdict(kind: Kind, lower: bool, higher: bool, some_lower: int, some_higher: int) -> list[str]:
    if kind.is_minimum and lower:
        return ["lower values in every small sphere tried"]
    if kind.is_maximum and higher:
        return ["higher values in every small sphere tried"]
    if kind is Kind.STRICT_SADDLE and not (some_lower and some_higher):
        return ["no lower or no higher neighbour was found"]
    if kind is Kind.SADDLE and not (some_lower and some_higher):
        return ["unconfirmed: no lower or no higher neighbour was found"]
    return []


def _by_values(surface: Surface, c: Component, rng: Any) -> list[str]:
    """The same by values of F itself, for losses that are not polynomials; 1e-12 is the rounding of F near 1."""
    at = np.array([float(v) for v in coordinates(c.sample, 60)])
    here = float(surface.value(at[None])[0])
    lower = higher = 0
    noise = 2e-13 * (1 + abs(here))
    base = directions(surface.d, rng, 2000)
    curved = surface.hessian(at[None])[0]
    if np.isfinite(curved).all():  # as above: the cone of a small eigenvalue is narrow
        axes = np.linalg.eigh(curved)[1].T
        base = np.concatenate([base, axes, -axes])
    weights = [w for w in product((1, 2), repeat=surface.d) if min(w) == 1][:8]
    radii = (3e-2, 1e-2)
    for r in radii:
        total = surface.value(at + np.concatenate([r ** np.array(w) * base for w in weights])) - here
        lower += bool((total < -noise).any())
        higher += bool((total > noise).any())
    value = float((c.value.lower + c.value.upper) / 2)
    out = [] if abs(value - here) < 1e-9 * (1 + abs(here)) else [f"the value is {here}, not {value}"]
    return out + _verdict(c.kind, lower == len(radii), higher == len(radii), lower, higher)
