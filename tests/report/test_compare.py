"""Measured quantities stand on the right side of every bound that applies."""

import tracemalloc

import numpy as np
import pytest

import ncbounds
from ncbounds.errors import InputError
from ncbounds.measure import read_features


def collapsed(C=4, N=3, noise=0.0, scale=3.0, seed=0):
    """Features at the vertices of a simplex ETF plus noise, with the weights that fit."""
    rng = np.random.default_rng(seed)
    simplex = np.eye(C) - 1 / C
    features = scale * np.repeat(simplex, N, axis=0) + noise * rng.normal(size=(C * N, C))
    return features, np.repeat(np.arange(C), N), scale * simplex


def compressed(path, n):
    """Features of 512 bytes a sample, in memory and left in a compressed file."""
    rng = np.random.default_rng(0)
    labels, weights = np.arange(n) % 3, rng.normal(size=(3, 128))
    features = np.round(weights[labels] + rng.normal(size=(n, 128))).astype(np.float32)
    np.savez_compressed(path, features=features, labels=labels, weights=weights)
    left = read_features(path, leave_features=True)
    return (features, labels, weights), (left.features, left.labels, left.weights)


def test_features_left_in_a_file_are_compared_in_the_memory_of_a_chunk(tmp_path, monkeypatch):
    in_memory, left = (ncbounds.compare(*a) for a in compressed(tmp_path / "a.npz", 256))
    assert left.to_dict() == in_memory.to_dict()
    monkeypatch.setattr("ncbounds.measure.reading.CHUNK_BYTES", 2**18)
    monkeypatch.setattr("ncbounds.measure.reading._PIECE", 2**18)
    monkeypatch.setattr("ncbounds.measure.door._BLOCK_ENTRIES", 2**15)
    features, stored = compressed(tmp_path / "b.npz", 2**15)
    tracemalloc.start()
    ncbounds.compare(*stored)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < features[0].nbytes / 2


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_every_bound_that_is_proved_holds(noise, scale):
    found = ncbounds.compare(*collapsed(noise=noise, scale=scale))
    ours = [b for b in found.bounds if b.variant == "sharp"]
    assert len(ours) >= 7
    assert all(b.holds for b in ours)


def test_at_exact_collapse_the_guarantee_is_zero():
    found = ncbounds.compare(*collapsed())
    assert float(found.find("nc1.relative", "sharp").bound) == pytest.approx(0, abs=1e-10)
    assert found.find("nc1.relative", "sharp").measured == pytest.approx(0, abs=1e-15)


def test_a_worst_case_attains_the_guarantee():
    """Two features a class on either side of an ETF of weights: NC1 with equality."""
    C, s = 3, 0.25
    simplex = np.eye(C) - 1 / C
    v = simplex / np.sqrt(np.mean((simplex**2).sum(axis=1)))
    normal = np.ones(C) / np.sqrt(C)
    away = np.sqrt(2 * s - s * s) * normal
    features = 4.0 * np.concatenate([(1 - s) * v + away, (1 - s) * v - away])
    found = ncbounds.compare(features, np.tile(np.arange(C), 2), 2.0 * v)
    bound = found.find("nc1.relative", "sharp")
    assert bound.measured == pytest.approx(2 * s - s * s, rel=1e-12)
    assert float(bound.bound) == pytest.approx(bound.measured, rel=1e-9)


def test_a_bias_and_a_shift_of_the_features_change_no_centred_guarantee():
    features, labels, weights = collapsed(noise=0.2)
    shift = np.array([5.0, -2.0, 1.0, 7.0])
    plain = ncbounds.compare(features, labels, weights)
    moved = ncbounds.compare(features + shift, labels, weights, bias=-weights @ shift)
    quantity = "nc1.relative.centred"
    assert moved.find(quantity, "sharp").measured == pytest.approx(
        plain.find(quantity, "sharp").measured
    )
    assert float(moved.find(quantity, "sharp").bound) == pytest.approx(
        float(plain.find(quantity, "sharp").bound)
    )
    assert "bias" in moved.skipped["bnwd:theorem-2.1 (printed)"]


def test_a_loss_above_log_c_has_no_guarantee_and_says_so():
    features, labels, weights = collapsed()
    found = ncbounds.compare(features, labels, -weights)
    assert not [b for b in found.bounds if b.variant == "sharp" and b.id == "bnwd:theorem-2.1"]
    assert "at or above log C" in found.skipped["bnwd:theorem-2.1 (sharp)"]


def test_data_is_plain_and_has_the_contract_keys():
    data = ncbounds.compare(*collapsed(noise=0.1)).to_dict()
    assert {"n", "d", "K", "metrics", "bounds"} <= data.keys()
    for bound in data["bounds"]:
        assert {
            "id",
            "variant",
            "quantity",
            "measured",
            "bound",
            "direction",
            "vacuous",
        } <= bound.keys()


def test_weights_are_needed():
    features, labels, _ = collapsed()
    with pytest.raises(InputError, match="weights"):
        ncbounds.compare(features, labels, None)


def test_the_error_of_the_nearest_mean_is_bounded_by_the_variance_of_the_classes():
    rng, weights, labels = np.random.default_rng(0), 3 * np.eye(3, 4), np.repeat([0, 1, 2], 20)
    found = ncbounds.compare(weights[labels] + 0.2 * rng.normal(size=(60, 4)), labels, weights)
    row = found.find("ncc.error.balanced", "sharp")
    V = found.measurement.metrics["cdnv.mean"]
    assert (row.id, row.measured, row.vacuous) == ("review:eq-51", 0.0, False)
    assert float(row.bound) == pytest.approx(8 * V / (1 + 4 * V))
    none = ncbounds.compare(np.zeros((60, 4)), labels, weights)
    assert none.skipped["review:eq-51"] == "two classes have the same mean"
