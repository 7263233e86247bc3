"""Lemmas found while auditing: what full-rank disparity does prove, a rate, and how large N can be."""

from __future__ import annotations

from explorer.canonical.aliasing import evaluation_rank
from explorer.canonical.disparity import MAX_FREQUENCY, disparity_on
from explorer.canonical.transfer import affine_descent, defect_below_margin
from explorer.errors import Unsupported
from explorer.problem import DenseNetwork
from explorer.statements.jiang2019 import problems
from explorer.statements.jiang2019.conditions import (
    AT_POINT,
    STATIONARY,
    at,
    given,
    on_line,
    point_of,
    samples,
)
from explorer.statements.jiang2019.section3_2 import GLOBAL
from explorer.statements.nouns import (
    Concept,
    Example,
    Ground,
    Judgement,
    Outcome,
    Predicate,
    Sort,
    Statement,
    Subject,
    Verdict,
)

CONCEPTS = (Concept.CANONICAL,)


def _top(s: Subject) -> int:
    return samples(s) // 2


def _independent(s: Subject) -> Judgement:
    data = s.problem.data
    assert data is not None
    rank = evaluation_rank(data, (_top(s),))
    return Judgement(rank == samples(s), f"rank E = {rank} for T = {samples(s)}")


def _small_defect(s: Subject) -> Judgement:
    found = defect_below_margin(s.problem, point_of(s), _top(s))
    return Judgement(found, {True: "by balls", False: "it is not", None: "the balls do not decide"}[found])


X_SURROGATE = Statement(
    id="jiang2019.x-surrogate-lemma",
    sort=Sort.AUDIT,
    section="audit",
    title="Lemma 1 for the truncated loss, and when it passes to the loss",
    text="With G_N = H E^T the derivatives of the partial sums at the data: if truncation changes the derivatives at the data by "
    "less than the smallest singular value of G_N, a stationary point of the loss is a global minimum.",
    latex=r"\|G-G_N\|<\sigma_{\min}(G_N),\ \nabla Q(w^*)=0\Rightarrow Q(w^*)=\min",
    quantifiers="for each point (examined with the smallest N >= T)",
    hypotheses=(
        AT_POINT,
        STATIONARY,
        given("evaluations-independent", "rank E = T", _independent, r"\operatorname{rank}E=T"),
        given("small-defect", "|G - G_N| is below the smallest singular value of G_N", _small_defect),
    ),
    conclusion=GLOBAL,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="then rank G = T (Weyl), so grad Q = G l' = 0 forces l' = 0",
    remarks=(
        "By Bessel's inequality the smallest singular value of H is at most of order 1/sqrt(N): a larger N shrinks the margin with the defect.",
        "At the silent instance of Lemma 1 the defect is above the margin.",
    ),
    concepts=CONCEPTS,
    examples=(
        Example(
            "affine fit inside",
            True,
            Outcome.HOLDS,
            at(problems.AFFINE, [2, "-1/2"]),
            smallest=True,
            source="by hand: 2 x - 1/2 is 0 at 1/4 and 1 at 3/4; S_1 x is 1/2 -+ 1/pi there",
        ),
        Example(
            "silent units",
            False,
            Outcome.VACUOUS,
            at(problems.SILENT, problems.SILENT_POINT),
            source="an independent float computation gives the defect 0.203 and the margin 0.166 for N = 5",
        ),
    ),
)


def _affine(s: Subject) -> Judgement:
    try:
        found = affine_descent(s.problem, point_of(s), steps=0)
    except Unsupported as error:
        return Judgement(False, error.sentence())
    return Judgement(True, f"sigma_min(G)^2 >= {found.margin} for all parameters, and the slopes are Lipschitz")


def _rate(s: Subject) -> Judgement:
    found = affine_descent(s.problem, point_of(s))
    shown = f"h = {found.step}, factor {found.factor}, {len(found.losses) - 1} exact steps"
    return Judgement(found.holds, shown)


X_THM2 = Statement(
    id="jiang2019.x-thm2-repaired",
    sort=Sort.AUDIT,
    section="audit",
    title="Theorem 2 with a uniform margin",
    text="If the smallest singular value of the derivatives at the data stays above c along the iterates, and the step is at most "
    "1/L for an L-Lipschitz gradient, the squared loss falls by the factor 1 - 2 h c^2 in every step.",
    latex=r"\sigma_{\min}(G(w_k))\ge c>0,\ h\le1/L\Rightarrow Q(w_{k+1})\le(1-2hc^2)Q(w_k)",
    quantifiers="for all k (examined: linear models, exact iterates)",
    hypotheses=(
        AT_POINT,
        given("uniform-margin", "the model is affine in its parameters and rank G = T", _affine),
    ),
    conclusion=Predicate("linear-rate", "every exact step gains the factor 1 - 2 h c^2", _rate),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="|grad Q|^2 = 4 |G e|^2 >= 4 c^2 Q and the descent lemma",
    concepts=(*CONCEPTS, Concept.DYNAMICS, Concept.GRAM),
    examples=(
        Example(
            "affine model, two samples",
            True,
            Outcome.HOLDS,
            at(problems.AFFINE_ENDS, [0, 0]),
            smallest=True,
            source="by hand: K has determinant 1 and trace 3, so c^2 = 1/3, h = 1/6, factor 8/9",
        ),
        Example("silent units", False, Outcome.VACUOUS, at(problems.SILENT, problems.SILENT_POINT)),
    ),
)


def _loud_layer(s: Subject) -> Judgement:
    net = s.problem.network
    if not isinstance(net, DenseNetwork) or net.depth != 2 or net.activations[0].kind != "relu":
        return Judgement(False, "not one hidden layer of ReLU units")
    if net.output.kind != "linear":
        return Judgement(False, "the output is not linear")
    theta, width = [c[0] for c in point_of(s).coordinates], net.widths[1]
    start = width * (2 if net.bias[0] else 1)
    incoming = [theta[j] or (net.bias[0] and theta[width + j]) for j in range(width)]
    loud = all(incoming) and all(theta[start : start + width])
    return Judgement(loud, "all incoming and outgoing weights are nonzero" if loud else "a unit has zero weights")


def _bounded(s: Subject) -> Judgement:
    net, size = s.problem.network, len(s.problem.parameters)
    assert isinstance(net, DenseNetwork)
    found = disparity_on(on_line(s), size, min((size + 1) // 2, MAX_FREQUENCY))
    bound = min(found.columns, size - net.widths[1])
    return Judgement(
        found.rank <= bound, f"rank {found.rank} <= min(N, M - J) = min({found.columns}, {size - net.widths[1]})"
    )


X_RANK = Statement(
    id="jiang2019.x-rank-vs-N",
    sort=Sort.AUDIT,
    section="audit",
    title="How many coefficients a finite network can resolve",
    text="The rank of the disparity matrix is at most the dimension of the span of the derivatives; for one hidden layer of J ReLU "
    "units that is at most M - J, for all weights.",
    latex=r"\operatorname{rank}H(w)\le\min\{N,M-J\}",
    quantifiers="for all w",
    hypotheses=(AT_POINT, given("loud-relu-layer", "one ReLU layer, no unit with zero weights", _loud_layer)),
    conclusion=Predicate("rank-bound", "rank H <= min(N, M - J)", _bounded),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="homogeneity: v f_v = w f_w + b f_b for every unit",
    remarks=(
        "It is sharp: the silent instance has rank 5 = 7 - 2. So a large N and full rank pull in opposite directions.",
    ),
    concepts=(*CONCEPTS, Concept.RELU, Concept.WIDTH),
    examples=(
        Example("one unit", True, Outcome.HOLDS, at(problems.UNIT, [1, "-1/2", 1]), smallest=True, source="2 = 3 - 1"),
        Example("two units", True, Outcome.HOLDS, at(problems.SILENT, problems.SILENT_POINT), source="5 = 7 - 2"),
    ),
)

STATEMENTS = (X_SURROGATE, X_THM2, X_RANK)
