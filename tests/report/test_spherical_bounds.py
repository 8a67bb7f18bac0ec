"""What is guaranteed on the sphere stands on the right side of what is measured."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import ncbounds
from ncbounds.cli.compare_command import command as compare_command
from ncbounds.cli.measure_command import command as measure_command
from ncbounds.measure import write_features

QUANTITIES = ("gnc2", "loss.hardmax", "nc1.spherical")


def polygon(K=6, n=20, noise=0.02, seed=0):
    """Features near a regular polygon of weights."""
    rng = np.random.default_rng(seed)
    turns = 2 * np.pi * np.arange(K) / K
    W = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    y = np.repeat(np.arange(K), n)
    return W[y] + noise * rng.normal(size=(K * n, 2)), y, W


def on_the_sphere(report):
    found = [b for b in report.bounds if b.id in ("gnc:eq-5", "gnc:lemma-3.1")]
    assert all(b.quantity in QUANTITIES for b in found)
    return {(b.quantity, b.reading): b for b in found}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("noise", [0.0, 0.02, 0.3, 2.0])
@pytest.mark.parametrize("temperature", [None, 0.02, 0.1, 1.0, 50.0])
def test_every_guarantee_holds(noise, temperature, seed):
    found = on_the_sphere(
        ncbounds.compare(*polygon(noise=noise, seed=seed), temperature=temperature)
    )
    assert len(found) == (3 if temperature is None else 8)
    assert all(b.holds for b in found.values())
    assert all(b.vacuous in (True, False) for b in found.values())


def test_guarantees_hold_for_classes_of_unequal_sizes():
    features, labels, weights = polygon(noise=0.3)
    kept = np.r_[:17, 20:22, 40:120]
    found = ncbounds.compare(features[kept], labels[kept], weights, temperature=0.05)
    assert all(b.holds for b in on_the_sphere(found).values())


def test_more_knowledge_guarantees_more():
    found = on_the_sphere(ncbounds.compare(*polygon(), temperature=0.05))
    order = [
        "from the mean loss",
        "from the losses of the classes",
        "from the best margin of each class",
    ]
    values = [float(found["gnc2", reading].bound) for reading in order]
    assert 0 < values[0] < values[1] < values[2] < found["gnc2", order[0]].measured


def test_at_exact_collapse_margins_attain_the_distance():
    found = on_the_sphere(ncbounds.compare(*polygon(noise=0.0), temperature=0.01))
    assert float(found["gnc2", "from HardMax"].bound) == pytest.approx(0.5, abs=1e-12)
    spread = found["nc1.spherical", "from the mean margins and the distances"]
    assert float(spread.bound) == pytest.approx(0, abs=1e-9)


def test_two_antipodal_classes_attain_the_guarantee_from_the_loss():
    features, labels, weights = [[3.0], [-1.0]], [0, 1], [[1.0], [-2.0]]
    found = on_the_sphere(ncbounds.compare(features, labels, weights, temperature=0.5))
    assert float(found["gnc2", "from the losses of the classes"].bound) == pytest.approx(2)


def test_the_reason_why_nothing_is_guaranteed_is_told():
    report = ncbounds.compare([[0.0, 0.0], [1.0, 1.0]], [0, 1], [[1.0, 0.0], [0.0, 1.0]])
    assert "zeros" in report.skipped["gnc:lemma-3.1"]
    assert not on_the_sphere(report)


@pytest.mark.parametrize("stored", [None, 0.05])
def test_commands_take_the_temperature_or_find_it_in_the_file(tmp_path, stored):
    path = str(tmp_path / "model.npz")
    write_features(path, *polygon(), extra={} if stored is None else {"temperature": stored})
    options = [] if stored else ["--temperature", "0.05"]
    done = CliRunner().invoke(measure_command, [path, "--json", *options])
    metrics = json.loads(done.output)["metrics"]
    expected = ncbounds.measure(*polygon(), temperature=0.05).metrics
    name = "loss.cross_entropy.spherical"
    assert metrics[name] == pytest.approx(expected[name], rel=1e-12)
    done = CliRunner().invoke(compare_command, [path, "--json", *options])
    bounds = json.loads(done.output)["bounds"]
    assert sum(b["id"] == "gnc:lemma-3.1" and b["quantity"] == "gnc2" for b in bounds) == 3
