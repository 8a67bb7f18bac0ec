"""Symmetric quasi-interpolation of several classes, and what minimising over the scale leaves.

C classes of N samples, with the targets ``e~_c = C/(C-1) (e_c - 1/C)``: centred one-hot labels of
largest entry 1, of squared norm ``k = C/(C-1)``. The normalised network has the outputs f, shape
(C, N, C), and is scaled by rho; mu is the mean of <f, e~_c> and M that of |f|^2. Property 2 asks
that f be a multiple of the target: the proofs use one multiple for all samples.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive
from ncbounds.theory.cosine import dot
from ncbounds.theory.proximity.near_optimal_loss import class_mean, square_norm
from ncbounds.theory.square_loss.multiclass_networks import (
    FLIPPED_AXES,
    FLIPPED_FIELDS,
    FLIPPED_SIZES,
    flipped_claim,
)
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
_REACH = positive("reach", "bound r^2 on the squared norms of the normalised outputs", "r^2")
_LAMBDA = positive("lambda", "weight decay", r"\lambda")
_GAP = nonnegative("gap", "excess of the reduced loss over its least value", "g")


# -- the setting ----------------------------------------------------------------------------------


def targets(xp: Any, like: Any, C: int) -> Any:
    """The targets e~_c as rows: (B, C, C) for a `like` of shape (B,)."""
    own = 0 * like + 1
    other = -own / (C - 1)
    rows = [xp.stack([own if r == c else other for r in range(C)], axis=-1) for c in range(C)]
    return xp.stack(rows, axis=1)


def of_samples(xp: Any, f: Any) -> Any:
    """The target of each sample, to broadcast against outputs f (B, C, N, C)."""
    return targets(xp, f[:, 0, 0, 0], f.shape[1])[:, :, None, :]


def moments(xp: Any, f: Any) -> tuple[Any, Any]:
    """The mean margin mu and the second moment M of outputs f (B, C, N, C): two of shape (B,)."""
    return (
        class_mean(xp, dot(xp, f, of_samples(xp, f))),
        class_mean(xp, square_norm(xp, f)),
    )


def data_loss(xp: Any, f: Any, rho: Any) -> Any:
    """The mean of |rho f - e~|^2, sample by sample: (B,)."""
    residual = rho[:, None, None, None] * f - of_samples(xp, f)
    return class_mean(xp, square_norm(xp, residual))


def symmetric_deviation(xp: Any, f: Any) -> Any:
    """The mean of |f - (mu/k) e~|^2: zero if and only if Property 2 holds with one constant."""
    C = f.shape[1]
    mu, _ = moments(xp, f)
    best = (mu * (C - 1) / C)[:, None, None, None] * of_samples(xp, f)
    return class_mean(xp, square_norm(xp, f - best))


# -- Property 2 -----------------------------------------------------------------------------------


def one_gap(xp: Any, *, factors: Any) -> Judgement:
    """Outputs that are positive multiples of the targets are one multiple of them."""
    e = targets(xp, factors[:, 0, 0], factors.shape[1])
    f = factors[..., None] * e[:, :, None, :]
    deviation = symmetric_deviation(xp, f)
    return Judgement((), (Comparison("one constant", deviation, 0 * deviation, "="),))


def measured_by_moments(xp: Any, *, f: Any) -> Judgement:
    """The deviation from Property 2 is M - mu^2/k, and the outputs' spread over a gauge."""
    C = f.shape[1]
    mu, M = moments(xp, f)
    deviation = symmetric_deviation(xp, f)
    e = of_samples(xp, f)
    own = dot(xp, f, e) * (C - 1) / C
    spread = class_mean(xp, own * own) - class_mean(xp, own) * class_mean(xp, own)
    rest = class_mean(xp, square_norm(xp, f - own[..., None] * e))
    return Judgement(
        (),
        (
            Comparison("deviation", deviation, M - mu * mu * (C - 1) / C, "="),
            Comparison("two parts", deviation, spread * C / (C - 1) + rest, "="),
            Comparison("at most one", mu * mu * (C - 1) / C, M),
        ),
    )


_OUTPUTS = (Field("f", ("C", "N", "out")),)
_SIZES = {"C": (2, 4), "N": (1, 3)}
_AXES = {"out": lambda sizes: sizes["C"]}

PROPERTY_2 = Statement(
    id="square:property-2",
    kind="property",
    title="Symmetric quasi-interpolation of several classes",
    source=Source("square", "Property 2, Sec. 5.2"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "a multiple for each sample, one gap",
            r"If $f(x_{cn}) = a_{cn}\tilde e_c$ with $a_{cn} > 0$ for all training examples, then "
            r"there is one $\alpha$ with $\rho f_V(x_{cn}) = \alpha\tilde e_c$ for all, as (40) "
            "has it.",
            Claim(one_gap, (Field("factors", ("C", "N"), "positive"),), {"C": (2, 4), "N": (1, 3)}),
            defect="The property says proportional, example by example; the proofs of Theorem 6 "
            "and Lemma 7 use one constant for all. Without it Theorem 6 fails: see its printed "
            "wordings.",
        ),
        Variant(
            "sharp",
            "one multiple, measured by two moments",
            r"With $\mu$ the mean of $\langle f, \tilde e_c\rangle$, $M$ that of $|f|^2$ and $k = "
            r"\frac C{C-1}$: $\frac1{CN}\sum|f(x_{cn}) - \frac\mu k\tilde e_c|^2 = M - "
            r"\frac{\mu^2}k$, the variance of $a = \frac1k\langle f, \tilde e_c\rangle$ times $k$ "
            r"and the mean of $|f - a\tilde e_c|^2$. So $f = \alpha\tilde e_c$ for all samples if "
            r"and only if $kM = \mu^2$, the largest value of $\mu^2$.",
            Claim(measured_by_moments, _OUTPUTS, _SIZES, _AXES),
        ),
    ),
)


# -- Equations (33) and (34) ----------------------------------------------------------------------


def reduced_loss(xp: Any, mu: Any, M: Any, lambda_: Any, C: int) -> Any:
    """``C/(C-1) - mu^2/(M + lambda)``, the regularised loss at the best scale."""
    return (0 * mu + C) / (C - 1) - mu * mu / (M + lambda_)


def in_the_scale(xp: Any, *, f: Any, rho: Any, lambda_: Any) -> Judgement:
    """The regularised loss as a polynomial of rho."""
    mu, M = moments(xp, f)
    C = f.shape[1]
    polynomial = (M + lambda_) * rho * rho - 2 * rho * mu + (0 * mu + C) / (C - 1)
    loss = data_loss(xp, f, rho) + lambda_ * rho * rho
    return Judgement((), (Comparison("loss", loss, polynomial, "="),))


def at_the_best_scale(xp: Any, *, f: Any, lambda_: Any, rho: Any) -> Judgement:
    """The best scale is mu/(M + lambda), and the loss there."""
    mu, M = moments(xp, f)
    C = f.shape[1]
    best = mu / (M + lambda_)
    k = (0 * mu + C) / (C - 1)

    def loss(scale: Any) -> Any:
        return data_loss(xp, f, scale) + lambda_ * scale * scale

    first = (M + lambda_) * best * best - 2 * mu * mu / (M + lambda_) + k
    second = reduced_loss(xp, mu, M, lambda_, C)
    off = rho - best
    return Judgement(
        (),
        (
            Comparison("first line", loss(best), first, "="),
            Comparison("second line", first, second, "="),
            Comparison("every scale", loss(rho), second + (M + lambda_) * off * off, "="),
            Comparison("least", second, loss(rho)),
        ),
    )


EQ_33 = Statement(
    id="square:eq-33",
    kind="equation",
    title="The multiclass training problem in rho",
    source=Source("square", "(33)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "every network",
            r"$\frac1{CN}\sum|\rho f_V(x_{cn}) - \tilde e_c|^2 + \lambda\rho^2 = (M+\lambda)"
            r"\rho^2 - 2\rho\mu + \frac C{C-1}$.",
            Claim(
                in_the_scale,
                (*_OUTPUTS, Field("rho"), Field("lambda_", (), "positive")),
                _SIZES,
                _AXES,
            ),
        ),
    ),
)

EQ_34 = Statement(
    id="square:eq-34",
    kind="equation",
    title="The multiclass training problem at the best scale",
    source=Source("square", "(34)"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "both lines, and the scale above them",
            r"The loss is least in $\rho$ at $\rho = \frac\mu{M+\lambda}$, where it is $(M+\lambda)"
            r"(\frac\mu{M+\lambda})^2 - 2\frac{\mu^2}{M+\lambda} + \frac C{C-1} = \frac C{C-1} - "
            r"\frac{\mu^2}{M+\lambda}$; at any $\rho$ it is more by $(M+\lambda)(\rho - "
            r"\frac\mu{M+\lambda})^2$.",
            Claim(
                at_the_best_scale,
                (*_OUTPUTS, Field("lambda_", (), "positive"), Field("rho")),
                _SIZES,
                _AXES,
            ),
        ),
    ),
)


# -- Lemma 7 --------------------------------------------------------------------------------------


@formula(_C, _REACH, _LAMBDA)
def least_loss(xp: Any, C: Any, reach: Any, lambda_: Any) -> Any:
    """Least regularised loss of outputs of bounded norm."""
    return C / (C - 1) * lambda_ / (reach + lambda_)


@formula(_C, _REACH, _LAMBDA, _GAP)
def deviation_from_loss(xp: Any, C: Any, reach: Any, lambda_: Any, gap: Any) -> Any:
    """Upper bound on the mean squared deviation from Property 2."""
    return (C - 1) / C * gap * (reach + lambda_)


@formula(_C, _REACH, _LAMBDA, _GAP)
def shortfall_from_loss(xp: Any, C: Any, reach: Any, lambda_: Any, gap: Any) -> Any:
    """Upper bound on how far the second moment is below its bound."""
    return (C - 1) / C * gap * (reach + lambda_) * (reach + lambda_) / lambda_


def ridge(xp: Any, *, p: Any, q: Any, z: Any, lambda_: Any) -> Judgement:
    """Ridge regression on three independent inputs: its outputs are multiples of the targets.

    The inputs are (p, q, z), (-p, q, z) and (0, -2q, z). With the columns a = (1, -1, 0) and
    b = (1, 1, -2) the targets are 3a/4 + b/4, -3a/4 + b/4 and -b/2, and the weights of the only
    minimiser are a 3p/(2A) for the first entry, b 3q/(2B) for the second and none for the third.
    """
    A, B = 2 * p * p + 3 * lambda_, 6 * q * q + 3 * lambda_
    first, second = 3 * p / 2, 3 * q / 2
    zero = 0 * p
    a = xp.stack([zero + 1, zero - 1, zero], axis=-1)
    b = xp.stack([zero + 1, zero + 1, zero - 2], axis=-1)

    def output(x: Any, y: Any) -> Any:
        return (x * first / A)[:, None] * a + (y * second / B)[:, None] * b

    f = xp.stack([output(p, q), output(-p, q), output(0 * p, -2 * q)], axis=1)
    e = targets(xp, zero, 3)
    cross = f * e[:, :, [1, 2, 0]] - f[:, :, [1, 2, 0]] * e
    rivals = [(c, r) for c in range(3) for r in range(3) if r != c]
    margins = xp.stack([f[:, c, c] - f[:, c, r] for c, r in rivals], axis=-1)
    # The gradient, times 3/2 and A or B: a sum over the three samples of input times residual.
    on_a = p * (p * first - 3 * A / 4) + p * (p * first - 3 * A / 4) + 3 * lambda_ * first
    on_b = 2 * q * (q * second - B / 4) + 2 * q * (2 * q * second - B / 2) + 3 * lambda_ * second
    return Judgement(
        (
            Comparison("stationary on a", on_a, zero, "="),
            Comparison("stationary on b", on_b, zero, "="),
            Comparison("all classified", zero, xp.min(margins, axis=-1)),
        ),
        (Comparison("proportional", cross, 0 * cross, "="),),
    )


def free_outputs(xp: Any, *, f: Any, rho: Any, lambda_: Any, reach: Any) -> Judgement:
    """Bounded outputs: the least loss, the gap split exactly, and what a small gap implies."""
    mu, M = moments(xp, f)
    C = f.shape[1]
    number = 0 * mu + C
    deviation = symmetric_deviation(xp, f)
    numbers = {"C": number, "reach": reach, "lambda_": lambda_}
    least = least_loss(xp, **numbers)
    gap = reduced_loss(xp, mu, M, lambda_, C) - least
    loss = data_loss(xp, f, rho) + lambda_ * rho * rho
    k = number / (C - 1)
    short = k * lambda_ * (reach - M) / ((reach + lambda_) * (M + lambda_))
    norms = xp.reshape(square_norm(xp, f), (-1, f.shape[1] * f.shape[2]))
    return Judgement(
        (Comparison("bounded outputs", norms, reach[:, None]),),
        (
            Comparison("least loss", least, loss),
            Comparison("split", gap, k * deviation / (M + lambda_) + short, "="),
            Comparison("deviation", deviation, deviation_from_loss(xp, **numbers, gap=gap)),
            Comparison("shortfall", reach - M, shortfall_from_loss(xp, **numbers, gap=gap)),
        ),
    )


LEMMA_7 = Statement(
    id="square:lemma-7",
    kind="lemma",
    title="Converged networks quasi-interpolate symmetrically",
    source=Source("square", "Lemma 7, Sec. 5.2"),
    topic="square_loss",
    variants=(
        Variant(
            "printed",
            "points of convergence for all balanced batches",
            r"A two-layer ReLU network with $|V_k| = 1$ and $\lambda > 0$, of which $\rho$, $V_1$ "
            r"and $V_2$ have zero gradient on every batch of one sample per class and which "
            r"classifies all samples, has outputs $\rho f_V(x_{cn}) = \alpha\tilde e_c$ with one "
            r"$\alpha$.",
            Claim(
                flipped_claim(("one constant",)),
                FLIPPED_FIELDS,
                FLIPPED_SIZES,
                FLIPPED_AXES,
            ),
            defect="The proof minimises over the outputs as if they could be chosen freely. Points "
            "of convergence are many: a sample of margin alpha may be replaced by one of margin "
            "1 - alpha on the same ray, since both have the same gradient.",
        ),
        Variant(
            "printed",
            "the minimum, a multiple for each sample",
            r"The minimum of the regularised loss over linear networks on three linearly "
            r"independent inputs, one of each class, where all are classified, has outputs "
            r"$f(x_c) \propto \tilde e_c$.",
            Claim(ridge, tuple(Field(name, (), "positive") for name in ("p", "q", "z", "lambda_"))),
            defect="Interpolation is possible, the minimum is the only critical point, and yet the "
            "directions in which the inputs are small are fitted less: with p = 3/2, q = 1/2, "
            "lambda = 1/2 the first output is (11/16, -7/16, -1/4) for the target "
            "(1, -1/2, -1/2). That a network can attain any outputs does not make all of them "
            "equally cheap.",
            remark="One layer, of which the scale is rho. The lemma holds for outputs that are "
            "free in a ball: the corrected wording.",
        ),
        Variant(
            "corrected",
            "outputs that are free in a ball",
            r"For outputs with $|f(x_{cn})|^2 \le r^2$ and no other restriction the least "
            r"regularised loss over $\rho$ and $f$ is $\frac{k\lambda}{r^2+\lambda}$, $k = "
            r"\frac C{C-1}$, attained at $f(x_{cn}) = \frac r{\sqrt k}\tilde e_c$ only. At any "
            r"outputs the reduced loss (34) exceeds it by $g = \frac k{M+\lambda}D + "
            r"\frac{k\lambda(r^2-M)}{(r^2+\lambda)(M+\lambda)}$, where $D$ is the mean of "
            r"$|f - \frac\mu k\tilde e_c|^2$; so $D \le \frac gk(r^2+\lambda)$ and $r^2 - M \le "
            r"\frac g{k\lambda}(r^2+\lambda)^2$.",
            Claim(
                free_outputs,
                (
                    *_OUTPUTS,
                    Field("rho"),
                    Field("lambda_", (), "positive"),
                    Field("reach", (), "budget", hypothesis="bounded outputs"),
                ),
                _SIZES,
                _AXES,
            ),
            (
                Bound("regularised loss", least_loss, "lower"),
                Bound("mean squared deviation from Property 2", deviation_from_loss, "upper"),
                Bound("bound on the squared norms less their mean", shortfall_from_loss, "upper"),
            ),
            remark="This is the unconstrained model that the paper sets out to avoid: the outputs "
            "are free variables here.",
        ),
    ),
)

STATEMENTS = (PROPERTY_2, LEMMA_7, EQ_33, EQ_34)
