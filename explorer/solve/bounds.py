"""Facts about F on the whole parameter space, each with the sentence that proves it: F >= 0, F coercive."""

from __future__ import annotations

from fractions import Fraction

from explorer.problem import DenseNetwork, Problem
from explorer.solve.polynomials import Terms, context, even_power_factors, from_terms


def nonnegative(problem: Problem, terms: Terms | None = None) -> str:
    """Why F >= 0, or the empty string where no reason is seen.

    A loss with regularizer is a sum of nonnegative terms (rule ``floor``); a loss given as a polynomial (``terms``) is
    checked for being a constant times even powers.
    """
    if isinstance(problem.network, DenseNetwork):
        return "the loss is a sum of nonnegative terms"
    if terms is not None and even_power_factors(from_terms(context(problem.parameters), terms)):
        return "F is a positive number times even powers of polynomials"
    return ""


def coercive(problem: Problem, terms: Terms | None = None) -> str:
    """Why F(theta) -> infinity as |theta| -> infinity (so that its minimum is attained), or the empty string."""
    if isinstance(problem.network, DenseNetwork):
        r = problem.regularizer
        if r is not None and r.kind in ("l2", "power") and all(w > 0 for w in r.weights):
            return "the loss is nonnegative and every parameter is regularized with a positive weight"
        if r is not None and r.kind == "neuron-cubic" and all(w > 0 for w in r.weights):
            return "the loss is nonnegative and every unit is regularized with a positive weight"
        return ""
    if terms is None:
        return ""
    # F = sum_k c_k theta_k^2 + a perfect square, all c_k > 0
    d = len(problem.parameters)
    squares = {tuple(2 * (i == k) for i in range(d)) for k in range(d)}
    diagonal = {e: c for e, c in terms.items() if e in squares}
    rest = {e: c for e, c in terms.items() if e not in squares}
    if len(diagonal) < d or any(c <= 0 for c in diagonal.values()):
        return ""
    if not rest or even_power_factors(from_terms(context(problem.parameters), rest)):
        return "F is a nonnegative polynomial plus a positive multiple of the square of every parameter"
    return ""


def value_floor(problem: Problem, terms: Terms | None = None) -> Fraction | None:
    """A number below which F never falls, where one is seen: 0 or None."""
    return Fraction(0) if nonnegative(problem, terms) else None


def has_certified_floor(problem: Problem) -> bool:
    """Whether the checker's rule ``floor`` with proof ``nonnegative`` applies (not to losses given as polynomials)."""
    return isinstance(problem.network, DenseNetwork)
