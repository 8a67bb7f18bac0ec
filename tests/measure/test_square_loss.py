"""The square loss of a last layer: every ball holds the exact number."""

from fractions import Fraction

import flint
import numpy as np
import pytest

from ncbounds.measure.door import admit
from ncbounds.measure.square_loss import admit_outputs, square_loss


def exact_numbers(h, y, W, b):
    """Losses of the classes, mean outputs and the mean margin in fractions."""
    C, k = len(W), Fraction(len(W), len(W) - 1)
    losses, outputs, margins = [[] for _ in W], [[] for _ in W], [[] for _ in W]
    for x, c in zip(h, y, strict=True):
        logits = [
            sum(Fraction(a) * Fraction(v) for a, v in zip(row, x, strict=True)) + Fraction(o)
            for row, o in zip(W, b, strict=True)
        ]
        z = [v - sum(logits) / C for v in logits]
        losses[c].append(sum((v - int(r == c) + Fraction(1, C)) ** 2 for r, v in enumerate(z)))
        outputs[c].append(z)
        margins[c].append(k * z[c])
    means = [[sum(col) / len(rows) for col in zip(*rows, strict=True)] for rows in outputs]
    return (
        [sum(values) / len(values) for values in losses],
        [sum(col) / C for col in zip(*means, strict=True)],
        sum(sum(values) / len(values) for values in margins) / C,
    )


def holds(ball, number):
    """Whether a ball contains a fraction, and is not wide."""
    truth = flint.arb(flint.fmpq(number.numerator, number.denominator))
    return ball.overlaps(truth) and float(ball.rad()) < 1e-6 * (1 + abs(float(number)))


@pytest.mark.parametrize("shift", [0.0, 1e3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("seed", range(3))
def test_balls_hold_the_exact_losses_outputs_and_margin(seed, dtype, shift):
    rng = np.random.default_rng(seed)
    C, d, n = 3, 4, 14
    W, b = rng.normal(size=(C, d)), rng.normal(size=C)
    h = (rng.normal(size=(n, d)) + shift).astype(dtype)
    y = np.arange(n) % C
    found = square_loss(admit(h, y, W, b))
    losses, outputs, margin = exact_numbers(h.astype(float).tolist(), y, W.tolist(), b.tolist())
    assert all(holds(x, v) for x, v in zip(found.class_losses, losses, strict=True))
    assert all(holds(x, v) for x, v in zip(found.mean_outputs, outputs, strict=True))
    assert holds(found.margin, margin)
    assert holds(found.loss, sum(losses) / (C - 1))


def test_totals_are_the_plain_losses_of_the_logits():
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(12, 3)), np.arange(12) % 3
    found = square_loss(admit_outputs("one-hot", y, z))
    for kind, target in (("one-hot", np.eye(3)), ("centred", np.eye(3) - 1 / 3)):
        assert found.total[kind] == pytest.approx(np.square(z - target[y]).sum(axis=1).mean())
    u, signs = z[:, 0], np.where(y > 0, 1, -1)
    signed = square_loss(admit_outputs("signs", signs, u))
    by_class = [np.square(u[signs == s] - s).mean() for s in (1, -1)]
    assert signed.total["signs"] == pytest.approx(np.mean(by_class))
