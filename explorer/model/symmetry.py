"""Symmetries of the loss: signed permutations of the parameters that leave F unchanged.

Three sources, each proved before it is reported:

- *hidden units*: exchanging two units of a layer; flipping the incoming and outgoing weights of a unit with odd (or linear)
  activation, the incoming ones with even activation. The network function does not change (Chen, Lu and Hecht-Nielsen,
  Neural Computation 5, 1993); the regularizer is compared term by term.
- *data*: a signed permutation of the inputs and one of the outputs that map the weighted samples to themselves.
- *the polynomial* (few parameters): every sign change that fixes F (a kernel over the field with two elements: all of
  them) and every exchange of two parameters, checked on the terms of F.

Signed permutations that are none of these, nor products of them, are not looked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, permutations, product
from math import factorial, lcm

from sympy.combinatorics import Permutation, PermutationGroup

from explorer.algebra.signs import even_sets
from explorer.model import activations, regularizers
from explorer.model.orbits import orbit, orbit_size
from explorer.model.polynomial import is_polynomial, loss_polynomial
from explorer.model.signed import SignedPermutation
from explorer.problem import DenseNetwork, Problem

#: up to this many parameters the loss polynomial is expanded to find and to check symmetries
POLYNOMIAL_PARAMETERS = 24
#: up to this many pairs of signed permutations of inputs and outputs are tried
DATA_CANDIDATES = 4_000
#: up to this many parameters redundant generators are removed
REDUCED_PARAMETERS = 40


def symmetry_generators(
    problem: Problem, *, loss: Mapping[tuple[int, ...], Fraction] | None = None
) -> tuple[SignedPermutation, ...]:
    """Generators of the signed permutations that preserve F and that this module finds (see above); never the identity.

    ``loss``: the terms of F, where the caller has them.
    """
    found: list[SignedPermutation] = []
    net = problem.network
    if isinstance(net, DenseNetwork):
        found += _unit_exchanges(problem, net)
        found += [g for g in _unit_flips(net) if _preserves_regularizer(problem, g)]
    terms = None
    if net.parameter_count <= POLYNOMIAL_PARAMETERS and (loss is not None or is_polynomial(problem)[0]):
        terms = _integers(loss_polynomial(problem).terms if loss is None else loss)
        found = [g for g in found if g.preserves(terms)]
        found += [*_sign_changes(terms, net.parameter_count)]
        found += [g for g in _parameter_exchanges(terms, net.parameter_count) if g.preserves(terms)]
    if isinstance(net, DenseNetwork):
        found += _data_symmetries(problem, net, terms)
    unique = [g for g in dict.fromkeys(found) if not g.is_identity]
    return _reduced(unique) if len(problem.parameters) <= REDUCED_PARAMETERS else tuple(unique)


def _integers(terms: Mapping[tuple[int, ...], Fraction]) -> dict[tuple[int, ...], int]:
    """A multiple of the polynomial with integer coefficients, which compare faster: it has the same symmetries."""
    scale = lcm(*(c.denominator for c in terms.values()))
    return {e: c.numerator * (scale // c.denominator) for e, c in terms.items()}


def group_order(generators: Sequence[SignedPermutation]) -> int:
    """The order of the group that the generators generate (1 for no generators), by Schreier-Sims on +-parameters."""
    if not generators:
        return 1
    return int(PermutationGroup(*(_on_signed_points(g) for g in generators)).order())


# -- candidates from the network ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Layout:
    """Indices of the parameters of a dense network (layers and units from 0)."""

    net: DenseNetwork

    def start(self, layer: int) -> int:
        w = self.net.widths
        return sum(w[k + 1] * (w[k] + self.net.bias[k]) for k in range(layer))

    def weight(self, layer: int, row: int, column: int) -> int:
        return self.start(layer) + row * self.net.widths[layer] + column

    def incoming(self, layer: int, unit: int) -> list[int]:
        """The weights into a unit of weight layer ``layer``, and its bias last."""
        cols, rows = self.net.widths[layer], self.net.widths[layer + 1]
        out = [self.weight(layer, unit, c) for c in range(cols)]
        return [*out, self.start(layer) + rows * cols + unit] if self.net.bias[layer] else out

    def outgoing(self, layer: int, unit: int) -> list[int]:
        """The weights that read the unit; none for the output layer."""
        if layer + 1 == self.net.depth:
            return []
        return [self.weight(layer + 1, r, unit) for r in range(self.net.widths[layer + 2])]


def _exchange(size: int, pairs: Sequence[tuple[int, int]]) -> SignedPermutation:
    images = list(range(size))
    for a, b in pairs:
        images[a], images[b] = b, a
    return SignedPermutation(tuple(images), (1,) * size)


def _flip(size: int, indices: Sequence[int]) -> SignedPermutation:
    signs = [1] * size
    for k in indices:
        signs[k] = -1
    return SignedPermutation(tuple(range(size)), tuple(signs))


def _unit_exchanges(problem: Problem, net: DenseNetwork) -> Iterator[SignedPermutation]:
    """Exchanges of two units of one hidden layer that generate all those that the regularizer allows."""
    at, d = _Layout(net), net.parameter_count
    for layer in range(net.depth - 1):
        latest: list[int] = []  # the last seen unit of each class of exchangeable units
        for j in range(net.widths[layer + 1]):
            for k, i in enumerate(latest):
                g = _exchange(
                    d,
                    [
                        *zip(at.incoming(layer, i), at.incoming(layer, j), strict=True),
                        *zip(at.outgoing(layer, i), at.outgoing(layer, j), strict=True),
                    ],
                )
                if _preserves_regularizer(problem, g):
                    latest[k] = j
                    yield g
                    break
            else:
                latest.append(j)


def _unit_flips(net: DenseNetwork) -> Iterator[SignedPermutation]:
    at, d = _Layout(net), net.parameter_count
    for layer in range(net.depth):
        a = net.output if layer + 1 == net.depth else net.activations[layer]
        parity = activations.facts(a).parity
        for unit in range(net.widths[layer + 1]):
            if parity == "even":
                yield _flip(d, at.incoming(layer, unit))
            elif parity == "odd" and layer + 1 < net.depth:
                yield _flip(d, [*at.incoming(layer, unit), *at.outgoing(layer, unit)])


def _preserves_regularizer(problem: Problem, g: SignedPermutation) -> bool:
    """Every term of every regularizer is even in its parameters, so only the weights need to match."""
    if g.images == tuple(range(len(g.images))):
        return True
    terms = regularizers.terms(problem)
    moved: list[regularizers.RegularizerTerm] = []
    for t in terms:
        if isinstance(t, regularizers.Separable):
            moved.append(replace(t, parameter=g.images[t.parameter]))
        else:
            moved.append(replace(t, parameters=tuple(sorted(g.images[k] for k in t.parameters))))
    return Counter(moved) == Counter(terms)


# -- candidates from the data ------------------------------------------------------------------------------------------


def _signed_permutations(n: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    for images in permutations(range(n)):
        for signs in product((1, -1), repeat=n):
            yield images, signs


def _data_symmetries(
    problem: Problem, net: DenseNetwork, terms: Mapping[tuple[int, ...], int] | None
) -> Iterator[SignedPermutation]:
    """Signed permutations P of the inputs and Q of the outputs as maps of the outer weights that preserve F: its ``terms``
    where they are known, else where P and Q map the weighted samples to themselves and the regularizer agrees; then
    F(g theta) = F(theta) for any activations.
    """
    data, loss = problem.data, problem.loss
    if data is None or loss is None:
        return
    n, m = net.widths[0], net.widths[-1]
    if factorial(n) * factorial(m) << (n + m) > DATA_CANDIDATES:
        return
    odd_output = activations.facts(net.output).parity == "odd"
    rows = list(zip(data.inputs, data.targets, loss.weights, strict=True))
    samples = Counter(rows) if terms is None else Counter()
    sizes = {e: abs(c) for e, c in (terms or {}).items()}
    # where the terms are known: all changes of signs are found already, and two maps with the same (p, q) differ by one of them
    still = (tuple(range(n)), tuple(range(m)))
    occurs = _occurrences(sizes, net.parameter_count)
    wanted = {
        pq
        for pq in product(permutations(range(n)), permutations(range(m)))
        if terms is None
        or (
            pq != still
            and all(occurs[k] == occurs[image] for k, image in _outer_images(net, *pq))
            and _outer_map(net, pq[0], (1,) * n, pq[1], (1,) * m).preserves(sizes)
        )
    }
    if not wanted:
        return
    for (p, s), (q, r) in product(_signed_permutations(n), _signed_permutations(m)):
        if (p, q) not in wanted or (min(r) < 0 and not odd_output):
            continue
        g = _outer_map(net, p, s, q, r)
        if terms is not None:
            if g.preserves(terms):
                wanted.remove((p, q))
                yield g
            continue
        on_data = Counter((_moved(x, p, s), _moved(y, q, r), c) for x, y, c in rows) == samples
        if on_data and _preserves_regularizer(problem, g):
            yield g


def _moved(v: Sequence[Fraction], images: Sequence[int], signs: Sequence[int]) -> tuple[Fraction, ...]:
    out = [Fraction(0)] * len(v)
    for k, x in enumerate(v):
        out[images[k]] = signs[k] * x
    return tuple(out)


def _outer_images(net: DenseNetwork, p: Sequence[int], q: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where the weights into the first unit go and, in a network with a hidden layer, those from the first unit of the last one."""
    at, last = _Layout(net), net.depth - 1
    if last:
        yield from ((at.weight(0, 0, c), at.weight(0, 0, target)) for c, target in enumerate(p))
        yield from ((at.weight(last, r, 0), at.weight(last, target, 0)) for r, target in enumerate(q))


def _outer_map(
    net: DenseNetwork, p: Sequence[int], s: Sequence[int], q: Sequence[int], r: Sequence[int]
) -> SignedPermutation:
    """f becomes x -> Q f(P^-1 x): the columns of the first layer move with P, the rows of the last one with Q."""
    at, d, last = _Layout(net), net.parameter_count, net.depth - 1
    columns = _flip(d, [at.weight(0, i, c) for i in range(net.widths[1]) for c, sign in enumerate(s) if sign < 0])
    images = list(range(d))
    for i in range(net.widths[1]):
        for c, target in enumerate(p):
            images[at.weight(0, i, c)] = at.weight(0, i, target)
    columns = SignedPermutation(tuple(images), columns.signs)
    rows = _flip(d, [k for i, sign in enumerate(r) if sign < 0 for k in at.incoming(last, i)])
    images = list(range(d))
    for i, target in enumerate(q):
        for a, b in zip(at.incoming(last, i), at.incoming(last, target), strict=True):
            images[a] = b
    return SignedPermutation(tuple(images), rows.signs) @ columns


# -- candidates from the polynomial ------------------------------------------------------------------------------------


def _sign_changes(terms: Mapping[tuple[int, ...], int], size: int) -> Iterator[SignedPermutation]:
    """A basis of all sign changes that fix the polynomial: the kernel mod 2 of its exponent vectors."""
    return (_flip(size, places) for places in even_sets(terms, size))


def _occurrences(terms: Mapping[tuple[int, ...], int], size: int) -> list[list[tuple[int, int, int]]]:
    """Of every parameter its power, the degree and the size of the coefficient in all terms where it occurs; symmetries keep this."""
    return [sorted((e[k], sum(e), abs(c)) for e, c in terms.items() if e[k]) for k in range(size)]


def _parameter_exchanges(terms: Mapping[tuple[int, ...], int], size: int) -> Iterator[SignedPermutation]:
    """Exchanges of two parameters, with and without signs, that occur in terms of equal degrees and sizes."""
    occurs = _occurrences(terms, size)
    for i, j in combinations(range(size), 2):
        if occurs[i] != occurs[j]:
            continue
        plain = _exchange(size, [(i, j)])
        yield plain
        yield plain @ _flip(size, [i, j])


# -- the group ---------------------------------------------------------------------------------------------------------


def _on_signed_points(g: SignedPermutation) -> Permutation:
    """As a permutation of 2d points: k stands for +theta_k, d + k for -theta_k."""
    d = len(g.images)
    half = [image + (0 if sign > 0 else d) for image, sign in zip(g.images, g.signs, strict=True)]
    return Permutation([*half, *((k + d) % (2 * d) for k in half)])


def _reduced(generators: Sequence[SignedPermutation]) -> tuple[SignedPermutation, ...]:
    """The generators that are not products of earlier ones: by linear algebra mod 2 as long as all of them change signs only."""
    kept: list[SignedPermutation] = []
    rows: list[int] = []  # sign changes as bits, with distinct leading bits
    group: PermutationGroup | None = None
    for g in generators:
        if group is None and g.images == tuple(range(len(g.images))):
            v = sum((sign < 0) << k for k, sign in enumerate(g.signs))
            for row in rows:
                v = min(v, v ^ row)
            if v:
                rows.append(v)
                kept.append(g)
            continue
        if group is None and kept:
            group = PermutationGroup(*(_on_signed_points(h) for h in kept))
        if group is None or not group.contains(_on_signed_points(g)):
            kept.append(g)
            group = PermutationGroup(*(_on_signed_points(h) for h in kept))
    return tuple(kept)


__all__ = ["SignedPermutation", "group_order", "orbit", "orbit_size", "symmetry_generators"]
