"""The transformation by residuals and its spectrum: (46) of `review`, and what follows it.

With ``d_j = e_j - 1/K`` in R^m, m >= K, block (i, j) of T is the projection onto d_j: what class j
does to any class is along d_j. So ``M = (E x 11^T) . T`` sees of the features F = (f_1 .. f_K) only
the coordinates ``c_j = <d_j, f_j>/|d_j|^2``, and its spectrum is that of a K x K matrix: impacts
alpha on the diagonal, beta R off it, with R the cosine of any two of the d_j.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import Condition, formula, integer, real
from ncbounds.theory.elasticity.drift import equation
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


def residual_directions(xp: Any, features: Any) -> Any:
    """The rows d_j = e_j - 1/K for features (B, K, m) that tell K and m; (1, K, m)."""
    K, m = features.shape[1], features.shape[2]
    zero = 0 * features[:1, 0, 0]
    share = (zero + 1) / K
    rows = [xp.stack([zero + int(i == j) - share for i in range(m)], axis=-1) for j in range(K)]
    return xp.stack(rows, axis=1)


def coordinates(xp: Any, features: Any) -> Any:
    """The c_j = <d_j, f_j>/|d_j|^2 of features (B, K, m): (B, K)."""
    d = residual_directions(xp, features)
    return xp.sum(d * features, axis=-1) / xp.sum(d * d, axis=-1)


def response(xp: Any, features: Any, c: Any, alpha: Any, beta: Any) -> Any:
    """``U c``: class i gets the sum over j of E_ij c_j d_j; (B, K, m), like the features."""
    pulls = c[..., None] * residual_directions(xp, features)
    whole = beta[:, None, None] * xp.sum(pulls, axis=1, keepdims=True)
    return (alpha - beta)[:, None, None] * pulls + whole


def transformed(xp: Any, features: Any, alpha: Any, beta: Any) -> Any:
    """``M F`` for impacts alpha within and beta between classes; (B, K, m)."""
    return response(xp, features, coordinates(xp, features), alpha, beta)


def projected(xp: Any, features: Any) -> Any:
    """P_j f_j for each class: (B, K, m)."""
    return coordinates(xp, features)[..., None] * residual_directions(xp, features)


# -- (46) the blocks ------------------------------------------------------------------------------


def blocks_claim(xp: Any, *, f: Any) -> Judgement:
    """The d_j form a simplex ETF, and the blocks are projections with a positive diagonal."""
    K = f.shape[1]
    d = residual_directions(xp, f)
    zero = 0 * f[:, 0, 0]
    products = xp.sum(d[:, :, None] * d[:, None], axis=-1) + zero[:, None, None]
    once = projected(xp, f)
    diagonal = d * d / xp.sum(d * d, axis=-1, keepdims=True) + zero[:, None, None]
    own = xp.stack([diagonal[:, k, k] for k in range(K)], axis=-1)
    others = xp.stack([diagonal[:, k, r] for k in range(K) for r in range(K) if r != k], axis=-1)
    one = zero + 1
    simplex = xp.stack(
        [xp.stack([one * int(i == j) - one / K for i in range(K)], axis=-1) for j in range(K)],
        axis=1,
    )
    return Judgement(
        (),
        (
            Comparison("simplex", products, simplex, "="),
            equation(xp, "projections", projected(xp, once), once, f),
            Comparison("diagonal, own class", own, 0 * own + (one - one / K)[:, None], "="),
            Comparison(
                "diagonal, others", others, 0 * others + (one / (K * (K - 1)))[:, None], "="
            ),
            Comparison("each block is semi-definite", 0 * f[..., 0], xp.sum(f * once, axis=-1)),
        ),
    )


def quadratic_form(xp: Any, f: Any) -> Any:
    """``F^T T F``: the sum over all i, j of <f_i, P_j f_j>; (B,)."""
    return xp.sum(xp.sum(f, axis=1) * xp.sum(projected(xp, f), axis=1), axis=-1)


def semidefinite_claim(xp: Any, *, f: Any) -> Judgement:
    """F^T T F is not negative."""
    form = quadratic_form(xp, f)
    return Judgement((), (Comparison("semi-definite", 0 * form, form),))


_K = integer("K", "number of classes", "K", at_least=2)


@formula(_K)
def least_form(xp: Any, K: Any) -> Any:
    """Least eigenvalue of the symmetric part of T."""
    return K / (2 * (K - 1)) * (1 - xp.sqrt(K - 1))


@formula(_K)
def largest_form(xp: Any, K: Any) -> Any:
    """Largest eigenvalue of the symmetric part of T."""
    return K / (2 * (K - 1)) * (1 + xp.sqrt(K - 1))


def form_claim(xp: Any, *, f: Any, x: Any) -> Judgement:
    """F^T T F lies between two multiples of |F|^2, each attained in K - 1 directions."""
    number = 0 * f[:, 0, 0] + f.shape[1]
    square = xp.sum(xp.sum(f * f, axis=-1), axis=-1)
    form, size = quadratic_form(xp, f), largest_form(xp, K=number) * square
    least, largest = least_form(xp, K=number), largest_form(xp, K=number)
    root = xp.sqrt(number - 1)
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    same = centred[:, None] + 0 * f
    pulls = [extremal(xp, same, sign * root) for sign in (-1, 1)]
    values = [(quadratic_form(xp, F), xp.sum(xp.sum(F * F, axis=-1), axis=-1)) for F in pulls]
    norm = values[1][1]
    return Judgement(
        (),
        (
            Comparison("least", least * square + size, form + size),
            Comparison("largest", form, size),
            equation(xp, "least attained", values[0][0], least * values[0][1], norm),
            equation(xp, "largest attained", values[1][0], largest * norm, norm),
        ),
    )


def extremal(xp: Any, same: Any, root: Any) -> Any:
    """The features x + root P_j x: an extreme direction for centred x, repeated for each class."""
    return same + root[:, None, None] * projected(xp, same)


def typeset_product_claim(xp: Any, *, f: Any, E: Any) -> Judgement:
    """((E x I_K) . T) F, entry by entry, is the drift with the blocks E_ij T_ij."""
    d = residual_directions(xp, f)
    diagonal = d * d / xp.sum(d * d, axis=-1, keepdims=True)
    typeset = xp.matmul(E, diagonal * f)
    meant = xp.matmul(E, projected(xp, f))
    return Judgement((), (Comparison("product", typeset, meant, "="),))


_F = (Field("f", ("C", "C")),)
_CLASSES = {"C": (2, 5)}
_T = r"$T_{ij} = d_jd_j^\top/|d_j|^2$, $d_j = e_j - \frac1K1$, $m = K$"

EQ_46 = Statement(
    id="review:eq-46",
    kind="equation",
    title="Transformation matrix by residuals",
    source=Source("review", "(46), Sec. 3.2.3"),
    topic="elasticity",
    variants=(
        Variant(
            "printed",
            "residuals and blocks",
            rf"Let {_T}. The $d_j$ form a simplex ETF, $\langle d_i, d_j\rangle = [i = j] - "
            r"\frac1K$. Every block is the projection onto its $d_j$: symmetric, semi-definite, "
            r"with the diagonal $1 - \frac1K$ at the own entry and $\frac1{K(K-1)}$ at the others.",
            Claim(blocks_claim, _F, _CLASSES),
            remark="In (41) class j moves class i along d_j. The text says that the changes of "
            "f_j are along d_j for all i; it is the changes that f_j causes. Blocks d_i d_i^T "
            "instead give the transpose, with the same spectrum.",
        ),
        Variant(
            "printed",
            "T is positive semi-definite",
            rf"$F^\top TF \ge 0$ for the matrix with the blocks {_T}.",
            Claim(semidefinite_claim, _F, _CLASSES),
            defect="True for two classes only. T is not symmetric, and for K >= 3 its symmetric "
            "part has negative eigenvalues, though T has none: f_1 = e_2, f_2 = e_1, f_3 = 0 give "
            "-1/3. So (46) is no case of the theorem "
            "on separation, whose T, one block for all pairs of classes, is semi-definite.",
        ),
        Variant(
            "corrected",
            "how far T is from semi-definite",
            rf"Let $T$ have the blocks {_T}. Then $\frac K{{2(K-1)}}(1 - \sqrt{{K-1}})|F|^2 \le "
            r"F^\top TF \le \frac K{2(K-1)}(1 + \sqrt{K-1})|F|^2$. For every centred $x$ the "
            r"features $f_j = x \mp \sqrt{K-1}P_jx$ attain either side.",
            Claim(form_claim, (*_F, Field("x", ("C",))), _CLASSES),
            (
                Bound("F^T T F over |F|^2", least_form, "lower"),
                Bound("F^T T F over |F|^2", largest_form, "upper"),
            ),
            remark="The lower side is 0 for K = 2 and negative from K = 3 on.",
        ),
        Variant(
            "printed",
            "Kronecker product with the identity, as typeset",
            r"$\frac1K(E \otimes I_K) \odot T$ is $B$, the matrix with the blocks "
            r"$\frac1KE_{ij}T_{ij}$.",
            Claim(typeset_product_claim, (*_F, Field("E", ("C", "C"))), _CLASSES),
            defect="Surely a slip: the entries of E x I_K off the diagonals of its blocks are "
            "zero, and the Hadamard product wipes out those of T. With the all-ones matrix, "
            "(E x 11^T) . T, it is the matrix meant; so it is read in what follows.",
        ),
    ),
)


# -- the spectrum ---------------------------------------------------------------------------------


def typeset_multiplicities(xp: Any, *, alpha: Any, beta: Any, K: Any) -> Judgement:
    """The trace is the sum of the eigenvalues with the multiplicities 1, K(K-1), K-1."""
    named = (alpha - beta) + K * (K - 1) * (alpha + beta / (K - 1))
    return Judgement((), (Comparison("trace", K * alpha, named, "="),))


_M = integer("m", "dimension of the features", "m", at_least=2)
_ALPHA, _BETA = real("alpha", "impact within a class", r"\alpha"), real("beta", "impact", r"\beta")
_ENOUGH = (Condition("m >= K", lambda xp, K, m, **_: m - K, strict=False),)


@formula(_K, _M, conditions=_ENOUGH)
def residual_cosine(xp: Any, K: Any, m: Any) -> Any:
    """Cosine R of two residual directions."""
    return (m - 2 * K) / (K * K - 2 * K + m)


@formula(_K, _M, _ALPHA, _BETA, conditions=_ENOUGH)
def single_eigenvalue(xp: Any, K: Any, m: Any, alpha: Any, beta: Any) -> Any:
    """Eigenvalue of multiplicity 1."""
    return alpha + (K - 1) * (m - 2 * K) / (K * K - 2 * K + m) * beta


@formula(_K, _M, _ALPHA, _BETA, conditions=_ENOUGH)
def repeated_eigenvalue(xp: Any, K: Any, m: Any, alpha: Any, beta: Any) -> Any:
    """Eigenvalue of multiplicity K - 1."""
    return alpha - (m - 2 * K) / (K * K - 2 * K + m) * beta


def spectrum_claim(xp: Any, *, f: Any, c: Any, alpha: Any, beta: Any) -> Judgement:
    """Eigenvectors, kernel and coordinates for features (B, K, m), m >= K.

    With U c the response to coordinates and V the coordinates, M = U V, and V U has the eigenvector
    1 and the centred vectors: U of these are the eigenvectors of M, where the eigenvalue is not 0.
    """
    one = 0 * alpha + 1
    number = {"K": one * f.shape[1], "m": one * f.shape[2], "alpha": alpha, "beta": beta}
    single, repeated = single_eigenvalue(xp, **number), repeated_eigenvalue(xp, **number)
    ones = 0 * c + 1
    centred = c - xp.mean(c, axis=-1, keepdims=True)
    first = response(xp, f, ones, alpha, beta)
    second = response(xp, f, centred, alpha, beta)
    rest = f - projected(xp, f)
    size = (xp.abs(alpha) + xp.abs(beta)) * f.shape[2]
    of_c = size * xp.sum(xp.abs(c), axis=-1)
    apart = first - first[:, :1]
    d = residual_directions(xp, f)
    return Judgement(
        (),
        (
            equation(
                xp,
                "one eigenvector",
                transformed(xp, first, alpha, beta),
                single[:, None, None] * first,
                size * size,
            ),
            equation(
                xp,
                "K - 1 eigenvectors",
                transformed(xp, second, alpha, beta),
                repeated[:, None, None] * second,
                size * of_c,
            ),
            equation(
                xp,
                "coordinates of the one",
                coordinates(xp, first),
                single[:, None] * ones,
                size,
            ),
            equation(
                xp,
                "coordinates of the others",
                coordinates(xp, second),
                repeated[:, None] * centred,
                of_c,
            ),
            equation(
                xp,
                "kernel",
                transformed(xp, rest, alpha, beta),
                0 * rest,
                size[:, None, None] * f,
            ),
            equation(
                xp,
                "differences of the one",
                apart,
                (alpha - beta)[:, None, None] * (d - d[:, :1]) + 0 * apart,
                size,
            ),
        ),
    )


def wide_spectrum_claim(
    xp: Any, *, further: Any, f: Any, c: Any, alpha: Any, beta: Any
) -> Judgement:
    """The same for features with `further` entries (B, K, m - K) beside f (B, K, K)."""
    K, extra = f.shape[1], further.shape[2]
    entries = [f[:, :, i] for i in range(K)] + [further[:, :, i] for i in range(extra)]
    return spectrum_claim(xp, f=xp.stack(entries, axis=-1), c=c, alpha=alpha, beta=beta)


_SPECTRUM_FIELDS = (
    Field("f", ("K", "K")),
    Field("c", ("K",)),
    Field("alpha"),
    Field("beta"),
)
_IMPACTS = (
    r"impacts $\alpha$ within and $\beta$ between classes and $M = (E \otimes 11^\top)\odot T$"
)

SPECTRUM = Statement(
    id="review:remark-spectrum",
    kind="remark",
    title="Spectrum of the transformation with impacts",
    source=Source("review", "after (46), Sec. 3.2.3"),
    topic="elasticity",
    variants=(
        Variant(
            "printed",
            "multiplicities in the order of the eigenvalues, as typeset",
            rf"For {_IMPACTS}, $m = K$, the eigenvalues $\alpha - \beta$, $\alpha + "
            r"\frac\beta{K-1}$, $0$ have the multiplicities $1$, $K(K-1)$, $K-1$.",
            Claim(
                typeset_multiplicities,
                (Field("alpha"), Field("beta"), Field("K", (), "integer", least=2)),
            ),
            defect="The last two are interchanged, surely a slip: (47) has K - 1 vectors for the "
            "second. As typeset the trace would not be K alpha.",
        ),
        Variant(
            "corrected",
            "multiplicities 1, K - 1 and K(K - 1)",
            rf"For {_IMPACTS}, $m = K$: $\alpha - \beta$ once, eigenvector $d = (d_1 .. d_K)$; "
            r"$\alpha + \frac\beta{K-1}$ $K - 1$ times, eigenvectors $u_i = (\alpha - \beta)c_id_i "
            r"+ \beta c$ for centred $c$; $0$ $K(K-1)$ times, where $\langle d_j, f_j\rangle = 0$ "
            r"for all $j$. These are all, for $M = UV$ and $VU$ has the $K$ eigenvalues.",
            Claim(
                spectrum_claim,
                _SPECTRUM_FIELDS,
                {"K": (2, 5)},
            ),
            remark="If one of the first two vanishes its multiplicity adds to that of 0. At "
            "alpha = -beta/(K-1) != 0 and K >= 3 the u are in the kernel but not independent of "
            "the rest: M is not diagonalisable, and features grow linearly; with nu > 0 this "
            "cannot be.",
        ),
        Variant(
            "sharp",
            "features of any dimension from K on",
            rf"For {_IMPACTS}, $m > K$ and $R = \frac{{m - 2K}}{{K^2 - 2K + m}}$: $\alpha + "
            r"(K-1)R\beta$ once, $\alpha - R\beta$ $K - 1$ times, $0$ $(m-1)K$ times. The features "
            r"of the one eigenvector differ by $(\alpha - \beta)(d_i - d_j)$: centred they are a "
            r"simplex ETF.",
            Claim(
                wide_spectrum_claim,
                (Field("further", ("K", "extra")), *_SPECTRUM_FIELDS),
                {"K": (2, 4), "extra": (1, 6)},
            ),
            (
                Bound("cosine of two residual directions", residual_cosine, "value"),
                Bound("eigenvalue of multiplicity 1", single_eigenvalue, "value"),
                Bound("eigenvalue of multiplicity K - 1", repeated_eigenvalue, "value"),
            ),
            remark="R is -1/(K-1) for m = K, 0 for m = 2K and positive beyond: at m = 2K the "
            "impact between classes has no effect on the spectrum, and beyond 2K the sign of beta "
            "for which the simplex wins is turned around.",
        ),
    ),
)

STATEMENTS = (EQ_46, SPECTRUM)
