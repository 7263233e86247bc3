"""Section 3.2: the disparity matrix, and stationary points."""

from __future__ import annotations

from explorer.canonical.disparity import smallest_deficient
from explorer.canonical.slopes import gradient, jacobian, loss_value, rank
from explorer.canonical.truncated import truncated
from explorer.statements.jiang2019 import problems
from explorer.statements.jiang2019.conditions import (
    AT_POINT,
    FULL_RANK,
    STATIONARY,
    at,
    better_point,
    full_rank,
    given,
    point_of,
    quarter_cells,
    samples,
)
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

CONCEPTS = (Concept.CANONICAL, Concept.GLOBAL_MINIMA)


def frequencies_of(s: Subject) -> int:
    """The frequencies with the largest N of full rank, or else the smallest N >= T."""
    found = full_rank(s)
    return found.top if found is not None else samples(s) // 2


def _chain(s: Subject) -> Judgement:
    top = frequencies_of(s)
    surrogate, own = truncated(s.problem, point_of(s), top), gradient(s.problem, point_of(s))
    ring = surrogate.ring
    defects = [ring.add(g, ring.constant(-o)) for g, o in zip(surrogate.gradient, own, strict=True)]
    if not any(defects):
        return Judgement(True, f"both sides agree for N = {2 * top + 1}")
    k = next(i for i, d in enumerate(defects) if d)
    value = ring.enclose(surrogate.gradient[k]).real.str(4, radius=False)
    because = f"N = {2 * top + 1}: dQ/d{s.problem.parameters[k]} = {own[k]}, but H grad Q_N has the entry {value}"
    fits = quarter_cells(s) and not any(own) and full_rank(s) is not None
    shows = (Witness("full-rank-slope", point_of(s), options={"top": top}),) if fits else ()
    return Judgement(False, because, shows=shows)


def _truncated_chain(s: Subject) -> Judgement:
    top = frequencies_of(s)
    ring = (found := truncated(s.problem, point_of(s), top)).ring
    shown = ", ".join(ring.enclose(g).real.str(4, radius=False) for g in found.gradient[:4])
    return Judgement(
        True, f"f is Lipschitz in the parameters, so integral and derivative commute; grad Q_N begins {shown}"
    )


EQ_8_9 = Statement(
    id="jiang2019.eq-8-9",
    sort=Sort.EQUATION,
    section="3.2, eqs. (8)-(9)",
    title="The disparity matrix links the two gradients",
    text="The gradient of the loss in the parameters is the disparity matrix, whose rows are the Fourier coefficients of the "
    "derivatives of the network function, times the gradient in the coefficients.",
    latex=r"\nabla_wQ=H(w)\,\nabla_\theta Q,\quad H_{m,k}=\int_{U_K}\partial_{w_m}f_w(x)e^{-2\pi ik\cdot x}dx",
    quantifiers="for all w where f is differentiable for almost all x",
    hypotheses=(AT_POINT,),
    conclusion=Predicate(
        "chain-rule-for-the-loss", "grad Q = H grad_theta Q_N", _chain, r"\nabla_wQ=H\nabla_\theta Q_N"
    ),
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    because="the chain rule gives the gradient of the truncated loss Q_N, not of Q",
    finding="True for the truncated loss, also where kinks move with the parameters. For the loss itself it fails: f = w x, "
    "datum (0, 1), w = 0 has dQ/dw = 0, and H grad Q_N = -1 for every N.",
    repair=Repair(
        "Write Q_N on the left, or replace H by the matrix of the derivatives at the data.",
        (AT_POINT,),
        Predicate("chain-rule-for-the-truncated-loss", "grad Q_N = H grad_theta Q_N", _truncated_chain),
    ),
    remarks=("The coefficients are complex and the loss is real: the derivatives are to be read in the real basis.",),
    concepts=CONCEPTS,
    examples=(
        Example(
            "w x at w = 0, datum (0, 1)",
            False,
            Outcome.REFUTED,
            at(problems.LINE, [0]),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: df/dw = x has mean 1/2, and dQ_1/dtheta_0 = -2",
        ),
        Example(
            "silent units",
            False,
            Outcome.REFUTED,
            at(problems.SILENT, problems.SILENT_POINT),
            repaired=Outcome.HOLDS,
            source="quadrature in floating point gives H grad Q_5 = (0.14, 0.04, 0.20, ...)",
        ),
        Example(
            "constant function",
            True,
            Outcome.HOLDS,
            at(problems.network([1, 1], "linear", ["1/4"], [0]), [0]),
            repaired=Outcome.HOLDS,
            source="by hand: f = 0 fits the datum, all slopes are 0",
        ),
    ),
)


def _global(s: Subject) -> Judgement:
    if loss_value(s.problem, point_of(s)) == 0:
        return Judgement(True, "the loss is 0 there", shows=(Witness("global-minimum", point_of(s)),))
    better = better_point(s)
    if better is None:
        return Judgement.unknown("the loss is positive, and no better point is known")
    found = full_rank(s)
    goal, options = ("not-global", {}) if found is None else ("full-rank-not-global", {"top": found.top})
    if not quarter_cells(s):
        goal, options = "not-global", {}
    here, there = loss_value(s.problem, point_of(s)), loss_value(s.problem, better)
    return Judgement(False, f"Q = {here} there and {there} elsewhere", shows=(Witness(goal, point_of(s), better, options=options),))  # fmt: skip


GLOBAL = Predicate("global-minimum", "the point is a global minimum", _global, r"Q(w^*)=\min_wQ")


def _tangent_rank(s: Subject) -> Judgement:
    found = rank(jacobian(s.problem, point_of(s)))
    return Judgement(found == samples(s), f"the derivatives at the data have rank {found} for {samples(s)} samples")


TANGENT_RANK = given(
    "tangent-rank-is-T", "the derivatives of f at the data have rank T", _tangent_rank, r"\operatorname{rank}G(w)=T"
)
LEM_1 = Statement(
    id="jiang2019.lem-1",
    sort=Sort.LEMMA,
    section="3.2",
    title="A stationary point with full-rank disparity is a global minimum",
    text="If the gradient of the loss vanishes at a point where the disparity matrix has full column rank, the point is a global minimum.",
    latex=r"M\ge N,\ \nabla_wQ(w^*)=0,\ \operatorname{rank}H(w^*)=N\Rightarrow Q(w^*)=\min_wQ",
    quantifiers="for all networks, data and points",
    hypotheses=(AT_POINT, STATIONARY, FULL_RANK),
    conclusion=GLOBAL,
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="the disparity matrix looks at the whole cube, the loss at the data only",
    finding="f = 1/2 + relu(x - 1/2) + relu(x - 3/4) on (1/8, 0), (1/4, 1) has M = 7 parameters, H of full rank 5 and gradient 0, yet "
    "Q = 1/2 while 8 relu(x - 1/8) interpolates: units that are alive on the cube and silent on the data.",
    fairness=Fairness.SOLID,
    repair=Repair(
        "Replace the disparity matrix by the derivatives at the data: rank G(w*) = T. Or ask that truncation changes G by less "
        "than the smallest singular value of H E^T.",
        (AT_POINT, STATIONARY, TANGENT_RANK),
        GLOBAL,
    ),
    remarks=(
        "It is true for the truncated loss Q_N where rank E = T.",
        "Scaling the output weights of the instance keeps the rank, so a small truncation error does not exclude it.",
        "Full rank of H and full rank of G do not imply each other: relu(x) with the datum 1/2 has rank H = 2 < 3 and rank G = 1 = T.",
    ),
    concepts=CONCEPTS,
    examples=(
        Example(
            "silent units",
            False,
            Outcome.REFUTED,
            at(problems.SILENT, problems.SILENT_POINT),
            repaired=Outcome.VACUOUS,
            source="by hand: f is 1/2 at both data and all units are silent; rank by Gauss quadrature too",
        ),
        Example(
            "one unit with its kink at the centre",
            False,
            Outcome.REFUTED,
            at(problems.ONE_SILENT, [1, "-1/2", 1, "1/2"]),
            repaired=Outcome.VACUOUS,
            source="by hand: the derivatives span 1, 1[x > 1/2], x 1[x > 1/2]",
        ),
        Example(
            "a smooth unit, one sample",
            False,
            Outcome.REFUTED,
            at(problems.PARABOLA, [1, 1], [-1, -2]),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: phi(z) = -(z - 1)^2/8, so f(1) = 0 and both slopes vanish at (1, 1); -2 phi(-1) = 1",
        ),
        Example(
            "a fit",
            True,
            Outcome.HOLDS,
            at(problems.network([1, 1], "linear", ["1/4"], [1]), [4]),
            repaired=Outcome.HOLDS,
            source="by hand: 4 x is 1 at 1/4, and df/dw = x has mean 1/2",
        ),
    ),
)


def _deficient(s: Subject) -> Judgement:
    found = smallest_deficient(s.problem, point_of(s), least=samples(s))
    if found is None:
        return Judgement(False, "H has full column rank for all N with T <= N <= M")
    return Judgement(True, f"rank {found.rank} < N = {found.columns}")


def _any_type(s: Subject) -> Judgement:
    if loss_value(s.problem, point_of(s)) == 0:
        return Judgement(True, "this one is a global minimum", shows=(Witness("global-minimum", point_of(s)),))
    better = better_point(s)
    shows = (Witness("critical-point", point_of(s)),)
    if better is None:
        return Judgement(True, "this one is a critical point with positive loss", shows=shows)
    return Judgement(
        True, "this one is not a global minimum", shows=(*shows, Witness("not-global", point_of(s), better))
    )


LEM_2 = Statement(
    id="jiang2019.lem-2",
    sort=Sort.LEMMA,
    section="3.2",
    title="A stationary point with rank-deficient disparity may be of any type",
    text="Without full column rank a stationary point may be a local minimum, a saddle, or a global minimum.",
    latex=r"\nabla_wQ(w_0)=0,\ \operatorname{rank}H(w_0)<N\Rightarrow\text{local minimum, saddle or global minimum}",
    quantifiers="a possibility: each type occurs",
    hypotheses=(
        AT_POINT,
        STATIONARY,
        given("rank-deficient-disparity", "rank H < N for some N with T <= N <= M", _deficient),
    ),
    conclusion=Predicate("any-type", "the point is a local minimum, a saddle or a global minimum", _any_type),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="(v w - 1)^2 has a saddle at (0, 0) and global minima on v w = 1, both with rank below 2",
    remarks=(
        "A sentence of its proof is false: a point with nonzero gradient in the coefficients may be a global minimum, since "
        "networks of fixed size do not reach every function (f = w x on (1/4, 1), (3/4, 0)).",
    ),
    concepts=(*CONCEPTS, Concept.SADDLES),
    examples=(
        Example(
            "saddle of (v w - 1)^2, twice deep",
            True,
            Outcome.HOLDS,
            at(problems.network([1, 1, 1, 1], "linear", [1], [1]), [0, 0, 0]),
            smallest=True,
            source="by hand: all derivatives are 0 there",
        ),
        Example(
            "global minimum",
            True,
            Outcome.HOLDS,
            at(problems.network([1, 1, 1, 1], "linear", [1], [1]), [1, 1, 1]),
            source="by hand: all rows are multiples of the coefficients of x, so rank 1 < 3",
        ),
        Example(
            "a dead unit above a fit",
            True,
            Outcome.HOLDS,
            at(problems.network([1, 1, 1], "relu", ["1/4"], [1], bias=True), [1, -2, 1], [4, 0, 1]),
            source="by hand: the unit is 0 on [0, 1], so F = 1; 4 relu(x) fits",
        ),
    ),
)


STATEMENTS = (EQ_8_9, LEM_1, LEM_2)
