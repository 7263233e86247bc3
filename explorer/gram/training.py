"""The model of Du et al. (2019) at one point, and gradient descent on its hidden weights, in exact arithmetic.

f(x) = sum_r v_r relu(w_r.x) with v_r = a_r/sqrt(m) fixed, L = (1/2) sum_i (f(x_i) - y_i)^2, relu'(0) = 1. The project's loss is
F = 2 L, so a step ``rate`` on L is a step ``rate``/2 on F. H_ij = x_i.x_j sum of v_r^2 over the units active at both samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from explorer.errors import Unsupported
from explorer.gram.limit import Least, Matrix, Vector, dot, is_psd, least_eigenvalue, short_lower
from explorer.point import AnyPoint, Point
from explorer.problem import DenseNetwork, Problem

MAX_PAIRS = 4_000  # units times samples, where runs are exact


def is_model(problem: Problem) -> str:
    """Empty if the problem has the form of equations (1) and (2), else what is missing."""
    net, loss = problem.network, problem.loss
    if not isinstance(net, DenseNetwork) or loss is None:
        return "the problem is not a dense network on data"
    if net.depth != 2 or net.widths[-1] != 1 or net.activations[0].kind != "relu" or net.output.kind != "linear":
        return "the network is not one hidden ReLU layer with a scalar linear output"
    if any(net.bias):
        return "the network has biases"
    if loss.kind != "squared" or set(loss.weights) != {Fraction(1)} or problem.regularizer is not None:
        return "the loss is not the plain squared loss"
    return ""


@dataclass(frozen=True)
class Hidden:
    """Inputs (n rows), labels, hidden weight vectors (m rows) and output weights v_r."""

    inputs: tuple[Vector, ...]
    labels: Vector
    rows: tuple[Vector, ...]
    outer: Vector

    @classmethod
    def of(cls, problem: Problem, point: AnyPoint) -> Hidden:
        """The model at a rational point; `Unsupported` for other problems, other points and big ones."""
        why = is_model(problem)
        if why or not isinstance(point, Point) or not point.is_rational:
            raise Unsupported("the hidden layer", expected="a rational point of the model", got=why or "another point")
        assert isinstance(problem.network, DenseNetwork)
        assert problem.data is not None
        d, m, _ = problem.network.widths
        if m * len(problem.data) > MAX_PAIRS:
            raise Unsupported("the hidden layer", expected=f"at most {MAX_PAIRS} pairs of a unit and a sample")
        flat = [c[0] for c in point.coordinates]
        rows = tuple(tuple(flat[r * d : (r + 1) * d]) for r in range(m))
        return cls(problem.data.inputs, tuple(y[0] for y in problem.data.targets), rows, tuple(flat[m * d :]))

    @property
    def point(self) -> Point:
        return Point.rational([*(v for row in self.rows for v in row), *self.outer])

    @property
    def has_signs(self) -> bool:
        """Whether every output weight is +1/sqrt(m) or -1/sqrt(m)."""
        return all(v * v * len(self.outer) == 1 for v in self.outer)

    @cached_property
    def reach(self) -> Matrix:
        """w_r.x_i, unit by unit."""
        return tuple(tuple(dot(w, x) for x in self.inputs) for w in self.rows)

    @property
    def pattern(self) -> tuple[tuple[bool, ...], ...]:
        return tuple(tuple(z >= 0 for z in row) for row in self.reach)

    @cached_property
    def error(self) -> Vector:
        """u_i - y_i."""
        out = []
        for i, y in enumerate(self.labels):
            out.append(sum((v * row[i] for v, row in zip(self.outer, self.reach, strict=True) if row[i] > 0), -y))
        return tuple(out)

    @property
    def squared_error(self) -> Fraction:
        """|y - u|^2 = F."""
        return dot(self.error, self.error)

    @cached_property
    def gram(self) -> Matrix:
        n = range(len(self.inputs))
        on = self.pattern

        def entry(i: int, j: int) -> Fraction:
            shared = sum((v * v for v, row in zip(self.outer, on, strict=True) if row[i] and row[j]), Fraction(0))
            return dot(self.inputs[i], self.inputs[j]) * shared

        return tuple(tuple(entry(i, j) for j in n) for i in n)

    @cached_property
    def least(self) -> Least:
        """The smallest eigenvalue of `gram`."""
        return least_eigenvalue(self.gram)

    @property
    def jacobian(self) -> Matrix:
        """G: one row per hidden weight (unit by unit), one column per sample; H = G^T G."""
        d = range(len(self.inputs[0]))
        return tuple(
            tuple(v * x[k] if z >= 0 else Fraction(0) for x, z in zip(self.inputs, row, strict=True))
            for v, row in zip(self.outer, self.reach, strict=True)
            for k in d
        )

    def gradient(self) -> Matrix:
        """dL/dw_r by equation (4)."""
        d = range(len(self.inputs[0]))

        def pull(v: Fraction, row: Vector, k: int) -> Fraction:
            active = ((e, x) for e, x, z in zip(self.error, self.inputs, row, strict=True) if z >= 0)
            return v * sum((e * x[k] for e, x in active), Fraction(0))

        return tuple(tuple(pull(v, row, k) for k in d) for v, row in zip(self.outer, self.reach, strict=True))

    def moved(self, rate: Fraction) -> Hidden:
        """One step of gradient descent on L."""
        steps = zip(self.rows, self.gradient(), strict=True)
        return replace(self, rows=tuple(tuple(w - rate * g for w, g in zip(a, b, strict=True)) for a, b in steps))

    def run(self, rate: Fraction, steps: int) -> Iterator[Hidden]:
        """The start and ``steps`` further points of gradient descent."""
        here = self
        yield here
        for _ in range(steps):
            here = here.moved(rate)
            yield here

    def flips(self, other: Hidden) -> int:
        """Pairs of a unit and a sample with another pattern."""
        both = zip(self.pattern, other.pattern, strict=True)
        return sum(a != b for old, new in both for a, b in zip(old, new, strict=True))

    def distance(self, other: Hidden) -> Fraction:
        """max_r |w_r - w'_r|^2."""
        both = zip(self.rows, other.rows, strict=True)
        return max(sum(((a - b) ** 2 for a, b in zip(old, new, strict=True)), Fraction(0)) for old, new in both)

    def near_ties(self, radius: Fraction) -> int:
        """sum_i |S_i^c|: pairs with |w_r.x_i|^2 <= ``radius`` (a squared length), for unit inputs."""
        return sum(z * z <= radius for row in self.reach for z in row)


def movement(at: Hidden) -> Fraction | None:
    """The square of sqrt(n) max|x| |y - u| max|v_r| / lambda_min(H): what no weight vector can outrun; None if H is singular."""
    floor = floor_of(at)
    if floor <= 0:
        return None
    longest = max(dot(x, x) for x in at.inputs)
    return len(at.inputs) * longest * at.squared_error * max(v * v for v in at.outer) / floor**2


def floor_of(at: Hidden) -> Fraction:
    """A short rational number that is not above lambda_min(H)."""
    return at.least.exact if at.least.exact is not None else short_lower(at.least.lower)


def keeps_patterns(at: Hidden) -> bool:
    """The margin condition: every |w_r.x_i| exceeds the total movement, so no pattern ever changes.

    Then gradient flow, and gradient descent with a step up to 1/lambda_max(H), are linear for all time: the residual is
    exp(-H t) r(0), or (I - rate H)^k r(0). *Proof:* as long as no pattern has changed, w_r moves by at most
    sum_k rate |v_r| sqrt(n) max|x| (1 - rate lambda)^k |r(0)|, which is below sqrt(n) max|x| |v_r| |r(0)|/lambda.
    """
    bound = movement(at)
    if bound is None:
        return False
    lengths = [dot(x, x) for x in at.inputs]
    return all(z * z > bound * size for row in at.reach for z, size in zip(row, lengths, strict=True))


def step_is_stable(at: Hidden, rate: Fraction) -> bool:
    """rate <= 1/lambda_max(H): I - rate H is positive semidefinite."""
    return is_psd(tuple(tuple(-rate * v for v in row) for row in at.gram), Fraction(-1))


__all__ = ["Hidden", "floor_of", "is_model", "keeps_patterns", "movement", "step_is_stable"]
