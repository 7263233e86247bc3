"""Section 4.3 and the appendix: the lemmas, and the bridge to the survey's Claim VI.3."""

from __future__ import annotations

from explorer.induced.features import squared_gradient, squared_loss
from explorer.induced.linear import dot, rank
from explorer.point import Point
from explorer.statements.kawaguchi2019.common import dense, rational, shown, subject
from explorer.statements.kawaguchi2019.conditions import (
    A1_SQUARED,
    CRITICAL,
    MODEL,
    differentiable_critical,
    features_at,
    origin,
)
from explorer.statements.kawaguchi2019.perturbed import same_outputs
from explorer.statements.kawaguchi2019.section3_1 import DIFFERENTIABLE
from explorer.statements.kawaguchi2019.section3_3 import LOCAL_MINIMUM, _smooth_minima
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


def _family(s: Subject) -> Judgement:
    """rank(S and S' stacked) equals rank of the union: the joint ranges agree."""
    point = s.point if isinstance(s.point, Point) else origin(s.problem)
    here = features_at(s, [point])[0][1]
    found = same_outputs(s.problem, point, here)
    half = found[: (len(found) + 1) // 2]
    together = [c for f in (*found, *half) for c in f.columns]
    apart = [c for f in found for c in f.columns]
    a = here.arithmetic
    left, right = rank(a, together), rank(a, apart)
    return Judgement(
        left == right, f"joint ranges of rank {left} and {right}, {len(half)} of {len(found)} bases repeated"
    )


LEM_1 = Statement(
    id="kawaguchi2019.lem-1",
    sort=Sort.LEMMA,
    section="4.3",
    title="Adding a fixed finite family changes nothing",
    text="Adding the features of a fixed finite set of nearby parameters to all finite sets does not change the class of perturbed models.",
    latex=r"\{\tilde f_\theta(x;\alpha,\epsilon,S)\}_{\alpha,S}=\{\tilde f_\theta(x;\alpha,\epsilon,S)+\tilde f_\theta(x;\alpha',\epsilon,S')\}_{\alpha,\alpha',S}",
    quantifiers="for all parameters, eps, finite S' and x",
    hypotheses=(MODEL, DIFFERENTIABLE),
    conclusion=Predicate(
        "same-ranges",
        "the joint ranges over all samples agree for the family found and the family with half of it repeated",
        _family,
    ),
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.ARGUED,
    because="it is printed for each x alone; the theorems need it for all samples together, which the same proof gives",
    finding="Equality for each x is weaker than equality of the joint ranges: {(a, a)} and {(a, b)} have the same coordinates.",
    fairness=Fairness.PEDANTIC,
    repair=Repair(
        "State it for the stacked outputs f_X.",
        (MODEL, DIFFERENTIABLE),
        Predicate("same-joint-ranges", "the joint ranges agree", _family),
    ),
    edges=(Edge(USES, "kawaguchi2019.def-V"),),
    concepts=(Concept.TANGENT,),
    examples=(
        Example(
            "v w at the origin",
            True,
            Outcome.HOLDS,
            lambda: subject(dense([1, 1, 1], "linear", [1], [1]), 0, 0),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: V is the cross, all features span the line",
        ),
    ),
)


def _chain_rule(s: Subject) -> Judgement:
    for _, f in differentiable_critical(s):
        if any(not f.arithmetic.is_zero(g) for g in squared_gradient(f)):
            return Judgement(False, "J^T Lambda p is not 0")
    shows = tuple(Witness("critical-point", p) for p, _ in differentiable_critical(s))
    return Judgement(
        True,
        f"J^T Lambda p = 0 at {len(shows)} point(s), which the checker's own derivatives confirm",
        shows=shows,
        partial=s.point is None,
    )


LEM_2 = Statement(
    id="kawaguchi2019.lem-2",
    sort=Sort.LEMMA,
    section="A.1",
    title="First-order condition at critical points",
    text="At a differentiable critical point the weighted loss slopes are orthogonal to every gradient feature.",
    latex=r"\sum_i\lambda_i\,\partial\ell_{y_i}(f_{x_i}(\theta))\,\partial_kf_{x_i}(\theta)=0\quad\forall k",
    quantifiers="for all parameters k",
    hypotheses=(MODEL, A1_SQUARED, CRITICAL),
    conclusion=Predicate("slopes-orthogonal", "J^T Lambda p = 0", _chain_rule),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="the chain rule; a convex differentiable function of several variables is totally differentiable",
    concepts=(Concept.TANGENT,),
    examples=(
        Example(
            "saddle of a 2-2-2 linear network",
            True,
            Outcome.HOLDS,
            lambda: subject(dense([2, 2, 2], "linear", [[1, 0], [0, 1]], [[2, 0], [0, 1]]), 1, 0, 0, 0, 2, 0, 0, 0),
            source="by hand: residual diag(0, -1), orthogonal to J",
        ),
        Example(
            "v w",
            True,
            Outcome.HOLDS,
            lambda: subject(dense([1, 1, 1], "linear", [1], [1]), 0, 0),
            smallest=True,
            source="by hand",
        ),
        Example(
            "not critical",
            False,
            Outcome.VACUOUS,
            lambda: subject(dense([1, 1, 1], "linear", [1], [1]), 1, 0),
            source="by hand: dL/dv = -2",
        ),
    ),
)


def _propagates(s: Subject) -> Judgement:
    count = 0
    for point, f in features_at(s, _smooth_minima(s)):
        a = f.arithmetic
        slopes = [
            a.mul(a.from_fraction(2 * w), a.sub(x, y))
            for w, x, y in zip(f.weights, f.outputs, f.lifted_targets, strict=True)
        ]
        for other in same_outputs(s.problem, point, f):
            count += 1
            if any(not a.is_zero(dot(a, column, slopes)) for column in other.columns):
                return Judgement(
                    False,
                    "at a nearby parameter with the same outputs the slopes are not orthogonal to a gradient feature",
                )
    return Judgement(True, f"orthogonal at {count} nearby parameters with the same outputs")


LEM_3 = Statement(
    id="kawaguchi2019.lem-3",
    sort=Sort.LEMMA,
    section="A.2",
    title="The first-order condition propagates",
    text="Near a local minimum away from kinks, the first-order condition holds at every parameter with the same outputs.",
    latex=r"\exists\epsilon_0\ \forall\epsilon<\epsilon_0\ \forall v\in V[\theta,\epsilon]\ \forall k:\ \sum_i\lambda_i\,\partial\ell_{y_i}(f_{x_i}(\theta))\,\partial_kf_{x_i}(\theta+\epsilon v)=0",
    quantifiers="for all local minima, exists eps_0, for all smaller eps, v and k",
    hypotheses=(MODEL, A1_SQUARED, LOCAL_MINIMUM),
    conclusion=Predicate(
        "slopes-stay-orthogonal",
        "the slopes stay orthogonal at the tried nearby parameters with the same outputs",
        _propagates,
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="such parameters have the same loss, so they are local minima too, hence critical",
    remarks=("It fails beyond the radius of the valley, and at saddles.",),
    edges=(Edge(USES, "kawaguchi2019.def-V"), Edge(USES, "kawaguchi2019.lem-2")),
    concepts=(Concept.TANGENT, Concept.LOCAL_MINIMA),
    examples=(
        Example(
            "spurious minimum of v w^2",
            True,
            Outcome.HOLDS,
            lambda: Subject(dense([1, 1, 1], "square", [1], [-1])),
            smallest=True,
            source="by hand: along w = 0 both gradients vanish",
        ),
    ),
)


def _full_rank(s: Subject) -> Judgement:
    data = s.problem.data
    if data is None:
        return Judgement(False, "the problem has no data")
    found = differentiable_critical(s)
    full = [p for p, f in found if f.rank == len(f.outputs)]
    if full:
        return Judgement(True, f"rank J = {len(found[0][1].outputs)} at {len(full)} critical point(s)")
    return Judgement(False, "at no critical point looked at has J full rank")


def _interpolates(s: Subject) -> Judgement:
    shows = []
    for p, f in differentiable_critical(s):
        if f.rank == len(f.outputs):
            if not f.arithmetic.is_zero(squared_loss(f)):
                return Judgement(False, f"L = {shown(f, squared_loss(f))} at a critical point with full rank")
            shows.append(Witness("global-minimum", p))
    return Judgement(
        True, f"L = 0 at {len(shows)} critical point(s) with full rank", shows=tuple(shows), partial=s.point is None
    )


BRIDGE = Statement(
    id="kawaguchi2019.edge-claim-VI.3",
    sort=Sort.COROLLARY,
    section="survey VI-A",
    title="Full rank of the gradient features interpolates",
    text="For the squared loss, a differentiable critical point whose Jacobian has as many independent rows as there are samples has loss 0.",
    latex=r"\operatorname{rank}J(\theta)=m,\ \nabla L(\theta)=0\ \Rightarrow\ L(\theta)=0",
    quantifiers="for all critical points",
    hypotheses=(
        MODEL,
        A1_SQUARED,
        CRITICAL,
        Predicate("full-rank", "rank J equals the number of outputs on all samples", _full_rank),
    ),
    conclusion=Predicate("interpolates", "the loss is 0", _interpolates),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="Assumption 2 is automatic, and the induced model fits everything",
    remarks=(
        "With relu'(0) = 0 the limit w = 0 of w_k = 2^-k looks critical by convention, with loss 1: full rank along a sequence is not enough.",
    ),
    edges=(Edge(Relation.IMPLIED_BY, "kawaguchi2019.thm-1"),),
    concepts=(Concept.TANGENT, Concept.GRAM, Concept.GLOBAL_MINIMA),
    examples=(
        Example(
            "v (w x + b) on two points",
            True,
            Outcome.HOLDS,
            lambda: Subject(
                (q := dense([1, 1, 1], "linear", [0, 1], [1, 2], bias=[True, False])), rational(q, 1, 1, 1)
            ),
            source="by hand: outputs (1, 2); gradients (v x, v, w x + b) have rank 2",
        ),
        Example(
            "v w",
            True,
            Outcome.HOLDS,
            lambda: subject(dense([1, 1, 1], "linear", [1], [1]), 1, 1),
            smallest=True,
            source="by hand",
        ),
        Example(
            "rank 0",
            False,
            Outcome.VACUOUS,
            lambda: subject(dense([1, 1, 1], "square", [1], [-1]), 0, 1),
            source="by hand: J = 0 and L = 1",
        ),
    ),
)

STATEMENTS = (LEM_1, LEM_2, LEM_3, BRIDGE)
