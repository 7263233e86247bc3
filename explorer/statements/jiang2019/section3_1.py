"""Section 3.1 (and the passage before eq. (8)): learning in the canonical space."""

from __future__ import annotations

from explorer.canonical.aliasing import MAX_FREQUENCIES, evaluation, evaluation_rank, misfit, smallest_box
from explorer.canonical.slopes import loss_value
from explorer.canonical.truncated import limit_value
from explorer.statements.jiang2019 import problems
from explorer.statements.jiang2019.conditions import AT_POINT, CUBE, SQUARED_ON_CUBE, at, point_of, under
from explorer.statements.jiang2019.section2 import INNER
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

CANONICAL = (Concept.CANONICAL,)
MAX_SAMPLES = 12


def _small(s: Subject) -> Judgement:
    data = s.problem.data
    assert data is not None
    if len(data) > MAX_SAMPLES or 3 ** len(data.inputs[0]) > MAX_FREQUENCIES:
        return Judgement(False, f"more than {MAX_SAMPLES} samples or {MAX_FREQUENCIES} frequencies")
    return Judgement(True, "read off the data")


SMALL = under(CUBE, "small-box", "few samples, and a moderate box of frequencies with N >= T", _small)


def _fits(s: Subject) -> Judgement:
    data, loss = s.problem.data, s.problem.loss
    assert data is not None
    assert loss is not None
    top = smallest_box(data)
    found = misfit(data, loss.weights, top)
    shown = f"with |k_i| <= {top[0]}"
    if found is not None:
        because = f"{shown} every trigonometric polynomial has loss {found.loss} or more: the inputs alias"
        return Judgement(False, because, shows=(Witness("no-trigonometric-fit", options={"top": top}),))
    ring, rows = evaluation(data, top)
    rank = ring.rank(rows)
    extended = [[*row, ring.constant(y[0])] for row, y in zip(rows, data.targets, strict=True)]
    if ring.rank(extended) == rank:
        return Judgement(True, f"{shown} the equations E theta = y are solvable: rank E = {rank} with or without y")
    return Judgement(False, f"{shown} the equations E theta = y are not solvable, by the exact ranks")


FITS = Predicate(
    "coefficients-interpolate",
    "the smallest box of frequencies with N >= T has coefficients with zero loss",
    _fits,
    r"N\ge T\Rightarrow\min_\theta Q(\theta)=0",
)


def _independent(s: Subject) -> Judgement:
    data = s.problem.data
    assert data is not None
    top = smallest_box(data)
    rank = evaluation_rank(data, top)
    return Judgement(rank == len(data), f"the evaluation matrix has rank {rank} for {len(data)} samples")


INDEPENDENT = under(
    SMALL, "evaluations-independent", "the evaluation matrix E has rank T", _independent, r"\operatorname{rank}E=T"
)


def _limit(s: Subject) -> Judgement:
    here, there = loss_value(s.problem, point_of(s)), limit_value(s.problem, point_of(s))
    if here == there:
        return Judgement(True, f"Q_N tends to Q = {here}")
    because = f"Q_N tends to {there}, and Q is {here}"
    return Judgement(False, because, shows=(Witness("truncated-loss-gap", point_of(s)),))


FACT_TRUNCATED_LOSS = Statement(
    id="jiang2019.fact-truncated-loss",
    sort=Sort.CLAIM,
    section="3.2, before eq. (8)",
    title="The truncated loss is close to the loss",
    text="Replacing the network by its truncated Fourier series is said to change the loss by an error that is small when the "
    "number of coefficients is large, and that may be ignored, for values and for gradients.",
    latex=r"Q(f_w\mid D_T)=Q(\theta_\epsilon\mid D_T)+O(\epsilon)",
    quantifiers="for all w, as N grows",
    hypotheses=(AT_POINT,),
    conclusion=Predicate(
        "truncated-loss-converges",
        "the losses of the Fourier partial sums tend to the loss",
        _limit,
        r"Q_N(w)\to Q(w)",
    ),
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="mean square errors do not bound errors at points: the ramp has Q = 0 and Q_N = 1/4 for every N on (0, 0)",
    finding="The loss looks at points, the truncation error is a mean square: with data at the ends of [0, 1] the gap does not "
    "shrink. Gradients disagree too: for f = w x and the datum (0, 1) at w = 0 dQ/dw = 0, and H grad Q_N = -1 for every N.",
    repair=Repair(
        "Data inside the cube (or matching faces) and parameters in a compact set: then Q_N tends to Q.",
        (AT_POINT, INNER),
        Predicate("truncated-loss-converges", "the losses of the Fourier partial sums tend to the loss", _limit),
    ),
    remarks=(
        "Zero surrogate loss can come with a large loss: pi/2 - pi x has Q_N = 0, N = 3, on (0, 0), (1/4, 1), (1/2, 0), and Q is about 2.51.",
    ),
    concepts=CANONICAL,
    examples=(
        Example(
            "ramp, datum (0, 0)",
            False,
            Outcome.REFUTED,
            at(problems.RAMP, [1, 1]),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: every partial sum of x is 1/2 at 0",
        ),
        Example(
            "ramp, datum inside",
            True,
            Outcome.HOLDS,
            at(problems.RAMP_INSIDE, [1, 1]),
            repaired=Outcome.HOLDS,
            source="by hand: 1/2 - 1/pi, ... tends to 1/4",
        ),
    ),
)
THM_1 = Statement(
    id="jiang2019.thm-1",
    sort=Sort.THEOREM,
    section="3.1",
    title="Convex in the canonical space, and zero loss with enough coefficients",
    text="As a function of the Fourier coefficients the loss is convex; if there are at least as many coefficients as distinct "
    "samples the minimum is zero, and with equally many the minimiser is unique.",
    latex=r"\theta\mapsto Q(\theta)\ \text{convex};\quad N\ge T\Rightarrow\min_\theta Q=0",
    quantifiers="for all data with distinct inputs, for all N >= T",
    hypotheses=(SQUARED_ON_CUBE, SMALL),
    conclusion=FITS,
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    because="the waves do not separate the inputs 0 and 1, nor four points of a line in the square",
    finding="Convexity holds. Counting equations and unknowns is not enough for zero loss: the inputs 0 and 1 give equal rows for "
    "every N, and in the square four points on a line leave rank 3 of 9 columns.",
    fairness=Fairness.SOLID,
    repair=Repair(
        "Replace N >= T by rank E = T. For K = 1 and consecutive frequencies it is enough that the inputs differ modulo 1.",
        (SQUARED_ON_CUBE, SMALL, INDEPENDENT),
        FITS,
    ),
    remarks=("Uniqueness for N = T needs a regular E as well.",),
    concepts=CANONICAL,
    examples=(
        Example(
            "inputs 0 and 1",
            False,
            Outcome.REFUTED,
            at(problems.ENDS),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: u^2 + (u - 1)^2 >= 1/2",
        ),
        Example(
            "four points on a line in the square",
            False,
            Outcome.REFUTED,
            at(problems.SQUARE_LINE),
            repaired=Outcome.VACUOUS,
            source="by hand: (1, -1, 1, -1) is orthogonal to 1, cos, sin at 1/8, 3/8, 5/8, 7/8; least loss 4",
        ),
        Example(
            "three points",
            True,
            Outcome.HOLDS,
            at(problems.THREE),
            repaired=Outcome.HOLDS,
            source="by hand: sin 2 pi x takes the values 0, 1, 0 at 0, 1/4, 1/2",
        ),
    ),
)


def _convex(s: Subject) -> Judgement:
    return Judgement(True, "evaluation at the data is linear in the predictor, and the loss is convex in the output")


COR_1 = Statement(
    id="jiang2019.cor-1",
    sort=Sort.COROLLARY,
    section="3.1",
    title="The loss is convex in the predictor",
    text="As a functional of the predictor the empirical loss is convex.",
    latex=r"Q(\varepsilon f_1+(1-\varepsilon)f_2)\le\varepsilon Q(f_1)+(1-\varepsilon)Q(f_2)",
    quantifiers="for all f1, f2 and all weights in [0, 1]",
    hypotheses=(CUBE,),
    conclusion=Predicate("convex-in-the-predictor", "the loss is convex in the predictor", _convex),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a convex function of linear functionals; Fourier series are not needed",
    remarks=(
        "It needs functions, not classes modulo null sets. It says nothing about the parameters: (v w - 1)^2 is not convex.",
    ),
    concepts=(*CANONICAL, Concept.LOSS),
    examples=(
        Example(
            "one linear unit", True, Outcome.HOLDS, at(problems.LINE), smallest=True, source="the loss is (w x - y)^2"
        ),
        Example(
            "logistic loss", True, Outcome.HOLDS, at(problems.network([1, 1], "linear", [1], [1], loss="logistic"))
        ),
    ),
)

STATEMENTS = (FACT_TRUNCATED_LOSS, THM_1, COR_1)
