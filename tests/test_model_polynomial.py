"""The loss polynomial: python-flint's expansion against SymPy's, cells against evaluation, derivatives by hand."""

from __future__ import annotations

import time
from fractions import Fraction as Q

import pytest
import sympy as sp

from explorer.errors import Invalid, Unsupported
from explorer.model.kinds import is_piecewise_polynomial
from explorer.model.landscape import landscape
from explorer.model.polynomial import LossPolynomial, cell_polynomial, evaluate, is_polynomial, loss_polynomial
from explorer.point import Ln2Ring, Point
from explorer.problem import Problem

CUBED = {"kind": "power", "exponent": 3, "weights": 1}


def dense(widths, activation="linear", **more):
    inputs = [[1, -2], [3, 1], [0, 1]] if widths[0] == 2 else [1, 2, "-1/2"]
    targets = [[1, 0], [2, "1/3"], [-1, 1]] if widths[-1] == 2 else [1, 2, "1/5"]
    return Problem.dense(widths=widths, inputs=inputs, targets=targets, activation=activation, **more)


SMALL = {
    "linear": dense([2, 2, 2], loss_weights=[1, 2, "1/3"], regularizer={"kind": "l2", "weights": "1/4"}),
    "square-bias": dense([1, 2, 1], "square", bias=[True, True]),
    "cubic-deep": dense([1, 1, 1, 1], ["cubic", "square"]),
    "polynomial-output": dense(
        [2, 1, 2],
        "square",
        output_activation={"kind": "polynomial", "coefficients": [1, -1, "1/2"]},
        regularizer={"kind": "power", "exponent": 4, "weights": [1, 0, 3, "2/7"]},
    ),
}


def by_sympy(p):
    """Brute force: the loss written with SymPy symbols here, without the package's model, then expanded by SymPy."""
    names = sp.symbols(p.parameters, real=True)
    rest, signal_of = list(names), []
    blocks = []
    for cols, rows, bias in zip(p.network.widths, p.network.widths[1:], p.network.bias, strict=False):
        w = sp.Matrix(rows, cols, [rest.pop(0) for _ in range(rows * cols)])
        blocks.append((w, sp.Matrix(rows, 1, [rest.pop(0) if bias else 0 for _ in range(rows)])))
    functions = {"linear": lambda z: z, "square": lambda z: z**2, "cubic": lambda z: z**3}
    for x in p.data.inputs:
        signal = sp.Matrix([sp.Rational(v.numerator, v.denominator) for v in x])
        for (w, b), a in zip(blocks, (*p.network.activations, p.network.output), strict=True):
            f = functions.get(a.kind) or (
                lambda z, a=a: sum(sp.Rational(c.numerator, c.denominator) * z**k for k, c in enumerate(a.coefficients))
            )
            signal = (w * signal + b).applyfunc(f)
        signal_of.append(signal)
    total = sp.Integer(0)
    for f, y, c in zip(signal_of, p.data.targets, p.loss.weights, strict=True):
        total += sp.Rational(c.numerator, c.denominator) * sum(
            (fk - sp.Rational(t.numerator, t.denominator)) ** 2 for fk, t in zip(f, y, strict=True)
        )
    if p.regularizer:
        power = p.regularizer.exponent or 2
        total += sum(
            sp.Rational(c.numerator, c.denominator) * t**power
            for c, t in zip(p.regularizer.weights, names, strict=True)
        )
    return sp.Poly(total, *names)


def as_terms(poly):
    return {e: Q(int(c.p), int(c.q)) for e, c in poly.terms()}


@pytest.mark.parametrize("name", SMALL)
def test_terms_gradient_and_hessian_equal_sympys_expansion(name):
    p = SMALL[name]
    poly, loss = by_sympy(p), loss_polynomial(p)
    assert loss.names == p.parameters
    assert loss.terms == as_terms(poly)
    assert loss.degree == poly.total_degree()
    assert list(loss.gradient) == [_nonzero(as_terms(poly.diff(g))) for g in poly.gens]
    assert [list(row) for row in loss.hessian] == [
        [_nonzero(as_terms(poly.diff(g).diff(h))) for h in poly.gens] for g in poly.gens
    ]


def _nonzero(terms):
    return {e: c for e, c in terms.items() if c}


def test_terms_by_hand():
    # (v w - 1)^2: the network 1-1-1 with x = y = 1
    p = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1])
    loss = loss_polynomial(p)
    assert loss == LossPolynomial(("w1_1_1", "w2_1_1"), {(0, 0): Q(1), (1, 1): Q(-2), (2, 2): Q(1)})
    assert loss.gradient[0] == {(0, 1): Q(-2), (1, 2): Q(2)}
    assert loss.at([Q(2), Q(3)]) == 25
    assert list(loss.terms) == sorted(loss.terms)


def test_monomial_losses_are_their_terms():
    terms = {(2, 0): Q(1), (0, 3): Q(-1, 2), (1, 1): Q(5)}
    assert loss_polynomial(Problem.monomial(["x", "y"], terms)).terms == terms


def test_the_polynomial_and_exact_geometry_agree():
    p = SMALL["polynomial-output"]
    point = [Q(1, 3), Q(-2), Q(5, 7), Q(1, 2)]
    g, loss = landscape(p).at(Point.rational(point)), loss_polynomial(p)
    assert g.value == (loss.at(point),)
    assert g.gradient == tuple((evaluate(t, point),) for t in loss.gradient)
    assert g.hessian == tuple(tuple((evaluate(t, point),) for t in row) for row in loss.hessian)


@pytest.mark.parametrize(
    ("problem", "polynomial", "piecewise", "words"),
    [
        (dense([1, 1, 1], "square"), True, True, "every part"),
        (dense([1, 1, 1], "relu"), False, True, "layer 1, relu"),
        (dense([1, 1, 1], "sigmoid"), False, False, "layer 1 is sigmoid"),
        (dense([1, 1, 1], output_activation="tanh"), False, False, "output activation is tanh"),
        (dense([1, 1, 1], loss="logistic"), False, False, "logistic"),
        (dense([1, 1, 1], regularizer=CUBED), False, True, "kink where w1_1_1 = 0"),
        (dense([2, 1, 1], regularizer={"kind": "neuron-cubic", "weights": 1}), False, False, "neuron-cubic"),
        (dense([1, 1, 1], {"kind": "leaky_relu", "slope": 1}), True, True, "every part"),
    ],
)
def test_is_polynomial_says_why(problem, polynomial, piecewise, words):
    holds, reason = is_polynomial(problem)
    assert holds is polynomial
    assert words in reason
    assert is_piecewise_polynomial(problem)[0] is piecewise
    if not polynomial:
        with pytest.raises(Unsupported):
            loss_polynomial(problem)


def test_too_many_terms_are_refused():
    with pytest.raises(Unsupported, match="at most 20 terms"):
        loss_polynomial(SMALL["linear"], max_terms=20)


# -- cells -------------------------------------------------------------------------------------------------------------


def test_relu_cell_by_hand():
    # F = (v relu(w) - 1)^2 + (v relu(-w) - 3)^2 on x = (1, -1), y = (1, 3); near w = -2 the first unit-sample is dead
    p = Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[1, -1], targets=[1, 3])
    cell = cell_polynomial(p, [Q(-2), Q(5)])
    # 1 + (-v w - 3)^2 = 1 + v^2 w^2 + 6 v w + 9
    assert cell.polynomial.terms == {(0, 0): Q(10), (1, 1): Q(6), (2, 2): Q(1)}
    assert [i.terms for i in cell.inequalities] == [{(1, 0): Q(-1)}, {(1, 0): Q(-1)}]
    assert [piece for _, piece in cell.pattern] == [0, 1]


def test_cells_agree_with_exact_geometry_wherever_their_inequalities_hold():
    p = dense([2, 3, 2], "leaky_relu", slope="1/3", bias=True, regularizer=CUBED)
    base = [Q((5 * k) % 7 - 3, 2) + Q(1, 17) for k in range(len(p.parameters))]
    cell = cell_polynomial(p, base)
    assert cell.inequalities
    held = 0
    for step in range(40):
        # the odd denominators keep the points off the kinks
        near = [x + Q((step * (k + 3)) % 13 - 6, 80) + Q(step * k * k, 10_007) for k, x in enumerate(base)]
        value = landscape(p).at(Point.rational(near), order=1).value
        if all(evaluate(i.terms, near) > 0 for i in cell.inequalities):
            held += 1
            assert value == (cell.polynomial.at(near),)
        else:  # outside the cell the two differ here: the inequalities are not redundant
            assert value != (cell.polynomial.at(near),)
    assert 0 < held < 40


def test_cells_with_several_breaks_bound_both_sides():
    activation = {"kind": "piecewise-polynomial", "breaks": [0, 1], "pieces": [[0], [0, 1], [1]]}
    p = Problem.dense(widths=[1, 1], inputs=[1], targets=[0], output_activation=activation)
    cell = cell_polynomial(p, [Q(1, 2)])
    assert [i.terms for i in cell.inequalities] == [{(1,): Q(1)}, {(0,): Q(1), (1,): Q(-1)}]  # w > 0, 1 - w > 0
    assert cell.polynomial.terms == {(2,): Q(1)}


def test_points_on_kinks_are_refused_unless_the_function_is_constant_there():
    p = Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[0, 1], targets=[1, 1])
    cell = cell_polynomial(p, [Q(2), Q(3)])  # the sample 0 gives relu(0) = 0 for every w
    assert cell.polynomial.terms == {(0, 0): Q(2), (1, 1): Q(-2), (2, 2): Q(1)}
    assert len(cell.inequalities) == 1
    with pytest.raises(Unsupported, match="relu of layer 1, unit 1, sample 2"):
        cell_polynomial(p, [Q(0), Q(3)])


def test_cell_points_are_rational_and_complete():
    p = dense([1, 1, 1], "relu")
    with pytest.raises(Invalid):
        cell_polynomial(p, [Q(1)])
    with pytest.raises(Unsupported):
        cell_polynomial(p, Point(Ln2Ring(), ((Q(0), Q(1)), (Q(1),))))


def test_a_wide_polynomial_network_expands_quickly():
    p = Problem.dense(widths=[1, 30, 1], activation="square", inputs=range(20), targets=range(20))
    started = time.process_time()
    loss = loss_polynomial(p)
    # f = sum_j v_j w_j^2 x^2, so F has 1, 30 linear monomials and 30*31/2 products in u_j = v_j w_j^2
    assert len(loss.terms) == 1 + 30 + 30 * 31 // 2
    assert time.process_time() - started < 10
