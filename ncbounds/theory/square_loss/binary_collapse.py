r"""Neural collapse of two classes where single-sample SGD rests, `square:theorem-5`.

The features are ``h``, the last layer is a unit vector ``V``, the output ``rho <V, h>``. A sample
of margin ``z = rho y <V, h>`` and residual ``l = 1 - z`` moves V by eta times the step
``2 rho l y (h - <V, h> V)``. Where all steps vanish and all ``z = 1 - epsilon``, with
``0 < epsilon < 1``, the features are ``y (1 - epsilon)/rho V``. Features behind a ReLU have no
negative entries, so there that can be for one class only.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, nonnegative, positive, real
from ncbounds.theory.cosine import dot, norm
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.terms import (
    Bound,
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)

_Z = real("z", "margin rho fbar of the sample", "z")
_LEVEL = real("level", "common margin 1 - epsilon", r"1-\epsilon")
_STEP = nonnegative("step_square", "squared length of the sample's SGD step over eta", "|s|^2")
_RHO = positive("rho", "scale of the network", r"\rho")
_W = real("w", "margin of a sample of the other class", "w")


@formula(_Z, _LEVEL, _STEP, _RHO)
def squared_collapse_distance(xp: Any, z: Any, level: Any, step_square: Any, rho: Any) -> Any:
    """Squared distance of a feature from its collapsed place."""
    residual = 1 - z
    return ((z - level) * (z - level) + step_square / (4 * residual * residual)) / (rho * rho)


@formula(_Z, _W)
def least_product_of_steps(xp: Any, z: Any, w: Any) -> Any:
    """Lower bound on the product of two SGD steps over eta, of samples of opposite labels."""
    return 4 * xp.abs((1 - z) * (1 - w)) * z * w


def unit(xp: Any, v: Any) -> Any:
    """Directions of vectors (B, p)."""
    return v / norm(xp, v)[:, None]


def sgd_step(xp: Any, V: Any, h: Any, sign: float, rho: Any) -> tuple[Any, Any]:
    """Margins ``rho y <V, h>`` and steps over eta of features (B, N, p) of one label."""
    outputs = dot(xp, h, V[:, None, :])
    margins = sign * rho[:, None] * outputs
    offsets = h - outputs[..., None] * V[:, None, :]
    return margins, (2 * sign * rho[:, None] * (1 - margins))[..., None] * offsets


def collapse_claim(by_class: bool) -> Any:
    """Return the claim that NC1 to NC4 hold at rest, with class means or with sums over N.

    There all samples of a class have one feature; `plus` and `minus` count them.
    """

    def judge(
        xp: Any, *, direction: Any, rho: Any, gap: Any, plus: Any, minus: Any, probe: Any
    ) -> Judgement:
        V = unit(xp, direction)
        size = (1 - gap) / rho
        features = {sign: sign * size[:, None] * V for sign in (1.0, -1.0)}
        counts = {1.0: plus, -1.0: minus}
        means = {}
        conclusions = []
        for sign, name in ((1.0, "+"), (-1.0, "-")):
            count, h = counts[sign], features[sign]
            divisor = count if by_class else plus + minus
            means[sign] = count[:, None] * h / divisor[:, None]
            margins, steps = sgd_step(xp, V, h[:, None, :], sign, rho)
            along = dot(xp, means[sign], V)[:, None] * V
            conclusions += [
                Comparison(f"at rest, class {name}", steps, 0 * steps, "="),
                Comparison(f"Property 1, class {name}", margins[:, 0], 1 - gap, "="),
                Comparison(f"NC1, class {name}", means[sign], h, "="),
                Comparison(f"NC3, class {name}", means[sign], along, "="),
            ]
        output = rho * dot(xp, V, probe)
        nearer = square_norm(xp, means[-1.0] - probe) - square_norm(xp, means[1.0] - probe)
        conclusions += [
            Comparison("NC2", means[1.0], -means[-1.0], "="),
            Comparison("NC4", nearer, 4 * size / rho * output, "="),
        ]
        return Judgement((), tuple(conclusions))

    return judge


def interpolating_rest(xp: Any, *, direction: Any, rho: Any, plus: Any, minus: Any) -> Judgement:
    """NC1 at an interpolating network, epsilon = 0: every step vanishes, whatever the features.

    `plus` and `minus` (B, P, p), (B, Q, p) give the features' parts orthogonal to V.
    """
    V = unit(xp, direction)
    conclusions = []
    for sign, name, parts in ((1.0, "+", plus), (-1.0, "-", minus)):
        across = parts - dot(xp, parts, V[:, None, :])[..., None] * V[:, None, :]
        h = (sign / rho)[:, None, None] * V[:, None, :] + across
        margins, steps = sgd_step(xp, V, h, sign, rho)
        conclusions += [
            Comparison(f"at rest, class {name}", steps, 0 * steps, "="),
            Comparison(f"Property 1, class {name}", margins, 0 * margins + 1, "="),
            Comparison(f"NC1, class {name}", h, xp.mean(h, axis=1)[:, None, :] + 0 * h, "="),
        ]
    return Judgement((), tuple(conclusions))


def near_collapse(
    xp: Any, *, direction: Any, rho: Any, gap: Any, plus: Any, minus: Any
) -> Judgement:
    """Distances from collapse by the lengths of the SGD steps and the margins, at any features."""
    V = unit(xp, direction)
    level, size = 1 - gap, (1 - gap) / rho
    radius, means, conclusions = {}, {}, []
    for sign, name, h in ((1.0, "+", plus), (-1.0, "-", minus)):
        margins, steps = sgd_step(xp, V, h, sign, rho)
        place = sign * size[:, None] * V
        bound = squared_collapse_distance(
            xp,
            z=margins,
            level=level[:, None],
            step_square=square_norm(xp, steps),
            rho=rho[:, None],
        )
        radius[sign], means[sign] = xp.mean(bound, axis=-1), xp.mean(h, axis=1)
        within = xp.mean(square_norm(xp, h - means[sign][:, None, :]), axis=-1)
        conclusions += [
            Comparison(
                f"distance, class {name}", square_norm(xp, h - place[:, None, :]), bound, "="
            ),
            Comparison(f"NC1, class {name}", within, radius[sign]),
            Comparison(f"NC3, class {name}", square_norm(xp, means[sign] - place), radius[sign]),
        ]
    apart = square_norm(xp, means[1.0] + means[-1.0])
    conclusions.append(Comparison("NC2", apart, 2 * (radius[1.0] + radius[-1.0])))
    return Judgement((), tuple(conclusions))


def restless(xp: Any, *, direction: Any, rho: Any, plus: Any, minus: Any) -> Judgement:
    """What nonnegative features of both classes keep apart: `plus`, `minus` before the ReLU."""
    V = unit(xp, direction)
    h = xp.maximum(plus, 0 * plus), xp.maximum(minus, 0 * minus)
    (z, s), (w, t) = sgd_step(xp, V, h[0], 1.0, rho), sgd_step(xp, V, h[1], -1.0, rho)
    least = least_product_of_steps(xp, z=z[:, :, None], w=w[:, None, :])
    product = norm(xp, s)[:, :, None] * norm(xp, t)[:, None, :]
    one, other = xp.mean(h[0], axis=1), xp.mean(h[1], axis=1)
    return Judgement(
        (),
        (
            Comparison("steps of two samples", least, product),
            Comparison(
                "means are not opposite",
                square_norm(xp, one) + square_norm(xp, other),
                square_norm(xp, one + other),
            ),
        ),
    )


_REST = (
    Field("direction", ("p",)),
    Field("rho", (), "positive"),
    Field("gap", (), "proportion"),
    Field("plus", (), "integer", least=1),
    Field("minus", (), "integer", least=1),
    Field("probe", ("p",)),
)
_PLUS, _MINUS = Field("plus", ("P", "p")), Field("minus", ("Q", "p"))
_SIZES = {"P": (1, 3), "Q": (1, 3), "p": (1, 3)}
_AT_REST = (
    r"Where single-sample SGD with weight normalisation leaves $V_L$ at rest and Property 1 holds"
)

THEOREM_5 = Statement(
    id="square:theorem-5",
    kind="theorem",
    title="Neural collapse of two classes",
    source=Source("square", "Theorem 5"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "sums over a class divided by N, as typeset",
            rf"{_AT_REST} with $0 < \epsilon < 1$, $\mu_\pm = \frac1N\sum_{{y_n = \pm1}} h(x_n)$ "
            r"satisfy NC1: $\mu_\pm = h(x_n)$ for all $n$ of the class.",
            Claim(collapse_claim(False), _REST, {"p": (1, 3)}),
            defect="With N the number of all samples the sums are the class means times the share "
            "of the class. Then NC1 fails for any data of both classes, and NC2 unless they are "
            "balanced.",
        ),
        Variant(
            "printed",
            "a gap of 0 admitted",
            rf"{_AT_REST} with $\epsilon = 0$: NC1.",
            Claim(
                interpolating_rest,
                (Field("direction", ("p",)), Field("rho", (), "positive"), _PLUS, _MINUS),
                _SIZES,
            ),
            defect="At an interpolating network every residual vanishes and with it every step, "
            "whatever the features are. The theorem asks that V_L alone has converged; 0 < epsilon "
            "has to be said (it follows where rho is at rest too, with lambda > 0).",
        ),
        Variant(
            "corrected",
            "class means, 0 < epsilon < 1, features of any sign",
            rf"{_AT_REST} with $0 < \epsilon < 1$, the class means are $\mu_\pm = h(x_n) = \pm"
            r"\frac{1-\epsilon}\rho V_L$ for all $n$ of the class (NC1, NC2, NC3), and "
            r"$|\mu_- - h|^2 - |\mu_+ - h|^2 = \frac{4(1-\epsilon)}{\rho^2}\rho f_V$ for every "
            r"feature $h = h(x)$ (NC4).",
            Claim(collapse_claim(True), _REST, {"p": (1, 3)}),
            remark="A step vanishes only if its residual does or h = f V_L. NC4 takes NC3 with "
            "a positive factor: with epsilon > 1 the nearer mean is the wrong one. For "
            "networks whose last hidden layer has a ReLU, see the last wording: then this cannot "
            "happen with both classes.",
        ),
        Variant(
            "sharp",
            "near collapse, by lengths of steps",
            r"At any features and any $0 < \epsilon < 1$, with $z_n$ the margins and $\eta s_n$ "
            r"the SGD steps of $V_L$: $|h(x_n) \mp \frac{1-\epsilon}\rho V_L|^2 = \frac1{\rho^2}"
            r"((z_n - 1 + \epsilon)^2 + \frac{|s_n|^2}{4(1-z_n)^2})$. With $R_\pm$ the mean of "
            r"the right side over a class, its features have a variance of at most $R_\pm$ (NC1), "
            r"$|\mu_\pm \mp \frac{1-\epsilon}\rho V_L|^2 \le R_\pm$ (NC3) and $|\mu_+ + \mu_-|^2 "
            r"\le 2(R_+ + R_-)$ (NC2).",
            Claim(
                near_collapse,
                (
                    Field("direction", ("p",)),
                    Field("rho", (), "positive"),
                    Field("gap", (), "proportion"),
                    _PLUS,
                    _MINUS,
                ),
                _SIZES,
            ),
            (
                Bound(
                    "squared distance of a feature from its collapsed place",
                    squared_collapse_distance,
                    "value",
                ),
            ),
            remark="Each bound is attained: no margin needs to be positive, nor the loss small.",
        ),
        Variant(
            "sharp",
            "features behind a ReLU never rest",
            r"If no feature has a negative entry, samples of labels $1$ and $-1$ with margins $z$ "
            r"and $w$ have steps with $|s||t| \ge 4|(1-z)(1-w)|zw$, and the class means satisfy "
            r"$|\mu_+ + \mu_-|^2 \ge |\mu_+|^2 + |\mu_-|^2$.",
            Claim(
                restless,
                (Field("direction", ("p",)), Field("rho", (), "positive"), _PLUS, _MINUS),
                _SIZES,
            ),
            (Bound("product of two steps over eta", least_product_of_steps, "lower", 0),),
            remark="In a ReLU network h is nonnegative. So with samples of both classes and "
            "Property 1, 0 < epsilon < 1, no point is at rest for single-sample SGD, and mu_+ = "
            "-mu_- only if both vanish: the theorem speaks of no ReLU network but one with a "
            "single class. The geometric mean of two steps is at least eta 2 epsilon (1-epsilon), "
            "which at the best rho is eta 2 lambda rho^2: the noise that stays. Attained where "
            "the features of the classes are orthogonal.",
        ),
    ),
)

STATEMENTS = (THEOREM_5,)
