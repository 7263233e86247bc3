"""Statement id -> recipe: certified counterexamples (for `refute`) and certified witnesses (for `exhibit`), the tables.

The verbs are in `explorer.certify.asking`.
"""

from __future__ import annotations

from explorer.certify import catalogue, witnesses_paths
from explorer.certify.certificate import Instance
from explorer.certify.recipes import neuron, sigmoid
from explorer.certify.requests import Request
from explorer.certify.searches import Recipe
from explorer.errors import NotCertifiable


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
