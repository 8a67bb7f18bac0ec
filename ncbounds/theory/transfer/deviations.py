"""The CDNV of classes from the CDNV of samples of them: equation (52).

The algebra of (52) is deterministic: a population variance is at most the empirical one plus its
deviation, and the distance of empirical means at most that of the true ones plus theirs. What is
random are the deviations. The review leaves them out; the corrected form says how large they are
for features in a ball of radius R, in numbers that are known from the sample alone.

With r = R sqrt(2 L/n), L = log(4 H/delta) for H feature maps, v the variance of a class, s that of
its sample and e the distance of the two means, each of the following fails for one class and one
map with probability at most delta/(4H):

    e <= sqrt(v/n) + r                               (bounded differences, E e^2 = v/n)
    v <= s + e^2 + 2 r sqrt(v)                       (lower tail of a mean of positive numbers)

Both together are a quadratic inequality for sqrt(v), whose larger root is `variance_root`.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from ncbounds.arithmetic.formula import (
    formula,
    integer,
    nonnegative,
    positive,
    proportion,
)
from ncbounds.theory.cosine import norm
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
from ncbounds.theory.transfer.cdnv import cdnv, decided, means, variances

EMPIRICAL = nonnegative("V", "CDNV of the samples", "V_S")
APART = positive("distance", "distance of the means of the samples", "d")
FIRST = nonnegative("s_1", "variance of the first sample", "s_1")
SECOND = nonnegative("s_2", "variance of the second sample", "s_2")
SIZE = integer("n", "size of each sample", "n", at_least=2)
RADIUS = positive("R", "radius of a ball that holds all features", "R")
MAPS = integer("H", "number of feature maps among which one was chosen", "H", at_least=1)
DELTA = proportion("delta", "probability of failure", r"\delta", one_included=False)


@formula(EMPIRICAL, nonnegative("A", "the A of (52)", "A"), nonnegative("B", "the B of (52)", "B"))
def printed_bound(xp: Any, V: Any, A: Any, B: Any) -> Any:
    """Right-hand side of (52)."""
    return (V + B) * (1 + A) * (1 + A)


def variance_root(xp: Any, s: Any, n: Any, of_mean: Any, of_squares: Any) -> Any:
    """Largest x with x^2 <= s + (x/sqrt(n) + of_mean)^2 + of_squares x: bounds sqrt(variance)."""
    half = of_mean / xp.sqrt(n) + of_squares / 2
    kept = 1 - 1 / n
    return (half + xp.sqrt(half * half + kept * (of_mean * of_mean + s))) / kept


def deviation(xp: Any, n: Any, R: Any, H: Any, delta: Any) -> Any:
    """The r of the module: R sqrt(2 log(4 H/delta)/n)."""
    return R * xp.sqrt(2 * xp.log(4 * H / delta) / n)


def distance_left(xp: Any, distance: Any, roots: tuple[Any, Any], n: Any, of_means: Any) -> Any:
    """At least so far apart are the true means; `of_means` is the sum over both classes."""
    return distance - (roots[0] + roots[1]) / xp.sqrt(n) - of_means


@formula(APART, FIRST, SECOND, SIZE, RADIUS, MAPS, DELTA)
def separation_bound(
    xp: Any, distance: Any, s_1: Any, s_2: Any, n: Any, R: Any, H: Any, delta: Any
) -> Any:
    """Distance of two class means over the root of their summed variances, by two samples."""
    r = deviation(xp, n, R, H, delta)
    first, second = (variance_root(xp, s, n, r, 2 * r) for s in (s_1, s_2))
    left = distance_left(xp, distance, (first, second), n, 2 * r)
    return left / xp.sqrt(first * first + second * second)


def sample_bound(xp: Any, **known: Any) -> Any:
    """Bound on the CDNV by what is known of two samples, where `separation_bound` is positive."""
    separation = separation_bound(xp, **known)
    return 1 / (2 * separation * separation)


# -- (52) from deviations -------------------------------------------------------------------------


def printed_claim(
    xp: Any,
    *,
    first: Any,
    second: Any,
    first_sample: Any,
    second_sample: Any,
    first_mean: Any,
    second_mean: Any,
    first_variance: Any,
    second_variance: Any,
) -> Judgement:
    """(52) with A and B from what means and variances deviate by."""
    truth = norm(xp, means(xp, first) - means(xp, second))
    apart = square_norm(xp, means(xp, first_sample) - means(xp, second_sample))
    bound = printed_bound(
        xp,
        V=cdnv(xp, first_sample, second_sample),
        A=(first_mean + second_mean) / truth,
        B=(first_variance + second_variance) / (2 * apart),
    )

    def off(population: Any, sample: Any) -> Any:
        return norm(xp, means(xp, population) - means(xp, sample))

    def more(population: Any, sample: Any, budget: Any) -> Any:
        return variances(xp, population), variances(xp, sample) + budget

    return Judgement(
        (
            Comparison("mean of the first", off(first, first_sample), first_mean),
            Comparison("mean of the second", off(second, second_sample), second_mean),
            Comparison("variance of the first", *more(first, first_sample, first_variance)),
            Comparison("variance of the second", *more(second, second_sample, second_variance)),
        ),
        (Comparison("(52)", cdnv(xp, first, second), bound),),
    )


def scale_free_claim(xp: Any, *, first: Any, second: Any, a: Any, b: Any, delta: Any) -> Judgement:
    """(52) with A = a/|mu_i - mu_j| and B = b/|m_i - m_j|^2 for features scaled by 4(1 + a + b).

    Samples of size 2, all of them: the probability is a share of M^4.
    """
    factor = 4 * (1 + a + b)[:, None, None]
    first, second = first * factor, second * factor
    truth = cdnv(xp, first, second)
    A = a / norm(xp, means(xp, first) - means(xp, second))
    M, holds = first.shape[1], []
    for i, j, k, m in product(range(M), repeat=4):
        x = xp.stack([first[:, i], first[:, j]], axis=1)
        y = xp.stack([second[:, k], second[:, m]], axis=1)
        B = b / square_norm(xp, means(xp, x) - means(xp, y))
        bound = printed_bound(xp, V=cdnv(xp, x, y), A=A, B=B)
        holds.append(1 - decided(xp, truth - bound))
    return Judgement(
        (), (Comparison("(52)", 1 - delta, xp.mean(xp.stack(holds, axis=-1), axis=-1)),)
    )


def memorised_claim(xp: Any, *, n: Any) -> Judgement:
    """The bound for one map, for the map that sends each point of the sample to a class centre.

    Centres -3/4 and 3/4; whatever is not in the sample goes to centre - 1/4 or + 1/4, half each.
    """
    zero = 0 * n
    bound = sample_bound(
        xp,
        distance=zero + 3 / 2,
        s_1=zero,
        s_2=zero,
        n=n,
        R=zero + 1,
        H=zero + 1,
        delta=zero + 1 / 2,
    )
    return Judgement((), (Comparison("CDNV", (zero + 1) / 36, bound),))


def bounded_claim(
    xp: Any,
    *,
    first: Any,
    second: Any,
    first_sample: Any,
    second_sample: Any,
    first_mean: Any,
    second_mean: Any,
    first_squares: Any,
    second_squares: Any,
) -> Judgement:
    """What the two events say of variances, distance and CDNV."""
    n = first_sample.shape[1] + 0 * first_mean
    hypotheses, conclusions, roots, true_variances = [], [], [], []
    for name, points, sample, of_mean, of_squares in (
        ("first", first, first_sample, first_mean, first_squares),
        ("second", second, second_sample, second_mean, second_squares),
    ):
        centre, v = means(xp, points), variances(xp, points)
        root = xp.sqrt(v)
        some = root + 1 - xp.is_positive(root)  # 1 for a single point, where nothing is claimed
        squares = xp.mean(square_norm(xp, sample - centre[:, None, :]), axis=-1)
        off = norm(xp, means(xp, sample) - centre)
        hypotheses += [
            Comparison(f"mean of the {name}", off, root / xp.sqrt(n) + of_mean),
            Comparison(f"squares of the {name}", root, squares / some + of_squares),
        ]
        bound = variance_root(xp, variances(xp, sample), n, of_mean, of_squares)
        conclusions.append(Comparison(f"deviation of the {name}", root, bound))
        roots.append(bound)
        true_variances.append(v)
    apart = norm(xp, means(xp, first) - means(xp, second))
    distance = norm(xp, means(xp, first_sample) - means(xp, second_sample))
    left = distance_left(xp, distance, (roots[0], roots[1]), n, first_mean + second_mean)
    kept = xp.maximum(left, 0 * left)
    truth = (true_variances[0] + true_variances[1]) / (2 * apart * apart)
    conclusions += [
        Comparison("distance of the means", left, apart),
        Comparison("CDNV", truth * 2 * kept * kept, roots[0] * roots[0] + roots[1] * roots[1]),
    ]
    return Judgement(tuple(hypotheses), tuple(conclusions))


def samples_claim(xp: Any, *, points: Any, share: Any, threshold: Any) -> Judgement:
    """Means and variances over all samples of size 2 and 3, and the tails of their deviations."""
    M = points.shape[1]
    centre, v = means(xp, points), variances(xp, points)
    squares = square_norm(xp, points - centre[:, None, :])
    second_moment = xp.mean(squares * squares, axis=-1)
    found: dict[str, tuple[list[Any], list[Any]]] = {
        name: ([], [])
        for name in ("of the mean", "of the variance", "mean far off", "squares too small")
    }

    def put(name: str, lhs: Any, rhs: Any) -> None:
        found[name][0].append(lhs)
        found[name][1].append(rhs)

    for n in (2, 3):
        draws = list(product(range(M), repeat=n))
        sample = xp.stack(
            [xp.stack([points[:, i] for i in draw], axis=1) for draw in draws], axis=1
        )
        of_squares = xp.stack([sum(squares[:, i] for i in draw) for draw in draws], axis=1)
        off = square_norm(xp, means(xp, sample) - centre[:, None, :])
        far = 1 - decided(xp, threshold[:, None] - off)
        small = 1 - decided(xp, of_squares - (n * (1 - share) * v)[:, None])
        put("of the mean", xp.mean(off, axis=-1), v / n)
        put("of the variance", xp.mean(variances(xp, sample), axis=-1), v * (n - 1) / n)
        put("mean far off", xp.mean(far, axis=-1), v / (n * threshold))
        exponent = n * share * share * v * v / (2 * second_moment)
        put("squares too small", xp.mean(small, axis=-1), xp.exp(-exponent))
    relations = {"of the mean": "=", "of the variance": "="}
    return Judgement(
        (),
        tuple(
            Comparison(
                name,
                xp.stack(lhs, axis=-1),
                xp.stack(rhs, axis=-1),
                "=" if name in relations else "<=",
            )
            for name, (lhs, rhs) in found.items()
        ),
    )


def _class_fields() -> tuple[Field, ...]:
    return (
        Field("first", ("M", "d")),
        Field("second", ("M", "d")),
        Field("first_sample", ("n", "d")),
        Field("second_sample", ("n", "d")),
        Field("first_mean", (), "budget", "mean of the first"),
        Field("second_mean", (), "budget", "mean of the second"),
    )


_SIZES = {"M": (1, 3), "n": (2, 4), "d": (1, 2)}
_CDNV = "CDNV of the classes"
_SEPARATION = "distance of class means over the root of summed variances, (2V)^(-1/2)"

EQUATION_52 = Statement(
    id="review:eq-52",
    kind="equation",
    title="CDNV of classes by that of samples",
    source=Source("review", "(52)"),
    topic="transfer",
    variants=(
        Variant(
            "printed",
            "from the deviations of means and variances",
            r"If the mean of each sample is within $\epsilon_c$ of that of its class, and the "
            r"variance of the class exceeds that of the sample by at most $\eta_c$, then "
            r"$V_f(P_i, P_j) \le (V_f(D_i, D_j) + B)(1 + A)^2$ with "
            r"$A = (\epsilon_i + \epsilon_j)/|\mu_f(P_i) - \mu_f(P_j)|$ and "
            r"$B = (\eta_i + \eta_j)/(2 |\mu_f(D_i) - \mu_f(D_j)|^2)$.",
            Claim(
                printed_claim,
                (
                    *_class_fields(),
                    Field("first_variance", (), "budget", "variance of the first"),
                    Field("second_variance", (), "budget", "variance of the second"),
                ),
                _SIZES,
            ),
            (Bound(_CDNV, printed_bound, "upper"),),
            remark="A asks for the distance of the true means, which a sample does not show.",
        ),
        Variant(
            "printed",
            "factors of proportionality that depend on n and delta alone",
            r"For some a and b, whatever the features: with probability at least $1 - \delta$ "
            r"over samples of size 2, (52) holds with $A = a/|\mu_f(P_i) - \mu_f(P_j)|$ and "
            r"$B = b/|\mu_f(D_i) - \mu_f(D_j)|^2$.",
            Claim(
                scale_free_claim,
                (
                    Field("first", ("M", "d")),
                    Field("second", ("M", "d")),
                    Field("a", (), "positive"),
                    Field("b", (), "positive"),
                    Field("delta", (), "proportion"),
                ),
                {"M": (2, 2), "d": (1, 1)},
            ),
            defect="The CDNV does not change when the features are scaled, A and B then vanish: "
            "the factors must grow with the features, B's like their square. The counterexample "
            "is scaled by 4(1 + a + b), which keeps a/scale below 1/4 and b/scale^2 below 1/64 "
            "whatever a and b are.",
        ),
        Variant(
            "printed",
            "features trained on the same samples",
            r"The bound for a map that is given before the samples, here that of the corrected "
            r"form with $\delta = 1/2$, holds for one that is trained on them, so that "
            r"$V_f(D_i, D_j) = 0$ shows $V_f(P_i, P_j)$ to be small, n large.",
            Claim(
                memorised_claim,
                (Field("n", (), "integer", least=200),),
            ),
            defect="A map may send each sample point to the centre of its class, and all else "
            "elsewhere. The deviations must be uniform over the maps that training can reach, "
            "as they are in the cited theorem; the A and B shown here do not say so.",
        ),
        Variant(
            "corrected",
            "features in a ball, from the samples alone",
            r"Let all features lie in a ball of radius R, $r = R\sqrt{2 \log(4H/\delta)/n}$, and "
            r"$U_c = \frac{h + \sqrt{h^2 + (1 - 1/n)(r^2 + Var_f(D_c))}}{1 - 1/n}$, "
            r"$h = r(1 + 1/\sqrt n)$. With probability at least $1 - \delta$, for all of H maps: "
            r"$Var_f(P_c) \le U_c^2$ and $V_f(P_i, P_j) \le \frac{U_i^2 + U_j^2}{2(d - (U_i + U_j)"
            r"/\sqrt n - 2r)^2}$, d the distance of the sample means, where what is squared is "
            r"positive.",
            Claim(
                bounded_claim,
                (
                    *_class_fields(),
                    Field("first_squares", (), "budget", "squares of the first"),
                    Field("second_squares", (), "budget", "squares of the second"),
                ),
                _SIZES,
            ),
            (Bound(_SEPARATION, separation_bound, "lower", trivial=0),),
            remark="What is random is cited: bounded differences, a tail bound, and a union over 2 "
            "classes, 2 events and H maps. The claim is what follows, for any deviations. Nothing "
            "depends on the dimension.",
        ),
        Variant(
            "sharp",
            "means and variances of samples",
            r"Over samples of size n: $E|\mu_f(D) - \mu_f(P)|^2 = Var_f(P)/n$ and "
            r"$E Var_f(D) = (1 - 1/n) Var_f(P)$; $|\mu_f(D) - \mu_f(P)|^2 \ge t$ has probability "
            r"at most $Var_f(P)/(nt)$; and the mean of $Z = |f(x) - \mu_f(P)|^2$ over the sample "
            r"is at most $(1 - q) E Z$ with probability at most $e^{-n q^2 (EZ)^2/(2 E Z^2)}$.",
            Claim(
                samples_claim,
                (
                    Field("points", ("m", "d")),
                    Field("share", (), "proportion"),
                    Field("threshold", (), "positive"),
                ),
                {"m": (1, 3), "d": (1, 2)},
            ),
            remark="Judged over all samples of 2 and 3 points. The empirical CDNV is too small on "
            "average for two reasons: the factor 1 - 1/n, and means of samples that are farther "
            "apart than those of the classes, by (Var_i + Var_j)/n in the mean square.",
        ),
    ),
)

STATEMENTS = (EQUATION_52,)
