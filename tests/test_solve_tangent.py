"""The tangent lemma: the known flat minima are recognised, the known forgeries are not.

Instances by hand: with sigma(k ln 2) = 2^k/(1 + 2^k) all slopes and features are rational (Ding, Li and Sun 2019 give
the idea; the numbers are re-derived in the comments).
"""

from __future__ import annotations

from fractions import Fraction as Q

from explorer.point import Ln2Ring, Point
from explorer.problem import Problem
from explorer.solve.tangent import tangent_lemma


def at(problem: Problem, *values: int | str | tuple[int | str, int | str]) -> Point:
    """A point of Q[ln 2]; (a, b) stands for a + b ln 2."""
    coordinates = []
    for v in values:
        a, b = v if isinstance(v, tuple) else (v, 0)
        coordinates.append((Q(a), Q(b)) if Q(b) else (Q(a),))
    assert len(coordinates) == len(problem.parameters)
    return Point(Ln2Ring(), tuple(coordinates))


LN2, MINUS = (0, 1), (0, -1)


def test_units_without_bias() -> None:
    # s = (2/3, 4/5, 8/9), f = 3 s, r = f - y = (4, 0, -3): sum r s = 8/3 - 8/3 = 0; sum r s' x = 4*2/9 - 3*3*8/81 = 0;
    # sum r s'' x^2 = 4*(-2/27) + 27*(8*7/729) = 16/9 > 0
    p = Problem.dense(widths=[1, 3, 1], activation="sigmoid", inputs=[1, 2, 3], targets=[-2, "12/5", "17/3"])
    assert tangent_lemma(p, at(p, LN2, LN2, LN2, 1, 1, 1)) == "units"
    # the same function from u = (3, 0, 0): psi >= 0 may be multiplied by a weight of either sign, so this must fail
    assert tangent_lemma(p, at(p, LN2, LN2, LN2, 3, 0, 0)) is None
    assert tangent_lemma(p, at(p, LN2, LN2, LN2, 4, -1, 0)) is None


def test_first_layer_zero_with_bias() -> None:
    # w = 0, b = -ln 2: f = 3 * 1/3 = 1, r = (1, -2, 1): orthogonal to 1 and x, sum r x^2 = 2, sigma'' = 2/27 > 0
    p = Problem.dense(widths=[1, 3, 1], activation="sigmoid", bias=True, inputs=[-1, 0, 1], targets=[0, 3, 0])
    assert tangent_lemma(p, at(p, 0, 0, 0, MINUS, MINUS, MINUS, 1, 1, 1)) == "first-layer-zero"
    # on the boundary of the region (a zero outer weight): not a minimum, a descent is known (2165/361 < 6)
    assert tangent_lemma(p, at(p, 0, 0, 0, MINUS, MINUS, MINUS, 3, 0, 0)) is None


def test_deep_first_layer_zero() -> None:
    # 1-2-2-1 sigmoid: W1 = 0, b1 = -ln 2, A = ones, c = -ln 2 - 2/3 (so the second pre-activation is -ln 2), v = (1, 1):
    # f = 2/3, y = f - (1, -2, 1)
    p = Problem.dense(
        widths=[1, 2, 2, 1], activation="sigmoid", bias=[True, True, False],
        inputs=[-1, 0, 1], targets=["-1/3", "8/3", "-1/3"],
    )  # fmt: skip
    point = at(p, 0, 0, MINUS, MINUS, 1, 1, 1, 1, ("-2/3", -1), ("-2/3", -1), 1, 1)
    assert tangent_lemma(p, point) == "first-layer-zero"


def test_forgery_the_span_must_include_the_bias() -> None:
    # square units, x = (0, 1), y = (1/2, -1/2), (w, b, v) = (0, 0, 1): psi_ww > 0, yet F(e, -e, 1) = 1/2 - e^2 + e^4
    p = Problem.dense(widths=[1, 1, 1], activation="square", bias=True, inputs=[0, 1], targets=["1/2", "-1/2"])
    assert tangent_lemma(p, Point.rational([0, 0, 1])) is None


def test_forgery_a_regularizer_breaks_the_argument() -> None:
    data = {"widths": [1, 3, 1], "activation": "sigmoid", "inputs": [1, 2, 3], "targets": [-2, "12/5", "17/3"]}
    p = Problem.dense(**data, regularizer={"kind": "l2", "weights": "1/100"})
    assert tangent_lemma(p, at(p, LN2, LN2, LN2, 1, 1, 1)) is None


def test_forgery_kinks() -> None:
    # requ, x = (2, -1), y = (-1/2, 1/2), v = 1, u = 0: the right-sided second derivative is 6, but F(-1/10) < F(0)
    p = Problem.dense(widths=[1, 1, 1], activation="requ", inputs=[2, -1], targets=["-1/2", "1/2"])
    assert tangent_lemma(p, Point.rational([0, 1])) is None


def test_logistic_loss() -> None:
    # labels (-1, 1, -1) at x = (-1, 0, 1), w = 0, b = -ln 2, v = -ln 2 each: f = 3 (-ln 2)/3 = -ln 2. The slopes
    # -y sigma(-y f) are sigma(f) = 1/3 for y = -1 and -sigma(-f) = -2/3 for y = 1: sum 0, moment 0, sum g x^2 = 2/3 > 0;
    # v sigma''(-ln 2) < 0, so the functional has a maximum in W, not a minimum
    p = Problem.dense(
        widths=[1, 3, 1], activation="sigmoid", bias=True, inputs=[-1, 0, 1], targets=[-1, 1, -1], loss="logistic"
    )
    assert tangent_lemma(p, at(p, 0, 0, 0, MINUS, MINUS, MINUS, MINUS, MINUS, MINUS)) is None
    # with b = +ln 2: sigma = 2/3, sigma'' = 2/3*1/3*(-1/3) < 0, v = -(ln 2)/2 each: f = -ln 2 again, v sigma'' > 0
    half = (0, Q(-1, 2))
    assert tangent_lemma(p, at(p, 0, 0, 0, LN2, LN2, LN2, half, half, half)) == "first-layer-zero"
