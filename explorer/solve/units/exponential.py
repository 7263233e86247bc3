"""Critical sets of sigmoid, tanh and exp networks on rational data: t = exp(w/q) makes the gradient algebraic.

Complete for: one neuron with output activation; one hidden unit with linear output; several hidden units with one incoming
weight each (opposite tanh units are one unit: duplicates.py). Polynomials in t > 0 are solved over Q, and every point is re-proved on the original gradient by Krawczyk's
test with the exponential function in ball arithmetic, or exactly where t is a power of two (w a multiple of ln 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from flint import fmpq_mat

from explorer.algebra.balls import bounds, to_fmpq
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.model.landscape import landscape
from explorer.point import AnyPoint, Element, Inertia, Ln2Ring, Point
from explorer.problem import DenseNetwork, Problem
from explorer.solve import bounds as whole
from explorer.solve.boxes.balls import inertia_at, prove_critical, value_at
from explorer.solve.merged import merged, restored
from explorer.solve.polynomials import fraction
from explorer.solve.results import Component, Coverage, CriticalSet, Evidence, Kind, Trust, Value
from explorer.solve.units.duplicates import idle, opposite, strata
from explorer.solve.units.effective import one_unit, targets
from explorer.solve.units.pairs import several_units
from explorer.solve.units.substitution import KINDS, Substitution, at_infinity, dot, substitution, univariate
from explorer.solve.univariate import positive_roots
from explorer.solve.values import settle_globals

METHOD = "exponential substitution"
#: beyond this degree of the common denominator the equations have thousands of coefficients
MAX_DEGREE = 40
ESCAPE = "F is not coercive (weights may go to infinity while F stays bounded)"


def applies(problem: Problem) -> bool:
    """Whether some activation is of the exponential class, so that this module has the say (and the reason if it cannot)."""
    net = problem.network
    if not isinstance(net, DenseNetwork):
        return False
    return any(a.kind in (*KINDS, "softplus", "swish") for a in (*net.activations, net.output))


def by_exponentials(problem: Problem, deadline: Deadline) -> CriticalSet:
    """The critical set by t = exp(w/q). `Unsupported` with the reason where the gradient is not algebraic in t."""
    net = problem.network
    assert isinstance(net, DenseNetwork)
    assert problem.data is not None
    _check(problem, net)
    if (smaller := merged(problem)) is not None:
        return restored(problem, by_exponentials(smaller[0], deadline), smaller[1])
    rows = [[*x, *([Fraction(1)] if net.bias[0] else [])] for x in problem.data.inputs]
    kind = net.output.kind if net.depth == 1 else net.activations[0].kind
    sub = substitution(kind, rows, [f"t{k}" for k in range(1, len(rows[0]) + 1)])
    if sub.unknowns > 1:
        from explorer.solve.units.exponential_systems import one_neuron, one_wide_unit

        if net.depth == 1:
            return _assembled(problem, sub, *one_neuron(problem, sub, deadline))
        if net.widths[1] == 1:
            return _assembled(problem, sub, *one_wide_unit(problem, sub, deadline))
        raise Unsupported(
            "critical set",
            expected="one incoming weight per unit where there are several exponential units",
            got=f"{net.widths[1]} units with {sub.unknowns} incoming parameters each",
            remedy="use one input without bias, or one unit",
        )
    if net.depth == 1:
        return _assembled(problem, sub, *_neuron(problem, sub))
    return _assembled(problem, sub, *_hidden(problem, sub, net.widths[1], deadline))


def _check(problem: Problem, net: DenseNetwork) -> None:
    def no(expected: str, got: str) -> Unsupported:
        return Unsupported("critical set", expected=expected, got=got)

    assert problem.loss is not None
    if problem.loss.kind != "squared":
        raise no("the squared loss with exponential activations", f"the {problem.loss.kind} loss")
    if problem.regularizer is not None:
        raise no(
            "no regularizer with exponential activations", "one: with w itself in it the gradient is not algebraic"
        )
    if net.depth > 2 or (net.depth == 2 and net.output.kind != "linear"):
        raise no("at most one nonlinear layer with exponential activations", "nested ones, not algebraic in exp(w)")
    if net.widths[-1] != 1:
        raise no("one output with exponential activations", f"{net.widths[-1]} outputs")
    if net.depth == 2 and net.bias[1]:
        raise no("no output bias with exponential activations", "one")
    kind = net.output.kind if net.depth == 1 else net.activations[0].kind
    if kind not in KINDS:
        why = "whose gradient holds exp(w) and w itself" if kind in ("softplus", "swish") else "mixed with others"
        raise no("an activation that is a rational function of exp(z): sigmoid, tanh or exp", f"{kind}, {why}")
    if kind == "exp" and net.depth == 2 and net.bias[0]:
        raise no("exp units without bias", "a bias, which only scales the output weight")


# -- one neuron with an output activation --------------------------------------------------------------------------


def _neuron(problem: Problem, sub: Substitution) -> tuple[list[Component], list[str]]:
    """dF/dw is a polynomial in t over a power of D: its positive roots are the critical points, in order of w."""
    y, c = targets(problem)
    cn = [a * row[0] for a, row in zip(c, sub.exponents, strict=True)]
    errors = [p - sub.denominator * to_fmpq(v) for p, v in zip(sub.values, y, strict=True)]
    equation = univariate(dot(cn, errors, sub.slopes))
    if equation == 0:
        return [], ["F is constant"]
    out, doubts = [], []
    for root in positive_roots(equation):
        lo, hi = bounds(sub.parameter(0, *root.interval))
        exact = None if root.rational is None else sub.exact_parameter(0, root.rational)
        point = None if exact is None else Point(Ln2Ring(), (exact,))
        box: AnyPoint | None = point or (prove_critical(problem, [(lo + hi) / 2]) if root.multiplicity == 1 else None)
        if box is None:
            doubts.append("a multiple zero of the derivative is not classified")
            continue
        found = inertia_at(problem, box)
        if found is None or found.zero:
            doubts.append("the second derivative vanishes at a critical point")
            continue
        kind = Kind.STRICT_MINIMUM if found.positive else Kind.STRICT_MAXIMUM
        sign = "positive" if found.positive else "negative"
        out.append(_isolated(problem, box, found, kind, f"the second derivative is {sign}", value_at(problem, box)))
    return out, doubts


def _isolated(problem: Problem, point: AnyPoint, found: Inertia, kind: Kind, why: str, value: Value) -> Component:
    return Component(
        dimension=0,
        sample=point,
        value=value,
        inertia=found,
        kind=kind,
        is_global=None,
        because=why,
        orbit=1,
        points=(point,),
        isolated=True,
        description="an isolated point",
    )


# -- hidden units with one incoming weight each --------------------------------------------------------------------


def _hidden(problem: Problem, sub: Substitution, units: int, deadline: Deadline) -> tuple[list[Component], list[str]]:
    """Zero loss; and over every effective network with a residual, all ways to duplicate and to switch off units."""
    y, _ = targets(problem)
    samples = len(y)
    if univariate(sub.denominator).degree() > MAX_DEGREE:
        raise Unsupported(
            "critical set",
            expected=f"a common denominator of degree at most {MAX_DEGREE} in exp(w/q)",
            got=f"degree {univariate(sub.denominator).degree()}",
        )
    out: list[Component] = []
    doubts: list[str] = []
    single = one_unit(problem, sub)
    doubts += single.doubts
    networks = [e for e in single.effective if not e.at_zero]
    zero = [e for e in single.effective if e.at_zero]
    if any(y):
        networks.append(idle(problem))
    if units > 1:
        several = several_units(problem, sub, deadline)
        doubts += several.doubts
        networks += [e for e in several.effective if e.units <= units]
    for e in networks:
        more, why = strata(problem, sub, e, units, deadline)
        out += more
        doubts += why
    if units >= samples:
        out.append(_interpolation(problem, sub, units))
    elif units == 1 and any(y):
        for e in zero:  # as many equations as parameters: the zero is isolated where the Jacobian is regular
            if e.point is None or e.inertia is None or e.inertia.zero:
                doubts.append("a point with zero loss has a singular Hessian")
                continue
            reason = "the Hessian is positive definite"
            for point in (e.point, opposite(e.point)) if sub.odd else (e.point,):
                out.append(_isolated(problem, point, e.inertia, Kind.STRICT_MINIMUM, reason, e.value))
    elif units == 1:
        doubts.append("all targets are 0: the line with output weight 0 is not decomposed")
    else:
        doubts.append(f"whether {units} units fit {samples} samples exactly is not decided")
    return out, doubts


def _interpolation(problem: Problem, sub: Substitution, units: int) -> Component:
    """The set F = 0 of a network with as many units as samples: one exact point on it with independent units."""
    y, _ = targets(problem)
    samples = len(y)
    chosen: list[int] = []
    power = -samples
    while len(chosen) < samples:
        trial = [*chosen, power]
        columns = [[univariate(p)(to_fmpq(Fraction(2) ** k)) for p in sub.values] for k in trial]
        if fmpq_mat(columns).rank() == len(trial):
            chosen = trial
        power += 1
        if power > 64:
            raise Unsupported("critical set", expected="outputs of units that span the data space", got="fewer")
    hidden: list[Element] = []
    for k in chosen:
        exact = sub.exact_parameter(0, Fraction(2) ** k)
        assert exact is not None
        hidden.append(exact)
    d = univariate(sub.denominator)
    matrix = fmpq_mat(
        [[univariate(p)(to_fmpq(Fraction(2) ** k)) / d(to_fmpq(Fraction(2) ** k)) for k in chosen] for p in sub.values]
    )
    solved = matrix.solve(fmpq_mat([[to_fmpq(v)] for v in y]))
    spare = units - samples
    outputs: list[Element] = [(fraction(solved[i, 0]),) for i in range(samples)]
    point = Point(Ln2Ring(), (*hidden, *[(Fraction(0),)] * spare, *outputs, *[(Fraction(0),)] * spare))
    geometry = landscape(problem).at(point)
    if not geometry.is_critical or geometry.value is None or any(geometry.value):
        raise Unsupported("critical set", expected="zero loss at the constructed point", got="another value")
    return Component(
        dimension=2 * units - samples,
        sample=point,
        value=Value.rational(Fraction(0)),
        inertia=geometry.inertia,
        kind=Kind.MINIMUM,
        is_global=True,
        because="F = 0 here and F >= 0 everywhere: the loss is a sum of nonnegative terms",
        equations=tuple(f"f({', '.join(map(str, x))}) = {v}" for x, v in _samples(problem)),
        description=f"the set of all networks that fit the data, of dimension {2 * units - samples} (not claimed connected)",
        evidence=Evidence(at_floor=True),
    )


def _samples(problem: Problem) -> list[tuple[Sequence[Fraction], Fraction]]:
    assert problem.data is not None
    return [(x, y[0]) for x, y in zip(problem.data.inputs, problem.data.targets, strict=True)]


# -- putting it together -------------------------------------------------------------------------------------------


def _assembled(
    problem: Problem, sub: Substitution, components: Sequence[Component], doubts: Sequence[str]
) -> CriticalSet:
    complete = not doubts
    limit, attained = _escape(problem, sub)
    lowest = min((c.value.upper for c in components), default=None)
    coercive = ""
    if complete and limit is not None and attained and lowest is not None and lowest < limit:
        coercive = (
            f"F has a value below {_short(limit)}, the smallest that it tends to when the weight goes to infinity"
        )
    settled, best, because = settle_globals(
        components,
        floor=Fraction(0),
        floor_because=whole.nonnegative(problem),
        coercive=coercive,
        complete=complete,
    )
    if best is None and complete and limit is not None and attained:
        if lowest is None or all(c.value.lower > limit for c in components):
            settled = tuple(replace(c, is_global=False) for c in settled)
            because = f"the infimum is {_short(limit)}, approached as the weight goes to infinity and not attained"
        else:
            because = "the infimum is not known: critical values are too near the limit of F at infinity"
    elif best is None and complete:
        because = f"the infimum is not known: {ESCAPE}, and limits at infinity were not computed"
    reason = (
        "t = exp(w/q) > 0 makes the gradient algebraic; effective units, duplicated and switched-off ones were enumerated, "
        "all positive roots isolated and every isolated point re-proved"
        if sub.unknowns == 1
        else "t = exp(w/q) > 0 makes the gradient algebraic; all positive solutions (their number by msolve's modular lifting "
        "where it is installed: strong evidence, not a proof) were re-proved"
    )
    order = sorted(settled, key=lambda c: (-c.dimension, c.value.lower, str(c.sample)))
    words = f"{reason}; {ESCAPE}" if complete else "; ".join(dict.fromkeys(doubts))
    return CriticalSet(problem, tuple(order), Coverage(complete, METHOD, Trust.COMPUTED, words), best, because)


def _escape(problem: Problem, sub: Substitution) -> tuple[Fraction | None, bool]:
    """The smallest limit of F as the incoming weight goes to infinity (output weights optimal), where it is computed."""
    net = problem.network
    assert isinstance(net, DenseNetwork)
    if sub.unknowns != 1 or (net.depth == 2 and net.widths[1] > 1):
        return None, False
    y, c = targets(problem)
    directions = [at_infinity(sub, side=side) for side in (-1, 1)]
    if net.depth == 1:
        if sub.kind == "exp":  # the limit is 0 or infinity sample by sample
            return None, False
        limits = [
            sum((a * (v - b) ** 2 for a, v, b in zip(c, d, y, strict=True)), Fraction(0))
            for d in (_saturated(sub, side) for side in (-1, 1))
        ]
        return min(limits), True
    if sub.kind == "tanh":  # at w = 0 the output weight may go to infinity: the direction is that of the inputs
        directions.append(tuple(Fraction(row[0]) for row in sub.exponents))
    return min(_distance(c, y, d) for d in directions), True


def _saturated(sub: Substitution, side: int) -> tuple[Fraction, ...]:
    """The limit of phi(z_i) itself for sigmoid and tanh."""
    n = [row[0] * side for row in sub.exponents]
    low, middle = (Fraction(-1), Fraction(0)) if sub.kind == "tanh" else (Fraction(0), Fraction(1, 2))
    return tuple(Fraction(1) if k > 0 else middle if k == 0 else low for k in n)


def _distance(c: Sequence[Fraction], y: Sequence[Fraction], d: Sequence[Fraction]) -> Fraction:
    """min over V of sum c_i (V d_i - y_i)^2."""
    square = sum((a * v * v for a, v in zip(c, d, strict=True)), Fraction(0))
    inner = sum((a * v * b for a, v, b in zip(c, d, y, strict=True)), Fraction(0))
    total = sum((a * b * b for a, b in zip(c, y, strict=True)), Fraction(0))
    return total - inner * inner / square if square else total


def _short(x: Fraction) -> str:
    return str(x)
