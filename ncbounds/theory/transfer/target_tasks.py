"""From source classes to target classes: average CDNV and transfer error, (54).

A target task has t classes and n samples of each; a new sample goes to the class whose mean of n
samples is nearest. Write w for what the new sample is off its class mean, p and q for what the
two sample means are off theirs, D for the way from the own class mean to the other's. The other
one is at least as near exactly where <D - y, D - z> <= 0 for z = 2w - p - q, y = p - q, and then

    |D - a|^2 + |D - b|^2 = |D|^2 + |D - a - b|^2 - 2 <a, b> >= |D|^2

for all positive multiples a of D - y and b of D - z. With the best multiples this bounds the error
of a pair by Z/(1 + Z) + Y/(1 + Y), Z = E|z|^2/|D|^2 and Y = E|y|^2/|D|^2.
"""

from __future__ import annotations

from itertools import combinations, permutations, product
from typing import Any

from ncbounds.arithmetic.formula import formula, integer, positive, proportion
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
from ncbounds.theory.transfer.cdnv import (
    CDNV,
    cdnv,
    decided,
    nearest_mean_errors,
    normalised_variances,
    ordered_pairs,
    saturated,
)

TASK = integer("t", "number of classes of the task", "t", at_least=2)
SHOTS = integer("n", "samples of each class", "n", at_least=1)


@formula(TASK, SHOTS, CDNV)
def linear_transfer_bound(xp: Any, t: Any, n: Any, V: Any) -> Any:
    """Transfer error by the mean CDNV of the target classes, linear in it."""
    return 4 * (t - 1) * (1 + 1 / n) * V


@formula(TASK, SHOTS, CDNV)
def transfer_bound(xp: Any, t: Any, n: Any, V: Any) -> Any:
    """Transfer error by the mean CDNV of the target classes."""
    return (t - 1) * (saturated((4 + 2 / n) * V) + saturated(2 * V / n))


@formula(
    CDNV,
    positive("spread", "largest variance of a class", "v"),
    positive("distance", "least distance of two class means", r"\Delta"),
    integer("s", "number of source classes", "s", at_least=2),
    proportion("delta", "probability of failure", r"\delta", one_included=False),
)
def source_bound(xp: Any, V: Any, spread: Any, distance: Any, s: Any, delta: Any) -> Any:
    """Mean CDNV of new classes by the average over source classes."""
    return V + spread / (distance * distance) * xp.sqrt(xp.log(1 / delta) / (s - 1))


# -- source classes -------------------------------------------------------------------------------


def pair_cdnvs(xp: Any, centres: Any, spreads: Any) -> dict[tuple[int, int], Any]:
    """CDNV of every ordered pair of classes with these means (B, S, d) and variances (B, S)."""
    found = {}
    for i, j in ordered_pairs(centres.shape[1]):
        apart = square_norm(xp, centres[:, i] - centres[:, j])
        found[i, j] = (spreads[:, i] + spreads[:, j]) / (2 * apart)
    return found


def typeset_average_claim(xp: Any, *, centres: Any, spreads: Any) -> Judgement:
    """The sum of Section 4.3 with its factor, beside the largest CDNV of a pair."""
    values, s = list(pair_cdnvs(xp, centres, spreads).values()), centres.shape[1]
    average = 2 * sum(values) / (s * (s - 1))
    return Judgement(
        (), (Comparison("an average", average, xp.max(xp.stack(values, axis=-1), axis=-1)),)
    )


def source_claim(xp: Any, *, centres: Any, spreads: Any, delta: Any) -> Judgement:
    """Averages over source classes drawn from S equally likely ones, all draws of 2..S of them.

    How far they are off is judged for two and three of them, where one pair is all there is.
    """
    values, S = pair_cdnvs(xp, centres, spreads), centres.shape[1]
    whole = sum(values.values()) / len(values)
    apart = [square_norm(xp, centres[:, i] - centres[:, j]) for i in range(S) for j in range(i)]
    least = xp.min(xp.stack(apart, axis=-1), axis=-1)
    spread = xp.max(spreads, axis=-1)
    expected, covered = [], []
    for s in range(2, S + 1):
        draws = [
            sum(values[i, j] for i, j in combinations(draw, 2)) * 2 / (s * (s - 1))
            for draw in combinations(range(S), s)
        ]
        drawn = xp.stack(draws, axis=-1)
        expected.append(xp.mean(drawn, axis=-1))
        if s > 3:  # two disjoint pairs without repetition are not independent
            continue
        bound = source_bound(
            xp,
            V=drawn,
            spread=spread[:, None],
            distance=xp.sqrt(least)[:, None],
            s=0 * drawn + 3,
            delta=delta[:, None],
        )
        covered.append(xp.mean(1 - decided(xp, whole[:, None] - bound), axis=-1))
    every, held = xp.stack(expected, axis=-1), xp.stack(covered, axis=-1)
    largest = xp.max(xp.stack(list(values.values()), axis=-1), axis=-1)
    few = range(2, min(S, 4) + 1)
    first = [
        sum(values[i, j] for i, j in combinations(range(s), 2)) * 2 / (s * (s - 1)) for s in few
    ]
    blocks = [_by_matchings(values, s) for s in few]
    return Judgement(
        (),
        (
            Comparison("on average", every, whole[:, None] + 0 * every, "="),
            Comparison("largest", largest, spread / least),
            Comparison("by disjoint pairs", xp.stack(first, -1), xp.stack(blocks, -1), "="),
            Comparison("probability", (1 - delta)[:, None] + 0 * held, held),
        ),
    )


def _by_matchings(values: dict[tuple[int, int], Any], s: int) -> Any:
    """Mean over all s! orders of the mean of floor(s/2) disjoint pairs, by its first s classes."""
    total, orders = 0, list(permutations(range(s)))
    for order in orders:
        found = [values[order[2 * k], order[2 * k + 1]] for k in range(s // 2)]
        total = sum(found) / (s // 2) + total
    return total / len(orders)


# -- transfer error -------------------------------------------------------------------------------


#: Tasks that are judged: number of classes, samples of each, and their name.
_TASKS = (
    (2, 1, "two classes, one sample"),
    (2, 2, "two classes, two samples"),
    (3, 1, "three classes, one sample"),
)


def few_shot_errors(xp: Any, points: Any, n: int) -> Any:
    """Expected error of the nearest mean of n samples a class, over all samples: (B,)."""
    K, M = points.shape[1:3]
    draws = list(product(range(M), repeat=n))
    sums = [sum(points[:, :, i] for i in draw) for draw in draws]  # each (B, K, d)
    support = [
        xp.stack([sums[chosen[k]][:, k] for k in range(K)], axis=1)
        for chosen in product(range(len(draws)), repeat=K)
    ]
    whole = points[:, None] + 0 * support[0][:, None, :, None, :]
    errors = nearest_mean_errors(xp, whole, xp.stack(support, axis=1), n)
    return xp.mean(errors, axis=(1, 2))


def _tasks(points: Any, t: int) -> list[Any]:
    """Classes of the tasks: neighbours among the first four, or the first three."""
    if t == 3:
        return [points[:, :3]]
    return [points[:, i : i + 2] for i in range(min(points.shape[1], 4) - 1)]


def _mean(xp: Any, values: list[Any]) -> Any:
    return xp.mean(xp.stack(values, axis=-1), axis=-1)


def _mean_cdnv(xp: Any, points: Any) -> Any:
    return xp.mean(normalised_variances(xp, points)[0], axis=-1)


def printed_transfer_claim(xp: Any, *, points: Any) -> Judgement:
    """Mean transfer error beside the mean CDNV."""
    found = []
    for t, n, name in _TASKS:
        tasks, classes = _tasks(points, t), min(t, points.shape[1])
        error = _mean(xp, [few_shot_errors(xp, task, n) for task in tasks])
        V = _mean(xp, [_mean_cdnv(xp, task) for task in tasks])
        bound = linear_transfer_bound(xp, t=0 * V + classes, n=0 * V + n, V=V)
        found.append(Comparison(name, error, bound))
    return Judgement((), tuple(found))


def pair_bound(own: Any, other: Any, n: Any) -> Any:
    """Share of a class that goes to one other: own variance and the other's over |D|^2."""
    of_means = (own + other) / n
    return saturated(4 * own + of_means) + saturated(of_means)


def task_bounds(xp: Any, points: Any, n: Any) -> tuple[Any, Any]:
    """Sum over the pairs of a task, over its classes: each at most 1, and as it is."""
    ratios, _ = normalised_variances(xp, points)
    K = points.shape[1]
    places = {pair: k for k, pair in enumerate(ordered_pairs(K))}
    each = [pair_bound(ratios[:, k], ratios[:, places[j, i]], n) for (i, j), k in places.items()]
    capped = [xp.minimum(share, 1 + 0 * share) for share in each]
    return sum(capped) / K, sum(each) / K


def sharp_transfer_claim(xp: Any, *, points: Any) -> Judgement:
    """Mean transfer error pair by pair, and that by the mean CDNV."""
    found = []
    for t, n, name in _TASKS:
        tasks, classes = _tasks(points, t), min(t, points.shape[1])
        error = _mean(xp, [few_shot_errors(xp, task, n) for task in tasks])
        V = _mean(xp, [_mean_cdnv(xp, task) for task in tasks])
        bounds = [task_bounds(xp, task, n) for task in tasks]
        found += [
            Comparison(name, error, _mean(xp, [capped for capped, _ in bounds])),
            Comparison(
                f"{name}, by the mean",
                _mean(xp, [whole for _, whole in bounds]),
                transfer_bound(xp, t=0 * V + classes, n=0 * V + n, V=V),
            ),
        ]
    return Judgement((), tuple(found))


def any_head_claim(xp: Any, *, theta: Any, factor: Any) -> Judgement:
    """Heads that fit one sample of each of two classes: a point between the two on a line.

    The first class is -e or e, e = 1/(2 (1 + factor)), the second 1; the head crosses the way from
    the first sample to the second after the share 2 e theta.
    """
    e = 1 / (2 * (1 + factor))
    first, second = (-e, e), 1 + 0 * e
    wrong = []
    for sample in first:
        border = sample + 2 * e * theta * (second - sample)
        wrong += [1 - decided(xp, border - x) for x in first]
        wrong += [1 - decided(xp, second - border)] * 2
    error = xp.mean(xp.stack(wrong, axis=-1), axis=-1)
    V = cdnv(xp, xp.stack(first, axis=-1)[..., None], xp.stack([second] * 2, axis=-1)[..., None])
    return Judgement((), (Comparison("transfer error", error, factor * V),))


# -- statements -----------------------------------------------------------------------------------

REMARK = Statement(
    id="review:remark-source-cdnv",
    kind="remark",
    title="Average CDNV over source classes",
    source=Source("review", "Sec. 4.3"),
    topic="transfer",
    variants=(
        Variant(
            "printed",
            "the average as typeset",
            r"$\frac{2}{s(s-1)} \sum_{i=1}^s \sum_{i' \ne i} V_f(P_i, P_{i'})$ is the average "
            r"CDNV of the source classes: at most the largest of them.",
            Claim(
                typeset_average_claim,
                (Field("centres", ("C", "d")), Field("spreads", ("C",), "nonnegative")),
                {"C": (2, 4), "d": (1, 2)},
            ),
            defect="A slip: the sum goes over both orders of each pair, so this is twice the "
            "average. With i' > i, or the factor 1/(s(s-1)), it is the average. As an upper bound "
            "it stays true.",
        ),
        Variant(
            "corrected",
            "the average over pairs, and how far it is off",
            r"Let s source classes be drawn without repetition, or from a distribution without "
            r"atoms. The mean of $\bar V = \frac{2}{s(s-1)} \sum_{i<i'} V_f(P_i, P_{i'})$ is that "
            r"of the CDNV of two new classes; and with variances of at most v and means at least "
            r"$\Delta$ apart, for independent draws with probability at least $1 - \delta$, $E V "
            r"\le \bar V + \frac v{\Delta^2} \sqrt{\frac{\log(1/\delta)}{2 \lfloor s/2 \rfloor}}$.",
            Claim(
                source_claim,
                (
                    Field("centres", ("C", "d")),
                    Field("spreads", ("C",), "nonnegative"),
                    Field("delta", (), "proportion"),
                ),
                {"C": (2, 4), "d": (1, 2)},
            ),
            (Bound("mean CDNV of new classes", source_bound, "upper"),),
            remark="For a map given before the source classes; for one trained on them the "
            "deviation has to be uniform over maps. Independent draws from a distribution with "
            "atoms repeat classes, and their CDNV is not defined; without "
            "repetition the last bound is for s <= 3. The formula takes s - 1 for "
            "2 floor(s/2), which is exact for odd s and a little more careful for even ones.",
        ),
    ),
)

EQUATION_54 = Statement(
    id="review:eq-54",
    kind="equation",
    title="Transfer error by CDNV",
    source=Source("review", "(54)"),
    topic="transfer",
    variants=(
        Variant(
            "printed",
            "nearest class means, up to scaling",
            r"With nearest class means of n samples each as $(a \circ f)_D$ the transfer error "
            r"(54) of tasks of t classes is at most a constant times the mean CDNV of two target "
            r"classes, $4(t-1)(1 + 1/n)$.",
            Claim(
                printed_transfer_claim,
                (Field("points", ("C", "m", "d")),),
                {"C": (2, 3), "m": (1, 2), "d": (1, 2)},
            ),
            (Bound("transfer error", linear_transfer_bound, "upper", trivial=1),),
            remark="The constant is ours, by Chebyshev's inequality; the review gives none. Judged "
            "over all samples, for several tasks of two classes and one of three.",
        ),
        Variant(
            "printed",
            "any linear head that fits the target samples",
            r"For some factor, whatever the classes and the linear head that fits D: the transfer "
            r"error is at most the factor times the mean CDNV.",
            Claim(
                any_head_claim,
                (Field("theta", (), "proportion"), Field("factor", (), "positive")),
            ),
            defect="A head that fits may pass next to one sample; half of a class that hardly "
            "varies is then on the wrong side, at any CDNV. The source bounds nearest class means. "
            "The classes are drawn together by 1 + factor: with theta = 1/2 every factor fails.",
        ),
        Variant(
            "sharp",
            "pair by pair, never more than 1",
            r"With $a_{ij} = Var_i/|\mu_i - \mu_j|^2$, $Y = (a_{ij} + a_{ji})/n$ and $Z = 4 a_{ij} "
            r"+ Y$ the transfer error is at most $\frac 1t \sum_{i \ne j} \min(1, \frac{Z}{1+Z} + "
            r"\frac{Y}{1+Y})$, and at most $(t-1)(\frac{(4+2/n)V}{1+(4+2/n)V} + \frac{2V/n}"
            r"{1+2V/n})$ for the mean CDNV V.",
            Claim(
                sharp_transfer_claim,
                (Field("points", ("C", "m", "d")),),
                {"C": (2, 3), "m": (1, 2), "d": (1, 2)},
            ),
            (Bound("transfer error", transfer_bound, "upper", trivial=1),),
            remark="One anomalous pair of classes makes the mean CDNV as large as one likes; here "
            "it costs no more than its own share. For n to infinity the bound of two classes is "
            "4V/(1 + 4V), which is attained.",
        ),
    ),
)

STATEMENTS = (REMARK, EQUATION_54)
