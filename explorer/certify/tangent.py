"""The tangent lemma: which of its two finite proofs applies at a point (rule ``flat-minimum``).

F = sum_i l_i(f(x_i)) with convex l_i and no regularizer. With g_i = l_i'(f_p(x_i)), convexity gives
F(q) - F(p) >= Phi(q) - Phi(p), Phi(q) = sum_i g_i f_q(x_i): it is enough that p is a local minimum of Phi.

*units* (one hidden layer, linear output): Phi = sum_j v_j psi(u_j) (+ c sum_i g_i), psi(u) = sum_i g_i phi(u.x_i). If at every
unit psi = 0, grad psi = 0 and v_j Hess psi > 0 on span{x_i} (with hidden bias: of the (x_i, 1)), then psi keeps the sign
of v_j near u_j, v'_j psi(u'_j) >= 0 nearby and Phi >= 0 = Phi(p). A unit that is dead on all data (strictly inside a zero
piece of phi) contributes 0 nearby. With an output bias also sum_i g_i = 0.

*first-layer-zero*: W_1 = 0, f = G(W_1 x; eta). If sum g_i = 0, sum g_i x_i = 0, then Taylor's theorem in s = W_1 x gives
Phi = (1/2) tr(W^T H(eta) W S) + o(|W|^2), uniformly in eta, with H the Hessian of G in s at s = 0 and S = sum g_i x_i x_i^T; it
is >= 0 near p when H and S (on the span of the inputs) are definite of the same sign. Scalar outputs here; the checker
also knows several.

Everything is read off the jets of the outputs: d f/d v_j = phi, so dPhi/dv_j = psi(u_j); the Hessian block of Phi at unit j is
v_j Hess psi; and the Hessian of f in the first biases is H (without biases: at an input, it is H (x) x x^T).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from explorer.algebra.fields import arithmetic
from explorer.algebra.inertia import inertia
from explorer.certify.located import Located
from explorer.errors import NotCertifiable
from explorer.model import losses
from explorer.model.activations import pieces_of
from explorer.model.jets import Jet, Where, outputs
from explorer.model.rings import ExactRing
from explorer.point import Element
from explorer.problem import Dataset, DenseNetwork, Loss

PROOFS = ("units", "first-layer-zero")


def tangent_proof(p: Located, *, preferred: str | None = None) -> str:
    """The proof that applies at ``p``; `NotCertifiable` with the reason of each that does not."""
    net, data, loss = p.problem.network, p.problem.data, p.problem.loss
    if not isinstance(net, DenseNetwork) or data is None or loss is None or net.depth < 2:
        raise NotCertifiable("flat-minimum", expected="a network with a hidden layer")
    if p.problem.regularizer is not None:
        raise NotCertifiable("flat-minimum", expected="no regularizer", got=p.problem.regularizer.kind)
    if net.widths[-1] != 1:
        raise NotCertifiable("flat-minimum", expected="a scalar output", got=f"{net.widths[-1]} outputs")
    functional = _Functional(p, net, data, loss)
    reasons = []
    for proof in sorted(PROOFS, key=lambda name: name != preferred):
        reason = functional.units() if proof == "units" else functional.first_layer_zero()
        if reason is None:
            return proof
        reasons.append(f"{proof}: {reason}")
    raise NotCertifiable(f"flat-minimum at {p.name}", got="; ".join(reasons))


class _Functional:
    """Jets of Phi at the point, and the conditions of the two proofs. Each answers None or the reason why not."""

    def __init__(self, p: Located, net: DenseNetwork, data: Dataset, loss: Loss) -> None:
        self.net, self.data, self.point = net, data, p.exact
        self.ring = ExactRing(p.field)
        theta = [self.ring.from_element(c) for c in p.exact.coordinates]
        self.jets: list[Jet[Any]] = [outputs(p.problem, self.ring, theta, i, 2)[0] for i in range(len(data))]
        row = losses.row(loss)
        self.slopes = []
        for i, (jet, weight) in enumerate(zip(self.jets, loss.weights, strict=True)):
            scale, shift = row.argument(data.targets[i][0])
            z = self.ring.total([self.ring.mul(self.ring.constant(scale), jet.value), self.ring.constant(shift)])
            d = self.ring.derivatives(row.outer, z, 1, Where(f"{loss.kind} loss", sample=i + 1))[1]
            if d is None:
                raise NotCertifiable("flat-minimum", expected="loss slopes in the field of the point")
            self.slopes.append(self.ring.mul(self.ring.constant(scale * weight), d))

    def moment(self, factors: Sequence[Any]) -> Any:
        return self.ring.total([self.ring.mul(g, f) for g, f in zip(self.slopes, factors, strict=True)])

    def first(self, k: int) -> Any:
        return self.moment([jet.gradient.get(k, self.ring.constant(Fraction(0))) for jet in self.jets])

    def second(self, i: int, j: int) -> Any:
        key = (min(i, j), max(i, j))
        return self.moment([jet.hessian.get(key, self.ring.constant(Fraction(0))) for jet in self.jets])

    def units(self) -> str | None:
        net, zero = self.net, self.ring.is_zero
        if net.depth != 2 or net.output.kind != "linear":
            return "it needs one hidden layer and a linear output"
        cols, width, hidden_bias = net.widths[0], net.widths[1], net.bias[0]
        second = width * cols + (width if hidden_bias else 0)
        if net.bias[1] and not zero(self.first(second + width)):
            return "with an output bias the loss slopes must sum to 0"
        rows = [(*x, Fraction(1)) if hidden_bias else x for x in self.data.inputs]
        basis = independent(rows)
        for j in range(width):
            own = [*range(j * cols, (j + 1) * cols), *([width * cols + j] if hidden_bias else [])]
            if self._dead(j, own, rows):
                continue
            if not zero(self.first(second + j)):
                return f"psi is not 0 at unit {j + 1}"
            if any(not zero(self.first(k)) for k in own):
                return f"the gradient of psi is not 0 at unit {j + 1}"
            block = [[self.second(a, b) for b in own] for a in own]
            if not self._positive(self._restricted(block, basis)):
                return f"v Hess psi is not positive definite at unit {j + 1}"
        return None

    def first_layer_zero(self) -> str | None:
        net, ring = self.net, self.ring
        cols, width = net.widths[0], net.widths[1]
        if any(any(c) for c in self.point.coordinates[: width * cols]):
            return "the first weight matrix is not 0"
        columns = [[ring.constant(x[c]) for x in self.data.inputs] for c in range(cols)]
        ones = [ring.constant(Fraction(1))] * len(self.jets)
        if any(not ring.is_zero(self.moment(column)) for column in (ones, *columns)):
            return "the loss slopes are not orthogonal to 1 and to the inputs"
        basis = independent(self.data.inputs)
        curved = self._curvature(width, cols)
        if not basis or curved is None:
            return "all inputs are 0"
        gram = [[self.moment([ring.mul(a, b) for a, b in zip(u, v, strict=True)]) for v in columns] for u in columns]
        moments = self._restricted(gram, basis)
        negated = [[[ring.mul(ring.constant(Fraction(-1)), v) for v in row] for row in m] for m in (curved, moments)]
        if (self._positive(curved) and self._positive(moments)) or all(self._positive(m) for m in negated):
            return None
        return "the curvature of the network in its first pre-activations does not fit the data moments"

    def _curvature(self, width: int, cols: int) -> list[list[Any]] | None:
        """The Hessian of the rest of the network in the first pre-activations s, at s = W x (+ b) with W = 0.

        d^2 f/dW_ia dW_jb = H_ij x_a x_b at the input x, so H = that block / x_a^2 for any nonzero entry x_a.
        """
        for i, x in enumerate(self.data.inputs):
            a = next((k for k, v in enumerate(x) if v), None)
            if a is not None:
                zero = self.ring.constant(Fraction(0))
                scale = self.ring.constant(1 / x[a] ** 2)
                index = [j * cols + a for j in range(width)]
                entry = self.jets[i].hessian
                return [[self.ring.mul(scale, entry.get((min(p, q), max(p, q)), zero)) for q in index] for p in index]
        return None

    def _dead(self, j: int, own: Sequence[int], rows: Sequence[Sequence[Fraction]]) -> bool:
        """Every pre-activation of unit j strictly inside a zero piece of the activation."""
        pieces = pieces_of(self.net.activations[0])
        if pieces is None or pieces.is_polynomial:
            return False
        ring = self.ring
        weights = [ring.from_element(self.point.coordinates[k]) for k in own]
        for row in rows:
            z = ring.total([ring.mul(w, ring.constant(x)) for w, x in zip(weights, row, strict=True)])
            signs = [ring.sign(z - ring.constant(b)) for b in pieces.breaks]
            if 0 in signs or any(pieces.polynomials[sum(s > 0 for s in signs)]):
                return False
        return True

    def _restricted(self, matrix: list[list[Any]], basis: Sequence[Sequence[Fraction]]) -> list[list[Any]]:
        """B^T M B for basis vectors of the span of the data."""
        ring = self.ring

        def entry(u: Sequence[Fraction], v: Sequence[Fraction]) -> Any:
            parts = [
                ring.mul(ring.constant(a * b), matrix[i][j])
                for i, a in enumerate(u)
                for j, b in enumerate(v)
                if a and b
            ]
            return ring.total(parts)

        return [[entry(u, v) for v in basis] for u in basis]

    def _positive(self, matrix: list[list[Any]]) -> bool:
        n = len(matrix)
        elements: list[list[Element]] = [[self.ring.to_element(v) for v in row] for row in matrix]
        a = arithmetic(self.ring.field)
        if all(a.is_zero(elements[i][j]) for i in range(n) for j in range(n) if i != j):
            return all(a.sign(elements[i][i]) > 0 for i in range(n))
        return inertia(elements, self.ring.field).positive == n


def independent(rows: Sequence[Sequence[Fraction]]) -> list[tuple[Fraction, ...]]:
    """A maximal linearly independent sublist of rational vectors."""
    kept: list[tuple[Fraction, ...]] = []
    reduced: list[tuple[int, list[Fraction]]] = []
    for row in rows:
        rest = list(row)
        for pivot, other in reduced:
            if rest[pivot]:
                rest = [a - rest[pivot] * b for a, b in zip(rest, other, strict=True)]
        lead = next((k for k, v in enumerate(rest) if v), None)
        if lead is not None:
            kept.append(tuple(row))
            reduced.append((lead, [v / rest[lead] for v in rest]))
    return kept
