"""A lower point from a spare unit: move a unit that the outputs do not need, and give it a little output weight.

Let p be a point with loss slopes g_i = l_i'(f(x_i)), and let a unit be movable without changing any output (a duplicate
whose weight another unit takes over, or one of output weight 0). With activations a on the inputs and output weight e the
loss becomes F(p) + e <g, a> + O(e^2), and with curvatures l_i'' <= h_i it is at most F(p) + e <g, a> + e^2/2 sum h_i a_i^2, which is
F(p) - <g, a>^2 / (2 sum h_i a_i^2) for the best e. So every position with <g, a> != 0 serves; a few are tried and the best is
taken. Activations are rounded to propose; the bounds of F decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product

import flint
from flint import arb

from explorer.algebra.balls import ball, dyadic_value
from explorer.certify.enclosure import activation_value
from explorer.certify.recipes.layers import ONE, ZERO, Layer, Layers, total
from explorer.certify.recipes.sites import at_multiple, is_transcendental
from explorer.errors import NotCertifiable
from explorer.model.activations import pieces_of
from explorer.point import Element
from explorer.problem import Activation, DenseNetwork, Problem

#: pre-activations up to this size are tried for a moved unit
LARGEST = 200
PROPOSALS = 60
#: pre-activations up to this size in later layers
DEEPEST = 1_000
#: bits of the rounded activations
WORKING_BITS = 64


@dataclass(frozen=True)
class Moved:
    """A chain of single units through the hidden layers, with its rounded activations on the inputs.

    ``weights`` and ``bias`` lead into the first unit, each of ``links`` (weight, bias) into the next.
    """

    weights: tuple[Element, ...]
    bias: Element
    links: tuple[tuple[Element, Element], ...]
    activations: tuple[Fraction, ...]


def moved_units(problem: Problem) -> Iterator[Moved]:
    """Positions for a moved unit, simple ones first."""
    net, data = problem.network, problem.data
    assert isinstance(net, DenseNetwork)
    assert data is not None
    first, *others = net.activations
    links = [[(ONE, ZERO), (at_multiple(a, Fraction(2)), at_multiple(a, Fraction(-1)))] for a in others]
    cuts = pieces_of(first)
    for weights, bias in _first_weights(
        data.inputs, biased=net.bias[0], breaks=cuts.breaks if cuts is not None else ()
    ):
        for chain in product(*links):
            made = tuple(at_multiple(first, w) for w in weights), at_multiple(first, bias)
            values = _activations(net.activations, data.inputs, weights, bias, chain)
            if values is not None and any(values):
                yield Moved(*made, tuple(chain), values)


def _first_weights(
    inputs: Sequence[tuple[Fraction, ...]], *, biased: bool, breaks: Sequence[Fraction]
) -> Iterator[tuple[tuple[Fraction, ...], Fraction]]:
    """Weights and biases as multiples of the unit; biases put 0 (or a break) at an input or between two inputs.

    First a few steep and shallow positions, then every input and every gap.
    """
    d = len(inputs[0])
    axes = [tuple(Fraction(int(i == j)) for i in range(d)) for j in range(d)]
    mixed = (
        [tuple(Fraction(1) for _ in range(d)), tuple(Fraction((-1) ** i * (i + 1)) for i in range(d))] if d > 1 else []
    )
    lines = []
    for direction in (*axes, *mixed):
        places = sorted({sum((a * b for a, b in zip(direction, x, strict=True)), Fraction(0)) for x in inputs})
        gap = min((b - a for a, b in pairwise(places)), default=Fraction(1))
        spread = max(abs(places[0]), abs(places[-1]), Fraction(1))
        tried = dict.fromkeys((Fraction(1), Fraction(2), Fraction(3), 1 / gap, 4 / gap, 8 / spread, 1 / spread))
        lines.append((direction, places, [size for size in tried if size * spread <= LARGEST or breaks]))
    for all_places in (False, True) if biased else (False,):
        for direction, places, sizes in lines:
            centres = [Fraction(0)] if not biased else _all(places) if all_places else _few(places)
            for size, sign, centre, offset in product(sizes, (1, -1), centres, breaks or (Fraction(0),)):
                yield tuple(sign * size * a for a in direction), -sign * size * centre + (offset if biased else 0)


def _few(places: list[Fraction]) -> list[Fraction]:
    """At most seven of the inputs' positions and the midpoints between them, the middle ones and the ends."""
    middles = [(a + b) / 2 for a, b in pairwise(places)]
    n, m = len(places), len(middles)
    chosen = [places[n // 2], places[(n - 1) // 2], places[-1], places[0]]
    chosen += [middles[m // 2], middles[0], middles[-1]] if middles else []
    return list(dict.fromkeys(chosen))


def _all(places: list[Fraction]) -> list[Fraction]:
    return places + [(a + b) / 2 for a, b in pairwise(places)]


def _activations(
    layers: Sequence[Activation],
    inputs: Sequence[tuple[Fraction, ...]],
    weights: Sequence[Fraction],
    bias: Fraction,
    chain: Sequence[tuple[Element, Element]],
) -> tuple[Fraction, ...] | None:
    out = []
    with flint.ctx.workprec(WORKING_BITS):
        unit = arb(2).log()
        for x in inputs:
            z = ball(sum((w * v for w, v in zip(weights, x, strict=True)), bias)) * (
                unit if is_transcendental(layers[0]) else 1
            )
            h = activation_value(layers[0], z)
            for a, (weight, shift) in zip(layers[1:], chain, strict=True):
                z = _ball(weight, unit) * h + _ball(shift, unit)
                if not z.is_finite() or abs(z.mid()) > DEEPEST:
                    return None  # exp of exp would leave every number that can be written down
                h = activation_value(a, z)
            if not h.is_finite() or abs(h.mid()) > 2**64:
                return None
            out.append(dyadic_value(h.mid()))
    return tuple(out)


def _ball(e: Element, unit: arb) -> arb:
    return sum((ball(c) * unit**k for k, c in enumerate(e)), arb(0))


@dataclass(frozen=True)
class Push:
    """A moved unit with the output weight that it gets, and the promised decrease of F (a proposal)."""

    unit: Moved
    weight: Fraction
    gain: Fraction


def best_push(problem: Problem, slopes: Sequence[Fraction]) -> Push:
    """The moved unit that lowers the loss most, for slopes g_i at the first output; `NotCertifiable` if all have <g, a> = 0."""
    assert problem.loss is not None
    assert problem.data is not None
    if problem.loss.kind == "squared":
        curvature = [2 * c for c in problem.loss.weights]
    else:
        curvature = [c * y[0] ** 2 / 4 for c, y in zip(problem.loss.weights, problem.data.targets, strict=True)]
    best: Push | None = None
    for k, unit in enumerate(moved_units(problem)):
        if k >= PROPOSALS and best is not None:
            break
        slope = sum((g * a for g, a in zip(slopes, unit.activations, strict=True) if g), Fraction(0))
        size = sum((h * a * a for h, a in zip(curvature, unit.activations, strict=True)), Fraction(0))
        gain = slope * slope / (2 * size)
        if gain < Fraction(1, 2**60) or (best is not None and gain <= best.gain):
            continue
        exact = -slope / size
        short = next(
            (e for n in range(60) if Fraction(1, 2) < (e := exact.limit_denominator(2**n)) / exact < Fraction(3, 2)),
            exact,
        )
        best = Push(unit, short, gain)
    if best is None:
        raise NotCertifiable("lower point", expected="a unit with <g, activations> != 0", remedy="use other inputs")
    return best


def pushed(problem: Problem, layers: Layers, push: Push, keep: Element) -> Layers:
    """``layers`` with the moved unit: the second of the last hidden layer, or the only one if an output bias ``keep`` exists.

    With several units the first one keeps the outputs (output weights added up where the units are equal).
    """
    net = problem.network
    assert isinstance(net, DenseNetwork)  # recipes build networks
    hidden, unit = net.depth - 1, push.unit
    alone = net.widths[-2] == 1
    new: list[Layer] = []
    for k in range(hidden):
        old, place = layers[k], 0 if k < hidden - 1 or alone else 1
        row = unit.weights if k == 0 else (unit.links[k - 1][0], *[ZERO] * (net.widths[k] - 1))
        rows = [r if hidden == 1 else (ZERO,) * len(r) for r in old.rows]
        rows[place] = row
        bias = None
        if old.bias is not None:
            shifts = list(old.bias) if hidden == 1 or k == 0 else [keep] * len(old.rows)
            shifts[place] = unit.bias if k == 0 else unit.links[k - 1][1]
            bias = tuple(shifts)
        new.append(Layer(tuple(rows), bias))
    return (*new, layers[-1])


def lowered(
    problem: Problem, layers: Layers, slopes: Sequence[Fraction], outputs: Sequence[Element], keep: Element
) -> Layers | None:
    """A point below ``layers``, whose last hidden units are equal or carry no output weight but the first.

    ``slopes`` are g_i at the first output, ``outputs`` the (constant) outputs, which only a single last hidden unit needs;
    ``keep`` is the pre-activation of the last hidden units of a deep network. None where a single unit is not enough.
    """
    net = problem.network
    assert isinstance(net, DenseNetwork)  # recipes build networks
    last, alone = layers[-1], net.widths[-2] == 1
    if alone and last.bias is None:
        return _refitted(problem, layers)
    push = best_push(problem, slopes)
    new = pushed(problem, layers, push, keep)
    if alone:
        single = tuple((((push.weight,) if k == 0 else ZERO),) for k in range(len(last.rows)))
        return (*new[:-1], Layer(single, tuple(outputs)))
    rest = (ZERO,) * (net.widths[-2] - 2)
    rows = tuple((total(row), (push.weight,) if k == 0 else ZERO, *rest) for k, row in enumerate(last.rows))
    return (*new[:-1], Layer(rows, last.bias))


def _refitted(problem: Problem, layers: Layers) -> Layers | None:
    """One last hidden unit and no output bias: another position with its best output weights, if that is lower (squared loss).

    F = |y|^2 - <y, a>^2/|a|^2 there, against |y|^2 - |f|^2 at a point with <f - y, f> = 0.
    """
    assert problem.loss is not None
    assert problem.data is not None
    if problem.loss.kind != "squared":
        raise NotCertifiable("lower point", expected="an output bias or two units in the last hidden layer")
    columns = list(zip(*problem.data.targets, strict=True))
    best: tuple[Fraction, Moved, list[Fraction]] | None = None
    for k, unit in enumerate(moved_units(problem)):
        if k >= PROPOSALS:
            break
        size = sum((a * a for a in unit.activations), Fraction(0))
        fits = [
            sum((y * a for y, a in zip(column, unit.activations, strict=True)), Fraction(0)) / size
            for column in columns
        ]
        gain = sum((v * v for v in fits), Fraction(0)) * size
        if best is None or gain > best[0]:
            best = (gain, unit, fits)
    if best is None:
        return None
    gain, unit, fits = best
    new = pushed(problem, layers, Push(unit, fits[0], gain), ZERO)
    return (*new[:-1], Layer(tuple(((v.limit_denominator(1000),),) for v in fits)))
