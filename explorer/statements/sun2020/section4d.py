"""Section IV-D, second half: setwise strict minima, basins, and wide networks that have none."""

from __future__ import annotations

from explorer.point import AnyPoint, Point
from explorer.problem import Problem
from explorer.solve.results import Component
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
from explorer.statements.predicates import on_data
from explorer.statements.sun2020 import instances
from explorer.statements.sun2020.conditions import (
    BAD_MINIMUM,
    CONVEX_LOSS,
    HIDDEN,
    HOMOGENEOUS,
    NETWORK,
    NO_REGULARIZER,
    SEPARATED,
    SOME_WIDE,
    WIDE_LAST,
    everywhere,
    look,
)
from explorer.statements.sun2020.instances import ln2, on
from explorer.statements.sun2020.section4b import N2, N3
from explorer.statements.sun2020.sets import NO_BASIN, NO_STRICT_SET, decided

NARROW = on(lambda: instances.sigmoid([1, 3], ["-10/3", "35/9"], 1), ln2((0, 1), 1), points=(ln2((0, -1), "-11/2"),))
PROP_3 = on(instances.narrow_polynomial, 0, -1, points=((2, "19/157"),))

SETWISE = Statement(
    id="sun2020.def-IV.3",
    sort=Sort.DEFINITION,
    section="IV-D",
    title="Setwise strict local minimum",
    text="A compact set is a setwise strict local minimum if every point near it but outside has a larger value than every "
    "point of the set close to it.",
    latex=r"X\text{ compact},\ \exists\varepsilon>0:\ x\in X,\ y\notin X,\ |x-y|\le\varepsilon\Rightarrow f(x)<f(y)",
    quantifiers="a definition; decided here for compact sets that contain the given point",
    hypotheses=(NETWORK,),
    conclusion=decided(
        NO_STRICT_SET,
        name="setwise-decided",
        text="whether a compact set that contains the point can be a setwise strict local minimum",
        yes="none can",
        no="the point alone is one",
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a definition; decided with certificates on the instances",
    fairness=Fairness.PEDANTIC,
    remarks=(
        "The empty set satisfies the definition; non-empty sets are meant.",
        "The function need not be constant on the set: [-1, 2] is a setwise strict local minimum of x^2 with eps = 1/4.",
    ),
    concepts=(Concept.VALLEYS,),
    examples=(
        Example(
            "a strict minimum of a narrow sigmoid network",
            True,
            Outcome.HOLDS,
            NARROW,
            source="by hand: Hessian positive definite",
        ),
        Example(
            "Figure 2 at (1, 1)",
            True,
            Outcome.HOLDS,
            on(instances.fig2, 1, 1),
            smallest=True,
            source="by hand: F = 1 on the line w = 1",
        ),
        Example("a polynomial loss", False, Outcome.VACUOUS, on(instances.double_well), source="it is no network"),
    ),
)

BASIN = Statement(
    id="sun2020.def-IV.4",
    sort=Sort.DEFINITION,
    section="IV-D",
    title="Sub-optimal basin",
    text="A sub-optimal basin is a setwise strict local minimum that contains no global minimum.",
    latex=r"X\text{ setwise strict local minimum},\ X\cap\arg\min F=\emptyset",
    quantifiers="a definition; decided here for basins that contain the given point",
    hypotheses=(NETWORK,),
    conclusion=decided(
        NO_BASIN,
        name="basin-decided",
        text="whether the point lies in a non-empty sub-optimal basin",
        yes="it lies in none",
        no="it lies in one",
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a definition; decided with certificates on the instances",
    fairness=Fairness.PEDANTIC,
    remarks=(
        "The empty set is one by the letter, so 'no sub-optimal basin' is read as 'no non-empty one'.",
        "Every non-empty basin of a continuous F contains a compact spurious valley.",
    ),
    edges=(Edge(Relation.USES, "sun2020.def-IV.3"),),
    concepts=(Concept.VALLEYS,),
    examples=(
        Example(
            "a strict bad minimum of a narrow sigmoid network",
            True,
            Outcome.HOLDS,
            NARROW,
            source="by hand: a wall of 25 + 1/100 around F = 25",
        ),
        Example(
            "Figure 2 at (1, 1)",
            True,
            Outcome.HOLDS,
            on(instances.fig2, 1, 1),
            smallest=True,
            source="by hand: the flat ray",
        ),
        Example("a polynomial loss", False, Outcome.VACUOUS, on(instances.double_well), source="it is no network"),
        Example(
            "walled basins, and wide networks without",
            True,
            Outcome.HOLDS,
            recipe=Recipe("exhibit", "sun2020.def-IV.4"),
        ),
    ),
)


def _flat_piece(subject: Subject, point: AnyPoint, component: Component | None) -> Judgement:
    if component is not None:
        return Judgement(component.is_family, f"a component of dimension {component.dimension}")
    inertia = look(subject, point).inertia
    if inertia is None:
        return Judgement.unknown("the Hessian is not known there")
    shows = (Witness("critical-inertia", point),) if isinstance(point, Point) else ()
    if inertia.zero:
        return Judgement(
            True, f"the Hessian has a kernel of dimension {inertia.zero}, as it must along a flat piece", shows=shows
        )
    return Judgement(False, "the Hessian is regular: the minimum is isolated", shows=shows)


PLATEAU = Statement(
    id="sun2020.fact-IV-plateau",
    sort=Sort.FACT,
    section="IV-D",
    title="Without basins bad minima lie on plateaus",
    text="If there is no sub-optimal basin, every bad local minimum lies in a connected flat piece that is more than a point.",
    latex=r"\text{no basin}\Rightarrow\text{every bad local min lies in a non-degenerate flat continuum}",
    quantifiers="for all continuous F, all bad local minima",
    hypotheses=(NO_BASIN, BAD_MINIMUM),
    conclusion=Predicate(
        "flat-piece",
        "the bad minimum lies in a family, or its Hessian is singular",
        everywhere(_flat_piece, only="bad local minimum"),
    ),
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    because="an isolated piece of the level set would be a compact basin",
    remarks=(
        "The flat piece may be one-dimensional: a ray in Figure 2.",
        "On an instance a necessary condition is decided: a singular Hessian, or a family of critical points.",
    ),
    edges=(Edge(Relation.USES, "sun2020.def-IV.4"),),
    concepts=(Concept.VALLEYS, Concept.LOCAL_MINIMA),
    examples=(
        Example(
            "Figure 2 at (1, 1)",
            True,
            Outcome.HOLDS,
            on(instances.fig2, 1, 1),
            smallest=True,
            source="by hand: Hessian diag(1/2, 0)",
        ),
        Example(
            "two sigmoid units at a bad minimum",
            True,
            Outcome.HOLDS,
            on(lambda: instances.sigmoid(*N2, 2), ln2((0, 1), (0, 1), 1, 1)),
            source="by hand: v1 - v2 is free",
        ),
        Example(
            "the double well",
            False,
            Outcome.VACUOUS,
            on(instances.double_well),
            source="by hand: its bad minimum is a basin",
        ),
    ),
)

WIDE_LAYER = Statement(
    id="sun2020.thm-IV.2",
    sort=Sort.THEOREM,
    section="IV-D",
    title="A wide last hidden layer: no sub-optimal basin",
    text="Some coordinate separates the inputs, the last hidden layer has at least n units, the activations are continuous and "
    "the loss is convex: then there is no sub-optimal basin.",
    latex=r"d_{L-1}\ge n,\ \sigma_l\text{ continuous},\ \ell(a,\cdot)\text{ convex}\Rightarrow\text{no sub-optimal basin}",
    quantifiers="for all such data, networks and losses",
    hypotheses=(SEPARATED, WIDE_LAST, CONVEX_LOSS, NO_REGULARIZER),
    conclusion=NO_BASIN,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="an unbounded curve of constant loss passes through every point; certified on the instances",
    fairness=Fairness.PEDANTIC,
    remarks=(
        "More is true with less: under the width alone there is no non-empty setwise strict local minimum at all, optimal or not "
        "(aud.lemma-flatline). Separated inputs and convexity are not needed.",
        "For positively homogeneous activations the conclusion holds at every width, so for ReLU networks it says nothing about width; spurious valleys do.",
    ),
    edges=(
        Edge(Relation.USES, "sun2020.def-IV.3"),
        Edge(Relation.USES, "sun2020.def-IV.4"),
        Edge(Relation.IMPLIED_BY, "aud.lemma-flatline"),
        Edge(Relation.RELATED, "aud.lemma-homogeneous"),
    ),
    concepts=(Concept.VALLEYS, Concept.WIDTH),
    examples=(
        Example(
            "three sigmoid units at a bad minimum",
            True,
            Outcome.HOLDS,
            on(lambda: instances.sigmoid(*N3, 3), ln2((0, 1), (0, 1), (0, 1), 1, 1, 1)),
            source="by hand: v1 - v2 is free",
        ),
        Example(
            "Figure 2 at (1, 1)",
            True,
            Outcome.HOLDS,
            on(instances.fig2, 1, 1),
            smallest=True,
            source="by hand: phi(1) = 0, so v is free",
        ),
        Example(
            "a narrow polynomial network",
            False,
            Outcome.VACUOUS,
            PROP_3,
            source="by hand: width 1 < 2, a strict bad minimum",
        ),
        Example(
            "one ReLU unit on two samples",
            False,
            Outcome.VACUOUS,
            on(instances.relu_pair, 1, 1),
            source="width 1 < 2 (the conclusion holds all the same: scaling)",
        ),
    ),
)

FLATLINE = Statement(
    id="aud.lemma-flatline",
    sort=Sort.AUDIT,
    section="IV-D",
    title="A wide hidden layer: no setwise strict local minimum",
    text="If some hidden layer has at least n + 1 units, or n units and continuous activations, no non-empty compact set is a "
    "setwise strict local minimum, whatever the data, the loss and the other layers.",
    latex=r"d_k\ge n+1\ \text{or}\ (d_k\ge n,\ \phi\text{ continuous})\Rightarrow\text{no non-empty setwise strict local min}",
    quantifiers="for all data, labels, losses and other layers",
    hypotheses=(SOME_WIDE, NO_REGULARIZER),
    conclusion=NO_STRICT_SET,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="dependent units give a line of constant loss; n independent ones a curve that is unbounded or runs into that case",
    remarks=(
        "Dependent features c^T Z = 0: the next weights may move along c. Where they leave a compact set, equal values contradict strictness.",
        "Independent ones: move any lower parameter and compensate by W Z Z(t)^-1.",
    ),
    edges=(Edge(Relation.RELATED, "sun2020.fn-VII-6"),),
    concepts=(Concept.VALLEYS, Concept.WIDTH),
    examples=(
        Example(
            "three sigmoid units on two samples",
            True,
            Outcome.HOLDS,
            on(lambda: instances.sigmoid([1, 2], [0, 1], 3), ln2((0, 1), (0, 2), (0, -1), 1, 2, 3)),
            source="by hand: three vectors in the plane are dependent",
        ),
        Example(
            "a wide first layer of two hidden ones",
            True,
            Outcome.HOLDS,
            on(instances.two_hidden, *range(1, 8)),
            source="by hand: three units, two samples",
        ),
        Example(
            "one unit, one sample: Figure 2",
            True,
            Outcome.HOLDS,
            on(instances.fig2, 1, 1),
            smallest=True,
            source="by hand: phi(1) = 0",
        ),
        Example("a narrow polynomial network", False, Outcome.VACUOUS, PROP_3, source="by hand: width 1 < 2"),
    ),
)

HOMOGENEOUS_LEMMA = Statement(
    id="aud.lemma-homogeneous",
    sort=Sort.AUDIT,
    section="IV-D",
    title="Homogeneous activations: no setwise strict local minimum at any width",
    text="With a positively homogeneous activation, scaling the incoming weights of a unit up and its outgoing ones down leaves "
    "the loss unchanged: an unbounded curve of constant loss passes through every point.",
    latex=r"\phi(az)=a^r\phi(z)\Rightarrow F(aw_j,ab_j,a^{-r}v_j)=F(w_j,b_j,v_j)",
    quantifiers="all widths, data and losses, no regularizer",
    hypotheses=(HIDDEN, HOMOGENEOUS, NO_REGULARIZER),
    conclusion=NO_STRICT_SET,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="the curve is written down; certified on the instances",
    remarks=(
        "So ReLU, leaky ReLU, linear, squared and squared-ReLU networks never have compact basins, and Proposition IV.3 needs other activations.",
    ),
    edges=(Edge(Relation.CONTRASTS, "sun2020.prop-IV.3"), Edge(Relation.CONTRASTS, "sun2020.thm-IV.2")),
    concepts=(Concept.VALLEYS, Concept.RELU),
    examples=(
        Example(
            "one ReLU unit on x = (1, -1)",
            True,
            Outcome.HOLDS,
            on(instances.relu_pair, 1, 1),
            smallest=True,
            source="by hand: F(7, 1/7) = F(1, 1) = 4",
        ),
        Example(
            "two squared-ReLU units",
            True,
            Outcome.HOLDS,
            on(lambda: Problem.dense(widths=[1, 2, 1], activation="requ", inputs=[1, -1], targets=[1, 2]), 1, -1, 2, 3),
            source="by hand: degree 2",
        ),
        Example(
            "the narrow polynomial network",
            False,
            Outcome.VACUOUS,
            PROP_3,
            source="by hand: t^2 + 1 is not homogeneous, and a strict minimum exists",
        ),
    ),
)

CONTINUOUS = on_data(
    "continuous-activations", "the activations are continuous (all of the format are)", lambda net, data: net.depth >= 2
)

STATEMENTS: tuple[Statement, ...] = (SETWISE, BASIN, PLATEAU, WIDE_LAYER, FLATLINE, HOMOGENEOUS_LEMMA)
