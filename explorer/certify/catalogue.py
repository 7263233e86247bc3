"""Statement id -> recipe, for the families of bad minima, narrow networks and split units (one function per statement)."""

from __future__ import annotations

from fractions import Fraction

from explorer.certify.certificate import Instance
from explorer.certify.paths import descend
from explorer.certify.recipes import (
    affine,
    collinear,
    common_weight,
    logistic,
    narrow,
    segments,
    single,
    splitting,
    zero_layer,
)
from explorer.certify.recipes.layers import spurious
from explorer.certify.requests import Request
from explorer.certify.searches import SEARCHES, Recipe
from explorer.errors import NotCertifiable
from explorer.problem import Activation
from explorer.reading import activation_from_json

#: the split units of `fukumizu2000.splitting`: both sides of [0, 1], two points inside, and the ends
LAMBDAS = tuple(map(Fraction, ("1/2", "1/3", "2", "-1", "0", "1")))


def bad_minimum(request: Request) -> tuple[Instance, ...]:
    """Any curved activation, depth, width and data in R^d off the exceptional quadrics (with hidden biases); W = 0."""
    request.allow("sun2020.quote-IV-ding", "samples", "width", "bias", "inputs", "activation", "depth")
    widths, kinds = request.hidden(3)
    if request.bias is False:
        if len(widths) > 1:
            raise NotCertifiable(
                "sun2020.quote-IV-ding", expected="hidden biases in deep networks", remedy="leave out --no-bias"
            )
        rows = request.rows(3, centred=False)
        return (
            common_weight.bad_minimum(rows, widths[0], kinds[0], seed=request.seed, source="sun2020.quote-IV-ding"),
        )
    shape = _shape(request, widths, kinds)
    return (zero_layer.bad_minimum(shape, seed=request.seed, source="sun2020.quote-IV-ding"),)


def logistic_minimum(request: Request) -> tuple[Instance, ...]:
    """The same for the logistic loss: a constant output with some labels wrong."""
    request.allow("explorer.bad-minimum-logistic", "samples", "width", "inputs", "activation", "depth")
    shape = _shape(request, *request.hidden(3, "swish"), output_bias=True)
    return (logistic.bad_minimum(shape, seed=request.seed, source="explorer.bad-minimum-logistic"),)


def vector_minimum(request: Request) -> tuple[Instance, ...]:
    """The same with two outputs."""
    request.allow("explorer.bad-minimum-outputs", "samples", "width", "inputs", "activation", "depth")
    shape = _shape(request, *request.hidden(3), outputs=2)
    return (zero_layer.bad_minimum(shape, seed=request.seed, source="explorer.bad-minimum-outputs"),)


def _shape(
    request: Request,
    widths: tuple[int, ...],
    kinds: tuple[Activation, ...],
    *,
    outputs: int = 1,
    output_bias: bool = False,
) -> zero_layer.Shape:
    """softplus outputs are irrational at the exact place: an output bias takes them off the targets."""
    return zero_layer.Shape(request.rows(3), widths, kinds, outputs, output_bias or kinds[-1].kind == "softplus")


def relu_minima(request: Request) -> tuple[Instance, ...]:
    """ReLU: a linear region (width >= 2) and a dead region, for any data that no affine function fits."""
    statement = "sun2020.quote-IV-relu"
    request.allow(statement, "samples", "width", "inputs")
    return _affine(request, activation_from_json("relu"), ("linear", "dead"), statement)


def two_slopes(request: Request) -> tuple[Instance, ...]:
    """Yun et al. 2019, Theorem 1: any two slopes s+ != s-, s+ > 0, as leaky_relu or as a piecewise polynomial."""
    statement = "yun2019.thm-1"
    request.allow(statement, "samples", "width", "inputs", "activation")
    if request.activation is not None:
        return _affine(request, request.one_activation("relu"), ("linear",), statement)
    slopes = {"kind": "piecewise-polynomial", "breaks": [0], "pieces": [[0, 1], [0, "11/10"]]}
    kinds = map(activation_from_json, ("relu", {"kind": "leaky_relu", "slope": "1/10"}, slopes))
    return tuple(i for kind in kinds for i in _affine(request, kind, ("linear",), statement))


def affine_pieces(request: Request) -> tuple[Instance, ...]:
    """Activations with an affine piece among others (Christof, Kowalczyk 2022): its linear and its constant pieces."""
    statement = "christof2022.affine-piece"
    request.allow(statement, "samples", "width", "inputs", "activation")
    default = {"kind": "piecewise-polynomial", "breaks": [-1, 1], "pieces": [[1, 0, 1], [1, -1], [-1, 0, 1]]}
    kind = request.one_activation(default)
    _, sloped, constant = affine.affine_pieces(kind)
    return _affine(request, kind, (*(("linear",) if sloped else ()), *(("dead",) if constant else ())), statement)


def _affine(request: Request, kind: Activation, regions: tuple[str, ...], source: str) -> tuple[Instance, ...]:
    rows = request.rows(3)
    width = request.whole("width", 2, 1, 1_000)
    targets = request.targets(len(rows))
    return tuple(
        affine.bad_minimum(rows, targets, width, kind, region=region, source=source)
        for region in regions
        if region == "dead" or width > 1 or len(regions) == 1
    )


def collinear_inputs(request: Request) -> tuple[Instance, ...]:
    """Yun et al. 2019, Theorem 2: smooth activations on three collinear points, zero loss attained elsewhere."""
    request.allow("yun2019.thm-2", "activation", "width")
    width = request.whole("width", 2, 1, 1_000)
    return (collinear.bad_minimum(request.one_activation("sigmoid"), width, seed=request.seed, source="yun2019.thm-2"),)


def single_neuron(request: Request) -> tuple[Instance, ...]:
    """Proposition IV.1 for the activation asked for: certificates of either answer."""
    request.allow("sun2020.prop-IV.1", "activation", "inputs")
    kind = request.one_activation("square")
    x = request.scalars(1, centred=False) if request.inputs is not None else (Fraction(1),)
    if len(x) != 1:
        raise NotCertifiable("sun2020.prop-IV.1", expected="one input", got=str(len(x)))
    name = kind.kind.replace("piecewise-polynomial", "piecewise").replace("_", "-")
    slug = f"neuron-{name}{f'-seed{request.seed}' if request.seed else ''}"
    return single.instances(kind, x=x[0], y=Fraction(1 + request.seed), slug=slug, source="sun2020.prop-IV.1")


def narrow_network(request: Request) -> tuple[Instance, ...]:
    """Proposition IV.3: n - 1 units, a strict local minimum that is not global; sigmoid for n = 2."""
    return _narrow(request, "sun2020.prop-IV.3")


def full_rank(request: Request) -> tuple[Instance, ...]:
    """Claim VI.1 refuted: a positive definite Hessian forces the activation matrix to have full rank n - 1."""
    if request.activation is None and request.samples is None and request.inputs is None:
        request.allow("sun2020.claim-VI.1")
        return (
            narrow.sigmoid_pair(seed=request.seed, source="sun2020.claim-VI.1"),
            *_narrow(Request(samples=3, seed=request.seed), "sun2020.claim-VI.1"),
        )
    return _narrow(request, "sun2020.claim-VI.1")


def _narrow(request: Request, source: str) -> tuple[Instance, ...]:
    request.allow(source, "samples", "width", "inputs", "activation")
    if request.activation not in (None, "sigmoid"):
        raise NotCertifiable(
            source, expected="activation sigmoid (two samples), or none: the recipe makes a polynomial one"
        )
    if request.activation == "sigmoid":
        if request.inputs is not None or request.samples not in (None, 2) or request.width not in (None, 1):
            raise NotCertifiable(
                source, expected="two samples and one unit with sigmoid", remedy="leave out --activation"
            )
        return (narrow.sigmoid_pair(seed=request.seed, source=source),)
    x = request.scalars(3, centred=False)
    if request.width not in (None, len(x) - 1):
        raise NotCertifiable(source, expected=f"width {len(x) - 1}, one unit less than samples", got=str(request.width))
    return (narrow.strict_minimum(x, seed=request.seed, source=source),)


def width_transition(request: Request) -> tuple[Instance, ...]:
    """The same data twice: a walled strict bad minimum with n - 1 units, and with n units the plateau that a split unit makes
    of it, with a path that leaves it on the level and then goes down."""
    statement = "explorer.width-transition"
    (small,) = _narrow(request, statement)
    p, q = (narrow.read_point(small.certificates[0][1], name) for name in ("p", "q"))
    base = splitting.Narrow(small.problem, p)
    problem, wide = splitting.split(base, Fraction(1, 2))
    _, better = splitting.split(splitting.Narrow(small.problem, q), Fraction(1, 2))
    plateau = spurious(problem, wide, better, proof="units")
    way_out = ("descending-path", descend(problem, wide))
    flat = Instance(problem.slug, problem, (("spurious-local-minimum", plateau), way_out))
    return small, flat


def split_units(request: Request) -> tuple[Instance, ...]:
    """Fukumizu, Amari 2000: a unit split along lambda, its kind inside (0, 1), outside and at the ends, for every sign of B."""
    statement = "fukumizu2000.splitting"
    request.allow(statement)
    out = []
    for name, base in splitting.examples(statement).items():
        problem, _ = splitting.split(base, LAMBDAS[0])
        named = tuple((f"lambda-{_tag(lam)}", splitting.certificate(base, lam)) for lam in LAMBDAS)
        named += tuple((f"lambda-{tag}", splitting.interval_certificate(base, *ends)) for tag, ends in splitting.INTERVALS.items())  # fmt: skip
        out.append(Instance(f"split-{name}", problem, named))
    return tuple(out)


def _tag(lam: Fraction) -> str:
    return str(lam).replace("-", "minus-").replace("/", "-over-")


def interpolation(request: Request) -> tuple[Instance, ...]:
    """Conjecture V.1 without conditions."""
    request.allow("sun2020.conj-V.1")
    return (segments.interpolation(source="sun2020.conj-V.1"),)


def plane_slice(request: Request) -> tuple[Instance, ...]:
    """Conjecture V.2, first half, for all directions instead of random ones."""
    request.allow("sun2020.conj-V.2", "width")
    return segments.plane_slice(request.whole("width", 3, 3, 1_000), source="sun2020.conj-V.2")


REFUTATIONS: dict[str, Recipe] = {
    "sun2020.claim-VI.1": full_rank,
    "sun2020.conj-V.1": interpolation,
    "sun2020.conj-V.2": plane_slice,
}


EXHIBITS: dict[str, Recipe] = {
    **SEARCHES,
    "sun2020.prop-IV.3": narrow_network,
    "sun2020.quote-IV-ding": bad_minimum,
    "sun2020.quote-IV-relu": relu_minima,
    "yun2019.thm-1": two_slopes,
    "yun2019.thm-2": collinear_inputs,
    "christof2022.affine-piece": affine_pieces,
    "fukumizu2000.splitting": split_units,
    "explorer.bad-minimum-logistic": logistic_minimum,
    "explorer.bad-minimum-outputs": vector_minimum,
    "explorer.width-transition": width_transition,
}
