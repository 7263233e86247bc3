"""Two linear layers, one ridge weight, whitened inputs (Sxx = c times a projection): the critical set from singular vectors of Syx.

With W_1 = Q S V^T and W_2 = U S Q^T (balance: orbits.py) the equations become Syx V = U (c S^2 + lambda) and
Syx^T U = V (c S^2 + lambda): any set of at most n_1 orthonormal singular vectors with singular values sigma > lambda, and
s^2 = (sigma - lambda)/c. Proof, dimensions and connected pieces: docs/linear.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import isqrt

from flint import fmpq_mat, fmpq_poly, fmpz_poly

from explorer.algebra.balls import to_fmpq, to_fraction
from explorer.algebra.exactify import Conjugates
from explorer.algebra.roots import AlgebraicNumber, integer_polynomial, isolate, real_roots, refine, sturm_count
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.exact import text
from explorer.problem import DenseNetwork, Problem
from explorer.solve.linear.closed_form import moments
from explorer.solve.linear.ridge import Orbit, origin
from explorer.solve.linear.unregularised import MAX_STRATA, columns

SUBJECT = "equal ridge weights in closed form"


@dataclass(frozen=True)
class Space:
    """A singular value of Syx above the ridge weight, by its square, and an orthogonal basis of its right singular vectors."""

    square: Fraction
    basis: tuple[tuple[Fraction, ...], ...]

    @property
    def singular(self) -> Fraction | None:
        """The singular value itself where it is rational."""
        return root(self.square)

    @property
    def text(self) -> str:
        return f"sqrt({text(self.square)})" if self.singular is None else text(self.singular)


def whitened(problem: Problem, weight: Fraction, deadline: Deadline) -> list[Orbit] | None:
    """All orbits; None where critical points are isolated, so that other engines answer; `Unsupported` where families are not covered."""
    net = problem.network
    assert isinstance(net, DenseNetwork)
    width = net.widths[1]
    sxx, syx, _ = moments(problem)
    rank = int(sxx.rank())
    scale = sum((to_fraction(sxx[i, i]) for i in range(sxx.nrows())), Fraction(0)) / max(rank, 1)
    if net.depth > 2 or sxx * sxx != to_fmpq(scale) * sxx:
        if max(net.widths[1:-1]) == 1:
            return None
        raise Unsupported(
            SUBJECT,
            expected="one input, one output, or two layers with Sxx a multiple of a projection (whitened inputs)",
            got="other data: the hidden layers turn every critical point but 0 around, in families that are not listed",
        )
    spaces = _spaces(syx, weight)
    if width == 1 and all(len(s.basis) == 1 for s in spaces):
        return None
    found = [origin(problem)]
    for counts in product(*(range(len(s.basis) + 1) for s in spaces)):
        deadline.check("constructing critical points of a linear network")
        if 0 < sum(counts) <= width:
            if len(found) == MAX_STRATA:
                raise Unsupported(SUBJECT, expected=f"at most {MAX_STRATA} orbits", got="more")
            found.append(_orbit(net, syx, weight, scale, spaces, counts))
    return found


def _spaces(syx: fmpq_mat, weight: Fraction) -> list[Space]:
    square = syx.transpose() * syx
    found = []
    for n in reversed(real_roots([to_fraction(c) for c in square.charpoly().coeffs()])):
        if not _above(n, weight * weight):
            continue
        if n.rational is None:
            raise Unsupported(
                SUBJECT, expected="rational squares of the singular values of Syx above the ridge weight", got="others"
            )
        basis = columns(square, n.polynomial)
        found.append(Space(n.rational, tuple(tuple(x[0] for x in v) for v in basis)))
    return found


def _above(n: AlgebraicNumber, bound: Fraction) -> bool:
    if n.rational is not None:
        return n.rational > bound
    (low, high), bits = n.interval, 8
    while low <= bound <= high:  # an irrational number is not the bound
        low, high = refine(integer_polynomial(n.polynomial), n.interval, bits)
        bits *= 2
    return low > bound


def root(x: Fraction) -> Fraction | None:
    """The square root of a nonnegative rational number where it is rational."""
    up, down = isqrt(x.numerator), isqrt(x.denominator)
    return Fraction(up, down) if up * up == x.numerator and down * down == x.denominator else None


def _orbit(
    net: DenseNetwork, syx: fmpq_mat, weight: Fraction, scale: Fraction, spaces: Sequence[Space], counts: Sequence[int]
) -> Orbit:
    """The orbit that uses counts[i] directions of space i; its sample has Q = the first unit vectors."""
    d, n, m = net.widths
    chosen = [(s, v) for s, k in zip(spaces, counts, strict=True) for v in s.basis[:k]]
    r = len(chosen)
    # s v with |v| = 1 is sqrt((sigma - lambda)/(c |w|^2)) w for the rational singular vector w
    norms = [scale * sum((y * y for y in v), Fraction(0)) for _, v in chosen]
    sigmas = [s.singular for s, _ in chosen]
    if r == 1 and sigmas[0] is None:
        field = Radicals.nested(chosen[0][0].square, weight, norms[0])
    else:
        field = Radicals.of([(x - weight) / y for x, y in zip(_rational(sigmas), norms, strict=True)])
    zero = fmpq_poly([0])
    first, last = [[zero] * d for _ in range(n)], [[zero] * n for _ in range(m)]
    for k, ((space, v), size) in enumerate(zip(chosen, field.roots, strict=True)):
        first[k] = [size * to_fmpq(y) for y in v]
        image = syx * fmpq_mat([[to_fmpq(y)] for y in v])
        for i in range(m):
            # u = Syx w / (sigma |w|), and 1/sigma = sigma/sigma^2
            sigma = field.sigma if space.singular is None else fmpq_poly([to_fmpq(space.singular)])
            last[i][k] = size * sigma * image[i, 0] / to_fmpq(space.square) % fmpq_poly(field.modulus)
    coordinates = tuple(x for table in (first, last) for row in table for x in row)
    sample = Conjugates(field.modulus, coordinates).point(isolate(field.modulus)[-1])
    turned = sum(k * (len(s.basis) - k) for s, k in zip(spaces, counts, strict=True))
    one_piece = r < n or turned > 0
    used = ", ".join(
        f"{k} of {len(s.basis)} with singular value {s.text}" for s, k in zip(spaces, counts, strict=True) if k
    )
    squares = ", ".join(f"{_shrunk(s, weight, scale)} ({k} times)" for s, k in zip(spaces, counts, strict=True) if k)
    dimension = n * r - r * (r + 1) // 2 + turned
    return Orbit(
        dimension,
        sample,
        (f"rank(W2 W1) = {r}", f"W1 W1^T = W2^T W2, with the nonzero eigenvalues {squares}"),
        f"singular vectors of Syx: {used}; a compact manifold of dimension {dimension}, {'connected' if one_piece else '2 connected pieces'}: "
        "the hidden units and the vectors inside a singular space turned by orthogonal matrices; value and inertia are the same on all of it",
    )


def _shrunk(space: Space, weight: Fraction, scale: Fraction) -> str:
    """(sigma - lambda)/c as text."""
    if space.singular is None:
        return f"({space.text} - {text(weight)})/{text(scale)}"
    return text((space.singular - weight) / scale)


def _rational(sigmas: Sequence[Fraction | None]) -> list[Fraction]:
    found = [x for x in sigmas if x is not None]
    if len(found) < len(sigmas):
        raise Unsupported(
            SUBJECT, expected="rational singular values of Syx where several are above the ridge weight", got="others"
        )
    return found


@dataclass(frozen=True)
class Radicals:
    """Square roots of positive rational numbers as polynomials in the largest real root of ``modulus``."""

    modulus: fmpz_poly
    roots: tuple[fmpq_poly, ...]
    sigma: fmpq_poly | None = None  #: the singular value, where it is irrational

    @classmethod
    def nested(cls, square: Fraction, weight: Fraction, norm: Fraction) -> Radicals:
        """t = sqrt((sigma - weight)/norm), sigma = sqrt(square) > weight: the only positive root of (norm t^2 + weight)^2 - square."""
        sigma = fmpq_poly([to_fmpq(weight), 0, to_fmpq(norm)])
        whole = sigma * sigma - to_fmpq(square)
        for factor, _ in integer_polynomial([to_fraction(c) for c in whole.coeffs()]).factor()[1]:
            boxes = isolate(factor)
            if boxes and sturm_count(factor, Fraction(0), boxes[-1][1]):
                q = fmpq_poly(factor)
                return cls(factor, (fmpq_poly([0, 1]) % q,), sigma % q)
        raise AssertionError("a singular value above the ridge weight without its root")

    @classmethod
    def of(cls, numbers: Sequence[Fraction]) -> Radicals:
        """Over Q, a quadratic field or a biquadratic one; `Unsupported` where three roots are independent."""
        a = next((x for x in numbers if root(x) is None), None)
        b = None if a is None else next((x for x in numbers if root(x) is None and root(x / a) is None), None)
        units: list[tuple[Fraction, fmpq_poly]] = [(Fraction(1), fmpq_poly([1]))]
        modulus = fmpz_poly([0, 1])
        if a is not None and b is None:
            modulus = integer_polynomial([-a, 0, 1])
            units.append((a, fmpq_poly([0, 1])))
        elif a is not None and b is not None:  # t = sqrt(a) + sqrt(b), sqrt(a) - sqrt(b) = (a - b)/t
            modulus = integer_polynomial([(a - b) ** 2, 0, -2 * (a + b), 0, 1])
            inverse = fmpq_poly([0, to_fmpq(2 * (a + b) / (a - b) ** 2), 0, to_fmpq(-1 / (a - b) ** 2)])
            t = fmpq_poly([0, 1])
            one = (t + inverse * to_fmpq(a - b)) / 2
            units += [(a, one), (b, t - one), (a * b, one * (t - one) % fmpq_poly(modulus))]
        found = []
        for x in numbers:
            unit = next((p * to_fmpq(q) for y, p in units if (q := root(x / y)) is not None), None)
            if unit is None:
                raise Unsupported(SUBJECT, expected="samples over Q with at most two square roots", got="more of them")
            found.append(unit)
        return cls(modulus, tuple(found))
