"""Section V-B, second half, and V-C: linear networks, Bezier curves, saddles."""

from __future__ import annotations

from explorer.probes.planes import parabola
from explorer.probes.slices import bezier, mean_on_unit
from explorer.problem import DenseNetwork
from explorer.statements.nouns import (
    Concept,
    Edge,
    Example,
    Fairness,
    Ground,
    Judgement,
    NotCheckable,
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
from explorer.statements.predicates import on_data, squared_loss
from explorer.statements.sun2020 import instances
from explorer.statements.sun2020.conditions import (
    LINEAR,
    NO_REGULARIZER,
    exact_points,
    on_points,
)
from explorer.statements.sun2020.instances import on
from explorer.statements.sun2020.joining import (
    ALL_GLOBAL,
    BEND,
    JOINED,
    PAIR,
)


def _parabola(subject: Subject) -> Judgement:
    path = parabola(subject.problem, *exact_points(subject))
    return Judgement(True, path.legs[0].because, shows=(Witness("bounded-path", options={"path": path}),), partial=True)


THREE_UNITS = on_data(
    "three-units",
    "two linear layers with at least three units and one output",
    lambda net, data: net.depth == 2 and net.widths[1] >= 3 and net.widths[2] == 1,
)


def _independent(subject: Subject) -> Judgement:
    from explorer.probes.flat import rank

    net = subject.problem.network
    if not isinstance(net, DenseNetwork):
        return Judgement(False, "the problem is not a dense network on data")
    rows = [tuple(c[0] for c in p.coordinates[-net.widths[1] :]) for p in exact_points(subject)]
    holds = rank(rows) == 2
    return Judgement(holds, "exact rank" if holds else "the output weights are parallel")


INDEPENDENT = Predicate(
    "independent-output-weights", "the output weights of the two minima are not parallel", on_points(2, _independent)
)

PARABOLA = Statement(
    id="aud.lemma-V4-linear",
    sort=Sort.AUDIT,
    section="V-B",
    title="Two linear layers: a planar path of constant loss",
    text="For two linear layers with one output and at least three units, two global minima with independent output weights are "
    "joined by a parabola (or an arc of an ellipse) of constant loss in a plane that is found by linear equations.",
    latex=r"V_1S+pW_1=\kappa,\ \Delta VS+p\Delta W=0,\ pS=0\Rightarrow f-y=\kappa(s^2-s+t)",
    quantifiers="for all such pairs of minima",
    hypotheses=(LINEAR, squared_loss(), NO_REGULARIZER, THREE_UNITS, PAIR, ALL_GLOBAL, INDEPENDENT),
    conclusion=Predicate("parabola", "F is constant on a parabola through both minima", _parabola),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="the equations have a solution for every p independent of the output weights; certified on the instances",
    remarks=("kappa = 0 means that the segment itself is constant.",),
    edges=(Edge(Relation.RELATED, "sun2020.conj-V.4"), Edge(Relation.RELATED, "sun2020.conj-V.3")),
    concepts=(Concept.PATHS, Concept.DEEP_LINEAR),
    examples=(
        Example(
            "three units, outputs (1, 2)",
            True,
            Outcome.HOLDS,
            on(instances.linear_three, points=instances.LINEAR_MINIMA),
            source="by hand: both have outputs (1, 2)",
        ),
        Example(
            "three units, one sample",
            True,
            Outcome.HOLDS,
            on(lambda: instances.linear([1, 3, 1], [1], [1]), points=((1, 0, 0, 1, 0, 0), (0, 1, 0, 0, 1, 0))),
            smallest=True,
            source="by hand: v.w = 1 at both",
        ),
        Example(
            "one unit",
            False,
            Outcome.VACUOUS,
            on(instances.vw, points=((1, 1), (-1, -1))),
            source="by hand: the branches are not connected",
        ),
    ),
)

WIDER = on_data(
    "hidden-wider-than-ends",
    "every hidden layer is wider than the smaller of input and output",
    lambda net, data: net.depth >= 2 and min(net.widths[1:-1]) > min(net.widths[0], net.widths[-1]),
    latex=r"d_k>\min(d_0,d_L)",
)

SUBLEVEL = Statement(
    id="sun2020.quote-V-freeman-bruna",
    sort=Sort.QUOTE,
    section="V-B",
    title="Sub-level sets of linear networks are connected",
    text="Quoted: for deep linear networks, and for very wide ReLU networks with one hidden layer, all sub-level sets are connected.",
    latex=r"\{\theta:F(\theta)\le c\}\text{ connected for every }c",
    quantifiers="for all levels; as printed for deep linear networks of every width",
    hypotheses=(LINEAR, squared_loss(), NO_REGULARIZER, PAIR, ALL_GLOBAL),
    conclusion=JOINED,
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    because="(vw - 1)^2 is a linear network, and its sub-level set at 1/4 has two components",
    fairness=Fairness.SOLID,
    finding="The survey's paraphrase has no condition on width: for (vw - 1)^2 and c = 1/4 the set {F <= c} is disconnected, since F = 1 where v = 0. "
    "The original is not accused; it is recalled to ask for hidden widths above min(d_0, d_L).",
    repair=Repair(
        "Hidden layers wider than the smaller of input and output.",
        (LINEAR, squared_loss(), NO_REGULARIZER, WIDER, PAIR, ALL_GLOBAL),
        JOINED,
    ),
    remarks=(
        "Decided here for two global minima at the level 0.",
        "The part on ReLU networks is true for more units than samples (aud.lemma-one-hidden).",
    ),
    edges=(Edge(Relation.RELATED, "sun2020.conj-V.4"), Edge(Relation.RELATED, "aud.lemma-one-hidden")),
    concepts=(Concept.PATHS, Concept.DEEP_LINEAR, Concept.WIDTH),
    examples=(
        Example(
            "(vw-1)^2",
            False,
            Outcome.REFUTED,
            on(instances.vw, points=((1, 1), (-1, -1))),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: F = 1 on v = 0",
        ),
        Example(
            "two linear units, one sample",
            True,
            Outcome.HOLDS,
            on(lambda: instances.linear([1, 2, 1], [1], [1]), points=((1, 0, 1, 0), (-1, 0, -1, 0))),
            repaired=Outcome.HOLDS,
            source="by hand: v = w = (cos, sin)",
        ),
        Example(
            "a ReLU network",
            False,
            Outcome.VACUOUS,
            on(instances.relu_pair),
            repaired=Outcome.VACUOUS,
            source="not linear",
        ),
    ),
)


def _energy(subject: Subject) -> Judgement:
    a, bend, b = exact_points(subject)
    c = bezier(subject.problem, a, bend, b)
    return Judgement(True, f"mean energy {mean_on_unit(c)}, a polynomial of degree {len(c) - 1} along the curve")


BEZIER = Statement(
    id="sun2020.def-V-bezier",
    sort=Sort.DEFINITION,
    section="V-B",
    title="Bezier curves between minima and their energy",
    text="A quadratic curve with ends at two minima and a control point that is chosen so that the mean loss along it is small.",
    latex=r"\theta_\psi(t)=(1-t)^2\theta_1^*+2t(1-t)\psi+t^2\theta_2^*,\quad\min_\psi\int_0^1F(\theta_\psi(t))\,dt",
    quantifiers="a definition",
    hypotheses=(BEND,),
    conclusion=Predicate("bezier-energy", "the mean loss along the curve is a number, integrated exactly", _energy),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a definition; integrated exactly for polynomial losses",
    remarks=(
        "The control point is not on the curve in general: the curve passes (theta_1 + 2 psi + theta_2)/4 half-way.",
        "On a hyperbola no polynomial curve other than a point has energy 0.",
    ),
    concepts=(Concept.PATHS,),
    examples=(
        Example(
            "(vw-1)^2 from (1, 1) to (4, 1/4), straight",
            True,
            Outcome.HOLDS,
            on(instances.vw, points=((1, 1), ("5/2", "5/8"), (4, "1/4"))),
            source="by hand: the control point half-way gives the segment, 27/160",
        ),
        Example(
            "two linear units, a silent weight moved",
            True,
            Outcome.HOLDS,
            on(
                lambda: instances.linear([1, 2, 1], [1], [1]), points=((1, 1, 1, 0), (1, 1, "1/2", "1/2"), (1, 1, 0, 1))
            ),
            smallest=True,
            source="by hand: v1 + v2 = 1 along the curve, energy 0",
        ),
        Example(
            "no control point",
            False,
            Outcome.VACUOUS,
            on(instances.vw, points=((1, 1), (-1, -1))),
            source="three points are needed",
        ),
    ),
)

DAUPHIN = Statement(
    id="sun2020.quote-V-dauphin",
    sort=Sort.QUOTE,
    section="V-C",
    title="Saddles rather than local minima",
    text="A quoted hypothesis: most local minima are close to global ones, so that descent which is stuck at a large loss is "
    "probably at a saddle.",
    latex=r"F(\theta)\text{ large},\ \nabla F(\theta)\approx0\Rightarrow\text{index}\ge1\text{ (mostly)}",
    quantifiers="statistical: 'most', 'likely'",
    hypotheses=(),
    conclusion=NotCheckable(
        "a statistical statement ('most', 'likely') without a distribution of networks, data or stuck points"
    ),
    verdict=Verdict.OPEN,
    ground=Ground.CITED,
    because="an empirical hypothesis of the work quoted",
    remarks=(
        "(vw - 1)^2 fits it: the only critical point of large loss is a saddle of index 1.",
        "ReLU networks with inactive units do not: flat local minima of large loss.",
    ),
    edges=(
        Edge(Relation.RELATED, "aud.lemma-relu-n1-probability"),
        Edge(Relation.USES, "sun2020.def-III.1"),
    ),
    concepts=(Concept.SADDLES, Concept.DYNAMICS),
)

STATEMENTS: tuple[Statement, ...] = (PARABOLA, SUBLEVEL, BEZIER, DAUPHIN)
