"""Section V-A: losses on segments and on plane slices."""

from __future__ import annotations

from fractions import Fraction

from explorer.probes.descents import segment
from explorer.probes.near import is_zero, value_at
from explorer.probes.slices import decreasing_on_unit, on_segment, slice_problem
from explorer.problem import DenseNetwork
from explorer.solve.critical import critical_set
from explorer.solve.results import Kind
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
    Sort,
    Statement,
    Subject,
    Verdict,
    Witness,
)
from explorer.statements.predicates import on_data, squared_loss
from explorer.statements.sun2020 import instances
from explorer.statements.sun2020.conditions import LINEAR, NO_REGULARIZER, exact_points, on_points, points_given
from explorer.statements.sun2020.instances import on

ENDS = points_given(2, "the start and the end of the segment")
PLANE = points_given(3, "a base point and two directions")


def unspecified(name: str, text: str, why: str) -> Predicate:
    """A condition that the source leaves open: never decided."""
    return Predicate(name, text, lambda subject: Judgement.unknown(why))


def _segment(subject: Subject) -> Judgement:
    c = on_segment(subject.problem, *exact_points(subject))
    return Judgement(
        True,
        f"a polynomial of degree {len(c) - 1} in the segment's coordinate, {c[0]} at one end and {sum(c, Fraction(0))} at the other",
    )


INTERPOLATION = Statement(
    id="sun2020.def-V-interp",
    sort=Sort.DEFINITION,
    section="V-A",
    title="Loss along a segment",
    text="The loss on the straight segment between two points, as a function on [0, 1]. As printed alpha = 1 is the first point.",
    latex=r"F_{[\theta_1,\theta_2]}(\alpha)=F(\alpha\theta_1+(1-\alpha)\theta_2)",
    quantifiers="a definition",
    hypotheses=(ENDS,),
    conclusion=Predicate("segment-function", "the loss on the segment is a polynomial, found exactly", _segment),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a definition; expanded exactly for polynomial losses",
    remarks=(
        "With the start of training as the first point, alpha runs from the end of training to its start; the text that follows means the other direction.",
    ),
    concepts=(Concept.SLICES,),
    examples=(
        Example(
            "(vw-1)^2 from (2, 2) to (1, 1)",
            True,
            Outcome.HOLDS,
            on(instances.vw, points=((2, 2), (1, 1))),
            smallest=True,
            source="by hand: 9 and 0",
        ),
        Example(
            "(vw-1)^2 from (2, 2) to (-1, -1)",
            True,
            Outcome.HOLDS,
            on(instances.vw, points=((2, 2), (-1, -1))),
            source="by hand: 9, 0, 1, 0 at 0, 1/3, 2/3, 1",
        ),
        Example("one point only", False, Outcome.VACUOUS, on(instances.vw, 2, 2), source="a segment needs two"),
    ),
)


def _decreasing(subject: Subject) -> Judgement:
    a, b = exact_points(subject)
    c = on_segment(subject.problem, a, b)
    if decreasing_on_unit(c):
        return Judgement(
            True,
            "the derivative on the segment is not positive",
            shows=(Witness("descending-path", options={"path": segment(a, b)}),),
        )
    return Judgement(False, "the loss on the segment from the start to the end of training rises somewhere")


DECREASING = Predicate(
    "decreasing-on-segment",
    "the loss decreases strictly on the segment from the first point to the second",
    _decreasing,
)

MONOTONE = Statement(
    id="sun2020.conj-V.1",
    sort=Sort.CONJECTURE,
    section="V-A",
    title="Conjecture V.1: the loss falls on the segment from start to end",
    text="Under conditions on the network that are left open, the loss decreases strictly on the segment from a random start to "
    "the limit of stochastic gradient descent.",
    latex=r"\theta^k\to\theta^*\Rightarrow F_{[\theta^0,\theta^*]}\text{ strictly decreasing on }[0,1]\quad\text{under certain conditions}",
    quantifiers="there are conditions, for random starts",
    hypotheses=(
        ENDS,
        unspecified(
            "conditions-on-the-network",
            "the network satisfies the conditions of the conjecture",
            "the conjecture does not say which conditions",
        ),
    ),
    conclusion=DECREASING,
    verdict=Verdict.OPEN,
    ground=Ground.ARGUED,
    because="the conditions are unspecified; without any the statement fails",
    fairness=Fairness.IN_CONTEXT,
    remarks=(
        "Read with alpha = 0 at the start; as printed alpha = 0 is the limit.",
        "Without conditions it fails for gradient descent: (vw - 1)^2 with step 1/4 goes from (2, 2) to (-1, -1) at once, and the values on the "
        "segment are 9, 0, 1, 0. It fails for gradient flow too: (1 - vw^2)^2 has starts from which the loss rises at first.",
        "A form to test: for gradient flow the probability of a non-increasing segment tends to 1 with the width, up to a bump at the start that tends to 0.",
    ),
    edges=(
        Edge(Relation.RELATED, "sun2020.conj-VII.1"),
        Edge(Relation.RELATED, "sun2020.quote-VII-ntk"),
        Edge(Relation.USES, "sun2020.def-V-interp"),
    ),
    concepts=(Concept.SLICES, Concept.DYNAMICS),
    examples=(
        Example(
            "gradient flow from (2, 2) to (1, 1)",
            True,
            Outcome.HOLDS,
            on(instances.vw, points=((2, 2), (1, 1))),
            smallest=True,
            source="by hand: (1 - a^2)^2 for a from 2 to 1",
        ),
        Example(
            "gradient descent from (2, 2) to (-1, -1)",
            False,
            Outcome.UNDECIDED,
            on(instances.vw, points=((2, 2), (-1, -1))),
            source="by hand: 9, 0, 1, 0; without conditions it fails",
        ),
        Example("both sides, certified", True, Outcome.HOLDS, recipe=Recipe("exhibit", "sun2020.conj-V.1")),
    ),
)

ONE_INPUT = on_data(
    "one-sample-linear-pair",
    "two linear layers with one input, one output and one sample x = y = 1",
    lambda net, data: net.depth == 2 and net.widths[0] == net.widths[2] == 1 and data.inputs == data.targets == ((1,),),
)


def _on_the_flow(subject: Subject) -> Judgement:
    """v + w grows by a factor r and v - w shrinks by it, the same for all units: the orbits of the gradient flow."""
    a, b = ([c[0] for c in p.coordinates] for p in exact_points(subject))
    if not all(p.is_rational for p in exact_points(subject)):
        return Judgement(False, "the points are not rational")
    m = len(a) // 2
    plus, minus = ([(x[m + j] + s * x[j]) for x in (a, b) for j in range(m)] for s in (1, -1))
    ratio = next((plus[m + j] / plus[j] for j in range(m) if plus[j]), None) or next(
        (minus[j] / minus[m + j] for j in range(m) if minus[m + j]), None
    )
    if ratio is None or ratio <= 0:
        return Judgement(False, "no positive factor joins the two points")
    holds = all(plus[m + j] == ratio * plus[j] and minus[j] == ratio * minus[m + j] for j in range(m))
    return Judgement(
        holds, f"v + w is multiplied and v - w divided by {ratio}" if holds else "the points lie on different orbits"
    )


ON_THE_FLOW = Predicate(
    "on-one-orbit",
    "the second point lies on the gradient-flow orbit of the first",
    on_points(2, _on_the_flow),
    r"v\pm w=e^{\pm T}(v_0\pm w_0)",
)


def _before_the_limit(subject: Subject) -> Judgement:
    """The flow ends where the output is 1, so the output error keeps its sign and shrinks."""
    errors = []
    for p in exact_points(subject):
        c = [x[0] for x in p.coordinates]
        m = len(c) // 2
        errors.append(sum((c[j] * c[m + j] for j in range(m)), Fraction(-1)))
    holds = errors[0] != 0 and 0 <= errors[1] / errors[0] < 1
    return Judgement(holds, f"the output error goes from {errors[0]} to {errors[1]}")


BEFORE_LIMIT = Predicate(
    "before-the-limit",
    "the second point comes after the first and not after the limit of the flow",
    on_points(2, _before_the_limit),
)


MONOTONE_LINEAR = Statement(
    id="aud.lemma-V1-linear",
    sort=Sort.AUDIT,
    section="V-A",
    title="Two linear layers, one sample: the loss falls on the segment",
    text="For two linear layers of any width and one sample, gradient flow multiplies v + w and divides v - w by one factor, and "
    "the loss decreases strictly on the segment from any start to any later point of its orbit.",
    latex=r"v\pm w=e^{\pm T}(v_0\pm w_0)\Rightarrow F\text{ strictly decreasing on the segment}",
    quantifiers="all widths, all starts that are not critical",
    hypotheses=(LINEAR, squared_loss(), NO_REGULARIZER, ONE_INPUT, ENDS, ON_THE_FLOW, BEFORE_LIMIT),
    conclusion=DECREASING,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="on the segment both |p|^2 and -|q|^2, p = v + w, q = v - w, are monotone with the sign of T; certified on the instances",
    edges=(Edge(Relation.RELATED, "sun2020.conj-V.1"),),
    concepts=(Concept.SLICES, Concept.DYNAMICS, Concept.DEEP_LINEAR),
    examples=(
        Example(
            "from (1, 0) halfway, width 1",
            True,
            Outcome.HOLDS,
            on(instances.vw, points=((0, 1), ("3/4", "5/4"))),
            smallest=True,
            source="by hand: v + w from 1 to 2, v - w from 1 to 1/2",
        ),
        Example(
            "width 2",
            True,
            Outcome.HOLDS,
            on(
                lambda: instances.linear([1, 2, 1], [1], [1]),
                points=((0, 0, 1, "1/2"), ("5/12", "5/24", "13/12", "13/24")),
            ),
            source="by hand: factor 3/2 for both units, output from 0 to 325/576",
        ),
        Example(
            "another orbit",
            False,
            Outcome.VACUOUS,
            on(instances.vw, points=((2, 2), (-1, -1))),
            source="by hand: v + w from 4 to -2",
        ),
    ),
)


def _slice(subject: Subject) -> Judgement:
    found = slice_problem(subject.problem, *exact_points(subject))
    return Judgement(True, f"a polynomial in two variables with {len(getattr(found.network, 'terms', ()))} terms")


SLICE = Statement(
    id="sun2020.def-V-slice",
    sort=Sort.DEFINITION,
    section="V-A",
    title="Loss on a plane slice",
    text="The loss on the plane through a point along two directions, often random ones that are rescaled filter by filter to "
    "the size of the weights.",
    latex=r"G_{v_1,v_2}(\alpha,\beta)=F(\theta_0+\alpha v_1+\beta v_2)",
    quantifiers="a definition",
    hypotheses=(PLANE,),
    conclusion=Predicate(
        "slice-function", "the loss on the plane is a polynomial in two variables, found exactly", _slice
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a definition; expanded exactly for polynomial losses",
    remarks=(
        "The rescaling makes slices of ReLU networks independent of layer-wise factors, but not of factors per unit: (v; w) = (1, 1; 1, 1) and "
        "(1/4, 1; 4, 1) are the same function with different slices.",
        "A slice of a landscape without bad minima may have some: see Conjecture V.2.",
    ),
    concepts=(Concept.SLICES,),
    examples=(
        Example(
            "(vw-1)^2 along the axes",
            True,
            Outcome.HOLDS,
            on(instances.vw, points=((1, 1), (1, 0), (0, 1))),
            smallest=True,
            source="by hand: ((1 + a)(1 + b) - 1)^2",
        ),
        Example(
            "a plane of a linear network of width 3",
            True,
            Outcome.HOLDS,
            on(instances.deltoid, points=instances.DELTOID),
            source="by hand: |z^2 + 2 conj z - y|^2",
        ),
        Example("no directions", False, Outcome.VACUOUS, on(instances.vw, 1, 1), source="a plane needs three points"),
    ),
)


def _base_is_global(subject: Subject) -> Judgement:
    base = exact_points(subject)[0] if exact_points(subject) else None
    if base is None:
        return Judgement(False, "no base point is given")
    holds = is_zero(value_at(subject.problem, base)) and isinstance(subject.problem.network, DenseNetwork)
    return Judgement(True, "F = 0 there") if holds else Judgement.unknown("F is not 0 there")


BASE_IS_GLOBAL = Predicate("base-is-global", "the base point is a global minimum", _base_is_global)


def _slice_has_no_basin(subject: Subject) -> Judgement:
    found = critical_set(slice_problem(subject.problem, *exact_points(subject)), budget=subject.budget)
    for c in found.components:
        if c.kind is Kind.STRICT_MINIMUM and (c.is_global is False or c.value.lower > 0):
            return Judgement(
                False,
                f"the slice has a strict local minimum of value about {c.value.approx:.4g}, and the value 0 at its centre",
            )
    if not found.coverage.complete:
        return Judgement.unknown(found.coverage.reason)
    return Judgement(True, "the slice has no strict local minimum above 0")


SLICES = Statement(
    id="sun2020.conj-V.2",
    sort=Sort.CONJECTURE,
    section="V-A",
    title="Conjecture V.2: slices of wide networks have no basins",
    text="Above some width, slices along random directions through a global minimum have no sub-optimal basin; below another "
    "width they have many.",
    latex=r"\text{width}>c_1\Rightarrow G_{v_1,v_2}\text{ has no sub-optimal basin};\quad\text{width}<c_1'\Rightarrow\text{many}",
    quantifiers="there are thresholds; for random directions, with a probability that is not stated",
    hypotheses=(
        PLANE,
        BASE_IS_GLOBAL,
        unspecified(
            "random-directions",
            "the directions are random",
            "two given directions are not random, and no probability is stated",
        ),
    ),
    conclusion=Predicate(
        "slice-without-basin",
        "the slice has no strict local minimum above the value at its centre",
        _slice_has_no_basin,
    ),
    verdict=Verdict.OPEN,
    ground=Ground.ARGUED,
    because="no probability is stated; for all directions it fails at every width, for most it is open",
    fairness=Fairness.IN_CONTEXT,
    remarks=(
        "For all directions the first half fails at every width from 3 on (linear networks, from 6 on for ReLU), though these networks have no bad local "
        "minimum at all: slices can make basins.",
        "The second half is empty for thresholds up to 1: every slice of (vw - 1)^2 along independent directions is the function itself, without a basin.",
    ),
    edges=(
        Edge(Relation.RELATED, "sun2020.prop-IV.3"),
        Edge(Relation.RELATED, "sun2020.thm-IV.2"),
        Edge(Relation.USES, "sun2020.def-V-slice"),
        Edge(Relation.USES, "sun2020.def-IV.4"),
        Edge(Relation.CONTRASTS, "sun2020.thm-III.1"),
    ),
    concepts=(Concept.SLICES, Concept.VALLEYS, Concept.WIDTH),
    examples=(
        Example(
            "(vw-1)^2 through (1, 1)",
            True,
            Outcome.HOLDS,
            on(instances.vw, points=((1, 1), (1, 0), (0, 1))),
            smallest=True,
            source="by hand: the slice is the function itself",
        ),
        Example(
            "a plane of a linear network of width 3",
            False,
            Outcome.UNDECIDED,
            on(instances.deltoid, points=instances.DELTOID),
            source="by hand: value 81/16 at z = -1, a strict local minimum of the slice",
        ),
        Example(
            "the slice with its wall, certified", False, Outcome.UNDECIDED, recipe=Recipe("exhibit", "sun2020.conj-V.2")
        ),
    ),
)

STATEMENTS: tuple[Statement, ...] = (INTERPOLATION, MONOTONE, MONOTONE_LINEAR, SLICE, SLICES)
