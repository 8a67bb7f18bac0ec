r"""Pairs of classes: inter-class cosines, off-class logits, the Gram matrix of the class means.

`bnwd:sharp-4` is ours. If the features of the classes point along known directions (the centred
weights, or the directions omega of `bnwd:sharp-3`), their cosines are those of these directions up
to first-order terms that most pairs share out. Three things make that sharper: mean logits, which
show the class means up to what the last layer does not see; and the losses themselves, since
misalignment that the last layer sees moves the logits of rivals apart, which costs loss.

Numbers that only depend on the last layer are known. ``o^2`` bounds the largest eigenvalue of a
Gram matrix, and a bar is a mean.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative, positive
from ncbounds.theory.proximity.near_optimal_loss import (
    class_mean,
    last_layer,
    phi_inverse,
    square_norm,
)
from ncbounds.theory.proximity.printed_theorem import mean_directions
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
_O = positive("o", "root of a bound on the largest eigenvalue of the Gram matrix", "o")
_T = positive("T", "C/(C-1) times the norms of features and centred weights", "T")
_S = nonnegative("s", "1 less the mean cosine, or less the mean log-odds over T", "s")
_SMALL = positive("s", "1 less the mean log-odds over T", "s")
_G = nonnegative("G", "off-class logits: log-mean-exp of the rivals less their mean", "G")
_Y = nonnegative("Y", "mean size of the off-class logits of the weights themselves", "Y")

_SQUARINGS = 6


# -- guarantees: numbers in, numbers out -----------------------------------------------------


@formula(_C, _O, _S)
def pair_gap(xp: Any, C: Any, o: Any, s: Any) -> Any:
    """Upper bound on the root mean square over pairs of the difference of cosines."""
    return 2 * o * xp.sqrt(2 * s / (C - 1)) + 2 * s


@formula(_G)
def off_class_size(xp: Any, G: Any) -> Any:
    """Upper bound on the mean absolute off-class logit."""
    return xp.sqrt(2 * G + 4 * G * G)


@formula(_C, _T, _O, _SMALL, _Y)
def gram_gap(xp: Any, C: Any, T: Any, o: Any, s: Any, Y: Any) -> Any:
    """Upper bound on the mean over pairs of the difference of Gram matrices."""
    a, along = (C - 1) / (o * o), o * o / (C * (C - 1))
    g = off_class_cost(xp, C, T, xp.maximum(xp.sqrt(2 * s / a) - Y, 0 * Y))
    eta = xp.sqrt(2 * s / (1 / (a + g) + along))
    known = xp.minimum(Y, eta / a)
    joint = gram_gap_at(a, g, along, s, eta, known)
    return xp.minimum(joint, pair_gap(xp, C=C, o=o, s=s))


def gram_gap_at(a: Any, g: Any, along: Any, s: Any, eta: Any, known: Any) -> Any:
    """The bound for any multiplier eta > 0; `known` is the lesser of Y and eta/a."""
    cost = (1 + eta) * g
    across = (eta + 2 * cost * known - a * cost * known * known / eta) / (a + cost)
    return 2 * s + 2 * s / eta + across + eta * along


def off_class_cost(xp: Any, C: Any, T: Any, largest: Any) -> Any:
    """g with ``g y^2 <= 2 G/T``, for mean off-class logits of the features y <= `largest`."""
    slope = T * (C - 1) / C
    most = slope * largest
    return 2 * slope * slope / (T * (1 + xp.sqrt(1 + 4 * most * most)))


def largest_eigenvalue(xp: Any, gram: Any) -> Any:
    """Upper bound on the largest eigenvalue of Gram matrices (B, C, C), from a high power.

    The m-th root of the largest absolute row sum of the m-th power, m = 64: for a simplex ETF of
    any size 1.1 % more than the eigenvalue, for other matrices at most C^(1/(2m)) times it.
    """
    root, power = 1, 1
    total = xp.max(xp.sum(xp.abs(gram), axis=-1), axis=-1)
    for _ in range(_SQUARINGS):
        root, power = root * xp.exp(xp.log(total) / power), 2 * power
        gram = gram / total[:, None, None]
        gram = xp.matmul(gram, gram)
        total = xp.max(xp.sum(xp.abs(gram), axis=-1), axis=-1)
    return root * xp.exp(xp.log(total) / power)


def cosines_from_logits(xp: Any, gram: Any, square: Any) -> tuple[Any, Any]:
    """Cosines of class means known up to what the last layer does not see: centres and radii.

    `gram` (B, C, C) holds the inner products of the class means' projections on the span of the
    centred weights, which mean logits determine, and `square` (B, C) mean square feature norms.
    """
    C = gram.shape[1]
    own = xp.stack([gram[:, c, c] for c in range(C)], axis=-1)
    lengths = xp.sqrt(own)
    cosines = gram / (lengths[:, :, None] * lengths[:, None, :])
    hidden = xp.maximum(square - own, 0 * square) / square
    near, off = xp.sqrt(own / square), xp.sqrt(hidden)
    turned = 1 - near[:, :, None] * near[:, None, :]
    return cosines, xp.abs(cosines) * turned + off[:, :, None] * off[:, None, :]


# -- instances ---------------------------------------------------------------------------------


def off_diagonal(xp: Any, matrix: Any) -> Any:
    """The entries of ordered pairs of two classes, row by row: (B, C, C) to (B, C (C-1))."""
    C = matrix.shape[1]
    return xp.stack([matrix[:, c, r] for c in range(C) for r in range(C) if r != c], axis=-1)


def _gram(xp: Any, rows: Any) -> Any:
    return xp.matmul(rows, xp.matrix_transpose(rows))


def _unit(xp: Any, rows: Any) -> Any:
    return rows / xp.sqrt(square_norm(xp, rows))[..., None]


def _least_chosen(xp: Any, values: Any, chosen: Any) -> Any:
    """The least entry over a subset: what is outside counts as the largest."""
    most = xp.max(values, axis=-1)[:, None]
    return xp.min(chosen * values + (1 - chosen) * most, axis=-1)


def mean_directions_claim(xp: Any, *, w: Any, h: Any, pairs: Any) -> Judgement:
    """Inter-class cosines against the cosines of known directions."""
    directions, means = _unit(xp, w), mean_directions(xp, h)
    known = _gram(xp, directions)
    away = xp.abs(off_diagonal(xp, _gram(xp, means) - known))
    s = 1 - xp.mean(xp.sum(directions * means, axis=-1), axis=-1)
    bound = pair_gap(xp, C=0 * s + w.shape[1], o=xp.sqrt(largest_eigenvalue(xp, known)), s=s)
    share = xp.sqrt(xp.mean(pairs, axis=-1))
    return Judgement(
        (),
        (
            Comparison("root mean square", xp.sqrt(xp.mean(away * away, axis=-1)), bound),
            Comparison("mean", xp.mean(away, axis=-1), bound),
            Comparison("most pairs", share * _least_chosen(xp, away, pairs), bound),
        ),
    )


def mean_logits_claim(xp: Any, *, w: Any, mix: Any, unseen: Any) -> Judgement:
    """Cosines of class means from mean logits, every pair.

    A feature is a combination `mix` of the centred weights and an `unseen` part orthogonal to
    them, so that the combinations solve for what the logits show.
    """
    wdot = w - xp.mean(w, axis=1)[:, None, :]
    seen = xp.matmul(mix, wdot[:, None])
    logits = xp.mean(xp.matmul(seen, xp.matrix_transpose(wdot)[:, None]), axis=2)
    shown = xp.matmul(xp.mean(mix, axis=2), xp.matrix_transpose(logits))
    square = xp.mean(square_norm(xp, seen) + square_norm(xp, unseen), axis=-1)
    means, others = xp.mean(seen, axis=2), xp.mean(unseen, axis=2)
    products = _gram(xp, means) + _gram(xp, others)
    lengths = xp.sqrt(square_norm(xp, means) + square_norm(xp, others))
    cosines = products / (lengths[:, :, None] * lengths[:, None, :])
    centres, radii = cosines_from_logits(xp, shown, square)
    C = w.shape[1]
    known = xp.mean(xp.stack([shown[:, c, c] for c in range(C)], axis=-1), axis=-1)
    alpha_square = xp.mean(square, axis=-1)
    variability = 1 - xp.mean(lengths * lengths, axis=-1) / alpha_square
    return Judgement(
        (),
        (
            Comparison(
                "cosine of every pair",
                off_diagonal(xp, xp.abs(cosines - centres)),
                off_diagonal(xp, radii),
            ),
            Comparison("variability", variability, 1 - known / alpha_square),
        ),
    )


def off_class_claim(xp: Any, *, w: Any, bias: Any, h: Any) -> Judgement:
    """The logits of the rivals lie near their mean, by the losses."""
    net = last_layer(xp, h, w, bias)
    C = net.C
    logits = xp.matmul(h, xp.matrix_transpose(w)[:, None]) + bias[:, None, None, :]
    rivals = xp.stack(
        [logits[:, c][:, :, [r for r in range(C) if r != c]] for c in range(C)], axis=1
    )
    off = rivals - xp.mean(rivals, axis=-1)[..., None]
    size = xp.mean(xp.abs(off), axis=-1)
    # For small logits the digits of G are those of e^u - 1 - u, which is less for smaller u.
    small = xp.minimum(off, 1 + 0 * off)
    G = xp.maximum(net.off_class, xp.log1p(xp.mean(xp.expm1(small) - small, axis=-1)))
    T = net.k * net.alpha * net.b
    odds = class_mean(xp, phi_inverse(xp, net.losses, C - 1))
    return Judgement(
        (),
        (
            Comparison("sample", size, off_class_size(xp, G=G)),
            Comparison("mean", class_mean(xp, size), off_class_size(xp, G=class_mean(xp, G))),
            Comparison(
                "mean from the log-odds",
                class_mean(xp, size),
                off_class_size(xp, G=xp.maximum(T - odds, 0 * T)),
            ),
        ),
    )


def gram_claim(xp: Any, *, w: Any, h: Any) -> Judgement:
    """The Gram matrix of the class means over alpha against that of the centred weights over b."""
    net = last_layer(xp, h, w)
    C = net.C
    T = net.k * net.alpha * net.b
    s = 1 - class_mean(xp, phi_inverse(xp, net.losses, C - 1)) / T
    v = (w - xp.mean(w, axis=1)[:, None, :]) / net.b[:, None, None]
    known = _gram(xp, v)
    own = xp.stack([known[:, c, c] for c in range(C)], axis=-1)
    Y = xp.mean(xp.abs(off_diagonal(xp, known + own[:, :, None] / (C - 1))), axis=-1)
    means = xp.mean(h, axis=2) / net.alpha[:, None, None]
    away = xp.abs(off_diagonal(xp, _gram(xp, means) - known))
    o = xp.sqrt(largest_eigenvalue(xp, known))
    numbers = {"C": 0 * s + C, "o": o, "s": s}
    return Judgement(
        (),
        (
            Comparison("mean", xp.mean(away, axis=-1), gram_gap(xp, **numbers, T=T, Y=Y)),
            Comparison(
                "root mean square",
                xp.sqrt(xp.mean(away * away, axis=-1)),
                pair_gap(xp, **numbers),
            ),
        ),
    )


_WEIGHTS = Field("w", ("C", "d"))
_FEATURES = Field("h", ("C", "N", "d"), like="w")
_NETWORK = {"C": (2, 6), "N": (1, 4), "d": (1, 8)}

SHARP_4 = Statement(
    id="bnwd:sharp-4",
    kind="theorem",
    title="Inter-class cosines from mean cosines, mean logits and losses",
    source=Source("bnwd", "ncbounds: sharp form of Theorem 2.1 for pairs of classes"),
    topic="class_pairs",
    variants=(
        Variant(
            "sharp",
            "mean directions",
            r"Let $A_c$ be the mean of the normalised features of class $c$ (or the normalised "
            r"class mean), $X$ the Gram matrix of any unit vectors $u_c$, $o^2$ at least its "
            r"largest eigenvalue, and $s = 1 - \overline{\langle u_c, A_c\rangle}$. The root mean "
            r"square of $\langle A_c, A_{c'}\rangle - X_{cc'}$ over ordered pairs $c \ne c'$ is at "
            r"most $B = 2o\sqrt{2s/(C-1)} + 2s$, and at least a fraction $1 - \delta$ of the pairs "
            r"have at most $B/\sqrt\delta$.",
            Claim(
                mean_directions_claim,
                (_WEIGHTS, _FEATURES, Field("pairs", ("P",), "mask")),
                _NETWORK,
                {"P": lambda sizes: sizes["C"] * (sizes["C"] - 1)},
            ),
            (Bound("difference of cosines, root mean square", pair_gap, "upper", 2),),
            remark="Nothing is assumed. The mean cosine s comes from bnwd:sharp-3; an ETF has "
            "o^2 = C/(C-1).",
        ),
        Variant(
            "sharp",
            "mean logits",
            r"Let $q_c$ be the projection of the class mean on the span of the centred weights, "
            r"known with the last layer and the mean logits, $X$ the cosines of the $q_c$ and "
            r"$\sin^2\theta_c = 1 - |q_c|^2/\alpha_c^2$. For every pair the cosine of the class "
            r"means differs from $X_{cc'}$ by at most $|X_{cc'}|(1 - \cos\theta_c\cos\theta_{c'})"
            r" + \sin\theta_c\sin\theta_{c'}$, and the relative variability is at most "
            r"$1 - \overline{|q|^2}/\alpha^2$.",
            Claim(
                mean_logits_claim,
                (
                    Field("w", ("C", "d")),
                    Field("mix", ("C", "N", "C")),
                    Field("unseen", ("C", "N", "e")),
                ),
                {"C": (2, 5), "N": (1, 3), "d": (1, 6), "e": (1, 3)},
            ),
            remark="Attained by two single features whose unseen parts are opposite.",
        ),
        Variant(
            "sharp",
            "off-class logits",
            r"For every sample the mean absolute deviation of its rivals' logits from their mean "
            r"is at most $\psi(G) = \sqrt{2G + 4G^2}$, with $G$ their log-mean-exp less their "
            r"mean. Over all samples it is at most $\psi(\bar G) \le \psi(T - \bar p)$.",
            Claim(
                off_class_claim,
                (_WEIGHTS, Field("bias", ("C",)), _FEATURES),
                {"C": (3, 8), "N": (1, 4), "d": (1, 8)},
            ),
            (Bound("mean absolute off-class logit", off_class_size, "upper"),),
            remark="Without a bias the deviation is <wdot_c', h> + <wdot_c, h>/(C-1). It equals "
            "sqrt(2G) to first order for two values that are equally frequent.",
        ),
        Variant(
            "sharp",
            "Gram matrix",
            r"Let $v_c = \dot w_c/b$, $X$ their Gram matrix, $o^2$ at least its largest "
            r"eigenvalue, $Y$ the mean of $|X_{cc'} + X_{cc}/(C-1)|$ over pairs (0 for an ETF), "
            r"$A_c = \tilde h_c/\alpha$ and $s = 1 - \bar p/T$. The mean of $|\langle A_c, A_{c'}"
            r"\rangle - X_{cc'}|$ over pairs is for $Y = 0$ at most $2\sqrt{2s}\sqrt{\frac1{a + g}"
            r" + \frac{o^2}{C(C-1)}} + 2s$, where $a = \frac{C-1}{o^2}$ and $g = T/(k^2 + kT"
            r"\sqrt{2s/a})$, $k = \frac C{C-1}$. The root mean square is at most "
            r"$2o\sqrt{2s/(C-1)} + 2s$.",
            Claim(gram_claim, (_WEIGHTS, _FEATURES), _NETWORK),
            (
                Bound("difference of Gram matrices, mean", gram_gap, "upper"),
                Bound("difference of Gram matrices, root mean square", pair_gap, "upper"),
            ),
            remark="The term g is new: misalignment that the last layer sees moves the logits of "
            "rivals apart, which costs loss, the more the larger T is.",
        ),
    ),
)

STATEMENTS = (SHARP_4,)
