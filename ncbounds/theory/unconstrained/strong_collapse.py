r"""Strong neural collapse, (17): what it says, what nearly having it gives, and who has it.

With the errors of SNC1, SNC2 and SNC3, ``|A A^T - sqrt(n) (I - 1 1^T/K)|``, ``|F - (A (x) 1)^T/
sqrt(n)|`` and ``|b - 1/K|``, a small error gives a small risk and balance, ``A^T A = F F^T``. And
conversely: zero risk, balance and SNC3 together are strong collapse.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative
from ncbounds.theory.square_loss.flow import against, equal
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
from ncbounds.theory.unconstrained.square_flow import POINT
from ncbounds.theory.unconstrained.square_model import (
    SIZES,
    helmert,
    imbalance,
    norm,
    one_hot,
    reflected,
    risk,
    simplex,
    squares,
    strong_errors,
    turned_identity,
    weight_gram,
    within_classes,
)

_K = integer("K", "classes", "K", 2)
_N = integer("n", "samples of a class", "n", 1)
_FIRST = nonnegative("first", "error of SNC1", r"\delta_1")
_SECOND = nonnegative("second", "error of SNC2", r"\delta_2")
_THIRD = nonnegative("third", "error of SNC3", r"\delta_3")
_SIZE = nonnegative("size", "Frobenius norm of A", r"\|A\|")
_RISK = nonnegative("risk", "half the square error", r"\hat R")
_GAP = nonnegative("imbalance", "norm of the imbalance A^T A - F F^T", r"\|D\|")
_FEATURES = nonnegative("features", "Frobenius norm of F", r"\|F\|")
_TRACE = nonnegative("trace", "absolute trace of the imbalance", r"|\mathrm{tr}\,D|")

# -- (17): what strong collapse is, and what follows -----------------------------------------------


def collapsed_weights(xp: Any, x: Any, y: Any, n: Any) -> Any:
    """Weights with A A^T = sqrt(n) (I - 1 1^T/K) if there are K - 1 dimensions for it.

    They are a simplex turned by two reflections.
    """
    K = x.shape[1] + 1
    rank = min(K - 1, y.shape[1])
    frame = reflected(xp, helmert(xp, n, K), x)[:, :, :rank]
    right = turned_identity(xp, y, rank)
    turned = xp.sum(frame[..., None] * right[:, None, :, :], axis=2)
    return turned * xp.sqrt(xp.sqrt(n))[:, None, None]


def consequences(as_typeset: bool) -> Any:
    """Return the claim of the lines after (17); as typeset the norms have 1/n for 1/sqrt(n)."""

    def judge(xp: Any, *, x: Any, y: Any, n: Any) -> Judgement:
        A, r = collapsed_weights(xp, x, y, n), xp.sqrt(n)
        K = A.shape[1]
        means = A / r[:, None, None]
        off = means - xp.mean(means, axis=1)[:, None, :]
        of_means = xp.sum(off * off, axis=-1)
        share = (1 - 1 / (0 * n + K)) / (n if as_typeset else r)
        gram, M = weight_gram(xp, A), simplex(xp, K)
        lengths = xp.sqrt(xp.sum(A * A, axis=-1))
        cosines = gram / (lengths[:, :, None] * lengths[:, None, :])
        outputs = xp.sum(A[:, :, None, :] * means[:, None, :, :], axis=-1)
        labels = xp.reshape(one_hot(xp, K), (1, K, K)) + 0 * gram
        return Judgement(
            (Comparison("enough dimensions", 0 * n + (K - 1), 0 * n + y.shape[1]),),
            (
                equal("SNC1", gram, r[:, None, None] * M),
                against(xp, "rows add up to zero", xp.sum(A, axis=1), 0 * A[:, 0], A),
                equal("centred means", of_means, share[:, None] + 0 * of_means),
                equal("cosines", cosines * (K - 1), K * M + 0 * cosines),
                against(xp, "outputs are labels", outputs + 1 / (0 * gram + K), labels, labels),
            ),
        )

    return judge


# -- near strong collapse --------------------------------------------------------------------------


@formula(_K, _N, _FIRST, _SECOND, _THIRD, _SIZE)
def residual_guarantee(
    xp: Any, K: Any, n: Any, first: Any, second: Any, third: Any, size: Any
) -> Any:
    """The norm of the residual, sqrt(2 R), at most, from the errors of strong collapse."""
    return first + size * second + xp.sqrt(K * n) * third


@formula(_SECOND, _SIZE)
def imbalance_guarantee(xp: Any, second: Any, size: Any) -> Any:
    """The norm of A^T A - F F^T at most, from the error of SNC2."""
    return second * (2 * size + second)


@formula(_K, _FEATURES, _SIZE, _GAP)
def second_at_least(xp: Any, K: Any, features: Any, size: Any, imbalance: Any) -> Any:
    """The square of the error of SNC2 at least, from what the flow conserves."""
    return features * features - size * size - xp.sqrt(K) * imbalance


def near_claim(xp: Any, *, F: Any, A: Any, b: Any) -> Judgement:
    """What the errors of strong collapse bound, and what bounds them from below."""
    K, n, m = A.shape[1], F.shape[2], A.shape[2]
    first, second, third = strong_errors(xp, F, A, b)
    size, one = norm(xp, A), 0 * first + 1
    balance, gap = imbalance_guarantee(xp, second=second, size=size), norm(xp, imbalance(xp, F, A))
    frozen = second_at_least(xp, K=one * K, features=norm(xp, F), size=size, imbalance=gap)
    whole = residual_guarantee(
        xp, K=one * K, n=one * n, first=first, second=second, third=third, size=size
    )
    return Judgement(
        (),
        (
            Comparison("residual", xp.sqrt(2 * risk(xp, F, A, b)), whole),
            Comparison("row sums", squares(xp, xp.sum(A, axis=1)), K * first),
            Comparison("imbalance", gap, balance),
            Comparison("frozen features", frozen, second * second),
            Comparison("within classes", norm(xp, within_classes(xp, F)), second),
            Comparison("few dimensions", one * n * max(K - 1 - m, 0), first * first),
        ),
    )


# -- the converse ----------------------------------------------------------------------------------


@formula(_K, _N, _RISK, _THIRD)
def output_error(xp: Any, K: Any, n: Any, risk: Any, third: Any) -> Any:
    """How far A F is at most from (I - 1 1^T/K) (x) 1^T."""
    return xp.sqrt(2 * risk) + xp.sqrt(K * n) * third


@formula(_K, _N, _RISK, _THIRD, _SIZE, _GAP)
def first_guarantee(
    xp: Any, K: Any, n: Any, risk: Any, third: Any, size: Any, imbalance: Any
) -> Any:
    """The square of the error of SNC1 at most, from the risk, the balance and SNC3."""
    g = output_error(xp, K=K, n=n, risk=risk, third=third)
    return xp.sqrt(K) * (2 * xp.sqrt(n) * g + g * g + size * size * imbalance)


@formula(_K, _N, _RISK, _THIRD, _FIRST, _TRACE)
def second_guarantee(xp: Any, K: Any, n: Any, risk: Any, third: Any, first: Any, trace: Any) -> Any:
    """The square of the error of SNC2 at most, from that of SNC1, the risk and the balance."""
    g = output_error(xp, K=K, n=n, risk=risk, third=third)
    return 2 * xp.sqrt(K) * (first + g) + trace


def converse_claim(xp: Any, *, F: Any, A: Any, b: Any) -> Judgement:
    """Small risk, imbalance and error of the bias: small errors of SNC1 and SNC2."""
    K, n = A.shape[1], F.shape[2]
    first, second, third = strong_errors(xp, F, A, b)
    value, one, gap = risk(xp, F, A, b), 0 * first + 1, imbalance(xp, F, A)
    known = {"K": one * K, "n": one * n, "risk": value, "third": third}
    of_first = first_guarantee(xp, **known, size=norm(xp, A), imbalance=norm(xp, gap))
    trace = xp.abs(squares(xp, A) - squares(xp, F))
    of_second = second_guarantee(xp, **known, first=first, trace=trace)
    return Judgement(
        (),
        (
            Comparison("SNC1", first * first, of_first),
            Comparison("SNC2", second * second, of_second),
        ),
    )


_FRAMES = (
    Field("x", ("other",)),
    Field("y", ("m",)),
    Field("n", (), "integer", least=1),
)
_FRAME_SIZES = {"other": (1, 3), "m": (1, 4)}
_M = r"(I - \frac1K11^\top)"
_SNC = rf"$AA^\top = \sqrt n{_M}$, $F = \frac1{{\sqrt n}}(A \otimes 1_n)^\top$, $b = \frac1K1$"
_ERRORS = (
    rf"$\delta_1 = \|AA^\top - \sqrt n{_M}\|$, $\delta_2 = \|F - \frac1{{\sqrt n}}"
    r"(A \otimes 1_n)^\top\|$, $\delta_3 = |b - \frac1K1|$ and $D = A^\top A - FF^\top$"
)

EQ_17 = Statement(
    id="review:eq-17",
    kind="equation",
    title="Strong neural collapse and what follows from it",
    source=Source("review", "(17) and the lines after it, Sec. 3.1.2"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "as typeset, means with the factor 1/n",
            rf"From {_SNC}: $1^\top A = 0$; $|\mu_k - \mu_G|^2 = |\frac1{{\sqrt n}}a_k|^2 = "
            r"\frac1n(1 - \frac1K)$; the rows of $A$ have the cosines of a simplex.",
            Claim(consequences(as_typeset=True), _FRAMES, _FRAME_SIZES),
            defect="The diagonal of A A^T/n is sqrt(n) (1 - 1/K)/n: the factor is 1/sqrt(n). All "
            "norms are still equal, so nothing that the review draws from it changes.",
        ),
        Variant(
            "corrected",
            "means with the factor 1/sqrt(n), and the outputs",
            rf"For $m \ge K - 1$, from {_SNC}: $1^\top A = 0$; $|\mu_k - \mu_G|^2 = "
            r"|\frac1{\sqrt n}a_k|^2 = \frac1{\sqrt n}(1 - \frac1K)$; the rows of $A$ have "
            r"the cosines $-\frac1{K-1}$; and $AF + b1^\top = Y$, so the risk is zero.",
            Claim(consequences(as_typeset=False), _FRAMES, _FRAME_SIZES),
            remark="The means of the classes are the rows of A over sqrt(n): NC1 to NC4 hold.",
        ),
        Variant(
            "sharp",
            "what small errors give, and what keeps them from being small",
            rf"With {_ERRORS}: $\sqrt{{2\hat R}} \le \delta_1 + \|A\|\delta_2 + \sqrt N\delta_3$; "
            r"$|A^\top1|^2 \le K\delta_1$; $\|D\| \le \delta_2(2\|A\| + \delta_2)$; "
            r"$\delta_2^2 \ge \|F\|^2 - \|A\|^2 - \sqrt K\|D\|$; the features less the means of "
            r"their classes have norm at most $\delta_2$; and $\delta_1^2 \ge "
            r"n(K - 1 - m)$.",
            Claim(near_claim, POINT, {**SIZES, "C": (2, 4)}),
            (
                Bound("norm of the residual", residual_guarantee, "upper"),
                Bound("norm of the imbalance", imbalance_guarantee, "upper"),
                Bound("square of the error of SNC2", second_at_least, "lower"),
            ),
            remark="Along the gradient flow D never changes (eq-16), nor does |F|^2 - |A|^2, its "
            "trace: so delta_2 is at every time at least sqrt(|A|^2 + |D_0|) - |A|, and by the "
            "third of these about |F_0| where many features start in many dimensions. Large "
            "errors after a large initialisation need no saddle: a risk of zero allows them.",
        ),
        Variant(
            "sharp",
            "conversely, zero risk, balance and SNC3 are strong collapse",
            rf"With {_ERRORS}, and $g = \sqrt{{2\hat R}} + \sqrt N\delta_3$: $\delta_1^2 \le "
            r"\sqrt K(2\sqrt ng + g^2 + \|A\|^2\|D\|)$ and $\delta_2^2 \le 2\sqrt K(\delta_1 + g) "
            r"+ |\mathrm{tr}\,D|$. So (17) holds exactly if $\hat R = 0$, $A^\top A = FF^\top$ and "
            r"$b = \frac1K1$.",
            Claim(converse_claim, POINT, SIZES),
            (
                Bound("square of the error of SNC1", first_guarantee, "upper"),
                Bound("square of the error of SNC2", second_guarantee, "upper"),
            ),
        ),
    ),
)

STATEMENTS = (EQ_17,)
