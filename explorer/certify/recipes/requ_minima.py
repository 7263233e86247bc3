"""All local minima of the ReQU network of Sun et al. (2020), eq. (8): which samples they classify, and how many there are.

Two rules of the checker, both without a named point (derivations: docs/certificate.md, docs/constructions/requ.md).
`orthogonal-requ`: extended inputs x~_i = (x_i, 1) pairwise orthogonal, distinct weights lambda_j < lambda_0 = min |x~_i|^2 / 2 and at
least one unit more than labels. Then F has exactly two local minima (one if all labels agree), both classify all samples,
and their values are sums of entropies. `zero-error`: any data; a local minimum with a silent unit whose weight is below an explicit
lambda_0 classifies all samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from explorer.certify.certificate import Certificate, Instance, accepted
from explorer.certify.encode import assemble, number
from explorer.certify.paths import coercivity
from explorer.errors import NotCertifiable
from explorer.problem import Problem

F, ONE = Fraction, Fraction(1)
#: (coefficient, incoming weights with the bias last): a combination of squared half-planes
Terms = list[tuple[Fraction, tuple[Fraction, ...]]]


def orthogonal(
    rows: Sequence[Sequence[Fraction]], labels: Sequence[int], width: int, *, scale: Fraction = ONE, source: str
) -> Instance:
    """Every local minimum of the width asked for, and coercivity.

    ``rows`` are inputs whose extensions by 1 are pairwise orthogonal. The weights are 1/10, 2/10, 3/10 and further ones up to 2/5,
    times ``scale``.
    """
    weights = [scale * (F(j, 10) if j <= 3 else F(3, 10) + F(j - 3, 10 * width)) for j in range(1, width + 1)]
    problem = requ_network(rows, labels, weights, slug=f"requ-orthogonal-n{len(rows)}-w{width}", source=source)
    claim = assemble(problem, {"kind": "local-minima-classify"}, {}, [{"rule": "orthogonal-requ"}])
    return Instance(
        problem.slug, problem, (("local-minima-classify", accepted(claim)), ("coercive", coercivity(problem)))
    )


def requ_network(
    rows: Sequence[Sequence[Fraction]], labels: Sequence[int], weights: Sequence[Fraction], *, slug: str, source: str
) -> Problem:
    """The network of eq. (8): ReQU units with biases, logistic loss, the neuron-cubic regularizer."""
    return Problem.dense(
        widths=[len(rows[0]), len(weights), 1], activation="requ", bias=True, inputs=[list(x) for x in rows],
        targets=list(labels), loss="logistic", regularizer={"kind": "neuron-cubic", "weights": list(weights)},
        slug=slug, source=source,
    )  # fmt: skip


def threshold_instance(
    inputs: Sequence[Fraction] = (F(-1), F(0), F(1)), labels: Sequence[int] = (1, -1, 1), *, source: str
) -> Instance:
    """Scalar inputs, width n + 1, weights at half of the explicit lambda_0: the certificate of `zero-error`, and coercivity."""
    low = zero_error_threshold(inputs)
    weights = [low * F(n, 2 * len(inputs) + 2) for n in range(1, len(inputs) + 2)]
    problem = requ_network([[x] for x in inputs], labels, weights, slug=f"requ-threshold-n{len(inputs)}", source=source)
    pair = (("silent-unit-classifies", silent(problem)), ("coercive", coercivity(problem)))
    return Instance(problem.slug, problem, pair)


def silent(problem: Problem) -> Certificate:
    """The certificate of ``silent-unit-classifies`` for scalar inputs."""
    assert problem.data is not None
    found = interpolations([x for (x,) in problem.data.inputs])
    step = {
        "rule": "zero-error",
        "interpolations": [[[number(c), [number(v) for v in w]] for c, w in terms] for terms in found],
    }
    return accepted(assemble(problem, {"kind": "silent-unit-classifies"}, {}, [step]))


def zero_error_threshold(inputs: Sequence[Fraction]) -> Fraction:
    """A lambda_0 > 0 such that every local minimum with a silent unit of weight lambda_j < lambda_0 classifies all samples.

    At such a minimum |sum_i g_i (omega . x~_i)_+^2| <= lambda_j |omega|^2 for all omega, so |g_i| <= lambda_j sum_k |c_k| |omega_k|^2 as
    soon as sum_k c_k (omega_k . x~)_+^2 is 1 at sample i and 0 at the others, and |g_i| < 1/2 means a positive margin. Labels
    (+1, -1) do not matter. Exact, for distinct scalar ``inputs``; derivation: docs/constructions/requ.md.
    """
    return 1 / (2 * max(map(_cost, interpolations(inputs))))


def interpolations(inputs: Sequence[Fraction]) -> list[Terms]:
    """For every sample the cheapest of three: rising kinks left of the samples, falling kinks right of them, and x~_i itself
    where it sees no other sample."""
    x = [Fraction(v) for v in inputs]
    if not x or len(set(x)) != len(x):
        raise NotCertifiable("inputs", expected="distinct scalar inputs", got=f"{len(x)} with {len(set(x))} values")
    order = sorted(x)
    rising, mirrored = _triangular(order), _triangular([-v for v in reversed(order)])[::-1]
    out: list[Terms] = []
    for v in x:
        k = order.index(v)
        falling: Terms = [(c, (-a, b)) for c, (a, b) in mirrored[k]]
        size = v * v + 1
        own: list[Terms] = [[(1 / size**2, (v, F(1)))]] if all(1 + v * w <= 0 for w in order if w != v) else []
        candidates: list[Terms] = [rising[k], falling, *own]
        out.append(min(candidates, key=_cost))
    return out


def _cost(terms: Terms) -> Fraction:
    return sum((abs(c) * sum(v * v for v in omega) for c, omega in terms), F(0))


def _triangular(x: Sequence[Fraction]) -> list[Terms]:
    """For increasing ``x`` and each sample i: c_k and (1, -kappa_k) with sum_k c_k (x - kappa_k)_+^2 = delta_i on x.

    kappa_k lies between x_{k-1} and x_k, so the system is triangular.
    """
    kinks = [x[0] - 1, *((a + b) / 2 for a, b in pairwise(x))]
    out: list[Terms] = []
    for i in range(len(x)):
        c: list[Fraction] = []
        for j, v in enumerate(x):
            rest = F(int(i == j)) - sum((a * (v - k) ** 2 for a, k in zip(c, kinks, strict=False)), F(0))
            c.append(rest / (v - kinks[j]) ** 2)
        out.append([(a, (F(1), -k)) for a, k in zip(c, kinks, strict=True) if a])
    return out
