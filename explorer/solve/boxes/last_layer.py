"""The last layer solved for, box by box: at a critical point its parameters are a function of all others.

Squared loss, linear outputs, an l2 regularizer or none. Then F is quadratic in the parameters u of the last layer, F_uu depends on the others, w, only, and
F_u(w, u) = 0 reads A (u - u0) = -g with A = F_uu(w), g = F_u(w, u0), for every u0. Both are enclosed over the w of a box, however wide it is in u:

- Y an approximate inverse of the middle of A, E >= |1 - Y A|, beta < 1 the largest row sum of E: |u - u0 + Y g| <= E max|Y g| / (1 - beta);
- one sweep of Gauss and Seidel on A (u - u0) = -g itself (A_jj > 0);
- A >= 2 diag(lambda), so with t_j = sqrt(lambda_j)(u_j - u0_j): 2 |t|^2 <= -g . (u - u0) <= |t| |(g_j/sqrt(lambda_j))|, which bounds t.

So a search halves boxes across w only, as if u were no unknowns (variable projection: Golub and Pereyra, SIAM J. Numer. Anal. 10 (1973) 413-432).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.problem import DenseNetwork, Problem
from explorer.solve.boxes import arrays as ia
from explorer.solve.boxes.arrays import Array, Range
from explorer.solve.boxes.tape import Run, Tape
from explorer.solve.radius import starts

MOST = 12  #: parameters of the last layer; dot products of at most 40 terms are what `arrays.SLACK` covers


@dataclass(frozen=True)
class LastLayer:
    """The program for F_u and F_uu."""

    tape: Tape
    places: tuple[int, ...]
    #: nodes that do not depend on u, and the others
    early: tuple[int, ...]
    late: tuple[int, ...]
    gradient: tuple[int, ...]
    #: nodes of F_uu; entries that are not there are 0
    hessian: tuple[tuple[int, int, int], ...]
    #: lower bounds of lambda
    ridge: tuple[float, ...]

    @classmethod
    def of(cls, problem: Problem, tape: Tape) -> LastLayer | None:
        net, loss, regularizer = problem.network, problem.loss, problem.regularizer
        if not isinstance(net, DenseNetwork) or net.depth < 2 or net.output.kind != "linear":
            return None
        if loss is None or loss.kind != "squared" or (regularizer is not None and regularizer.kind != "l2"):
            return None
        places = tuple(range(starts(net)[-2], net.parameter_count))
        if len(places) > MOST:
            return None
        gradient = tuple(tape.gradient[k] for k in places)
        index = {k: n for n, k in enumerate(places)}
        hessian = tuple((index[i], index[j], n) for i, j, n in tape.hessian if i in index and j in index)
        weights = [Range.of(regularizer.weights[k]).lo if regularizer is not None else 0 for k in places]
        nodes, dependent = tape.needed({*gradient, *(n for *_, n in hessian)}), tape.depending(places)
        early, late = (tuple(n for n in nodes if (n in dependent) == wanted) for wanted in (False, True))
        return cls(tape, places, early, late, gradient, hessian, tuple(weights))

    def contracted(self, run: Run, lo: Array, hi: Array) -> tuple[Array, Array, Array]:
        """The boxes, narrower in u, with the same critical points, and which hold none. ``run`` holds what does not depend on u then."""
        where = list(self.places)
        with np.errstate(all="ignore"):
            self.tape.compute(run, self.early, lo, hi)
            start = (lo[where] + hi[where]) / 2
            g, a = self._at(run, lo, hi, start)
            start = start - np.nan_to_num(_product(_inverse(a.mid), g.mid))
            g, a = self._at(run, lo, hi, start)
            below, above = lo[where], hi[where]
            for part in (self._centred(g, a, start), self._coercive(g, start), self._swept(g, a, start, below, above)):
                below, above = np.fmax(below, part.lo), np.fmin(above, part.hi)  # a nan changes nothing
            empty = (below > above).any(axis=0)
            low, high = lo.copy(), hi.copy()
            low[where], high[where] = np.where(empty, lo[where], below), np.where(empty, hi[where], above)
        return low, high, empty

    def _at(self, run: Run, lo: Array, hi: Array, u: Array) -> tuple[Range, Range]:
        """F_u, shape (q, N), and F_uu, (q, q, N), at u and over the box of all others."""
        q, n = len(self.places), lo.shape[1]
        lo, hi = lo.copy(), hi.copy()
        lo[list(self.places)] = hi[list(self.places)] = u
        run = Run({k: run.values[k] for k in self.early}, run.shared)
        self.tape.compute(run, self.late, lo, hi)
        g = np.stack([run.values[k] for k in self.gradient])
        a = Range(np.zeros((q, q, n)), np.zeros((q, q, n)))
        for i, j, k in self.hessian:
            a.lo[i, j] = a.lo[j, i] = run.values[k][0]
            a.hi[i, j] = a.hi[j, i] = run.values[k][1]
        return Range(g[:, 0], g[:, 1]), a

    def _centred(self, g: Range, a: Range, start: Array) -> Range:
        h, dh = ia.middle_and_radius(a.lo, a.hi)
        b, db = ia.middle_and_radius(g.lo, g.hi)
        y = _inverse(h)
        size = np.abs(y)
        step, wide = _product(y, b), _product(size, db + np.abs(b) * ia.SLACK) * (1 + ia.SLACK)
        off = np.abs(_matrix(y, h) - np.eye(len(h))[..., None])
        off += _matrix(size, dh + np.abs(h) * ia.SLACK) * (1 + ia.SLACK) + 4 * ia.UNIT
        rows = off.sum(axis=1) * (1 + ia.SLACK)
        beta = rows.max(axis=0)
        largest = (np.abs(step) + wide).max(axis=0) * (1 + ia.SLACK)
        more = rows * (largest / (1 - beta)) * (1 + ia.SLACK)
        reach = np.where(beta < 1 - ia.MARGIN, wide + more, np.nan) * (1 + ia.SLACK) + ia.TINY
        return _around(start - step, reach + (np.abs(start) + np.abs(step)) * ia.UNIT)

    def _coercive(self, g: Range, start: Array) -> Range:
        ridge = np.array(self.ridge)[:, None]
        size = np.maximum(np.abs(g.lo), np.abs(g.hi))
        total = (size * size / ridge).sum(axis=0) * (1 + ia.SLACK) + ia.TINY
        return _around(start, np.sqrt(total / ridge) / 2 * (1 + ia.SLACK) + np.abs(start) * ia.UNIT)

    def _swept(self, g: Range, a: Range, start: Array, below: Array, above: Array) -> Range:
        low, high = below - start, above - start
        low, high = low - np.abs(low) * ia.UNIT, high + np.abs(high) * ia.UNIT
        for j in range(len(self.places)):
            others = [ia.mul(Range(a.lo[j, k], a.hi[j, k]), Range(low[k], high[k])) for k in range(len(low)) if k != j]
            s = ia.total([Range(g.lo[j], g.hi[j]), *others])
            new = ia.mul(ia.negative(s), ia.inverse(Range(a.lo[j, j], a.hi[j, j])))
            low[j], high[j] = np.fmax(low[j], new.lo), np.fmin(high[j], new.hi)
        return ia.add(Range(start, start), Range(low, high))


def _around(middle: Array, reach: Array) -> Range:
    return ia.outward(middle - reach, middle + reach)


def _product(matrix: Array, vector: Array) -> Array:
    return np.einsum("ijn,jn->in", matrix, vector)


def _matrix(a: Array, b: Array) -> Array:
    return np.einsum("ijn,jkn->ikn", a, b)


def _inverse(h: Array) -> Array:
    """Approximate inverses, hints only; nan where there is none."""
    q = len(h)
    if q == 1:
        return 1 / h
    if q == 2:
        det = h[0, 0] * h[1, 1] - h[0, 1] * h[1, 0]
        return np.array([[h[1, 1], -h[0, 1]], [-h[1, 0], h[0, 0]]]) / det
    matrices = np.moveaxis(h, -1, 0)
    good = np.isfinite(matrices).all(axis=(1, 2)) & (np.abs(np.linalg.det(np.nan_to_num(matrices))) > ia.TINY)
    safe = np.where(good[:, None, None], matrices, np.eye(q))
    return np.where(good, np.moveaxis(np.linalg.inv(safe), 0, -1), np.nan)
