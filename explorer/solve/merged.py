"""Equal samples as one: sum_k c_k (f - y_k)^2 = C (f - m)^2 + const with C = sum c_k and the weighted mean m of the targets.

Networks that are odd functions of their input (tanh without biases) take x and -x as one sample too, with y turned, and
leave the input 0 out. The critical points, their Hessians and their kinds are those of the smaller problem; every value is
larger by one constant.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from explorer.problem import Dataset, DenseNetwork, Loss, Problem
from explorer.solve.results import CriticalSet, Value


def merged(problem: Problem) -> tuple[Problem, Fraction] | None:
    """The problem with fewer samples and the constant by which its values are too small; None where all samples differ.

    For scalar outputs, the squared loss and no regularizer.
    """
    net, data, loss = problem.network, problem.data, problem.loss
    if not isinstance(net, DenseNetwork) or data is None or loss is None or loss.kind != "squared":
        return None
    if net.widths[-1] != 1 or problem.regularizer is not None:
        return None
    odd = not any(net.bias) and all(a.kind in ("tanh", "linear") for a in (*net.activations, net.output))
    groups: dict[tuple[Fraction, ...], list[tuple[Fraction, Fraction]]] = {}
    rest = Fraction(0)
    for x, (y,), c in zip(data.inputs, data.targets, loss.weights, strict=True):
        if odd and not any(x):  # the output is 0 there
            rest += c * y * y
            continue
        turned = tuple(-v for v in x)
        if odd and turned in groups and x not in groups:
            x, y = turned, -y
        groups.setdefault(x, []).append((y, c))
    if not groups or len(groups) == len(data):
        return None
    weights = tuple(sum((c for _, c in g), Fraction(0)) for g in groups.values())
    means = [sum((c * y for y, c in g), Fraction(0)) / w for g, w in zip(groups.values(), weights, strict=True)]
    rest += sum((c * (y - m) ** 2 for g, m in zip(groups.values(), means, strict=True) for y, c in g), Fraction(0))
    smaller = Dataset(tuple(groups), tuple((m,) for m in means))
    return Problem(net, smaller, Loss("squared", weights), None, problem.slug, problem.source), rest


def restored(problem: Problem, found: CriticalSet, rest: Fraction) -> CriticalSet:
    """The critical set of ``problem`` from that of its `merged` problem."""
    components = tuple(
        replace(
            c,
            value=_raised(c.value, rest),
            because=c.because.replace("F = 0 here and F >= 0 everywhere", f"F = {rest} here and F >= {rest} everywhere")
            if rest
            else c.because,
            evidence=replace(c.evidence, at_floor=c.evidence.at_floor and not rest),
        )
        for c in found.components
    )
    note = "samples with equal inputs (for odd networks: opposite ones) were taken as one"
    if rest:
        note += f": what is said of values is said of F - {rest}"
    return CriticalSet(
        problem,
        components,
        replace(found.coverage, reason=f"{found.coverage.reason}; {note}"),
        None if found.global_value is None else _raised(found.global_value, rest),
        f"{f'of F - {rest}: ' if rest else ''}{found.global_because} ({note})" if found.global_because else "",
    )


def _raised(value: Value, by: Fraction) -> Value:
    exact = None if value.exact is None else (value.exact[0] + by, *value.exact[1:])
    return Value(value.lower + by, value.upper + by, exact, value.field)
