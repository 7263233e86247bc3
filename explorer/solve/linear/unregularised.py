"""Critical sets of linear networks of any depth without regularizer, in closed form: every stratum with all its numbers.

A stratum: which eigenvectors of Sigma = Syx Sxx^-1 Sxy the product W_H ... W_1 projects on (r of them, a set S), and the type of the
chain of matrices Z_h that is left when the r directions that carry the product are split off from every layer (cyclic.py). The
lemmas, with proofs: docs/linear.md. The parametrisation is that of E. M. Achour, F. Malgouyres and S. Gerchinovitz, JMLR 25 (2024),
Proposition 5; types, dimensions and the inertia on a whole stratum are derived there from it. Two layers: Baldi and Hornik 1989, and
with repeated eigenvalues Z. Zhu, D. Soudry, Y. Eldar and M. Wakin, J. Math. Imaging Vis. 62 (2020), Theorem 3.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product

from flint import fmpq_mat, fmpq_poly

from explorer.algebra.balls import to_fraction
from explorer.algebra.fields import FieldArithmetic, arithmetic
from explorer.algebra.roots import AlgebraicNumber, integer_polynomial, real_roots
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.point import Element, Field, Inertia, NumberField, Point, RationalField
from explorer.problem import DenseNetwork, Problem
from explorer.solve.linear.closed_form import is_deep_linear, moments
from explorer.solve.linear.cyclic import Chain, chains
from explorer.solve.linear.hessian import LinearGeometry, dot, lifted
from explorer.solve.results import Component, Coverage, CriticalSet, Evidence, Kind, Trust

Vector = list[Element]
#: more strata than this are not listed one by one
MAX_STRATA = 512
BECAUSE = "every local minimum of a linear network is global, and the infimum over matrices of bounded rank is attained"


@dataclass(frozen=True)
class Data:
    """The moments of the data on the span of the inputs, and the positive eigenvalues of Sigma, largest first."""

    widths: tuple[int, ...]
    spread: fmpq_mat  #: right factor that turns a first layer on the span of the inputs into one on all inputs
    fit: fmpq_mat  #: Syx Sxx^-1
    sigma: fmpq_mat
    eigenvalues: tuple[AlgebraicNumber, ...]  #: with multiplicities

    @property
    def span(self) -> int:
        """The dimension of the span of the inputs."""
        return int(self.fit.ncols())

    @property
    def positive(self) -> int:
        return sum(n.multiplicity for n in self.eigenvalues)

    @property
    def repeated(self) -> bool:
        return any(n.multiplicity > 1 for n in self.eigenvalues)

    @property
    def largest_rank(self) -> int:
        return min(self.positive, *self.widths)

    def choices(self) -> Iterator[tuple[int, ...]]:
        """How many directions of each eigenspace the product uses."""
        for counts in product(*(range(n.multiplicity + 1) for n in self.eigenvalues)):
            if sum(counts) <= self.largest_rank:
                yield counts


def any_depth(problem: Problem, deadline: Deadline) -> CriticalSet:
    """The whole critical set; `Unsupported` says which assumption on the data fails."""
    data = data_of(problem)
    components: list[Component] = []
    for counts in data.choices():
        r = sum(counts)
        field, carried = _directions(data, counts)
        sizes = (data.positive - r, *(w - r for w in data.widths[1:-1]))
        for chain in chains(sizes) if r < data.largest_rank else [_free(sizes)]:
            deadline.check("constructing critical points of a linear network")
            if len(components) == MAX_STRATA:
                raise Unsupported("deep linear closed form", expected=f"at most {MAX_STRATA} strata", got="more")
            components.append(_component(problem, data, counts, chain, _sample(data, chain, field, carried)))
    components.sort(key=lambda c: (-c.dimension, c.value.lower, c.description))
    top = next(c for c in components if c.is_global)
    reason = (
        f"every critical point belongs to one of {len(components)} strata (directions of the eigenspaces of Syx Sxx^-1 Sxy that the "
        "product uses, and ranks of products of layers): Sigma has as many positive eigenvalues as its shape allows, decided exactly "
        "(Achour, Malgouyres and Gerchinovitz 2024, Proposition 5, and the classification of chains of matrices: docs/linear.md)"
    )
    coverage = Coverage(True, "closed form for deep linear networks", Trust.COMPUTED, reason)
    return CriticalSet(problem, tuple(components), coverage, top.value, BECAUSE)


def data_of(problem: Problem) -> Data:
    """What the closed form needs to know of the data, every assumption decided exactly."""
    net = problem.network
    if not isinstance(net, DenseNetwork) or not is_deep_linear(problem):
        raise Unsupported(
            "deep linear closed form",
            expected="a linear network with two or more layers, no bias, squared loss, no regularizer",
            got="another problem",
        )
    sxx, syx, _ = moments(problem)
    reduced, rank = sxx.rref()
    if rank == 0:
        raise Unsupported("deep linear closed form", expected="an input that is not 0", got="none")
    basis = fmpq_mat([[reduced[i, j] for j in range(net.widths[0])] for i in range(rank)])  # rows span the inputs
    spread = (basis * basis.transpose()).inv() * basis  # coordinates of an input in that basis
    inner = spread * sxx * spread.transpose()
    fit = syx * spread.transpose() * inner.inv()
    sigma = fit * spread * syx.transpose()
    numbers = tuple(
        n for n in reversed(real_roots([to_fraction(c) for c in sigma.charpoly().coeffs()])) if n.rational != 0
    )
    data = Data(net.widths, spread, fit, sigma, numbers)
    if data.positive < min(rank, net.widths[-1]):
        raise Unsupported(
            "deep linear closed form",
            expected=f"{min(rank, net.widths[-1])} positive eigenvalues of Syx Sxx^-1 Sxy on the span of the inputs",
            got=f"{data.positive}: directions that are neither needed nor excluded by the data make further strata",
        )
    if any(n.multiplicity > 1 and n.rational is None for n in numbers):
        raise Unsupported("deep linear closed form", expected="rational repeated eigenvalues", got="an irrational one")
    return data


def _free(sizes: tuple[int, ...]) -> Chain:
    """The largest rank: some space of the cycle is 0 and no product is bound, so that the Z_h fill a vector space.

    Shown by the type of zero matrices; its dimension is replaced by that of the vector space.
    """
    return next(chains(sizes))


def _component(problem: Problem, data: Data, counts: Sequence[int], chain: Chain, sample: Point) -> Component:
    r = sum(counts)
    free = r == data.largest_rank
    dimension = _dimension(data, counts, chain, free=free)
    expected = inertia_on(data, counts, chain)
    at = LinearGeometry(problem, sample)
    if not at.is_critical or at.inertia != expected:
        raise AssertionError("the closed form for deep linear networks contradicts the Hessian at its sample")
    value = at.value
    top = free and not expected.negative
    kind = Kind.MINIMUM if top else Kind.STRICT_SADDLE if expected.negative else Kind.SADDLE
    ranks = () if free else _ranks(chain, r)
    start, numbers = 0, []
    for n, k in zip(data.eigenvalues, counts, strict=True):
        if n.multiplicity > 1:
            numbers.append(f"{k} of {start + 1}..{start + n.multiplicity}")
        elif k:
            numbers.append(str(start + 1))
        start += n.multiplicity
    return Component(
        dimension=dimension,
        sample=sample,
        value=value,
        inertia=expected,
        kind=kind,
        is_global=top,
        because=_because(top, kind),
        # the zero chain is the limit of every other one, so that a point is alone only with two layers
        isolated=(chain.nodes == 2) if dimension == 0 else None,
        orbit=1 if dimension == 0 and chain.nodes == 2 else None,
        points=(sample,) if dimension == 0 and chain.nodes == 2 else (),
        # where the inputs do not span their space the product may have a larger rank than on them
        equations=(f"rank(W{chain.nodes}...W1{' Sxx' if data.span < data.widths[0] else ''}) = {r}", *ranks),
        description=f"product of rank {r} on the eigenvectors of Syx Sxx^-1 Sxy with the numbers {', '.join(numbers) or 'none'} "
        f"(1 is the largest), partial products of the ranks listed; dimension {dimension}, not claimed connected; the inertia is "
        "the same on all of it",
        evidence=Evidence(at_floor=top and value.as_fraction == 0),
    )


def _because(top: bool, kind: Kind) -> str:
    if top:
        return "the product projects onto the eigenvectors with the largest eigenvalues, as many as the width allows"
    if kind is Kind.STRICT_SADDLE:
        return "the Hessian has negative eigenvalues on the whole stratum (closed form), and F has no local maxima"
    return (
        "tightened: the Hessian is positive semidefinite, the value is not the global one, and a linear network has no other "
        "minima; F is subharmonic, so it has no maxima (Achour, Malgouyres and Gerchinovitz 2024; Zhang 2019)"
    )


def _dimension(data: Data, counts: Sequence[int], chain: Chain, *, free: bool) -> int:
    hidden = data.widths[1:-1]
    a, r = chain.sizes, sum(counts)
    inside = chain.dimension
    if free:
        inside = sum(x * y for x, y in pairwise((*a, a[0])))
    spare_in, spare_out = data.span - data.positive, data.widths[-1] - data.positive
    turned = sum(k * (n.multiplicity - k) for n, k in zip(data.eigenvalues, counts, strict=True))
    unseen = hidden[0] * (data.widths[0] - data.span)
    carried = sum(w * w - (w - r) ** 2 for w in hidden)
    return carried + inside + a[1] * spare_in + spare_out * a[-1] + turned + unseen


def inertia_on(data: Data, counts: Sequence[int], chain: Chain) -> Inertia:
    """The inertia of the Hessian at every point of the stratum (docs/linear.md, lemma 3)."""
    r = sum(counts)
    pairs = [(i, j) for i in range(len(counts)) for j in range(len(counts))]
    left = [n.multiplicity - k for n, k in zip(data.eigenvalues, counts, strict=True)]
    kept_larger = sum(counts[i] * left[j] for i, j in pairs if i < j)
    equal = sum(counts[i] * left[i] for i in range(len(counts)))
    left_larger = sum(counts[i] * left[j] for i, j in pairs if i > j)
    spare = data.span + data.widths[-1] - 2 * data.positive
    bent = chain.curvature
    positive = r * (r + spare) + 2 * kept_larger + equal + left_larger + bent.positive
    negative = left_larger + bent.negative
    size = sum(a * b for a, b in pairwise(data.widths))
    return Inertia(positive, size - positive - negative, negative)


def _ranks(chain: Chain, r: int) -> tuple[str, ...]:
    """The ranks of products of fewer than H layers around the cycle, with Sxy between the last layer and the first."""
    out = []
    for steps in range(1, chain.nodes - 1):
        for start in range(chain.nodes):
            layers = [(start + k) % chain.nodes + 1 for k in range(steps)]
            out.append(f"rank({_product(layers, chain.nodes)}) = {r + chain.rank(start, steps)}")
    return tuple(out)


def _product(layers: Sequence[int], depth: int) -> str:
    """The product as a formula, the layer that acts last first; Syx or Sxy where it passes or touches the data."""
    words: list[str] = ["Sxy"] if layers[0] == 1 else []
    for k, n in enumerate(layers):
        if n == 1 and k:
            words.append("Sxy")
        words.append(f"W{n}")
    if layers[-1] == depth:
        words.append("Sxy")
    return " ".join(reversed(words))


# -- samples -------------------------------------------------------------------------------------------------------


def _directions(data: Data, counts: Sequence[int]) -> tuple[Field, list[Vector]]:
    """An orthogonal basis, over a small field, of the directions in the output space that the product uses."""
    partial: dict[tuple[int, ...], list[AlgebraicNumber]] = {}
    rational: list[Vector] = []
    for n, k in zip(data.eigenvalues, counts, strict=True):
        if n.rational is not None:
            rational += columns(data.sigma, n.polynomial)[:k]
        elif k:
            partial.setdefault(n.polynomial, []).append(n)
    for p, chosen in list(partial.items()):
        if len(chosen) == len(p) - 1:  # all conjugates: a rational space
            rational += columns(data.sigma, p)
            del partial[p]
    if not partial:
        return RationalField(), rational
    (p, chosen), *others = partial.items()
    conjugates = [n for n in data.eigenvalues if n.polynomial == p]
    if others or len(chosen) not in (1, len(p) - 2) or len(conjugates) != len(p) - 1:
        raise Unsupported(
            "deep linear closed form",
            expected="eigenvalues whose sets are named by one irrational number",
            got=f"{len(chosen)} of {len(p) - 1} conjugates" if not others else "several polynomials",
        )
    alpha = chosen[0] if len(chosen) == 1 else next(n for n in conjugates if n not in chosen)
    field = NumberField(tuple(Fraction(c) for c in p), alpha.interval)
    u = _eigenvector(data.sigma, (Fraction(0), Fraction(1)), field)
    a = arithmetic(field)
    if len(chosen) == 1:
        return field, [*rational, u]
    return field, [*rational, *orthogonal(a, [u, *columns(data.sigma, p)])[1:]]


def _eigenvector(sigma: fmpq_mat, value: Element, field: Field) -> Vector:
    """A nonzero column of q(sigma), where (t - value) q(t) is the characteristic polynomial: (sigma - value) q(sigma) = 0."""
    a = arithmetic(field)
    c = [to_fraction(x) for x in sigma.charpoly().coeffs()]
    size = sigma.nrows()
    quotient: list[Element] = []  # high to low, by Horner's scheme
    carry = a.zero
    for x in reversed(c[1:]):
        carry = a.add(a.mul(carry, value), a.from_fraction(x))
        quotient.append(carry)
    powers = [fmpq_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])]
    for _ in range(size - 1):
        powers.append(powers[-1] * sigma)
    for column in range(size):
        u = []
        for i in range(size):
            total = a.zero
            for q, power in zip(reversed(quotient), powers, strict=True):
                total = a.add(total, a.mul(q, a.from_fraction(to_fraction(power[i, column]))))
            u.append(total)
        if not all(a.is_zero(x) for x in u):
            return u
    raise AssertionError("an eigenvalue without eigenvector")


def columns(sigma: fmpq_mat, p: Sequence[int]) -> list[Vector]:
    """An orthogonal basis of the kernel of p(sigma), p an irreducible factor of its characteristic polynomial, sigma
    diagonalisable: the image of the product of the other factors."""
    q = fmpq_poly([1])
    for c, _ in integer_polynomial([to_fraction(x) for x in sigma.charpoly().coeffs()]).factor()[1]:
        if [int(x) for x in c.coeffs()] != list(p):
            q *= fmpq_poly(c)
    image = _evaluated(q, sigma)
    return orthogonal(arithmetic(RationalField()), _as_columns(image))


def _evaluated(q: fmpq_poly, matrix: fmpq_mat) -> fmpq_mat:
    n = matrix.nrows()
    one = fmpq_mat(n, n, [int(i == j) for i in range(n) for j in range(n)])
    out = fmpq_mat(n, n)
    for c in reversed(q.coeffs()):
        out = out * matrix + c * one
    return out


def _as_columns(m: fmpq_mat) -> list[Vector]:
    return [[(to_fraction(m[i, j]),) for i in range(m.nrows())] for j in range(m.ncols())]


def orthogonal(a: FieldArithmetic, vectors: Sequence[Vector], form: fmpq_mat | None = None) -> list[Vector]:
    """Gram and Schmidt without square roots for x^T form y (the identity by default), vectors that become 0 left out."""
    out: list[tuple[Vector, Vector, Element]] = []
    for given in vectors:
        v = given
        for u, dual, inverse in out:
            scale = a.mul(dot(a, dual, v), inverse)
            v = [a.sub(x, a.mul(scale, y)) for x, y in zip(v, u, strict=True)]
        if all(a.is_zero(x) for x in v):
            continue
        dual = v if form is None else _applied(a, form, v)
        out.append((v, dual, a.inverse(dot(a, dual, v))))
    return [v for v, _, _ in out]


def _applied(a: FieldArithmetic, m: fmpq_mat, v: Sequence[Element]) -> Vector:
    return [dot(a, row, v) for row in lifted(a, m)]


def _sample(data: Data, chain: Chain, field: Field, carried: Sequence[Vector]) -> Point:
    """W_H = [B, C Z_H], W_h = diag(1, Z_h), W_1 = [B^+ fit; Z_1 G]: B the directions used, C the others, G Sxy C = 1."""
    a = arithmetic(field)
    r, w = len(carried), data.widths
    used = [[a.add(a.zero, x) for x in v] for v in carried]
    others = orthogonal(a, [*used, *_as_columns(data.fit)])[r:]
    others = orthogonal(a, others, data.sigma)
    transposed = data.fit.transpose()

    def row(v: Vector, scale: Element) -> Vector:
        return [a.mul(a.inverse(scale), x) for x in _applied(a, transposed, v)]

    first = [row(v, dot(a, v, v)) for v in used]
    dual = [row(v, dot(a, v, _applied(a, data.sigma, v))) for v in others]
    z = chain.matrices
    layers: list[list[Vector]] = []
    rows = [*first, *(_combined(a, coefficients, dual, data.span) for coefficients in z[0])]
    layers.append([_applied(a, data.spread.transpose(), v) for v in rows])
    for h in range(1, chain.nodes - 1):
        table = [[a.one if i == j < r else a.zero for j in range(w[h])] for i in range(w[h + 1])]
        for i, line in enumerate(z[h]):
            for j, entry in enumerate(line):
                table[r + i][r + j] = a.from_fraction(entry)
        layers.append(table)
    last = [[*(v[i] for v in used), *[a.zero] * (w[-2] - r)] for i in range(w[-1])]
    for k, line in enumerate(z[-1]):
        for j, entry in enumerate(line):
            if entry:
                for i in range(w[-1]):
                    last[i][r + j] = a.add(last[i][r + j], others[k][i])
    layers.append(last)
    return Point(field, tuple(x for layer in layers for line in layer for x in line))


def _combined(a: FieldArithmetic, coefficients: Sequence[int], rows: Sequence[Vector], size: int) -> Vector:
    out = [a.zero] * size
    for c, v in zip(coefficients, rows, strict=True):
        if c:
            out = [a.add(x, y) for x, y in zip(out, v, strict=True)]
    return out
