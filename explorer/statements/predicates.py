"""Conditions that several statements share, decided from the problem's data or from its critical set. Exact throughout."""

from __future__ import annotations

from collections.abc import Callable

from explorer.problem import Dataset, DenseNetwork
from explorer.solve.results import Component, Trust
from explorer.statements.nouns import Judgement, Predicate, Subject, Witness


def on_data(name: str, text: str, decide: Callable[[DenseNetwork, Dataset], bool], *, latex: str = "", certified_as: str | None = None) -> Predicate:  # fmt: skip
    """A condition on a dense network and its data; false (with the reason) for problems that are not such networks."""

    def test(subject: Subject) -> Judgement:
        net, data = subject.problem.network, subject.problem.data
        if not isinstance(net, DenseNetwork) or data is None:
            return Judgement(False, "the problem is not a dense network on data")
        holds = decide(net, data)
        return Judgement(holds, "read off the problem" if holds else f"it is not so that {text}")

    return Predicate(name, text, test, latex, certified_as)


def squared_loss() -> Predicate:
    """The loss is a weighted sum of squares."""

    def test(subject: Subject) -> Judgement:
        loss = subject.problem.loss
        holds = loss is not None and loss.kind == "squared"
        return Judgement(holds, "read off the problem" if holds else "the loss is not the squared loss")

    return Predicate("squared-loss", "the loss is the squared loss", test, certified_as="squared-loss")


DISTINCT_INPUTS = on_data(
    "inputs-distinct",
    "no two inputs are equal",
    lambda net, data: len(set(data.inputs)) == len(data),
    latex=r"x_i\ne x_j\ (i\ne j)",
    certified_as="inputs-distinct",
)
WIDE = on_data(
    "width-at-least-samples",
    "every hidden layer has at least as many units as there are samples",
    lambda net, data: net.depth >= 2 and min(net.widths[1:-1]) >= len(data),
    latex=r"p_l\ge n",
    certified_as="width-at-least-samples",
)


def spurious_witness(component: Component, *, hypotheses: tuple[str, ...] = ()) -> Witness:
    """The claim that the component's sample is a local minimum above some other point."""
    return Witness("spurious-local-minimum", component.sample, hypotheses=hypotheses)


def every_local_minimum_is_global(subject: Subject) -> Judgement:
    """No component of the critical set is a sub-optimal local minimum; unknown where the set is not complete or undecided."""
    found = subject.critical
    if found.spurious:
        shows = tuple(spurious_witness(c) for c in found.spurious)
        return Judgement(
            False, f"{len(found.spurious)} component(s) of sub-optimal local minima", Trust.COMPUTED, shows
        )
    if not found.coverage.complete:
        return Judgement.unknown(f"no sub-optimal local minimum is listed, but {found.coverage.reason}")
    open_ones = [
        c for c in found.components if c.kind.value == "undecided" or (c.kind.is_minimum and c.is_global is None)
    ]
    if open_ones:
        return Judgement.unknown(f"{len(open_ones)} component(s) undecided: {open_ones[0].because}")
    return Judgement(True, f"every listed local minimum is global, and the list is complete: {found.coverage.reason}", found.coverage.trust)  # fmt: skip


NO_BAD_MINIMUM = Predicate(
    "local-minima-are-global",
    "every local minimum is a global minimum",
    every_local_minimum_is_global,
    r"\theta\text{ local min}\Rightarrow F(\theta)=\min F",
)
