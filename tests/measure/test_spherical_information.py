"""What is gathered on the sphere encloses the truth, computed with 50 digits."""

import numpy as np
import pytest
from mpmath import mp, mpf

from ncbounds.errors import InputError
from ncbounds.measure.door import admit
from ncbounds.measure.spherical import gather_on_sphere


def layer(K=4, d=3, n=5, noise=0.3, scale=1.0, offset=0.0, seed=0):
    rng = np.random.default_rng(seed)
    W, y = rng.normal(size=(K, d)), np.repeat(np.arange(K), n)
    return scale * (W[y] + noise * rng.normal(size=(K * n, d))) + offset, y, 7 * W


def exact(features, labels, weights, temperature):
    """Margins and losses of each class, and the lengths of the mean unit features."""
    mp.dps = 50

    def unit(row):
        row = [mpf(float(x)) for x in row]
        length = mp.sqrt(sum(x * x for x in row))
        return [x / length for x in row]

    W, K = [unit(w) for w in weights], len(weights)
    rows = [[unit(h) for h, y in zip(features, labels, strict=True) if y == k] for k in range(K)]
    cosines = [[[mp.fdot(w, h) for w in W] for h in group] for group in rows]
    gaps = [[[z[j] - z[k] for j in range(K) if j != k] for z in cosines[k]] for k in range(K)]
    margins = [[-max(g) for g in group] for group in gaps]
    losses = [[mp.log1p(sum(mp.exp(x / temperature) for x in g)) for g in c] for c in gaps]
    means = [[sum(column) / len(group) for column in zip(*group, strict=True)] for group in rows]
    return margins, losses, [mp.sqrt(mp.fdot(m, m)) for m in means]


CASES = {
    "plain": {},
    "collapsed": {"noise": 0.0},
    "nearly collapsed": {"noise": 1e-12},
    "many dimensions": {"K": 3, "d": 200, "n": 2},
    "huge": {"scale": 1e60},
    "tiny": {"scale": 1e-60},
    "far from the origin": {"offset": 1e6},
    "a line": {"K": 3, "d": 1},
    "two classes": {"K": 2},
}


@pytest.mark.parametrize("temperature", [0.02, 1.0, 100.0])
@pytest.mark.parametrize("case", CASES)
def test_everything_encloses_the_truth(case, temperature):
    given = layer(**CASES[case])
    known = gather_on_sphere(admit(*given, None), temperature)
    margins, losses, lengths = exact(*given, mpf(temperature))

    def point(end):
        mantissa, exponent = end.man_exp()
        return mp.ldexp(mpf(int(mantissa)), int(exponent))

    def inside(ball, value):
        return point(ball.lower()) <= value <= point(ball.upper())

    def encloses(balls, values, width):
        for ball, value in zip(balls, values, strict=True):
            assert inside(ball, value), (ball, value)
            assert float(ball.rad()) <= width * max(1.0, abs(float(value)))

    def mean(values):
        return sum(values) / len(values)

    encloses(known.mean_margins, [mean(m) for m in margins], 1e-12)
    encloses(known.lengths, lengths, 1e-12)
    encloses(known.losses, [mean(group) for group in losses], 1e-10)
    assert -min(min(m) for m in margins) <= known.hardmax
    assert known.hardmax == pytest.approx(float(-min(min(m) for m in margins)), abs=1e-12)
    for best, group in zip(known.best_margins, margins, strict=True):
        assert best <= max(group)
        assert best == pytest.approx(float(max(group)), abs=1e-12)


def test_many_blocks_give_what_one_gives(monkeypatch):
    from ncbounds.measure import door

    given = layer(n=300)
    whole = gather_on_sphere(admit(*given, None), 0.1)
    monkeypatch.setattr(door, "_BLOCK_ENTRIES", 1)
    split = gather_on_sphere(admit(*given, None), 0.1)
    assert split.hardmax == pytest.approx(whole.hardmax, abs=1e-14)
    for a, b in zip(whole.losses, split.losses, strict=True):
        assert a.overlaps(b)


def test_without_a_temperature_there_are_no_losses():
    known = gather_on_sphere(admit(*layer(), None))
    assert known.losses is None and known.temperature is None


@pytest.mark.parametrize(
    ("features", "weights", "temperature", "parameter"),
    [
        ([[1.0], [0.0]], [[1.0], [-1.0]], 1.0, "features"),
        ([[1.0], [-1.0]], [[1.0], [0.0]], 1.0, "weights"),
        ([[1.0], [-1.0]], [[1.0], [-1.0]], 0.0, "temperature"),
        ([[1.0], [-1.0]], None, 1.0, "weights"),
    ],
)
def test_bad_input_is_named(features, weights, temperature, parameter):
    with pytest.raises(InputError) as caught:
        gather_on_sphere(admit(features, [0, 1], weights, None), temperature)
    assert caught.value.parameter == parameter
