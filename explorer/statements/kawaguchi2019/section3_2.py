"""Section 3.2: Theorem 1, its picture, and the three examples."""

from __future__ import annotations

from fractions import Fraction

from explorer.algebra.fields import arithmetic
from explorer.induced.features import affine_minimum, hidden_columns, squared_loss
from explorer.induced.linear import least_squares, rank
from explorer.point import RationalField
from explorer.problem import DenseNetwork
from explorer.statements.kawaguchi2019.common import dense, optimal_everywhere, same, shown, subject
from explorer.statements.kawaguchi2019.conditions import A1, A1_SQUARED, CRITICAL, MODEL, differentiable_critical
from explorer.statements.kawaguchi2019.section3_1 import A2, IN_CLOSURE, KINKED, _closed
from explorer.statements.nouns import (
    Concept,
    Edge,
    Example,
    Fairness,
    Ground,
    Judgement,
    Outcome,
    Predicate,
    Relation,
    Repair,
    Sort,
    Statement,
    Subject,
    Verdict,
    Witness,
)

USES = Relation.USES


def _induced(s: Subject) -> Judgement:
    spanned = [(p, f) for p, f in differentiable_critical(s) if f.combination is not None]
    if not spanned:
        return Judgement.unknown("Assumption 2 fails at every critical point looked at")
    if s.problem.loss is not None and s.problem.loss.kind != "squared":
        shows = tuple(Witness("tangent-optimal", p) for p, _ in spanned)
        return Judgement(
            True,
            f"J^T Lambda p = 0 with f in col J at {len(spanned)} point(s): optimal by convexity",
            shows=shows,
            partial=s.point is None,
        )
    return optimal_everywhere(spanned, "critical point", partial=s.point is None)


OPTIMAL_IN_SPAN = Predicate(
    "optimal-among-gradient-features",
    "no linear combination of the gradient features has a lower loss",
    _induced,
    r"L(\theta)=\inf_\alpha L_\theta(\alpha)",
)


def _affine(s: Subject) -> Judgement:
    for _, f in differentiable_critical(s):
        here, best = squared_loss(f), affine_minimum(f)
        if not same(f, here, best):
            return Judgement(False, f"L = {shown(f, here)}, but the affine tangent space reaches {shown(f, best)}")
    return Judgement(True, f"L is the least-squares value over f + col J at {len(differentiable_critical(s))} point(s)")


RELU_LINE = ([1, 1, 1], "relu", [0, 1, 2, 3], [2, -1, 6, 3])

THM_1 = Statement(
    id="kawaguchi2019.thm-1",
    sort=Sort.THEOREM,
    section="3.2",
    title="Critical points are optimal for the gradient basis model",
    text="At a critical point where the outputs are differentiable, the loss equals the least loss that linear combinations "
    "of the network's own gradient features can reach.",
    latex=r"\text{A1, A2},\ \theta\notin\Omega,\ \nabla L(\theta)=0\ \Rightarrow\ L(\theta)=\inf_{\alpha}\sum_i\lambda_i\ell_{y_i}\Big(\sum_k\alpha_k\,\partial_kf_{x_i}(\theta)\Big)",
    quantifiers="for all critical points",
    hypotheses=(MODEL, A1, CRITICAL, A2),
    conclusion=OPTIMAL_IN_SPAN,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="convexity and the chain rule prove it; the checker's rule tangent-optimal is this proof at one point",
    remarks=(
        "It describes critical points, it does not make them good: where J = 0 the bound is the zero predictor.",
        "It does not extend to kinks by a choice of subgradient: relu(w), target -1, w = 0, relu'(0) = 1 has L = 1 against 0.",
    ),
    edges=(
        Edge(USES, "kawaguchi2019.ass-1"),
        Edge(USES, "kawaguchi2019.ass-2"),
        Edge(Relation.RELATED, "kawaguchi2019.def-Omega"),
        Edge(USES, "kawaguchi2019.lem-2"),
    ),
    concepts=(Concept.TANGENT, Concept.GLOBAL_MINIMA),
    examples=(
        Example(
            "saddle of a 2-2-2 linear network",
            True,
            Outcome.HOLDS,
            lambda: subject(dense([2, 2, 2], "linear", [[1, 0], [0, 1]], [[2, 0], [0, 1]]), 1, 0, 0, 0, 2, 0, 0, 0),
            source="by hand: P = diag(2, 0), J spans all but the last entry, so L = LS = 1",
        ),
        Example(
            "line fitted by one ReLU unit",
            True,
            Outcome.HOLDS,
            lambda: subject(dense(*RELU_LINE, bias=[True, False]), 1, 1, 1),
            source="by hand: x = 0..3, y = (2, -1, 6, 3): the least-squares line is x + 1, residuals (1, -3, 3, -1), L = 20",
        ),
        Example(
            "spurious minimum of v w^2",
            True,
            Outcome.HOLDS,
            lambda: subject(dense([1, 1, 1], "square", [1], [-1]), 0, 1),
            smallest=True,
            source="by hand: J = 0, so both sides are the loss 1 of the zero predictor, although min L = 0",
        ),
        Example(
            "logistic loss",
            True,
            Outcome.HOLDS,
            lambda: subject(dense([1, 1, 1], "square", [1], [1], loss="logistic"), 0, 0),
            source="by hand: J = 0 at the origin, both sides are ln 2",
        ),
        Example(
            "Assumption 2 dropped",
            False,
            Outcome.VACUOUS,
            lambda: subject(
                dense([1, 1], [], [1], [2], output_activation={"kind": "polynomial", "coefficients": [1, 0, 1]}), 0
            ),
            source="by hand: theta^2 + 1 at 0 has J = 0 and output 1: L = 1, the zero predictor has 4",
        ),
    ),
)

AFFINE = Statement(
    id="kawaguchi2019.x-thm1-affine",
    sort=Sort.AUDIT,
    section="audit of 3.2",
    title="Theorem 1 without Assumption 2",
    text="At a differentiable critical point the loss is the least one on the affine tangent space; and conversely.",
    latex=r"\nabla L(\theta)=0\iff L(\theta)=\min_\alpha\sum_i\lambda_i\ell_{y_i}\Big(f_{x_i}(\theta)+\sum_k\alpha_k\,\partial_kf_{x_i}(\theta)\Big)",
    quantifiers="for all critical points",
    hypotheses=(MODEL, A1_SQUARED, CRITICAL),
    conclusion=Predicate("optimal-in-affine-tangent-space", "no point of f + col J has a lower loss", _affine),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a convex function on an affine space is least where its gradient vanishes",
    edges=(Edge(USES, "kawaguchi2019.lem-2"), Edge(Relation.RELATED, "kawaguchi2019.thm-1")),
    concepts=(Concept.TANGENT,),
    examples=(
        Example(
            "theta^2 + 1",
            True,
            Outcome.HOLDS,
            lambda: subject(
                dense([1, 1], [], [1], [2], output_activation={"kind": "polynomial", "coefficients": [1, 0, 1]}), 0
            ),
            smallest=True,
            source="by hand: J = 0, so the affine space is the point f = 1, and L = 1",
        ),
    ),
)

GEO = Statement(
    id="kawaguchi2019.geo-view",
    sort=Sort.CLAIM,
    section="3.2.1, eq. (3.1)",
    title="The tangent-space picture",
    text="Under Assumption 2 the induced model is the tangent space of the image of the outputs; for ReLU networks the outputs "
    "are said to be analytic near every point at which they are differentiable.",
    latex=r"T f_X(\theta)=f_X(\theta)+\operatorname{span}\{\partial_kf_X(\theta)\}=\operatorname{span}\{\partial_kf_X(\theta)\}",
    quantifiers="locally, at differentiable points",
    hypotheses=(MODEL, KINKED),
    conclusion=Predicate(
        "analytic-near-differentiable-points",
        "near every parameter at which the outputs are differentiable they are analytic",
        _closed,
    ),
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    because="v relu(w) is differentiable at the origin and not even differentiable at (0, t) for small t",
    finding="Differentiability at a point does not give analyticity near it: a zero outgoing weight hides a kink.",
    fairness=Fairness.PEDANTIC,
    repair=Repair("Exclude the closure of Omega; there the picture (Assumption 2) holds.", (MODEL, IN_CLOSURE), A2),
    remarks=(
        "At points where the rank of J drops (v w at the origin: rank 0, generic rank 1) the tangent model is smaller than nearby.",
    ),
    edges=(Edge(USES, "kawaguchi2019.ass-2"), Edge(Relation.RELATED, "kawaguchi2019.def-Omega")),
    concepts=(Concept.TANGENT, Concept.RELU),
    examples=(
        Example(
            "v relu(w) at the origin",
            False,
            Outcome.REFUTED,
            lambda: subject(dense([1, 1, 1], "relu", [1], [-1]), 0, 0),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand, as for the definition of Omega",
        ),
        Example(
            "v relu(w) at (1, 1)",
            True,
            Outcome.UNDECIDED,
            lambda: subject(dense([1, 1, 1], "relu", [1], [-1]), 1, 1),
            repaired=Outcome.HOLDS,
            source="by hand: near (1, 1) it is v w with gradient (1, 1) and value 1",
        ),
    ),
)


def _linear_in_parameters(s: Subject) -> Judgement:
    network = s.problem.network
    if isinstance(network, DenseNetwork) and network.depth == 1 and network.output.kind == "linear":
        return Judgement(True, "no hidden layer, linear output")
    return Judgement(False, "the model is not linear in its parameters")


def _critical_is_global(s: Subject) -> Judgement:
    """The model is its own induced model, so the least-squares value over its features is min L."""
    if s.point is None and not s.critical.coverage.complete:
        return Judgement.unknown(s.critical.coverage.reason)
    return optimal_everywhere(differentiable_critical(s), "critical point", partial=s.point is None)


EX_1 = Statement(
    id="kawaguchi2019.ex-1",
    sort=Sort.EXAMPLE,
    section="3.2.2",
    title="Models with a fixed basis",
    text="If the output is linear in the parameters, the induced model is the model itself and every critical point is global.",
    latex=r"f=\sum_k\theta_k\varphi_k(x)\ \Rightarrow\ \text{every critical point is global}",
    quantifiers="for all critical points",
    hypotheses=(
        MODEL,
        A1,
        Predicate("linear-in-parameters", "the output is linear in the parameters", _linear_in_parameters),
    ),
    conclusion=Predicate("critical-points-are-global", "every critical point is a global minimum", _critical_is_global),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="convex optimisation, or Theorem 1",
    edges=(Edge(Relation.SPECIAL_CASE_OF, "kawaguchi2019.thm-1"),),
    concepts=(Concept.TANGENT, Concept.GLOBAL_MINIMA),
    examples=(
        Example(
            "line through three points",
            True,
            Outcome.HOLDS,
            lambda: Subject(dense([1, 1], [], [0, 1, 2], [0, 1, 3], bias=[True])),
            source="by hand: slope 3/2, intercept -1/6, L = 1/6",
        ),
        Example(
            "one weight",
            True,
            Outcome.HOLDS,
            lambda: Subject(dense([1, 1], [], [1], [1])),
            smallest=True,
            source="by hand",
        ),
    ),
)


def _relu_net(s: Subject) -> Judgement:
    network, data = s.problem.network, s.problem.data
    if not isinstance(network, DenseNetwork) or data is None or network.depth < 2:
        return Judgement(False, "not a network with hidden layers")
    if any(a.kind != "relu" for a in network.activations) or not network.bias[0]:
        return Judgement(False, "not a ReLU network with first-layer biases")
    if min(network.widths[1:-1]) < len(data):
        return Judgement(False, "a hidden layer is narrower than the number of samples")
    return Judgement(True, "read off the problem")


def _unit_inputs(s: Subject) -> Judgement:
    data = s.problem.data
    if data is None:
        return Judgement(False, "the problem has no data")
    if any(sum(v * v for v in x) != 1 for x in data.inputs):
        return Judgement(False, "an input does not have norm 1")
    return Judgement(
        len(set(data.inputs)) == len(data),
        "inputs of norm 1" if len(set(data.inputs)) == len(data) else "two inputs are equal",
    )


def _full_rank_features(s: Subject) -> Judgement:
    """The footnote's first layer: row i is (x_i, eps - 1) with eps = 1 - max <x_i, x_j>; deeper layers the identity."""
    data = s.problem.data
    assert data is not None
    products = [
        [sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0)) for y in data.inputs] for x in data.inputs
    ]
    gap = 1 - max((p for i, row in enumerate(products) for j, p in enumerate(row) if i != j), default=Fraction(0))
    features = [[(max(p - 1 + gap, Fraction(0)),) for p in row] for row in products]
    found = rank(arithmetic(RationalField()), features)
    return Judgement(
        found == len(data), f"with eps = {gap} the hidden features have rank {found} on {len(data)} samples"
    )


EX_2 = Statement(
    id="kawaguchi2019.ex-2",
    sort=Sort.EXAMPLE,
    section="3.2.2 and footnote 1",
    title="Over-parameterised ReLU networks",
    text="For distinct inputs of norm 1 and hidden layers at least as wide as the number of samples there are hidden weights, each "
    "unit answering to one sample, whose features have full rank; critical output weights are then globally optimal.",
    latex=r"n\ge m,\ \|x_i\|=1,\ x_i^\top x_j<1-\delta\ \Rightarrow\ \exists u:\ \operatorname{rank}[\varphi(x_i;u)]_{i}\ge m",
    quantifiers="exists hidden weights, for all critical output weights",
    hypotheses=(
        Predicate(
            "wide-relu", "a ReLU network with first biases and hidden layers at least as wide as the data", _relu_net
        ),
        Predicate("unit-inputs", "distinct inputs of norm 1", _unit_inputs),
    ),
    conclusion=Predicate(
        "features-of-full-rank", "the footnote's hidden weights give features of rank m", _full_rank_features
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="the pre-activations are eps on the diagonal and negative elsewhere",
    fairness=Fairness.IN_CONTEXT,
    remarks=(
        "Deeper diagonal weights must be positive: -1 would let ReLU erase the layer.",
        "The hidden weights are chosen, not trained.",
    ),
    edges=(Edge(USES, "kawaguchi2019.thm-1"),),
    concepts=(Concept.RELU, Concept.WIDTH),
    examples=(
        Example(
            "three rational unit vectors",
            True,
            Outcome.HOLDS,
            lambda: Subject(dense([2, 3, 1], "relu", [[1, 0], [0, 1], ["3/5", "4/5"]], [5, -7, 11], bias=True)),
            source="by hand: inner products 0, 3/5, 4/5, so eps = 1/5: pre-activations 1/5 on the diagonal, at most 0 elsewhere",
        ),
        Example(
            "one sample",
            True,
            Outcome.HOLDS,
            lambda: Subject(dense([1, 1, 1], "relu", [1], [2], bias=True)),
            smallest=True,
            source="by hand",
        ),
        Example(
            "equal inputs",
            False,
            Outcome.VACUOUS,
            lambda: Subject(dense([1, 2, 1], "relu", [1, 1], [0, 1], bias=True)),
            source="by hand: no features separate equal inputs",
        ),
    ),
)


def _last_features(s: Subject) -> Judgement:
    network = s.problem.network
    assert isinstance(network, DenseNetwork)
    for p, f in differentiable_critical(s):
        a = f.arithmetic
        best = least_squares(a, hidden_columns(s.problem, p, network.depth - 1), f.lifted_targets, f.weights)
        here = squared_loss(f)
        if a.sign(a.sub(here, best)) > 0:
            return Judgement(
                False, f"L = {shown(f, here)} exceeds {shown(f, best)}, the best linear map of the last hidden layer"
            )
    return Judgement(True, "L is at most the least-squares value over the last hidden representation")


EX_3 = Statement(
    id="kawaguchi2019.ex-3",
    sort=Sort.EXAMPLE,
    section="3.2.2",
    title="Learned representations (last layer)",
    text="At a critical point the loss is at most that of the best linear map of every representation that feeds the output; "
    "for a plain network that is the last hidden layer.",
    latex=r"L(\theta)\le\inf_\alpha\sum_i\lambda_i\ell_{y_i}\big(\alpha\,h^{(H)}(x_i;u)\big)",
    quantifiers="for all critical points",
    hypotheses=(
        MODEL,
        A1_SQUARED,
        Predicate(
            "linear-output",
            "the output layer is linear, with a hidden layer before it",
            lambda s: Judgement(
                isinstance(s.problem.network, DenseNetwork)
                and s.problem.network.output.kind == "linear"
                and s.problem.network.depth > 1,
                "read off the problem",
            ),
        ),
        CRITICAL,
    ),
    conclusion=Predicate(
        "beats-linear-on-last-features",
        "L is at most the least-squares value over the last hidden layer",
        _last_features,
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="the columns of the output layer in J are the last representation (Theorem 1)",
    fairness=Fairness.IN_CONTEXT,
    remarks=(
        "With several skip connections the justification must sum over all of them; networks with skip connections are not a problem kind here.",
    ),
    edges=(Edge(Relation.SPECIAL_CASE_OF, "kawaguchi2019.thm-1"),),
    concepts=(Concept.TANGENT,),
    examples=(
        Example(
            "line fitted by one ReLU unit",
            True,
            Outcome.HOLDS,
            lambda: subject(dense(*RELU_LINE, bias=[True, False]), 1, 1, 1),
            source="by hand: h = x + 1 = (1, 2, 3, 4), best multiple 1: L = 20 on both sides",
        ),
        Example(
            "v w",
            True,
            Outcome.HOLDS,
            lambda: subject(dense([1, 1, 1], "linear", [1], [1]), 0, 0),
            smallest=True,
            source="by hand: h = 0, both sides 1",
        ),
    ),
)

STATEMENTS = (THM_1, AFFINE, GEO, EX_1, EX_2, EX_3)
