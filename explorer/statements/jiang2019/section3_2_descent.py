"""Section 3.2: gradient descent while the disparity matrix has full rank."""

from __future__ import annotations

from explorer.canonical.slopes import loss_value
from explorer.canonical.truncated import truncated
from explorer.statements.jiang2019 import problems
from explorer.statements.jiang2019.conditions import (
    AT_POINT,
    FULL_RANK,
    STATIONARY,
    all_silent,
    at,
    better_point,
    full_rank,
    given,
    is_stationary,
    point_of,
    quarter_cells,
)
from explorer.statements.jiang2019.section3_2 import TANGENT_RANK, frequencies_of
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


def _stays(s: Subject) -> Judgement:
    full = _full_at_start(s)
    if not full.holds:
        return full
    if all_silent(s):
        return Judgement(
            True, "all units are silent on the data, so only an output bias moves, and H does not depend on it"
        )
    if is_stationary(s):
        return Judgement(True, "the start is stationary, so H does not change")
    return Judgement.unknown("full rank at the start; the iterates are not followed")


def _full_at_start(s: Subject) -> Judgement:
    found = full_rank(s)
    return Judgement(
        found is not None, "rank H = N at the start" if found else "H has no full column rank at the start"
    )


STAYS_FULL = given(
    "full-rank-along-the-way",
    "gradient descent started at the point keeps the disparity matrix at full column rank",
    _stays,
    r"\operatorname{rank}H(w^{(k)})=N\ \forall k",
)


def _reaches_zero(s: Subject) -> Judgement:
    if loss_value(s.problem, point_of(s)) == 0:
        return Judgement(True, "it starts at loss 0", shows=(Witness("global-minimum", point_of(s)),))
    better, found = better_point(s), full_rank(s)
    options = {"top": found.top} if found is not None and quarter_cells(s) else {}
    if all_silent(s) and better is not None:
        goal = "trapped-at-full-rank" if options else "trapped"
        because = "all units are silent on the data: only an output bias moves, and the loss stays positive, near this start too"
        return Judgement(False, because, shows=(Witness(goal, point_of(s), better, options=options),))
    if is_stationary(s):
        shows = (Witness("full-rank-not-global" if options else "not-global", point_of(s), better, options=options),)
        return Judgement(False, "the start is stationary and its loss is positive", shows=shows if better else ())
    return Judgement.unknown("the iterates are not followed")


REACHES_ZERO = Predicate("loss-tends-to-zero", "the loss of the iterates tends to 0", _reaches_zero, r"Q(w^{(k)})\to0")
THM_2 = Statement(
    id="jiang2019.thm-2",
    sort=Sort.THEOREM,
    section="3.2",
    title="Gradient descent reaches zero loss while the disparity has full rank",
    text="If start and step sizes are such that the disparity matrix has full rank at every iterate, gradient descent surely "
    "converges to a global minimum of zero loss.",
    latex=r"M\ge N,\ \operatorname{rank}H(w^{(k)})=N\ \forall k\Rightarrow Q(w^{(k)})\to0",
    quantifiers="for all networks, data, starts and step sizes with full rank throughout",
    hypotheses=(AT_POINT, STAYS_FULL),
    conclusion=REACHES_ZERO,
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="from an open set of starts only the output bias moves, and H stays at full rank",
    finding="Biased ReLU units that are alive on the cube and silent on the data: from an open set of starts gradient descent moves "
    "only the output bias, the loss stays at 1/2 or more, and H is constant with full rank 5, for any step sizes.",
    fairness=Fairness.SOLID,
    repair=Repair(
        "A uniform lower bound on the smallest singular value of the derivatives at the data along the way gives a linear rate "
        "(x-thm2-repaired).",
        (AT_POINT, TANGENT_RANK, STAYS_FULL),
        REACHES_ZERO,
    ),
    remarks=(
        "It fails for the truncated loss as well: f = v w x, datum (1, -1), v = w = 1/2, step 1/8 tends to the saddle (0, 0) with H nonzero throughout.",
        "From an open set also for f = v (w x)^2, datum (1, -1), step 1/16, 3/4 <= v <= 3/2, 0 < w <= 1/4: the loss stays above 1.",
        "Step sizes that are summable stop anywhere: f = w, h_k = 1/(2 (k + 2)^2).",
    ),
    concepts=(Concept.CANONICAL, Concept.DYNAMICS),
    examples=(
        Example(
            "silent units, off the stationary point",
            False,
            Outcome.REFUTED,
            at(problems.SILENT, [1, 1, "-1/2", "-3/4", 1, 1, 3]),
            repaired=Outcome.VACUOUS,
            source="by hand: f(x_t) is the output bias c, which moves to 1/2",
        ),
        Example(
            "one unit with its kink at the centre",
            False,
            Outcome.REFUTED,
            at(problems.ONE_SILENT, [1, "-1/2", 1, 0]),
            repaired=Outcome.VACUOUS,
            source="by hand, as above",
        ),
        Example(
            "a smooth unit, one sample",
            False,
            Outcome.REFUTED,
            at(problems.PARABOLA, [1, 1], [-1, -2]),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: the start is stationary with loss 1",
        ),
        Example(
            "a fit",
            True,
            Outcome.HOLDS,
            at(problems.network([1, 1], "linear", ["1/4"], [1]), [4]),
            repaired=Outcome.HOLDS,
            source="by hand: 4 x is 1 at 1/4",
        ),
    ),
)


def _coefficients_settle(s: Subject) -> Judgement:
    found = full_rank(s)
    assert found is not None
    surrogate = truncated(s.problem, point_of(s), found.top)
    if surrogate.stationary_in_coefficients:
        return Judgement(True, "the gradient of Q_N in the coefficients is exactly 0")
    worst = max(abs(surrogate.ring.enclose(c)).mid() for c in surrogate.canonical_gradient)
    shows = (Witness("full-rank-slope", point_of(s), options={"top": found.top}),) if quarter_cells(s) else ()
    because = f"at the constant sequence w_k = w the gradient of Q_{found.columns} has an entry of size about {worst.str(4, radius=False)}"
    return Judgement(False, because, shows=shows)


def _surrogate_stationary(s: Subject) -> Judgement:
    found = truncated(s.problem, point_of(s), frequencies_of(s))
    return Judgement(
        not any(found.gradient), "grad Q_N is exactly 0" if not any(found.gradient) else "grad Q_N is not 0"
    )


SETTLES = Predicate(
    "gradient-in-coefficients-vanishes", "the gradient of Q_N in the coefficients vanishes", _coefficients_settle
)
CLAIM_H_NOT_VANISHING = Statement(
    id="jiang2019.claim-H-not-vanishing",
    sort=Sort.CLAIM,
    section="3.2, proof of Theorem 2",
    title="Vanishing gradients pass to the coefficients",
    text="Along iterates whose gradients tend to 0 the disparity matrix does not tend to 0 and has full rank, so the gradient in "
    "the coefficients tends to 0.",
    latex=r"\nabla_wQ(w^{(k)})\to0,\ H(w^{(k)})\not\to0,\ \operatorname{rank}H=N\Rightarrow\nabla_\theta Q\to0",
    quantifiers="along any such sequence (examined: the constant one)",
    hypotheses=(AT_POINT, STATIONARY, FULL_RANK),
    conclusion=SETTLES,
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="grad Q = 0 does not mean H grad_theta Q_N = 0",
    finding="At the silent instance of Lemma 1 the constant sequence has gradient 0 and a constant H of full rank, and the gradient "
    "in the coefficients is constant and not 0.",
    repair=Repair(
        "The gradients of the truncated loss must vanish, and the smallest singular values of H must stay away from 0.",
        (AT_POINT, given("truncated-gradient-vanishes", "grad_w Q_N = 0", _surrogate_stationary), FULL_RANK),
        SETTLES,
    ),
    remarks=(
        "Also for the truncated loss full rank at each step is not enough: f = v w x from v = w = 1/2 has H of full rank that tends to 0.",
    ),
    concepts=(Concept.CANONICAL, Concept.DYNAMICS),
    examples=(
        Example(
            "silent units",
            False,
            Outcome.REFUTED,
            at(problems.SILENT, problems.SILENT_POINT),
            repaired=Outcome.VACUOUS,
            source="quadrature in floating point gives an entry of size about 1.5",
        ),
        Example(
            "w x at w = 0, datum (0, 1)",
            False,
            Outcome.REFUTED,
            at(problems.LINE, [0]),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: dQ_1/dtheta_0 = -2",
        ),
        Example(
            "zero function, zero datum",
            True,
            Outcome.HOLDS,
            at(problems.network([1, 1], "linear", ["1/4"], [0]), [0]),
            repaired=Outcome.HOLDS,
        ),
    ),
)

STATEMENTS = (THM_2, CLAIM_H_NOT_VANISHING)
