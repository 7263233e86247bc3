"""The hypotheses of theorems that a certificate can state about its problem, decided from the problem's own data.

They speak of networks with at least one hidden layer; a problem without one has none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from explorer.certify.encode import Step
from explorer.errors import NotCertifiable, Unknown
from explorer.problem import ACTIVATION_KEYS, Dataset, DenseNetwork, Problem

#: hypothesis -> whether a network on data has it (the definitions of docs/certificate.md)
HYPOTHESES: dict[str, Callable[[DenseNetwork, Dataset, Problem], bool]] = {
    "one-hidden-layer": lambda net, data, p: net.depth == 2,
    "linear-output": lambda net, data, p: net.output.kind == "linear",
    "scalar-output": lambda net, data, p: net.widths[-1] == 1,
    "scalar-inputs": lambda net, data, p: net.widths[0] == 1,
    "hidden-bias": lambda net, data, p: all(net.bias[:-1]),
    "no-hidden-bias": lambda net, data, p: not any(net.bias[:-1]),
    "no-output-bias": lambda net, data, p: not net.bias[-1],
    "squared-loss": lambda net, data, p: p.loss is not None and p.loss.kind == "squared",
    "no-regularizer": lambda net, data, p: p.regularizer is None,
    "width-at-least-samples": lambda net, data, p: min(net.widths[1:-1]) >= len(data),
    "inputs-distinct": lambda net, data, p: len(set(data.inputs)) == len(data),
    "a-coordinate-separates-inputs": lambda net, data, p: any(
        len(set(column)) == len(data) for column in zip(*data.inputs, strict=True)
    ),
    "at-least-three-samples": lambda net, data, p: len(data) >= 3,
}


def holds(problem: Problem, name: str) -> bool:
    """Whether ``problem`` has the hypothesis ``name``; `Unknown` for a name that the format does not have."""
    kind = name.removeprefix("activation-")
    if name not in HYPOTHESES and (kind == name or kind not in ACTIVATION_KEYS):
        raise Unknown("hypothesis", expected=f"one of {', '.join(HYPOTHESES)}, activation-<kind>", got=repr(name)[:60])
    net, data = problem.network, problem.data
    if not isinstance(net, DenseNetwork) or data is None or net.depth < 2:
        return False
    if name in HYPOTHESES:
        return HYPOTHESES[name](net, data, problem)
    return all(a.kind == kind for a in net.activations)


def all_hypotheses(problem: Problem) -> list[str]:
    """Every hypothesis of the format that ``problem`` has, sorted."""
    names = [*HYPOTHESES, *(f"activation-{kind}" for kind in ACTIVATION_KEYS)]
    return sorted(name for name in names if holds(problem, name))


def hypothesis_steps(problem: Problem, names: Iterable[str]) -> list[Step]:
    """One step per hypothesis; `NotCertifiable` where one is false."""
    steps = []
    for name in sorted(names):
        if not holds(problem, name):
            raise NotCertifiable(f"hypothesis {name}", got="a problem that does not have it")
        steps.append({"rule": "hypothesis", "name": name})
    return steps
