"""Branch and prune: which parts of a box may hold a critical point, in batches of thousands of boxes.

A box is *excluded* when some combination c . grad F has no zero in it, by its enclosure or by the mean value form
c . grad F(m) + (c^T Hess F(box)) (box - m); the combinations tried are the components and the rows of an approximate inverse Hessian.
It is *settled* when it lies in a box that is known to hold exactly one critical point (Krawczyk), or outside the ball of the a-priori
radius, or when a symmetry maps it to where the search looks (`mirror`; the known boxes are then closed under the symmetries). Otherwise it is contracted (Hansen and Sengupta, BIT 21 (1981) 203-211; before that by the last layer,
`last_layer`, and by consequences of grad F = 0, `equations`) unless a tree is asked for, and halved. What is left at
the smallest width, or when time or space run out, is *undecided*.
Floats decide here, rounded outward (`arrays`); a tree of boxes is proved again by the checker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from explorer.budget import Deadline
from explorer.problem import Problem
from explorer.solve.boxes import arrays as ia
from explorer.solve.boxes.arrays import Array, Range
from explorer.solve.boxes.equations import Equation, solved, with_equations
from explorer.solve.boxes.last_layer import LastLayer
from explorer.solve.boxes.leftovers import hopeless
from explorer.solve.boxes.mirror import Move
from explorer.solve.boxes.tape import Run, Tape
from explorer.solve.radius import Radius

BATCH = 8192
ROW = 999  #: largest entry of an integer combination
DEPTHS = (4, 6, 8, 10, 12, 15, 18, 21, 24)  #: halvings of every coordinate on average, level by level
DEEPER = 3  #: no coordinate counts for more halvings than this beyond the average of its level
THINNEST = 45  #: halvings after which a coordinate is left alone
OFFERS = 16
GROWTH = 3  #: from one depth to the next; boxes around a curve grow by a factor of 4 or more

#: a box is (lower, upper), arrays of length d; a token of a tree is what docs/certificate.md says
Box = tuple[Array, Array]
Token = int | str
Boxes = tuple[Array, Array, Array]  # lower and upper ends of shape (d, N), and the nodes of the tree


@dataclass
class Search:
    """What a run has found so far. ``known`` are boxes with exactly one critical point, in the order of their names."""

    known: list[Box]
    boxes: int = 0
    rest: Box = (np.zeros((0, 0)), np.zeros((0, 0)))  #: undecided boxes, as arrays of shape (d, N)
    stopped: str = ""
    recorded: bool = False
    mirrors: Sequence[Move] = ()
    last: LastLayer | None = None  #: what makes boxes smaller beforehand, unless a tree is recorded
    equations: Sequence[Equation] = ()
    #: node -> token, and node -> the first of its two children; only if a tree is recorded
    tokens: dict[int, Token] = field(default_factory=dict)
    children: dict[int, int] = field(default_factory=dict)

    @property
    def undecided(self) -> int:
        """The number of undecided boxes."""
        return int(self.rest[0].shape[1])

    def mark(self, nodes: Array, which: Array, token: Callable[[int], Token]) -> None:
        """Record the token of the nodes at the true places of ``which``."""
        if self.recorded:
            for n in np.flatnonzero(which):
                self.tokens[int(nodes[n])] = token(int(n))


def prune(
    problem: Problem,
    box: Box,
    known: Sequence[Box],
    deadline: Deadline,
    *,
    ball: Radius | None = None,
    tree: bool = False,
    depths: Sequence[int] = DEPTHS,
    most: int = 50_000_000,
    most_undecided: int = 4_096,
    most_waiting: int = 1_000_000,
    resume: Box | None = None,
    mirrors: Sequence[Move] = (),
    discover: Callable[[Array], Sequence[Box]] | None = None,
) -> Search:
    """Exclude, settle, contract and halve until nothing is left, or a limit is met.

    Boxes that resist after ``depths[0]`` halvings for each coordinate wait, and are halved further, down to ``depths[1]`` and so on,
    unless they are more than ``most_undecided``, multiply as the boxes around a curve or a surface do, and a sample of them looks like that
    (`leftovers.hopeless`): a degenerate family ends as some coarse boxes, not in an endless loop. Coordinates are halved as their
    weights say, so at one level boxes have one volume, not one shape: a large box of weights needs few cuts where activations saturate.
    ``resume`` are boxes of shape (d, N) that are left of ``box`` from another search.
    ``discover`` is offered the middles of some waiting boxes, shape (d, N), and may answer with new known boxes around critical points.
    """
    lo, hi = box
    tape, equations = (Tape.of(problem), ()) if tree else with_equations(problem)
    run = Search(list(known), recorded=tree, mirrors=mirrors, equations=equations)
    run.last = None if tree else LastLayer.of(problem, tape)
    first = (lo[:, None], hi[:, None]) if resume is None else resume
    stack = [(*first, np.zeros(first[0].shape[1], dtype=np.int64))]
    size, nodes, before = (hi - lo)[:, None], 1, 0
    for level, depth in enumerate(depths):
        waiting: list[Boxes] = []
        while stack:
            if deadline.over or run.boxes > most:
                run.stopped = "the time is spent" if deadline.over else f"more than {most} boxes were looked at"
                break
            lo, hi, node = _batch(stack)
            run.boxes += lo.shape[1]
            lo, hi, node, weight = _resisting(problem, tape, run, lo, hi, node, ball)
            share = np.maximum((hi - lo) / size, np.ldexp(1, -depth - DEEPER))
            small = np.prod(share, axis=0) <= np.ldexp(1, -depth * len(lo))
            waiting.append((lo[:, small], hi[:, small], node[small]))
            lo, hi, node, weight = lo[:, ~small], hi[:, ~small], node[~small], weight[:, ~small]
            if lo.shape[1]:
                stack += _halved(run, lo, hi, node, weight, size, nodes)
                nodes += 2 * lo.shape[1]
        stack = [*waiting, *stack]
        left = sum(part[2].size for part in stack)
        if not left or run.stopped:
            break
        if discover is not None:
            _offer(run, stack, discover)
        growing = level > 1 and left > most_undecided and left >= GROWTH * before
        before = left
        if (
            left > most_waiting
            or level + 1 == len(depths)
            or (growing and hopeless(tape, *_joined(stack)[:2], size / 2))
        ):
            run.stopped = f"{left} boxes of mean width 2^-{depth} of the whole resist"
            break
    if stack:
        lo, hi, node = _joined(stack)
        kept = _settled(problem, run, lo, hi, node, ball)
        run.rest = lo[:, kept], hi[:, kept]
    return run


def _resisting(
    problem: Problem, tape: Tape, run: Search, lo: Array, hi: Array, node: Array, ball: Radius | None
) -> tuple[Array, Array, Array, Array]:
    """The boxes of a batch that are neither settled nor excluded, contracted, and the weight of each coordinate."""
    left = _settled(problem, run, lo, hi, node, ball)
    lo, hi, node = lo[:, left], hi[:, left], node[left]
    if not len(left):
        return lo, hi, node, np.zeros_like(lo)
    with np.errstate(all="ignore"):
        values, empty = Run({}), np.zeros(lo.shape[1], dtype=bool)
        if run.last is not None:
            lo, hi, empty = run.last.contracted(values, lo, hi)
        values = tape.begin(lo, hi, values)
        left = _unsigned(run, tape.slopes(values), node)
        if run.equations:
            lo, hi, out = solved(run.equations, values, lo, hi)
            empty |= out
        left = left[~empty[left]]
        lo, hi, node = lo[:, left], hi[:, left], node[left]
        if not len(left):
            return lo, hi, node, np.zeros_like(lo)
        return _mean_values(tape, values, left, run, lo, hi, node)


def _halved(run: Search, lo: Array, hi: Array, node: Array, weight: Array, size: Array, nodes: int) -> list[Boxes]:
    """Both halves of every box, across the coordinate of the largest weight."""
    count = lo.shape[1]
    width = (hi - lo) / size * np.ldexp(1, THINNEST)
    weight = np.where(np.isfinite(weight).all(axis=0), weight, width)  # across a kink the widest coordinate
    weight = weight / np.maximum(weight.max(axis=0), ia.TINY) + width / width.max(axis=0) * ia.MARGIN
    axis = np.argmax(np.where(width > 1, weight, -1), axis=0)
    pick = (axis, np.arange(count))
    middle = (lo[pick] + hi[pick]) / 2
    first_hi, second_lo = hi.copy(), lo.copy()
    first_hi[pick], second_lo[pick] = middle, middle
    ids = nodes + 2 * np.arange(count)
    run.mark(node, np.ones(count, dtype=bool), lambda n: int(axis[n]) + 1)
    if run.recorded:
        run.children.update(zip(node.tolist(), ids.tolist(), strict=True))
    return [(second_lo, hi, ids + 1), (lo, first_hi, ids)]


def outer_box(lower: Sequence[Fraction], upper: Sequence[Fraction]) -> Box:
    """The box as floats, rounded outward."""
    lo, hi = [Range.of(v) for v in lower], [Range.of(v) for v in upper]
    return np.array([r.lo for r in lo]), np.array([r.hi for r in hi])


def inner_box(lower: Sequence[Fraction], upper: Sequence[Fraction]) -> Box:
    """The box as floats, rounded inward."""
    lo, hi = [Range.of(v) for v in lower], [Range.of(v) for v in upper]
    return np.array([r.hi for r in lo]), np.array([r.lo for r in hi])


def _batch(stack: list[Boxes]) -> Boxes:
    """The last boxes of the stack, up to `BATCH` of them (depth first, so that the stack stays small)."""
    taken: list[Boxes] = []
    count = 0
    while stack and count < BATCH:
        lo, hi, node = stack.pop()
        room = BATCH - count
        if lo.shape[1] > room:
            stack.append((lo[:, :-room], hi[:, :-room], node[:-room]))
            lo, hi, node = lo[:, -room:], hi[:, -room:], node[-room:]
        taken.append((lo, hi, node))
        count += lo.shape[1]
    return _joined(taken)


def _joined(parts: Sequence[Boxes]) -> Boxes:
    return tuple(np.concatenate(p, axis=-1) for p in zip(*parts, strict=True))  # type: ignore[return-value]


def _settled(problem: Problem, run: Search, lo: Array, hi: Array, node: Array, ball: Radius | None) -> Array:
    """Indices of the boxes that are neither images of others, nor inside a known box, nor outside a layer's ball."""
    done = np.zeros(lo.shape[1], dtype=bool)
    for move in run.mirrors:
        image = ~done & move.raises(lo, hi)
        run.mark(node, image, lambda n: "image")
        done |= image
    for k, (a, b) in enumerate(run.known):
        inside = ~done & ((lo >= a[:, None]) & (hi <= b[:, None])).all(axis=0)
        run.mark(node, inside, lambda n, k=k: f"#{k}")  # type: ignore[misc]
        done |= inside
    regularizer = problem.regularizer
    if ball is None or regularizer is None:
        return np.flatnonzero(~done)
    for where, limit in ball.balls:
        parts = []
        for k in where:
            low = np.where((lo[k] <= 0) & (hi[k] >= 0), 0, np.minimum(np.abs(lo[k]), np.abs(hi[k])))
            term = Range(low, low)
            power = Range.of(regularizer.weights[k])
            for _ in range(regularizer.exponent or 2):
                power = ia.mul(power, term)
            parts.append(power)
        outside = ~done & (ia.total(parts).lo > Range.of(limit).hi)
        run.mark(node, outside, lambda n: 0)
        done |= outside
    for forms, limit in ball.slabs:
        far = Range.of(limit).hi
        values = [ia.total([ia.mul(Range.of(c), Range(lo[k], hi[k])) for k, c in form]) for form in forms]
        outside = ~done & (
            np.logical_and.reduce([v.lo > far for v in values]) | np.logical_and.reduce([v.hi < -far for v in values])
        )
        run.mark(node, outside, lambda n: 0)
        done |= outside
    return np.flatnonzero(~done)


def _unsigned(run: Search, g: Range, node: Array) -> Array:
    """Positions of the boxes in which no component of the gradient is known to have one sign."""
    signed = (g.lo > 0) | (g.hi < 0)
    out = signed.any(axis=0)
    if run.recorded:
        first = np.argmax(signed, axis=0)
        run.mark(node, out, lambda n: -1 - int(first[n]))
    return np.flatnonzero(~out)


@dataclass(frozen=True)
class Mean:
    """Middles and radii, outward: grad F(middle) in g -+ dg, Hess F(box) in h -+ dh. Shapes (d, N) and (d, d, N)."""

    g: Array
    dg: Array
    h: Array
    dh: Array
    radius: Array

    def at(self, keep: Array) -> Mean:
        return Mean(*(part[..., keep] for part in (self.g, self.dg, self.h, self.dh, self.radius)))


def _mean(tape: Tape, values: Run, left: Array, lo: Array, hi: Array, middle: Array) -> Mean:
    d, n = lo.shape
    h, dh = np.zeros((d, d, n)), np.zeros((d, d, n))
    for i, j, entry in tape.finish(values, left, lo, hi):
        h[i, j], dh[i, j] = ia.middle_and_radius(entry[0], entry[1])
        if i != j:
            h[j, i], dh[j, i] = h[i, j], dh[i, j]
    at = tape.slopes(tape.begin(middle, middle))
    radius = np.maximum(hi - middle, middle - lo)
    radius += radius * ia.UNIT
    return Mean(*ia.middle_and_radius(at.lo, at.hi), h, dh, radius)


def _mean_values(
    tape: Tape, values: Run, left: Array, run: Search, lo: Array, hi: Array, node: Array
) -> tuple[Array, Array, Array, Array]:
    """The boxes that the mean value form does not exclude, contracted unless a tree is recorded, and the weight of each coordinate."""
    middle = (lo + hi) / 2
    m = _mean(tape, values, left, lo, hi, middle)
    magnitude = np.abs(m.h) + m.dh
    reach = _applied(magnitude, m.radius) * (1 + ia.SLACK)
    ratio = (np.abs(m.g) - m.dg) / reach  # the components of the gradient on their own
    ratio[
        :, np.isnan(ratio).any(axis=0)
    ] = -1  # where F is not C^2 nothing is concluded from second derivatives, as in the checker
    out = ratio.max(axis=0) > 1 + ia.MARGIN
    if run.recorded:
        best = np.argmax(ratio, axis=0)
        run.mark(node, out, lambda n: " ".join(str(int(k == best[n])) for k in range(len(lo))))
    keep = np.flatnonzero(~out)
    lo, hi, node, middle, weight, m = (
        lo[:, keep],
        hi[:, keep],
        node[keep],
        middle[:, keep],
        magnitude[..., keep],
        m.at(keep),
    )
    if keep.size:
        y = _inverses(m.h)
        if run.recorded:
            y = np.nan_to_num(np.rint(y / np.abs(y).max(axis=(0, 1)) * ROW))
        a, da, b, db = _preconditioned(y, m)
        reach = _applied(np.abs(a) + da, m.radius) * (1 + ia.SLACK)
        ratio = (np.abs(b) - db) / reach
        ratio[np.isnan(ratio)] = -1
        out = ratio.max(axis=0) > 1 + ia.MARGIN
        if run.recorded:
            best = np.argmax(ratio, axis=0)
            run.mark(node, out, lambda n: " ".join(str(int(v)) for v in y[best[n], :, n]))
        else:
            lo, hi, empty = _contracted(lo, hi, middle, Range(a - da, a + da), Range(b - db, b + db))
            out |= empty
        keep = np.flatnonzero(~out)
        lo, hi, node, weight = lo[:, keep], hi[:, keep], node[keep], weight[..., keep]
    return lo, hi, node, weight.sum(axis=0) * (hi - lo)


def _applied(matrix: Array, vector: Array) -> Array:
    """Matrix times vector, box by box: shapes (d, d, N) and (d, N)."""
    out = matrix[:, 0] * vector[0]
    for j in range(1, len(vector)):
        out += matrix[:, j] * vector[j]
    return out


def _preconditioned(y: Array, m: Mean) -> tuple[Array, Array, Array, Array]:
    """y Hess F and y grad F(middle), each as middle and radius; the radii cover the rounding of the dot products."""
    size = np.abs(y)
    rough = m.dh + np.abs(m.h) * ia.SLACK
    a, da = y[:, :1] * m.h[0], size[:, :1] * rough[0]
    for k in range(1, len(y)):
        a += y[:, k : k + 1] * m.h[k]
        da += size[:, k : k + 1] * rough[k]
    b, db = _applied(y, m.g), _applied(size, m.dg + np.abs(m.g) * ia.SLACK)
    return a, da * (1 + ia.SLACK), b, db * (1 + ia.SLACK)


def _inverses(h: Array) -> Array:
    """Approximate inverses, shape (d, d, N), by elimination without pivoting, and by pivoting where that is doubtful; the identity where
    there is none. They are only hints."""
    d = len(h)
    work, out = h.copy(), np.zeros_like(h)
    out[range(d), range(d)] = 1
    large = np.abs(h).max(axis=(0, 1))
    doubtful = ~np.isfinite(large)
    for k in range(d):
        pivot = work[k, k].copy()
        doubtful |= ~(np.abs(pivot) > large * ia.SMALL_PIVOT)
        work[k] /= pivot
        out[k] /= pivot
        for i in range(d):
            if i != k:
                factor = work[i, k].copy()
                work[i] -= factor * work[k]
                out[i] -= factor * out[k]
    again = np.flatnonzero(doubtful)
    if again.size:
        out[..., again] = np.moveaxis(_pivoted(np.moveaxis(h[..., again], -1, 0)), 0, -1)
    return out


def _pivoted(h: Array) -> Array:
    """The same, shape (n, d, d), by LAPACK."""
    d = h.shape[1]
    good = np.isfinite(h).all(axis=(1, 2))
    safe = np.where(good[:, None, None], h, np.eye(d))
    scale = np.abs(safe).max(axis=(1, 2)) + ia.TINY
    singular = np.abs(np.linalg.det(safe / scale[:, None, None])) < ia.NEARLY_SINGULAR
    safe[singular] = np.eye(d)
    return np.linalg.inv(safe)


def _contracted(lo: Array, hi: Array, middle: Array, a: Range, b: Range) -> tuple[Array, Array, Array]:
    """One Hansen-Sengupta sweep on b + a (x - middle) = 0: smaller boxes that hold the same critical points, and which are empty."""
    d = lo.shape[0]
    zl, zh = (lo - middle) - np.abs(lo - middle) * ia.UNIT, (hi - middle) + np.abs(hi - middle) * ia.UNIT
    empty = np.zeros(lo.shape[1], dtype=bool)
    for i in range(d):
        others = [ia.mul(Range(a.lo[i, j], a.hi[i, j]), Range(zl[j], zh[j])) for j in range(d) if j != i]
        s = ia.total([Range(b.lo[i], b.hi[i]), *others])
        pivot = Range(a.lo[i, i], a.hi[i, i])
        positive = pivot.lo > 0
        new = ia.mul(ia.negative(s), ia.inverse(Range(np.where(positive, pivot.lo, np.nan), pivot.hi)))
        good = positive & ~(np.isnan(new.lo) | np.isnan(new.hi))
        empty |= good & ((new.lo > zh[i]) | (new.hi < zl[i]))
        zl[i] = np.where(good & (new.lo > zl[i]), new.lo, zl[i])
        zh[i] = np.where(good & (new.hi < zh[i]), new.hi, zh[i])
    moved = ia.add(Range(middle, middle), Range(zl, zh))
    inside = ~empty & (np.maximum(moved.lo, lo) <= np.minimum(moved.hi, hi)).all(axis=0)
    return np.where(inside, np.maximum(moved.lo, lo), lo), np.where(inside, np.minimum(moved.hi, hi), hi), empty


def _offer(run: Search, waiting: Sequence[Boxes], discover: Callable[[Array], Sequence[Box]]) -> None:
    """Offer the middles of some waiting boxes to ``discover``, spread over all of them."""
    every = [(lo, hi, n) for lo, hi, _ in waiting for n in range(0, lo.shape[1], 1 + lo.shape[1] // OFFERS)]
    offered = [(lo[:, n] + hi[:, n]) / 2 for lo, hi, n in every[:: 1 + len(every) // OFFERS]]
    run.known.extend(discover(np.stack(offered, axis=1)))


def preorder(run: Search) -> list[Any]:
    """The tokens of a recorded tree, a node before its lower half before its upper half."""
    out: list[Any] = []
    stack = [0]
    while stack:
        node = stack.pop()
        token = run.tokens[node]
        out.append(token)
        if node in run.children:
            first = run.children[node]
            stack += [first + 1, first]
    return out
