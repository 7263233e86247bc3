"""A-priori bounds by Euler's identities of single units: dense networks of any depth, linear output, squared loss, l2 ridge; *computed*, no rule of the checker.

r = f - y, |r|^2 = sum c_i r_i^2 =: R^2, |y| =: Y, T = sum c_i, V^2 = sum lambda theta^2 over the last layer, g_i = 2 c_i r_i.

1. Euler's identity over the last layer, at a critical point: V^2 = -<r, f> = -R^2 - <r, y>, so R^2 + V^2 <= R Y: V^2 <= Y^2/4, and V R <= K Y^2 with
   K = max of t^(3/2) (1 - t)^(1/2) = 3 sqrt(3)/16 < 13/40 (at t = 3/4). A free output bias changes nothing: its own equation is sum g_i = 0.
2. With delta = dL/dz for the pre-activations of a layer (L the loss without the ridge) and s = W^T delta one layer above, delta = phi'(z) s. Let S bound sum_i |s_i| (Euclidean norms
   over the units). Below the last layer sum_i |s_i| <= |W| 2 sqrt(T) R, so S = 2 sqrt(T) K Y^2 / sqrt(min lambda); below any other layer S' = |W| L S, |phi'| <= L,
   |W|^2 <= (sum lambda theta^2 over that layer)/(min lambda of its weights).
3. *Slopes.* 2 lambda_k |theta_k| = |sum delta_i a_ik| <= L S max_i |a_ik| for incoming signals a that are known: inputs, and 1 for biases.
4. *Spread.* 2 sum_in lambda theta^2 = -sum s_i z_i phi'(z_i) <= D S where |z phi'| <= D.
5. *Balance.* theta . F_theta over what comes into a unit less that over what goes out: 2 sum_in lambda theta^2 = 2 sum_out lambda W^2 - sum s_i (z_i phi'(z_i) - phi(z_i)), so
   sum_in lambda theta^2 <= (sum_out lambda W^2) + B S / 2 where |z phi' - phi| <= B. Summed over a layer: with (number of units) S. (For gelu, swish and softplus
   incoming weights were bounded by 3 only, and not at all above the first layer.)
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from explorer.errors import Unsupported
from explorer.problem import DenseNetwork, Problem
from explorer.solve.growth import refused
from explorer.solve.radius import SLOPES, SPREADS, Radius, root_above, starts

K = Fraction(13, 40)
#: bounds of |z phi'(z) - phi(z)|: log(1 + e^z) - z s(z) is even with its maximum ln 2 at 0; z^2 s(1 - s) <= 0.4393; z^2 phi(z) <= 2/(e sqrt(2 pi)) < 0.2936
BALANCES = {"softplus": Fraction(7, 10), "swish": Fraction(11, 25), "gelu": Fraction(3, 10), "linear": Fraction(0)}


def narrowed(problem: Problem, ball: Radius) -> Radius:
    """The same with smaller bounds of parameters, where this module has some."""
    try:
        found, _ = euler_bounds(problem)
    except Unsupported:
        return ball
    return replace(ball, bounds=tuple(min(b, found.get(k, b)) for k, b in enumerate(ball.bounds)))


def balance_radius(problem: Problem) -> Radius:
    """The a-priori radius of this module; `Unsupported` with the reason where it does not reach."""
    found, balls = euler_bounds(problem)
    if missing := [name for k, name in enumerate(problem.parameters) if k not in found]:
        raise refused("bounds of all parameters", f"none for {', '.join(missing)[:80]}")
    return Radius(tuple(found[k] for k in range(len(problem.parameters))), tuple(balls))


def euler_bounds(problem: Problem) -> tuple[dict[int, Fraction], list[tuple[tuple[int, ...], Fraction]]]:
    """Bounds of single parameters, not of all, and (parameters of a layer, bound of their sum of lambda theta^2)."""
    net, loss, ridge, data = problem.network, problem.loss, problem.regularizer, problem.data
    if not isinstance(net, DenseNetwork) or net.depth < 2 or net.output.kind != "linear" or data is None:
        raise refused("hidden layers and a linear output", "another network")
    if loss is None or loss.kind != "squared" or ridge is None or ridge.kind != "l2":
        raise refused("the squared loss with an l2 regularizer", "another loss")
    weights, first = ridge.weights, starts(net)
    energy = sum((c * v * v for c, y in zip(loss.weights, data.targets, strict=True) for v in y), Fraction(0))
    out: dict[int, Fraction] = {}
    balls: list[tuple[tuple[int, ...], Fraction]] = []
    limit, pull = energy / 4, 2 * K * energy * root_above(sum(loss.weights, Fraction(0)), 2)  # V^2, and S without |W|/V
    for layer in range(net.depth, 0, -1):
        cols, rows, start = net.widths[layer - 1], net.widths[layer], first[layer - 1]
        inside = range(start, first[layer])
        slope = SLOPES.get(net.activations[layer - 1].kind) if layer < net.depth else None
        if layer < net.depth:
            kind, found = net.activations[layer - 1].kind, []
            if kind in SPREADS:
                found.append((SPREADS[kind] * pull / 2, rows * SPREADS[kind] * pull / 2))
            if kind in BALANCES:
                found.append((limit + BALANCES[kind] * pull / 2, limit + rows * BALANCES[kind] * pull / 2))
            for k in inside:
                column = (k - start) % cols if k < start + rows * cols else None
                if slope is not None and weights[k] and (layer == 1 or column is None):
                    signal = Fraction(1) if column is None else max(abs(x[column]) for x in data.inputs)
                    out[k] = slope * pull * signal / (2 * weights[k])
            if not found:  # nothing is known of the layers below
                break
            unit, limit = min(found)[0], min(v for _, v in found)
        else:
            unit = limit
        balls.append((tuple(k for k in inside if weights[k]), limit))
        for k in inside:
            if weights[k]:
                reach = root_above(unit / weights[k], 2)
                out[k] = min(reach, out.get(k, reach))
        smallest = min(weights[start : start + rows * cols])
        if not smallest or (layer < net.depth and slope is None):
            break
        pull *= root_above((limit if slope is not None else Fraction(1)) / smallest, 2) * (slope or 1)
    return out, balls
