"""What kind of function of its parameters a loss is, part by part, with the reason in one sentence."""

from __future__ import annotations

from explorer.model import activations, regularizers
from explorer.problem import (
    Activation,
    AddedExponential,
    DenseNetwork,
    MonomialLoss,
    Problem,
    StudentTeacher,
    StudentTeacherFamily,
)


def used_activations(problem: Problem) -> tuple[tuple[str, Activation], ...]:
    """The activations of a dense network with the place where each acts, from input to output."""
    net = problem.network
    if isinstance(net, AddedExponential):
        return (*_dense(net.base), ("the added unit", Activation("exp")))
    return _dense(net) if isinstance(net, DenseNetwork) else ()


def _dense(net: DenseNetwork) -> tuple[tuple[str, Activation], ...]:
    hidden = [(f"the activation of layer {k}", a) for k, a in enumerate(net.activations, start=1)]
    return (*hidden, ("the output activation", net.output))


def is_polynomial(problem: Problem) -> tuple[bool, str]:
    """Whether F is a polynomial of the parameters, and the reason in one sentence."""
    holds, reason = is_piecewise_polynomial(problem)
    if not holds:
        return False, reason
    if (broken := _first_break(problem)) is not None:
        return False, broken
    return True, "every part of the loss is a polynomial of the parameters"


def is_piecewise_polynomial(problem: Problem) -> tuple[bool, str]:
    """Whether F is a polynomial on each cell of a subdivision by the breaks, and the reason in one sentence."""
    if isinstance(problem.network, MonomialLoss):
        return True, "the loss is given as a polynomial"
    if isinstance(problem.network, StudentTeacher | StudentTeacherFamily):
        return False, "the population loss of ReLU students holds the angles between their weight vectors"
    for place, a in used_activations(problem):
        if activations.pieces_of(a) is None:
            return False, f"{place} is {a.kind}, which is not piecewise polynomial"
    if problem.loss is not None and problem.loss.kind == "logistic":
        return False, "the logistic loss is not a polynomial"
    if any(isinstance(t, regularizers.NormCubed) for t in regularizers.terms(problem)):
        return False, "the neuron-cubic regularizer holds a square root of incoming weights"
    return True, "every part of the loss is piecewise polynomial"


def kind(problem: Problem) -> str:
    """``polynomial``, ``piecewise`` (some part has a break) or ``analytic``."""
    if is_polynomial(problem)[0]:
        return "polynomial"
    return "analytic" if _first_break(problem) is None else "piecewise"


def _first_break(problem: Problem) -> str | None:
    for place, a in used_activations(problem):
        if breaks := activations.row(a).breaks(a):
            return f"{place}, {a.kind}, has a break at {breaks[0].at}"
    for t in regularizers.terms(problem):
        if isinstance(t, regularizers.NormCubed):
            return "the neuron-cubic regularizer is C^2 only where all incoming weights of a unit vanish"
        if activations.row(t.function).breaks(t.function):
            return f"the regularizer has a kink where {problem.parameters[t.parameter]} = 0"
    return None
