"""How far out critical points can be where `radius` does not reach: output activations, several bounded layers, a free output bias.

Dense network, squared or logistic loss l, regularizer sum lambda_k |theta_k|^p with p >= 2, all lambda_k > 0 except perhaps those of the
output biases. z_io is the pre-activation of output o at sample i, psi the output activation, h_io(z) = d/dz c_i l(psi(z), y_io).

1. *Inward pull.* E_io >= -z h_io(z) for all z, where such a number exists (`pull`, with E >= 0). z is linear in the last layer, so at a
critical point p sum lambda |theta_k|^p over that layer is -sum z_io h_io(z_io) <= E = sum E_io (Euler). Down to the first activation that
is not homogeneous, D the product of the degrees: p sum lambda |theta_k|^p <= D E over every layer, as long as no later hidden layer has biases.
(An output bias b does no harm: sum_i h_io = -p lambda |b|^(p-1) sgn b, so -sum (z_io - b) h_io <= -sum z_io h_io.)
2. *Force.* |h_io(z_io)| <= H_io at a critical point: either everywhere (`force`), or by 1: sum z h <= 0 there, so each z_io h_io is at most
the sum of the other E and at least -E_io, and |h_io| <= E where |z_io| >= 1; for |z_io| < 1 by |psi| and |psi'| on [-1, 1].
3. *Slopes.* |dl/ds| <= Delta for the pre-activations s of a layer: H for the last, and L sum |w| Delta below, with the bounds of the
weights w above and |phi'| <= L. The incoming signals are the inputs, or bounded by sup |phi|. p lambda_k |theta_k|^(p-1) <= sum Delta |signal|.
4. *A free output bias b_o.* sum_i h_io(z_io) = 0. If there is a Z such that all h_io(z), z > Z, have one sign or vanish, not all of them,
and so for z < -Z, then neither all z_io > Z nor all z_io < -Z, so |b_o| <= Z + the largest |z - b|, which 1 and 3 bound (`ahead`).

*Kinks.* psi may have kinks: Clarke's gradients are convex combinations of limits of gradients, and 1 and 3 are linear in h. Where 2 is taken
from 1 the h of the combination obeys it, and the layers below have one slope each, because L is stated for C^1 activations only; the hidden
activations with kinks that pass are homogeneous ones (1). All of this is about F as it stands: no bound here is used for a certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from explorer.errors import Unsupported
from explorer.model.activations import pieces_of
from explorer.model.pieces import Coefficients, Pieces, derivative, trim
from explorer.problem import Activation, DenseNetwork, Problem
from explorer.solve.radius import SLOPES, SPREADS, Radius, homogeneity, root_above, starts

ONE, ZERO = Fraction(1), Fraction(0)
#: sup |phi| of bounded activations
HEIGHTS = {"sigmoid": ONE, "tanh": ONE, "sin": ONE, "erf": ONE}
#: for z <= 0 bounds of |psi| and of |z psi'(z)|; for z >= 0 a with 0 <= z psi' <= a psi and psi >= 0
#: softplus: ln 2, max |z| e^-|z| = 1/e, z s <= z <= psi; swish: |z| s(z) <= 1/e and z^2 s(z) <= 4/e^2, z(1 - s) <= 3/8;
#: gelu: |z| Phi(z) <= 1/4 and z^2 phi(z) <= 2/(e sqrt(2 pi)) <= 3/10, z phi/Phi <= 2/sqrt(2 pi e) <= 1/2
HALVES = {
    "softplus": (Fraction(7, 10), Fraction(3, 8), ONE),
    "swish": (Fraction(3, 8), ONE, Fraction(11, 8)),
    "gelu": (Fraction(1, 4), Fraction(3, 5), Fraction(3, 2)),
}
#: bounds of |psi| and |psi'| on [-1, 1]
NEAR = {
    "softplus": (Fraction(3, 2), ONE), "swish": (ONE, Fraction(5, 4)), "gelu": (ONE, Fraction(5, 4)), "exp": (Fraction(3), Fraction(3)),
}  # fmt: skip


@dataclass(frozen=True)
class Term:
    """One summand c l(psi(z), y) of the loss as a function of the pre-activation z of its output."""

    kind: str
    weight: Fraction
    target: Fraction
    psi: Activation


def terms_of(problem: Problem) -> list[list[Term]]:
    """The summands, sample by sample and output by output."""
    assert isinstance(problem.network, DenseNetwork)
    assert problem.loss is not None
    assert problem.data is not None
    psi, kind = problem.network.output, problem.loss.kind
    rows = zip(problem.loss.weights, problem.data.targets, strict=True)
    return [[Term(kind, c, y, psi) for y in targets] for c, targets in rows]


# -- one summand -----------------------------------------------------------------------------------------------------


def pull(t: Term) -> Fraction | None:
    """E >= 0 with -z h(z) <= E for all z, or None."""
    c, y, squared = t.weight, abs(t.target), t.kind == "squared"
    kind, p = t.psi.kind, pieces_of(t.psi)
    # -a f l'(f): 2 (y - f) f <= y^2/2, and m/(1 + e^m) <= 1/3 (rule radius)
    outward = c * (y * y / 2 if squared else Fraction(1, 3))
    if (degree := homogeneity(t.psi)) is not None:
        return degree * outward
    if p is not None:
        return c * _pull_of_pieces(p, t.target) if squared else None
    if kind in SPREADS:
        return c * SPREADS[kind] * (2 * (1 + y) if squared else y)
    if kind in HALVES:
        height, spread, a = HALVES[kind]
        return max(a * outward, c * spread * (2 * (height + y) if squared else y))
    if (
        kind == "exp"
    ):  # z >= 0: z <= ln y, e^z (y - e^z) <= y^2/4, or u = e^z: y u ln u e^(-y u) <= 4/(e^2 y); z < 0: |z| e^z <= 3/8
        left = c * Fraction(3, 8) * (2 * (1 + y) if squared else y)
        right = c * (y**3 / 2 if squared else Fraction(5, 8) / y if y else ZERO)
        return max(left, right)
    if kind == "elu":
        a = abs(t.psi.alpha or ZERO)
        return max(outward, c * Fraction(3, 8) * a * (2 * (a + y) if squared else y))
    return None


def _pull_of_pieces(p: Pieces, y: Fraction) -> Fraction:
    """max of -2 z psi'(psi - y) on every piece, by the bound of Cauchy for the place where the leading term wins; psi continuous."""
    best = ZERO
    for k, piece in enumerate(p.polynomials):
        low, high = p.interval(k)
        slope = derivative(piece)
        error = (piece[0] - y, *piece[1:])
        product = [ZERO] * (len(slope) + len(error))
        for i, a in enumerate(slope):
            for j, b in enumerate(error):
                product[i + j + 1] -= 2 * a * b
        q = trim(tuple(product))
        if not any(q):
            continue
        # the leading coefficient is negative and the degree even (psi' and psi have the same one): no positive value beyond the bound
        reach = 1 + max((abs(a / q[-1]) for a in q[:-1]), default=ZERO)
        ends = [abs(v) for v in (low, high) if v is not None]
        if len(ends) == 2:
            reach = min(reach, max(ends))
        best = max(best, sum((abs(a) * reach**i for i, a in enumerate(q)), ZERO))
    return best


def force(t: Term) -> Fraction | None:
    """sup |h| over all z, or None."""
    c, y, squared, kind = t.weight, abs(t.target), t.kind == "squared", t.psi.kind
    if kind in HEIGHTS:
        return c * SLOPES[kind] * (2 * (HEIGHTS[kind] + y) if squared else y)
    slope = max(ONE, abs(t.psi.alpha or ZERO)) if kind == "elu" else SLOPES.get(kind)
    return None if squared or slope is None else c * slope * y


def _force_inside(t: Term) -> Fraction | None:
    """sup |h| over [-1, 1], or None."""
    p, kind = pieces_of(t.psi), t.psi.kind
    if p is not None:
        height = max(_size(piece) for piece in p.polynomials)
        slope = max(_size(derivative(piece)) for piece in p.polynomials)
    elif kind == "elu":
        height = slope = max(ONE, abs(t.psi.alpha or ZERO))
    elif kind in NEAR:
        height, slope = NEAR[kind]
    else:
        return None
    return t.weight * slope * (2 * (height + abs(t.target)) if t.kind == "squared" else abs(t.target))


def _size(c: Coefficients) -> Fraction:
    return sum((abs(a) for a in c), ZERO)


# -- signs far out -----------------------------------------------------------------------------------------------------


def ahead(t: Term, side: int) -> tuple[int, Fraction] | None:
    """(s, Z), Z >= 0: h(z) has the sign s (0: it is 0) for side z > Z; None where this is not seen."""
    if (found := _limit(t.psi, side)) is None:
        return None
    way, start, limit, approach = found
    if way == 0:
        return 0, start
    if t.kind == "logistic":
        return (way if t.target < 0 else -way if t.target > 0 else 0), start
    if limit is not None and limit == t.target:  # psi - y has the sign opposite to the way from which psi comes
        return -side * way * way, start
    if limit is None:
        above = side * way
    else:
        above = 1 if limit > t.target else -1
    return way * above, max(start, approach(t.target))


def _cauchy(c: Coefficients) -> Fraction:
    """All zeros of the polynomial are smaller in modulus, or it is linear and this is where it vanishes, or constant."""
    if len(c) <= 2:
        return abs(c[0] / c[1]) if len(c) == 2 else ZERO
    return 1 + max(abs(a / c[-1]) for a in c[:-1])


def limit_of(psi: Activation, side: int) -> Fraction | None:
    """The limit of psi(z) for side z -> infinity; None: infinite (or not seen)."""
    found = _limit(psi, side)
    return None if found is None else found[2]


def _limit(psi: Activation, side: int) -> tuple[int, Fraction, Fraction | None, Callable[[Fraction], Fraction]] | None:
    """(sign of psi', from where on, limit or None for an infinite one, Z(y) beyond which psi is on its limit's side of y)."""
    kind, p = psi.kind, pieces_of(psi)
    if p is not None:
        piece = trim(p.polynomials[-1 if side > 0 else 0])
        start = max(ZERO, side * p.breaks[-1 if side > 0 else 0]) if p.breaks else ZERO
        if len(piece) == 1:
            return 0, start, piece[0], lambda y: ZERO
        up = (piece[-1] > 0) == (side > 0 or len(piece) % 2 == 0)
        return (
            1 if up else -1,
            max(start, _cauchy(derivative(piece))),
            None,
            lambda y: _cauchy((piece[0] - y, *piece[1:])),
        )
    if kind in ("sigmoid", "tanh"):
        # s(u) >= u/(1 + u) for u >= 0, and tanh z = 2 s(2z) - 1, increasing; towards the limit y is passed for good
        def passed(y: Fraction) -> Fraction:
            share = y if kind == "sigmoid" else (1 + y) / 2
            share = share if side > 0 else 1 - share
            return share / (1 - share) if share > 0 else ZERO

        top = ONE if side > 0 else ZERO if kind == "sigmoid" else -ONE
        return 1, ZERO, top, lambda y: passed(y) if _inside(y, top, side) else ZERO
    if kind == "erf":  # erf u >= 1 - e^(-u^2) >= u^2/(1 + u^2)
        return (
            1,
            ZERO,
            Fraction(side),
            lambda y: (
                max(ONE, side * y / (1 - side * y)) if _inside(y, Fraction(side), side) and side * y > 0 else ZERO
            ),
        )
    if side > 0 and kind in ("softplus", "exp", "elu"):  # psi >= z for z >= 0
        return 1, ZERO, None, lambda y: max(ZERO, y)
    if kind in ("softplus", "exp"):  # 0 < psi <= e^z <= 1/(1 - z)
        return 1, ZERO, ZERO, lambda y: max(ZERO, 1 / y - 1) if y > 0 else ZERO
    if kind == "elu":
        a = psi.alpha or ZERO
        if a <= 0:
            return None
        return 1, ZERO, -a, lambda y: max(ZERO, a / (y + a) - 1) if y > -a else ZERO
    if kind in ("swish", "gelu"):
        if side > 0:  # psi' > 0 and psi >= z/2
            return 1, ZERO, None, lambda y: max(ZERO, 2 * y)
        # decreasing from 0 below -2, where |psi| <= u e^-u <= 2/u
        return -1, Fraction(2), ZERO, lambda y: 2 / -y if y < 0 else ZERO
    return None


def _inside(y: Fraction, top: Fraction, side: int) -> bool:
    """Whether psi, on its way to the limit, passes y."""
    return y < top if side > 0 else y > top


# -- all parameters ----------------------------------------------------------------------------------------------------


def growth_radius(problem: Problem) -> Radius:
    """The a-priori radius of this module; `Unsupported` with the reason where it does not reach."""
    net, regularizer, data = problem.network, problem.regularizer, problem.data
    if not isinstance(net, DenseNetwork) or problem.loss is None or data is None:
        raise refused("a dense network", "another one")
    if regularizer is None or regularizer.kind not in ("l2", "power"):
        raise refused("an l2 or power regularizer with positive weights", "none such")
    p, weights = regularizer.exponent or 2, regularizer.weights
    if p < 2:
        raise refused("a differentiable regularizer", f"exponent {p}")
    first = starts(net)
    free = free_biases(problem)
    for k, weight in enumerate(weights):
        if not weight and k not in free:
            raise refused("positive weights except for output biases", f"weight 0 of {problem.parameters[k]}")
    terms = terms_of(problem)
    pulls = [pull(t) for row in terms for t in row]
    known = [e for e in pulls if e is not None]
    energy = sum(known, ZERO) if len(known) == len(pulls) else None
    bounds: dict[int, Fraction] = {}
    balls: list[tuple[tuple[int, ...], Fraction]] = []
    if energy is not None:
        degree = 1
        for layer in range(net.depth, 0, -1):
            inside = tuple(k for k in range(first[layer - 1], first[layer]) if weights[k])
            balls.append((inside, degree * energy / p))
            bounds |= {k: root_above(degree * energy / p / weights[k], p) for k in inside}
            own = homogeneity(net.activations[layer - 2]) if layer > 1 else None
            if own is None or (net.bias[layer - 1] and layer < net.depth):
                break
            degree *= own
    _slopes(problem, net, [[_forced(t, energy) for t in row] for row in terms], bounds, p)
    slabs = []
    for k in free:
        if not weights[k]:
            output = k - free.start
            far = _far([row[output] for row in terms], problem.parameters[k])
            bounds[k] = far + _spread(problem, net, output, bounds)
            if net.depth == 1:
                cols = net.widths[0]
                forms = (((*((output * cols + j, v) for j, v in enumerate(x) if v), (k, ONE))) for x in data.inputs)
                slabs.append((tuple(forms), far))
    return Radius(tuple(bounds[k] for k in range(len(weights))), tuple(balls), tuple(slabs))


def free_biases(problem: Problem) -> range:
    """The places of the output biases, which may do without a regularizer."""
    net = problem.network
    assert isinstance(net, DenseNetwork)
    return range(net.parameter_count - net.widths[-1], net.parameter_count) if net.bias[-1] else range(0)


def _forced(t: Term, energy: Fraction | None) -> Fraction | None:
    found = force(t)
    if found is None and energy is not None and (near := _force_inside(t)) is not None:
        return max(energy, near)
    return found


def _slopes(
    problem: Problem, net: DenseNetwork, forces: list[list[Fraction | None]], bounds: dict[int, Fraction], p: int
) -> None:
    """Step 3, from the last layer down; a bound that is smaller than the one of step 1 replaces it."""
    assert problem.regularizer is not None
    weights, first = problem.regularizer.weights, starts(net)
    delta: list[list[Fraction]] | None = None
    if all(v is not None for row in forces for v in row):
        delta = [[v for v in row if v is not None] for row in forces]
    for layer in range(net.depth, 0, -1):
        cols, rows, start = net.widths[layer - 1], net.widths[layer], first[layer - 1]
        signals = _signals(problem, net, layer)
        for k in range(start, first[layer]):
            row, col = (
                ((k - start) // cols, (k - start) % cols)
                if k < start + rows * cols
                else (k - start - rows * cols, None)
            )
            if not weights[k]:
                continue
            if delta is not None and (col is None or signals is not None):
                each = [
                    d[row] * (ONE if col is None or signals is None else signals[i][col]) for i, d in enumerate(delta)
                ]
                found = root_above(sum(each, ZERO) / (p * weights[k]), p - 1)
                bounds[k] = min(found, bounds.get(k, found))
            elif k not in bounds:
                raise refused(
                    "signals between layers that are bounded, with bounded slopes, or homogeneous activations",
                    f"none such before {problem.parameters[k]}",
                )
        if layer > 1 and delta is not None:
            act = net.activations[layer - 2]
            slope = ONE if act.kind == "elu" and act.alpha == 1 else SLOPES.get(act.kind)
            delta = (
                None
                if slope is None
                else [
                    [slope * sum((bounds[start + r * cols + j] * d[r] for r in range(rows)), ZERO) for j in range(cols)]
                    for d in delta
                ]
            )


def _signals(problem: Problem, net: DenseNetwork, layer: int) -> list[list[Fraction]] | None:
    """Bounds of what comes into the layer, sample by sample."""
    assert problem.data is not None
    if layer == 1:
        return [[abs(v) for v in x] for x in problem.data.inputs]
    height = HEIGHTS.get(net.activations[layer - 2].kind)
    return None if height is None else [[height] * net.widths[layer - 1] for _ in problem.data.inputs]


def _far(terms: Sequence[Term], name: str) -> Fraction:
    """Step 4: Z > 0 such that the pre-activations of an output with a free bias are neither all > Z nor all < -Z."""
    reach = ONE
    for side in (-1, 1):
        signs = [ahead(t, side) for t in terms]
        found = [s for s in signs if s is not None]
        if len(found) < len(signs) or len({s for s, _ in found if s}) != 1:
            raise refused(
                f"a loss that rises or falls for all samples when {name} goes to infinity",
                "samples that disagree or are silent",
            )
        reach = max(reach, *(z for _, z in found))
    return reach


def _spread(problem: Problem, net: DenseNetwork, output: int, bounds: dict[int, Fraction]) -> Fraction:
    """The largest |z - b| of an output with bias b."""
    signals, cols, start = _signals(problem, net, net.depth), net.widths[-2], starts(net)[-2]
    if signals is None:
        raise refused("bounded signals where the output bias is free", "others")
    return max(sum((bounds[start + output * cols + j] * v for j, v in enumerate(row)), ZERO) for row in signals)


def refused(expected: str, got: str) -> Unsupported:
    return Unsupported("a-priori radius", expected=expected, got=got, remedy="give a box with --box")
