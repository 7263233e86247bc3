"""Section 3.3.3: how many units must degenerate, and random starts."""

from __future__ import annotations

from fractions import Fraction

from explorer.canonical.disparity import smallest_deficient
from explorer.canonical.interpolation import silent_start
from explorer.canonical.probability import silent_probability
from explorer.problem import DenseNetwork
from explorer.statements.jiang2019 import problems
from explorer.statements.jiang2019.conditions import (
    AT_POINT,
    ON_LINE,
    SQUARED_ON_CUBE,
    all_silent,
    at,
    better_point,
    full_rank,
    hidden_units,
    point_of,
    quarter_cells,
    samples,
    under,
)
from explorer.statements.jiang2019.section3_3 import CONCEPTS, NO_COINCIDENCE
from explorer.statements.nouns import (
    Concept,
    Example,
    Fairness,
    Ground,
    Judgement,
    NotCheckable,
    Outcome,
    Predicate,
    Repair,
    Sort,
    Statement,
    Subject,
    Verdict,
    Witness,
)


def _few(s: Subject) -> Judgement:
    found = smallest_deficient(s.problem, point_of(s), least=samples(s))
    if found is None:
        return Judgement(True, "H has full column rank for every N with T <= N <= M")
    units, excess = hidden_units(s.problem), len(found.rows) - found.columns
    if excess <= units:
        return Judgement.unknown(
            f"rank {found.rank} < N = {found.columns}, and M - N = {excess} is not more than the {units} units"
        )
    shows = (Witness("rank-deficient", point_of(s), options={"top": found.top}),) if quarter_cells(s) else ()
    because = (
        f"rank {found.rank} < N = {found.columns}, M - N = {excess}, and the network has only {units} hidden units"
    )
    return Judgement(False, because, shows=shows)


def _rows_counted(s: Subject) -> Judgement:
    found = smallest_deficient(s.problem, point_of(s), least=samples(s))
    if found is None:
        return Judgement(True, "H has full column rank for every N with T <= N <= M")
    m, n = len(found.rows), found.columns
    return Judgement(
        m - found.rank > m - n, f"{m - found.rank} independent relations between rows, more than M - N = {m - n}"
    )


CLAIM_THRESHOLD = Statement(
    id="jiang2019.claim-3.3.3-threshold",
    sort=Sort.CLAIM,
    section="3.3.3",
    title="Many units must degenerate before the disparity is singular",
    text="In an over-parameterised network the disparity matrix is singular only after at least M - N units are dead, duplicated "
    "or coordinated.",
    latex=r"M\gg N:\ \operatorname{rank}H<N\Rightarrow\text{at least }M-N\text{ units dead, duplicated or coordinated}",
    quantifiers="for all w",
    hypotheses=(AT_POINT, NO_COINCIDENCE),
    conclusion=Predicate("many-units-degenerate", "rank H < N only with at least M - N degenerate units", _few),
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="it counts units where rows are meant: a network has fewer units than M - N",
    finding="Rows belong to parameters. Networks without dead or duplicated units have a singular H although they do not even have "
    "M - N units: linear ones have rank 1, ReLU units with a common kink rank at most 4.",
    repair=Repair(
        "Count relations between rows: rank H < N exactly if there are more than M - N independent ones.",
        (AT_POINT,),
        Predicate("relations-counted", "more than M - N independent relations", _rows_counted),
    ),
    concepts=(*CONCEPTS, Concept.WIDTH),
    examples=(
        Example(
            "linear, four units",
            False,
            Outcome.REFUTED,
            at(problems.network([1, 4, 1], "linear", [1], [1]), [1, 2, 3, 4, 5, 6, 7, 8]),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: M = 8, N = 3, rank 1",
        ),
        Example(
            "four ReLU units with the kink 1/2",
            False,
            Outcome.REFUTED,
            at(
                problems.network([1, 4, 1], "relu", [1], [1], bias=True),
                [1, 3, -1, -2, "-1/2", "-3/2", "1/2", 1, 1, 2, 3, 5],
            ),
            repaired=Outcome.HOLDS,
            source="by hand: the rows lie in the span of 1 and x on either side of 1/2; M = 12, N = 5",
        ),
        Example(
            "a square unit",
            True,
            Outcome.HOLDS,
            at(problems.network([1, 1], "linear", [1], [1]), [2]),
            repaired=Outcome.HOLDS,
            source="by hand: M = N = 1",
        ),
    ),
)
CLAIM_INIT = Statement(
    id="jiang2019.claim-3.3.3-init",
    sort=Sort.CLAIM,
    section="3.3.3",
    title="Random starts have a regular disparity matrix",
    text="If the start is random in such a way that the hyperplanes of all units meet the cube near its centre as much as "
    "possible, the disparity matrix is regular with probability one.",
    latex=r"w^{(0)}\ \text{random}\Rightarrow\Pr[\operatorname{rank}H(w^{(0)})=N]=1",
    quantifiers="almost surely",
    hypotheses=(ON_LINE,),
    conclusion=NotCheckable(
        "the distribution is not specified: 'as much as possible' is undefined, and the answer depends on it and on N"
    ),
    verdict=Verdict.INFORMAL,
    ground=Ground.ARGUED,
    because="the prescription leaves the distribution open",
    fairness=Fairness.IN_CONTEXT,
    remarks=(
        "If all kinks coincide (K = 1), the rank is at most 4 at every width; if N > M - J for J ReLU units, the matrix is singular always.",
        "With Gaussian weights and biases, another initialisation, a unit is dead on [0, 1] with probability 3/8.",
        "For analytic activations regularity at one point gives probability one.",
    ),
    concepts=(*CONCEPTS, Concept.WIDTH),
)


def _relu_layer(s: Subject) -> Judgement:
    net = s.problem.network
    if not isinstance(net, DenseNetwork) or net.depth != 2 or net.activations[0].kind != "relu" or not net.bias[0]:
        return Judgement(False, "not one hidden layer of biased ReLU units")
    if net.output.kind != "linear":
        return Judgement(False, "the output is not linear")
    return Judgement(True, "read off the problem")


def _surely(s: Subject) -> Judgement:
    start = s.point if s.point is not None and all_silent(s) else silent_start(s.problem)
    if start is None:
        return Judgement.unknown("no start with silent units and kinks at multiples of 1/4 was found")
    stuck = Subject(s.problem, start, s.points)
    better = better_point(stuck)
    if better is None:
        return Judgement.unknown("the least loss is not known to be below that of the stuck starts")
    h = full_rank(stuck) if quarter_cells(stuck) else None
    goal, options = ("trapped", {}) if h is None else ("trapped-at-full-rank", {"top": h.top})
    because = f"{chance(s)}; there gradient descent moves nothing but an output bias"
    return Judgement(False, because, shows=(Witness(goal, start, better, options=options),))


def chance(s: Subject) -> str:
    """The probability that all units are silent, for standard normal weights and biases."""
    data = s.problem.data
    assert data is not None
    one = silent_probability([x[0] for x in data.inputs])
    shown = str(one) if isinstance(one, Fraction) else one.str(5, radius=False)
    return f"with standard normal weights and biases all {hidden_units(s.problem)} units are silent with probability ({shown})^{hidden_units(s.problem)} > 0"


def _rare(s: Subject) -> Judgement:
    return Judgement(True, f"{chance(s)}, which falls to 0 as the width grows")


RELU_LAYER = under(ON_LINE, "relu-layer", "one hidden layer of biased ReLU units", _relu_layer)
CLAIM_CONVERGENCE = Statement(
    id="jiang2019.claim-3.3.3-convergence",
    sort=Sort.CLAIM,
    section="3.3.3, abstract",
    title="Random starts converge to zero loss with probability one",
    text="An over-parameterised, randomly initialised network converges to a global minimum of zero loss with probability one "
    "under gradient descent.",
    latex=r"M\gg N,\ w^{(0)}\ \text{random}\Rightarrow\Pr[Q(w^{(k)})\to0]=1",
    quantifiers="for all data; almost surely in the start",
    hypotheses=(
        SQUARED_ON_CUBE,
        ON_LINE,
        RELU_LAYER,
    ),
    conclusion=Predicate(
        "zero-loss-almost-surely",
        "gradient descent from a random start with a positive density tends to zero loss with probability one",
        _surely,
    ),
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="an open set of starts stays at a positive loss",
    finding="Data at 1/8 and 1/4, no output bias, kinks within 1/8 of 1/2, signs of the weights at random: with probability 2^-J "
    "all J units are silent on the data and the hidden layer never moves. Any start with a positive density near such points "
    "fails with positive probability, at every width.",
    fairness=Fairness.SOLID,
    repair=Repair(
        "With probability at least 1 - delta for a width that grows with 1/delta: the failure found here has a probability that "
        "falls to 0 with the width.",
        (SQUARED_ON_CUBE, ON_LINE, RELU_LAYER),
        Predicate("failure-becomes-rare", "the probability of silent starts falls to 0 as the width grows", _rare),
    ),
    remarks=("Convergence in probability as the width grows, as the abstract has it, is not refuted.",),
    concepts=(Concept.DYNAMICS, Concept.WIDTH, Concept.RELU),
    examples=(
        Example(
            "kinks near the centre, no output bias",
            False,
            Outcome.REFUTED,
            at(problems.CENTRE, [1, 1, "-7/16", "-9/16", 1, 1]),
            repaired=Outcome.HOLDS,
            source="by hand: both units are silent at 1/8 and 1/4, and f = 0 there",
        ),
        Example(
            "with output bias, at full rank",
            False,
            Outcome.REFUTED,
            at(problems.SILENT),
            repaired=Outcome.HOLDS,
            source="by hand: the instance of Theorem 2",
        ),
        Example(
            "one unit, one sample",
            False,
            Outcome.REFUTED,
            at(problems.network([1, 1, 1], "relu", ["1/4"], [1], bias=[True, False])),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: a unit is silent at 1/4 with probability 1/2",
        ),
    ),
)

STATEMENTS = (CLAIM_THRESHOLD, CLAIM_INIT, CLAIM_CONVERGENCE)
