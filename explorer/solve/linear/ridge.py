"""Equal ridge weights, one input or one output: the orbits of critical points are the positive roots of one polynomial.

Equations and proofs: docs/linear.md; what the orbits are and how they are classified: orbits.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq_mat, fmpq_poly

from explorer.algebra.balls import to_fmpq, to_fraction
from explorer.algebra.exactify import Conjugates
from explorer.algebra.fields import arithmetic
from explorer.algebra.roots import integer_polynomial, isolate
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.point import AnyPoint, Element, Point, RationalField
from explorer.problem import DenseNetwork, Problem
from explorer.solve.linear.closed_form import moments
from explorer.solve.scalars import element_text

#: exact Hessians over fields of larger degree take too long
MAX_DEGREE = 64


@dataclass(frozen=True)
class Orbit:
    """An orbit of critical points under isometries that preserve F: a compact manifold of this dimension, and one point of it.

    ``rank`` of the product of the layers, and ``dropped``, the parameters that vanish on a transversal slice through the sample
    (slices.py), are given where the orbit is one of the hidden layers' rotations alone and F may be known by boxes.
    """

    dimension: int
    sample: AnyPoint
    equations: tuple[str, ...]
    description: str
    rank: int | None = None
    dropped: tuple[int, ...] | None = None


def origin(problem: Problem) -> Orbit:
    """The point 0, critical for two or more layers and fixed by the whole group."""
    zero = ((Fraction(0),),) * len(problem.parameters)
    return Orbit(
        0, Point(RationalField(), zero), (), "the origin, an orbit of its own; no other critical point is near", rank=0
    )


def rank_one(problem: Problem, weight: Fraction, deadline: Deadline) -> list[Orbit]:
    """W_1 = s q_1 z^T, W_h = s q_h q_(h-1)^T, W_H = s q_(H-1)^T (transposed for one input) with unit vectors q_h and z,

    (s^(2H-2) N + lambda) z = s^(H-2) b, N = Sxx and b = Sxy (for one input N = Sxx I and b = Syx): the orbits are the s > 0 with |z| = 1.
    """
    net = problem.network
    assert isinstance(net, DenseNetwork)
    depth, hidden = net.depth, net.widths[1:-1]
    sxx, syx, _ = moments(problem)
    one_output = net.widths[-1] == 1
    b = [to_fraction(x) for x in syx.entries()]
    found = [origin(problem)]
    if not any(b):
        return found
    size = len(b)
    stretched = sxx * syx.transpose() if one_output else syx.transpose() * sxx[0, 0]
    image = [to_fraction(x) for x in stretched.entries()]
    lead = next(k for k in range(size) if b[k])
    ratio = image[lead] / b[lead]
    power, low = [0] * (2 * depth - 2), [0] * (depth - 2)
    if all(x == ratio * y for x, y in zip(image, b, strict=True)):  # b is an eigenvector of N: z is parallel to it
        whole = fmpq_poly([to_fmpq(weight), *power[1:], to_fmpq(ratio)])
        parts = [fmpq_poly([to_fmpq(x)]) for x in b]
    else:
        deadline.check("the determinant of a linear network's moments")
        whole, *parts = (p(fmpq_poly([*power, 1])) for p in _adjugate(sxx, b, weight))
    parts = [p * fmpq_poly([*low, 1]) for p in parts]
    eliminating = whole * whole - sum((p * p for p in parts), fmpq_poly([0]))
    for factor, _ in integer_polynomial([to_fraction(c) for c in eliminating.coeffs()]).factor()[1]:
        q = fmpq_poly(factor)
        for box in isolate(factor):
            if factor[0] == 0 or box[1] <= 0:
                continue
            deadline.check("constructing critical points of a linear network")
            if factor.degree() > MAX_DEGREE:
                raise Unsupported(
                    "equal ridge weights in closed form",
                    expected=f"samples in a field of degree at most {MAX_DEGREE}",
                    got=f"degree {factor.degree()}",
                )
            _, inverse, _ = (whole % q).xgcd(q)  # the determinant is positive for real s
            s = fmpq_poly([0, 1]) % q
            outer = [(p * inverse * s) % q for p in parts]
            sample = Conjugates(factor, _padded(net.widths, outer, s, one_output=one_output)).point(box)
            at = net.parameter_count - hidden[-1] if one_output else 0  # where the last (first) layer has its s
            if arithmetic(sample.field).sign(sample.coordinates[at]) > 0:
                found.append(_sphere(hidden, sample, sample.coordinates[at]))
    return found


def _adjugate(matrix: fmpq_mat, b: Sequence[Fraction], weight: Fraction) -> list[fmpq_poly]:
    """d = det(t matrix + weight), and the vector a with (t matrix + weight) a = d b, as polynomials in t: by interpolation.

    ``matrix`` is positive semidefinite, so that t = 0, 1, 2, ... give invertible matrices.
    """
    size = len(b)
    one = fmpq_mat([[to_fmpq(weight if i == j else Fraction(0)) for j in range(size)] for i in range(size)])
    right = fmpq_mat([[to_fmpq(x)] for x in b])
    values = []
    for t in range(size + 1):
        at = matrix * t + one
        values.append([at.det(), *(at.solve(right) * at.det()).entries()])
    nodes = fmpq_mat([[t**k for k in range(size + 1)] for t in range(size + 1)])
    columns = nodes.solve(fmpq_mat(values))
    return [fmpq_poly([columns[k, j] for k in range(size + 1)]) for j in range(size + 1)]


def _padded(
    widths: Sequence[int], outer: Sequence[fmpq_poly], s: fmpq_poly, *, one_output: bool
) -> tuple[fmpq_poly, ...]:
    """The network that uses the first unit of every hidden layer: ``outer`` = s z in the first (or last) layer, s elsewhere."""
    out: list[fmpq_poly] = []
    last, zero = len(widths) - 2, fmpq_poly([0])
    for h in range(last + 1):
        rows, cols = widths[h + 1], widths[h]
        table = [[zero] * cols for _ in range(rows)]
        if one_output and h == 0:
            table[0] = list(outer)
        elif not one_output and h == last:
            for i, x in enumerate(outer):
                table[i][0] = x
        else:
            table[0][0] = s
        out += [x for row in table for x in row]
    return tuple(out)


def _sphere(hidden: Sequence[int], sample: Point, s: Element) -> Orbit:
    spheres = [f"S^{n - 1}" for n in hidden if n > 1]
    pairs = 2 ** sum(n == 1 for n in hidden)
    pieces = "connected" if pairs == 1 else f"{pairs} connected pieces"
    last = len(hidden) + 1
    square = arithmetic(sample.field).mul(s, s)
    product = " ".join(f"W{h}" for h in range(last, 0, -1))
    return Orbit(
        sum(n - 1 for n in hidden),
        sample,
        (f"rank({product}) = 1", f"|W_h|^2 = {element_text(square, sample.field)} for every layer h"),
        f"{' x '.join(spheres)}, {pieces}: the units of every hidden layer turned by an orthogonal matrix, which moves a unit vector of it; "
        "value and inertia are the same on all of it",
    )
