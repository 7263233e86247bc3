"""Two inputs: exact Fourier coefficients on the unit square of one hidden layer of ReLU units, and their disparity matrix.

The derivatives are polynomials of degree at most 1 on the half of the square where a unit is active, a polygon with rational
corners. By the divergence theorem, with e(x) = e^(-2 pi i k.x) and k != 0,
    integral of p e = i P / (2 |k|^2) (boundary integral of p e (k.n) - integral of (k.grad p) e),   P = 1/pi,
and boundary integrals are one-dimensional. The rows are exact in Q(zeta)[1/pi], as on the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from explorer.canonical.cells import rational_coordinates
from explorer.canonical.disparity import Disparity
from explorer.canonical.fourier import frequencies, wave_integral
from explorer.canonical.waves import Wave, WaveRing
from explorer.errors import Unsupported
from explorer.model.pieces import Coefficients
from explorer.point import AnyPoint
from explorer.problem import DenseNetwork, Problem

Corner = tuple[Fraction, Fraction]
#: a polynomial in two variables: exponents -> coefficient
Polynomial = dict[tuple[int, int], Fraction]

ZERO, ONE = Fraction(0), Fraction(1)
SQUARE: tuple[Corner, ...] = ((ZERO, ZERO), (ONE, ZERO), (ONE, ONE), (ZERO, ONE))


def half_square(normal: Corner, shift: Fraction) -> tuple[Corner, ...]:
    """The corners, counterclockwise, of the part of the unit square where normal.x + shift >= 0."""
    out: list[Corner] = []
    ring = [*SQUARE, SQUARE[0]]
    for a, b in pairwise(ring):
        u, v = (normal[0] * c[0] + normal[1] * c[1] + shift for c in (a, b))
        if u >= 0:
            out.append(a)
        if u * v < 0:
            t = u / (u - v)
            out.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
    return tuple(out) if len(out) >= 3 else ()


def polygon_integral(ring: WaveRing, corners: Sequence[Corner], p: Polynomial, k: tuple[int, int]) -> Wave:
    """The integral of p e^(-2 pi i k.x) over a polygon given counterclockwise; its phases must lie in the ring."""
    if not corners or not any(p.values()):
        return ring.zero
    edges = list(pairwise([*corners, corners[0]]))
    if k == (0, 0):
        first = {(a + 1, b): c / (a + 1) for (a, b), c in p.items()}  # Green: the boundary integral of this times dy
        return ring.add(*(_edge(ring, a, b, first, k, b[1] - a[1]) for a, b in edges))
    flux = [_edge(ring, a, b, p, k, k[0] * (b[1] - a[1]) - k[1] * (b[0] - a[0])) for a, b in edges]
    inner = polygon_integral(ring, corners, _directional(p, k), k)
    whole = ring.add(*flux, ring.neg(inner))
    return ring.mul(ring.scaled(whole, Fraction(1, 2 * (k[0] ** 2 + k[1] ** 2)), powers=1), ring.root(Fraction(1, 4)))


def _directional(p: Polynomial, k: tuple[int, int]) -> Polynomial:
    """k.grad p."""
    out: Polynomial = {}
    for (a, b), c in p.items():
        for key, factor in (((a - 1, b), k[0] * a), ((a, b - 1), k[1] * b)):
            if factor:
                out[key] = out.get(key, ZERO) + factor * c
    return out


def _edge(ring: WaveRing, a: Corner, b: Corner, p: Polynomial, k: tuple[int, int], weight: Fraction) -> Wave:
    """``weight`` times the integral over t in [0, 1] of p e^(-2 pi i k.x) along x = a + t (b - a)."""
    if not weight:
        return ring.zero
    lines = [(a[i], b[i] - a[i]) for i in (0, 1)]
    along: Coefficients = (ZERO,)
    for exponents, c in p.items():
        term: Coefficients = (c * weight,)
        for (start, slope), exponent in zip(lines, exponents, strict=True):
            for _ in range(exponent):
                term = _sum(tuple(start * q for q in term), (ZERO, *(slope * q for q in term)))
        along = _sum(along, term)
    start_phase = ring.root(-(k[0] * a[0] + k[1] * a[1]))
    kappa = k[0] * lines[0][1] + k[1] * lines[1][1]
    return ring.mul(start_phase, wave_integral(ring, ZERO, ONE, along, kappa))


def _sum(a: Coefficients, b: Coefficients) -> Coefficients:
    size = max(len(a), len(b))
    return tuple((a[i] if i < len(a) else ZERO) + (b[i] if i < len(b) else ZERO) for i in range(size))


def square_rows(problem: Problem, point: AnyPoint) -> list[tuple[tuple[Corner, ...], Polynomial]]:
    """df/dtheta_m for every parameter: a polynomial on a polygon, 0 elsewhere on the square."""
    net = problem.network
    if not isinstance(net, DenseNetwork) or net.depth != 2 or net.widths[0] != 2 or net.widths[-1] != 1:
        raise Unsupported("network", expected="two inputs, one hidden layer, scalar output", got="another")
    if net.activations[0].kind != "relu" or net.output.kind != "linear":
        raise Unsupported("network", expected="ReLU units and a linear output", got="others")
    theta, width = rational_coordinates(point), net.widths[1]
    shift = [theta[2 * width + j] if net.bias[0] else ZERO for j in range(width)]
    start = 2 * width + (width if net.bias[0] else 0)
    inner, biases, outer = [], [], []
    for j in range(width):
        normal, v = (theta[2 * j], theta[2 * j + 1]), theta[start + j]
        if not any(normal) and shift[j] == 0:
            raise Unsupported("unit", expected="a unit off its kink", got="weights and bias 0")
        active = half_square(normal, shift[j]) if any(normal) else (SQUARE if shift[j] > 0 else ())
        inner += [(active, {(1, 0): v}), (active, {(0, 1): v})]
        biases.append((active, {(0, 0): v}))
        outer.append((active, {(1, 0): normal[0], (0, 1): normal[1], (0, 0): shift[j]}))
    out: list[tuple[tuple[Corner, ...], Polynomial]] = inner + (biases if net.bias[0] else []) + outer
    return out + ([(SQUARE, {(0, 0): ONE})] if net.bias[1] else [])


def square_disparity(problem: Problem, point: AnyPoint, top: tuple[int, int]) -> Disparity:
    """H for two inputs, the frequencies |k_i| <= top_i in lexicographic order; ``top`` of the result is (N - 1)/2."""
    rows = square_rows(problem, point)
    phases = [v for active, _ in rows for c in active for v in c]
    ring = WaveRing.for_points(phases or [ZERO])
    box = frequencies(top)
    table = tuple(tuple(polygon_integral(ring, active, p, (k[0], k[1])) for k in box) for active, p in rows)
    return Disparity((len(box) - 1) // 2, ring, table, ring.rank(table))
