"""The small problems on which the survey's statements are tried; every number by hand (see the examples' sources)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from explorer.point import Element, Ln2Ring, Point
from explorer.problem import Problem
from explorer.statements.nouns import Subject

F = Fraction
FIGURE_2 = {"activation": "polynomial", "coefficients": ["-1/8", "1/4", "-1/8"]}


def vw() -> Problem:
    """(vw - 1)^2 as a linear 1-1-1 network on (1, 1)."""
    return Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], slug="vw")


def xyz() -> Problem:
    """(xyz - 1)^2 as a linear 1-1-1-1 network on (1, 1)."""
    return Problem.dense(widths=[1, 1, 1, 1], inputs=[1], targets=[1], slug="xyz")


def fig2() -> Problem:
    """(1 - v phi(w))^2, phi(z) = -(z - 1)^2/8."""
    return Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], slug="fig2", **FIGURE_2)  # type: ignore[arg-type]


def neuron(activation: Any, *, x: Any = 1, y: Any = 1, **parameters: Any) -> Problem:
    """(y - v phi(wx))^2."""
    return Problem.dense(widths=[1, 1, 1], inputs=[x], targets=[y], activation=activation, slug="neuron", **parameters)


def sigmoid(inputs: list[Any], targets: list[Any], width: int, *, bias: bool = False) -> Problem:
    return Problem.dense(widths=[1, width, 1], activation="sigmoid", inputs=inputs, targets=targets, bias=bias, slug="sigmoid")  # fmt: skip


def linear(widths: list[int], inputs: list[Any], targets: list[Any]) -> Problem:
    return Problem.dense(widths=widths, inputs=inputs, targets=targets, slug="linear")


def dead_relu(targets: list[int]) -> Problem:
    """Three ReLU units with biases on x = 1, 2, 3."""
    return Problem.dense(
        widths=[1, 3, 1], activation="relu", bias=True, inputs=[1, 2, 3], targets=targets, slug="dead-relu"
    )


#: w = (1, -1, 2), b = (-4, -4, -7), v = 1: the pre-activations on x = 1, 2, 3 are all <= -1
DEAD = Point.rational([1, -1, 2, -4, -4, -7, 1, 1, 1])


def relu_pair() -> Problem:
    """One ReLU unit without bias on x = (1, -1), y = (1, 2): its output is 0 on one of the two."""
    return Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[1, -1], targets=[1, 2], slug="relu-pair")


def double_well() -> Problem:
    """(x^2 - 1)^2 + x/4: a strict minimum near x = 1 above the one near x = -1."""
    return Problem.monomial(["x"], {(4,): 1, (2,): -2, (1,): "1/4", (0,): 1}, slug="double-well")


def on(problem: Callable[[], Problem], *coordinates: Any, points: tuple[Any, ...] = ()) -> Callable[[], Subject]:
    """A subject with a point (rational coordinates, or none) and further points."""

    def make() -> Subject:
        at = None
        if coordinates:
            at = coordinates[0] if isinstance(coordinates[0], Point) else Point.rational(coordinates)
        others = tuple(p if isinstance(p, Point) else Point.rational(p) for p in points)
        return Subject(problem(), at, others)

    return make


def ln2(*coordinates: Any) -> Point:
    """A point over Q[ln 2]: numbers, and pairs (c0, c1) for c0 + c1 ln 2."""
    out: list[Element] = []
    for c in coordinates:
        out.append((F(c[0]), F(c[1])) if isinstance(c, tuple) else (F(c),))
    return Point(Ln2Ring(), tuple(out))


def separable_line() -> Problem:
    """log(1 + e^-w): the infimum 0 is not attained."""
    return Problem.dense(widths=[1, 1], inputs=[1], targets=[1], loss="logistic", slug="separable-line")


def bottleneck(inputs: list[Any], targets: list[Any]) -> Problem:
    """A linear 2-1-2 network."""
    return linear([2, 1, 2], inputs, targets)


def weighted_bottleneck() -> Problem:
    """(1 - u1 v1)^2 + (1/2 - u2 v2)^2 + 3 (u1 v2)^2 + 3 (u2 v1)^2: the 2-1-2 network with weights on the entries."""
    terms: dict[tuple[int, ...], F] = {
        (0, 0, 0, 0): F(5, 4),
        (1, 0, 1, 0): F(-2),
        (2, 0, 2, 0): F(1),
        (0, 1, 0, 1): F(-1),
        (0, 2, 0, 2): F(1),
        (2, 0, 0, 2): F(3),
        (0, 2, 2, 0): F(3),
    }
    return Problem.monomial(["u1", "u2", "v1", "v2"], terms, slug="weighted-bottleneck")


def sigmoid_plane(inputs: list[Any]) -> Problem:
    """Two sigmoid units with biases on points of the plane, targets 0."""
    return Problem.dense(
        widths=[2, 2, 1],
        activation="sigmoid",
        inputs=inputs,
        targets=[0] * len(inputs),
        bias=True,
        slug="sigmoid-plane",
    )


def leaky(inputs: list[Any], targets: list[Any], width: int, **more: Any) -> Problem:
    """Leaky ReLU units of slope 1/2."""
    return Problem.dense(
        widths=[1, width, 1], activation="leaky_relu", slope="1/2", inputs=inputs, targets=targets, slug="leaky", **more
    )


def leaky_three() -> Problem:
    return leaky([1, -1, 2], [1, 2, 3], 3, bias=True)


def two_wells() -> Problem:
    """(3 - g(v phi(w)))^2 with g(z) = z^3 - 3z: wells at output -1 (value 1) and beyond 2 (value 0), 25 between them at 1."""
    return leaky([1], [3], 1, output_activation={"kind": "polynomial", "coefficients": [0, -3, 0, 1]})


def narrow_polynomial() -> Problem:
    """phi = t^2 + 1, one unit, x = (1, 2), y = (-6, 4): at (w, v) = (0, -1) a strict minimum of value 50, Hessian diag(60, 4)."""
    return Problem.dense(
        widths=[1, 1, 1],
        activation="polynomial",
        coefficients=[1, 0, 1],
        inputs=[1, 2],
        targets=[-6, 4],
        slug="narrow-polynomial",
    )


def two_hidden() -> Problem:
    """Three squared units, then one, on two samples: 3 + 3 + 1 = 7 parameters."""
    return Problem.dense(widths=[1, 3, 1, 1], activation="square", inputs=[1, 2], targets=[0, 1], slug="two-hidden")


def deltoid() -> Problem:
    """Three linear units, inputs e_1, e_2, targets -13/4, 0."""
    return linear([2, 3, 1], [[1, 0], [0, 1]], ["-13/4", 0])


#: a global minimum, rows (w1, w2) then v, and two directions: the slice is |z^2 + 2 conj z + 13/4|^2, z = 1 + a + i(5/2 + b)
DELTOID = (
    (1, 5, "-5/2", 0, 2, -5, 1, "5/2", 1),
    (1, 0, 0, 0, 2, 0, 1, 0, 0),
    (0, 2, -1, 0, 0, -2, 0, 1, 0),
)


def shared_layer() -> Problem:
    """Three sigmoid units at ln 2 (-1, 0, 1) on x = (1, 3): features (1/3, 1/9), (1/2, 1/2), (2/3, 8/9), dependent by (1, -2, 1)."""
    return sigmoid([1, 3], ["7/6", "25/18"], 3)


SHARED = tuple(ln2((0, -1), 0, (0, 1), *v) for v in ((0, 1, 1), (1, -1, 2), (2, -3, 3)))


def isolated() -> Problem:
    """phi = (-68 t + 79 t^3 - 11 t^5)/144, samples (1, 0) and (2, 1): isolated global minima at (1, 1) and (-1, -1)."""
    return Problem.dense(
        widths=[1, 1, 1],
        activation="polynomial",
        coefficients=[0, "-68/144", 0, "79/144", 0, "-11/144"],
        inputs=[1, 2],
        targets=[0, 1],
        slug="isolated-minima",
    )


def linear_three() -> Problem:
    """Three linear units, inputs e_1, e_2, targets (1, 2)."""
    return linear([2, 3, 1], [[1, 0], [0, 1]], [1, 2])


#: rows (w1, w2), then v: v W = (1, 2) at both
LINEAR_MINIMA = ((1, 2, 0, 1, 1, 0, 1, 0, 0), (0, 1, 1, 1, 3, -1, 1, 1, 0))


def parabola_fit() -> Problem:
    """Three squared units with biases on x = -2, ..., 2, targets x^2 + 1."""
    x = [-2, -1, 0, 1, 2]
    return Problem.dense(
        widths=[1, 3, 1], activation="square", bias=True, inputs=x, targets=[v * v + 1 for v in x], slug="parabola"
    )
