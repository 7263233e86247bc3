"""What each statement of Jiang 2019 rests on, repairs or is related to."""

from __future__ import annotations

from dataclasses import replace

from explorer.statements.nouns import Edge, Relation, Statement

PAPER = "jiang2019"
#: statement -> the statements of the paper that its proof uses
USES: dict[str, tuple[str, ...]] = {
    "fact-truncated-loss": ("fact-pointwise-convergence", "fact-truncation"),
    "thm-1": ("eq-1", "fact-fourier-canonical", "fact-pointwise-convergence"),
    "cor-1": ("eq-1", "fact-fourier-canonical", "fact-pointwise-convergence", "thm-1"),
    "eq-8-9": ("fact-fourier-canonical", "fact-truncated-loss"),
    "lem-1": ("eq-1", "eq-8-9", "fact-truncated-loss", "thm-1"),
    "lem-2": ("def-literal-space", "eq-8-9"),
    "thm-2": ("claim-H-not-vanishing", "def-literal-space", "eq-8-9", "lem-1", "thm-1"),
    "claim-3.3.3-threshold": ("claim-3.3-columns", "claim-3.3.2"),
    "claim-3.3.3-init": ("claim-3.3.1", "claim-3.3.3-threshold"),
    "claim-3.3.3-convergence": ("claim-3.3.3-init", "thm-2"),
    "x-surrogate-lemma": ("eq-8-9",),
}
#: statement -> other relations, to statements of this paper (bare ids) or of others
OTHERS: dict[str, tuple[tuple[Relation, str], ...]] = {
    "thm-1": ((Relation.RELATED, "kawaguchi2019.ex-1"),),
    "eq-8-9": ((Relation.RELATED, "kawaguchi2019.lem-2"), (Relation.RELATED, "sun2020.claim-VI.3")),
    "lem-1": (
        (Relation.CONTRASTS, "kawaguchi2019.edge-claim-VI.3"),
        (Relation.RELATED, "kawaguchi2019.thm-1"),
        (Relation.CONTRASTS, "sun2020.claim-VI.3"),
        (Relation.RELATED, "sun2020.prop-IV.1"),
        (Relation.RELATED, "du2019.eq-5"),
    ),
    "lem-2": ((Relation.RELATED, "sun2020.thm-III.2"),),
    "thm-2": ((Relation.CONTRASTS, "du2019.thm-4.1"), (Relation.RELATED, "sun2020.claim-VII.1")),
    "claim-3.3.1": ((Relation.RELATED, "du2019.ext-soudry-carmon"),),
    "claim-3.3.3-convergence": (
        (Relation.CONTRASTS, "du2019.thm-4.1"),
        (Relation.RELATED, "sun2020.claim-VII.1"),
        (Relation.RELATED, "sun2020.prop-IV.2"),
    ),
    "x-surrogate-lemma": ((Relation.REPAIRS, "lem-1"), (Relation.USES, "sun2020.claim-VI.3")),
    "x-thm2-repaired": (
        (Relation.REPAIRS, "thm-2"),
        (Relation.RELATED, "du2019.lem-3.3"),
        (Relation.RELATED, "du2019.thm-3.1"),
    ),
    "x-rank-vs-N": ((Relation.REPAIRS, "claim-3.3-columns"),),
}


def with_edges(statement: Statement) -> Statement:
    """The statement with its arrows."""
    name = statement.id.removeprefix(f"{PAPER}.")
    uses = [Edge(Relation.USES, f"{PAPER}.{other}") for other in USES.get(name, ())]
    more = [Edge(r, to if to.partition(".")[0] in ("sun2020", "kawaguchi2019", "du2019") else f"{PAPER}.{to}") for r, to in OTHERS.get(name, ())]  # fmt: skip
    return replace(statement, edges=(*statement.edges, *uses, *more))
