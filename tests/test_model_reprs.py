"""The network and the loss in words and in LaTeX; expected texts written by hand."""

from __future__ import annotations

from explorer.model.reprs import activation_latex, loss_text, network_latex, network_text
from explorer.problem import Activation, Problem

RIDGE = {"kind": "power", "exponent": 3, "weights": "1/2"}


def test_one_hidden_layer():
    p = Problem.dense(widths=[1, 2, 1], activation="tanh", bias=True, inputs=[1, 2], targets=[0, 1], regularizer=RIDGE)
    assert network_text(p) == "f(x) = W2 tanh(W1 x + b1)"
    assert loss_text(p) == "F = sum over 2 samples of |y - f|^2 + sum_k lambda_k |theta_k|^3"
    expected = r"f_\theta(x) = W_{2} \phi\!\left(W_{1} x + b_{1}\right),\quad \phi(z) = \tanh{\left(z \right)}"
    assert network_latex(p) == expected


def test_deep_with_different_activations_and_an_output_activation():
    p = Problem.dense(
        widths=[1, 1, 1, 1],
        activation=["relu", "linear"],
        output_activation="square",
        inputs=[1],
        targets=[1],
        loss_weights=[2],
    )
    assert network_text(p) == "f(x) = square(W3 W2 relu(W1 x))"
    assert loss_text(p) == "F = sum over 1 sample of c_i |y - f|^2"
    assert network_latex(p).startswith(
        r"f_\theta(x) = \phi_{2}\!\left(W_{3} W_{2} \phi_{1}\!\left(W_{1} x\right)\right),\quad \phi_{1}(z) = \begin{cases}"
    )


def test_linear_layers_with_bias_keep_their_brackets():
    p = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], bias=True)
    assert network_text(p) == "f(x) = W2 (W1 x + b1)"
    assert network_latex(p) == r"f_\theta(x) = W_{2} \left(W_{1} x + b_{1}\right)"


def test_logistic_and_monomial():
    p = Problem.dense(widths=[1, 1], inputs=[1], targets=[-1], loss="logistic")
    assert loss_text(p) == "F = sum over 1 sample of ln(1 + e^(-y f))"
    assert network_text(p) == "f(x) = W1 x"
    m = Problem.monomial(["x", "y"], {(2, 1): "1/2", (0, 0): -1})
    assert network_text(m) == loss_text(m) == "F(x, y) = x**2*y/2 - 1"
    assert network_latex(m) == r"\frac{x^{2} y}{2} - 1"


def test_activation_latex():
    assert activation_latex(Activation("exp")) == "e^{z}"
