"""Known paths to infinity: (xyz - 1)^2 and its depth-2 shadow, separable logistic data, two cubic units, exponential units."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from explorer.certify.certificate import Instance
from explorer.certify.paths import coercivity, escape_certificate, escape_path
from explorer.paths.curves import EscapeCurve, Piece
from explorer.point import Point, RationalField
from explorer.problem import Problem

F = Fraction


def powers(*terms: tuple[Any, int]) -> Piece:
    """theta_k = c_k t^e_k from pairs (c_k, e_k)."""
    return tuple((((F(c),), (e, 0)),) if c else () for c, e in terms)


def curve(piece: Piece, limit: Any, because: str) -> EscapeCurve:
    """A curve from t = 1 on."""
    return EscapeCurve(RationalField(), piece, F(1), F(limit), because)


def three_factors(source: str) -> Instance:
    """(xyz - 1)^2 along (-1/k, sqrt k, 1/k), k = t^2: F = (1 + k^(-3/2))^2 falls to 1, while F(1, 1, 1) = 0 (survey, VI-B)."""
    problem = Problem.dense(widths=[1, 1, 1, 1], inputs=[1], targets=[1], slug="xyz-escape", source=source)
    path = curve(powers((-1, -2), (1, 1), (1, -2)), 1, "(-1/k, sqrt k, 1/k) with k = t^2")
    return Instance(
        "xyz-escape", problem, (("escape-path", escape_certificate(problem, path, Point.rational([1, 1, 1]))),)
    )


def two_factors(source: str) -> Instance:
    """Depth 3 is not needed: (vw - 1)^2 along (-1/t^2, t) is (1 + 1/t)^2 and falls to 1."""
    problem = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], slug="vw-escape", source=source)
    path = curve(powers((-1, -2), (1, 1)), 1, "(-1/t^2, t)")
    return Instance("vw-escape", problem, (("escape-path", escape_certificate(problem, path, Point.rational([1, 1]))),))


def separable_line(source: str) -> Instance:
    """f = theta x on (1, +), (-2, -): theta = t classifies every sample; the logistic loss falls to 0, never reached."""
    problem = Problem.dense(
        widths=[1, 1], inputs=[1, -2], targets=[1, -1], loss="logistic", slug="logistic-separable", source=source
    )
    return Instance(problem.slug, problem, (("unattained-infimum", escape_path(problem)),))


def separable_network(source: str) -> Instance:
    """XOR with two quadratic units: separable, so the logistic loss has no minimum."""
    problem = Problem.dense(
        widths=[2, 2, 1], activation="square", inputs=[[1, 1], [1, -1], [-1, 1], [-1, -1]], targets=[1, -1, -1, 1],
        loss="logistic", slug="logistic-xor-square", source=source,
    )  # fmt: skip
    return Instance(problem.slug, problem, (("unattained-infimum", escape_path(problem)),))


def exponential_units(source: str) -> Instance:
    """Two exponential units with incoming weights in multiples of ln t classify (0, -), (1, +): f(0) = 1 - t, f(1) = t^2 - t."""
    problem = Problem.dense(
        widths=[1, 2, 1], activation="exp", inputs=[0, 1], targets=[-1, 1], loss="logistic",
        slug="logistic-exponential", source=source,
    )  # fmt: skip
    two_log: Piece = ((), (((F(2),), (0, 1)),), (((F(-1),), (1, 0)),), (((F(1),), (0, 0)),))
    # at t = 1 the first margin t - 1 is 0 and both margins increase: 1 and 2t - 1 are their slopes
    path = curve(two_log, 0, "w_2 = 2 ln t, v_1 = -t")
    return Instance(
        problem.slug, problem, (("unattained-infimum", escape_certificate(problem, path, goal="unattained-infimum")),)
    )


def exponential_neuron(source: str) -> Instance:
    """One exponential unit on (0, 0), (1, 1): a = 1/t, w = ln t gives f = (1/t, 1), so F = 1/t^2 falls to 0 = inf F.

    F = 0 is impossible: a e^0 = 0 forces a = 0.
    """
    problem = Problem.dense(
        widths=[1, 1, 1], activation="exp", inputs=[0, 1], targets=[0, 1], slug="exponential-neuron", source=source
    )
    path = curve(((((F(1),), (0, 1)),), (((F(1),), (-1, 0)),)), 0, "w = ln t, a = 1/t")
    return Instance(
        problem.slug, problem, (("infimum-at-infinity", escape_certificate(problem, path, goal="infimum-at-infinity")),)
    )


def cubic_pair(source: str) -> Instance:
    """((x + e)^3 - (x - e)^3)/(6 e) = x^2 + e^2/3, e = 1/t: on x = -1, 0, 1, 2 and x^2 the loss is 4 e^4/9, falling to 0."""
    problem = Problem.dense(
        widths=[1, 2, 1], activation="cubic", bias=True, inputs=[-1, 0, 1, 2], targets=[1, 0, 1, 4],
        slug="cubic-pair", source=source,
    )  # fmt: skip
    path = curve(powers((1, 0), (1, 0), (1, -1), (-1, -1), (F(1, 6), 1), (F(-1, 6), 1)), 0, "a difference quotient")
    return Instance(
        problem.slug, problem, (("infimum-at-infinity", escape_certificate(problem, path, goal="infimum-at-infinity")),)
    )


REGULARIZERS: dict[str, dict[str, Any]] = {
    "l2": {"kind": "l2", "weights": "1/4"},
    "power": {"kind": "power", "weights": "1/8", "exponent": 4},
    "lasso": {"kind": "power", "weights": "1/2", "exponent": 1},
}


def coercive_losses(source: str) -> tuple[Instance, ...]:
    """(vw - 1)^2 with every regularizer of the format that holds both parameters: coercive, with radii for {F <= F(0)}."""
    out = []
    for name, regularizer in REGULARIZERS.items():
        problem = Problem.dense(
            widths=[1, 1, 1], inputs=[1], targets=[1], regularizer=regularizer, slug=f"coercive-{name}", source=source
        )
        out.append(Instance(problem.slug, problem, (("coercive", coercivity(problem)),)))
    return tuple(out)


def not_coercive_losses(source: str) -> tuple[Instance, ...]:
    """Constant along paths to infinity: the hyperbola vw = 1, and a silent sigmoid unit although v is regularized."""
    hyperbola = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], slug="vw-hyperbola", source=source)
    path = curve(powers((1, 1), (1, -1)), 0, "(t, 1/t)")
    half = Problem.dense(
        widths=[1, 1, 1], activation="sigmoid", inputs=[1], targets=[1],
        regularizer={"kind": "l2", "weights": [0, 1]}, slug="half-regularized", source=source,
    )  # fmt: skip
    return (
        Instance(
            hyperbola.slug, hyperbola, (("not-coercive", escape_certificate(hyperbola, path, goal="not-coercive")),)
        ),
        Instance(half.slug, half, (("not-coercive", coercivity(half)),)),
    )
