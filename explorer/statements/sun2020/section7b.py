"""Section VII-C: the tangent kernel along training."""

from __future__ import annotations

from fractions import Fraction

from explorer.errors import ExplorerError, Unsupported
from explorer.induced.features import gradient_features, kinks
from explorer.point import Point
from explorer.probes.flat import degree_of_homogeneity
from explorer.problem import DenseNetwork, Problem
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
from explorer.statements.predicates import squared_loss
from explorer.statements.sun2020.conditions import (
    NO_REGULARIZER,
    SCALAR_OUTPUT,
    exact_points,
    look,
)
from explorer.statements.sun2020.instances import ln2, on, sigmoid, vw
from explorer.statements.sun2020.kernels import exact_point, kernel_rank, rank_shown, samples, zero_loss
from explorer.statements.sun2020.section7 import relus, units

F = Fraction
USES, RELATED = Relation.USES, Relation.RELATED

# -- Claim VII.1 ----------------------------------------------------------------------------------------------------------

HALVINGS = 12


def _iterates(subject: Subject) -> list[Point]:
    """theta(k) = limit + 2^-k (start - limit), k = 0..12: the iterates of the continuous map theta -> (theta + limit)/2."""
    limit, given = exact_point(subject), exact_points(subject)
    if not given or not limit.is_rational or not given[0].is_rational:
        raise Unsupported(
            "the sequence", expected="a rational limit point and a rational start as a second point", got="others"
        )
    a, b = ([c[0] for c in p.coordinates] for p in (limit, given[0]))
    return [Point.rational([x + (y - x) / 2**k for x, y in zip(a, b, strict=True)]) for k in range(HALVINGS + 1)]


def _bounded_kernel(subject: Subject) -> Judgement:
    if samples(subject.problem) != 1:
        return Judgement.unknown("looked at for one sample only, where K is a number")
    least = None
    for theta in _iterates(subject):
        found = gradient_features(subject.problem, theta)
        a = found.arithmetic
        k = a.zero
        for column in found.columns:
            k = a.add(k, a.mul(column[0], column[0]))
        low = a.enclose(k, 64)[0]
        least = low if least is None else min(least, low)
    holds = least is not None and least >= F(1, 4)
    return Judgement(holds, f"K >= 1/4 at theta(0), ..., theta({HALVINGS})" if holds else "K comes below 1/4")


def _critical_limit(subject: Subject) -> Judgement:
    """Critical, with relu'(0) = 0 where the limit is on the kink of a ReLU unit."""
    point, problem = exact_point(subject), subject.problem
    if not isinstance(problem.network, DenseNetwork):
        return Judgement(False, "the problem is not a dense network on data")
    if not kinks(problem, point):
        found = look(subject, point)
        return Judgement(found.critical, found.because)
    net = problem.network
    assert isinstance(net, DenseNetwork)
    if (
        net.depth != 2
        or net.widths[:1] != (1,)
        or samples(problem) != 1
        or net.activations[0].kind != "relu"
        or any(net.bias)
    ):
        return Judgement.unknown("a kink of a network that is not looked at")
    x = problem.data.inputs[0][0] if problem.data is not None else F(0)
    active = any(w * x > 0 for _, w in units(point))
    if active:
        return Judgement.unknown("another unit is active")
    return Judgement(True, "every unit is off or on its kink: with relu'(0) = 0 all derivatives of the output vanish")


def _smooth_limit(subject: Subject) -> Judgement:
    if not isinstance(subject.problem.network, DenseNetwork):
        return Judgement(False, "the problem is not a dense network on data")
    at_kink = kinks(subject.problem, exact_point(subject))
    return Judgement(not at_kink, "f is C^1 at the limit" if not at_kink else "the limit is on a kink")


def _zero_at_limit(subject: Subject) -> Judgement:
    answer = zero_loss(subject, exact_point(subject), None)
    if answer.holds is False:
        shows = tuple(Witness("not-global", subject.point, q) for q in exact_points(subject))
        return Judgement(False, "F is positive at the limit", shows=shows)
    return answer


KERNEL_BOUND = Predicate("kernel-bounded-below", f"the tangent kernel is at least 1/4 along theta(k) = limit + 2^-k (start - limit), k <= {HALVINGS}", _bounded_kernel, r"\lambda_{\min}(K(\theta(k)))\ge c>0")  # fmt: skip
CRITICAL_LIMIT = Predicate("critical-limit", "the limit is critical (with relu'(0) = 0)", _critical_limit)
LIMIT_ZERO = Predicate("zero-loss-at-the-limit", "F = 0 at the limit", _zero_at_limit, r"F(\theta^*)=0")
SMOOTH_LIMIT = Predicate("c1-at-the-limit", "the network is C^1 in its parameters at the limit", _smooth_limit)

CLAIM = Statement(
    id="sun2020.claim-VII.1",
    sort=Sort.CLAIM,
    section="VII-C",
    title="A tangent kernel bounded below along the iterates makes limits global",
    text="If the iterates of a continuous algorithm keep the smallest eigenvalue of the tangent kernel above a positive constant, a critical limit point has zero loss.",
    latex=r"\lambda_{\min}(G(\theta(k)))\ge c>0\ \forall k,\ \theta^*\text{ critical limit point}\;\Rightarrow\;F(\theta^*)=0",
    quantifiers="for all sequences of iterates",
    hypotheses=(SCALAR_OUTPUT, squared_loss(), NO_REGULARIZER, KERNEL_BOUND, CRITICAL_LIMIT),
    conclusion=LIMIT_ZERO,
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    fairness=Fairness.PEDANTIC,
    because="the proof needs f to be C^1 at the limit, not the algorithm to be continuous; one ReLU unit shows that this cannot be dropped",
    finding="G is not square: its smallest singular value is meant. For one ReLU unit and A(w, v) = ((w + 0)/2, v) the iterates (2^-k, 1) have K >= 1, the limit (0, 1) is critical with relu'(0) = 0, and F = 1 there.",
    repair=Repair("f is C^1 at the limit, and the smallest eigenvalue of K is bounded below; the algorithm need not be continuous.", (SCALAR_OUTPUT, squared_loss(), NO_REGULARIZER, SMOOTH_LIMIT, KERNEL_BOUND, CRITICAL_LIMIT), LIMIT_ZERO),
    remarks=("For (vw - 1)^2 gradient flow conserves v^2 - w^2, and K = v^2 + w^2 >= |v^2 - w^2|.",),
    edges=(Edge(USES, "sun2020.claim-VI.3"), Edge(USES, "sun2020.def-VI-ntk")),
    concepts=(Concept.GRAM, Concept.DYNAMICS),
    examples=(
        Example("one ReLU unit", False, Outcome.REFUTED, on(lambda: relus(1), 0, 1, points=((1, 1),)), repaired=Outcome.VACUOUS, smallest=True, source="by hand: K = 1 + 4^-k"),
        Example("vw towards a minimum", True, Outcome.HOLDS, on(vw, 1, 1, points=((2, 1),)), repaired=Outcome.HOLDS, source="by hand: K = v^2 + w^2 >= 2"),
        Example("vw towards the saddle", False, Outcome.VACUOUS, on(vw, 0, 0, points=((1, 1),)), repaired=Outcome.VACUOUS, source="by hand: K -> 0"),
    ),
)  # fmt: skip


def _non_degenerate(subject: Subject) -> Judgement:
    net, data = subject.problem.network, subject.problem.data
    if not isinstance(net, DenseNetwork) or data is None:
        return Judgement(False, "the problem is not a dense network on data")
    rows = [tuple(x) for x in data.inputs]
    if len(set(rows)) < len(rows):
        return Judgement(False, "an input is repeated")
    if net.depth >= 2 and not any(net.bias) and all(degree_of_homogeneity(a) is not None for a in net.activations):
        rays = set()
        for x in rows:
            size = next((abs(v) for v in x if v), None)
            rays.add(x if size is None else tuple(v / size for v in x))
        if len(rays) < len(rows):
            return Judgement(False, "two inputs lie on one ray, and the network is homogeneous in its input")
    return Judgement(True, "inputs are distinct, and lie on different rays where the network is homogeneous")


def _regular(subject: Subject) -> Judgement:
    try:
        found = kernel_rank(subject.problem, exact_point(subject))
    except ExplorerError as error:
        return Judgement.unknown(error.sentence())
    n = samples(subject.problem)
    return Judgement(True, f"K has rank n = {n} at the point", shows=rank_shown(exact_point(subject), "gradients")) if found == n else Judgement.unknown(f"K has rank {found} < {n} at this point, which says nothing about others")  # fmt: skip


QUOTED = Statement(
    id="sun2020.quote-VII-ntk",
    sort=Sort.QUOTE,
    section="VII-C",
    title="Tangent kernel facts: positive definite, lazy training",
    text="For widths polynomial in n, random initial weights and non-degenerate data, the tangent kernel stays positive definite during training, the weights stay near their start and convergence is linear.",
    latex=r"\text{width}=\mathrm{poly}(n):\quad K(\theta(t))\succ0\ \forall t,\quad\theta(t)\approx\theta(0)",
    quantifiers="with high probability; here only: K is regular at the given point",
    hypotheses=(SCALAR_OUTPUT, Predicate("non-degenerate", "inputs are distinct, and on different rays if the network is homogeneous in its input", _non_degenerate)),
    conclusion=Predicate("kernel-regular", "the tangent kernel is regular at the point", _regular, r"\det K\ne0"),
    verdict=Verdict.TRUE,
    ground=Ground.CITED,
    because="quoted; regularity at one point gives regularity almost everywhere for analytic activations, the rest is asymptotic",
    remarks=("Non-degeneracy has to be stated: ReLU units without biases have a singular kernel for all weights when two inputs are parallel.",),
    edges=(
        Edge(Relation.RELATED, "sun2020.conj-V.1"),
        Edge(USES, "sun2020.claim-VII.1"), Edge(USES, "sun2020.claim-VI.3"), Edge(RELATED, "du2019.thm-4.1")),
    concepts=(Concept.GRAM, Concept.DYNAMICS, Concept.WIDTH),
    examples=(
        Example("one linear unit", True, Outcome.HOLDS, on(vw, 1, 1), smallest=True, source="by hand: K = 2"),
        Example("one sigmoid unit with bias, two samples", True, Outcome.HOLDS, lambda: Subject(sigmoid([1, 2], [0, 0], 1, bias=True), ln2((0, 1), 0, 1)), source="by hand: det K = 128/16875"),
        Example("ReLU units, parallel inputs", False, Outcome.VACUOUS, on(lambda: Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[1, 2], targets=[0, 0]), 1, 1), source="by hand: proportional gradients"),
    ),
)  # fmt: skip

STATEMENTS = (CLAIM, QUOTED)
