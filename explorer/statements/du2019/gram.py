"""Theorem 3.1's limit Gram matrix: definition, closed form, when it is positive definite."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import flint

from explorer.algebra.balls import ball
from explorer.gram import antipodal
from explorer.gram.limit import BITS, definite_with, dot, entry_ball, entry_by_integral, lambda_0
from explorer.statements.du2019.conditions import (
    DATA,
    DISTINCT,
    INDEPENDENT,
    NON_PARALLEL,
    UNIT,
    decided,
    inputs,
    predicate,
)
from explorer.statements.du2019.instances import E1, HALVES, HEXAGON, PYTHAGOREAN, TURNED, data, minus
from explorer.statements.nouns import (
    Concept,
    Edge,
    Example,
    Ground,
    Judgement,
    Outcome,
    Relation,
    Repair,
    Sort,
    Statement,
    Subject,
    Verdict,
    Witness,
)

FLOOR, NULL = Witness("gram-floor"), Witness("gram-null")
HALF = Fraction(1, 2)


def _at_most_half(subject: Subject) -> Judgement:
    x, found = inputs(subject), lambda_0(inputs(subject))
    plain = all(dot(a, b) in (0, -1) for a, b in combinations(x, 2))
    if plain and found.lower > 0:
        return Judgement(found.exact == HALF, "all pairs are orthogonal or antipodal, and H = I/2", shows=(FLOOR,))
    if found.upper < HALF:
        return decided(True, f"the diagonal is 1/2, lambda_0 is {found.text}, below 1/2")
    return (
        decided(False, f"lambda_0 is {found.text}")
        if found.lower >= HALF
        else Judgement.unknown("the bounds are too wide")
    )


def _integral(subject: Subject) -> Judgement:
    x = inputs(subject)
    for a, b in list(combinations(x, 2))[:10]:
        cosine = dot(a, b)
        if abs(cosine) == 1:
            continue  # E[x.x 1{w.x >= 0}] = 1/2, and w.x >= 0 >= w.x only for w.x = 0
        with flint.ctx.workprec(BITS):
            gap = entry_by_integral(cosine) - entry_ball(cosine)
            if not abs(gap) < ball(Fraction(1, 10**15)):
                return decided(False, f"the integral at cosine {cosine} is not the closed form")
    return decided(
        True,
        "the closed form agrees with an enclosure of the Gaussian integral within 10^-15, for each of the first ten pairs",
    )


def _definite(subject: Subject) -> Judgement:
    found = lambda_0(inputs(subject))
    if found.lower > 0:
        return Judgement(True, f"lambda_0 is {found.text}", shows=(FLOOR,))
    if antipodal.kernel(inputs(subject)):
        return Judgement(False, "a vector in the kernel is known", shows=(NULL,))
    return Judgement.unknown(f"lambda_0 is {found.text}")


def _nullity(subject: Subject) -> Judgement:
    x = inputs(subject)
    said, kernel = antipodal.nullity(x), antipodal.kernel(x)
    if len(kernel) != said or not definite_with(x, kernel):
        return Judgement.unknown("the rank is not decided by these balls")
    shows = () if kernel else (FLOOR,)  # that there is no further kernel has no rule where there is one
    return Judgement(True, f"{len(antipodal.pairs(x))} antipodal pairs, nullity {said}; no further kernel", shows=shows)


LIMIT = Statement(
    id="du2019.def-Hinf",
    sort=Sort.DEFINITION,
    section="3, Theorem 3.1",
    title="The limit Gram matrix",
    text="The expectation, over a Gaussian weight vector, of x_i.x_j on the event that the unit is active at both samples. For unit inputs its diagonal is 1/2, so its smallest eigenvalue is at most 1/2, with equality exactly for pairwise orthogonal or antipodal inputs.",
    latex=r"H^\infty_{ij}=\mathbb E_{w\sim N(0,I)}\big[x_i^\top x_j\,I\{w^\top x_i\ge0,\,w^\top x_j\ge0\}\big],\qquad\lambda_0=\lambda_{\min}(H^\infty)",
    quantifiers="definition",
    hypotheses=(DATA, UNIT),
    conclusion=predicate(
        "at-most-half",
        "lambda_0 <= 1/2, with equality exactly for pairwise orthogonal or antipodal inputs",
        _at_most_half,
        r"\lambda_0\le\tfrac12",
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="the trace is n/2, and a symmetric matrix with constant diagonal and least eigenvalue equal to it is a multiple of I",
    concepts=(Concept.GRAM, Concept.RELU),
    examples=(
        Example("one input", True, Outcome.HOLDS, data([1]), smallest=True),
        Example("orthogonal", True, Outcome.HOLDS, data([(1, 0), (0, 1)]), source="by hand: H = I/2"),
        Example("irrational angles", True, Outcome.HOLDS, data(PYTHAGOREAN), source="mpmath at 30 digits in the tests"),
        Example("hexagon", True, Outcome.HOLDS, data(HEXAGON), source="by hand: rank 5"),
        Example("longer input", False, Outcome.VACUOUS, data([2])),
    ),
)

CLOSED_FORM = Statement(
    id="du2019.fact-closed-form",
    sort=Sort.FACT,
    section="audit of Theorem 3.1",
    title="Closed form of the limit Gram matrix",
    text="For unit inputs with cosine rho the entry is rho times the orthant probability (pi - arccos rho)/(2 pi); it is rational for angles of 0, 60, 90, 120 and 180 degrees.",
    latex=r"H^\infty_{ij}=\frac{\rho(\pi-\arccos\rho)}{2\pi},\quad\rho=x_i^\top x_j",
    quantifiers="for all pairs of unit inputs",
    hypotheses=(DATA, UNIT),
    conclusion=predicate("closed-form", "the entries are given by the formula", _integral),
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    because="the set of Gaussian directions that see both inputs is a sector of angle pi minus the angle between them",
    remarks=(
        "The convention at ties does not matter in expectation: at rho = -1 only the null event w.x = 0 is left.",
        "Inputs of other lengths: multiply by the two lengths.",
        "Subsets of the 24-cell in dimension 4 have rational limit Gram matrices.",
    ),
    edges=(Edge(Relation.USES, "du2019.def-Hinf"),),
    concepts=(Concept.GRAM,),
    examples=(
        Example("one input", True, Outcome.HOLDS, data([1]), smallest=True),
        Example(
            "60, 90 and 120 degrees",
            True,
            Outcome.HOLDS,
            data([E1, HALVES, TURNED, (0, 1, 0, 0)]),
            source="by hand: 1/6, -1/12, 0",
        ),
        Example("irrational angles", True, Outcome.HOLDS, data(PYTHAGOREAN), source="an independent integral"),
        Example("longer input", False, Outcome.VACUOUS, data([2])),
    ),
)

DEGENERATE = Statement(
    id="du2019.fact-lambda0",
    sort=Sort.FACT,
    section="3, after Theorem 3.1",
    title="The limit Gram matrix is positive definite unless the data are degenerate",
    text="The paper assumes lambda_0 > 0 and calls it true unless the data are degenerate. Read as 'no two inputs are parallel' this is sufficient.",
    latex=r"x_i\nparallel x_j\ (i\ne j)\;\Rightarrow\;\lambda_0>0",
    quantifiers="for all data sets of unit vectors",
    hypotheses=(DATA, UNIT, NON_PARALLEL),
    conclusion=predicate("definite", "the limit Gram matrix is positive definite", _definite, r"\lambda_0>0"),
    verdict=Verdict.DEPENDS,
    ground=Ground.INSTANCES,
    because="'degenerate' is not defined: non-parallel inputs suffice, distinct inputs do not, and neither is necessary",
    finding="Distinct inputs are not enough: six rational points on a regular hexagon (three antipodal pairs in a plane) have a limit Gram matrix of rank 5, H(W) is singular for every W, and labels that are not orthogonal to the null vector are out of reach at every width. One antiparallel pair, on the other hand, is harmless.",
    repair=Repair(
        "lambda_0 > 0 exactly if no input is repeated and the directions of antipodal pairs are linearly independent.",
        (DATA, UNIT, INDEPENDENT),
        predicate("definite", "the limit Gram matrix is positive definite", _definite, r"\lambda_0>0"),
    ),
    remarks=(
        "Two inputs at a small angle t have lambda_0 close to t/(2 pi), so a width of order n^6/lambda_0^4 hides t^-4.",
    ),
    edges=(
        Edge(Relation.USES, "du2019.def-Hinf"),
        Edge(Relation.USES, "du2019.fact-closed-form"),
        Edge(Relation.USES, "du2019.x-antipodal"),
    ),
    concepts=(Concept.GRAM,),
    examples=(
        Example("one input", True, Outcome.HOLDS, data([1]), repaired=Outcome.HOLDS, smallest=True),
        Example(
            "60 degrees",
            True,
            Outcome.HOLDS,
            data([E1, HALVES]),
            repaired=Outcome.HOLDS,
            source="by hand: eigenvalues 1/2 +- 1/6",
        ),
        Example("irrational angles", True, Outcome.HOLDS, data(PYTHAGOREAN), repaired=Outcome.HOLDS),
        Example(
            "antiparallel pair", True, Outcome.VACUOUS, data([1, -1]), repaired=Outcome.HOLDS, source="by hand: H = I/2"
        ),
        Example("repeated input", False, Outcome.VACUOUS, data([1, 1]), repaired=Outcome.VACUOUS),
        Example(
            "hexagon",
            False,
            Outcome.VACUOUS,
            data(HEXAGON),
            repaired=Outcome.VACUOUS,
            source="by hand: relu(z) - relu(-z) = z",
        ),
    ),
)

ANTIPODAL = Statement(
    id="du2019.x-antipodal",
    sort=Sort.AUDIT,
    section="audit of Theorem 3.1",
    title="Exact rank of the limit Gram matrix",
    text="For distinct unit inputs the nullity of the limit Gram matrix is the number of antipodal pairs minus the rank of their directions. So d + 1 antipodal pairs in dimension d are always singular.",
    latex=r"\dim\ker H^\infty=\#\{\text{antipodal pairs}\}-\operatorname{rank}\{\text{their directions}\}",
    quantifiers="for all finite sets of distinct unit vectors",
    hypotheses=(DATA, UNIT, DISTINCT),
    conclusion=predicate("nullity", "the nullity is given by the formula", _nullity),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="the jumps of sum c_i x_i 1{w.x_i >= 0} across the hyperplanes w.x = 0 have to cancel pair by pair",
    edges=(Edge(Relation.USES, "du2019.fact-closed-form"),),
    concepts=(Concept.GRAM,),
    examples=(
        Example("one input", True, Outcome.HOLDS, data([1]), smallest=True),
        Example("hexagon", True, Outcome.HOLDS, data(HEXAGON), source="by hand: 3 pairs of rank 2"),
        Example("irrational angles with a pair", True, Outcome.HOLDS, data([*PYTHAGOREAN, minus(PYTHAGOREAN[1])])),
        Example("repeated input", False, Outcome.VACUOUS, data([1, 1])),
    ),
)

STATEMENTS = (LIMIT, CLOSED_FORM, DEGENERATE, ANTIPODAL)
