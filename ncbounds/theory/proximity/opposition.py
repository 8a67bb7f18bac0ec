"""From the mean features of a class to its cosines with other weights, and to the theorem.

`bnwd:lemma-a.5` says that a class whose mean opposes a weight has normalised features that do so
too; two steps lead from the lemmas of `cosine` and from it to Theorem 2.1. A bar is a normalised
vector, a tilde a mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ncbounds.arithmetic.formula import formula, proportion
from ncbounds.theory.cosine import (
    VECTOR_SIZES,
    cosine,
    dot,
    mean_direction,
    norm,
    root_mean_square,
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

_GAP = proportion("t", "gap epsilon' over alpha beta", "t")
_OPPOSITION = proportion("gamma", "-c over alpha beta", r"\gamma")


@formula(_GAP)
def printed_excess(xp: Any, t: Any) -> Any:
    """Printed upper bound on the excess of the cosine."""
    return 4 * xp.root(t, 3)


@formula(_GAP, _OPPOSITION)
def sharp_excess(xp: Any, t: Any, gamma: Any) -> Any:
    """Upper bound on the excess of the inner product of directions."""
    return t * (2 - t + gamma)


@formula(_GAP, _OPPOSITION)
def sharp_opposition(xp: Any, t: Any, gamma: Any) -> Any:
    """Lower bound on minus the cosine, where it is not negative."""
    return (1 - t) * gamma - t * (2 - t)


def opposition_claim(
    conclude: Callable[..., Comparison], small: Callable[..., tuple[Comparison, ...]] | None = None
) -> Callable[..., Judgement]:
    """Return Lemma A.5 with a conclusion.

    The instance gives -w as `opposite`, w' as `along` and c as -alpha beta plus a rise.
    `conclude(xp, w, h, t, gamma)` compares, with t = epsilon'/(alpha beta) and gamma =
    -c/(alpha beta); `small(t, gamma)` gives further hypotheses.
    """

    def judge(
        xp: Any,
        *,
        along: Any,
        h: Any,
        opposite: Any,
        alpha: Any,
        beta: Any,
        rise: Any,
        epsilon: Any,
    ) -> Judgement:
        w, mean, whole = -opposite, xp.mean(h, axis=1), alpha * beta
        largest = xp.maximum(norm(xp, w), norm(xp, along))
        t, gamma = epsilon / whole, (whole - rise) / whole
        hypotheses = [
            Comparison("norms of the h", root_mean_square(xp, h), alpha),
            Comparison("norms of w and w'", largest, beta),
            Comparison("mean inner product with w", dot(xp, w, mean), rise - whole),
            Comparison("mean inner product with w'", whole, dot(xp, along, mean) + epsilon),
            Comparison("c is not positive", rise, whole),
        ]
        if small is not None:
            hypotheses += small(t, gamma)
        return Judgement(tuple(hypotheses), (conclude(xp, w, h, t, gamma),))

    return judge


def at_most_whole(t: Any, gamma: Any) -> tuple[Comparison, ...]:
    """epsilon' is at most alpha beta."""
    return (Comparison("t at most 1", t, 0 * t + 1),)


def not_positive(t: Any, gamma: Any) -> tuple[Comparison, ...]:
    """The sharp bound is at most 0."""
    bound = Comparison("bound not positive", t * (2 - t), (1 - t) * gamma)
    return (*at_most_whole(t, gamma), bound)


def conclude_excess(xp: Any, w: Any, h: Any, t: Any, gamma: Any) -> Comparison:
    """The cosine exceeds c/(alpha beta) by at most 4 t^(1/3)."""
    found = cosine(xp, w, mean_direction(xp, h))
    return Comparison("excess of the cosine", found + gamma, printed_excess(xp, t=t))


def conclude_typeset(xp: Any, w: Any, h: Any, t: Any, gamma: Any) -> Comparison:
    """The cosine exceeds -c/(alpha beta) by at most 4 t^(1/3)."""
    found = cosine(xp, w, mean_direction(xp, h))
    return Comparison("excess of the cosine", found - gamma, printed_excess(xp, t=t))


def conclude_inner(xp: Any, w: Any, h: Any, t: Any, gamma: Any) -> Comparison:
    """The inner product of w/|w| and the mean direction: the excess over c/(alpha beta)."""
    found = dot(xp, w, mean_direction(xp, h)) / norm(xp, w)
    bound = sharp_excess(xp, t=t, gamma=gamma)
    return Comparison("excess of the inner product", found + gamma, bound)


def conclude_sharp(xp: Any, w: Any, h: Any, t: Any, gamma: Any) -> Comparison:
    """The cosine is at most what bounds the inner product, where that is not positive."""
    found = cosine(xp, w, mean_direction(xp, h))
    return Comparison("opposition", sharp_opposition(xp, t=t, gamma=gamma), -found)


_OPPOSITION_FIELDS = (
    Field("along", ("d",)),
    Field("h", ("N", "d"), like="along"),
    Field("opposite", ("d",), like="along"),
    Field("alpha", (), "budget", hypothesis="norms of the h"),
    Field("beta", (), "budget", hypothesis="norms of w and w'"),
    Field("rise", (), "budget", hypothesis="mean inner product with w"),
    Field("epsilon", (), "budget", hypothesis="mean inner product with w'"),
)
_OPPOSED = (
    r"Let $\langle w, \tilde h\rangle \le c \le 0$, $|w| \le \beta$, "
    r"$\frac1N\sum_i|h_i|^2 \le \alpha^2$, and let some $w'$ with $|w'| \le \beta$ have "
    r"$\langle w', \tilde h\rangle \ge \alpha\beta - \epsilon'$. "
)

LEMMA_A_5 = Statement(
    id="bnwd:lemma-a.5",
    kind="lemma",
    title="Cosine with the mean normalised vector from a negative mean inner product",
    source=Source("bnwd", "Lemma A.5, A.3"),
    topic="opposition",
    variants=(
        Variant(
            "printed",
            "c/(alpha beta), as proved and used",
            _OPPOSED + r"Then $\cos(w, \tilde{\bar h}) \le \frac{c}{\alpha\beta} + "
            r"4(\frac{\epsilon'}{\alpha\beta})^{1/3}$.",
            Claim(opposition_claim(conclude_excess), _OPPOSITION_FIELDS, VECTOR_SIZES),
            (Bound("excess of the cosine over c/(alpha beta)", printed_excess, "upper", 2),),
            remark="True for every epsilon', not only for small ones, but of the wrong order: the "
            "excess is linear in epsilon'. Its proof has gaps that the constants absorb: a sum "
            "over the samples with typical norms is bounded by c/alpha although the others may "
            "contribute to c, |a_i/b_i| is at most beta/N, the mean norm is at least alpha - "
            "epsilon, and dividing a bound by |w| and the norm of the mean normalised vector "
            "keeps it only where it is negative.",
        ),
        Variant(
            "printed",
            "-c/(alpha beta), as typeset",
            _OPPOSED + r"Then $\cos(w, \tilde{\bar h}) \le -\frac{c}{\alpha\beta} + "
            r"4(\frac{\epsilon'}{\alpha\beta})^{1/3}$.",
            Claim(opposition_claim(conclude_typeset), _OPPOSITION_FIELDS, VECTOR_SIZES),
            (Bound("excess of the cosine over -c/(alpha beta)", printed_excess, "upper", 2),),
            remark="The sign is a slip: as c < 0 this is weaker than what the proof gives and "
            "what Theorem 2.1 uses. It is true all the same.",
        ),
        Variant(
            "sharp",
            "inner product with w/|w|",
            _OPPOSED + r"If $\epsilon' \le \alpha\beta$, let $t = \epsilon'/(\alpha\beta)$ and "
            r"$\gamma = -c/(\alpha\beta)$. Then "
            r"$\langle w/|w|, \tilde{\bar h}\rangle \le -\gamma + t(2 - t + \gamma)$.",
            Claim(
                opposition_claim(conclude_inner, at_most_whole),
                _OPPOSITION_FIELDS,
                VECTOR_SIZES,
            ),
            (Bound("excess of the inner product of directions", sharp_excess, "upper", 2),),
            remark="The best possible where N t (2 - t) is an integer: that many tiny vectors in "
            "the direction of w, the others equal, of norm alpha/(1 - t), with the cosine -gamma/"
            "(1 - t) to w. Lemma A.5 with 3 epsilon' in place of the cube root, as gamma <= 1.",
        ),
        Variant(
            "sharp",
            "cosine, where the bound is not positive",
            _OPPOSED + r"If moreover $t(2 - t) \le (1 - t)\gamma$, then "
            r"$\cos(w, \tilde{\bar h}) \le -\gamma + t(2 - t + \gamma) \le \frac{c}{\alpha\beta} "
            r"+ \frac{3\epsilon'}{\alpha\beta}$.",
            Claim(opposition_claim(conclude_sharp, not_positive), _OPPOSITION_FIELDS, VECTOR_SIZES),
            (Bound("minus the cosine", sharp_opposition, "lower", 0),),
            remark="With gamma = 1/(C - 1), as Theorem 2.1 has it, this asks for t of the order "
            "1/(2C).",
        ),
    ),
)


# -- from the lemmas to the theorem ---------------------------------------------------------------

_SHORTFALL = proportion("eta", "1 less the inner product over the two norms", r"\eta")


@formula(_SHORTFALL)
def printed_intra_step(xp: Any, eta: Any) -> Any:
    """Printed upper bound on 1 less the intra-class cosine."""
    return 4 * eta


@formula(_SHORTFALL)
def intra_step(xp: Any, eta: Any) -> Any:
    """Upper bound on 1 less the intra-class cosine."""
    return 8 * eta


def intra_step_claim(bound: Callable[..., Any]) -> Callable[..., Judgement]:
    """Return the claim that the intra-class cosine is at least 1 less `bound` of eta.

    All features but the `kept` ones are turned round and shrunk to a `rest`, because small and
    opposite ones are those that matter.
    """

    def judge(xp: Any, *, w: Any, towards: Any, kept: Any, rest: Any) -> Judgement:
        h = towards * (kept - (1 - kept) * rest[:, None])[..., None]
        product = norm(xp, w) * root_mean_square(xp, h)
        eta = 1 - dot(xp, w, xp.mean(h, axis=1)) / product
        intra = square_norm(xp, mean_direction(xp, h))
        return Judgement((), (Comparison("1 - intra", 1 - intra, bound(xp, eta=eta)),))

    return judge


_CLASS_FIELDS = (
    Field("w", ("d",)),
    Field("towards", ("N", "d"), like="w"),
    Field("kept", ("N",), "mask"),
    Field("rest", (), "proportion"),
)
_CLASS_SIZES = {"N": (1, 8), "d": (1, 3)}
_NEARLY_ALIGNED = (
    r"Let $\langle\dot w_c, \tilde h_c\rangle \ge (1 - \eta)\alpha_c\beta_c$ with "
    r"$\alpha_c^2 = \frac1N\sum_i|h_{c,i}|^2$ and $\beta_c = |\dot w_c|$, as (21) has it. Then "
)

REMARK_INTRA_STEP = Statement(
    id="bnwd:remark-intra-step",
    kind="remark",
    title="From the ratio of inner product and norms to the intra-class cosine",
    source=Source("bnwd", "after (21), A.3"),
    topic="opposition",
    variants=(
        Variant(
            "printed",
            "constant 4",
            _NEARLY_ALIGNED + r"$\mathrm{intra}_c \ge 1 - 4\eta$.",
            Claim(intra_step_claim(printed_intra_step), _CLASS_FIELDS, _CLASS_SIZES),
            (Bound("1 - intra-class cosine", printed_intra_step, "upper", 1),),
            defect="Lemma A.4 bounds the norm of the mean normalised feature by 1 - 4 eta from "
            "below; the intra-class cosine is the square of that norm. The last line of the "
            "lemma's proof has a square that the lemma has not.",
        ),
        Variant(
            "corrected",
            "constant 8",
            _NEARLY_ALIGNED + r"$\mathrm{intra}_c \ge 1 - 8\eta$.",
            Claim(intra_step_claim(intra_step), _CLASS_FIELDS, _CLASS_SIZES),
            (Bound("1 - intra-class cosine", intra_step, "upper", 1),),
            remark="For small eta no smaller constant will do: with M of N features equal to w "
            "and the others tiny and opposite, 1 - eta = sqrt(M/N) and intra = (2M/N - 1)^2. "
            "The 128 under the root of Theorem 2.1 becomes 512.",
        ),
    ),
)


def difference_of_angles(sine: Callable[..., Any]) -> Callable[..., Judgement]:
    """Return ``cos(a - b) <= cos a + sine(b)`` for pi/2 < a < pi and 0 < b < pi/2.

    The instance gives a and b as parts of their intervals.
    """

    def judge(xp: Any, *, part_of_a: Any, part_of_b: Any) -> Judgement:
        a, b = (1 + part_of_a) * (xp.pi / 2), part_of_b * (xp.pi / 2)
        right = xp.cos(a) + sine(xp, b)
        return Judgement((), (Comparison("cosine of a - b", xp.cos(a - b), right),))

    return judge


def third_vector(xp: Any, *, w: Any, x: Any, y: Any) -> Judgement:
    """cos(x, y) <= cos(w, y) + sqrt(2 (1 - cos(w, x))), squared where the left side is larger."""
    above = cosine(xp, x, y) - cosine(xp, w, y)
    above = xp.maximum(above, 0 * above)
    return Judgement((), (Comparison("cosine", above * above, 2 - 2 * cosine(xp, w, x)),))


_ANGLE_FIELDS = (Field("part_of_a", (), "proportion"), Field("part_of_b", (), "proportion"))
_ANGLES = r"For $\frac\pi2 < a < \pi$ and $0 < b < \frac\pi2$: $\cos(a - b) \le \cos a + "

REMARK_INTER_STEP = Statement(
    id="bnwd:remark-inter-step",
    kind="remark",
    title="From the cosine with a weight to the cosine with its class mean",
    source=Source("bnwd", "end of A.3"),
    topic="opposition",
    variants=(
        Variant(
            "printed",
            "second and third line: sin b",
            _ANGLES + r"\sin b = \cos a + \sqrt{1 - \cos^2 b}$.",
            Claim(difference_of_angles(lambda xp, b: xp.sin(b)), _ANGLE_FIELDS),
            defect="cos a cos b <= cos a needs cos a >= 0, and here it is negative. The line "
            "fails exactly for a < pi/2 + b.",
        ),
        Variant(
            "printed",
            "last line",
            _ANGLES + r"\sqrt{2(1 - \cos b)}$.",
            Claim(difference_of_angles(lambda xp, b: xp.sqrt(2 * (1 - xp.cos(b)))), _ANGLE_FIELDS),
            remark="True although the lines before it are not. Attained at a = pi/2 + b/2.",
        ),
        Variant(
            "printed",
            "vectors, as applied",
            r"For all $w, x, y \ne 0$: $\cos(x, y) \le \cos(w, y) + \sqrt{2(1 - \cos(w, x))}$.",
            Claim(
                third_vector,
                (Field("w", ("d",)), Field("x", ("d",), like="w"), Field("y", ("d",))),
                {"d": (1, 8)},
            ),
            remark="No angle need be obtuse: the root is the distance of the two directions. "
            "The paper then drops the norms of the mean normalised features, which are at most "
            "1: for a negative cosine that makes the product larger, not smaller, so it costs a "
            "further term of the order of 1 - |x||y|.",
        ),
        Variant(
            "corrected",
            "second and third line: sin b",
            _ANGLES + r"2\sin\frac b2$.",
            Claim(difference_of_angles(lambda xp, b: 2 * xp.sin(b / 2)), _ANGLE_FIELDS),
        ),
    ),
)

STATEMENTS = (LEMMA_A_5, REMARK_INTRA_STEP, REMARK_INTER_STEP)
