"""Section 3.3: when the disparity matrix degenerates, dead and duplicated units."""

from __future__ import annotations

from fractions import Fraction

from explorer.canonical.disparity import disparity_on, same_rows, smallest_deficient, span_dimension
from explorer.canonical.slopes import gradient, gradient_step
from explorer.canonical.units import active_units, dead_units, duplicates
from explorer.errors import Unsupported
from explorer.problem import DenseNetwork
from explorer.statements.jiang2019 import problems
from explorer.statements.jiang2019.conditions import (
    AT_POINT,
    CUBE,
    at,
    given,
    on_line,
    point_of,
    quarter_cells,
    samples,
)
from explorer.statements.nouns import (
    Concept,
    Example,
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

CONCEPTS = (Concept.CANONICAL, Concept.RELU)
STEPS = (Fraction(1, 16), Fraction(1, 8), Fraction(1, 4), Fraction(1, 2), Fraction(1))


def _no_coincidence(s: Subject) -> Judgement:
    coincide = same_rows(on_line(s), len(s.problem.parameters))
    return Judgement(
        not coincide, "two rows are equal, or one is 0" if coincide else "all rows are different and not 0"
    )


NO_COINCIDENCE = given(
    "no-zero-and-no-equal-rows", "no row of the disparity matrix vanishes and no two are equal", _no_coincidence
)


def _columns(s: Subject) -> Judgement:
    found = smallest_deficient(s.problem, point_of(s), least=samples(s))
    if found is None:
        return Judgement(True, "H has full column rank for every N with T <= N <= M")
    shows = (Witness("rank-deficient", point_of(s), options={"top": found.top}),) if quarter_cells(s) else ()
    return Judgement(False, f"rank {found.rank} < N = {found.columns} <= M = {len(found.rows)}", shows=shows)


def _bounded_by_span(s: Subject) -> Judgement:
    cells_, size = on_line(s), len(s.problem.parameters)
    span = span_dimension(cells_, size)
    top = max((min(size, 2 * span + 1) - 1) // 2, 0)
    found = disparity_on(cells_, size, top)
    return Judgement(found.rank <= min(found.columns, span), f"rank {found.rank}, N = {found.columns}, span of dimension {span}")  # fmt: skip


CLAIM_COLUMNS = Statement(
    id="jiang2019.claim-3.3-columns",
    sort=Sort.CLAIM,
    section="3.3",
    title="The disparity matrix degenerates through its rows only",
    text="With at least as many parameters as coefficients the columns stay independent, as the waves are orthogonal, unless "
    "rows vanish or coincide.",
    latex=r"M\ge N:\ \operatorname{rank}H<N\ \text{only if rows vanish or become dependent}",
    quantifiers="for all w",
    hypotheses=(AT_POINT, NO_COINCIDENCE),
    conclusion=Predicate("columns-independent", "H has full column rank for all N with T <= N <= M", _columns),
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="homogeneity gives every ReLU unit a relation between its rows: v f_v = w f_w + b f_b",
    finding="Read word by word it says that rank < N means dependent rows. Read as a statement on networks without dead and "
    "duplicated units it fails: for J ReLU units rank H <= M - J for all w; one unit has M = N = 3 and rank 2.",
    repair=Repair(
        "Replace M by the dimension of the span of the derivatives: rank H is at most that.",
        (AT_POINT,),
        Predicate("rank-below-span", "rank H <= min(N, dim span of the derivatives)", _bounded_by_span),
    ),
    remarks=(
        "N is the product of 2 n_i + 1 over the input coordinates: at least 3^K if every coordinate is resolved.",
    ),
    concepts=CONCEPTS,
    examples=(
        Example(
            "one ReLU unit",
            False,
            Outcome.REFUTED,
            at(problems.UNIT, [1, "-1/2", 1]),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: three rows, one relation",
        ),
        Example(
            "linear, two layers",
            False,
            Outcome.REFUTED,
            at(problems.network([1, 2, 1], "linear", [1], [1]), [1, 2, 3, 4]),
            repaired=Outcome.HOLDS,
            source="by hand: all rows are multiples of the coefficients of x",
        ),
        Example(
            "an affine model",
            True,
            Outcome.HOLDS,
            at(problems.network([1, 1], "linear", [1], [1], bias=[True]), [1, 1]),
            repaired=Outcome.HOLDS,
            source="by hand: N = 1 is the only odd N <= 2",
        ),
    ),
)


def _has_dead(s: Subject) -> Judgement:
    found = dead_units(s.problem, point_of(s))
    return Judgement(bool(found), f"dead: {', '.join(f'layer {a} unit {b}' for a, b in found)}" if found else "none")


DEAD = given("a-dead-unit", "some hidden unit is inactive on the whole cube, strictly", _has_dead)


def _stays_dead(s: Subject) -> Judgement:
    dead = dead_units(s.problem, point_of(s))
    for step in STEPS:
        try:
            awake = set(active_units(s.problem, gradient_step(s.problem, point_of(s), step)))
        except Unsupported as error:
            return Judgement.unknown(error.sentence())
        risen = sorted(awake & set(dead))
        if risen:
            shows = (Witness("revived-unit", point_of(s), options={"step": step, "unit": risen[0]}),)
            return Judgement(
                False, f"after one step {step} unit {risen[0][1]} of layer {risen[0][0]} is active", shows=shows
            )
    return Judgement(True, f"after one step of size {', '.join(map(str, STEPS))} they are still inactive on the data")


def _frozen(s: Subject) -> Judgement:
    first = [j for layer, j in dead_units(s.problem, point_of(s)) if layer == 1]
    net, slopes = s.problem.network, gradient(s.problem, point_of(s))
    assert isinstance(net, DenseNetwork)
    cols, rows = net.widths[0], net.widths[1]
    own = [k for j in first for k in range((j - 1) * cols, j * cols)]
    own += [rows * cols + j - 1 for j in first] if net.bias[0] else []
    return Judgement(not any(slopes[k] for k in own), "the slopes by their weights and biases are exactly 0")


FIRST_DEAD = given(
    "a-dead-unit-of-the-first-layer",
    "some unit of the first hidden layer is inactive on the whole cube, strictly, and none of a deeper layer",
    lambda s: (
        Judgement(True, "by interval bounds")
        if {layer for layer, _ in dead_units(s.problem, point_of(s))} == {1}
        else Judgement(False, "no dead unit in the first layer, or one in a deeper layer")
    ),
)
CLAIM_DEAD = Statement(
    id="jiang2019.claim-3.3.1",
    sort=Sort.CLAIM,
    section="3.3.1",
    title="Dead units are never revived",
    text="A unit that is inactive on the whole cube has zero rows in the disparity matrix, and gradient descent cannot revive it.",
    latex=r"\sigma(\langle w_j,x\rangle+b_j)\equiv0\ \text{on }U_K\Rightarrow\text{its rows of }H\text{ are }0\text{, for ever}",
    quantifiers="for all data in the cube, all later iterates",
    hypotheses=(AT_POINT, DEAD),
    conclusion=Predicate(
        "dead-units-stay-dead", "one gradient step leaves the dead units inactive on the data", _stays_dead
    ),
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    because="a unit of a deeper layer wakes up when the layers before it move",
    finding="True in the first hidden layer for strictly inactive units. In deeper layers false: relu(h - 2) behind h = relu(w x) "
    "is dead at w = 1 and active after one step 1/16 on the datum (1, 10).",
    repair=Repair(
        "First hidden layer, strict inactivity on the cube.",
        (AT_POINT, FIRST_DEAD),
        Predicate("first-layer-frozen", "the gradient of their weights and biases is 0", _frozen),
    ),
    remarks=(
        "Inactivity on the data, not on the cube, freezes a unit of the first layer.",
        "At the tie b = 0 of relu(-x + b) the convention relu'(0) = 1 revives it on the datum (0, 1).",
    ),
    concepts=(*CONCEPTS, Concept.DYNAMICS),
    examples=(
        Example(
            "second layer",
            False,
            Outcome.REFUTED,
            at(problems.DEEP, [1, 1, 1, -2, 0, 1, 1]),
            repaired=Outcome.VACUOUS,
            source="by hand: the residual is -9, every live slope -18, and h(1) becomes 1 + 18/16",
        ),
        Example(
            "first layer",
            True,
            Outcome.HOLDS,
            at(problems.UNIT, [1, -2, 1]),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: relu(x - 2) is 0 on [0, 1] with slopes 0",
        ),
    ),
)


def _twins(s: Subject) -> Judgement:
    found = duplicates(s.problem, point_of(s))
    return Judgement(bool(found), f"{len(found)} pair(s) of equal units" if found else "no two units are equal")


def _equal_slopes(s: Subject) -> Judgement:
    net, slopes = s.problem.network, gradient(s.problem, point_of(s))
    assert isinstance(net, DenseNetwork)
    at_, ports = 0, []
    for layer, (cols, rows) in enumerate(zip(net.widths, net.widths[1:], strict=False)):
        block = [slopes[at_ + i * cols : at_ + (i + 1) * cols] for i in range(rows)]
        at_ += rows * cols
        ports.append((block, slopes[at_ : at_ + rows] if net.bias[layer] else (Fraction(0),) * rows))
        at_ += rows if net.bias[layer] else 0

    def own(layer: int, j: int) -> tuple[object, ...]:
        after = ports[layer][0]
        return (ports[layer - 1][0][j - 1], ports[layer - 1][1][j - 1], tuple(row[j - 1] for row in after))

    equal = all(own(*a) == own(*b) for a, b in duplicates(s.problem, point_of(s)))
    return Judgement(
        equal, "their slopes are equal, so equal steps keep them equal" if equal else "their slopes differ"
    )


CLAIM_DUPLICATES = Statement(
    id="jiang2019.claim-3.3.2",
    sort=Sort.CLAIM,
    section="3.3.2",
    title="Duplicated units stay duplicated",
    text="Units with equal incoming and outgoing weights have equal rows and equal gradients, so gradient descent keeps them equal.",
    latex=r"(w_i,b_i,v_i)=(w_j,b_j,v_j)\Rightarrow H_{i\cdot}=H_{j\cdot},\ \text{preserved by gradient descent}",
    quantifiers="for all data, losses and steps",
    hypotheses=(CUBE, AT_POINT, given("duplicated-units", "two units of a hidden layer are equal", _twins)),
    conclusion=Predicate("equal-slopes", "the slopes by their weights are equal", _equal_slopes),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="exchanging the two units is a symmetry of the loss that fixes the point",
    remarks=(
        "Without noise, dropout or different regularizers.",
        "Equal incoming weights alone already make rows dependent, but such units separate; so a lost rank need not last.",
    ),
    concepts=(*CONCEPTS, Concept.DYNAMICS),
    examples=(
        Example(
            "twins",
            True,
            Outcome.HOLDS,
            at(problems.network([1, 2, 1], "relu", [1], [1], bias=True), [1, 1, "-1/2", "-1/2", 2, 2]),
            smallest=True,
        ),
    ),
)


STATEMENTS = (CLAIM_COLUMNS, CLAIM_DEAD, CLAIM_DUPLICATES)
