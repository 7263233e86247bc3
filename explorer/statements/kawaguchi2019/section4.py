"""Section 4: residual networks, deep linear networks, and deep networks with a linear channel."""

from __future__ import annotations

from explorer.induced.features import hidden_columns, representation, squared_loss
from explorer.induced.linear import least_squares
from explorer.point import Element, Point
from explorer.problem import DenseNetwork
from explorer.statements.kawaguchi2019.common import dense, shown, subject
from explorer.statements.kawaguchi2019.conditions import A1, A1_SQUARED, MODEL, critical_points, features_at
from explorer.statements.kawaguchi2019.section3_3 import LOCAL_MINIMUM, _smooth_minima
from explorer.statements.nouns import (
    Concept,
    Edge,
    Example,
    Fairness,
    Ground,
    Judgement,
    NotCheckable,
    Outcome,
    Predicate,
    Relation,
    Repair,
    Sort,
    Statement,
    Subject,
    Verdict,
)
from explorer.statements.predicates import NO_BAD_MINIMUM

USES = Relation.USES
SKIPS = "it speaks of networks with skip connections, which are not a problem kind of this project"

PROP_1 = Statement(
    id="kawaguchi2019.prop-1",
    sort=Sort.PROPOSITION,
    section="4.1.1",
    title="Local minima of residual networks are no worse than linear predictors",
    text="A residual network with one output, W(x + R z(x; u)), has at every local minimum a loss at most that of the best linear predictor.",
    latex=r"f=W(x+Rz(x;u)),\ d_y=1\ \Rightarrow\ L(\theta)\le\inf_W\sum_i\lambda_i\ell_{y_i}(Wx_i)\ \text{at every local minimum}",
    quantifiers="for all local minima",
    hypotheses=(A1,),
    conclusion=NotCheckable(SKIPS),
    verdict=Verdict.TRUE,
    ground=Ground.CITED,
    because="proved by Shamir (2018); continuity of the first derivatives is enough",
    remarks=("Only local minimality in (W, R) is used, so u may sit at a kink.",),
    concepts=(Concept.LOCAL_MINIMA,),
)

THM_3 = Statement(
    id="kawaguchi2019.thm-3",
    sort=Sort.THEOREM,
    section="4.2, eq. (4.2)",
    title="Local minima of residual networks with several outputs",
    text="With no more outputs than inputs (and residual features) a local minimum away from kinks has the loss of the best model "
    "that is linear in the inputs, the residual features and the perturbable gradient features.",
    latex=r"L(\theta)=\inf_{\alpha,\alpha_w,\alpha_r,S}\sum_i\lambda_i\ell_{y_i}\big(\alpha_wx_i+\alpha_rz(x_i;u)+\tilde f_\theta(x_i;\alpha,\epsilon,S)\big)",
    quantifiers="for all local minima, exists eps_0, for all eps",
    hypotheses=(A1,),
    conclusion=NotCheckable(SKIPS),
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    because="the printed proof; the hypothesis on the number of residual features is not used",
    remarks=(
        "No more outputs than inputs is needed: one input, two outputs, orthonormal features and targets diag(2, 1) have a global minimum 1 against 0.",
        "'Strictly better' fails when the residual features lie in the span of the inputs.",
    ),
    edges=(Edge(USES, "kawaguchi2019.thm-2"), Edge(USES, "kawaguchi2019.lem-1"), Edge(USES, "kawaguchi2019.ass-1")),
    concepts=(Concept.LOCAL_MINIMA,),
)


def _linear(s: Subject) -> Judgement:
    network = s.problem.network
    if not isinstance(network, DenseNetwork) or network.output.kind != "linear" or network.depth < 2:
        return Judgement(False, "not a network with hidden layers and a linear output")
    if any(a.kind != "linear" for a in network.activations) or any(network.bias):
        return Judgement(False, "not a deep linear network without biases")
    return Judgement(True, "read off the problem")


DEEP_LINEAR = Predicate("deep-linear", "the network is deep linear, without biases", _linear)


def _widths(text: str, name: str, holds: object) -> Predicate:
    def test(s: Subject) -> Judgement:
        network = s.problem.network
        if not isinstance(network, DenseNetwork) or network.depth < 2:
            return Judgement(False, "no hidden layer")
        ok = holds(network)  # type: ignore[operator]
        return Judgement(bool(ok), "read off the widths")

    return Predicate(name, text, test)


THIN_ENDS = _widths(
    "the thinnest layer is the input or the output",
    "thin-ends",
    lambda n: min(n.widths[0], n.widths[-1]) <= min(n.widths[1:-1]),
)
THIN_OUTPUT = _widths(
    "no hidden layer is thinner than the output", "thin-output", lambda n: n.widths[-1] <= min(n.widths[1:-1])
)

PROP_2 = Statement(
    id="kawaguchi2019.prop-2",
    sort=Sort.PROPOSITION,
    section="4.2.2",
    title="Deep linear networks with any convex differentiable loss",
    text="If the thinnest layer of a deep linear network is its input or its output, every local minimum is global, for every convex differentiable loss.",
    latex=r"\min\{d_x,d_y\}\le\min\{d_1,\dots,d_H\},\ \ell\text{ convex differentiable}\Rightarrow\text{every local minimum is global}",
    quantifiers="for all local minima",
    hypotheses=(DEEP_LINEAR, A1, THIN_ENDS),
    conclusion=NO_BAD_MINIMUM,
    verdict=Verdict.TRUE,
    ground=Ground.CITED,
    because="proved by Laurent and von Brecht (2018); it holds on the listed instances",
    remarks=(
        "A hidden layer thinner than both needs more than convexity: entrywise weights (1, 2; 2, 1) on a 2-1-2 network give a sub-optimal local minimum 1 > 9/16.",
        "Differentiability is needed: with absolute errors a 2-2-2 network has a sub-optimal local minimum.",
    ),
    edges=(Edge(USES, "kawaguchi2019.ass-1"),),
    concepts=(Concept.DEEP_LINEAR, Concept.LOCAL_MINIMA),
    examples=(
        Example(
            "v w",
            True,
            Outcome.HOLDS,
            lambda: Subject(dense([1, 1, 1], "linear", [1], [1])),
            smallest=True,
            source="by hand: the only other critical point is a saddle",
        ),
        Example(
            "2-2-2 with generic target",
            True,
            Outcome.HOLDS,
            lambda: Subject(dense([2, 2, 2], "linear", [[1, 0], [0, 1]], [[2, 0], [0, 1]])),
            source="by hand: singular products are saddles, the others fit exactly",
        ),
        Example(
            "bottleneck",
            False,
            Outcome.VACUOUS,
            lambda: Subject(dense([2, 1, 2], "linear", [[1, 0], [0, 1]], [[2, 0], [0, 1]])),
            source="by hand: the hidden width 1 is less than both ends",
        ),
    ),
)


def channel(s: Subject, point: Point, layer: int) -> list[list[int]] | None:
    """The largest sets J^(t+1), ..., J^(H) of units (from 0) for t = ``layer``, or None where one is too small.

    A unit is linear near the point when all its pre-activations are positive (ReLU, leaky ReLU) or its layer is linear. Taken
    from the last layer down, the largest admissible set never excludes anything below, so greedy is enough.
    """
    network = s.problem.network
    assert isinstance(network, DenseNetwork)
    least = network.widths[-1]
    sets: list[list[int]] = []
    above: list[int] | None = None  # J^(l+1); None: the outputs, all of them
    for l in range(network.depth - 1, layer, -1):  # noqa: E741 -- the paper's index
        rows = representation(s.problem, point, l, before=True)
        kind = network.activations[l - 1].kind
        a = features_at(s, [point])[0][1].arithmetic
        units = [
            j
            for j in range(network.widths[l])
            if kind == "linear" or (kind in ("relu", "leaky_relu") and all(a.sign(row[j]) > 0 for row in rows))
        ]
        if above is not None:
            units = [
                j for j in units if all(a.is_zero(w) for i, w in _outgoing(network, point, l, j) if i not in above)
            ]
        if len(units) < least:
            return None
        sets.insert(0, units)
        above = units
    return sets


def _outgoing(network: DenseNetwork, point: Point, layer: int, unit: int) -> list[tuple[int, Element]]:
    start = 0
    for k in range(layer):
        start += network.widths[k] * network.widths[k + 1] + (network.widths[k + 1] if network.bias[k] else 0)
    cols = network.widths[layer]
    return [(i, point.coordinates[start + i * cols + unit]) for i in range(network.widths[layer + 1])]


def _piecewise(s: Subject) -> Judgement:
    network = s.problem.network
    if (
        not isinstance(network, DenseNetwork)
        or network.depth < 2
        or network.output.kind != "linear"
        or any(network.bias)
    ):
        return Judgement(False, "not a network of the form (4.3): hidden layers, linear output, no biases")
    if any(a.kind not in ("relu", "leaky_relu", "linear") for a in network.activations):
        return Judgement(False, "looked at for ReLU, leaky ReLU and linear layers only")
    return Judgement(True, "read off the problem")


LAYERED = Predicate(
    "relu-or-linear-layers",
    "hidden layers are ReLU, leaky ReLU or linear, without biases, with a linear output",
    _piecewise,
)


def _theta(s: Subject) -> Judgement:
    network = s.problem.network
    assert isinstance(network, DenseNetwork)
    points = [p for p, _ in critical_points(s)]
    for p, _ in features_at(s, points):
        if channel(s, p, 0) is not None:
            return Judgement(True, f"from layer 0: units {channel(s, p, 0)} (numbered from 0) at the point")
    return Judgement(
        False, "at no point looked at do enough units act linearly on all samples through every hidden layer"
    )


DEF_J = Statement(
    id="kawaguchi2019.def-J",
    sort=Sort.DEFINITION,
    section="4.2.3",
    title="Locally induced partial linear structure",
    text="In every layer from t + 1 on, at least n units act linearly on all samples near the parameter and do not feed units outside the channel.",
    latex=r"|J^{(l)}|\ge n,\quad h^{(l)}_k=(W^{(l)}h^{(l-1)})_k\ (k\in J^{(l)})\text{ near }\theta,\quad W^{(l+1)}_{ij}=0\ (i\notin J^{(l+1)},\ j\in J^{(l)})",
    quantifiers="exists a channel, for all samples and nearby parameters",
    hypotheses=(MODEL, LAYERED),
    conclusion=Predicate(
        "channel", "the point (or a listed critical point) has a channel of d_y units from the inputs on", _theta
    ),
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.ARGUED,
    because="the layer after the last hidden one is used and not defined; it must be the output",
    finding="As printed h^(H+1) is undefined; with h^(H+1) = f and J^(H+1) all outputs the definition is complete.",
    fairness=Fairness.PEDANTIC,
    repair=Repair(
        "Define h^(H+1) = f.",
        (MODEL, LAYERED),
        Predicate("channel", "the point has a channel of d_y units, with h^(H+1) = f", _theta),
    ),
    concepts=(Concept.RELU, Concept.DEEP_LINEAR),
    examples=(
        Example(
            "one channel unit in each of two ReLU layers",
            True,
            Outcome.HOLDS,
            lambda: subject(dense([1, 2, 2, 1], "relu", [1, 2], [1, 3]), 1, 1, 1, 0, 0, -1, "7/5", 0),
            repaired=Outcome.HOLDS,
            source="by hand: the second unit of layer 2 is dead; unit 1 feeds unit 1 only",
        ),
        Example(
            "one linear unit",
            True,
            Outcome.HOLDS,
            lambda: subject(dense([1, 1, 1], "linear", [1], [1]), 0, 0),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: a linear layer is its own channel",
        ),
    ),
)


def _in_theta(s: Subject) -> Judgement:
    network = s.problem.network
    if not isinstance(network, DenseNetwork):
        return Judgement(False, "the problem is not a dense network on data")
    if any(channel(s, p, t) is not None for p in _smooth_minima(s) for t in range(1, network.depth)):
        return Judgement(True, "some local minimum has a channel from some layer on")
    return Judgement(False, "no local minimum looked at has a channel")


def _beats_layers(s: Subject) -> Judgement:
    network = s.problem.network
    assert isinstance(network, DenseNetwork)
    count = 0
    for p, f in features_at(s, _smooth_minima(s)):
        for t in range(1, network.depth):
            if channel(s, p, t) is None:
                continue
            columns = [c for l in range(t, network.depth) for c in hidden_columns(s.problem, p, l)]  # noqa: E741
            a, here = f.arithmetic, squared_loss(f)
            best = least_squares(a, columns, f.lifted_targets, f.weights)
            count += 1
            if a.sign(a.sub(here, best)) > 0:
                return Judgement(
                    False, f"L = {shown(f, here)} exceeds {shown(f, best)}, reached by linear maps of layers {t} and up"
                )
    return Judgement(
        True, f"L is at most the least-squares value over the representations from layer t on, in {count} case(s)"
    )


THM_4 = Statement(
    id="kawaguchi2019.thm-4",
    sort=Sort.THEOREM,
    section="4.2.3",
    title="Deep networks with partial linear structure",
    text="At a local minimum with a channel of d_y locally linear units from layer t on, the loss is at most that of linear maps of "
    "all representations from layer t on together.",
    latex=r"\theta\in\Theta_{d_y,t}\setminus\overline\Omega\text{ local min}\Rightarrow L(\theta)=\inf\sum_i\lambda_i\ell_{y_i}\Big(\sum_{l=t}^H\alpha_h^{(l+1)}h^{(l)}(x_i;u)+\tilde f_\theta(x_i;\alpha,\epsilon,S)\Big)",
    quantifiers="for all t in 1..H and all local minima",
    hypotheses=(
        MODEL,
        A1_SQUARED,
        LAYERED,
        LOCAL_MINIMUM,
        Predicate("in-Theta", "the local minimum has a channel", _in_theta),
    ),
    conclusion=Predicate(
        "beats-linear-on-layers",
        "L is at most the least-squares value over the representations from layer t on",
        _beats_layers,
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="the statement holds; t = 0 is needed for the corollary on deep linear networks",
    fairness=Fairness.IN_CONTEXT,
    remarks=("The channel is needed: one dead ReLU unit is a local minimum with L = 10 against 1/5.",),
    edges=(
        Edge(USES, "kawaguchi2019.thm-2"),
        Edge(USES, "kawaguchi2019.def-J"),
        Edge(USES, "kawaguchi2019.lem-1"),
        Edge(USES, "kawaguchi2019.ass-1"),
    ),
    concepts=(Concept.RELU, Concept.LOCAL_MINIMA),
    examples=(
        Example(
            "one ReLU unit through two points",
            True,
            Outcome.HOLDS,
            lambda: Subject(dense([1, 1, 1], "relu", [1, 2], [1, 3])),
            source="by hand: the active minimum has v w = 7/5 and L = 1/5, the best multiple of h",
        ),
        Example(
            "v w",
            True,
            Outcome.HOLDS,
            lambda: Subject(dense([1, 1, 1], "linear", [1], [1])),
            smallest=True,
            source="by hand: L = 0",
        ),
    ),
)

COR_LINEAR = Statement(
    id="kawaguchi2019.cor-linear",
    sort=Sort.COROLLARY,
    section="4.2.3",
    title="Deep linear networks with hidden layers as wide as the output",
    text="If no hidden layer of a deep linear network is thinner than its output, every local minimum is global.",
    latex=r"\sigma=\mathrm{id},\ d_y\le\min\{d_1,\dots,d_H\}\Rightarrow\text{every local minimum is global}",
    quantifiers="for all local minima",
    hypotheses=(DEEP_LINEAR, A1, THIN_OUTPUT),
    conclusion=NO_BAD_MINIMUM,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="Theorem 4 with t = 0 and full channels; or Proposition 2",
    remarks=("It needs t = 0, which the theorem's printed range leaves out.",),
    edges=(Edge(Relation.SPECIAL_CASE_OF, "kawaguchi2019.prop-2"), Edge(USES, "kawaguchi2019.thm-4")),
    concepts=(Concept.DEEP_LINEAR,),
    examples=(
        Example(
            "v w",
            True,
            Outcome.HOLDS,
            lambda: Subject(dense([1, 1, 1], "linear", [1], [1])),
            smallest=True,
            source="by hand",
        ),
        Example(
            "three layers",
            True,
            Outcome.HOLDS,
            lambda: Subject(dense([1, 1, 1, 1], "linear", [1], [1])),
            source="by hand: (xyz - 1)^2 has no local minimum with xyz = 0",
        ),
    ),
)

STATEMENTS = (PROP_1, THM_3, PROP_2, DEF_J, THM_4, COR_LINEAR)
