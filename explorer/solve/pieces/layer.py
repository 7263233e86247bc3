"""One hidden layer of positively homogeneous units and a linear output, with squared loss: what the fan solvers need of it.

F = sum_i c_i (sum_j v_j phi(u_j . x_i) + c - y_i)^2 + sum_j (u_j . L_j u_j + m_j v_j^2) + k c^2, phi(z) = a z for z >= 0 and b z for
z <= 0 (relu, leaky_relu, |z|); u_j holds the bias of the unit, if there is one, and x_i is then extended by 1. For a scalar
input without bias the degree D of homogeneity may be larger: phi(x u) = |u|^D phi(x sgn u) is linear in z = sgn(u) |u|^D. With
ridge, units of degree D > 1 may have several incoming weights (fans_cells.py): of their fan only the signs are meant then.
With ``pieces`` phi is any continuous piecewise linear function (hard tanh), and the fans are those of (u, t), t > 0 (fans.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import flint

from explorer.algebra.feasible import Vector, affine_solutions, strictly_feasible
from explorer.budget import Deadline
from explorer.exact import text
from explorer.model.activations import pieces_of
from explorer.model.pieces import Pieces
from explorer.problem import DenseNetwork, Problem
from explorer.solve.pieces.fans import Face, Fan, affine_fan, fan
from explorer.solve.results import Component, Coverage, CriticalSet, Trust
from explorer.solve.values import settle_globals

ZERO = Fraction(0)
MAX_STRATA = 4_000


@dataclass(frozen=True)
class Weights:
    """The l2 weights of one unit: L = diag(``incoming``) and m."""

    incoming: Vector
    outgoing: Fraction

    def matrix(self, face: Face) -> list[list[Fraction]]:
        """M = B^T L B for the basis B of the face's span."""
        return [
            [sum((w * x * y for w, x, y in zip(self.incoming, a, b, strict=True)), ZERO) for b in face.basis]
            for a in face.basis
        ]

    def like(self, other: Weights, face: Face) -> bool:
        """Whether products v u on the face cost the same under both: m M is the same form (docs/piecewise.md)."""
        if self == other or not self.outgoing or not other.outgoing:
            return self == other
        return [[self.outgoing * x for x in row] for row in self.matrix(face)] == [
            [other.outgoing * x for x in row] for row in other.matrix(face)
        ]

    def kernel(self, face: Face) -> tuple[Vector, ...]:
        """ker M in the coordinates of the face's basis (that of L in the face's span)."""
        if all(self.incoming):
            return ()
        rows = [(*(b[k] for b in face.basis), ZERO) for k, w in enumerate(self.incoming) if w]
        solved = affine_solutions(face.dimension, rows)
        assert solved is not None
        return solved[1]

    def inverse(self, face: Face) -> list[list[Fraction]]:
        size = face.dimension
        q = flint.fmpq_mat(
            size, size, [flint.fmpq(v.numerator, v.denominator) for row in self.matrix(face) for v in row]
        ).inv()
        return [[Fraction(int(q[i, j].p), int(q[i, j].q)) for j in range(size)] for i in range(size)]


@dataclass(frozen=True)
class Layer:
    """The data of F; ``degree`` D, ``slopes`` (b, a) of the units as functions of z, ``ridge`` whether L, m > 0.

    ``pieces``: phi, where it is piecewise linear and not homogeneous (then ``slopes`` means nothing)."""

    problem: Problem
    units: int
    inputs: tuple[Vector, ...]
    targets: Vector
    weights: Vector
    slopes: tuple[Fraction, Fraction]
    degree: int
    ridge: bool
    pieces: Pieces | None = None

    @property
    def space(self) -> int:
        """The dimension of the fan's space."""
        return self.size + (self.pieces is not None)

    def weights_of(self, j: int) -> Weights:
        """The l2 weights of unit j."""
        r = self.problem.regularizer
        if r is None:
            return Weights((ZERO,) * self.size, ZERO)
        return Weights(tuple(r.weights[k] for k in self.incoming(j)), r.weights[self.outgoing(j)])

    @property
    def bias_weight(self) -> Fraction:
        """k, the l2 weight of the output bias; 0 without one."""
        r = self.problem.regularizer
        return r.weights[-1] if r is not None and self.output_bias else ZERO

    @property
    def flat(self) -> bool:
        """Whether the critical points are polyhedra (fans_free.py): no unit has both L and m, and L only goes with degree 1."""
        units = [self.weights_of(j) for j in range(self.units)]
        bent = any(any(w.incoming) for w in units) and (self.degree > 1 or self.pieces is not None)
        return not bent and not any(any(w.incoming) and w.outgoing for w in units)

    @property
    def size(self) -> int:
        """The number of incoming weights of a unit."""
        return len(self.inputs[0])

    @property
    def even(self) -> bool:
        """phi = a |z|: a unit with -u for u is the same function."""
        return self.degree == 1 and self.slopes[0] == -self.slopes[1]

    @property
    def output_bias(self) -> bool:
        net = self.problem.network
        assert isinstance(net, DenseNetwork)
        return net.bias[1]

    def incoming(self, j: int) -> tuple[int, ...]:
        """The parameters of u_j."""
        net = self.problem.network
        assert isinstance(net, DenseNetwork)
        n = net.widths[0]
        return (*range(j * n, (j + 1) * n), *([self.units * n + j] if net.bias[0] else []))

    def outgoing(self, j: int) -> int:
        """The parameter v_j."""
        return self.units * self.size + j

    @cached_property
    def fan_inputs(self) -> tuple[Vector, ...]:
        return (
            tuple(tuple(v**self.degree if v > 0 else -((-v) ** self.degree) for v in x) for x in self.inputs)
            if self.degree > 1 and self.size == 1
            else self.inputs
        )

    def fan(self, deadline: Deadline) -> Fan:
        if self.pieces is not None:
            return affine_fan(self.inputs, self.pieces, deadline)
        return fan(self.fan_inputs, self.slopes, deadline)

    def gradient_weights(self, outputs: Sequence[Fraction]) -> Vector:
        """g_i = 2 c_i (f_i - y_i)."""
        return tuple(2 * c * (f - y) for c, f, y in zip(self.weights, outputs, self.targets, strict=True))

    def loss(self, outputs: Sequence[Fraction]) -> Fraction:
        return sum((c * (f - y) ** 2 for c, f, y in zip(self.weights, outputs, self.targets, strict=True)), ZERO)

    def face_texts(self, j: int, face: Face, of: Fan) -> tuple[list[str], list[str]]:
        """(equations, inequalities) of the face in the parameters of unit j."""
        names = [self.problem.parameters[k] for k in self.incoming(j)]
        forms = [
            (linear(names, n[: self.size]), text(-sum(n[self.size :], ZERO)), s)
            for n, s in zip(of.normals, face.signs, strict=True)
            if any(n[: self.size])
        ]
        return [f"{form} = {end}" for form, end, s in forms if not s], [
            f"{form} {'>' if s > 0 else '<'} {end}" for form, end, s in forms if s
        ]


def free_part(layer: Layer, fan: Fan, face: Face, weights: Weights) -> tuple[Vector, tuple[Vector, ...]] | None:
    """(a sample, a basis of the span) of the part of the face where L u = 0, or None: there is none."""
    if not any(weights.incoming):
        return face.sample, face.basis
    equations = [(*n, ZERO) for n, s in zip(fan.normals, face.signs, strict=True) if not s]
    equations += [
        tuple(Fraction(int(i == k)) for i in range(layer.space + 1)) for k, w in enumerate(weights.incoming) if w
    ]
    inside = [(*(s * v for v in n), ZERO) for n, s in zip(fan.normals, face.signs, strict=True) if s]
    sample = strictly_feasible(layer.space, equations, inside)
    solved = affine_solutions(layer.space, equations)
    return None if sample is None or solved is None else (sample, solved[1])


def layer_of(problem: Problem) -> Layer | None:
    """The layer, or None where the fan solvers do not apply."""
    net, data, loss, r = problem.network, problem.data, problem.loss, problem.regularizer
    if not isinstance(net, DenseNetwork) or data is None or loss is None or loss.kind != "squared":
        return None
    if net.depth != 2 or net.widths[2] != 1 or net.output.kind != "linear":
        return None
    if r is not None and r.kind != "l2":
        return None
    p = pieces_of(net.activations[0])
    if p is None or p.is_polynomial:
        return None
    inputs = tuple((*x, Fraction(1)) if net.bias[0] else tuple(x) for x in data.inputs)
    targets = tuple(y[0] for y in data.targets)
    degree = p.homogeneous
    if degree is None:
        if any(len(c) > 2 for c in p.polynomials):
            return None
        layer = Layer(problem, net.widths[1], inputs, targets, tuple(loss.weights), (ZERO, ZERO), 1, False, p)
        return layer if layer.flat else None
    if degree < 1:
        return None
    left, right = (c[degree] if len(c) > degree else ZERO for c in p.polynomials)
    slopes = (left * (-1) ** (degree + 1), right)  # phi as a function of z = sgn(u) |u|^D: phi(-1) = -b
    ridge = r is not None and any(r.weights) and all(r.weights[: len(r.weights) - bool(net.bias[1])])
    if degree > 1 and len(inputs[0]) > 1 and not ridge:
        return None
    layer = Layer(problem, net.widths[1], inputs, targets, tuple(loss.weights), slopes, degree, ridge)
    return layer if ridge or layer.flat or degree == 1 else None


def linear(names: Sequence[str], coefficients: Sequence[Fraction]) -> str:
    """'x + 2*y - 1/3*z'; '0' for the zero form."""
    out = ""
    for name, c in zip(names, coefficients, strict=True):
        if not c:
            continue
        sign = " - " if c < 0 else " + "
        out += (sign if out else sign.strip().replace("+", "")) + (name if abs(c) == 1 else f"{text(abs(c))}*{name}")
    return out or "0"


def gathered(
    layer: Layer, components: Sequence[Component], doubts: Sequence[str], reason: str, attained: str
) -> CriticalSet:
    """The critical set of the components; ``attained`` says why min F is attained (and so at one of them)."""
    settled, best, because = settle_globals(
        components,
        floor=ZERO,
        floor_because="the loss is a sum of nonnegative terms",
        coercive=attained,
        complete=not doubts,
    )
    return CriticalSet(
        layer.problem,
        tuple(sorted(settled, key=lambda c: (-c.dimension, c.value.lower, c.equations, str(c.sample)))),
        Coverage(not doubts, "faces of the units' fans", Trust.COMPUTED, "; ".join(dict.fromkeys(doubts)) or reason),
        best,
        because,
    )
