"""Section V-B, first half: mode connectivity and the two conjectures on planes of minima."""

from __future__ import annotations

from fractions import Fraction

from explorer.errors import ExplorerError
from explorer.probes.descents import segment
from explorer.probes.slices import constant_on_segment, minus, slice_problem
from explorer.solve.critical import critical_set
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
from explorer.statements.predicates import on_data
from explorer.statements.sun2020 import instances
from explorer.statements.sun2020.conditions import (
    LINEAR_OUTPUT,
    NO_REGULARIZER,
    ONE_HIDDEN,
    exact_points,
    on_points,
)
from explorer.statements.sun2020.instances import on
from explorer.statements.sun2020.joining import (
    ALL_GLOBAL,
    JOINED,
    JOINED_DECIDED,
    PAIR,
    TRIPLE,
    barrier,
    planar_path,
    same_hidden,
)

CONNECTIVITY = Statement(
    id="sun2020.def-V-modeconn",
    sort=Sort.DEFINITION,
    section="V-B",
    title="Mode connectivity, planes, energies of paths",
    text="Global minima are connected if paths of constant loss join them. The plane M of three points is introduced as their "
    "linear span, the energies of a path as the largest and the mean loss on it.",
    latex=r"\{F=F^*\}\text{ connected};\ M(v_1,v_2,v_3)=\operatorname{span};\ \min_P\max_{\theta\in P}F,\ \min_P\mathbb E_{\theta\in P}F",
    quantifiers="a definition; decided here for two given minima",
    hypotheses=(PAIR, ALL_GLOBAL),
    conclusion=JOINED_DECIDED,
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.ARGUED,
    because="three independent vectors span three dimensions, not a plane",
    fairness=Fairness.PEDANTIC,
    finding="M is called a plane and defined as the span of three vectors; the contour plots that follow use the affine plane through them.",
    repair=Repair("M is the affine plane of the three points.", (PAIR, ALL_GLOBAL), JOINED_DECIDED),
    remarks=("The mean energy depends on the parametrisation of the path.",),
    concepts=(Concept.PATHS,),
    examples=(
        Example(
            "the branches of vw = 1",
            False,
            Outcome.HOLDS,
            on(instances.vw, points=((1, 1), (-1, -1))),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: F = 1 where v = 0: not joined",
        ),
        Example(
            "two linear units, one sample",
            True,
            Outcome.HOLDS,
            on(lambda: instances.linear([1, 2, 1], [1], [1]), points=((1, 0, 1, 0), (-1, 0, -1, 0))),
            repaired=Outcome.HOLDS,
            source="by hand: v = w = (cos, sin); joined",
        ),
        Example(
            "a point that is no minimum",
            False,
            Outcome.VACUOUS,
            on(instances.vw, points=((1, 1), (2, 2))),
            repaired=Outcome.VACUOUS,
            source="by hand: F = 0 and 9",
        ),
    ),
)


def _rises_in_the_plane(subject: Subject) -> Judgement:
    a, b, c = exact_points(subject)
    path = segment(a, b, level=Fraction(0)) if same_hidden(subject, a, b) else None
    try:
        if path is None and constant_on_segment(subject.problem, a, b):
            path = segment(a, b, level=Fraction(0))
    except ExplorerError as error:
        return Judgement.unknown(error.sentence())
    if path is not None:
        return Judgement(
            False,
            "F = 0 on the whole segment, which lies in every plane through the two points",
            shows=(Witness("bounded-path", options={"path": path}),),
        )
    found = critical_set(slice_problem(subject.problem, a, minus(b, a), minus(c, a)), budget=subject.budget)
    if not found.coverage.complete:
        return Judgement.unknown(found.coverage.reason)
    zeros = [q for q in found.components if q.value.lower <= 0]
    if all(q.dimension == 0 for q in zeros):
        return Judgement(
            True,
            f"F = 0 at {sum(q.orbit or 1 for q in zeros)} isolated points of the affine plane only",
            found.coverage.trust,
        )
    return Judgement.unknown("F = 0 on a curve of the plane; whether it joins the two points is not decided here")


RISES = Predicate(
    "every-planar-path-rises",
    "every path in the plane of the three points from the first to the second has larger loss somewhere",
    _rises_in_the_plane,
)


def _isolated_in_the_plane(subject: Subject) -> Judgement:
    found = _rises_in_the_plane(subject)
    return found if found.holds is None else Judgement(found.holds, found.because, found.trust)


ISOLATED = Predicate(
    "finitely-many-minima-in-plane",
    "the affine plane of the points holds finitely many global minima",
    on_points(3, _isolated_in_the_plane),
)

NO_PLANAR_PATH = Statement(
    id="sun2020.conj-V.3",
    sort=Sort.CONJECTURE,
    section="V-B",
    title="Conjecture V.3: no constant path in the plane of three minima",
    text="In the plane of three global minima every path from the first to the second passes points of larger loss.",
    latex=r"\text{every path in }M(\theta_1^*,\theta_2^*,\theta_3^*)\text{ from }\theta_1^*\text{ to }\theta_2^*\text{ has }\max F>F(\theta_1^*)",
    quantifiers="as printed for all networks, all triples of global minima, all paths",
    hypotheses=(TRIPLE, ALL_GLOBAL),
    conclusion=RISES,
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="minima that share the hidden layer are joined by a segment of constant loss",
    fairness=Fairness.SOLID,
    finding="As printed, without a condition on the triple: with more units than samples two minima can share the hidden weights and differ by "
    "output weights that change no output. Parabolas of constant loss exist with different hidden weights too. Together with Conjecture V.4, "
    "whose path passes a third minimum, it is contradictory for independent triples.",
    repair=Repair(
        "For triples whose affine plane holds finitely many global minima, as random ones do with at least two equations.",
        (TRIPLE, ALL_GLOBAL, ISOLATED),
        RISES,
    ),
    edges=(Edge(Relation.USES, "sun2020.def-V-modeconn"), Edge(Relation.CONTRASTS, "sun2020.conj-V.4")),
    concepts=(Concept.PATHS, Concept.SLICES),
    examples=(
        Example(
            "three sigmoid units with one hidden layer for all minima",
            False,
            Outcome.REFUTED,
            on(instances.shared_layer, points=instances.SHARED),
            repaired=Outcome.VACUOUS,
            source="by hand: (1, -2, 1) times the features is 0, so v may move along it",
        ),
        Example(
            "two linear units, a segment of constant loss",
            False,
            Outcome.REFUTED,
            on(lambda: instances.linear([1, 2, 1], [1], [1]), points=((1, 0, 1, 0), (1, 0, 1, 1), (2, 0, "1/2", 0))),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: the second unit is silent (w_2 = 0), so v_2 is free",
        ),
        Example(
            "three minima of a linear pair in general position",
            True,
            Outcome.HOLDS,
            on(
                lambda: instances.linear([2, 2, 1], [[1, 0], [0, 1]], [1, 1]),
                points=((1, 1, 0, 0, 1, 0), (0, 0, 1, 1, 0, 1), (2, 0, -1, 1, 1, 1)),
            ),
            repaired=Outcome.HOLDS,
            source="two quadrics in a plane, independent resultants: isolated zeros",
        ),
        Example(
            "parabolas and segments of constant loss",
            False,
            Outcome.REFUTED,
            recipe=Recipe("refute", "sun2020.conj-V.3"),
        ),
    ),
)


def _planar(subject: Subject) -> Judgement:
    a, b = exact_points(subject)[:2]
    path = planar_path(subject, a, b)
    if path is not None:
        return Judgement(
            True, path.legs[0].because, shows=(Witness("bounded-path", options={"path": path}),), partial=True
        )
    wall = barrier(subject, a, b)
    if wall is None:
        return Judgement.unknown("neither a planar path of constant loss nor a wall was found")
    return Judgement(False, "no path of constant loss joins the points, in a plane or not", shows=(wall,))


PLANAR = Predicate(
    "planar-constant-path", "some plane through the two points holds a path of constant loss between them", _planar
)
SPARE = on_data(
    "a-spare-unit",
    "the hidden layer has more units than there are samples",
    lambda net, data: net.depth == 2 and net.widths[1] > len(data),
    latex=r"m\ge n+1",
)

PLANAR_PATH = Statement(
    id="sun2020.conj-V.4",
    sort=Sort.CONJECTURE,
    section="V-B",
    title="Conjecture V.4: a constant path in some plane",
    text="For any two global minima there is a third point such that a path of constant loss from one to the other passes it inside "
    "the plane of the three.",
    latex=r"\forall\theta_1^*,\theta_2^*\ \exists\theta_0,\ \gamma\subset M(\theta_1^*,\theta_2^*,\theta_0):\ F\circ\gamma\text{ constant}",
    quantifiers="as printed for all networks and all pairs of global minima",
    hypotheses=(PAIR, ALL_GLOBAL),
    conclusion=PLANAR,
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="global minima may be isolated, or lie on different components",
    fairness=Fairness.SOLID,
    finding="As printed, without a condition on width: (vw - 1)^2 has two branches of minima that no path of constant loss joins, and one unit "
    "with a suitable activation has two isolated minima.",
    repair=Repair(
        "With one hidden layer and more units than samples any two global minima are joined by a polygon of constant loss, not always a planar one.",
        (PAIR, ALL_GLOBAL, ONE_HIDDEN, LINEAR_OUTPUT, SPARE, NO_REGULARIZER),
        JOINED,
    ),
    remarks=(
        "With n units it can fail for positive activations: two sigmoid units, y = (1, -1), the sign of det Z separates the minima.",
        "For two linear layers with at least three units it holds for minima with independent output weights (aud.lemma-V4-linear).",
    ),
    edges=(
        Edge(Relation.USES, "sun2020.def-V-modeconn"),
        Edge(Relation.USES, "sun2020.def-V-bezier"),
        Edge(Relation.CONTRASTS, "sun2020.conj-V.3"),
    ),
    concepts=(Concept.PATHS, Concept.WIDTH),
    examples=(
        Example(
            "two isolated minima",
            False,
            Outcome.REFUTED,
            on(instances.isolated, points=((1, 1), (-1, -1))),
            repaired=Outcome.VACUOUS,
            source="by hand: phi(1) = 0, phi(2) = 1, phi'(2) = 0 and phi odd: F = 0 at (1, 1) and (-1, -1), with definite Hessians",
        ),
        Example(
            "the branches of vw = 1",
            False,
            Outcome.REFUTED,
            on(instances.vw, points=((1, 1), (-1, -1))),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: F = 1 where v = 0",
        ),
        Example(
            "three linear units in general position",
            True,
            Outcome.HOLDS,
            on(instances.linear_three, points=instances.LINEAR_MINIMA),
            repaired=Outcome.HOLDS,
            source="by hand: both have outputs (1, 2)",
        ),
        Example(
            "isolated minima, certified by recipe", False, Outcome.REFUTED, recipe=Recipe("refute", "sun2020.conj-V.4")
        ),
    ),
)


STATEMENTS: tuple[Statement, ...] = (CONNECTIVITY, NO_PLANAR_PATH, PLANAR_PATH)
