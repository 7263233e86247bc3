"""Narrower a-priori bounds of incoming weights for one hidden layer with an l2 ridge under the squared loss; *computed*, no rule of the checker.

r = f - y, |r|^2 = sum c_i r_i^2 =: R^2, |y| =: Y, and V^2 = sum mu v^2 over the last layer.

1. Euler's identity over the last layer, at a critical point: V^2 = -<r, f> = -R^2 - <r, y>, so R^2 + V^2 <= R Y: R <= Y and V <= sqrt(R (Y - R)), so V R <= K Y^2 with
   K = max of t^(3/2) (1 - t)^(1/2) = 3 sqrt(3)/16 < 13/40 (at t = 3/4), and V^2 <= Y^2 / 4. A free output bias changes nothing: its own equation is sum g_i = 0.
2. Unit j with s = (sum_o v_oj g_io)_i, g = 2 c r: sum_i |s_i| a_i <= 2 |v_j| R |a| <= 2 V R |a| / sqrt(mu), |a|^2 = sum c_i a_i^2, mu the smallest ridge weight of its outgoing weights.
3. *Slopes.* 2 lambda_k |w_k| = |sum s_i phi'(z_i) x_ik|, so lambda_k |w_k| <= L K Y^2 |x_k| / sqrt(mu).
4. *Spread.* 2 sum_k lambda_k w_k^2 = -sum s_i z_i phi'(z_i), so sum_k lambda_k w_k^2 <= D K Y^2 |1| / sqrt(mu) where |z phi'| <= D.
5. *Balance.* w_j . F_wj + b_j F_bj - v_j . F_vj = 0 reads 2 sum lambda_k w_k^2 = 2 mu v_j^2 - sum s_i (z_i phi'(z_i) - phi(z_i)), so
   sum_k lambda_k w_k^2 <= Y^2/4 + B K Y^2 |1| / sqrt(mu) where |z phi' - phi| <= B. (For gelu, swish and softplus incoming weights were bounded by 3 only.)
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from explorer.problem import Activation, DenseNetwork, Problem
from explorer.solve.radius import SLOPES, SPREADS, Radius, root_above, starts

K = Fraction(13, 40)
#: bounds of |z phi'(z) - phi(z)|: log(1 + e^z) - z s(z) is even with its maximum ln 2 at 0; z^2 s(1 - s) <= 0.4393; z^2 phi(z) <= 2/(e sqrt(2 pi)) < 0.2936
BALANCES = {"softplus": Fraction(7, 10), "swish": Fraction(11, 25), "gelu": Fraction(3, 10)}


def narrowed(problem: Problem, ball: Radius) -> Radius:
    """The same with smaller bounds of the parameters of the first layer, where this module has some."""
    net, loss, ridge, data = problem.network, problem.loss, problem.regularizer, problem.data
    if not isinstance(net, DenseNetwork) or net.depth != 2 or net.output.kind != "linear" or data is None:
        return ball
    if loss is None or loss.kind != "squared" or ridge is None or ridge.kind != "l2":
        return ball
    cols, units, weights = net.widths[0], net.widths[1], ridge.weights
    first = starts(net)[1]
    energy = sum((c * v * v for c, y in zip(loss.weights, data.targets, strict=True) for v in y), Fraction(0))
    total = sum(loss.weights, Fraction(0))
    bounds = list(ball.bounds)
    for k in range(first):
        unit, column = (k // cols, k % cols) if k < units * cols else (k - units * cols, None)
        outgoing = min(weights[first + o * units + unit] for o in range(net.widths[2]))
        if not outgoing or not weights[k]:
            continue
        square = [Fraction(1) if column is None else x[column] ** 2 for x in data.inputs]
        moment = sum((c * v for c, v in zip(loss.weights, square, strict=True)), Fraction(0))
        pull = K * energy * root_above(total / outgoing, 2)
        found = []
        slope, spread, balance = _facts(net.activations[0])
        if slope is not None:
            found.append(slope * K * energy * root_above(moment / outgoing, 2) / weights[k])
        if spread is not None:
            found.append(root_above(spread * pull / weights[k], 2))
        if balance is not None:
            found.append(root_above((energy / 4 + balance * pull) / weights[k], 2))
        bounds[k] = min(bounds[k], *found) if found else bounds[k]
    return replace(ball, bounds=tuple(bounds))


def _facts(activation: Activation) -> tuple[Fraction | None, Fraction | None, Fraction | None]:
    kind = activation.kind
    return SLOPES.get(kind), SPREADS.get(kind), BALANCES.get(kind)
