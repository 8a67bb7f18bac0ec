"""Intra-class and inter-class cosines from mean inner products.

The appendix of `bnwd` passes from the mean of the features of a class, which the loss controls, to
the mean of the *normalised* features, whose norm and inner products are the cosine similarities.
One sharp fact stands behind all of it (the sharp variant of `bnwd:corollary-a.2`): with V the
variance of the vectors over their mean square, the mean normalised vector lies within V of 1 - V
times the direction of the mean.

A bar is a normalised vector, a tilde a mean: ``h~`` the mean of the h_i and ``h-~`` the mean of the
h_i/|h_i|. Cosines of zero vectors are undefined, and no claim speaks of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ncbounds.arithmetic.formula import (
    formula,
    integer,
    positive,
    proportion,
)
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

_RATIO = proportion("x", "mean inner product c over alpha beta", "x")


def norm(xp: Any, vectors: Any) -> Any:
    """Euclidean norm over the last axis."""
    return xp.sqrt(square_norm(xp, vectors))


def dot(xp: Any, left: Any, right: Any) -> Any:
    """Inner product over the last axis."""
    return xp.sum(left * right, axis=-1)


def root_mean_square(xp: Any, v: Any) -> Any:
    """Quadratic mean of the norms of v: (B, N, d) to (B,)."""
    return xp.sqrt(xp.mean(square_norm(xp, v), axis=-1))


def mean_direction(xp: Any, v: Any) -> Any:
    """Mean of the normalised vectors: (B, N, d) to (B, d)."""
    return xp.mean(v / norm(xp, v)[..., None], axis=1)


def cosine(xp: Any, left: Any, right: Any) -> Any:
    """Cosine of the angle over the last axis."""
    return dot(xp, left, right) / (norm(xp, left) * norm(xp, right))


# -- the proposition in the proof of Lemma A.4 ----------------------------------------------------

_TOTAL = positive("A", "sum of the a_i", "A")
_SQUARES = positive("B", "bound on the sum of the squares of the b_i", "B")
_CEILING = positive("beta", "bound on the ratios a_i / b_i", r"\beta")


@formula(_TOTAL, _SQUARES, integer("N", "number of ratios", "N", at_least=1))
def printed_ratio_sum(xp: Any, A: Any, B: Any, N: Any) -> Any:
    """Printed lower bound on the sum of ratios."""
    return A * xp.sqrt(N) / xp.sqrt(B)


@formula(_TOTAL, _SQUARES)
def least_ratio_sum(xp: Any, A: Any, B: Any) -> Any:
    """Lower bound on the sum of ratios."""
    return A / xp.sqrt(B)


@formula(_TOTAL, _SQUARES, _CEILING)
def bounded_ratio_sum(xp: Any, A: Any, B: Any, beta: Any) -> Any:
    """Lower bound on the sum of ratios that are at most beta."""
    return A * A / (beta * B)


def ratio_sum_claim(bound: Callable[..., Any], bounded: bool = False) -> Callable[..., Judgement]:
    """Return the claim that the sum of the a_i/b_i is at least ``bound(xp, A=, B=, N=)``.

    With `bounded` the bound also takes beta, and the ratios are at most that.
    """

    def judge(xp: Any, *, a: Any, b: Any, B: Any, **beta: Any) -> Judgement:
        ratios = a / b
        hypotheses = [Comparison("sum of squares", xp.sum(b * b, axis=-1), B)]
        numbers = {"A": xp.sum(a, axis=-1), "B": B, **beta}
        if bounded:
            largest = xp.max(ratios, axis=-1)
            hypotheses.append(Comparison("ratios", largest, beta["beta"]))
        else:
            numbers["N"] = 0 * B + a.shape[1]
        least = bound(xp, **numbers)
        return Judgement(
            tuple(hypotheses), (Comparison("sum of ratios", least, xp.sum(ratios, axis=-1)),)
        )

    return judge


def _without_number(xp: Any, *, N: Any, **numbers: Any) -> Any:
    return least_ratio_sum(xp, **numbers)


_RATIO_FIELDS = (
    Field("a", ("N",), "nonnegative"),
    Field("b", ("N",), "positive"),
    Field("B", (), "budget", hypothesis="sum of squares"),
)
_SUMS = r"Let $a_i \ge 0$, $b_i > 0$, $\sum_i a_i = A$ and $\sum_i b_i^2 \le B$"

PROPOSITION_RATIO_SUM = Statement(
    id="bnwd:proposition-ratio-sum",
    kind="proposition",
    title="Lower bound on a sum of ratios",
    source=Source("bnwd", "Proof of Lemma A.4, A.3"),
    topic="cosine",
    variants=(
        Variant(
            "printed",
            "sums over all N",
            _SUMS + r". Then $\sum_i a_i/b_i \ge A\sqrt N/\sqrt B$.",
            Claim(ratio_sum_claim(printed_ratio_sum), _RATIO_FIELDS, {"N": (1, 16)}),
            (Bound("sum of ratios", printed_ratio_sum, "lower"),),
            defect="Equal a_i and b_i are a stationary point, not a minimum: for given b the sum "
            "is linear in a and least where all of A sits on the largest b_i, which may be "
            "sqrt(B). It is true for N = 1. In Lemma A.4 it enters with a_i = <u, v_i> and b_i = "
            "|v_i|, and the line it is to give there, A sqrt(M)/sqrt(B), is false as well; the "
            "next line, N beta (c/(alpha beta))^2, is A^2/(beta B) and true.",
        ),
        Variant(
            "corrected",
            "sums over all N",
            _SUMS + r". Then $\sum_i a_i/b_i \ge A/\sqrt B$.",
            Claim(ratio_sum_claim(_without_number), _RATIO_FIELDS, {"N": (1, 16)}),
            (Bound("sum of ratios", least_ratio_sum, "lower"),),
            remark="The best constant for every N: let one b_i tend to sqrt(B), the others to 0, "
            "and put all of A on the one.",
        ),
        Variant(
            "corrected",
            "bounded ratios, as Lemma A.4 has them",
            _SUMS + r", and $a_i \le \beta b_i$ for every $i$. Then "
            r"$\sum_i a_i/b_i \ge A^2/(\beta B)$.",
            Claim(
                ratio_sum_claim(bounded_ratio_sum, bounded=True),
                (*_RATIO_FIELDS, Field("beta", (), "budget", hypothesis="ratios")),
                {"N": (1, 16)},
            ),
            (Bound("sum of ratios", bounded_ratio_sum, "lower"),),
            remark="Equality where every ratio is 0 or beta and the b_i with ratio beta are "
            "equal, the others tending to 0. With a_i = <u, v_i> over the samples where that is "
            "positive, A >= N c and B = N alpha^2 it gives N beta (c/(alpha beta))^2: what the "
            "proof of Lemma A.4 needs, so the lemma stands.",
        ),
    ),
)


# -- Lemma A.3 ------------------------------------------------------------------------------------


def cosine_identity(xp: Any, *, h: Any, g: Any) -> Judgement:
    """Lemma A.3: mean cosines within a class h, and between it and a class g."""

    def mean_cosine(left: Any, right: Any) -> Any:
        pairs = cosine(xp, left[:, :, None, :], right[:, None, :, :])
        return xp.mean(xp.mean(pairs, axis=-1), axis=-1)

    of_h, of_g = mean_direction(xp, h), mean_direction(xp, g)
    return Judgement(
        (),
        (
            Comparison("intra-class cosine", mean_cosine(h, h), square_norm(xp, of_h), "="),
            Comparison("inter-class cosine", mean_cosine(h, g), dot(xp, of_h, of_g), "="),
        ),
    )


LEMMA_A_3 = Statement(
    id="bnwd:lemma-a.3",
    kind="lemma",
    title="Mean cosines are the norms and inner products of mean normalised features",
    source=Source("bnwd", "Lemma A.3, A.3"),
    topic="cosine",
    variants=(
        Variant(
            "printed",
            "no feature is zero",
            r"The mean of $\cos(h_{c,i}, h_{c,j})$ over all ordered pairs $(i, j)$, $i = j$ "
            r"included, is $|\tilde{\bar h}_c|^2$; the mean of $\cos(h_{c,i}, h_{c',j})$ is "
            r"$\langle\tilde{\bar h}_c, \tilde{\bar h}_{c'}\rangle$.",
            Claim(
                cosine_identity,
                (Field("h", ("N", "d")), Field("g", ("N", "d"))),
                {"N": (1, 8), "d": (1, 8)},
            ),
            remark="Classes of different sizes change nothing. Over pairs of two different "
            "samples the mean is (N |mean|^2 - 1)/(N - 1). The paper calls the second quantity "
            "intra-class too, and drops a bar in the last line of either display: slips.",
        ),
    ),
)


# -- Lemma A.4 and Corollary A.2 ------------------------------------------------------------------


@formula(_RATIO)
def mean_direction_norm(xp: Any, x: Any) -> Any:
    """Lower bound on the norm of the mean normalised vector."""
    return 2 * x * x - 1


@formula(_RATIO)
def intra_class_cosine(xp: Any, x: Any) -> Any:
    """Lower bound on the square of the norm, which is the intra-class cosine."""
    least = xp.maximum(2 * x * x - 1, 0 * x)
    return least * least


def mean_inner_product_claim(
    norms: Callable[..., Any], conclude: Callable[..., Comparison], least: bool = True
) -> Callable[..., Judgement]:
    """Return Lemma A.4 with a reading of the bound on the norms, and a conclusion.

    The instance gives c as alpha beta less a deficit, so that c <= alpha beta, and a v as a vector
    times a number, because small and opposite v are the ones that matter. With `least` it is a
    hypothesis that c >= alpha beta/sqrt 2, else that c >= 0. `conclude(xp, u, v, x)` compares,
    with x = c/(alpha beta).
    """

    def judge(
        xp: Any, *, u: Any, towards: Any, multiples: Any, alpha: Any, beta: Any, deficit: Any
    ) -> Judgement:
        v = towards * multiples[..., None]
        inner = xp.mean(dot(xp, u[:, None, :], v), axis=-1)
        whole = alpha * beta
        share = xp.sqrt(0 * whole + 2) if least else 0 * whole + 1
        lowest = whole / share if least else 0 * whole
        return Judgement(
            hypotheses=(
                Comparison("norms of the v", norms(xp, v), alpha),
                Comparison("norm of u", norm(xp, u), beta),
                Comparison("mean inner product", whole, inner + deficit),
                Comparison("c large enough", lowest, whole - deficit),
            ),
            conclusions=(conclude(xp, u, v, (whole - deficit) / whole),),
        )

    return judge


def every_norm(xp: Any, v: Any) -> Any:
    """The bound on the norms as typeset, without a sum: every |v_i|^2/N is at most alpha^2."""
    return xp.max(norm(xp, v), axis=-1) / xp.sqrt(0 * v[:, 0, 0] + v.shape[1])


def conclude_norm(xp: Any, u: Any, v: Any, x: Any) -> Comparison:
    """|mean of the normalised v| >= 2x^2 - 1."""
    return Comparison("norm", mean_direction_norm(xp, x=x), norm(xp, mean_direction(xp, v)))


def conclude_printed_square(xp: Any, u: Any, v: Any, x: Any) -> Comparison:
    """|mean of the normalised v|^2 >= 2x^2 - 1, both sides taken from 1."""
    below = 1 - square_norm(xp, mean_direction(xp, v))
    return Comparison("1 - squared norm", below, 1 - mean_direction_norm(xp, x=x))


def conclude_square(xp: Any, u: Any, v: Any, x: Any) -> Comparison:
    """|mean of the normalised v|^2 >= (2x^2 - 1)^2."""
    return Comparison(
        "squared norm", intra_class_cosine(xp, x=x), square_norm(xp, mean_direction(xp, v))
    )


def conclude_mean_cosine(xp: Any, u: Any, v: Any, x: Any) -> Comparison:
    """The mean cosine of u and the v is at least 2x^2 - 1."""
    mean = xp.mean(cosine(xp, u[:, None, :], v), axis=-1)
    return Comparison("mean cosine", mean_direction_norm(xp, x=x), mean)


_INNER_FIELDS = (
    Field("u", ("d",)),
    Field("towards", ("N", "d"), like="u"),
    Field("multiples", ("N",)),
    Field("alpha", (), "budget", hypothesis="norms of the v"),
    Field("beta", (), "budget", hypothesis="norm of u"),
    Field("deficit", (), "budget", hypothesis="mean inner product"),
)
#: Vectors on a line lie in a plane too, where their mean direction vanishes by accident only.
VECTOR_SIZES = {"N": (1, 8), "d": (2, 4)}
_INNER = (
    r"Let $|u| \le \beta$, $\frac1N\sum_i|v_i|^2 \le \alpha^2$ and "
    r"$\frac1N\sum_i\langle u, v_i\rangle \ge c$ with "
)
_NO_SUM = (
    "Surely a slip: the sum over the samples is missing, and the proof has it. As typeset the "
    "norms may have a mean square of N alpha^2."
)

LEMMA_A_4 = Statement(
    id="bnwd:lemma-a.4",
    kind="lemma",
    title="Norm of the mean normalised vector from a mean inner product",
    source=Source("bnwd", "Lemma A.4, A.3"),
    topic="cosine",
    variants=(
        Variant(
            "printed",
            "mean of the squared norms",
            _INNER + r"$\alpha\beta/\sqrt2 \le c \le \alpha\beta$. Then "
            r"$|\frac1N\sum_i v_i/|v_i|| \ge 2(\frac{c}{\alpha\beta})^2 - 1$.",
            Claim(
                mean_inner_product_claim(root_mean_square, conclude_norm),
                _INNER_FIELDS,
                VECTOR_SIZES,
            ),
            (Bound("norm of the mean normalised vector", mean_direction_norm, "lower", 0),),
            remark="True, though its proof is not: the proposition it invokes is false (see "
            "bnwd:proposition-ratio-sum), and the bound on the samples with <u, v_i> < 0 is "
            "headed with the wrong sum. The constant is the best possible: M of N unit vectors "
            "u/|u| and N - M tiny ones in the direction -u have c/(alpha beta) = sqrt(M/N) and "
            "norm 2M/N - 1 in the limit.",
        ),
        Variant(
            "printed",
            "every norm, as typeset",
            r"The same with $\frac1N|v_i|^2 \le \alpha^2$ for every $i$.",
            Claim(mean_inner_product_claim(every_norm, conclude_norm), _INNER_FIELDS, VECTOR_SIZES),
            (Bound("norm of the mean normalised vector", mean_direction_norm, "lower", 0),),
            defect=_NO_SUM,
        ),
        Variant(
            "printed",
            "squared norm, last line of the proof",
            _INNER + r"$\alpha\beta/\sqrt2 \le c \le \alpha\beta$. Then "
            r"$|\frac1N\sum_i v_i/|v_i||^2 \ge 2(\frac{c}{\alpha\beta})^2 - 1$.",
            Claim(
                mean_inner_product_claim(root_mean_square, conclude_printed_square),
                _INNER_FIELDS,
                VECTOR_SIZES,
            ),
            (Bound("intra-class cosine", mean_direction_norm, "lower", 0),),
            defect="The square appears in the last line only. No mere slip, for Theorem 2.1 goes "
            "on with it: the intra-class cosine is the square of the norm (see "
            "bnwd:remark-intra-step). With u = 1 and v = (1, 1, -1/100) the bound is 0.32, the "
            "norm 1/3 and its square 1/9.",
        ),
        Variant(
            "corrected",
            "squared norm, last line of the proof",
            _INNER + r"$\alpha\beta/\sqrt2 \le c \le \alpha\beta$. Then "
            r"$|\frac1N\sum_i v_i/|v_i||^2 \ge (2(\frac{c}{\alpha\beta})^2 - 1)^2$.",
            Claim(
                mean_inner_product_claim(root_mean_square, conclude_square),
                _INNER_FIELDS,
                VECTOR_SIZES,
            ),
            (Bound("intra-class cosine", intra_class_cosine, "lower", 0),),
            remark="The constants are the best possible, by the example of the printed lemma.",
        ),
        Variant(
            "sharp",
            "mean cosine, every c >= 0",
            _INNER + r"$0 \le c \le \alpha\beta$. Then the mean cosine of $u$ and the $v_i$ is at "
            r"least $2(\frac{c}{\alpha\beta})^2 - 1$.",
            Claim(
                mean_inner_product_claim(root_mean_square, conclude_mean_cosine, least=False),
                _INNER_FIELDS,
                VECTOR_SIZES,
            ),
            (Bound("mean cosine with u", mean_direction_norm, "lower", -1),),
            remark="Says more than the norm: the vectors are near u, not only near each other. "
            "c >= alpha beta/sqrt 2 is not needed, c >= 0 is. Zero vectors may be counted with "
            "the cosine -1. Attained as the printed lemma is.",
        ),
    ),
)


_VARIABILITY = proportion("V", "variance of the vectors over the mean of their squared norms", "V")


@formula(_VARIABILITY)
def norm_from_variability(xp: Any, V: Any) -> Any:
    """Lower bound on the norm of the mean normalised vector."""
    return 1 - 2 * V


@formula(_VARIABILITY)
def squared_distance(xp: Any, V: Any) -> Any:
    """Upper bound on the squared distance from (1 - V) times the direction of the mean."""
    return V * V


def mean_norm_claim(norms: Callable[..., Any]) -> Callable[..., Judgement]:
    """Return Corollary A.2 with a reading of the bound on the norms; c is alpha less a deficit.

    Asking c >= 0 is the same claim as asking c >= alpha/sqrt 2: in between the bound is negative.
    """

    def judge(xp: Any, *, v: Any, alpha: Any, deficit: Any) -> Judgement:
        return Judgement(
            hypotheses=(
                Comparison("norms of the v", norms(xp, v), alpha),
                Comparison("norm of the mean", alpha, norm(xp, xp.mean(v, axis=1)) + deficit),
                Comparison("c not negative", deficit, alpha),
            ),
            conclusions=(conclude_norm(xp, None, v, (alpha - deficit) / alpha),),
        )

    return judge


def direction_ball(xp: Any, *, v: Any) -> Judgement:
    """The mean normalised vector is within V of 1 - V times the direction of the mean.

    1 - V = |mean|^2 / mean square, so that 1 - V times the direction needs no division by |mean|.
    """
    mean, of_directions = xp.mean(v, axis=1), mean_direction(xp, v)
    square = xp.mean(square_norm(xp, v), axis=-1)
    offsets = v - mean[:, None, :]
    V = xp.mean(square_norm(xp, offsets), axis=-1) / square
    middle = mean * (norm(xp, mean) / square)[:, None]
    away = square_norm(xp, of_directions - middle)
    return Judgement(
        (),
        (
            Comparison("squared distance", away, squared_distance(xp, V=V)),
            Comparison("norm", norm_from_variability(xp, V=V), norm(xp, of_directions)),
        ),
    )


_MEAN_FIELDS = (
    Field("v", ("N", "d")),
    Field("alpha", (), "budget", hypothesis="norms of the v"),
    Field("deficit", (), "budget", hypothesis="norm of the mean"),
)

COROLLARY_A_2 = Statement(
    id="bnwd:corollary-a.2",
    kind="corollary",
    title="Norm of the mean normalised vector from the norm of the mean",
    source=Source("bnwd", "Corollary A.2, A.3"),
    topic="cosine",
    variants=(
        Variant(
            "printed",
            "mean of the squared norms",
            r"Let $\frac1N\sum_i|v_i|^2 \le \alpha^2$ and $|\frac1N\sum_i v_i| \ge c$ with "
            r"$\alpha/\sqrt2 \le c \le \alpha$. Then "
            r"$|\frac1N\sum_i v_i/|v_i|| \ge 2(\frac c\alpha)^2 - 1$.",
            Claim(mean_norm_claim(root_mean_square), _MEAN_FIELDS, VECTOR_SIZES),
            (Bound("norm of the mean normalised vector", mean_direction_norm, "lower", 0),),
            remark="The constant is the best possible, by the example of Lemma A.4.",
        ),
        Variant(
            "printed",
            "every norm, as typeset",
            r"The same with $\frac1N|v_i|^2 \le \alpha^2$ for every $i$.",
            Claim(mean_norm_claim(every_norm), _MEAN_FIELDS, VECTOR_SIZES),
            (Bound("norm of the mean normalised vector", mean_direction_norm, "lower", 0),),
            defect=_NO_SUM,
        ),
        Variant(
            "sharp",
            "ball around the direction of the mean",
            r"With $V = \overline{|v - \tilde v|^2}/\overline{|v|^2}$, the mean normalised vector "
            r"lies within $V$ of $(1 - V)\,\tilde v/|\tilde v|$. In particular its norm is at "
            r"least $1 - 2V$, so the intra-class cosine is at least $(1 - 2V)^2$ where "
            r"$V \le \frac12$, and its angle with $\tilde v$ has a sine of at most $V/(1-V)$.",
            Claim(direction_ball, (Field("v", ("N", "d")),), VECTOR_SIZES),
            (
                Bound("norm of the mean normalised vector", norm_from_variability, "lower", 0),
                Bound("squared distance from the shrunk direction", squared_distance, "upper", 1),
            ),
            remark="Nothing is assumed. Every point of the ball's surface is approached when N V "
            "is an integer: N (1 - V) equal vectors and N V tiny ones, all of one direction. "
            "1 - V is (|mean|/root mean square)^2, so the norm is Corollary A.2 at its best c.",
        ),
    ),
)

STATEMENTS = (PROPOSITION_RATIO_SUM, LEMMA_A_3, LEMMA_A_4, COROLLARY_A_2)
