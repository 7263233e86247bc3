"""Steps that prove local minima and maxima, the strongest rule that applies first."""

from __future__ import annotations

from explorer.certify.encode import Step, number
from explorer.certify.families import morse_bott_step
from explorer.certify.located import Located
from explorer.certify.squares import squares_step
from explorer.certify.tangent import tangent_proof
from explorer.errors import NotCertifiable, Unsupported
from explorer.point import BallPoint, Inertia
from explorer.problem import DenseNetwork, MonomialLoss

#: above this number of parameters the tangent lemma, which needs no full Hessian, is tried before the inertia
SMALL = 40


def strict_steps(p: Located, *, sign: int) -> list[Step]:
    """A strict local minimum (sign 1) or maximum (sign -1): gradient zero and a definite Hessian."""
    stationary = p.stationary_steps()
    if isinstance(p.point, BallPoint) and sign > 0:
        return stationary
    found, steps = p.inertia_steps()
    wrong = (found.zero, found.negative if sign > 0 else found.positive)
    if any(wrong):
        raise NotCertifiable(
            f"point {p.name}",
            expected=f"a {'positive' if sign > 0 else 'negative'} definite Hessian",
            got=_words(found),
            remedy="a singular Hessian may still be proved a (not strict) local minimum" if not wrong[1] else "",
        )
    rule = "strict-minimum" if sign > 0 else "maximum"
    return merged([*stationary, *steps, {"rule": rule, "point": p.name}])


def minimum_steps(p: Located) -> list[Step]:
    """A local minimum by the first of: definite Hessian, tangent lemma, Morse-Bott family, the floor of F."""
    if p.is_boxed:
        return strict_steps(p, sign=1)
    reasons = []
    if p.evidence.flat is not None or len(p.problem.parameters) > SMALL:
        try:
            return [flat_step(p)]
        except (NotCertifiable, Unsupported) as error:
            reasons.append(str(error))
    try:
        p.require_critical()
    except Unsupported:  # a kink: F has no gradient here, but the one-sided form of the tangent lemma needs none
        if on_a_line(p):
            return [line_step(p)]
        raise
    if p.inertia.negative:
        raise NotCertifiable(f"point {p.name}", expected="a local minimum", got=_words(p.inertia))
    if not p.inertia.zero:
        return strict_steps(p, sign=1)
    if at_floor(p):
        return floor_steps(p)
    for attempt in (flat_step, lambda q: morse_bott_step(q, sign=1)):
        try:
            return [attempt(p)]
        except (NotCertifiable, Unsupported) as error:
            reasons.append(str(error))
    if on_a_line(p):
        return [line_step(p)]
    raise NotCertifiable(
        f"point {p.name}", expected="a rule for a singular Hessian", got=f"none: {'; '.join(dict.fromkeys(reasons))}"
    )


def maximum_steps(p: Located) -> list[Step]:
    """A local maximum: definite Hessian or a Morse-Bott family."""
    if p.is_boxed:
        return strict_steps(p, sign=-1)
    p.require_critical()
    if p.inertia.positive:
        raise NotCertifiable(f"point {p.name}", expected="a local maximum", got=_words(p.inertia))
    return [morse_bott_step(p, sign=-1)] if p.inertia.zero else strict_steps(p, sign=-1)


def flat_step(p: Located) -> Step:
    """The tangent lemma's step."""
    return {"rule": "flat-minimum", "point": p.name, "proof": tangent_proof(p, preferred=p.evidence.flat)}


def on_a_line(p: Located) -> bool:
    """Whether the tangent lemma can be tried on each side of every scalar weight (the checker decides whether it holds)."""
    net = p.problem.network
    return (
        isinstance(net, DenseNetwork)
        and net.depth == 2
        and net.widths[0] == 1
        and not net.bias[0]
        and net.output.kind == "linear"
        and p.problem.regularizer is None
    )


def line_step(p: Located) -> Step:
    """The tangent lemma in one-sided expansions: zeros of higher order and kinks."""
    return {"rule": "flat-minimum", "point": p.name, "proof": "line"}


def at_floor(p: Located) -> bool:
    """Whether F(p) = 0 exactly, for a loss that is a sum of nonnegative terms by construction."""
    return not isinstance(p.problem.network, MonomialLoss) and p.value is not None and not any(p.value)


def floor_steps(p: Located) -> list[Step]:
    """F(p) = the floor of F: 0, or what least squares or the rank of a linear network leave over: a global minimum."""
    if isinstance(p.problem.network, MonomialLoss):
        if p.value is None or any(p.value[1:]):
            raise NotCertifiable("floor", expected="a rational value of a polynomial loss", got="another value")
        return [p.value_step(), squares_step(p.problem, p.value[0]), {"rule": "global", "point": p.name}]
    if not at_floor(p):
        low, high = p.bounds
        if p.value is not None and len(p.value) == 1 and p.problem.regularizer is None:
            from explorer.certify.floors import floor_step

            if (found := floor_step(p.problem))["value"] == number(p.value[0]):
                return [p.value_step(), found, {"rule": "global", "point": p.name}]
        raise NotCertifiable(
            f"point {p.name}",
            expected="F exactly at a floor that a rule proves (0, least squares, rank)",
            got=f"F between {low} and {high}" if p.value is None or len(p.value) > 1 else f"F = {p.value[0]}",
        )
    floor: Step = {"rule": "floor", "proof": "nonnegative", "value": "0"}
    return [p.value_step(), floor, {"rule": "global", "point": p.name}]


def merged(steps: list[Step]) -> list[Step]:
    """``steps`` without repetitions."""
    out: list[Step] = []
    for step in steps:
        if step not in out:
            out.append(step)
    return out


def _words(found: Inertia) -> str:
    return f"eigenvalues: {found.positive} positive, {found.zero} zero, {found.negative} negative"
