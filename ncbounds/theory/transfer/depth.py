"""Effective depth, minimal depth, and the generalization bound by depth (53).

Features after each layer are given as points; the error of a layer is that of the nearest class
mean, ties counted as errors. The effective depth of a network is the first layer with an error of
at most epsilon, and by convention its number of layers where there is none.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from ncbounds.arithmetic.formula import formula, nonnegative, proportion
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
    decided,
    normalised_variances,
    own_mean_errors,
    saturated,
)

SHARE = proportion("p", "share of relabelled samples", "p", one_included=False)
MARGIN = proportion("alpha", "margin of the second assumption", r"\alpha", one_included=False)
DEEP = nonnegative("deep", "probability that the depth is at least the minimal one", r"\pi")
FAILED = nonnegative("failed", "probability that an assumption fails", r"\delta^1 + \delta^2")


@formula(SHARE, MARGIN, DEEP, FAILED)
def printed_depth_bound(xp: Any, p: Any, alpha: Any, deep: Any, failed: Any) -> Any:
    """Right-hand side of (53)."""
    return deep + (1 + alpha) * p + failed


@formula(SHARE, MARGIN, DEEP, FAILED)
def sharp_depth_bound(xp: Any, p: Any, alpha: Any, deep: Any, failed: Any) -> Any:
    """The same where an error below the threshold is not counted twice."""
    threshold = (1 + alpha) * p
    return threshold + (1 - threshold) * (deep + failed)


# -- depth ----------------------------------------------------------------------------------------


def first_layer(xp: Any, fails: Any, depth: int) -> Any:
    """Number of the first layer that does not fail, (B, L) to (B,); at most `depth`."""
    found, still = 1 + 0 * fails[:, 0], 1 + 0 * fails[:, 0]
    for layer in range(depth - 1):
        still = still * fails[:, layer]
        found = found + still
    return found


def layer_errors(xp: Any, features: Any) -> Any:
    """Errors of the nearest class mean after each layer: (..., L, K, M, d) to (..., L)."""
    return xp.mean(own_mean_errors(xp, features), axis=-1)


def effective_depth(xp: Any, errors: Any, epsilon: Any) -> Any:
    """First layer with an error of at most epsilon, L without: errors (B, L)."""
    return first_layer(xp, decided(xp, errors - epsilon[:, None]), errors.shape[-1])


def minimal_depth(xp: Any, errors: Any, epsilon: Any) -> Any:
    """Least depth at which one of H networks has an error of at most epsilon, (B, H, L); or L + 1.

    The networks stand for all compositions of layers of the class, of up to L layers.
    """
    least = xp.min(errors, axis=1)
    return first_layer(xp, decided(xp, least - epsilon[:, None]), errors.shape[-1] + 1)


def depth_claim(
    xp: Any, *, features: Any, epsilon: Any, more: Any, scale: Any, shift: Any
) -> Judgement:
    """Minimal depth of a class beside that of its first network, and what depth depends on."""
    errors = layer_errors(xp, features)
    own = effective_depth(xp, errors[:, 0], epsilon)
    moved = scale[:, :, None, None, None] * features[:, 0] + shift[:, :, None, None, :]
    return Judgement(
        (Comparison("a layer reaches epsilon", xp.min(errors[:, 0], axis=-1), epsilon),),
        (
            Comparison("minimal depth", minimal_depth(xp, errors, epsilon), own),
            Comparison("larger epsilon", effective_depth(xp, errors[:, 0], epsilon + more), own),
            Comparison(
                "scaled and moved layer by layer", layer_errors(xp, moved), errors[:, 0], "="
            ),
        ),
    )


def cdnv_depth_claim(xp: Any, *, features: Any, epsilon: Any) -> Judgement:
    """Errors of layers, and the effective depth, by CDNV alone."""
    errors = layer_errors(xp, features)
    K = features.shape[2]
    whole, _ = normalised_variances(xp, features)
    bound = (K - 1) * xp.mean(saturated(4 * whole), axis=-1)
    return Judgement(
        (),
        (
            Comparison("error of each layer", errors, bound),
            Comparison(
                "effective depth",
                effective_depth(xp, errors, epsilon),
                effective_depth(xp, bound, epsilon),
            ),
        ),
    )


_CLASS = Field("features", ("H", "L", "K", "M", "d"))
_NETWORK = Field("features", ("L", "K", "M", "d"))
_EPSILON = Field("epsilon", (), "proportion")
_CLASS_SIZES = {"H": (1, 2), "L": (1, 2), "K": (2, 2), "M": (1, 2), "d": (1, 2)}

DEFINITION = Statement(
    id="review:definition-depth",
    kind="definition",
    title="Effective depth and minimal NCC depth",
    source=Source("review", "Sec. 4.2"),
    topic="transfer",
    variants=(
        Variant(
            "printed",
            "the definition",
            r"The $\epsilon$-effective depth of a network on samples is the first layer whose "
            r"nearest class means err on a share of at most $\epsilon$, or L without such a layer; "
            r"the $\epsilon$-minimal depth of a class of layers is the least number of them that "
            r"can be composed so that this error is at most $\epsilon$.",
        ),
        Variant(
            "sharp",
            "for networks that reach epsilon at some layer",
            r"If h has its layers in G and some layer's error is at most $\epsilon$, then "
            r"$\rho_{\min}^\epsilon(G, X) \le \rho_X^\epsilon(h)$. The effective depth does "
            r"not grow with $\epsilon$, and does not change when features are scaled and moved "
            r"layer by layer.",
            Claim(
                depth_claim,
                (
                    _CLASS,
                    Field("epsilon", (), "budget", "a layer reaches epsilon"),
                    Field("more", (), "nonnegative"),
                    Field("scale", ("L",), "positive"),
                    Field("shift", ("L", "d")),
                ),
                _CLASS_SIZES,
            ),
            remark="Where no layer reaches epsilon the effective depth is L by convention; the "
            "minimal depth may then be larger, or there is none. Behind the effective depth the "
            "error may rise again: it is the first layer, not one from which on all are good.",
        ),
        Variant(
            "sharp",
            "effective depth by CDNV",
            r"With $a_{ij} = Var_i/|\mu_i - \mu_j|^2$ after a layer, its error is at most (K-1) "
            r"times the mean of $\frac{4 a_{ij}}{1 + 4 a_{ij}}$ over $i \ne j$; so the first layer "
            r"where this is at most $\epsilon$ is not before the effective depth.",
            Claim(
                cdnv_depth_claim,
                (_NETWORK, _EPSILON),
                {"L": (1, 3), "K": (2, 3), "M": (1, 3), "d": (1, 2)},
            ),
        ),
    ),
)

# -- (53) -----------------------------------------------------------------------------------------


#: An input: its label, -1 or 1, and a number from [0, 1] that is drawn with it.
_Input = tuple[int, Fraction]
#: How far the input itself moves the features (s/8, u/8, v) of the networks below.
_TRACE = Fraction(1, 8)


def memorising_claim(xp: Any, *, flips: Any, epsilon: Any, alpha: Any) -> Judgement:
    """(53) for networks that separate by one layer and then undo it on all that is new.

    Inputs are x = (s, u) with the label s = -1 or 1 and u uniform on [0, 1]. The layers of G are
    x -> (s/8, u/8, s), the change of the sign of the last entry v, and for each single input the
    change of the sign of v at that input alone. Each sample has P + 1 inputs of each label; `flips`
    (B, P) marks relabelled ones of X_2 with the label -1. So p = P'/N for P' of them, and a share
    of up to epsilon p/2 of errors is let through.

    In the second conclusion all P are given random labels, each right with probability 1/2, and a
    share of epsilon/(2N) is let through, less than one error.
    """
    P = flips.shape[1]
    known, new = _samples(P)
    N = len(known)
    one = 1 + 0 * epsilon
    output = {x: _memorised(x, known) for x in (*known, *new)}
    error = Fraction(sum(output[x] * x[0] <= 0 for x in new), N)
    p, level = xp.sum(flips, axis=-1) / N, epsilon * xp.sum(flips, axis=-1) / (2 * N * N)
    effective = 1 + decided(xp, _first_error(xp, 0 * flips[:1], known) - level)
    minimal = _relabelled_depth(xp, flips, level)
    every = _relabelled_depth(xp, 0 * flips[:1] + 1, level)
    deep = 1 - decided(xp, minimal - effective)
    bound = printed_depth_bound(xp, p=p, alpha=alpha, deep=deep, failed=0 * p)
    return Judgement(
        (Comparison("more random labels, no less depth", minimal, every),),
        (
            Comparison("(53)", error.numerator * one / error.denominator, bound),
            Comparison(
                "(53), random labels right by chance",
                error.numerator * one / error.denominator,
                _bound_by_chance(xp, flips, epsilon / (2 * N), alpha),
            ),
        ),
    )


def _samples(P: int) -> tuple[list[_Input], list[_Input]]:
    """X_1 and X_2: P + 1 inputs with the label -1, then as many with 1, no two with the same u."""
    labels = [-1] * (P + 1) + [1] * (P + 1)
    places = [Fraction(k, 2 * len(labels)) for k in range(2 * len(labels))]
    first, second = zip(labels, places[::2], strict=True), zip(labels, places[1::2], strict=True)
    return list(first), list(second)


def _memorised(x: _Input, known: list[_Input]) -> int:
    """Output of h_X1: s, its sign changed, and changed again at each input of X_1."""
    value = -x[0]
    for other in known:
        value = -value if other == x else value
    return value


def _first_error(xp: Any, flips: Any, inputs: list[_Input]) -> Any:
    """NCC error of the first layer on inputs of which the first are relabelled: (B,)."""
    return _nearest_error(xp, inputs, flips, 0 * flips)


def _nearest_error(xp: Any, inputs: list[_Input], flips: Any, mended: Any) -> Any:
    """NCC error of features (s/8, u/8, v), v = s but for the `mended` inputs; labels s but `flips`.

    Both masks (B, P) are about the first P inputs. A tie counts as an error.
    """
    zero, P = 0 * flips[:, 0], flips.shape[1]
    rows, upper = [], []
    for place, (s, u) in enumerate(inputs):
        changed = mended[:, place] if place < P else zero
        label = s * (1 - 2 * flips[:, place]) if place < P else zero + s
        traces = [zero + (x * _TRACE).numerator / (zero + (x * _TRACE).denominator) for x in (s, u)]
        rows.append(xp.stack([*traces, s * (1 - 2 * changed)], axis=-1))
        upper.append((1 + label) / 2)
    points, mask = xp.stack(rows, axis=1), xp.stack(upper, axis=1)
    size, whole = xp.sum(mask, axis=1), len(inputs)
    total = xp.sum(mask[..., None] * points, axis=1)
    above = points - (total / size[:, None])[:, None]
    below = points - ((xp.sum(points, axis=1) - total) / (whole - size)[:, None])[:, None]
    nearer = xp.sum(below * below, axis=-1) - xp.sum(above * above, axis=-1)
    right = mask * decided(xp, nearer) + (1 - mask) * decided(xp, -nearer)
    return 1 - xp.mean(right, axis=1)


def _relabelled_depth(xp: Any, flips: Any, level: Any) -> Any:
    """Minimal depth on X_1 and the relabelled X_2: each layer after the first mends one label.

    For levels (B,) and relabelled inputs (B, P), or (1, P) where they are the same for all levels.
    """
    known, new = _samples(flips.shape[1])
    fails, P = [], flips.shape[1]
    for layers in range(P + 1):
        mended, found = [], 0 * flips[:, 0]
        for place in range(P):
            mended.append(flips[:, place] * decided(xp, layers - found))
            found = found + mended[-1]
        error = _nearest_error(xp, [*new, *known], flips, xp.stack(mended, axis=-1))
        fails.append(decided(xp, error - level))
    return first_layer(xp, xp.stack(fails, axis=-1), P + 1)


def _bound_by_chance(xp: Any, flips: Any, level: Any, alpha: Any) -> Any:
    """Right-hand side of (53) over all random labels of P of the N samples.

    With w wrong ones of probability C(P, w)/2^P; the second assumption fails where their depth is
    more than the mean depth for (1 + alpha) P random labels, half of them wrong.
    """
    P, zero = flips.shape[1], 0 * alpha
    deep, failed = zero, zero
    for wrong in range(P + 1):
        mask = xp.stack([zero[:1] + int(k < wrong) for k in range(P)], axis=-1)
        depth = _relabelled_depth(xp, mask, level)
        share = math.comb(P, wrong) / (zero + 2**P)
        deep = deep + share * (1 - decided(xp, depth - 1))
        failed = failed + share * decided(xp, depth - (1 + (1 + alpha) * P / 2))
    p = (zero + P) / (2 * (P + 1))
    return printed_depth_bound(xp, p=p, alpha=alpha, deep=deep, failed=failed)


def needed_claim(
    xp: Any, *, errors: Any, minimal: Any, more: Any, less: Any, failed: Any, half: Any, alpha: Any
) -> Judgement:
    """(53) from what its proof needs, over equally likely outcomes.

    Where the assumptions hold and the error reaches (1 + alpha) p, the depth is `minimal + more`;
    elsewhere it is any integer.
    """
    p = half / 2
    threshold = (1 + alpha) * p
    below = decided(xp, threshold[:, None] - errors)
    free = 1 - (1 - below) * (1 - failed)
    depth = minimal + more - less * free
    deep = xp.mean(1 - decided(xp, minimal - depth), axis=-1)
    given = {"p": p, "alpha": alpha, "deep": deep, "failed": xp.mean(failed, axis=-1)}
    error = xp.mean(errors, axis=-1)
    return Judgement(
        (),
        (
            Comparison("(53)", error, printed_depth_bound(xp, **given)),
            Comparison("sharper", error, sharp_depth_bound(xp, **given)),
        ),
    )


EQUATION_53 = Statement(
    id="review:eq-53",
    kind="equation",
    title="Generalization bound by depth",
    source=Source("review", "(53)"),
    topic="transfer",
    variants=(
        Variant(
            "printed",
            "for all networks, under the two assumptions",
            r"If the errors of $h_{X_1}$ on $X_2$ are uniformly distributed and minimal depths do "
            r"not fall with more random labels, then $E err_P(h_{X_1}) \le P[E_\kappa "
            r"\rho_{X_1}^\epsilon(h_{X_1}) \ge \rho_{\min}^\epsilon(G, X_1 \cup \tilde X_2)] + "
            r"(1+\alpha) p + \delta^1 + \delta^2$.",
            Claim(
                memorising_claim,
                (
                    Field("flips", ("P",), "mask"),
                    _EPSILON,
                    Field("alpha", (), "proportion"),
                ),
                {"P": (1, 2)},
            ),
            defect="The effective depth on X_1 says nothing of what later layers do to new inputs. "
            "Here the first layer separates X_1 and all that is new; the next ones turn every sign "
            "and turn it back at the inputs of X_1, one a layer. The depth on X_1 is 1 and the "
            "error 1: all of X_2 is misclassified, so uniformly. Each wrong label costs one more "
            "layer, so minimal depths grow with their number and are 2 at least: both delta are 0. "
            "The right-hand side is (1 + alpha) p < 1. Random labels that may be right by chance "
            "add 2^(-pN) and a delta^2 that falls with N: the second conclusion, refuted too. "
            "Nothing here is said of networks as they are trained.",
        ),
        Variant(
            "corrected",
            "where a large error makes a network deep",
            r"If, except with probability $\delta^1 + \delta^2$, an error of at least "
            r"$(1+\alpha)p$ implies that the depth is at least the minimal one, (53) holds, and "
            r"with $\tau = (1+\alpha)p$, $\pi$ the probability in it: $E err \le \tau + (1 - \tau)"
            r"(\pi + \delta^1 + \delta^2)$.",
            Claim(
                needed_claim,
                (
                    Field("errors", ("outcomes",), "proportion"),
                    Field("minimal", ("outcomes",), "integer", least=1),
                    Field("more", ("outcomes",), "integer"),
                    Field("less", ("outcomes",), "integer"),
                    Field("failed", ("outcomes",), "mask"),
                    Field("half", (), "proportion"),
                    Field("alpha", (), "proportion"),
                ),
                {"outcomes": (1, 4)},
            ),
            (
                Bound("expected error", printed_depth_bound, "upper", trivial=1),
                Bound("expected error", sharp_depth_bound, "upper", trivial=1),
            ),
            remark="An outcome includes the initial weights. The premise follows if the depth is "
            "taken on X_1 and X_2 together, X_2 labelled by the network, if the network fits these "
            "labels by the nearest class means of some layer, and if minimal depths grow with the "
            "number of random labels at hand. The second assumption compares with an expected "
            "minimal depth, which the one at hand may stay below; and on X_1 alone the premise has "
            "to be assumed. Depths averaged over initial weights do not do where errors vary with "
            "them.",
        ),
    ),
)

STATEMENTS = (DEFINITION, EQUATION_53)
