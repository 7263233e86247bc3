"""Section 3.1: where outputs are differentiable, the common loss, and the common model structure."""

from __future__ import annotations

from explorer.induced.features import kinks, slope_jumps
from explorer.point import Point
from explorer.problem import DenseNetwork
from explorer.statements.kawaguchi2019.common import dense, subject
from explorer.statements.kawaguchi2019.conditions import A1, MODEL, critical_points, features_at, origin
from explorer.statements.nouns import (
    Concept,
    Example,
    Fairness,
    Ground,
    Judgement,
    Outcome,
    Predicate,
    Repair,
    Sort,
    Statement,
    Subject,
    Verdict,
    Witness,
)


def _kinked(s: Subject) -> Judgement:
    network = s.problem.network
    if not isinstance(network, DenseNetwork) or not any(slope_jumps(a) for a in network.activations):
        return Judgement(False, "no hidden activation has a kink: Omega is empty")
    if network.depth != 2 or network.output.kind != "linear":
        return Judgement(False, "looked at for one hidden layer with linear output only")
    return Judgement(True, "read off the problem")


KINKED = Predicate(
    "piecewise-linear-hidden-layer", "the network has one hidden layer with a kinked activation", _kinked
)


def _hidden_kink(s: Subject, point: Point) -> tuple[int, int] | None:
    """A unit and a sample (from 1) whose kink at ``point`` is hidden by zero outgoing weights, or None."""
    network, data = s.problem.network, s.problem.data
    assert isinstance(network, DenseNetwork)
    assert data is not None
    d, m, k = network.widths
    start = d * m + (m if network.bias[0] else 0)
    at = kinks(s.problem, point)
    loud = [u for _, u, _ in at if any(any(point.coordinates[start + r * m + u - 1]) for r in range(k))]
    movable = [(u, i) for _, u, i in at if network.bias[0] or any(data.inputs[i - 1])]
    return movable[0] if movable and not loud else None


def _closed(s: Subject) -> Judgement:
    """Whether the point (default: the origin) is *not* a differentiable limit of nondifferentiable ones."""
    point = s.point if isinstance(s.point, Point) else origin(s.problem)
    found = _hidden_kink(s, point)
    where = "the point" if isinstance(s.point, Point) else "the origin"
    if found is None:
        return Judgement.unknown(f"{where} shows nothing: no kink there is hidden by zero outgoing weights")
    because = f"at {where} all outputs are differentiable, although hidden unit {found[0]} is at its kink on sample {found[1]}; with any other outgoing weight they are not"
    return Judgement(False, because, shows=(Witness("kinks-nearby", point),))


OMEGA_CLOSED = Predicate(
    "omega-closed",
    "the set of parameters at which some output is not differentiable is closed",
    _closed,
    r"\Omega=\overline\Omega",
)
IN_CLOSURE = Predicate(
    "no-kink-at-the-point",
    "no pre-activation is at a kink (the point is outside the closure of Omega)",
    lambda s: (
        Judgement(False, "a pre-activation is at a kink")
        if kinks(s.problem, s.point if isinstance(s.point, Point) else origin(s.problem))
        else Judgement(True, "strict margins at every sample")
    ),
    r"\theta\notin\overline\Omega",
)


def _differentiable(s: Subject) -> Judgement:
    point = s.point if isinstance(s.point, Point) else origin(s.problem)
    if features_at(s, [point]):
        return Judgement(True, "all outputs have a gradient there")
    return Judgement(False, "some output is not differentiable there, or its gradient is not in the field")


DIFFERENTIABLE = Predicate("outputs-differentiable", "all outputs are differentiable at the point", _differentiable)

DEF_OMEGA = Statement(
    id="kawaguchi2019.def-Omega",
    sort=Sort.DEFINITION,
    section="3.1",
    title="Nondifferentiable points and their closure",
    text="Omega collects the parameters at which the output on some sample is not differentiable. For ReLU networks with "
    "pooling it is said to be closed, so that taking its closure changes nothing, and to have measure zero.",
    latex=r"\Omega=\{\theta:\exists i,\ f_{x_i}\text{ is not differentiable at }\theta\},\qquad \Omega=\overline{\Omega},\ |\Omega|=0",
    quantifiers="for all ReLU models",
    hypotheses=(MODEL, KINKED),
    conclusion=OMEGA_CLOSED,
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="v relu(w) is differentiable at the origin and at no point (w, v) = (0, t), t != 0, so Omega is not closed",
    finding="Omega differs from its closure already for one hidden ReLU unit: a zero outgoing weight hides the kink. "
    "That Omega and its closure have measure zero is true.",
    fairness=Fairness.PEDANTIC,
    repair=Repair(
        "The closure of Omega has measure zero; state later theorems outside the closure (as the paper's Theorem 2 does). "
        "Outside the closure the outputs are differentiable.",
        (MODEL, IN_CLOSURE),
        DIFFERENTIABLE,
    ),
    remarks=(
        "The difference matters: for relu(v) relu(w) with target -1 the perturbed gradients at the origin are undefined or 0.",
    ),
    concepts=(Concept.RELU, Concept.TANGENT),
    examples=(
        Example(
            "v relu(w) at the origin",
            False,
            Outcome.REFUTED,
            lambda: subject(dense([1, 1, 1], "relu", [1], [-1]), 0, 0),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: |v relu(w)| <= |v||w|, and at (0, t) the slopes in w are t and 0",
        ),
        Example(
            "leaky ReLU, three units, three samples",
            False,
            Outcome.REFUTED,
            lambda: Subject(
                dense([1, 3, 1], {"kind": "leaky_relu", "slope": "1/10"}, [1, 2, -1], [0, 1, 1], bias=True)
            ),
            repaired=Outcome.VACUOUS,
            source="by hand: at the origin every unit is at its kink and every outgoing weight is 0",
        ),
        Example(
            "inside a linear region",
            True,
            Outcome.UNDECIDED,
            lambda: subject(dense([1, 1, 1], "relu", [1], [-1]), 1, 0),
            repaired=Outcome.HOLDS,
            source="by hand: near (1, 0) the network is v w; nothing there speaks for or against closedness",
        ),
    ),
)

ASS_1 = Statement(
    id="kawaguchi2019.ass-1",
    sort=Sort.ASSUMPTION,
    section="3.1",
    title="Assumption 1: common losses",
    text="Each sample's loss is a nonnegative, convex and differentiable function of the network's output.",
    latex=r"\forall i:\ q\mapsto\ell(q,y_i)\in\mathbb R_{\ge 0}\ \text{is convex and differentiable}",
    quantifiers="for all samples",
    hypotheses=(MODEL,),
    conclusion=A1,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="an assumption; the squared and the logistic loss satisfy it",
    remarks=(
        "Convexity is needed: with (q^2 - 1)^2 and f = theta, theta = 0 is critical with L = 1 and the induced model reaches 0.",
        "Differentiability is needed: absolute errors give a sub-optimal local minimum of a 2-2-2 linear network.",
        "Regularizers on parameters are outside the assumption.",
    ),
    concepts=(Concept.LOSS,),
    examples=(
        Example(
            "logistic loss",
            True,
            Outcome.HOLDS,
            lambda: Subject(dense([1, 1, 1], "square", [1], [1], loss="logistic")),
            source="by hand: (log(1 + e^-q))'' > 0",
        ),
        Example(
            "squared loss",
            True,
            Outcome.HOLDS,
            lambda: Subject(dense([1, 1], [], [1], [1])),
            smallest=True,
            source="by hand",
        ),
    ),
)


def _spanned(s: Subject) -> Judgement:
    points = [s.point] if isinstance(s.point, Point) else [origin(s.problem), *(p for p, _ in critical_points(s))]
    found = features_at(s, points)
    if not found:
        return Judgement.unknown(
            "at none of the points looked at are the outputs differentiable in the exact engine's fields"
        )
    for _, f in found:
        if f.combination is None:
            return Judgement(
                False, f"at one point the outputs are not in the span of the gradient features (rank {f.rank})"
            )
    return Judgement(True, f"at {len(found)} point(s) the outputs are a linear combination of the gradient features")


A2 = Predicate(
    "assumption-2",
    "at the point (or at the origin and every listed critical point) the outputs are a linear combination of their own gradients",
    _spanned,
    r"f_X(\theta)\in\operatorname{col}J(\theta)",
)


def _a2_conclusion(s: Subject) -> Judgement:
    found = _spanned(s)
    network = s.problem.network
    if found.holds and isinstance(network, DenseNetwork) and network.output.kind == "linear":
        return Judgement(True, f"{found.because}; in general since the output layer is linear (g = its own weights)")
    return found


ASS_2 = Statement(
    id="kawaguchi2019.ass-2",
    sort=Sort.ASSUMPTION,
    section="3.1",
    title="Assumption 2: common model structure",
    text="With coefficients that do not depend on the sample, the output is a linear combination of its own parameter gradients.",
    latex=r"\exists g\ \forall i\ \forall\theta\notin\Omega:\quad f_{x_i}(\theta)=\sum_k g(\theta)_k\,\partial_k f_{x_i}(\theta)",
    quantifiers="exists g, for all samples and parameters",
    hypotheses=(
        MODEL,
        Predicate(
            "linear-output-layer",
            "the output layer is linear (then g is its own weights and biases)",
            lambda s: (
                Judgement(True, "read off the problem")
                if isinstance(s.problem.network, DenseNetwork) and s.problem.network.output.kind == "linear"
                else Judgement(False, "the outputs pass through a nonlinearity that no weight scales")
            ),
        ),
    ),
    conclusion=Predicate(A2.name, A2.text, _a2_conclusion, A2.latex),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="an assumption; it holds with a linear last layer, a skipped layer, or a positively homogeneous model",
    remarks=(
        "It fails for theta^2 + 1 at 0, and for a sigmoid of theta x on two samples at 0; then Theorem 1 fails in both directions.",
    ),
    concepts=(Concept.TANGENT,),
    examples=(
        Example(
            "linear last layer",
            True,
            Outcome.HOLDS,
            lambda: Subject(dense([1, 2, 1], "square", [1, 2], [1, 0])),
            source="by hand: g = output weights",
        ),
        Example(
            "theta^2 + 1",
            False,
            Outcome.VACUOUS,
            lambda: subject(
                dense([1, 1], [], [1], [2], output_activation={"kind": "polynomial", "coefficients": [1, 0, 1]}), 0
            ),
            smallest=True,
            source="by hand: the gradient 2 theta is 0 at 0, the output is 1",
        ),
    ),
)

STATEMENTS = (DEF_OMEGA, ASS_1, ASS_2)
