"""Section VI: full-rank features, the tangent kernel, eliminating bad local minima by changing the network or the loss."""

from __future__ import annotations

from fractions import Fraction

from explorer.point import Point
from explorer.probes.dependent import (
    feature_rank,
    full_rank_point,
    is_analytic,
    relation,
    relation_near,
    vanishing_orders,
)
from explorer.problem import DenseNetwork, Problem
from explorer.statements.nouns import (
    Concept,
    Edge,
    Example,
    Fairness,
    Ground,
    Judgement,
    Outcome,
    Predicate,
    Recipe,
    Relation,
    Repair,
    Sort,
    Statement,
    Subject,
    Verdict,
    Witness,
)
from explorer.statements.predicates import DISTINCT_INPUTS, on_data, squared_loss
from explorer.statements.sun2020.conditions import (
    CONVEX_LOSS,
    CRITICAL,
    HIDDEN,
    HOMOGENEOUS,
    LINEAR_OUTPUT,
    NO_REGULARIZER,
    ONE_HIDDEN,
    SCALAR_OUTPUT,
    minimum_here_is_global,
)
from explorer.statements.sun2020.instances import fig2, ln2, neuron, on, relu_pair, sigmoid, vw
from explorer.statements.sun2020.kernels import (
    DIFFERENTIABLE,
    FEATURES_FULL,
    FEATURES_N,
    KERNEL_FULL,
    SAME_RANK,
    at_point,
    exact_point,
    rank_shown,
    samples,
    zero_loss,
)

F = Fraction
USES, RELATED = Relation.USES, Relation.RELATED
#: phi(t) = 1 + t^2 (t - 1)^2 (2t - 1): phi(0) = phi(1) = 1, phi(-1/2) = -1/8
NARROW = ["1", "0", "-1", "4", "-5", "2"]


def narrow() -> Problem:
    """One polynomial unit with bias on x = 0, 1 and y = 2, 0."""
    return Problem.dense(widths=[1, 1, 1], activation="polynomial", coefficients=NARROW, bias=True, inputs=[0, 1], targets=[2, 0], slug="narrow")  # fmt: skip


# -- Claim VI.1 -----------------------------------------------------------------------------------------------------------


def _global_here(subject: Subject) -> Judgement:
    return minimum_here_is_global(subject, exact_point(subject), None)


GLOBAL_HERE = Predicate(
    "global-if-local", "if the point is a local minimum, it is a global one", _global_here, r"F(\theta)=\min F"
)

CLAIM_1 = Statement(
    id="sun2020.claim-VI.1",
    sort=Sort.CLAIM,
    section="VI-A",
    title="Local minima with full-rank last features are global",
    text="If the matrix of the last hidden layer's outputs on the samples has full rank at a local minimum, that minimum is global.",
    latex=r"\theta\text{ local min},\ Z_L(X)\text{ of full rank}\;\Rightarrow\;F(\theta)=\min F",
    quantifiers="for all such local minima",
    hypotheses=(HIDDEN, LINEAR_OUTPUT, NO_REGULARIZER, FEATURES_FULL),
    conclusion=GLOBAL_HERE,
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    fairness=Fairness.SOLID,
    because="full rank has to be rank n; with fewer units than samples there are certified sub-optimal local minima",
    finding="With fewer last hidden units than samples 'full rank' does not say that the features reach all predictions: one polynomial unit on two samples has a strict local minimum of value 2 with features (1, 1) of rank 1, while F = 1/16 elsewhere.",
    repair=Repair(
        "Rank n (so the last hidden layer has at least n units), and a loss that is convex in the prediction.",
        (HIDDEN, LINEAR_OUTPUT, NO_REGULARIZER, FEATURES_N, CONVEX_LOSS),
        GLOBAL_HERE,
    ),
    edges=(
        Edge(USES, "sun2020.def-II-network"),
        Edge(Relation.RELATED, "sun2020.thm-IV.2"),
        Edge(Relation.CONTRASTS, "sun2020.prop-IV.3"),
    ),
    concepts=(Concept.LOCAL_MINIMA, Concept.GLOBAL_MINIMA, Concept.WIDTH),
    examples=(
        Example(
            "one unit, two samples",
            False,
            Outcome.REFUTED,
            on(narrow, 1, 0, 1, points=((F(-1, 2), 0, 2),)),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: phi(0) = phi(1) = 1, phi(-1/2) = -1/8",
        ),
        Example(
            "one ReLU unit, two samples",
            False,
            Outcome.REFUTED,
            on(relu_pair, 1, 1, points=((-1, 2),)),
            repaired=Outcome.VACUOUS,
            source="by hand: F = 4 and 1",
        ),
        Example(
            "narrow networks", False, Outcome.REFUTED, recipe=Recipe("refute", "sun2020.claim-VI.1"), source="recipe"
        ),
        Example(
            "interpolating sigmoid network",
            True,
            Outcome.HOLDS,
            lambda: Subject(sigmoid([1, 2], [1, -1], 2), ln2((0, 1), (0, 2), F(-555, 4), F(935, 8))),
            repaired=Outcome.HOLDS,
            source="by hand: solves Z^T v = y",
        ),
    ),
)


# -- Claim VI.2 -----------------------------------------------------------------------------------------------------------


def _orders(subject: Subject) -> Judgement:
    net = subject.problem.network
    if not isinstance(net, DenseNetwork) or net.depth < 2:
        return Judgement(False, "there is no hidden layer")
    for a in dict.fromkeys(net.activations):
        found = vanishing_orders(a, samples(subject.problem))
        if found is None:
            return Judgement(False, f"{a.kind} is not n - 1 times differentiable at 0, or this is not known")
        if found:
            return Judgement(False, f"the derivative of order {found[0]} of {a.kind} vanishes at 0")
    return Judgement(True, "exact Taylor coefficients at 0")


def _dense(subject: Subject) -> Judgement:
    problem, net, n = subject.problem, subject.problem.network, samples(subject.problem)
    assert isinstance(net, DenseNetwork)
    if net.widths[-2] >= n and relation(problem) is not None:
        return Judgement(
            False,
            "a relation among the samples holds at all parameters: the set is empty",
            shows=(Witness("feature-null"),),
        )
    if isinstance(subject.point, Point) and net.widths[-2] >= n and relation_near(problem, subject.point) is not None:
        return Judgement(
            False,
            "the features are dependent on a whole neighbourhood",
            shows=(Witness("feature-null-near", subject.point),),
        )
    if not all(is_analytic(a) for a in net.activations):
        return Judgement.unknown("no open set of dependent features is seen, and the activation is not analytic")
    point = subject.point if isinstance(subject.point, Point) else full_rank_point(problem, subject.budget.start())
    if point is not None and feature_rank(problem, point) == min(net.widths[-2], n):
        because = "full rank at one point, and the minors are analytic: the complement is a null set"
        return Judgement(True, because, shows=rank_shown(point, "features"), partial=True)
    return Judgement.unknown("no point with features of full rank was found")


DERIVATIVES = Predicate(
    "derivatives-at-0",
    "the activation and its first n - 1 derivatives do not vanish at 0",
    _orders,
    r"\sigma^{(k)}(0)\ne0,\ k<n",
)
FULL_RANK_DENSE = Predicate("full-rank-dense", "the parameters with full-rank last features are dense", _dense)
ANALYTIC = on_data(
    "analytic",
    "every hidden activation is analytic",
    lambda net, data: net.depth >= 2 and all(is_analytic(a) for a in net.activations),
)


def _capped() -> Problem:
    """min(1 + z, 2) with biases on x = 1, 2."""
    return Problem.dense(widths=[1, 2, 1], activation="piecewise-polynomial", breaks=[1], pieces=[[1, 1], [2]], bias=True, inputs=[1, 2], targets=[0, 1], slug="capped")  # fmt: skip


def _exponentials(inputs: list[int], width: int) -> Problem:
    return Problem.dense(
        widths=[1, width, 1], activation="exp", inputs=inputs, targets=[0] * len(inputs), slug="exponentials"
    )


CLAIM_2 = Statement(
    id="sun2020.claim-VI.2",
    sort=Sort.CLAIM,
    section="VI-A",
    title="Full-rank last features are dense",
    text="If the activation and its first n - 1 derivatives do not vanish at 0, the parameters at which the last features have full rank are dense.",
    latex=r"\sigma^{(k)}(0)\ne0,\ k=0,\dots,n-1\;\Rightarrow\;\{\theta:Z_L(X)\text{ of full rank}\}\text{ dense}",
    quantifiers="for all such activations",
    hypotheses=(HIDDEN, DERIVATIVES),
    conclusion=FULL_RANK_DENSE,
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    fairness=Fairness.SOLID,
    because="repeated inputs, and activations that are constant on an interval: certificates of relations at all, or at all nearby, parameters",
    finding="Two hypotheses are missing: with a repeated input the set is empty, and for min(1 + z, 2), whose value and first derivative at 0 are 1, the features of two samples are equal on an open set of parameters.",
    repair=Repair(
        "Pairwise distinct inputs and an analytic activation.",
        (HIDDEN, DERIVATIVES, DISTINCT_INPUTS, ANALYTIC),
        FULL_RANK_DENSE,
    ),
    remarks=(
        "The derivative condition matters without biases only (sigmoid on 0, a, -a has features of rank 2 at most); it excludes sigmoid (third order), tanh, swish, softplus for n >= 4 and low-degree polynomials.",
    ),
    edges=(
        Edge(Relation.RELATED, "sun2020.def-IV.1"),
        Edge(Relation.RELATED, "sun2020.prop-IV.2"),
        Edge(RELATED, "sun2020.claim-VI.1"),
    ),
    concepts=(Concept.WIDTH, Concept.SMOOTH),
    examples=(
        Example(
            "a repeated input",
            False,
            Outcome.REFUTED,
            lambda: Subject(_exponentials([1, 1], 2)),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: two equal columns",
        ),
        Example(
            "min(1 + z, 2)",
            False,
            Outcome.REFUTED,
            on(_capped, 0, 0, 5, 7, 1, 1),
            repaired=Outcome.VACUOUS,
            source="by hand: all features are 2",
        ),
        Example(
            "three exponential units",
            True,
            Outcome.HOLDS,
            lambda: Subject(_exponentials([0, 1, -1], 3)),
            repaired=Outcome.HOLDS,
            source="by hand: Vandermonde",
        ),
        Example(
            "sigmoid on 0, 1, -1",
            False,
            Outcome.VACUOUS,
            lambda: Subject(sigmoid([0, 1, -1], [0, 0, 0], 3)),
            repaired=Outcome.VACUOUS,
            source="by hand: sigma''(0) = 0",
        ),
    ),
)


# -- the tangent kernel ---------------------------------------------------------------------------------------------------


def _parameters(subject: Subject) -> Judgement:
    count, n = len(subject.problem.parameters), samples(subject.problem)
    return Judgement(count >= n, f"P = {count}, n = {n}")


ENOUGH = Predicate("enough-parameters", "there are at least as many parameters as samples", _parameters, r"P\ge n")

KERNEL = Statement(
    id="sun2020.def-VI-ntk",
    sort=Sort.DEFINITION,
    section="VI-A",
    title="Gradient matrix and tangent kernel",
    text="G has the gradients of the predictions as columns, K = G^T G is the tangent kernel; G has full rank exactly if K has.",
    latex=r"G=(\partial_\theta f(x_1),\dots,\partial_\theta f(x_n)),\quad K=G^\top G",
    quantifiers="for all parameters at which f is differentiable",
    hypotheses=(SCALAR_OUTPUT, ENOUGH, DIFFERENTIABLE),
    conclusion=SAME_RANK,
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    fairness=Fairness.PEDANTIC,
    because="G and G^T G have the same kernel",
    remarks=(
        "With fewer parameters than samples G can have full rank P while K is singular: f = theta, n = 2. Read 'G has rank n'.",
        "Distinct inputs do not make K regular: without biases a ReLU network has proportional gradients at x and 2x.",
    ),
    edges=(Edge(USES, "sun2020.def-II-network"),),
    concepts=(Concept.GRAM,),
    examples=(
        Example("vw", True, Outcome.HOLDS, on(vw, 1, 1), smallest=True, source="by hand: K = v^2 + w^2"),
        Example(
            "one sigmoid unit with bias, two samples",
            True,
            Outcome.HOLDS,
            lambda: Subject(sigmoid([1, 2], [0, 0], 1, bias=True), ln2((0, 1), 0, 1)),
            source="by hand: det K = 128/16875",
        ),
        Example(
            "one weight, two samples",
            False,
            Outcome.VACUOUS,
            on(lambda: Problem.dense(widths=[1, 1], inputs=[1, 1], targets=[0, 1]), 0),
            source="by hand: G = (1, 1)",
        ),
    ),
)


def _zero(subject: Subject) -> Judgement:
    return zero_loss(subject, exact_point(subject), None)


ZERO_LOSS = Predicate("zero-loss", "F = 0 at the point", _zero, r"F(\theta^*)=0")

CLAIM_3 = Statement(
    id="sun2020.claim-VI.3",
    sort=Sort.CLAIM,
    section="VI-A",
    title="Critical points with a full-rank tangent kernel have zero loss",
    text="For a scalar output and the squared loss, a critical point at which the tangent kernel has full rank has zero loss.",
    latex=r"\nabla F(\theta^*)=0,\ K(\theta^*)\text{ of full rank}\;\Rightarrow\;F(\theta^*)=0",
    quantifiers="for all such points",
    hypotheses=(SCALAR_OUTPUT, squared_loss(), NO_REGULARIZER, DIFFERENTIABLE, CRITICAL, KERNEL_FULL),
    conclusion=ZERO_LOSS,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="grad F = 2 G e, and G has rank n",
    remarks=(
        "The proof speaks of G of full rank, which is weaker for P < n. For the logistic loss the same line shows that there is no critical point with a regular kernel.",
    ),
    edges=(
        Edge(Relation.RELATED, "sun2020.toy-III-vw"),
        Edge(USES, "sun2020.def-VI-ntk"),
    ),
    concepts=(Concept.GRAM, Concept.GLOBAL_MINIMA),
    examples=(
        Example("vw at a minimum", True, Outcome.HOLDS, on(vw, 1, 1), smallest=True, source="by hand"),
        Example("vw at the saddle", False, Outcome.VACUOUS, on(vw, 0, 0), source="by hand: K = 0"),
        Example(
            "plateau of figure 2",
            False,
            Outcome.VACUOUS,
            on(fig2, 1, -1),
            source="by hand: phi(1) = phi'(1) = 0, so K = 0",
        ),
    ),
)


def _silent_unit(subject: Subject, point: Point) -> tuple[bool, str]:
    net = subject.problem.network
    assert isinstance(net, DenseNetwork)
    if net.depth != 2:
        return False, "not one hidden layer"
    d, m, k = net.widths
    rows = [list(point.coordinates[j * d : (j + 1) * d]) for j in range(m)]
    start = m * d
    if net.bias[0]:
        rows = [[*row, point.coordinates[start + j]] for j, row in enumerate(rows)]
        start += m
    for j, row in enumerate(rows):
        out = [point.coordinates[start + o * m + j] for o in range(k)]
        if not any(any(c) for c in (*row, *out)):
            return True, f"all weights of unit {j + 1} are 0"
    return False, "no unit has only zero weights"


def shifted() -> Problem:
    """max(z - 1, 0) on x = y = 1."""
    return neuron("piecewise-polynomial", breaks=[1], pieces=[[0], [-1, 1]])


def two_relus() -> Problem:
    return Problem.dense(widths=[1, 2, 1], activation="relu", inputs=[1], targets=[1], slug="two-relus")


INACTIVE = Statement(
    id="sun2020.quote-VI-inactive",
    sort=Sort.QUOTE,
    section="VI-A",
    title="Local minima with an inactive unit are global",
    text="For a positively homogeneous activation, a local minimum at which one hidden unit has only zero weights, incoming and outgoing, is global.",
    latex=r"(W_1)_{j\cdot}=0,\ (W_2)_{\cdot j}=0,\ \theta\text{ local min}\;\Rightarrow\;F(\theta)=\min F",
    quantifiers="for all such local minima",
    hypotheses=(
        ONE_HIDDEN,
        HOMOGENEOUS,
        LINEAR_OUTPUT,
        NO_REGULARIZER,
        CONVEX_LOSS,
        at_point("silent-unit", "some unit has only zero weights", _silent_unit),
    ),
    conclusion=GLOBAL_HERE,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="turning the unit on shows that the loss slopes are orthogonal to every feature; the loss is convex in the predictions",
    remarks=(
        "Convexity of the loss is not stated.",
        "Both zeros are needed: one ReLU unit at (v, w) = (0, -1) and (-1, 0) is a bad local minimum; homogeneity too: max(z - 1, 0) at (0, 0).",
    ),
    concepts=(Concept.LOCAL_MINIMA, Concept.RELU),
    examples=(
        Example(
            "one square unit at 0",
            True,
            Outcome.HOLDS,
            on(lambda: neuron("square"), 0, 0),
            smallest=True,
            source="by hand: not a local minimum, v = w = e",
        ),
        Example(
            "a silent unit beside a fitting one",
            True,
            Outcome.HOLDS,
            on(two_relus, 1, 0, 1, 0),
            source="by hand: F = 0",
        ),
        Example(
            "only the output weight is 0",
            False,
            Outcome.VACUOUS,
            on(lambda: neuron("relu"), -1, 0),
            source="by hand: a bad local minimum",
        ),
        Example("max(z - 1, 0)", False, Outcome.VACUOUS, on(shifted, 0, 0), source="by hand: a bad local minimum"),
    ),
)

STATEMENTS = (CLAIM_1, CLAIM_2, KERNEL, CLAIM_3, INACTIVE)
