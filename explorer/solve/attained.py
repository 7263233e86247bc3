"""Why min F is attained: then it is the smallest critical value of a complete list. Coercive losses, and some that are not.

- *Convex quadratic.* A polynomial of degree at most 2 with positive semidefinite Hessian: every critical point is a global minimum
  (first-order condition of convexity). Constants and least squares of any rank are of this kind; a loss that is nonnegative is one
  whenever its degree is at most 2, since a direction of negative curvature would lead below 0.
- *One parameter.* A polynomial of even degree with positive leading coefficient is coercive.
- *A free output bias.* All other parameters are regularized, so sublevel sets bound them, and with them the signals into the last layer;
  beyond a bound F does not fall when the bias moves outward, because no summand does (`growth.ahead`): the infimum is that over a compact set.
"""

from __future__ import annotations

from fractions import Fraction

from explorer.algebra.inertia import inertia
from explorer.model.kinds import is_polynomial
from explorer.point import RationalField
from explorer.problem import DenseNetwork, Problem
from explorer.solve.bounds import coercive
from explorer.solve.growth import ahead, free_biases, terms_of
from explorer.solve.polynomials import Terms


def attained(problem: Problem, terms: Terms | None = None) -> str:
    """The sentence that proves it, or the empty string. ``terms``: the loss as a polynomial, where it is one everywhere."""
    if found := coercive(problem, terms):
        return found
    if terms is not None and is_polynomial(problem)[0]:
        return _polynomial({e: c for e, c in terms.items() if c}, len(problem.parameters))
    return _rises(problem)


def _polynomial(terms: Terms, d: int) -> str:
    degree = max((sum(e) for e in terms), default=0)
    if degree == 0:
        return "F is constant"
    if degree <= 2:
        matrix = [[(Fraction(0),)] * d for _ in range(d)]
        for e, c in terms.items():
            where = [k for k, n in enumerate(e) for _ in range(n)]
            if len(where) == 2:
                i, j = where
                matrix[i][j] = matrix[j][i] = (2 * c,) if i == j else (c,)
        if inertia(matrix, RationalField()).negative == 0:
            return "F is a convex polynomial of degree 2: each of its critical points is a global minimum"
    if d == 1 and degree % 2 == 0 and terms[(degree,)] > 0:
        return "F is a polynomial of even degree in one parameter with positive leading coefficient"
    return ""


def _rises(problem: Problem) -> str:
    regularizer, net = problem.regularizer, problem.network
    if not isinstance(net, DenseNetwork) or regularizer is None or regularizer.kind not in ("l2", "power"):
        return ""
    free = free_biases(problem)
    if any(not w and k not in free for k, w in enumerate(regularizer.weights)):
        return ""
    for row in terms_of(problem):
        for term in row:
            for side in (-1, 1):
                found = ahead(term, side)
                if found is None or found[0] * side < 0:
                    return ""
    return "all parameters but output biases are regularized, and far out F does not fall when an output bias moves outward"
