"""Section IV-D, first half: spurious valleys, and wide networks that have none."""

from __future__ import annotations

from explorer.point import Point
from explorer.probes.output import lowest_in_output
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
from explorer.statements.sun2020 import instances
from explorer.statements.sun2020.conditions import (
    BAD_MINIMUM,
    NETWORK,
    exact_points,
)
from explorer.statements.sun2020.instances import ln2, on
from explorer.statements.sun2020.section4b import N2, N3
from explorer.statements.sun2020.sets import (
    LOWER_BY_PATH,
    NO_STRICT_BAD,
    NO_VALLEY,
    NO_VALLEY_HERE,
    behind_a_hyperplane,
    decided,
)


def _in_a_valley(subject: Subject) -> Judgement:
    """Whether the point's valley question is decided: by a path to a global minimum, by a strict minimum, or by a wall of inactive outputs."""
    plain = NO_VALLEY_HERE.test(subject)
    if plain.holds is not None or subject.point is None:
        return plain
    walled = output_valley(subject)
    if walled is None and isinstance(subject.point, Point):
        walled = behind_a_hyperplane(subject, subject.point)
    return walled if walled is not None else plain


def output_valley(subject: Subject) -> Judgement | None:
    """False if the outputs at the point lie in a well of the loss above a lower point of the subject."""
    point, others = subject.point, exact_points(subject)
    if not isinstance(point, Point) or not others:
        return None
    box = lowest_in_output(subject.problem, point, others[0])
    if box is None:
        return None
    return Judgement(
        False,
        "the outputs stay in a well of the loss whose bottom is not the lowest one",
        shows=(Witness("output-valley", point, others[0], options=box),),
    )


IN_A_VALLEY = Predicate(
    "valley-here",
    "from the point (a listed bad minimum, 0) a path on which F never rises leads to a global minimum",
    _in_a_valley,
)

VALLEY = Statement(
    id="sun2020.def-IV.2",
    sort=Sort.DEFINITION,
    section="IV-D",
    title="Spurious valley",
    text="A spurious valley is a connected component of a sub-level set that contains no global minimum.",
    latex=r"K\text{ a component of }\{F\le c\},\ K\cap\arg\min F=\emptyset",
    quantifiers="a definition, for every level c; decided here at the given point and its level",
    hypotheses=(NETWORK,),
    conclusion=decided(
        IN_A_VALLEY,
        name="valley-decided",
        text="whether the point lies in a spurious valley of its own level",
        yes="no spurious valley here",
        no="a spurious valley",
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a definition; decided with certificates on the instances",
    fairness=Fairness.IN_CONTEXT,
    remarks=(
        "Where the minimum is not attained every component is a spurious valley by the letter; Remark 3 excludes that case. "
        "The form without it: a component on which the infimum is above inf F.",
        "For the networks here (semialgebraic, or with exponentials) connected and path-connected components are the same.",
    ),
    concepts=(Concept.VALLEYS,),
    examples=(
        Example(
            "a narrow sigmoid network at a strict bad minimum",
            True,
            Outcome.HOLDS,
            on(
                lambda: instances.sigmoid([1, 3], ["-10/3", "35/9"], 1), ln2((0, 1), 1), points=(ln2((0, -1), "-11/2"),)
            ),
            source="by hand: F = 25 inside a wall, 45/2 at (-ln 2, -11/2): a valley",
        ),
        Example(
            "one ReLU unit on x = (1, -1)",
            True,
            Outcome.HOLDS,
            on(instances.relu_pair, 1, 1, points=((-1, 2),)),
            smallest=True,
            source="by hand: F >= 4 for w > 0, F = 5 on w = 0, F(-1, 2) = 1: an unbounded valley",
        ),
        Example(
            "Figure 2 at its bad minimum",
            True,
            Outcome.HOLDS,
            on(instances.fig2, 1, 1),
            source="by hand: the path v -> 0, then w, then v leads to F = 0",
        ),
        Example("a polynomial loss", False, Outcome.VACUOUS, on(instances.double_well), source="it is no network"),
        Example("a walled minimum", True, Outcome.HOLDS, recipe=Recipe("exhibit", "sun2020.def-IV.2")),
    ),
)

VALLEY_STRICT = Statement(
    id="sun2020.fact-IV-valley-strict",
    sort=Sort.FACT,
    section="IV-D",
    title="Without spurious valleys no strict bad minimum",
    text="A loss without spurious valleys has no sub-optimal strict local minimum.",
    latex=r"\text{no spurious valley}\Rightarrow\text{no sub-optimal strict local min}",
    quantifiers="for all F, continuous or not",
    hypotheses=(NO_VALLEY,),
    conclusion=NO_STRICT_BAD,
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    because="a strict local minimum is a component of its own sub-level set",
    remarks=(
        "The converse fails: x^2/(1 + x^4) has no bad local minimum, and its sub-level set at 2/5 has a component beyond sqrt 2.",
    ),
    edges=(
        Edge(Relation.RELATED, "sun2020.thm-IV.1"),
        Edge(Relation.USES, "sun2020.def-IV.2"),
        Edge(Relation.USES, "sun2020.def-II-minima"),
    ),
    concepts=(Concept.VALLEYS, Concept.LOCAL_MINIMA),
    examples=(
        Example(
            "two sigmoid units at a bad minimum",
            True,
            Outcome.HOLDS,
            on(lambda: instances.sigmoid(*N2, 2), ln2((0, 1), (0, 1), 1, 1)),
            source="by hand: the point is flat along v1 - v2",
        ),
        Example(
            "the double well",
            False,
            Outcome.VACUOUS,
            on(instances.double_well),
            source="by hand: strict bad minimum and valley near x = 1",
        ),
        Example(
            "one unit, one sample",
            True,
            Outcome.HOLDS,
            on(instances.fig2),
            smallest=True,
            source="by hand: the bad minima form a ray",
        ),
    ),
)


def _non_decreasing(subject: Subject) -> Judgement:
    """As printed: a path on which F does not decrease, to smaller loss. Impossible wherever there is smaller loss."""
    bad = BAD_MINIMUM.test(subject)
    if bad.holds is not True:
        return bad if bad.holds is None else Judgement.unknown("there is no bad local minimum to start from")
    return Judgement(False, "F at the end of such a path is at least F at its start", bad.trust, bad.shows)


VALLEY_PATH = Statement(
    id="sun2020.fact-IV-valley-path",
    sort=Sort.FACT,
    section="IV-D",
    title="Without spurious valleys a path leads out of every bad minimum",
    text="Printed: if there is no spurious valley, a non-decreasing path leads from every bad local minimum to smaller loss. "
    "Meant is a non-increasing one.",
    latex=r"\text{no spurious valley}\Rightarrow\forall\text{ bad local min }\exists\text{ ``non-decreasing'' path to smaller loss}",
    quantifiers="for all F without spurious valleys, all bad local minima",
    hypotheses=(NO_VALLEY, BAD_MINIMUM),
    conclusion=Predicate(
        "non-decreasing-path-down", "a path on which F does not decrease leads to smaller loss", _non_decreasing
    ),
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    because="a slip of the pen: a path to smaller loss cannot be non-decreasing",
    fairness=Fairness.PEDANTIC,
    finding="'Non-decreasing' should read 'non-increasing'; by the letter it fails at every bad local minimum.",
    repair=Repair(
        "A non-increasing path, for losses of the tame kind that networks have.",
        (NO_VALLEY, BAD_MINIMUM),
        LOWER_BY_PATH,
    ),
    remarks=(
        "For arbitrary continuous F even the repaired form can fail: sub-level sets may be connected without being path-connected.",
    ),
    edges=(Edge(Relation.USES, "sun2020.def-IV.2"), Edge(Relation.USES, "sun2020.quote-IV-venturi")),
    concepts=(Concept.VALLEYS, Concept.PATHS),
    examples=(
        Example(
            "three sigmoid units on x = (1, 2, 3)",
            False,
            Outcome.REFUTED,
            on(lambda: instances.sigmoid(*N3, 3), ln2((0, 1), (0, 1), (0, 1), 1, 1, 1)),
            repaired=Outcome.HOLDS,
            source="by hand: F = 25/16 at the minimum; (1, 1, 1) -> (3, 0, 0), move w2, w3, then v to its solution",
        ),
        Example(
            "Figure 2 at (1, 1)",
            False,
            Outcome.REFUTED,
            on(instances.fig2, 1, 1),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: F = 1, and 0 at (2, -8)",
        ),
        Example(
            "(vw-1)^2",
            False,
            Outcome.VACUOUS,
            on(instances.vw),
            repaired=Outcome.VACUOUS,
            source="it has no bad local minimum",
        ),
        Example("descents of any size", True, Outcome.HOLDS, recipe=Recipe("exhibit", "sun2020.fact-IV-valley-path")),
    ),
)

STATEMENTS: tuple[Statement, ...] = (VALLEY, VALLEY_STRICT, VALLEY_PATH)
