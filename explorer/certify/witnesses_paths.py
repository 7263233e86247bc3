"""Statement id -> recipe, for statements about paths, basins, coercivity and the conjectures on slices (survey, IV to VI).

What a catalogue entry leaves open is exhibited from both sides; only statements that are false as printed are refuted.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction as F
from typing import TYPE_CHECKING

from explorer.certify.certificate import Instance
from explorer.certify.recipes import (
    added_unit,
    chords,
    connections,
    escapes,
    fitted,
    planes,
    requ,
    requ_minima,
    separators,
    slices,
    walls,
)

if TYPE_CHECKING:
    from explorer.certify.requests import Request

Makers = tuple[Callable[[str], Instance | tuple[Instance, ...]], ...]


def _recipe(
    statement: str, *makers: Callable[[str], Instance | tuple[Instance, ...]]
) -> Callable[..., tuple[Instance, ...]]:
    """All instances of the makers; the statement takes no options."""

    def recipe(request: Request) -> tuple[Instance, ...]:
        request.allow(statement)
        out: list[Instance] = []
        for make in makers:
            made = make(statement)
            out += [made] if isinstance(made, Instance) else list(made)
        return tuple(out)

    return recipe


def _descents(request: Request) -> tuple[Instance, ...]:
    statement = "sun2020.fact-IV-valley-path"
    request.allow(statement, "samples", "width", "bias")
    request.require_one_hidden_layer_of("sigmoid", statement)
    samples, bias = request.samples or 2, bool(request.bias)
    width = samples if request.width is None else request.width
    return (connections.down_from_bad_minimum(samples, width, bias=bias, source=statement),)


def _requ(statement: str) -> Instance:
    return requ.two_minima(source=statement)


#: x~ = (x, 1) orthogonal: (2, 1), (-1/2, 1) in the plane, and three vectors in space
PAIR = ((F(2),), (F(-1, 2),))
TRIPLE = ((F(1), F(0)), (F(-1), F(1)), (F(-1), F(-2)))


def _fitted(statement: str) -> tuple[Instance, ...]:
    """One hidden layer of sin, erf, gelu or softplus units alone, no output bias."""
    return tuple(fitted.bad_minimum(kind, source=statement) for kind in fitted.BIASES)


def _deltoids(statement: str) -> tuple[Instance, ...]:
    return tuple(slices.deltoid(width, statement, relu=relu) for width, relu in ((3, False), (40, False), (6, True)))


def _requ_refuted(statement: str) -> tuple[Instance, ...]:
    """Width >= n + 1, weights as small as one likes: two local minima of different values."""
    return (
        requ_minima.orthogonal(PAIR, (1, -1), 3, source=statement),
        requ_minima.orthogonal(PAIR, (1, -1), 12, scale=F(1, 1000), source=statement),
        requ_minima.orthogonal(TRIPLE, (1, -1, 1), 4, source=statement),
    )


def _requ_exhibited(statement: str) -> tuple[Instance, ...]:
    """What stands: coercive, zero training error at every local minimum; with one label also global."""
    return (
        requ_minima.orthogonal(PAIR, (1, 1), 3, scale=F(1, 2), source=statement),
        requ_minima.threshold_instance(source=statement),
        requ_minima.threshold_instance((F(0), F(1)), (1, -1), source=statement),
    )


_REFUTED: dict[str, Makers] = {
    # (i) a local minimum of the modified loss exists: there is none; (iii) its theta minimises L_n: but L_n has no minimum here
    "sun2020.thm-VI.1": (added_unit.no_minimum, escapes.separable_line, escapes.separable_network),
    "sun2020.thm-VI.2": (_requ_refuted,),
    "sun2020.conj-V.3": (planes.parabola, planes.relu_parabola, planes.same_hidden_layer),
    "sun2020.conj-V.4": (
        planes.isolated_minima,
        separators.two_branches,
        separators.relu_pair,
        separators.swapped_sigmoids,
    ),
    # sublevel sets of deep linear networks are connected: false without a condition on the widths
    "sun2020.quote-V-freeman-bruna": (separators.two_branches,),
}

_EXHIBITED: dict[str, Makers] = {
    "sun2020.toy-VI-xyz": (escapes.three_factors, escapes.two_factors),
    "sun2020.def-VI-coercive": (escapes.coercive_losses, escapes.not_coercive_losses),
    # with the squared loss the theorem's argument goes through; exponential units alone show the paths to infinity
    "sun2020.thm-VI.1": (added_unit.interpolating, escapes.exponential_units, escapes.exponential_neuron),
    "sun2020.quote-VI-limitation": (added_unit.limitation,),
    # what stands of part (2), and a strict local minimum that is not global at a named point, with non-orthogonal inputs
    "sun2020.thm-VI.2": (_requ_exhibited, _requ),
    "sun2020.def-IV.4": (walls.narrow_sigmoid, walls.narrow_polynomial, walls.wide_sigmoid, walls.wide_polynomial),
    "sun2020.def-IV.2": (walls.narrow_sigmoid, separators.relu_valley),
    "sun2020.quote-IV-venturi": (connections.quadratic_swap, walls.wide_polynomial),
    "aud.lemma-one-hidden": (connections.sigmoid_swap, connections.relu_swap, connections.quadratic_swap),
    # conditions are left open: what happens to named runs, on both sides
    "sun2020.conj-V.1": (planes.monotone_segment, chords.two_layers, chords.overshoot, chords.chain_flow),
    "explorer.bad-minimum-fitted": (_fitted, fitted.cubic_plane),
    "aud.lemma-V1-linear": (chords.two_layers,),
    # no probability is stated: what holds for named slices and networks, on both sides
    "sun2020.conj-V.2": (slices.without_bad_minima, _deltoids, walls.deltoid_slice),
    "sun2020.conj-V.3": (separators.three_on_two_branches,),
    "sun2020.conj-V.4": (connections.sigmoid_swap, planes.parabola),
}

#: false as printed -> counterexamples
REFUTATIONS = {name: _recipe(name, *makers) for name, makers in _REFUTED.items()}

#: instances of definitions, facts and open conjectures
EXHIBITS = {name: _recipe(name, *makers) for name, makers in _EXHIBITED.items()} | {
    "sun2020.fact-IV-valley-path": _descents
}
