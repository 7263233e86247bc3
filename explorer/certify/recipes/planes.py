"""Segments and planes through minima: instances on both sides of the survey's Conjectures V.1, V.3 and V.4."""

from __future__ import annotations

from fractions import Fraction

from explorer.certify.certificate import Certificate, Instance
from explorer.certify.goals import certify
from explorer.certify.paths import barrier_certificate, bounded_certificate, connect, descending_certificate
from explorer.paths.curves import Leg, Piece, PiecewisePath, line
from explorer.point import Element, Ln2Ring, Point, RationalField
from explorer.problem import Problem

F = Fraction


def parabola(source: str) -> Instance:
    """Two linear units, inputs e_1, e_2, y = (5, 5): v = (t, 1), W = ((t, t), (5 - t^2, 5 - t^2)) has loss 0 for every t.

    All coordinates are affine in (t, t^2): the curve is a parabola in the plane of any three of its points. The points
    t = 1, 2 and 3/2 are global minima, F is constant on the parabola from the first to the second, and not on the segment.
    """
    return _parabola("linear", "plane-parabola-linear", source)


def relu_parabola(source: str) -> Instance:
    """The same parabola with ReLU units: every pre-activation stays positive for t in [1, 2]."""
    return _parabola("relu", "plane-parabola-relu", source)


def _parabola(activation: str, slug: str, source: str) -> Instance:
    problem = Problem.dense(
        widths=[2, 2, 1], activation=activation, inputs=[[1, 0], [0, 1]], targets=[5, 5], slug=slug, source=source
    )

    def at(t: F) -> Point:
        return Point.rational([t, t, 5 - t * t, 5 - t * t, t, 1])

    low: tuple[tuple[Element, tuple[int, ...]], ...] = (((F(1),), (0,)), ((F(1),), (1,)))  # t = 1 + s
    rest = (((F(4),), (0,)), ((F(-2),), (1,)), ((F(-1),), (2,)))  # 5 - (1 + s)^2
    piece: Piece = (low, low, rest, rest, low, (((F(1),), (0,)),))
    path = PiecewisePath(at(F(1)), at(F(2)), (Leg(piece, "the parabola"),), F(0))
    minima = [(f"global-minimum-{k}", certify(problem, "global-minimum", at=at(t))) for k, t in enumerate((F(1), F(2), F(3, 2)), 1)]  # fmt: skip
    return Instance(slug, problem, (("constant-path", bounded_certificate(problem, path)), *minima))


def same_hidden_layer(source: str) -> Instance:
    """Three sigmoid units, two samples: minima that share the hidden layer are joined by a segment of constant loss.

    W = ln 2 (-1, 0, 1), x = (1, 3): features (1/3, 1/9), (1/2, 1/2), (2/3, 8/9); y = f at v = (0, 1, 1). Their dependence
    is (1, -2, 1): 1/3 - 1 + 2/3 = 0 and 1/9 - 1 + 8/9 = 0. So v = (0, 1, 1), (1, -1, 2) and (2, -3, 3) are global minima.
    """
    problem = Problem.dense(
        widths=[1, 3, 1], activation="sigmoid", inputs=[1, 3], targets=[F(7, 6), F(25, 18)],
        slug="plane-same-hidden-layer", source=source,
    )  # fmt: skip

    def at(*v: int) -> Point:
        return Point(Ln2Ring(), ((F(0), F(-1)), (F(0),), (F(0), F(1)), *((F(c),) for c in v)))

    points = [at(0, 1, 1), at(1, -1, 2), at(2, -3, 3)]
    minima = [(f"global-minimum-{k}", certify(problem, "global-minimum", at=p)) for k, p in enumerate(points, 1)]
    return Instance(problem.slug, problem, (("constant-path", connect(problem, points[0], points[1])), *minima))


def isolated_minima(source: str) -> Instance:
    """Two isolated global minima: an odd activation with phi(1) = 0, phi(2) = 1, phi'(2) = 0, samples (1, 0) and (2, 1).

    phi = (-68 t + 79 t^3 - 11 t^5)/144, F = (v phi(w))^2 + (1 - v phi(2w))^2: F = 0 at (w, v) = (1, 1) and at (-1, -1), and
    F > 1/200 on the boundary of a box around (1, 1). So no path, in a plane or not, joins the two at constant loss.
    """
    problem = Problem.dense(
        widths=[1, 1, 1], activation="polynomial", coefficients=[0, F(-68, 144), 0, F(79, 144), 0, F(-11, 144)],
        inputs=[1, 2], targets=[0, 1], slug="isolated-minima", source=source,
    )  # fmt: skip
    a, b = Point.rational([1, 1]), Point.rational([-1, -1])
    wall = barrier_certificate(
        problem, a, b, level=F(1, 200), lower=(F(4, 5), F(3, 4)), upper=(F(6, 5), F(5, 4)), cuts=(32, 4)
    )
    minima = [(f"global-minimum-{k}", certify(problem, "global-minimum", at=p)) for k, p in enumerate((a, b), 1)]
    return Instance(problem.slug, problem, (("barrier", wall), *minima))


def overshooting_step(source: str) -> Instance:
    """Gradient descent that jumps over a hill: (vw - 1)^2 from (2, 2), step 1/4, reaches (-1, -1) at once.

    The gradient at (2, 2) is 2 (4 - 1) (2, 2) = (12, 12); (2, 2) - (12, 12)/4 = (-1, -1), where F = 0 and the iteration
    stays. On the segment F(1, 1) = 0, then F(0, 0) = 1: it rises. (The step itself is arithmetic that no goal states.)
    """
    problem = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], slug="overshooting-step", source=source)
    later_is_higher = certify(problem, "not-global", at=Point.rational([0, 0]), better=Point.rational([1, 1]))
    end = certify(problem, "global-minimum", at=Point.rational([-1, -1]))
    return Instance(problem.slug, problem, (("rises-on-the-segment", later_is_higher), ("global-minimum", end)))


def monotone_segment(source: str) -> Instance:
    """The other side: from (2, 2) gradient flow keeps v = w and tends to (1, 1); on that segment F falls throughout."""
    problem = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], slug="monotone-segment", source=source)
    return Instance(problem.slug, problem, (("descending-path", straight(problem, [2, 2], [1, 1])),))


def straight(problem: Problem, a: list[int], b: list[int]) -> Certificate:
    """F is non-increasing on the segment from ``a`` to ``b`` and lower at ``b``."""
    p, q = Point.rational(a), Point.rational(b)
    leg = Leg(line(p.coordinates, q.coordinates, RationalField()), "the segment")
    return descending_certificate(problem, PiecewisePath(p, q, (leg,)))
