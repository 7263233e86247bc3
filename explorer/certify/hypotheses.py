"""The hypotheses of theorems that a certificate can state about its problem, decided from the problem's own data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

from explorer.certify.encode import Step
from explorer.errors import NotCertifiable, Unknown
from explorer.problem import Dataset, DenseNetwork, Problem


def _network(p: Problem) -> DenseNetwork | None:
    return p.network if isinstance(p.network, DenseNetwork) else None


def _dense(test: Callable[[DenseNetwork], bool]) -> Callable[[Problem], bool]:
    return lambda p: (net := _network(p)) is not None and test(net)


def _data(test: Callable[[Dataset], bool]) -> Callable[[Problem], bool]:
    return lambda p: p.data is not None and test(p.data)


def _separates(data: Dataset) -> bool:
    return any(len({row[k] for row in data.inputs}) == len(data) for k in range(len(data.inputs[0])))


#: hypothesis -> whether a problem has it (the definitions of docs/certificate.md)
HYPOTHESES: dict[str, Callable[[Problem], bool]] = {
    "one-hidden-layer": _dense(lambda net: net.depth == 2),
    "linear-output": _dense(lambda net: net.output.kind == "linear"),
    "scalar-output": _dense(lambda net: net.widths[-1] == 1),
    "scalar-inputs": _dense(lambda net: net.widths[0] == 1),
    "hidden-bias": _dense(lambda net: net.depth > 1 and all(net.bias[:-1])),
    "no-hidden-bias": _dense(lambda net: net.depth > 1 and not any(net.bias[:-1])),
    "no-output-bias": _dense(lambda net: not net.bias[-1]),
    "squared-loss": lambda p: p.loss is not None and p.loss.kind == "squared",
    "no-regularizer": lambda p: p.regularizer is None,
    "width-at-least-samples": lambda p: (
        (net := _network(p)) is not None
        and net.depth > 1
        and p.data is not None
        and min(net.widths[1:-1]) >= len(p.data)
    ),
    "inputs-distinct": _data(lambda data: all(a != b for a, b in pairwise(sorted(data.inputs)))),
    "a-coordinate-separates-inputs": _data(_separates),
    "at-least-three-samples": _data(lambda data: len(data) >= 3),
}


def holds(problem: Problem, name: str) -> bool:
    """Whether ``problem`` has the hypothesis ``name``; `Unknown` for a name that the format does not have."""
    if name.startswith("activation-"):
        net, kind = _network(problem), name.removeprefix("activation-")
        return net is not None and net.depth > 1 and all(a.kind == kind for a in net.activations)
    if name not in HYPOTHESES:
        raise Unknown("hypothesis", expected=f"one of {', '.join(HYPOTHESES)}, activation-<kind>", got=repr(name)[:60])
    return HYPOTHESES[name](problem)


def hypothesis_steps(problem: Problem, names: Iterable[str]) -> list[Step]:
    """One step per hypothesis; `NotCertifiable` where one is false."""
    steps = []
    for name in sorted(names):
        if not holds(problem, name):
            raise NotCertifiable(f"hypothesis {name}", got="a problem that does not have it")
        steps.append({"rule": "hypothesis", "name": name})
    return steps
