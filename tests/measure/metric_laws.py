"""One tester for every metric and for every way to measure: what must not change, and what must.

Each check takes a way to measure and returns the names of the metrics that break it, so that the
same checks judge the metrics as they are and metrics with a planted fault. As a script
(`PYTHONPATH=. python tests/measure/metric_laws.py`) it prints the largest relative errors.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from unittest.mock import patch

import numpy as np
from measure_reference import reference
from metric_example import BIAS, EXACT, FEATURES, LABELS, WEIGHTS

from ncbounds.measure import CHANGES, METRICS, Accumulator, measure


@dataclass(frozen=True)
class Case:
    h: np.ndarray
    y: np.ndarray
    W: np.ndarray
    b: np.ndarray
    temperature: float = 1.0

    @property
    def arrays(self):
        return self.h, self.y, self.W, self.b


def in_memory(c):
    return measure(*c.arrays, temperature=c.temperature, missing="leave out").metrics


def compiled(c):
    """By the compiled loops, in two threads, however small the arrays are, a class at a time."""
    with (
        patch("ncbounds.measure.geometry._BLOCK_ENTRIES", 1),
        patch("ncbounds.measure.passes._COMPILED_FROM", 0),
        patch("ncbounds.measure.threads._SHARED_FROM", 0),
        patch("ncbounds.measure.threads.thread_count", lambda: 2),
    ):
        return in_memory(c)


def of_tensors(c):
    """By the formulas for tensors on a device that nobody waits for."""
    import torch

    def tensors(*arrays):
        return [torch.tensor(array) for array in arrays]

    with patch("ncbounds.measure.accumulator.on_device", lambda x: isinstance(x, torch.Tensor)):
        return from_batches(c, convert=tensors)


def from_batches(c, seed=0, convert=lambda *arrays: arrays, passes=2, **options):
    """Three processes that share the samples in batches of random sizes, merged in random order.

    What is merged is written and read before it goes on. Small batches are gathered until somebody
    looks, which is done after every other of them.
    """
    rng = np.random.default_rng(seed)
    options |= {"weights": c.W, "bias": c.b, "temperature": c.temperature}
    parts = [Accumulator(**options) for _ in range(3)]
    for number in range(passes):
        cuts = np.sort(rng.integers(1, len(c.y), size=5))
        for batch in np.split(rng.permutation(len(c.y)), cuts):
            if len(batch):
                part = parts[rng.integers(3)]
                part.update(*convert(c.h[batch], c.y[batch]))
                if rng.random() < 0.5:
                    part.to_bytes()
        first, second, third = (parts[i] for i in rng.permutation(3))
        merged = first.merge(second).merge(third) if rng.random() < 0.5 else first.merge(
            second.merge(third))  # fmt: skip
        merged = Accumulator.from_bytes(merged.to_bytes())
        if number < passes - 1:
            merged.next_pass()
            parts = [deepcopy(merged) for _ in range(3)]
    return merged.compute("leave out").metrics


def in_one_pass(c):
    """The same with the scatter within classes, and only NC1."""
    found = from_batches(c, passes=1, scatter=np.bincount(c.y, minlength=len(c.W)))
    return {name: found[name] for name in OF_SCATTER if name in found}


WAYS = {
    "in memory": in_memory,
    "compiled": compiled,
    "from batches": from_batches,
    "of tensors": of_tensors,
}


def case(K=4, d=5, seed=3):
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(K), [2, 5, 3, 4])
    W = rng.normal(size=(K, d))
    return Case(W[y] + 0.7 * rng.normal(size=(len(y), d)), y, W, rng.normal(size=K))


_RNG = np.random.default_rng(11)
_ROTATION = np.linalg.qr(_RNG.normal(size=(5, 5)))[0]
_SHIFT = 3 * _RNG.normal(size=5)
_SAMPLES, _COORDINATES, _CLASSES = (_RNG.permutation(n) for n in (14, 5, 4))


def _noise_across(c):
    """Features with a further coordinate, of mean zero in each class."""
    noise = np.random.default_rng(8).normal(size=len(c.y))
    noise -= (np.bincount(c.y, noise) / np.bincount(c.y))[c.y]
    return Case(np.c_[c.h, 2 * noise], c.y, np.c_[c.W, np.zeros(len(c.W))], c.b)


#: What leaves every metric alone.
SYMMETRIES = {
    "rotation": lambda c: Case(c.h @ _ROTATION, c.y, c.W @ _ROTATION, c.b),
    "order of coordinates": lambda c: Case(c.h[:, _COORDINATES], c.y, c.W[:, _COORDINATES], c.b),
    "order of samples": lambda c: Case(c.h[_SAMPLES], c.y[_SAMPLES], c.W, c.b),
    "order of classes": lambda c: Case(
        c.h, np.argsort(_CLASSES)[c.y], c.W[_CLASSES], c.b[_CLASSES]
    ),
    "every sample twice": lambda c: Case(np.repeat(c.h, 2, axis=0), np.repeat(c.y, 2), c.W, c.b),
    "zero coordinates": lambda c: Case(
        np.pad(c.h, ((0, 0), (0, 3))), c.y, np.pad(c.W, ((0, 0), (0, 3))), c.b
    ),
    "scale undone by the weights": lambda c: Case(5.5 * c.h, c.y, c.W / 5.5, c.b),
    "a number added to all biases": lambda c: Case(c.h, c.y, c.W, c.b + 2),
}
#: Metrics that are sizes, with the power of the scale of features and of weights that they carry.
POWERS = {"alpha": (1, 0), "alpha.centred": (1, 0), "beta": (0, 1)}
#: What leaves those metrics alone that say so, and changes all others.
LAWS = {
    "shift": lambda c: Case(c.h + _SHIFT, c.y, c.W, c.b - c.W @ _SHIFT),
    "scale": lambda c: Case(5.5 * c.h, c.y, c.W, c.b),
    "across": _noise_across,
    "sizes": lambda c: Case(np.vstack([c.h, *2 * [c.h[c.y == 1]]]), np.r_[c.y, 10 * [1]], c.W, c.b),
    "shared": lambda c: Case(c.h, c.y, c.W + _SHIFT, c.b),
    "gain": lambda c: Case(c.h, c.y, 1.5 * c.W, 1.5 * c.b),
    "rows": lambda c: Case(c.h, c.y, c.W * np.array([[0.5], [1.0], [2.0], [7.0]]), c.b),
}
assert LAWS.keys() == CHANGES.keys()

#: What one pass that keeps the scatter within classes gives besides the metrics of one pass.
OF_SCATTER = ("nc1.pinv", "nc1.pinv.samples", "nc1.fuzziness", "gnc1")

#: Metrics of all rows of the weights, those of classes without samples too.
OF_ALL_ROWS = {name for name, metric in METRICS.items() if not metric.needs_features} | {
    *("logodds.mean", "loss.cross_entropy.spherical", "loss.hardmax", "margin.spherical.mean"),
    *("margin.relative.mean", "margin.relative.min"),
}

#: Counts, which may happen to stay.
COUNTS = {
    *("accuracy", "accuracy.balanced", "nc4.disagreement", "nc4.disagreement.balanced"),
    *("ncc.error", "ncc.error.balanced", "rank.means", "rank.weights"),
}


def far(found, expected, rel=1e-10, floor=0.0):
    """Names of expected metrics that are not found, or not within a relative distance."""
    return [
        name
        for name, value in expected.items()
        if not abs(found.get(name, np.nan) - value) <= rel * abs(value) + floor
    ]


def wrong_values(way):
    """Metrics of the example that do not have the value computed by hand."""
    found = way(Case(*map(np.array, (FEATURES, LABELS, WEIGHTS, BIAS))))
    return far(found, {name: float(value) for name, value in EXACT.items()}, rel=1e-13)


def broken_symmetries(way, symmetry):
    before, after = way(case()), way(SYMMETRIES[symmetry](case()))
    scale = 5.5 if symmetry == "scale undone by the weights" else 1.0
    expected = {
        name: value * scale ** np.subtract(*POWERS.get(name, (0, 0)))
        for name, value in before.items()
    }
    return far(after, expected)


def broken_laws(way, law):
    """Metrics that change though they say that they do not, or stay though they do not say so."""
    before, after = way(case()), way(LAWS[law](case()))
    ignoring = {k for k in METRICS if law in METRICS[k].ignores}
    seeing = METRICS.keys() - ignoring - COUNTS
    moved = far(after, {k: before[k] for k in ignoring})
    return [*moved, *(seeing - {*far(after, before, rel=1e-6)})]


def wrong_absences(way):
    """Metrics that change with a class of no sample that is never predicted, for all they say."""
    c = case()
    W, b = np.insert(c.W, 1, 3.0, axis=0), np.insert(c.b, 1, -1e3)
    before, after = way(c), way(Case(c.h, c.y + (c.y > 0), W, b))
    return far(after, {k: v for k, v in before.items() if k not in OF_ALL_ROWS})


def wrong_temperatures(way):
    """Metrics that see the temperature, but for the one that is a loss of unit vectors at it."""
    c, T = case(), 0.3
    before, after = way(c), way(replace(c, temperature=T))
    unit = [rows / np.linalg.norm(rows, axis=1)[:, None] for rows in (c.h, c.W)]
    scaled = way(Case(unit[0], c.y, unit[1] / T, 0 * c.b))
    loss = {"loss.cross_entropy.spherical": scaled["loss.cross_entropy"]}
    return far(after, before | loss)


def simplex(K):
    """K vectors in K - 1 dimensions with the Gram matrix I - 11^T/K."""
    return np.linalg.svd(np.eye(K) - 1 / K)[0][:, : K - 1]


def collapsing(distance, K=5, n=20):
    """A network on a straight path to collapse, from which it is as far as is said."""
    rng = np.random.default_rng(5)
    etf, y = simplex(K), np.repeat(np.arange(K), n)
    noise, tilt = rng.normal(size=(K * n, K - 1)), rng.normal(size=(K, K - 1))
    h = 2 * etf[y] + distance * noise
    return Case(h, y, 2 * etf + 0.6 * distance * tilt, distance * rng.normal(size=K))


def wrong_directions(way, distances=(0.8, 0.4, 0.2, 0.1, 0.01)):
    """Metrics that leave their direction along a path to collapse."""
    found, sign = [way(collapsing(t)) for t in distances], {"lower": 1, "higher": -1}
    return [
        name
        for name, metric in METRICS.items()
        if metric.direction != "neither"
        and np.any(np.diff([sign[metric.direction] * f[name] for f in found]) > 1e-12)
    ]


def hard_case(
    *, K=4, d=6, offset=0.0, noise=0.3, scale=1.0, dtype=np.float64, twins=False, low_rank=False,
    lengths=1.0, thin=1.0,
):  # fmt: skip
    """Classes of one to four samples; `twins` are two classes of exactly the same mean.

    Some samples, the first of a class among them, are `lengths` times as long as the others. In one
    direction, along no axis, all is `thin` times as large as in the others.
    """
    rng = np.random.default_rng(7)
    y = rng.permutation(np.repeat(np.arange(K), rng.integers(1, 5, K)))
    means = rng.normal(size=(K, d))
    h = scale * (offset + means[y] + noise * rng.normal(size=(len(y), d)))
    h[1::3] *= lengths
    if thin != 1:
        h = (h * np.r_[np.ones(d - 1), thin]) @ np.linalg.qr(rng.normal(size=(d, d)))[0]
    if twins:
        # Multiples of 2^-20 in pairs about their mean, whose sums are exact.
        steps = np.round(2**20 * rng.normal(size=(4, d))) / 2**20
        twin = np.round(2**20 * means[0]) / 2**20 + np.concatenate([steps, -steps])
        h, y = np.vstack([h[y > 1], twin]), np.r_[y[y > 1], 0, 0, 1, 1, 0, 0, 1, 1]
    W = (means + 0.2 * rng.normal(size=(K, d))) / scale
    if low_rank:
        W = np.round(2**20 * W) / 2**20
        W[-1] = W[0] + W[1]
    return Case(h.astype(dtype), y, W, rng.normal(size=K))


HARD = {
    "plain": {},
    "offset of 1e4 times the spread": {"offset": 1e4},
    "collapse to 1e-12": {"noise": 1e-12},
    "offset and collapse": {"offset": 1e4, "noise": 1e-9},
    "float32 under an offset": {"offset": 1e3, "dtype": np.float32},
    "more classes than dimensions": {"K": 7, "d": 3},
    "two classes of the same mean": {"twins": True},
    "weights of low rank": {"low_rank": True},
    "tiny features": {"scale": 1e-80},
    "huge features": {"scale": 1e40},
    "features of unlike lengths": {"lengths": 1e-12},
}
#: Where one pass knows less than two.
THIN = {
    f"a direction {thin:g} times as thick": {"K": 5, "d": 3, "thin": thin} for thin in (1e-2, 1e-4)
}
_EXACT = {}


def exact(name):
    """The metrics of a hard case to 50 digits."""
    if name not in _EXACT:
        c = hard_case(**(HARD | THIN)[name])
        _EXACT[name] = reference(c.h, c.y, c.W, c.b)
    return _EXACT[name]


def inexact(way, name):
    """Metrics of a hard case that are not within 1e-10 of the truth, or exist on one side only."""
    found, known = way(hard_case(**HARD[name])), exact(name)
    one_side = found.keys() ^ (known.keys() | {"gnc2"})
    return [*far(found, known, floor=1e-280), *sorted(one_side)]


def main():
    """Print the largest relative error of each hard case by each way, and in which metric."""
    ways = WAYS | {"NC1 in one pass": in_one_pass}
    print(f"{'':33}" + "".join(f"{name:40}" for name in ways).rstrip())
    for name, made in (HARD | THIN).items():
        known, shown = exact(name), []
        for way in ways.values():
            found = way(hard_case(**made))
            errors = {k: abs(found[k] - v) / abs(v) for k, v in known.items() if v and k in found}
            worst = max(errors, key=errors.get)
            shown.append(f"{float(errors[worst]):<9.1e}{worst:31}")
        print(f"{name:33}" + "".join(shown).rstrip())


if __name__ == "__main__":
    main()
