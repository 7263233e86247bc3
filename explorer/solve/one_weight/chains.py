"""Chains of single units without biases: with homogeneous hidden activations F is a loss in one weight on every orthant.

Widths (1, 1, ..., 1), hidden activations homogeneous of degrees D_k >= 1 (linear, relu, leaky_relu, requ, square, cubic, |z|), any output
activation psi, squared or logistic loss. With s the signs of the weights and p = prod |w_k|^(e_k), e_L = 1, e_k = D_k e_(k+1):

    f(x) = psi(p a_s(x)),   a_s(x) = s_L phi(s_(L-1) phi(... phi(s_1 x))),   F = H_s(p) + sum lambda_k |w_k|^q,   p >= 0,

and H_s is the loss of one weight p on the inputs a_s(x_i), which `line` and the polynomial engines solve. a_(s, -) = -a_(s, +) for the
last sign, so that H_s for p >= 0 and that of the other sign are the two halves of one line.

*No regularizer.* In an open orthant p is a submersion: critical (Clarke) iff 0 is in the subdifferential of H_s at p. So each critical
p* > 0 gives the hypersurface p = p*, a graph over the other weights, of the same kind; an interval on which H_s is constant an open region.
*Some weights 0.* There p = 0, and F = F_0. Let I be the zero weights of a point. grad p -> 0 there if |I| >= 2, or if I = {k} with
e_k >= 2: critical. If I = {k}, e_k = 1, the limits of the gradient are +-H_s'(0+) R e_k, R > 0, for the two orthants: critical iff these slopes of F away
from w_k = 0 do not have opposite signs. Near the point F - F_0 = H_s(p) - H_s(0) in the orthants whose closure holds it,
and H_s is strictly monotone up to its first critical number or flat piece: the sign there (an enclosure at one number) decides the kind.
*Every lambda_k > 0.* In an orthant q lambda_k |w_k|^q / e_k = -H'(p) p for all k (Euler's identity for each weight): |w_k| = rho_k r, rho_k =
(e_k lambda_L / lambda_k)^(1/q). So critical points are those of G(r) = H_s(c r^E) + E lambda_L r^q, c = prod rho_k^(e_k), E = sum e_k
(sum lambda_k |w_k|^q = lambda_L r^q sum e_k). In log |w_k| the regularizer is strictly convex on p = const and least there: all
directions but one are positive, and the last one is that of G''. Where some weights are 0 and others are not, the derivatives at the others do not vanish:
only the origin is left; F - F_0 >= G(r) - G(0), with equality at balanced points: a strict minimum iff every G_s rises from 0, else a saddle.
*Some lambda_k > 0, q >= 2.* Then -H'(p) p = 0 for the others, so there is nothing in open orthants; all regularized weights are 0 (J, part of
I), and the rest as above. If all H_s rise or are constant, F >= F_0 nearby. If H_s'(0+) < 0 for one, and J is one weight with e = 1, F falls along it. inf F =
inf H: the weights of J may be small, and the others large.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import product

from explorer.algebra.fields import arithmetic
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.exact import text
from explorer.model.kinds import kind
from explorer.model.landscape import landscape
from explorer.point import AnyPoint, EnclosedPoint, Inertia, Point
from explorer.problem import DenseNetwork, Problem
from explorer.solve import bounds
from explorer.solve.one_weight.limits import settle_with_limits
from explorer.solve.one_weight.reduced import Chain, Reduced, Side, Signs, Solver, inside_of
from explorer.solve.one_weight.terms import ZERO, value_on_line
from explorer.solve.radius import homogeneity
from explorer.solve.results import Component, Coverage, CriticalSet, Kind, Trust, Value
from explorer.solve.scalars import enclosure
from explorer.solve.values import order, settle_globals

METHOD = "chains of homogeneous units"
LONGEST = 4  #: weights of a chain; there are 3^L faces


def applies(problem: Problem) -> bool:
    """A chain of at least two weights, without biases, with homogeneous hidden activations."""
    net, r = problem.network, problem.regularizer
    return (
        isinstance(net, DenseNetwork)
        and 2 <= net.depth <= LONGEST
        and set(net.widths) == {1}
        and not any(net.bias)
        and all(homogeneity(a) is not None for a in net.activations)
        and (r is None or r.kind in ("l2", "power"))
    )


def by_chain(problem: Problem, deadline: Deadline, solver: Solver) -> CriticalSet:
    """The critical set of a problem to which `applies`; ``solver`` solves losses in one weight."""
    chain = Chain.of(problem)
    if all(chain.weights):
        from explorer.solve.one_weight.balanced import by_balance

        return by_balance(chain, deadline)
    if any(chain.weights) and chain.power < 2:
        raise Unsupported("a chain of units", expected="an l1 weight on all parameters or on none", got="on some")
    lines: dict[tuple[Fraction, ...], Reduced] = {}
    sides: dict[Signs, Side] = {}
    for signs in product((1, -1), repeat=chain.size):
        a = chain.inputs(signs)
        way = next((1 if v > 0 else -1 for v in a if v), 1)
        key = tuple(way * v for v in a)
        if key not in lines:
            lines[key] = Reduced(problem, key)
            lines[key].solve(solver, deadline)
        sides[signs] = Side(lines[key], way)
    components: list[Component] = []
    if not any(chain.weights):
        for signs, side in sides.items():
            components += _in_orthant(chain, signs, side)
    zero = value_on_line(next(iter(lines.values())).problem, Point.rational([0]))
    components += _faces(chain, sides, zero)
    return _assembled(chain, components, list(lines.values()), zero)


# -- all weights other than 0 --------------------------------------------------------------------------------------------


def _in_orthant(chain: Chain, signs: Signs, side: Side) -> Iterator[Component]:
    names = chain.problem.parameters
    where = tuple(f"{name} {'>' if s > 0 else '<'} 0" for name, s in zip(names, signs, strict=True))
    total = chain.product()
    sign = 1
    for s, e in zip(signs, chain.exponents, strict=True):
        sign *= s**e
    for way, _, c, at in side.line.points:
        if way != side.side:
            continue
        found = c.inertia
        what = {Kind.STRICT_MINIMUM: Kind.MINIMUM, Kind.STRICT_MAXIMUM: Kind.MAXIMUM}.get(c.kind, c.kind)
        level = _level(at, sign * side.side)
        yield Component(
            dimension=chain.size - 1,
            sample=_last(chain, signs, side.side, at),
            value=c.value,
            inertia=None if found is None else Inertia(found.positive, found.zero + chain.size - 1, found.negative),
            kind=what,
            is_global=None,
            because=f"F is a function of the product p = {total} there, for which: {c.because}",
            equations=(f"{total} = {level}", *where),
            description="a hypersurface on which the product of the weights is constant"
            + (", a kink of the output (critical in the sense of Clarke)" if "kink" in c.description else ""),
        )
    for a, b in side.line.flats:
        low, high = (a, b) if side.side > 0 else (None if b is None else -b, None if a is None else -a)
        if low is None or low < 0:
            continue
        t = side.side * inside_of(low, high)
        shown = [f"{'' if sign > 0 else '-'}{total} > {text(low)}"] if low else []
        shown += [f"{'' if sign > 0 else '-'}{total} < {text(high)}"] if high is not None else []
        yield Component(
            dimension=chain.size,
            sample=_last(chain, signs, side.side, Point.rational([t])),
            value=value_on_line(side.line.problem, Point.rational([t])),
            inertia=Inertia(0, chain.size, 0),
            kind=Kind.MINIMUM,
            is_global=None,
            because="F is constant near every one of these points",
            equations=(*where, *shown),
            description="an open region on which F is constant",
        )


def _level(at: AnyPoint, sign: int) -> str:
    if isinstance(at, Point) and not any(at.coordinates[0][1:]):
        return text(sign * at.coordinates[0][0])
    if isinstance(at, Point):
        low, high = enclosure(at.coordinates[0], at.field)
    else:
        low, high = at.lower[0], at.upper[0]
    return f"{sign * float_text((low + high) / 2)}..."


def float_text(x: Fraction) -> float:
    return x.numerator / x.denominator


def _last(chain: Chain, signs: Signs, side: int, at: AnyPoint) -> AnyPoint:
    """The point of the orthant with p = side t, all weights but the last one 1 or -1."""
    head, last = [Fraction(s) for s in signs[:-1]], signs[-1] * side
    if isinstance(at, EnclosedPoint):
        low, high = sorted((last * at.lower[0], last * at.upper[0]))
        return EnclosedPoint((*head, low), (*head, high))
    a = arithmetic(at.field)
    t = at.coordinates[0]
    return Point(at.field, (*(a.from_fraction(v) for v in head), t if last > 0 else a.neg(t)))


# -- some weights 0 ------------------------------------------------------------------------------------------------------


def _faces(chain: Chain, sides: dict[Signs, Side], zero: Value) -> Iterator[Component]:
    bound = {k for k, w in enumerate(chain.weights) if w}
    for pattern in product((0, 1, -1), repeat=chain.size):
        still = [k for k, s in enumerate(pattern) if not s]
        if not still or not bound <= set(still):
            continue
        around = [sides[signs] for signs in sides if all(s in (0, t) for s, t in zip(pattern, signs, strict=True))]
        if len(still) == 1 and chain.exponents[still[0]] == 1 and not _clarke(*around):
            continue
        what, because = _kind(chain, still, bound, around)
        at = Point.rational(pattern)
        found = inertia_on(chain.problem, at)
        if what is Kind.SADDLE and found is not None and found.positive and found.negative:
            what = Kind.STRICT_SADDLE
        names = chain.problem.parameters
        alone = len(still) == chain.size and _alone(chain, sides)
        yield Component(
            dimension=chain.size - len(still),
            sample=at,
            value=zero,
            inertia=found,
            kind=what,
            is_global=None,
            because=because,
            orbit=1 if alone else None,
            points=(at,) if len(still) == chain.size else (),
            isolated=alone if len(still) == chain.size else None,
            equations=tuple(
                f"{name} {'=' if not s else '>' if s > 0 else '<'} 0" for name, s in zip(names, pattern, strict=True)
            )
            if len(still) < chain.size
            else (),
            description=("the origin" if len(still) == chain.size else "some weights are 0")
            + (" (critical in the sense of Clarke)" if kind(chain.problem) == "piecewise" else ""),
        )


def inertia_on(problem: Problem, at: Point) -> Inertia | None:
    """That of the Hessian where all of F is smooth and the numbers are in a field of ours, else None."""
    if kind(problem) != "piecewise":
        with suppress(Unsupported):
            return landscape(problem).at(at).inertia
    return None


def _clarke(one: Side, other: Side) -> bool:
    """Whether the slopes away from the hyperplane do not have opposite signs."""
    rises = one.rise(), other.rise()
    if rises[0] * rises[1] >= 0:
        return True
    slopes = [side.slope() for side in (one, other)]
    if 0 in slopes:
        return True
    if None in slopes:
        raise Unsupported("a chain of units", expected="whether a derivative vanishes at 0", got="no decision")
    return False


def _alone(chain: Chain, sides: dict[Signs, Side]) -> bool:
    """Whether no other critical point is near the origin: two weights, neither axis critical, and nothing flat beside it."""
    if chain.size > 2 or any(side.rise() == 0 for side in sides.values()):
        return False
    bound = {k for k, w in enumerate(chain.weights) if w}
    for pattern in product((0, 1, -1), repeat=2):
        still = {k for k, s in enumerate(pattern) if not s}
        if len(still) == 1 and bound <= still:
            around = [sides[t] for t in sides if all(s in (0, u) for s, u in zip(pattern, t, strict=True))]
            if chain.exponents[still.copy().pop()] > 1 or _clarke(*around):
                return False
    return True


def _kind(chain: Chain, still: Sequence[int], bound: set[int], around: Sequence[Side]) -> tuple[Kind, str]:
    rises = {side.rise() for side in around}
    if -1 not in rises:
        return Kind.MINIMUM, "F is nowhere below its value here, where the product of the weights is small"
    if not bound:
        if 1 in rises:
            return Kind.SADDLE, "F rises and falls with the product of the weights, depending on their signs"
        return Kind.MAXIMUM, "F is nowhere above its value here, where the product of the weights is small"
    falls = [side.slope() == -1 for side in around]
    light = sum(chain.exponents[k] for k in bound) < chain.power
    if light and any(falls):
        if len(still) > 1 or 0 in rises or 1 in rises:
            return Kind.SADDLE, "F falls to first order along regularized weights, and rises where the product stays 0"
        if all(falls):
            return (
                Kind.MAXIMUM,
                "F falls to first order when the regularized weight moves, and is constant along the others",
            )
    return (
        Kind.UNDECIDED,
        "the loss falls where the product of the weights grows, and it is not decided whether faster than the regularizer rises",
    )


# -- putting it together -------------------------------------------------------------------------------------------------


def _assembled(chain: Chain, components: Sequence[Component], lines: Sequence[Reduced], zero: Value) -> CriticalSet:
    problem, floor = chain.problem, bounds.nonnegative(chain.problem)
    words = "F takes the values of losses in one weight, the product of all weights, and these rise or fall to limits far out"
    free = not any(chain.weights)
    limits = [v for line in lines for v in line.limits or []]
    known = all(line.limits is not None for line in lines)
    if not known and all(line.found is not None and line.found.global_value is not None for line in lines):
        known, limits = True, []
        words = "F takes the values of losses in one weight, the product of all weights, and these attain their minima"
    ordered = sorted(components, key=lambda c: (-c.dimension, c.value.lower, str(c.sample)))
    if free:
        settled, best, because = settle_with_limits(
            ordered,
            limits,
            floor_because=floor,
            complete=True,
            rising=words if known else "",
            going="the product of the weights goes to infinity",
        )
    else:
        settled, best, because = _with_some(ordered, lines, zero, limits if known else None)
    method = "; ".join(sorted({line.found.coverage.method for line in lines if line.found is not None}))
    reason = (
        f"on every orthant F is a loss in one weight, {chain.product()}"
        + ("" if free else ", plus the regularizer")
        + f", solved for {len(lines)} set{'s' * (len(lines) != 1)} of inputs ({method}); the faces of the orthants by one-sided signs"
    )
    return CriticalSet(problem, settled, Coverage(True, METHOD, Trust.COMPUTED, reason), best, because)


def _with_some(
    components: Sequence[Component], lines: Sequence[Reduced], zero: Value, limits: list[Value] | None
) -> tuple[tuple[Component, ...], Value | None, str]:
    """Some weights are regularized: inf F is the infimum of the losses in one weight, attained iff that is the value at 0."""
    others = [c.value for line in lines for _, _, c, _ in line.points]
    others += [v for line in lines for v in line.plateaus]
    if limits is None:
        return settle_globals(components, floor=ZERO, floor_because="", coercive="", complete=False)
    others += limits
    at_zero = [order(zero, v) for v in others]
    if all(o in (-1, 0) for o in at_zero):
        settled = tuple(replace(c, is_global=True) for c in components)
        return settled, zero, "the value where the product of the weights is 0, and the least of the loss in one weight"
    if 1 in at_zero:
        low = min((v for v, o in zip(others, at_zero, strict=True) if o == 1), key=lambda v: v.upper)
        if all(v is low or order(low, v) in (-1, 0) for v in (zero, *others)):
            shown = text(low.lower) if low.lower == low.upper else f"about {low.approx:.6g}"
            why = (
                f"the infimum is {shown}, that of the loss in one weight: the regularized weights go to 0 and others to "
                "infinity; it is not attained"
            )
            return tuple(replace(c, is_global=False) for c in components), None, why
    settled, _, _ = settle_globals(components, floor=ZERO, floor_because="", coercive="", complete=False)
    return settled, None, "the infimum is not known: values of the loss in one weight are too near to each other"
