"""What the square loss guarantees: closed forms, attained cases, refusals, counted rounding."""

import math

import numpy as np
import pytest

import ncbounds
from ncbounds import square_loss_certificate
from ncbounds.errors import InputError
from ncbounds.report.square_loss import SQUARE_LEVELS

SIGNS = {"labels": [1, 1, -1, -1], "targets": "signs"}
#: What holds with equality may be broken by the rounding of what is measured.
ROUNDING = 1e-9


def bounds(found, quantity):
    return {r.level: float(r.bound) for r in found.rows if r.quantity == quantity}


def network(seed=0, C=4, N=6, d=7, noise=0.05, bias=0.1):
    """Features near the regression on the targets, all classes of other sizes."""
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(C, d)) / np.sqrt(d)
    y = np.repeat(np.arange(C), N + np.arange(C))
    b = bias * rng.normal(size=C)
    targets = np.eye(C)[y] - b
    h = targets @ np.linalg.pinv(W).T + noise * rng.normal(size=(len(y), d))
    return {"features": h, "weights": W, "bias": b, "labels": y}


# -- closed forms --------------------------------------------------------------------------


def test_the_spread_of_margins_is_bounded_by_the_loss_alone():
    found = square_loss_certificate(outputs=[0.75, 0.5, -1.0, -0.75], **SIGNS)
    R = (0.25**2 + 0.5**2 + 0 + 0.25**2) / 4
    assert found.losses == {"total": R, "relative": R}
    assert found.measured["outputs.mean"] == 0.75
    assert found.measured["outputs.spread"] == pytest.approx(math.sqrt(0.03125) / 0.75)
    spread = bounds(found, "outputs.spread")["square loss"]
    assert 0 <= spread / math.sqrt(R / (1 - R)) - 1 < 1e-11
    assert 0 <= bounds(found, "1 - outputs.mean")["square loss"] / math.sqrt(R) - 1 < 1e-11


def test_the_spread_is_attained_where_the_mean_output_is_one_less_the_loss():
    """Margins 3/4 -+ sqrt(3)/4 have a loss of 1/4."""
    u = np.array([0.75 - math.sqrt(3) / 4, 0.75 + math.sqrt(3) / 4])
    found = square_loss_certificate(outputs=np.concatenate([u, -u]), **SIGNS)
    spread = bounds(found, "outputs.spread")["square loss"]
    assert spread == pytest.approx(found.measured["outputs.spread"], rel=1e-9)


def test_at_the_best_rho_the_regularised_loss_gives_the_spread_itself():
    margins, decay = np.array([1.0, 3.0]), 0.5
    rho = 2.0 / (5.0 + decay)
    found = square_loss_certificate(
        outputs=rho * np.concatenate([margins, -margins]), weight_decay=decay, rho=rho, **SIGNS
    )
    levels = bounds(found, "outputs.spread")
    assert found.measured["outputs.spread"] == pytest.approx(0.5)
    assert levels["regularised loss"] == pytest.approx(0.5, rel=1e-9)
    assert levels["square loss"] > 0.5
    assert found.guaranteed["margin.mean"] <= found.measured["margin.mean"] == pytest.approx(2)


def test_equal_margins_at_the_best_rho_attain_the_least_mean_margin():
    decay, margin = 0.25, 1.5
    rho = margin / (margin**2 + decay)
    outputs = rho * margin * np.array([1, 1, -1, -1])
    found = square_loss_certificate(outputs=outputs, weight_decay=decay, rho=rho, **SIGNS)
    assert found.guaranteed["margin.mean"] == pytest.approx(margin, rel=1e-9)
    assert found.guaranteed["outputs.spread"] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("centred", ["", ".centred"])
def test_the_worst_case_attains_collapse_from_the_loss(centred):
    """Weights an ETF, two features a class on either side of it, margins 1 - e."""
    C, e = 3, 0.25
    simplex = np.eye(C) - 1 / C
    normal = 0.5 * np.ones(C) / np.sqrt(C)
    features = (1 - e) * np.concatenate([simplex, simplex])
    features += np.repeat([[1], [-1]], C, axis=0) * normal
    found = square_loss_certificate(
        features=features, weights=simplex, labels=np.tile(np.arange(C), 2), targets="centred"
    )
    for quantity in ("nc1.relative", "self-duality.distance"):
        levels, name = bounds(found, quantity + centred), quantity + centred
        assert levels["square loss"] == pytest.approx(found.measured[name], rel=1e-9)
    levels = bounds(found, f"nc1.relative{centred}")
    assert levels["losses and last layer"] == pytest.approx(levels["square loss"], rel=1e-6)


def test_a_file_of_weights_and_features_of_one_output_is_two_classes():
    rng = np.random.default_rng(1)
    y = np.where(rng.random(20) < 0.4, 1, -1)
    w = rng.normal(size=3)
    h = y[:, None] * w / (w @ w) + 0.1 * rng.normal(size=(20, 3))
    one = square_loss_certificate(features=h, weights=w, bias=0.25, labels=y, targets="signs")
    W, b = np.stack([w, -w]) / 2, np.array([0.125, -0.125])
    two = square_loss_certificate(
        features=h, weights=W, bias=b, labels=(y < 0).astype(int), targets="centred"
    )
    assert one.measured == two.measured
    assert [r.bound for r in one.rows] == [r.bound for r in two.rows]
    plain = square_loss_certificate(outputs=h @ w + 0.25, labels=y, targets="signs")
    assert one.losses["total"] == pytest.approx(plain.losses["total"])


# -- truth beside bounds -------------------------------------------------------------------


@pytest.mark.parametrize("targets", ["one-hot", "centred"])
@pytest.mark.parametrize("noise", [0.0, 0.02, 0.2, 0.5])
@pytest.mark.parametrize("seed", range(3))
def test_no_measurement_is_above_its_bound(targets, noise, seed):
    given = network(seed, noise=noise)
    if targets == "centred":
        given["bias"] = given["bias"] - 0.25
    found = square_loss_certificate(targets=targets, **given)
    assert {r.level for r in found.rows} >= {"mean margin", "losses and last layer"}
    for row in found.rows:
        assert row.measured is not None
        assert row.measured <= float(row.bound) + ROUNDING, row


@pytest.mark.parametrize("seed", range(4))
def test_the_mean_margin_is_never_worse_than_the_loss(seed):
    found = square_loss_certificate(targets="one-hot", **network(seed, noise=0.1))
    for quantity in ("nc1.relative", "1 - nc3.cosine.centred", "self-duality.distance"):
        levels = bounds(found, quantity)
        assert levels["mean margin"] <= levels["square loss"]


def test_targets_of_another_mean_change_no_guarantee():
    given = network()
    shifted = {**given, "bias": given["bias"] - 0.25}
    one_hot = square_loss_certificate(targets="one-hot", **given)
    centred = square_loss_certificate(targets="centred", **shifted)
    assert one_hot.guaranteed == pytest.approx(centred.guaranteed, rel=1e-9)


def test_compare_sets_the_same_bounds_beside_measurements():
    given = network()
    found = ncbounds.compare(*(given[k] for k in ("features", "labels", "weights", "bias")))
    with_loss = ncbounds.compare(
        *(given[k] for k in ("features", "labels", "weights", "bias")), targets="one-hot"
    )
    ours = [b for b in with_loss.bounds if b.level in SQUARE_LEVELS]
    certified = square_loss_certificate(targets="one-hot", **given)
    assert [b.bound for b in ours] == [r.bound for r in certified.rows]
    assert all(b.holds for b in ours)
    assert len(with_loss.bounds) == len(found.bounds) + len(ours)


# -- what is not guaranteed, and bad input --------------------------------------------------


def test_a_loss_of_outputs_of_zero_guarantees_no_spread():
    found = square_loss_certificate(
        outputs=np.zeros((4, 2)), labels=[0, 1, 0, 1], targets="centred"
    )
    assert found.rows == () and "1 times that of outputs of zero" in found.skipped["square:sharp-2"]
    assert found.measured["outputs.spread"] == math.inf


def test_outputs_for_other_targets_are_noticed():
    z = np.eye(3)[[0, 1, 2]] + 0.01
    assert not square_loss_certificate(outputs=z, labels=[0, 1, 2], targets="one-hot").skipped
    told = square_loss_certificate(outputs=z, labels=[0, 1, 2], targets="centred").skipped
    assert told == {"targets 'centred'": "the outputs fit targets 'one-hot' better"}


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"targets": "onehot"}, "targets"),
        ({"labels": [0, 1, 0, 1]}, "labels"),
        ({"labels": [1, 1, 1, 1]}, "labels"),
        ({"outputs": np.ones((4, 2))}, "outputs"),
        ({"outputs": [1.0, math.nan, -1.0, -1.0]}, "features"),
        ({"features": np.ones((4, 2))}, "outputs"),
        ({"outputs": None}, "outputs"),
        ({"weight_decay": 0.1}, "rho"),
        ({"weight_decay": 0.1, "rho": -1.0}, "rho"),
        ({"weight_decay": math.inf, "rho": 1.0}, "weight_decay"),
    ],
)
def test_bad_input_is_one_line_that_names_the_parameter(changes, parameter):
    given = {"outputs": [1.0, 1.0, -1.0, -1.0], **SIGNS, **changes}
    with pytest.raises(InputError) as refused:
        square_loss_certificate(**given)
    assert parameter in str(refused.value)
