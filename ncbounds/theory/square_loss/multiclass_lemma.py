"""What training to convergence leaves of symmetric quasi-interpolation: `square:lemma-7`.

The lemma minimises over the outputs of the network as if they could be chosen freely in a ball. As
functions of the weights outputs have a price: it differs from sample to sample, and for two layers
of ReLUs on orthogonal inputs it is known exactly.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive, proportion
from ncbounds.theory.cosine import dot
from ncbounds.theory.proximity.near_optimal_loss import square_norm
from ncbounds.theory.square_loss.multiclass_landscape import (
    OUTPUT_AXES,
    OUTPUT_SIZES,
    OUTPUTS,
    data_loss,
    moments,
    reduced_loss,
    symmetric_deviation,
    targets,
    unit,
)
from ncbounds.theory.square_loss.multiclass_networks import (
    FLIPPED_AXES,
    FLIPPED_FIELDS,
    FLIPPED_SIZES,
    RHO,
    flipped_claim,
    flipped_network,
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
_P = positive("P", "sum over classes of A_c/B_c, A_c the mean norm of its inputs", "P")
_Q = positive("Q", "sum over classes of 1/B_c, B_c the mean squared norm of its inputs", "Q")
_U = proportion("U", "mean over classes of A_c^2/B_c", "U")


# -- outputs that are free in a ball --------------------------------------------------------------


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


# -- two layers on orthogonal inputs --------------------------------------------------------------


@formula(_C, _LAMBDA, _P, _Q, _U)
def least_two_layer_loss(xp: Any, C: Any, lambda_: Any, P: Any, Q: Any, U: Any) -> Any:
    """Least regularised loss of two-layer networks on one orthogonal ray of inputs per class."""
    return C / (C - 1) * (1 - U + lambda_ * P * P / (1 + C * lambda_ * Q))


@formula(_C, _LAMBDA, _P)
def least_symmetric_loss(xp: Any, C: Any, lambda_: Any, P: Any) -> Any:
    """Least of those with one sample per class that satisfy Property 2 with one constant."""
    return C / (C - 1) * lambda_ * P * P / (1 + lambda_ * P * P)


@formula(
    _C,
    _LAMBDA,
    _P,
    _Q,
    positive("A", "mean of the norms of the inputs of a class", "A_c"),
    positive("B", "mean of their squares", "B_c"),
)
def slope_at_the_minimum(xp: Any, C: Any, lambda_: Any, P: Any, Q: Any, A: Any, B: Any) -> Any:
    """Margin over norm of the inputs of a class at the minimum, where it is not negative."""
    return (A - C * lambda_ * P / (1 + C * lambda_ * Q)) / B


def ray_numbers(xp: Any, a: Any) -> dict[str, Any]:
    """C, P, Q and U of input norms (B, C, N)."""
    A, B = xp.mean(a, axis=-1), xp.mean(a * a, axis=-1)
    return {
        "C": 0 * A[:, 0] + a.shape[1],
        "P": xp.sum(A / B, axis=-1),
        "Q": xp.sum(1 / B, axis=-1),
        "U": xp.mean(A * A / B, axis=-1),
    }


def two_layers(xp: Any, *, first: Any, second: Any, a: Any, rho: Any, lambda_: Any) -> Judgement:
    """The least loss of two layers on inputs a_cn times orthonormal vectors u_c.

    `first` (width, C) has the weights of the first layer on these vectors, `second` (C, width).
    """
    C = a.shape[1]
    V, W = unit(xp, first), unit(xp, second)
    hidden = xp.matrix_transpose(xp.maximum(V, 0 * V))
    slopes = xp.matmul(hidden, xp.matrix_transpose(W))
    loss = data_loss(xp, a[..., None] * slopes[:, :, None, :], rho) + lambda_ * rho * rho
    numbers = ray_numbers(xp, a)
    A, B = xp.mean(a, axis=-1), xp.mean(a * a, axis=-1)
    each = {n: numbers[n][:, None] for n in ("C", "P", "Q")}
    best = slope_at_the_minimum(xp, **each, lambda_=lambda_[:, None], A=A, B=B)
    off = rho[:, None] * dot(xp, slopes, targets(xp, rho, C)) * (C - 1) / C - best
    least = least_two_layer_loss(xp, **numbers, lambda_=lambda_)
    least = least + numbers["C"] / (C - 1) * xp.mean(B * off * off, axis=-1)
    return Judgement((), (Comparison("least loss", least, loss),))


def one_unit_each(xp: Any, *, more: Any, a: Any, lambda_: Any) -> Judgement:
    """One hidden unit a class, of squared norms that give the margins 1/4 + more, is no better."""
    C = a.shape[1]
    k = (0 * lambda_ + C) / (C - 1)
    slopes = (more + (0 * more + 1) / 4) / a
    rho = xp.sqrt(k) * xp.sum(slopes, axis=-1)
    squares = slopes / xp.sum(slopes, axis=-1)[:, None]  # of the columns of either layer
    f = (a * squares / xp.sqrt(k)[:, None])[:, :, None, None] * targets(xp, rho, C)[:, :, None, :]
    loss = data_loss(xp, f, rho) + lambda_ * rho * rho
    P = xp.sum(1 / a, axis=-1)
    least = least_symmetric_loss(xp, C=0 * rho + C, lambda_=lambda_, P=P)
    return Judgement((), (Comparison("least loss", least, loss),))


def uncollapsed_minimum(xp: Any, *, alpha: Any, flipped: Any) -> Judgement:
    """The network of margins alpha and 1 - alpha is a minimum; how its features spread."""
    net = flipped_network(xp, alpha, flipped)
    lambda_ = alpha * (1 - alpha) / 8
    rho = 0 * alpha + RHO
    loss = data_loss(xp, net.outputs, rho) + lambda_ * rho * rho
    norms = xp.sqrt(square_norm(xp, net.inputs))
    least = least_two_layer_loss(xp, **ray_numbers(xp, norms), lambda_=lambda_)
    means = xp.mean(net.hidden, axis=2)
    spread = xp.mean(square_norm(xp, net.hidden - means[:, :, None, :]), axis=-1)
    share = xp.mean(flipped, axis=-1)
    apart = (1 - 2 * alpha) / 2
    return Judgement(
        (),
        (
            Comparison("least loss", loss, least, "="),
            Comparison("spread", spread, (apart * apart)[:, None] * share * (1 - share), "="),
        ),
    )


_TWO_LAYERS = (
    Field("first", ("width", "C")),
    Field("second", ("C", "width")),
    Field("a", ("C", "N"), "positive"),
    Field("rho", (), "positive"),
    Field("lambda_", (), "positive"),
)
_ONE_UNIT = (
    Field("more", ("C",), "nonnegative"),
    Field("a", ("C",), "positive"),
    Field("lambda_", (), "positive"),
)
_RAYS = {"C": (2, 3), "width": (1, 4), "N": (1, 3)}


# -- the statement --------------------------------------------------------------------------------

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
            "printed",
            "the minimum over two-layer networks, one constant",
            r"On one input $a_cu_c$ of each class, the $u_c$ orthonormal, the two-layer ReLU "
            r"networks with $|V_k| = 1$ and one hidden unit a class, $V_1 = \mathrm{diag}(s_c)$, "
            r"$V_2$ of columns $s_c\tilde e_c/\sqrt k$, whose margins $t_c$ are all $\frac14$ or "
            r"more, have at least the regularised loss of the best network with one constant, "
            r"$\frac{k\lambda P^2}{1 + \lambda P^2}$ with $P = \sum_c\frac1{a_c}$.",
            Claim(one_unit_each, _ONE_UNIT, {"C": (2, 3)}),
            defect="Where the norms of the inputs differ, it pays to fit the small ones less: the "
            "minimum is the sharp wording's, and has one constant only if the norms are equal. "
            "For two classes, norms 1 and 1/2, lambda = 1/16 it is 9/13 at the margins 10/13 and "
            "7/13; one constant costs 18/25.",
            remark="The margins are 1/4 + more; they give s_c^2 = sqrt(k) t_c/(rho a_c) and rho.",
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
                    *OUTPUTS,
                    Field("rho"),
                    Field("lambda_", (), "positive"),
                    Field("reach", (), "budget", hypothesis="bounded outputs"),
                ),
                OUTPUT_SIZES,
                OUTPUT_AXES,
            ),
            (
                Bound("regularised loss", least_loss, "lower"),
                Bound("mean squared deviation from Property 2", deviation_from_loss, "upper"),
                Bound("bound on the squared norms less their mean", shortfall_from_loss, "upper"),
            ),
            remark="This is the unconstrained model that the paper sets out to avoid: the outputs "
            "are free variables here.",
        ),
        Variant(
            "sharp",
            "the minimum over two-layer networks",
            r"For two-layer ReLU networks with $|V_k| = 1$, of any width, on inputs $a_{cn}u_c$ of "
            r"class $c$, the $u_c$ orthonormal, $a_{cn} > 0$ of mean $A_c$ and mean square $B_c$, "
            r"with $P = \sum_c\frac{A_c}{B_c}$, $Q = \sum_c\frac1{B_c}$, $U = \frac1C\sum_c"
            r"\frac{A_c^2}{B_c}$, margins $\frac\rho k\langle f_V(x_{cn}), \tilde e_c\rangle = "
            r"\tau_ca_{cn}$ and $\tau_c^* = \frac1{B_c}(A_c - \frac{C\lambda P}{1 + C\lambda Q})$: "
            r"the regularised loss is at least $k(1 - U) + \frac{k\lambda P^2}{1 + C\lambda Q} + "
            r"\frac kC\sum_cB_c(\tau_c - \tau_c^*)^2$.",
            Claim(two_layers, _TWO_LAYERS, _RAYS),
            (
                Bound("regularised loss", least_two_layer_loss, "lower"),
                Bound("regularised loss with one constant", least_symmetric_loss, "lower"),
                Bound("margin over norm at the minimum", slope_at_the_minimum, "value"),
            ),
            remark="Attained where all tau_c* >= 0, by one hidden unit a class of squared norm "
            "proportional to tau_c* in both layers, rho = sqrt(k) sum tau_c*. The margins at every "
            "global minimum are tau_c* a_cn: so an overparametrised network has one constant there "
            "if and only if all inputs have one norm.",
        ),
        Variant(
            "sharp",
            "a minimum that has not collapsed",
            r"The two-layer network of the first wording, with margins $\alpha$ and $1 - \alpha$ "
            r"and $\lambda = \frac{\alpha(1-\alpha)}8$, attains that least loss over networks of "
            r"any width; the features of a class with a share $s$ of margins $1 - \alpha$ "
            r"have the variance $\frac{(1-2\alpha)^2}4s(1-s)$.",
            Claim(uncollapsed_minimum, FLIPPED_FIELDS, FLIPPED_SIZES, FLIPPED_AXES),
            remark="So a global minimum of the regularised loss, at rest on every balanced batch, "
            "need not have NC1: the norms of the inputs do what the network does not undo.",
        ),
    ),
)

STATEMENTS = (LEMMA_7,)
