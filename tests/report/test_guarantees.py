"""An adversary of the guarantees: no measured value of any instance is above its bound.

The theorems hold in exact arithmetic, so a measured value may exceed a bound only by its own
rounding error. Instances are extreme on purpose; where the theorem is attained nothing hides.
"""

import dataclasses
import math

import flint
import numpy as np
import pytest

import ncbounds
from ncbounds.measure.information import gather_both
from ncbounds.report import compare

#: Rounding of the measured float, relative to 1 + its size.
ROUNDING = 1e-12


def simplex(C, d, rng):
    """Vertices of a simplex ETF in random position; random rows where d is too small."""
    if d < C:
        return rng.normal(size=(C, d))
    turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
    return (np.eye(C) - 1 / C) @ np.eye(C, d) @ turn


def either_side(W, rng, same):
    """Two features a class at an angle to its weight, in a direction that no weight sees."""
    C = len(W)
    wdot = W - W.mean(axis=0)
    _, sizes, directions = np.linalg.svd(wdot)
    unseen = directions[int((sizes > 1e-9 * sizes[0]).sum()) :]
    if len(unseen) == 0:
        unseen = directions
    normal = rng.normal(size=len(unseen)) @ unseen
    s = 10 ** rng.uniform(-3, 0)
    signs = np.ones(2 * C) if same else np.repeat([1.0, -1.0], C)
    along = (1 - s) * wdot / np.linalg.norm(wdot, axis=1).max()
    across = math.sqrt(2 * s - s * s) * normal / np.linalg.norm(normal)
    return np.tile(along, (2, 1)) + signs[:, None] * across, np.tile(np.arange(C), 2)


def instance(seed):
    """Few samples of few classes of unequal size, and everything that can go wrong."""
    rng = np.random.default_rng(seed)
    C, d, N = (int(rng.choice(sizes)) for sizes in ([2, 3, 4, 6], [1, 2, 3, 5, 8], [1, 2, 5]))
    kind = int(rng.integers(9))
    W = simplex(C, d, rng) if rng.random() < 0.5 else rng.normal(size=(C, d))
    W = W * 10 ** rng.uniform(-1, 1)
    if kind == 0 and C > 2:
        W[0] = W[1]
    elif kind == 1:
        W[0] = 0
    elif kind == 2:
        W = W + 100 * rng.normal(size=d)
    if rng.random() < 0.4:
        h, y = either_side(W, rng, same=rng.random() < 0.3)
        h = h * 10 ** rng.uniform(-2, 1.5)
    else:
        y = np.repeat(np.arange(C), rng.integers(1, N + 1, size=C))
        h = (W - W.mean(axis=0))[y] * 10 ** rng.uniform(-2, 1)
        h = h + 10 ** rng.uniform(-14, 0.5) * rng.normal(size=h.shape)
    if kind == 3:
        h[0] = 0
    elif kind == 4:
        h = h * 10 ** rng.uniform(0, 3)
    elif kind == 5:
        h = h + 10 ** rng.uniform(0, 6) * np.abs(h).max() * rng.normal(size=d)
    elif kind == 6:
        exponent = float(rng.choice([-60, -30, 30, 60]))
        h = h * 10**exponent
        W = W * 10 ** (-exponent if rng.random() < 0.7 else 0.0)
    elif kind == 7:
        h, W = h.astype(np.float32), W.astype(np.float32)
    elif kind == 8:
        h = np.round(h).astype(np.int64)
    bias = None if rng.random() < 0.5 else rng.normal(size=C) * 10 ** rng.uniform(-3, 1.5)
    return h, y, W, bias


def excesses(h, y, W, bias):
    """Of each guarantee how far the measured value is above it, relatively, and whether tight."""
    found = ncbounds.compare(h, y, W, bias)
    rows = [b for b in found.bounds if b.variant == "sharp" and b.id.startswith("bnwd")]
    assert all(math.isfinite(float(b.bound)) for b in rows)
    return {
        (b.quantity, b.level): (b.measured - float(b.bound)) / (1 + abs(b.measured)) for b in rows
    }


def worst(seeds):
    return max(max(excesses(*instance(seed)).values(), default=-1.0) for seed in seeds)


@pytest.mark.parametrize("first", [0, 1000, 2000, 3000])
def test_no_measured_value_is_above_its_bound(first):
    assert worst(range(first, first + 12)) <= ROUNDING


@pytest.mark.parametrize("C", [2, 3, 5])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("scale", [1e-60, 1.0, 1e60])
def test_bounds_are_tight_where_the_theorem_is_attained(C, bias, scale):
    """An ETF with two features a class on either side of each weight: NC1 and the distance."""
    W = 2 * np.eye(C)
    wdot = np.eye(C) - 1 / C
    across = 0.3 * np.ones(C)
    h = np.concatenate([3 * wdot + across, 3 * wdot - across])
    b = np.full(C, 0.7) if bias else None  # the same for all classes: as good as none
    found = excesses(h * scale, np.tile(np.arange(C), 2), W / scale, b)
    for level in ("mean loss", "mean log-odds", "mean logits"):
        for centred in ("", ".centred"):
            for quantity in ("nc1.relative", "self-duality.distance"):
                assert -1e-9 < found[f"{quantity}{centred}", level] <= ROUNDING
    for quantity, level in found:  # a single direction for each class: all cosines are known
        assert found[quantity, level] <= ROUNDING


def test_collapse_leaves_every_guarantee_at_zero():
    W = 3 * (np.eye(4) - 1 / 4)
    found = ncbounds.compare(np.repeat(W, 3, axis=0), np.repeat(np.arange(4), 3), W)
    rows = [b for b in found.bounds if b.variant == "sharp" and b.id.startswith("bnwd")]
    assert {"nc2.gram", "nc2.cosine", "nc2.equinorm", "cosine.inter.deviation"} <= {
        b.quantity for b in rows
    }
    assert all(0 <= float(b.bound) < 1e-4 for b in rows)  # a root of rounding errors


@pytest.mark.parametrize("seed", range(3))
def test_climbing_towards_a_violation_finds_none(seed):
    """Steps in random directions that bring some measured value nearer to its bound."""
    rng = np.random.default_rng(seed)
    C, d = 3, 4
    W, y, b = simplex(C, d, rng), np.repeat(np.arange(C), [1, 2, 3]), 0.1 * rng.normal(size=C)
    h = 4 * W[y] + 0.3 * rng.normal(size=(6, d))
    target = [
        ("nc1.relative", "mean log-odds"),
        ("1 - cosine.weights.mean", "losses and weights"),
        ("1 - cosine.intra.min", "losses and weights"),
    ][seed]
    best = -math.inf
    for step in range(12):
        size = 0.5 * 0.9**step
        moved = h + size * rng.normal(size=h.shape), W + 0.3 * size * rng.normal(size=W.shape)
        found = excesses(moved[0], y, moved[1], b)
        assert max(found.values()) <= ROUNDING
        if found[target] > best:
            best, (h, W) = found[target], moved


@pytest.mark.parametrize(("scale", "n"), [(1e3, 4), (1e5, 3)])
def test_losses_that_underflow_still_guarantee(scale, n):
    W = np.eye(3)
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(3), n)
    h = scale * (W[y] + 0.01 * rng.normal(size=(3 * n, 3)))
    found = ncbounds.compare(h, y, W)
    assert found.measurement.metrics["loss.cross_entropy"] < 1e-300
    for level in ("mean loss", "mean log-odds"):
        assert ("nc1.relative", level) in {(b.quantity, b.level) for b in found.bounds}
    assert max(excesses(h, y, W, None).values()) <= ROUNDING


def test_a_tangent_that_misses_its_hypothesis_is_not_used():
    """T is so small that no margin is in reach of the hypothesis, at a loss below log C."""
    h, y = 0.05 * np.eye(4), np.arange(4)
    found = ncbounds.compare(h, y, np.eye(4))
    assert not [b for b in found.bounds if (b.id, b.level) == ("bnwd:sharp-2", "mean loss")]
    assert [b for b in found.bounds if (b.id, b.level) == ("bnwd:theorem-2.1", "mean loss")]


def test_more_than_a_hundred_classes_say_what_is_missing():
    rng = np.random.default_rng(0)
    W = rng.normal(size=(101, 3))
    found = ncbounds.compare(W, np.arange(101), W)
    assert any("100 classes" in reason for reason in found.skipped.values())
    rows = [b for b in found.bounds if b.variant == "sharp" and b.id.startswith("bnwd")]
    assert {b.level for b in rows} >= {"mean log-odds", "mean logits"}
    assert all(b.measured <= float(b.bound) + ROUNDING for b in rows)


# -- planted errors: what these tests are worth ------------------------------------------------


def _mean_norm(known, samples):
    """The mean norm in place of the root mean square."""
    lengths = np.linalg.norm(samples.features.astype(np.float64), axis=1)
    means = [lengths[samples.index == c].mean() for c in range(samples.K)]
    return dataclasses.replace(known, alpha=flint.arb(float(np.mean(means))))


def _no_bias(known, samples):
    """The offsets of the biases forgotten."""
    return dataclasses.replace(known, bias=np.array([flint.arb(0)] * known.classes))


def _counts(known, samples):
    """Every sample, not every class, of equal weight."""
    sums = sum(odds.sum() for odds in known.sample_log_odds)
    return dataclasses.replace(known, log_odds=flint.arb(float(sums / samples.n)))


def _plus_log(known, samples):
    """log(C-1) added twice to the log-odds."""
    more = math.log(known.classes - 1)
    return dataclasses.replace(
        known, sample_log_odds=tuple(odds + more for odds in known.sample_log_odds)
    )


def _larger_loss(known, samples):
    """A loss one percent too small."""
    return dataclasses.replace(known, loss=known.loss * 99 / 100)


@pytest.mark.parametrize("plant", [_mean_norm, _no_bias, _counts, _plus_log, _larger_loss])
def test_planted_errors_are_caught(plant, monkeypatch):
    def wrong(samples):
        return tuple(plant(known, samples) for known in gather_both(samples))

    monkeypatch.setattr(compare, "gather_both", wrong)
    assert any(worst([seed]) > 1e-9 for seed in range(40))
