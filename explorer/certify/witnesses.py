"""Statement id -> recipe: certified counterexamples (`refute`) and certified witnesses (`exhibit`).

A statement that is not in the table has no recipe in this version; the answer says so instead of searching in vain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from explorer.budget import Budget
from explorer.certify import catalogue, witnesses_paths
from explorer.certify.catalogue import Recipe
from explorer.certify.certificate import Instance
from explorer.certify.recipes import neuron, sigmoid
from explorer.certify.requests import Request
from explorer.errors import NotCertifiable, Unknown


def _claim_iv_1(request: Request) -> tuple[Instance, ...]:
    statement = "sun2020.claim-IV.1"
    request.require_one_hidden_layer_of("sigmoid", statement)
    instance = _sigmoid(request, bias=bool(request.bias), source=statement)
    widths, samples = instance.problem.network.widths, len(instance.problem.data)  # type: ignore[union-attr, arg-type]
    if widths[1] < samples:
        raise NotCertifiable(
            statement, expected=f"width >= {samples} samples, a hypothesis of the claim", got=f"{widths[1]}"
        )
    return (instance,)


def _prop_iv_2(request: Request) -> tuple[Instance, ...]:
    statement = "sun2020.prop-IV.2"
    request.require_one_hidden_layer_of("sigmoid", statement)
    instance = _sigmoid(request, bias=request.bias is not False, source=statement, least=3)
    return (instance,)


def _sigmoid(request: Request, *, bias: bool, source: str, least: int = 0) -> Instance:
    samples = request.samples
    if samples is None and request.inputs is None and least:
        samples = least
    count = samples if samples is not None else len(request.inputs or ())
    if count < least:
        raise NotCertifiable(
            source, expected=f"at least {least} samples, a hypothesis of the statement", got=f"{count}"
        )
    return sigmoid.bad_minimum(
        samples, request.width, bias=bias, inputs=request.inputs, seed=request.seed, source=source
    )


def _prop_iv_1(request: Request) -> tuple[Instance, ...]:
    if request.activation is not None or request.inputs is not None:
        return catalogue.single_neuron(request)
    request.allow("sun2020.prop-IV.1")
    return neuron.instances(seed=request.seed, source="sun2020.prop-IV.1")


def _ex_iv_activations(request: Request) -> tuple[Instance, ...]:
    request.allow("sun2020.ex-IV-activations")
    return neuron.examples(seed=request.seed, source="sun2020.ex-IV-activations")


def _toy_iv_fig2(request: Request) -> tuple[Instance, ...]:
    request.allow("sun2020.toy-IV-fig2")
    return (neuron.figure_2(source="sun2020.toy-IV-fig2"),)


#: universal claims that are false -> counterexamples
REFUTATIONS: dict[str, Recipe] = {
    "sun2020.claim-IV.1": _claim_iv_1,
    **witnesses_paths.REFUTATIONS,
} | catalogue.REFUTATIONS

#: existence statements -> witnesses
EXHIBITS: dict[str, Recipe] = {
    "sun2020.prop-IV.1": _prop_iv_1,
    "sun2020.prop-IV.2": _prop_iv_2,
    "sun2020.ex-IV-activations": _ex_iv_activations,
    "sun2020.toy-IV-fig2": _toy_iv_fig2,
    **witnesses_paths.EXHIBITS,
} | catalogue.EXHIBITS


def refute(
    statement: str,
    *,
    samples: int | None = None,
    width: int | None = None,
    bias: bool | None = None,
    inputs: Sequence[Any] | None = None,
    activation: Any = None,
    depth: int | None = None,
    seed: int = 0,
    budget: Budget | None = None,
) -> tuple[Instance, ...]:
    """Counterexamples to a false universal claim, each a problem with certificates that the checker accepts.

    The same arguments give the same bytes; another ``seed`` gives another instance. Raises `Unknown` for a statement
    without a recipe, `NotCertifiable` with the reason where the claim's hypotheses or the recipe exclude the request.
    The recipes are explicit formulas: ``budget`` is accepted like everywhere and never spent.
    """
    request = Request(samples, width, bias, inputs, activation, depth, seed)
    return _recipe(REFUTATIONS, EXHIBITS, "refute", "exhibit", statement)(request)


def exhibit(
    statement: str,
    *,
    samples: int | None = None,
    width: int | None = None,
    bias: bool | None = None,
    inputs: Sequence[Any] | None = None,
    activation: Any = None,
    depth: int | None = None,
    teacher: int | None = None,
    seed: int = 0,
    budget: Budget | None = None,
) -> tuple[Instance, ...]:
    """Witnesses of an existence statement; arguments and errors as in `refute`. ``teacher`` is the number of teacher units;
    a search (safran2018.thm-1) keeps to ``budget``."""
    request = Request(samples, width, bias, inputs, activation, depth, seed, teacher, budget)
    return _recipe(EXHIBITS, REFUTATIONS, "exhibit", "refute", statement)(request)


def _recipe(table: dict[str, Recipe], other: dict[str, Recipe], verb: str, other_verb: str, statement: str) -> Recipe:
    if statement in table:
        return table[statement]
    if verb == "refute":
        from explorer.certify.literal import refutable, refutation

        if statement not in other or refutable(statement):
            return refutation(statement, table)
    remedy = f"use {other_verb} for this one" if statement in other else f"{verb} has recipes for {', '.join(table)}"
    raise Unknown(f"{verb} {str(statement)[:60]}", got="a statement without such a recipe", remedy=remedy)
