"""Section 3.1: gradient flow, Theorem 3.1 with its lemmas, the residual at initialisation."""

from __future__ import annotations

from fractions import Fraction

from explorer.errors import Unsupported
from explorer.gram import chances
from explorer.gram.flow import ends_at, resting
from explorer.gram.limit import least_eigenvalue
from explorer.gram.training import Hidden, keeps_patterns
from explorer.problem import DenseNetwork
from explorer.statements.du2019.conditions import (
    GRAM_EVENT,
    MARGIN,
    MODEL,
    POSITIVE,
    SIGNS,
    UNIT,
    WIDE_FOR_FLOW,
    decided,
    hidden,
    inputs,
    least,
    most,
    predicate,
    reach,
)
from explorer.statements.du2019.instances import E1, HALVES, at, data, one, opposite, relu, same_signs, sixty_degrees
from explorer.statements.nouns import (
    Concept,
    Edge,
    Example,
    Fairness,
    Ground,
    Judgement,
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

USES = Relation.USES


def _still(here: Hidden) -> bool:
    """The gradient with relu'(0) = 1 vanishes: the constant curve solves the flow."""
    return all(g == 0 for row in here.gradient() for g in row)


def _factors(here: Hidden) -> bool:
    """H = G^T G, exactly."""
    columns = list(zip(*here.jacobian, strict=True))
    return all(
        sum((a * b for a, b in zip(columns[i], columns[j], strict=True)), Fraction(0)) == value
        for i, row in enumerate(here.gram)
        for j, value in enumerate(row)
    )


def _flow(subject: Subject) -> Judgement:
    here = hidden(subject)
    if not _factors(here):
        return decided(False, "H is not G^T G")
    sample = ends_at(here)
    if sample is not None:
        why = f"a unit is driven onto its kink at sample {sample + 1} in finite time, and no curve goes on from there"
        return Judgement(False, why, shows=(Witness("flow-ends", subject.point),))
    if _still(here):
        return decided(True, "the gradient vanishes: the constant curve is the solution, and H = G^T G")
    if keeps_patterns(here):
        return decided(True, "no pattern ever changes: the flow is linear for all time, with H = G^T G constant")
    return Judgement.unknown("neither a margin nor an end at an isolated sample is shown")


def _inclusion(subject: Subject) -> Judgement:
    here = hidden(subject)
    because = "Filippov: the right side has linear growth, so the inclusion has solutions for all times; H = G^T G at the point"
    return decided(_factors(here), because if _factors(here) else "H is not G^T G")


EQUATION = Statement(
    id="du2019.eq-5",
    sort=Sort.EQUATION,
    section="3.1, equation (5)",
    title="Dynamics of the predictions, and the Gram matrix H(t)",
    text="Along gradient flow the predictions move as u' = H(t)(y - u) with H(t) the Gram matrix of the derivatives in the hidden weights, read with the indicator of w.x >= 0.",
    latex=r"\dot u(t)=H(t)(y-u(t)),\qquad H_{ij}(t)=\tfrac1m x_i^\top x_j\sum_r I\{w_r^\top x_i\ge0,\,w_r^\top x_j\ge0\}",
    quantifiers="for all t >= 0, from W(0)",
    hypotheses=(MODEL, SIGNS),
    conclusion=predicate("flow-exists", "gradient flow with relu'(0) = 1 has a solution for all times, and H = G^T G", _flow),
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    fairness=Fairness.PEDANTIC,
    because="a unit that is driven onto its kink stops the equation in finite time; a certificate shows it for one unit and one sample",
    finding="Read with I{w.x >= 0} at ties the differential equation need not have a solution: n = m = d = 1, x = 1, y = -1, w(0) = 1 reaches w = 0 at t = log 2 and no absolutely continuous curve goes on. With pairwise orthogonal inputs every deactivation does this. The paper's footnote 4 says that a differential inclusion is meant.",
    repair=Repair(
        "Read the flow as Filippov's differential inclusion, with numbers from [0, 1] instead of the indicators at ties, also in H.",
        (MODEL, SIGNS),
        predicate("inclusion", "the differential inclusion has a solution for all times, and H = G^T G", _inclusion),
    ),
    remarks=("H is the first-layer part of the tangent kernel; where it is positive definite, critical points have zero loss.",),
    edges=(
        Edge(Relation.RELATED, "kawaguchi2019.thm-1"),
        Edge(Relation.RELATED, "sun2020.claim-VI.3"),
        Edge(Relation.RELATED, "jiang2019.lem-1"),
        Edge(USES, "du2019.model"), Edge(USES, "du2019.eq-4")),
    concepts=(Concept.DYNAMICS, Concept.GRAM, Concept.RELU),
    examples=(
        Example("one unit, y = -1", False, Outcome.REFUTED, lambda: one(-1, 1), repaired=Outcome.HOLDS, smallest=True, source="by hand: w = 2 e^-t - 1"),
        Example("orthogonal inputs", False, Outcome.REFUTED, lambda: at(relu([(1, 0), (0, 1)], [-1, 1]), [1, 2], [1]), repaired=Outcome.HOLDS, source="by hand: the two samples decouple"),
        Example("far from the kinks", True, Outcome.HOLDS, sixty_degrees, repaired=Outcome.HOLDS),
        Example("dead unit", True, Outcome.HOLDS, lambda: one(1, -1), repaired=Outcome.HOLDS),
    ),
)  # fmt: skip


def _flow_rate(subject: Subject) -> Judgement:
    here = hidden(subject)
    if here.squared_error == 0:
        return decided(True, "the residual is 0 from the start")
    if keeps_patterns(here) and 2 * here.least.lower >= most(subject):
        return decided(
            True, f"no pattern ever changes, and the residual falls as exp(-H t) with lambda_min(H) {here.least.text}"
        )
    return Judgement.unknown("the trajectory is not followed: no margin")


FLOW_RATE = predicate("rate-flow", "|u(t) - y|^2 <= exp(-lambda_0 t) |u(0) - y|^2 for all t >= 0", _flow_rate, r"\|u(t)-y\|^2\le e^{-\lambda_0t}\|u(0)-y\|^2")  # fmt: skip

THEOREM = Statement(
    id="du2019.thm-3.1",
    sort=Sort.THEOREM,
    section="3",
    title="Linear convergence of gradient flow",
    text="For unit inputs, bounded labels and lambda_0 > 0, a network of width of order n^6/lambda_0^4 at random initialisation is trained by gradient flow to zero loss at the rate lambda_0, with high probability.",
    latex=r"m=\Omega(n^6/\lambda_0^4)\;\Rightarrow\;\text{w.h.p. }\forall t:\ \|u(t)-y\|^2\le e^{-\lambda_0t}\|u(0)-y\|^2",
    quantifiers="for all data with lambda_0 > 0 there is a width from which on: probability over W(0), a at least 1 - delta, for all t",
    hypotheses=(MODEL, UNIT, POSITIVE, WIDE_FOR_FLOW, SIGNS),
    conclusion=FLOW_RATE,
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    fairness=Fairness.PEDANTIC,
    because="true with high probability, for the flow read as an inclusion; the constants are hidden",
    repair=Repair(
        "On one given W(0), without probability: if the pre-activations are farther from 0 than the weights can move, the bound holds for all t.",
        (MODEL, UNIT, POSITIVE, SIGNS, MARGIN, GRAM_EVENT),
        FLOW_RATE,
    ),
    remarks=(
        "One explicit width: 163 (C^2 + 1/2) n^6/(lambda_0^4 delta^3) with |y_i| <= C, each of three events failing with probability at most delta. Two orthogonal inputs, C = 1, delta = 1/10: 2.5 * 10^8.",
        "It cannot be almost sure: one sample with y < 0 fails with probability exactly (3/4)^m.",
        "The printed conclusion leaves out 'for all t >= 0'.",
    ),
    edges=(
        Edge(Relation.RELATED, "sun2020.claim-VII.1"),
        Edge(Relation.RELATED, "jiang2019.x-thm2-repaired"),
        *(Edge(USES, f"du2019.{k}") for k in ("claim-init", "def-Hinf", "eq-5", "fact-lambda0", "lem-3.1", "lem-3.2")),
        Edge(USES, "du2019.lem-3.3"),
        Edge(USES, "du2019.lem-3.4"),
        Edge(Relation.RELATED, "du2019.n1"),
    ),
    concepts=(Concept.DYNAMICS, Concept.WIDTH, Concept.GRAM),
    examples=(
        Example("one unit", False, Outcome.VACUOUS, lambda: one(2, 2), repaired=Outcome.HOLDS, smallest=True, source="by hand: e = 0"),
        Example("60 degrees", True, Outcome.VACUOUS, sixty_degrees, repaired=Outcome.HOLDS, source="by hand: H has eigenvalues 3/8, 5/8; 8/3 < 16"),
        Example("antiparallel", True, Outcome.VACUOUS, opposite, repaired=Outcome.HOLDS),
        Example("only positive signs", False, Outcome.VACUOUS, same_signs, repaired=Outcome.VACUOUS),
    ),
)  # fmt: skip


def _failure(subject: Subject) -> Judgement:
    """delta of the lemma for this width is below 1."""
    x, net = inputs(subject), subject.problem.network
    if not isinstance(net, DenseNetwork) or net.depth < 2:
        raise Unsupported("the width", expected="a hidden layer", got="none")
    low = least(subject)
    holds = low > 0 and bool(chances.failure_bound(len(x), net.widths[1], low) < 1)
    return decided(
        holds,
        "8 n^2 log(2 n^2/delta)/lambda_0^2 <= m for some delta < 1"
        if holds
        else "the width is too small for any delta < 1",
    )


def _concentration(subject: Subject) -> Judgement:
    x, net = inputs(subject), subject.problem.network
    assert isinstance(net, DenseNetwork)
    m = net.widths[1]
    chance = chances.chance_of_floor(x, m, Fraction(3, 4) * most(subject))
    bound = 1 - chances.failure_bound(len(x), m, least(subject))
    text = (
        f"the probability is {chance}"
        if len(str(chance)) < 60
        else f"the exact probability is about {int(chance * 10**6)}/10^6"
    )
    return decided(
        bool(bound < chances.exact_ball(chance)), f"{text}, to be compared with 1 - 2 n^2 exp(-m lambda_0^2/(8 n^2))"
    )


CONCENTRATION = Statement(
    id="du2019.lem-3.1",
    sort=Sort.LEMMA,
    section="3.1, appendix A",
    title="The Gram matrix at initialisation is well conditioned",
    text="With width of order n^2/lambda_0^2 times log^2(n/delta), the smallest eigenvalue of H(0) is at least 3/4 of lambda_0 with probability 1 - delta.",
    latex=r"m=\Omega\big(\tfrac{n^2}{\lambda_0^2}\log^2\tfrac n\delta\big)\;\Rightarrow\;\Pr[\lambda_{\min}(H(0))\ge\tfrac34\lambda_0]\ge1-\delta",
    quantifiers="probability over W(0)",
    hypotheses=(MODEL, UNIT, POSITIVE, predicate("width-gram", "m >= 8 n^2 log(2 n^2/delta)/lambda_0^2 for some delta < 1", _failure)),
    conclusion=predicate("concentration", "the exact probability is at least 1 - delta", _concentration),
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    because="Hoeffding's inequality entry by entry; exact multinomial probabilities on one and two inputs agree",
    remarks=(
        "The constant 8 and the first power of the logarithm suffice; as n = 1 and delta -> 1 show, the hidden constant cannot be read literally with log^2.",
        "Exact at 60 degrees: 1/3 (m = 1), 11/18 (2), 73/108 (3), 391/648 (4): not monotone in the width.",
    ),
    edges=(Edge(USES, "du2019.def-Hinf"),),
    concepts=(Concept.GRAM, Concept.WIDTH),
    examples=(
        Example("one input, 23 units", True, Outcome.HOLDS, lambda: Subject(relu([1], [0], 23)), smallest=True, source="a binomial tail"),
        Example("antiparallel, 270 units", True, Outcome.HOLDS, lambda: Subject(relu([1, -1], [0, 0], 270)), source="a binomial tail"),
        Example("60 degrees, 4 units", False, Outcome.VACUOUS, lambda: Subject(relu([E1, HALVES], [0, 0], 4))),
        Example("one unit", False, Outcome.VACUOUS, data([1])),
    ),
)  # fmt: skip


def _later(subject: Subject) -> Hidden:
    if not subject.points:
        raise Unsupported("W(t)", expected="a second point", got="none")
    return Hidden.of(subject.problem, subject.points[0])


def _few_ties(subject: Subject) -> Judgement:
    here = hidden(subject)
    count = here.near_ties(here.distance(_later(subject)))
    holds = 8 * len(here.inputs) * count <= len(here.rows) * least(subject)
    return decided(holds, f"{count} pairs of a unit and a sample with |w_r.x_i| <= R, the largest movement")


def _stable(subject: Subject) -> Judgement:
    found = _later(subject).least
    if found.lower * 2 > most(subject):
        return Judgement(True, f"lambda_min(H(t)) is {found.text}", shows=(Witness("hidden-gram", subject.points[0]),))
    return decided(False, f"lambda_min(H(t)) is {found.text}") if found.upper * 2 <= least(subject) else Judgement.unknown("the bounds overlap")  # fmt: skip


def _moved(by: int) -> list[int]:
    rows = [32, 32, 0, 0, 32, -32, -32, 0, -32, 32, 32, 32, -32, -32, 0, 0]
    return [v + (by if k in (0, 5) else 0) for k, v in enumerate(rows)]


STABILITY = Statement(
    id="du2019.lem-3.2",
    sort=Sort.LEMMA,
    section="3.1",
    title="The Gram matrix is stable near the initialisation",
    text="If no weight vector has moved by more than R = c lambda_0/n^2, few patterns can have changed and the smallest eigenvalue of H stays above lambda_0/2.",
    latex=r"\|w_r(t)-w_r(0)\|\le R=\tfrac{c\lambda_0}{n^2}\ \forall r\;\Rightarrow\;\text{w.h.p. }\lambda_{\min}(H(t))>\tfrac{\lambda_0}2",
    quantifiers="with high probability over W(0), for all W in the tube",
    hypotheses=(MODEL, UNIT, POSITIVE, SIGNS, GRAM_EVENT, predicate("few-ties", "sum_i |S_i^c(R)| <= m lambda_0/(8 n) for R the largest movement", _few_ties)),
    conclusion=predicate("stable", "the smallest eigenvalue of H(t) is above lambda_0/2", _stable, r"\lambda_{\min}(H(t))>\lambda_0/2"),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    fairness=Fairness.IN_CONTEXT,
    because="true in context, with the event of Lemma 3.1 and the width of Theorem 3.1; the hypotheses here include both events",
    remarks=(
        "Printed alone it has no condition on m: with d = 1, x = 1 and -1, m = 1 the matrix H has rank 1 at most.",
        "c depends on the failure probability: Markov's inequality needs R <= sqrt(2 pi) delta lambda_0/(16 n^2).",
        "Deterministic core: sum_ij |H_ij(W) - H_ij(0)| <= (2n/m) sum_i |S_i^c(R)|.",
    ),
    edges=(Edge(USES, "du2019.def-Air"), Edge(USES, "du2019.lem-3.1")),
    concepts=(Concept.GRAM, Concept.DYNAMICS),
    examples=(
        Example("one unit, not moved", True, Outcome.HOLDS, lambda: at(relu([1], [0]), [2], [1], [2]), smallest=True),
        Example("60 degrees, moved a little", True, Outcome.HOLDS, lambda: sixty_degrees(_moved(2)), source="by hand: no pre-activation reaches 0"),
        Example("two inputs, one unit", False, Outcome.VACUOUS, lambda: at(relu([1, -1], [0, 0]), [2], [1], [2]), source="by hand: rank 1"),
    ),
)  # fmt: skip


def _with_selections(here: Hidden, chosen: tuple[Fraction, ...]) -> tuple[tuple[Fraction, ...], ...]:
    """H with the chosen numbers instead of relu'(0) at the ties."""
    left = iter(chosen)
    slopes = [[next(left) if z == 0 else Fraction(int(z > 0)) for z in row] for row in here.reach]
    n = range(len(here.inputs))

    def entry(i: int, j: int) -> Fraction:
        inner = sum((a * b for a, b in zip(here.inputs[i], here.inputs[j], strict=True)), Fraction(0))
        return inner * sum((v * v * s[i] * s[j] for v, s in zip(here.outer, slopes, strict=True)), Fraction(0))

    return tuple(tuple(entry(i, j) for j in n) for i in n)


def _bounded_along(subject: Subject, *, selections: bool) -> Judgement:
    """lambda_min(H(s)) >= lambda_0/2 along a solution of the inclusion from the point: a constant one, or one without flips."""
    here, chosen = hidden(subject), resting(hidden(subject))
    if chosen is None and not keeps_patterns(here):
        return Judgement.unknown("no solution is followed: the point does not rest, and there is no margin")
    found = least_eigenvalue(_with_selections(here, chosen)) if chosen is not None and selections else here.least
    which = "the constant curve" if chosen is not None else "the flow without flips"
    if found.lower * 2 >= most(subject):
        return decided(True, f"along {which} lambda_min is {found.text}")
    return decided(False, f"along {which} lambda_min is {found.text}") if found.upper * 2 < least(subject) else Judgement.unknown("the bounds overlap")  # fmt: skip


def _decay(subject: Subject) -> Judgement:
    here = hidden(subject)
    if here.squared_error and resting(here) is not None:
        why = f"the constant curve solves the inclusion with |y - u|^2 = {here.squared_error} for all times"
        return Judgement(False, why, shows=(Witness("flow-rests", subject.point),))
    return _flow_rate(subject)


DECAY = Statement(
    id="du2019.lem-3.3",
    sort=Sort.LEMMA,
    section="3.1",
    title="A positive Gram matrix gives a linear rate and small movement",
    text="As long as the smallest eigenvalue of H(s) stays above lambda_0/2, the squared residual decays at the rate lambda_0 and no weight vector moves by more than R'.",
    latex=r"\lambda_{\min}(H(s))\ge\tfrac{\lambda_0}2\;\Rightarrow\;\|y-u(t)\|^2\le e^{-\lambda_0t}\|y-u(0)\|^2,\quad\|w_r(t)-w_r(0)\|\le R'=\tfrac{2\sqrt n\|y-u(0)\|}{\sqrt m\lambda_0}",
    quantifiers="for all t, along every solution",
    hypotheses=(MODEL, UNIT, POSITIVE, SIGNS, predicate("bounded-along", "along a solution from the point the smallest eigenvalue of H(s), with I{w.x >= 0}, is at least lambda_0/2", lambda s: _bounded_along(s, selections=False))),
    conclusion=predicate("decay", "the residual decays at the rate lambda_0", _decay),
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    fairness=Fairness.PEDANTIC,
    because="a solution of the inclusion that rests on a kink has H = 1 in the printed reading and keeps its loss; a certificate shows it",
    finding="True for classical solutions. With the differential inclusion of footnote 4 and the printed H (indicator of w.x >= 0) it fails: n = m = d = 1, x = 1, y = -1 rests at w = 0 with H = 1 and |y - u|^2 = 1 for ever.",
    repair=Repair(
        "Use in H the numbers from [0, 1] that the solution selects at ties.",
        (MODEL, UNIT, POSITIVE, SIGNS, predicate("bounded-selected", "along a solution from the point the smallest eigenvalue of H(s), with the numbers that the solution selects at ties, is at least lambda_0/2", lambda s: _bounded_along(s, selections=True))),
        predicate("decay", "the residual decays at the rate lambda_0", _decay),
    ),
    edges=(
        Edge(Relation.RELATED, "jiang2019.x-thm2-repaired"),
        Edge(USES, "du2019.eq-5"),),
    concepts=(Concept.DYNAMICS, Concept.GRAM),
    examples=(
        Example("resting on the kink", False, Outcome.REFUTED, lambda: one(-1, 0), repaired=Outcome.VACUOUS, smallest=True, source="by hand: w = 0 after t = log 2"),
        Example("far from the kinks", True, Outcome.HOLDS, sixty_degrees, repaired=Outcome.HOLDS),
        Example("dead unit", False, Outcome.VACUOUS, lambda: one(1, -1), repaired=Outcome.VACUOUS, source="by hand: H = 0"),
    ),
)  # fmt: skip


def _room(subject: Subject) -> Judgement:
    here = hidden(subject)
    count = here.near_ties(reach(subject, factor=2, largest=True))
    holds = 8 * len(here.inputs) * count <= len(here.rows) * least(subject)
    return decided(holds, f"{count} pairs of a unit and a sample with |w_r.x_i| <= R'")


CONTINUITY = Statement(
    id="du2019.lem-3.4",
    sort=Sort.LEMMA,
    section="3.1, appendix A",
    title="The continuity argument",
    text="If the movement bound R' of Lemma 3.3 is smaller than the radius R of Lemma 3.2, both lemmas hold for all times.",
    latex=r"R'<R\;\Rightarrow\;\forall t:\ \lambda_{\min}(H(t))\ge\tfrac{\lambda_0}2,\ \|w_r(t)-w_r(0)\|\le R',\ \|y-u(t)\|^2\le e^{-\lambda_0t}\|y-u(0)\|^2",
    quantifiers="deterministic, given the events of Lemmas 3.1 and 3.2",
    hypotheses=(MODEL, UNIT, POSITIVE, SIGNS, GRAM_EVENT, predicate("room", "for some R > R' the event of Lemma 3.2 holds: sum_i |S_i^c(R)| <= m lambda_0/(8 n)", _room)),
    conclusion=FLOW_RATE,
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    fairness=Fairness.IN_CONTEXT,
    because="true in context; R' < R alone is not enough",
    remarks=("n = m = d = 1, w(0) = -1, y = 0: R' = 0 < R, but H is 0 for ever; the event of Lemma 3.1 fails there.", "The appendix writes the squared norm equal to R where the norm is meant."),
    edges=(Edge(USES, "du2019.lem-3.2"), Edge(USES, "du2019.lem-3.3")),
    concepts=(Concept.DYNAMICS,),
    examples=(
        Example("one unit, fitted", True, Outcome.HOLDS, lambda: one(2, 2), smallest=True),
        Example("60 degrees", True, Outcome.HOLDS, sixty_degrees, source="by hand: R' = 6 < 16"),
        Example("dead unit, no residual", False, Outcome.VACUOUS, lambda: one(0, -1)),
    ),
)  # fmt: skip


def _mean(constant: Fraction) -> Predicate:
    def test(subject: Subject) -> Judgement:
        shows = (Witness("initial-mean"),)
        if constant == Fraction(1, 2):
            return Judgement(True, "E relu(w.x)^2 = |x|^2/2 and E f = 0", shows=shows)
        return Judgement(False, f"the mean is sum (y_i^2 + 1/2), not sum (y_i^2 + {constant})", shows=shows)

    return predicate("initial-mean", f"the mean of |y - u(0)|^2 is the sum of y_i^2 + {constant}", test)


INITIAL = Statement(
    id="du2019.claim-init",
    sort=Sort.CLAIM,
    section="3.1, end",
    title="The residual at initialisation is of order n",
    text="The paper computes the mean of the squared residual at initialisation as the sum of y_i^2 + 1.",
    latex=r"\mathbb E\|y-u(0)\|^2=\sum_i(y_i^2+y_i\,\mathbb Ef+\mathbb Ef^2)=\sum_i(y_i^2+1)=O(n)",
    quantifiers="expectation over W(0) and a",
    hypotheses=(MODEL, UNIT),
    conclusion=_mean(Fraction(1)),
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    fairness=Fairness.PEDANTIC,
    because="the constant is 1/2: a certificate gives the exact mean",
    finding="E f^2 is 1/2, not 1, and the cross term is -2 y_i E f (which is 0 anyway). Harmless for the order O(n).",
    repair=Repair("The constant is 1/2.", (MODEL, UNIT), _mean(Fraction(1, 2))),
    edges=(Edge(USES, "du2019.model"),),
    concepts=(Concept.DYNAMICS,),
    examples=(
        Example("one input", False, Outcome.REFUTED, data([1], [-1]), repaired=Outcome.HOLDS, smallest=True, source="by hand: E max(z, 0)^2 = 1/2"),
        Example("two inputs, four units", False, Outcome.REFUTED, sixty_degrees, repaired=Outcome.HOLDS),
    ),
)  # fmt: skip

STATEMENTS = (EQUATION, THEOREM, CONCENTRATION, STABILITY, DECAY, CONTINUITY, INITIAL)
