"""The network function and its loss as people write them: matrices W_l, vectors b_l, activations named, in text and LaTeX.

Notation of R. Sun et al., "The Global Landscape of Neural Networks: An Overview" (IEEE Signal Processing Magazine 37,
2020), section II: f_theta(x) = W_L phi(W_(L-1) ... phi(W_1 x + b_1) ...) + b_L and F(theta) = sum_i l(y_i, f_theta(x_i)).
"""

from __future__ import annotations

from fractions import Fraction

import sympy as sp

from explorer.model import activations, losses, regularizers
from explorer.model.kinds import used_activations
from explorer.problem import Activation, AddedExponential, MonomialLoss, Problem, StudentTeacher, StudentTeacherFamily
from explorer.students import LATEX

_Z = sp.Symbol("z", real=True)


def network_text(problem: Problem) -> str:
    """``f(x) = W2 tanh(W1 x + b1)``; a monomial loss has no network: its polynomial."""
    net = problem.network
    if isinstance(net, MonomialLoss):
        return f"F({', '.join(net.names)}) = {sp.sstr(_monomial(net))}"
    if isinstance(net, StudentTeacher | StudentTeacherFamily):
        return "F(W) = E (sum_i relu(w_i.x) - sum_j relu(v_j.x))^2 / 2, x standard normal"
    net, added = (net.base, " + a exp(w x + b)") if isinstance(net, AddedExponential) else (net, "")
    inner = "x"
    for k, bias in enumerate(net.bias, start=1):
        inner = f"W{k} {inner}" + (f" + b{k}" if bias else "")
        a = net.output if k == net.depth else net.activations[k - 1]
        if a.kind != "linear":
            inner = f"{a.kind}({inner})"
        elif k < net.depth and bias:  # the next matrix multiplies the sum
            inner = f"({inner})"
    return f"f(x) = {inner}{added}"


def loss_text(problem: Problem) -> str:
    """``F = sum over 3 samples of |y - f|^2 + sum_k lambda_k theta_k^2``."""
    if problem.loss is None or problem.data is None:
        return network_text(problem)
    weighted = any(c != 1 for c in problem.loss.weights)
    count = len(problem.data)
    out = f"F = sum over {count} sample{'s' if count > 1 else ''} of {'c_i ' if weighted else ''}"
    out += losses.row(problem.loss).formula
    if problem.regularizer is not None:
        formula = regularizers.row(problem.regularizer).formula
        out += " + " + formula.replace("^p", f"^{problem.regularizer.exponent}")
    return out


def network_latex(problem: Problem) -> str:
    r"""``f_\theta(x) = W_{2}\,\phi(W_{1} x + b_{1})`` with the definition of each activation that occurs."""
    net = problem.network
    if isinstance(net, MonomialLoss):
        return sp.latex(_monomial(net))
    if isinstance(net, StudentTeacher | StudentTeacherFamily):
        return LATEX
    net, added = (net.base, r" + a\,e^{w^\top x + b}") if isinstance(net, AddedExponential) else (net, "")
    inner, symbols = "x", _symbols(problem)
    for k, bias in enumerate(net.bias, start=1):
        inner = rf"W_{{{k}}} {inner}" + (rf" + b_{{{k}}}" if bias else "")
        a = net.output if k == net.depth else net.activations[k - 1]
        if a in symbols:
            inner = rf"{symbols[a]}\!\left({inner}\right)"
        elif k < net.depth and bias:
            inner = rf"\left({inner}\right)"
    definitions = [rf"{symbol}(z) = {activation_latex(a)}" for a, symbol in symbols.items()]
    return r",\quad ".join([rf"f_\theta(x) = {inner}{added}", *definitions])


def activation_latex(activation: Activation) -> str:
    """The formula of an activation in the variable z."""
    return sp.latex(activations.row(activation).expression(activation, _Z))


def _symbols(problem: Problem) -> dict[Activation, str]:
    r"""A letter for each activation that is not the identity: \phi, or \phi_1, \phi_2, ... when there are several."""
    different = list(dict.fromkeys(a for _, a in used_activations(problem) if a.kind != "linear"))
    if len(different) == 1:
        return {different[0]: r"\phi"}
    return {a: rf"\phi_{{{k}}}" for k, a in enumerate(different, start=1)}


def _monomial(net: MonomialLoss) -> sp.Expr:
    names = sp.symbols(net.names, real=True)
    return sp.Add(
        *(
            _rational(c) * sp.Mul(*(x**k for x, k in zip(names, e, strict=True)))
            for c, e in sorted(net.terms, key=lambda t: t[1])
        )
    )


def _rational(c: Fraction) -> sp.Rational:
    return sp.Rational(c.numerator, c.denominator)


__all__ = ["activation_latex", "loss_text", "network_latex", "network_text"]
