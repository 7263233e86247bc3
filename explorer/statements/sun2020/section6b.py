"""Sections VI-B and VI-C: adding an exponential unit, decreasing paths to infinity, coercive functions."""

from __future__ import annotations

from fractions import Fraction

from explorer.budget import Deadline
from explorer.network import AddedExponential
from explorer.paths.curves import EscapeCurve, Piece, powers
from explorer.paths.separate import classifiers
from explorer.point import Point, RationalField
from explorer.probes.slices import loss_terms
from explorer.problem import DenseNetwork, Loss, Problem
from explorer.solve.bounds import coercive
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
from explorer.statements.predicates import squared_loss
from explorer.statements.sun2020.conditions import on_problem
from explorer.statements.sun2020.instances import on, vw, xyz

F = Fraction
USES, RELATED = Relation.USES, Relation.RELATED
SEARCH = 5  # seconds for a classifying network


# -- Theorem VI.1 ---------------------------------------------------------------------------------------------------------


def added(widths: list[int], inputs: list[int], targets: list[int], **options: object) -> Problem:
    """A network with one exponential unit a exp(w.x + b), and a^2/2 as the regularizer."""
    plain = Problem.dense(widths=widths, inputs=inputs, targets=targets, **options)  # type: ignore[arg-type]
    weights = [F(0)] * len(plain.parameters) + [F(1, 2)] + [F(0)] * (widths[0] + 1)
    return Problem.dense(
        widths=widths, inputs=inputs, targets=targets, added_exponential=True,
        regularizer={"kind": "l2", "weights": weights}, slug="added-unit", **options,  # type: ignore[arg-type]
    )  # fmt: skip


def _added(p: Problem) -> bool:
    r = p.regularizer
    if not isinstance(p.network, AddedExponential) or r is None or r.kind != "l2":
        return False
    k = p.network.base.parameter_count
    return r.weights[k] > 0 and not any(r.weights[:k]) and not any(r.weights[k + 1 :])


def classified(subject: Subject) -> Judgement:
    """Some parameters of the network without the added unit classify every sample (labels are signs)."""
    p = subject.problem
    net = p.network.base if isinstance(p.network, AddedExponential) else p.network
    if not isinstance(net, DenseNetwork) or p.data is None or p.loss is None or net.widths[-1] != 1:
        return Judgement(False, "the problem is not a network with one output on data")
    plain = Problem(net, p.data, Loss("logistic", p.loss.weights))
    clock = Deadline(SEARCH if subject.budget.seconds is None else min(SEARCH, subject.budget.seconds))
    found = next(iter(classifiers(plain, seed=0, deadline=clock)), None)
    if found is None:
        return Judgement.unknown("no classifying parameters were found")
    return Judgement(True, "parameters with y_i f(x_i) > 0 for every sample are known")


def _local_minimum_exists(subject: Subject) -> Judgement:
    p = subject.problem
    if p.loss is None or p.data is None or p.loss.kind != "logistic":
        return Judgement.unknown("decided for the logistic loss only")
    if len(set(p.data.inputs)) < len(p.data):
        return Judgement.unknown("repeated inputs: the argument needs different exponentials")
    why = "at a local minimum a = 0 and every slope of the loss would have to vanish; the logistic loss has no critical point"
    return Judgement(False, why, shows=(Witness("no-local-minimum"),))


ADDED = on_problem(
    "added-exponential", "an exponential unit a exp(w.x + b) is added to a network, and only a is regularized", _added
)
LOGISTIC = on_problem(
    "logistic-loss", "the loss is the logistic loss", lambda p: p.loss is not None and p.loss.kind == "logistic"
)
CLASSIFIED = Predicate(
    "classified", "some parameters classify every sample", classified, r"\exists\theta:\ y_if_\theta(x_i)>0"
)
ATTAINED = on_problem(
    "attained-loss", "the loss is non-increasing in the margin and attains its least value wherever its slope vanishes (such as max(0, 1 - z)^3)",
    lambda p: False,  # no loss of the problem format is one of these: logistic has no minimum, squared is no margin loss
)  # fmt: skip
THREE_PARTS = Predicate(
    "three-parts", "a local minimum exists; a = 0 at every one; every one is global, and its theta minimises the loss of the network without the added unit", _local_minimum_exists
)  # fmt: skip


def _line() -> Subject:
    return Subject(added([1, 1], [1], [1], loss="logistic"))


THEOREM_1 = Statement(
    id="sun2020.thm-VI.1",
    sort=Sort.THEOREM,
    section="VI-B",
    title="Adding one exponential unit",
    text="For the logistic loss and data that some parameters classify, adding one exponential unit with a squared penalty on its output weight gives a loss that (i) has a local minimum, (ii) has a = 0 at local minima, (iii) has only global ones, whose theta minimises the original loss.",
    latex=r"\tilde L_n=\sum_i\ell\big(y_i,f_\theta(x_i)+ae^{w^\top x_i+b}\big)+\tfrac{\lambda a^2}2:\quad\text{(i), (ii), (iii)}",
    quantifiers="for all networks and all data that can be classified",
    hypotheses=(ADDED, LOGISTIC, CLASSIFIED),
    conclusion=THREE_PARTS,
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    fairness=Fairness.SOLID,
    because="as printed, with the logistic loss, part (i) fails: no local minimum exists; the survey's wording is meant, the original paper uses other losses",
    finding="At a local minimum a = 0 and sum_i c_i exp(w'.x_i) = 0 for all w' near w, with c_i the slopes of the loss: they vanish, which the slope of the logistic loss never does. The smallest instance is f = theta x on (1, +1). So (ii) and (iii) are empty, and so is arg min of the original loss.",
    repair=Repair(
        "A C^1 loss that is non-increasing in the margin and minimal wherever its slope vanishes, attained (a polynomial hinge), zero loss realisable, lambda > 0.",
        (ADDED, ATTAINED, CLASSIFIED),
        Predicate(
            "three-parts-attained",
            THREE_PARTS.text,
            lambda s: Judgement.unknown("no loss of the problem format is a hinge power"),
        ),
    ),
    remarks=(
        "For every differentiable loss and lambda > 0 the identity a dL/da - dL/db = lambda a^2 forces a = 0 at critical points; lambda > 0 is not stated.",
        "With the squared loss every local minimum interpolates (rule added-unit).",
    ),
    edges=(
        Edge(USES, "sun2020.quote-VI-inactive"),
        Edge(Relation.CONTRASTS, "sun2020.rem-IV-3"),
    ),
    concepts=(Concept.LOCAL_MINIMA, Concept.COERCIVITY, Concept.LOSS),
    examples=(
        Example(
            "f = theta x, one sample",
            False,
            Outcome.REFUTED,
            _line,
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: dL/dtheta never vanishes",
        ),
        Example(
            "line and ReLU units", False, Outcome.REFUTED, recipe=Recipe("refute", "sun2020.thm-VI.1"), source="recipe"
        ),
        Example(
            "squared loss", False, Outcome.VACUOUS, lambda: Subject(added([1, 1], [1], [1])), repaired=Outcome.VACUOUS
        ),
    ),
)


def _dead() -> Problem:
    return added([1, 1, 1], [1], [1], activation="relu")


#: (w, v) = (-1, 1) stays, a = 1/t - 1/t^2, w' = 0, b = ln t: the output is 1 - 1/t
WAY: Piece = (
    (((F(-1),), (0, 0)),),
    (((F(1),), (0, 0)),),
    (((F(-1),), (-2, 0)), ((F(1),), (-1, 0))),
    (),
    (((F(1),), (0, 1)),),
)


def _way(subject: Subject) -> Judgement:
    if subject.problem.digest != _dead().digest or subject.point != Point.rational([-1, 1, 0, 0, 0]):
        return Judgement.unknown(
            "the path is known for one dead ReLU unit on (1, 1), squared loss, at (w, v, a, w', b) = (-1, 1, 0, 0, 0)"
        )
    curve = EscapeCurve(RationalField(), WAY, F(1), F(0), "the added unit does the work, b grows like ln t")
    shows = (Witness("infimum-at-infinity", options={"curve": curve}),)
    return Judgement(
        True,
        "a = 1/t - 1/t^2, b = ln t: F falls to 0, which is its infimum, and the dead unit is never repaired",
        shows=shows,
    )


LIMITATION = Statement(
    id="sun2020.quote-VI-limitation",
    sort=Sort.QUOTE,
    section="VI-B",
    title="A limitation: new decreasing paths to infinity",
    text="On the landscape with the added unit a former bad local minimum may acquire a decreasing path to infinity.",
    latex=r"\exists\ \text{a decreasing path }\|\theta(t)\|\to\infty\text{ from a former bad local minimum}",
    quantifiers="there is an example",
    hypotheses=(ADDED, squared_loss()),
    conclusion=Predicate(
        "way-to-infinity", "from the point a path leads to infinity along which F decreases strictly", _way
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="one dead ReLU unit: before, a certified bad local minimum; after, a certified path",
    edges=(Edge(RELATED, "sun2020.thm-VI.1"),),
    concepts=(Concept.COERCIVITY, Concept.PATHS),
    examples=(
        Example(
            "a dead ReLU unit",
            True,
            Outcome.HOLDS,
            on(_dead, -1, 1, 0, 0, 0),
            smallest=True,
            source="by hand: F = 1/t^2 + (1/t - 1/t^2)^2/2",
        ),
        Example(
            "before and after",
            True,
            Outcome.HOLDS,
            recipe=Recipe("exhibit", "sun2020.quote-VI-limitation"),
            source="recipe",
        ),
        Example(
            "without the added unit",
            False,
            Outcome.VACUOUS,
            on(lambda: Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[1], targets=[1]), -1, 1),
        ),
    ),
)


# -- paths to infinity and coercivity -------------------------------------------------------------------------------------

XYZ = {(2, 2, 2): 1, (1, 1, 1): -2, (0, 0, 0): 1}
VW = {(2, 2): 1, (1, 1): -2, (0, 0): 1}


def _escapes(subject: Subject) -> Judgement:
    if loss_terms(subject.problem) == XYZ:
        path, better, text = (
            powers([F(-1), F(1), F(1)], [-2, 1, -2]),
            [1, 1, 1],
            "(1 + t^-3)^2 along (-1/t^2, t, 1/t^2), t^2 = k",
        )
    else:
        path, better, text = powers([F(-1), F(1)], [-2, 1]), [1, 1], "(1 + 1/t)^2 along (-1/t^2, t)"
    curve = EscapeCurve(RationalField(), path, F(1), F(1), text)
    shows = (Witness("escape-path", better=Point.rational(better), options={"curve": curve}),)
    return Judgement(True, f"F is {text}: it falls to 1 > 0", shows=shows)


PATH = Statement(
    id="sun2020.toy-VI-xyz",
    sort=Sort.EXAMPLE,
    section="VI-B",
    title="(xyz - 1)^2 has a decreasing path to infinity",
    text="Along (-1/k, sqrt k, 1/k) the function (xyz - 1)^2 decreases strictly to 1 while the norm grows without bound.",
    latex=r"(x_k,y_k,z_k)=(-1/k,\sqrt k,1/k):\quad F=(1+k^{-3/2})^2\downarrow1",
    quantifiers="one function",
    hypotheses=(
        on_problem(
            "xyz",
            "the loss is (xyz - 1)^2 (or (vw - 1)^2)",
            lambda p: len(p.parameters) <= 3 and loss_terms(p) in (XYZ, VW),
        ),
    ),
    conclusion=Predicate(
        "falls-at-infinity",
        "F decreases strictly along the path, whose norm grows without bound, to 1 > inf F",
        _escapes,
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a certificate of the path",
    remarks=(
        "Depth 3 is not needed: (-1/t^2, t) does the same for (vw - 1)^2.",
        "The path is no trajectory of gradient flow, which conserves x^2 - y^2 and y^2 - z^2 and stays bounded.",
    ),
    edges=(
        Edge(Relation.RELATED, "sun2020.thm-III.1"),
        Edge(Relation.CONTRASTS, "sun2020.def-VI-coercive"),
    ),
    concepts=(Concept.COERCIVITY, Concept.DEEP_LINEAR, Concept.PATHS),
    examples=(
        Example("vw", True, Outcome.HOLDS, on(vw), smallest=True, source="by hand"),
        Example("xyz", True, Outcome.HOLDS, on(xyz), source="by hand"),
        Example("recipes", True, Outcome.HOLDS, recipe=Recipe("exhibit", "sun2020.toy-VI-xyz"), source="recipe"),
        Example("another function", False, Outcome.VACUOUS, on(lambda: Problem.monomial(["x"], {(2,): 1}))),
    ),
)


def _coercive(subject: Subject) -> Judgement:
    why = coercive(subject.problem, loss_terms(subject.problem))
    return Judgement(True, why) if why else Judgement(False, "F is not seen to be coercive")


def _no_escape(subject: Subject) -> Judgement:
    shows = (Witness("coercive"),) if subject.problem.data is not None else ()
    return Judgement(True, "every sublevel set is bounded, so F grows along every path to infinity", shows=shows)


def ridge() -> Problem:
    """(vw - 1)^2 + (v^2 + w^2)/4."""
    return Problem.dense(
        widths=[1, 1, 1], inputs=[1], targets=[1], regularizer={"kind": "l2", "weights": "1/4"}, slug="ridge"
    )


def eq8(inputs: list[object], targets: list[int], weights: list[object]) -> Problem:
    """Equation (8): ReQU units with biases, logistic loss, the cubic regularizer."""
    rows = [list(x) if isinstance(x, tuple) else [x] for x in inputs]
    return Problem.dense(
        widths=[len(rows[0]), len(weights), 1], activation="requ", bias=True, inputs=rows, targets=targets, loss="logistic",
        regularizer={"kind": "neuron-cubic", "weights": weights}, slug="requ",
    )  # fmt: skip


COERCIVE = Statement(
    id="sun2020.def-VI-coercive",
    sort=Sort.DEFINITION,
    section="VI-C",
    title="Coercive functions",
    text="F is coercive if it tends to infinity with the norm of its argument; then there is no decreasing path to infinity.",
    latex=r"\lim_{\|\theta\|\to\infty}F(\theta)=\infty",
    quantifiers="definition and implication",
    hypotheses=(Predicate("coercive", "F is coercive (seen from its regularizer, or from its squares)", _coercive),),
    conclusion=Predicate(
        "no-decreasing-path", "there is no decreasing path to infinity: sublevel sets are bounded", _no_escape
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="explicit radii of sublevel sets are certified",
    remarks=("The converse fails: x^2/(1 + x^2) is bounded and has no decreasing path to infinity.",),
    concepts=(Concept.COERCIVITY,),
    examples=(
        Example("ridge", True, Outcome.HOLDS, on(ridge), smallest=True, source="by hand"),
        Example(
            "equation (8)", True, Outcome.HOLDS, on(lambda: eq8([2, F(-1, 2)], [1, -1], ["1/100", "1/50", "1/20"]))
        ),
        Example("vw", False, Outcome.VACUOUS, on(vw), source="by hand: F = 0 on vw = 1"),
        Example("recipes", True, Outcome.HOLDS, recipe=Recipe("exhibit", "sun2020.def-VI-coercive"), source="recipe"),
    ),
)


STATEMENTS = (THEOREM_1, LIMITATION, PATH, COERCIVE)
