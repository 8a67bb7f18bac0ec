"""Neural collapse of several classes at, and near, the points of convergence of SGD.

With ``W = rho V_L`` the scale and the last layer are at rest on a batch together exactly where the
mean over the batch of ``(W h - e~) h^T``, plus ``lambda W``, vanishes (`square:eq-38`): that is
half the gradient of the square loss with weight decay on W, and it is what is near zero here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive, proportion
from ncbounds.theory.cosine import dot, norm
from ncbounds.theory.metrics import simplex
from ncbounds.theory.proximity.near_optimal_loss import class_mean, square_norm
from ncbounds.theory.square_loss.multiclass_gradients import mean_outer, outputs
from ncbounds.theory.square_loss.multiclass_landscape import of_samples, targets
from ncbounds.theory.square_loss.multiclass_networks import balanced_batches
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

_C = integer("C", "number of classes", "C", at_least=2)
_LAMBDA = positive("lambda", "weight decay of the last layer", r"\lambda")
_ALPHA = proportion("alpha", "constant of Property 2", r"\alpha", one_included=False)
_EPSILON = nonnegative(
    "epsilon", "mean over balanced batches of the squared half gradient", r"\epsilon"
)
_DELTA = nonnegative("delta", "largest squared deviation from Property 2", r"\delta")
_REACH = positive("H", "root mean square of the feature norms", "H")
_WEIGHTS = positive("w", "Frobenius norm of the weights", "|W|_F")
_MEANS = positive("m", "Frobenius norm of the centred class means", "|M|_F")
_ALL = (_C, _ALPHA, _LAMBDA, _EPSILON, _DELTA, _REACH)


# -- what near equilibrium guarantees -------------------------------------------------------------


@formula(_EPSILON, _DELTA, _REACH)
def rest_of_the_weights(xp: Any, epsilon: Any, delta: Any, H: Any) -> Any:
    """Upper bound on |lambda W - (1 - alpha)/(C - 1) M^T| in the Frobenius norm."""
    return xp.sqrt(epsilon) + xp.sqrt(delta) * H


@formula(_C, _ALPHA, _EPSILON, _DELTA, _REACH)
def within_spread(xp: Any, C: Any, alpha: Any, epsilon: Any, delta: Any, H: Any) -> Any:
    """Upper bound on the root mean square distance of the features from their class mean."""
    root = xp.sqrt(C * epsilon) + xp.sqrt(delta) * H
    return root / ((1 - alpha) * xp.sqrt(C / (C - 1)))


@formula(*_ALL, _WEIGHTS)
def weights_from_simplex(
    xp: Any, C: Any, alpha: Any, lambda_: Any, epsilon: Any, delta: Any, H: Any, w: Any
) -> Any:
    """Upper bound on how far W W^T is from a simplex, in the Frobenius norm."""
    turned = (1 - alpha) / (C - 1) * xp.sqrt(C * delta)
    rest = xp.sqrt(epsilon) + xp.sqrt(delta) * H
    return (turned + rest * w) / lambda_


@formula(*_ALL, _MEANS)
def means_from_simplex(
    xp: Any, C: Any, alpha: Any, lambda_: Any, epsilon: Any, delta: Any, H: Any, m: Any
) -> Any:
    """Upper bound on how far the Gram matrix M^T M is from a simplex, in the Frobenius norm."""
    rest = xp.sqrt(epsilon) + xp.sqrt(delta) * H
    return (C - 1) / (1 - alpha) * (lambda_ * xp.sqrt(C * delta) + rest * m)


@formula(*_ALL, _MEANS, positive("x", "distance of a feature from the global mean", "|x - G|"))
def nearest_mean_gap(
    xp: Any,
    C: Any,
    alpha: Any,
    lambda_: Any,
    epsilon: Any,
    delta: Any,
    H: Any,
    m: Any,
    x: Any,
) -> Any:
    """Upper bound on how far logit gaps are from gaps of squared distances to the class means."""
    rest = xp.sqrt(epsilon) + xp.sqrt(delta) * H
    gram = (C - 1) / (1 - alpha) * (lambda_ * xp.sqrt(C * delta) + rest * m)
    turn = (C - 1) / (1 - alpha) * rest
    scale = lambda_ * (C - 1) / (1 - alpha)
    return xp.sqrt(0 * m + 2) * (2 * scale * xp.sqrt(delta) + 2 * turn * x + gram)


@dataclass(frozen=True)
class Collapse:
    """What is measured of weights (B, C, d) and features (B, C, N, d)."""

    means: Any
    centre: Any
    m: Any
    reach: Any
    spread: Any
    on_batches: Any
    deviations: Any


def measured(xp: Any, w: Any, h: Any, lambda_: Any, alpha: Any) -> Collapse:
    """Spread, gradients on balanced batches of one sample per class, deviation from Property 2.

    The mean over all these batches of the squared half gradient is that of the whole data plus
    the variance of the samples' gradients within the classes, over C.
    """
    C, N = h.shape[1:3]
    f = outputs(xp, w, h)
    e = of_samples(xp, f)
    means = xp.mean(h, axis=2)
    centre = xp.mean(means, axis=1)
    each = (f - e)[..., :, None] * h[..., None, :]
    apart = each - xp.mean(each, axis=2)[:, :, None]
    within = class_mean(xp, xp.sum(square_norm(xp, apart), axis=-1))
    whole = mean_outer(xp, f - e, h) + lambda_[:, None, None] * w
    off = f - alpha[:, None, None, None] * e
    return Collapse(
        means=means,
        centre=centre,
        m=means - centre[:, None, :],
        reach=xp.sqrt(class_mean(xp, square_norm(xp, h))),
        spread=xp.sqrt(class_mean(xp, square_norm(xp, h - means[:, :, None, :]))),
        on_batches=xp.sum(square_norm(xp, whole), axis=-1) + within / C,
        deviations=xp.reshape(square_norm(xp, off), (-1, C * N)),
    )


def frobenius(xp: Any, matrix: Any) -> Any:
    """Frobenius norm of (B, a, b)."""
    return xp.sqrt(xp.sum(square_norm(xp, matrix), axis=-1))


def gram(xp: Any, rows: Any) -> Any:
    """Inner products of rows: (B, C, d) to (B, C, C)."""
    return xp.matmul(rows, xp.matrix_transpose(rows))


def near_collapse(
    xp: Any,
    *,
    w: Any,
    h: Any,
    x: Any,
    alpha: Any,
    lambda_: Any,
    epsilon: Any,
    delta: Any,
) -> Judgement:
    """Near equilibrium and Property 2, everything is near collapse."""
    C = w.shape[1]
    s = measured(xp, w, h, lambda_, alpha)
    number = 0 * alpha + C
    near = {"epsilon": epsilon, "delta": delta, "H": s.reach}
    numbers = {"C": number, "alpha": alpha, "lambda_": lambda_, **near}
    share = ((1 - alpha) / (C - 1))[:, None, None]
    decay = lambda_[:, None, None]
    e = targets(xp, alpha, C)
    factor = (alpha * (1 - alpha) / (lambda_ * (C - 1)))[:, None, None]
    scale = (lambda_ * (C - 1) / (1 - alpha))[:, None]
    of_means = scale[..., None] * alpha[:, None, None] * e
    size = frobenius(xp, s.m)
    distance = square_norm(xp, s.means - x[:, None, :]) + 2 * scale * dot(xp, w, x[:, None, :])
    both = [(c, r) for c in range(C) for r in range(C) if r != c]
    gaps = distance[:, [c for c, _ in both]] - distance[:, [r for _, r in both]]
    apart = {"m": size, "x": norm(xp, x - s.centre)}
    global_mean = norm(xp, xp.sum(w * s.centre[:, None, :], axis=-1))
    return Judgement(
        (
            Comparison("near equilibrium", s.on_batches, epsilon),
            Comparison("near Property 2", s.deviations, delta[:, None]),
        ),
        (
            Comparison(
                "NC1",
                s.spread,
                within_spread(xp, C=number, alpha=alpha, **near),
            ),
            Comparison(
                "NC2 of the weights",
                frobenius(xp, gram(xp, w) - factor * e),
                weights_from_simplex(xp, **numbers, w=frobenius(xp, w)),
            ),
            Comparison(
                "NC2 of the means",
                frobenius(xp, gram(xp, s.m) - of_means),
                means_from_simplex(xp, **numbers, m=size),
            ),
            Comparison(
                "NC3",
                frobenius(xp, decay * w - share * s.m),
                rest_of_the_weights(xp, **near),
            ),
            Comparison("global mean", global_mean, xp.sqrt(delta)),
            Comparison("NC4", xp.max(gaps, axis=-1), nearest_mean_gap(xp, **numbers, **apart)),
        ),
    )


# -- the theorem as printed -----------------------------------------------------------------------


def own_constants(xp: Any, *, alpha: Any, flipped: Any) -> Judgement:
    """W has the targets as rows, and all features of class c are t_c e_c, t_c alpha or 1 - alpha.

    Every balanced batch has the same gradient, ``C lambda = alpha (1 - alpha)``.
    """
    C = flipped.shape[1]
    w = targets(xp, alpha, C)
    t = alpha[:, None] + flipped * (1 - 2 * alpha)[:, None]
    zero = 0 * alpha
    rows = [xp.stack([zero + int(c == j) for j in range(C)], axis=-1) for c in range(C)]
    h = t[..., None] * xp.stack(rows, axis=1)
    f = xp.matmul(h, xp.matrix_transpose(w))
    pull = sum_outer(xp, f - w, h) + (alpha * (1 - alpha))[:, None, None] * w
    m = h - xp.mean(h, axis=1)[:, None, :]
    squares = square_norm(xp, m)
    return Judgement(
        (
            Comparison("Property 2", f, t[..., None] * w, "="),
            Comparison("equilibrium", pull, 0 * pull, "="),
        ),
        (
            Comparison("equal norms", squares, squares[:, :1] + 0 * squares, "="),
            Comparison(
                "NC3",
                w / frobenius(xp, w)[:, None, None],
                m / frobenius(xp, m)[:, None, None],
                "=",
            ),
        ),
    )


def sum_outer(xp: Any, left: Any, right: Any) -> Any:
    """Sum over rows of ``left right^T``: (B, n, a), (B, n, d) to (B, a, d)."""
    return xp.matmul(xp.matrix_transpose(left), right)


def spread_claim(interpolates: bool) -> Any:
    """Return the claim of NC1 for features that also vary where the weights do not look.

    W has the targets as rows and no weight on a last coordinate, in which the N = 2 features of a
    class are z and -z. They interpolate, and no batch moves V_L; or they are alpha e_c before it,
    with ``C lambda = alpha (1 - alpha)``, and the batch of all data moves neither V_L nor rho.
    """

    def judge(xp: Any, *, alpha: Any, z: Any) -> Judgement:
        C = z.shape[1]
        e = targets(xp, alpha, C)
        t = 0 * alpha + 1 if interpolates else alpha
        zero = 0 * alpha
        w = xp.stack([xp.stack([*(e[:, c, j] for j in range(C)), zero], -1) for c in range(C)], 1)
        features = [
            xp.stack([*(t * int(c == j) for j in range(C)), sign * z[:, c]], axis=-1)
            for c in range(C)
            for sign in (1, -1)
        ]
        h = xp.stack(features, axis=1)
        f = xp.matmul(h, xp.matrix_transpose(w))
        own = [c for c in range(C) for _ in range(2)]
        residual = f - e[:, own]
        batches = (
            [tuple(2 * c + n for c, n in enumerate(s)) for s in balanced_batches(C, 2)]
            if interpolates
            else [tuple(range(2 * C))]
        )
        moves = []
        for batch in map(list, batches):
            pull = sum_outer(xp, residual[:, batch], h[:, batch])
            if interpolates:  # of V_L alone: less the part along it
                along = xp.sum(dot(xp, f[:, batch], residual[:, batch]), axis=-1)
                square = xp.sum(square_norm(xp, w), axis=-1)
                pull = pull - (along / square)[:, None, None] * w
            else:
                pull = pull + (2 * alpha * (1 - alpha))[:, None, None] * w
            moves.append(pull)
        every = xp.stack(moves, axis=1)
        spread = z * z
        return Judgement(
            (
                Comparison("Property 2", f, t[:, None, None] * e[:, own], "="),
                Comparison("at rest", every, 0 * every, "="),
            ),
            (Comparison("NC1", spread, 0 * spread, "="),),
        )

    return judge


def collapsed_at_rest(xp: Any, *, mirrors: Any, alpha: Any, rho: Any) -> Judgement:
    """A simplex of rows with the features along them satisfies everything."""
    C = mirrors.shape[1]
    one = 0 * alpha + 1
    V = simplex(xp, mirrors, one / xp.sqrt(one * (C - 1)))
    h = (alpha * C / rho)[:, None, None] * V
    f = rho[:, None, None] * xp.matmul(h, xp.matrix_transpose(V))
    e = targets(xp, alpha, C)
    lambda_ = alpha * (1 - alpha) * C / ((C - 1) * rho * rho)
    pull = sum_outer(xp, f - e, h) / C + (lambda_ * rho)[:, None, None] * V
    return Judgement(
        (),
        (
            Comparison("|V_L| = 1", xp.sum(square_norm(xp, V), axis=-1), one, "="),
            Comparison("Property 2", f, alpha[:, None, None] * e, "="),
            Comparison("at rest", pull, 0 * pull, "="),
        ),
    )


_SPREAD_FIELDS = (Field("alpha", (), "proportion"), Field("z", ("C",)))

THEOREM_6 = Statement(
    id="square:theorem-6",
    kind="theorem",
    title="Neural collapse of several classes",
    source=Source("square", "Theorem 6, Sec. 5.2"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "a multiple for each sample",
            r"A point at which no balanced batch moves $\rho$ or $V_L$, $\lambda > 0$, and "
            r"$f_V(x_{cn}) \propto \tilde e_c$ for all samples as in Property 2, has NC2 and NC3.",
            Claim(
                own_constants,
                (Field("alpha", (), "proportion"), Field("flipped", ("C",), "mask")),
                {"C": (3, 3)},
            ),
            defect="The proof has one alpha. Classes of margin alpha and classes of margin 1 - "
            "alpha are at rest together, with class means of unequal norms; within a class the two "
            "break NC1 (square:remark-nc-without-assumption).",
        ),
        Variant(
            "printed",
            "one constant, V_L alone converged",
            r"A point at which no balanced batch moves $V_L$ and $\rho f_V(x_{cn}) = \alpha\tilde "
            r"e_c$ for all samples has NC1.",
            Claim(spread_claim(True), _SPREAD_FIELDS, {"C": (2, 3)}),
            defect="The statement asks that V_L has converged. Where the network interpolates, "
            "alpha = 1, nothing moves V_L; that rho is at rest too, with a positive weight decay, "
            "excludes it.",
        ),
        Variant(
            "printed",
            "one constant, one batch",
            r"A point at which the gradients in $\rho$ and $V_L$ of the whole data vanish, "
            r"$\lambda > 0$ and $\rho f_V(x_{cn}) = \alpha\tilde e_c$ for all samples, has NC1: "
            "the batches with $b = N$, which divides $N$.",
            Claim(spread_claim(False), _SPREAD_FIELDS, {"C": (2, 3)}),
            defect="With one batch there is no second one that differs in one sample: NC1 needs "
            "b < N, as the paper remarks. NC2 and NC3 hold for the class means.",
        ),
        Variant(
            "corrected",
            "near equilibrium and near Property 2",
            r"Let $W = \rho V_L$, $\rho > 0$, $\lambda > 0$, $0 < \alpha < 1$; let $\epsilon$ be "
            r"the mean, over all balanced batches of one sample per class, of $|\frac1C\sum(Wh - "
            r"\tilde e)h^\top + \lambda W|^2$, and $|Wh(x_{cn}) - \alpha\tilde e_c|^2 \le \delta$ "
            r"for all samples. With $H^2$ the mean of $|h|^2$, $k = \frac C{C-1}$ and $R = "
            r"\sqrt\epsilon + \sqrt\delta H$: $(\frac1{CN}\sum|h(x_{cn}) - \mu_c|^2)^{1/2} \le "
            r"\frac{\sqrt{C\epsilon} + \sqrt\delta H}{(1-\alpha)\sqrt k}$; $|\lambda W - "
            r"\frac{1-\alpha}{C-1}M^\top| \le R$; $|WW^\top - \frac{\alpha(1-\alpha)}{\lambda(C-1)}"
            r"\tilde E| \le \frac1\lambda(\frac{1-\alpha}{C-1}\sqrt{C\delta} + R|W|)$ and "
            r"$|M^\top M - \frac{\lambda\alpha(C-1)}{1-\alpha}\tilde E| \le \frac{C-1}{1-\alpha}"
            r"(\lambda\sqrt{C\delta} + R|M|) =: S$ with $\tilde E = k(I - \frac1C11^\top)$; "
            r"$|W\mu_G| \le \sqrt\delta$; and for every $x \in \mathbb R^p$ the numbers $|\mu_c - "
            r"x|^2 + 2\frac{\lambda(C-1)}{1-\alpha}\langle w_c, x\rangle$ differ by at most "
            r"$\sqrt2(\frac{2(C-1)}{1-\alpha}(\lambda\sqrt\delta + R|x - \mu_G|) + S)$.",
            Claim(
                near_collapse,
                (
                    Field("w", ("C", "d")),
                    Field("h", ("C", "N", "d")),
                    Field("x", ("d",)),
                    Field("alpha", (), "proportion"),
                    Field("lambda_", (), "positive"),
                    Field("epsilon", (), "budget", hypothesis="near equilibrium"),
                    Field("delta", (), "budget", hypothesis="near Property 2"),
                ),
                {"C": (2, 3), "N": (1, 3), "d": (1, 4)},
            ),
            (
                Bound("root mean square distance from the class mean", within_spread, "upper"),
                Bound("Gram matrix of the weights from a simplex", weights_from_simplex, "upper"),
                Bound("Gram matrix of the means from a simplex", means_from_simplex, "upper"),
                Bound("weights from the class means", rest_of_the_weights, "upper"),
                Bound("logit gaps from distance gaps", nearest_mean_gap, "upper"),
            ),
            remark="At epsilon = delta = 0 it is the theorem: a balanced data set of N > 1 samples "
            "per class, every balanced batch at rest in rho and V_L, one constant alpha, which is "
            "in (0, 1) then as k alpha (1 - alpha) = lambda rho^2. Features of any dimension: "
            "those of C - 1 dimensions at least can satisfy it. NC4 holds for every x, not only "
            "for training samples, as W mu_G = 0. Larger batches b < N average the same "
            "gradients: the variance of a class enters over bC times (N - b)/(N - 1).",
        ),
        Variant(
            "sharp",
            "conversely, every simplex is at rest",
            r"Let the rows of $V_L$ be a simplex ETF with $|V_L| = 1$, $\rho > 0$, $\alpha \in (0, "
            r"1)$ and $h(x_{cn}) = \frac{\alpha C}\rho V_L^c$. Then $\rho f_V = \alpha\tilde e_c$, "
            r"and with $\lambda = \frac{C\alpha(1-\alpha)}{(C-1)\rho^2}$ no balanced batch moves "
            r"$\rho$ or $V_L$.",
            Claim(
                collapsed_at_rest,
                (
                    Field("mirrors", ("C", "d")),
                    Field("alpha", (), "proportion"),
                    Field("rho", (), "positive"),
                ),
                {"C": (2, 4), "d": (2, 5)},
                {"d": lambda sizes: max(sizes["d"], sizes["C"])},
            ),
            remark="So the theorem speaks of something, and the weight decay alone does not say "
            "which alpha: alpha and 1 - alpha have the same.",
        ),
    ),
)

STATEMENTS = (THEOREM_6,)
