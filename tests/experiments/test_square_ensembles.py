"""Experiments with networks of unit norm, on little data of our own as torchvision lays it out."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from experiments import square_collapse, square_initialisation, square_random_labels
from experiments import square_sample_size as sample_size
from experiments.running import Place, run
from experiments.training import pairs
from experiments.training.normalised import Networks, Samples, flow
from experiments.training.pairs import Task, load_task
from experiments.training.unit_norm import (
    Descent,
    Member,
    Shape,
    descend,
    evaluate,
    margins,
    to_network,
    weight_sizes,
)
from ncbounds.errors import InputError
from ncbounds.report.plots import pyplot

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("square-ensembles")

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

DENSE, CONV = Shape((), (6,)), Shape((3,), (6,), (2,), padding=1)
SHORT = Descent(40, 8, 0.05)


def write_idx(path, array):
    sizes = b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    path.write_bytes(bytes((0, 0, 8, array.ndim)) + sizes + array.tobytes())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three classes of images of 8 x 8, each near its own, and two of 3 x 32 x 32."""
    found, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    raw = found / "MNIST" / "raw"
    raw.mkdir(parents=True)
    own = rng.integers(0, 156, (3, 8, 8))
    for part, n in (("train", 40), ("t10k", 20)):
        y = np.repeat(np.arange(3), n).astype(np.uint8)
        x = (own[y] + rng.integers(0, 100, (3 * n, 8, 8))).astype(np.uint8)
        write_idx(raw / f"{part}-images-idx3-ubyte", x)
        write_idx(raw / f"{part}-labels-idx1-ubyte", y)
    batches = found / "cifar-10-batches-py"
    batches.mkdir()
    for name in (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"):
        x = rng.integers(0, 256, (4, 3072), dtype=np.uint8)
        table = {b"data": x, b"labels": [0, 1, 0, 1]}
        (batches / name).write_bytes(pickle.dumps(table, protocol=2))
    return found


@pytest.fixture(scope="module")
def task(folder):
    return load_task("mnist", (0, 1), 16, 0, folder=folder)


def test_a_step_follows_the_flow_that_is_held_against_the_projected_gradient(task):
    member, rate = Member(3, 0.01, 2.0), 1e-3
    (start,) = descend(DENSE, [task], [member], Descent(1, 16, 1e-12))
    (end,) = descend(DENSE, [task], [member], Descent(1, 16, rate, schedule="constant"))
    V = [v.double().numpy() for v in start.V]
    data = Samples(task.train_x.reshape(16, -1).T.astype(float), 2.0 * task.train_y - 1)
    rho_dot, V_dot, m = flow(Networks(np.array([2.0]), V), data, np.array([0.01]))
    assert (end.rho.numpy() - 2) / rate == pytest.approx(rho_dot, abs=1e-3)
    for before, after, slope in zip(V, end.V, V_dot, strict=True):
        assert np.linalg.norm(before) == pytest.approx(1) and np.abs(slope).max() > 1e-3
        np.testing.assert_allclose((after.numpy() - before) / rate, slope, atol=2e-3)
    ((_, outputs),) = evaluate(DENSE, start, [member], [task], test=False)
    np.testing.assert_allclose(margins(outputs, task.train_y), 2 * m[0], atol=1e-6)


def test_members_train_alike_alone_and_together(task):
    members = [Member(0, 0.0), Member(1, 0.1), Member(0, 0.1, 3.0)]
    (together,) = descend(CONV, [task], members, SHORT)
    for k, member in enumerate(members):
        (alone,) = descend(CONV, [task], [member], SHORT)
        for mine, shared in zip(alone.V, together.V, strict=True):
            np.testing.assert_allclose(mine[0], shared[k], atol=1e-4)
            assert float(shared[k].norm()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("shape", [DENSE, CONV, replace(CONV, widths=(), outputs=2)])
def test_bounds_are_of_the_network_that_was_trained(shape, task):
    members = [Member(0, 0.01, 4.0)]
    (end,) = descend(shape, [task], members, SHORT)
    ((_, outputs),) = evaluate(shape, end, members, [task], test=True)
    network = to_network(shape, end, 0, task)
    np.testing.assert_allclose(network.evaluate(task.test_x.astype(float)), outputs, atol=1e-5)
    assert network.rho == pytest.approx(float(end.rho[0]), rel=1e-5)


def test_labels_drawn_anew_are_of_the_training_set_only(folder):
    clean, noisy = (load_task("mnist", (0, 2), 80, 1, noise=r, folder=folder) for r in (0.0, 1.0))
    np.testing.assert_array_equal(clean.train_x, noisy.train_x)
    np.testing.assert_array_equal(clean.test_y, noisy.test_y)
    assert 0.3 < np.mean(clean.train_y != noisy.train_y) < 0.7
    assert np.bincount(clean.train_y).tolist() == [40, 40] and clean.classes == 2
    np.testing.assert_allclose(np.square(clean.test_x).sum((1, 2, 3)), 1, rtol=1e-5)


def test_the_subset_that_ships_is_split_without_overlap(monkeypatch):
    subset = np.random.default_rng(0).random((60, 196)), np.arange(60) % 3
    monkeypatch.setattr(pairs, "mnist_subset", lambda: subset)
    found = load_task("mnist-subset", (0, 2), 30, 0)
    assert found.train_x.shape == (30, 1, 14, 14) and len(found.test_y) == 10
    both = np.vstack([found.train_x.reshape(30, -1), found.test_x.reshape(10, -1)])
    assert len(np.unique(both, axis=0)) == 40


def test_margins_of_several_outputs_are_over_the_best_other():
    outputs = np.array([[3.0, 1.0, 0.0], [3.0, 1.0, 2.0]])
    assert margins(outputs, np.array([0, 1])).tolist() == [1.0, -1.0]
    assert margins(np.array([[2.0], [3.0]]), np.array([1, 0])).tolist() == [2.0, -3.0]


def test_the_papers_networks_have_the_papers_counts_of_weights():
    def count(shape):
        return sum(int(np.prod(size)) for size in weight_sizes(shape, (3, 32, 32)))

    assert count(square_initialisation.PAPER_SHAPE) == 3_519_328
    assert count(sample_size.PAPER_SHAPES["convolutions, no overlap"]) == 20_448


# -- the experiments -------------------------------------------------------------------------------

TINY = {
    square_initialisation: {"n": 16, "shape": CONV, "rhos": (1.0, 6.0), "records": 3},
    square_random_labels: {"n": 16, "shape": CONV, "noises": (0.0, 0.8)},
    sample_size: {"sizes": (8, 40), "shapes": {"dense": DENSE, "convolutions": CONV}},
    square_collapse: {"tasks": ((0, 1), (0, 1, 2)), "per_class": 8, "records": 3},
}


@pytest.fixture(scope="module")
def results(folder, tmp_path_factory):
    """Every experiment on little data, two seeds: its records and settings."""
    found = {}
    for module, changes in TINY.items():
        settings = replace(module.SCALES["small"], data="mnist", descent=SHORT, **changes)
        if hasattr(settings, "classes"):
            settings = replace(settings, classes=(0, 1))
        out = tmp_path_factory.mktemp("out")
        # Most of the time goes into the files of figures: these are drawn below, and not written.
        bare = replace(module.EXPERIMENT, figures={})
        done = run(bare, out, seeds=2, settings=settings, data=folder, workers=1)
        found[module] = done.records, settings
    return found


@pytest.mark.parametrize("module", TINY, ids=lambda module: module.__name__.rpartition(".")[2])
def test_an_experiment_tells_every_seed_and_draws(module, results):
    records, settings = results[module]
    told = module.findings(records, settings)
    assert told and all(len(one.effects) == 2 for one in told)
    for draw in module.EXPERIMENT.figures.values():
        found = draw(records, settings)
        assert found.legends and all(
            axes.get_title() or axes.get_xlabel() for axes in found.axes[:2]
        )
        pyplot().close(found)
    assert len(module.table(records, settings).splitlines()) > 3


def test_no_guarantee_is_broken_on_the_way(results):
    for r in results[square_initialisation][0]:
        pairs = zip(r["spread"], r["guaranteed"], strict=True)
        assert all(spread <= bound * (1 + 1e-9) for spread, bound in pairs)
    for r in results[square_collapse][0]:
        assert r["guaranteed"].keys() == {"nc1.relative.centred", "1 - nc3.cosine.centred"}
        told = {name: bound for name, bound in r["guaranteed"].items() if bound is not None}
        assert all(r[name] <= bound + 1e-9 for name, bound in told.items())
    for module in (sample_size, square_random_labels):
        assert all(r["test_error"] <= r["bounds"]["best margin"] for r in results[module][0])


def test_a_planted_fault_changes_the_finding(results):
    records, settings = results[square_initialisation]
    swapped = [{**r, "decay": settings.decays[1] - r["decay"]} for r in records]
    right, wrong = (square_initialisation.findings(rows, settings) for rows in (records, swapped))
    assert all(right[0].effects)
    assert wrong[0].effects == pytest.approx([-value for value in right[0].effects])
    records, settings = results[square_random_labels]
    swapped = [{**r, "noise": 0.8 - r["noise"]} for r in records]
    right, wrong = (square_random_labels.findings(rows, settings) for rows in (records, swapped))
    assert all(right[0].effects)
    assert wrong[0].effects == tuple(-value for value in right[0].effects)
    records, settings = results[sample_size]
    swapped = [{**r, "rho": r["rho"] * r["n"]} for r in records]
    right, wrong = (sample_size.findings(rows, settings) for rows in (records, swapped))
    assert right[1].effects == (1.0, 1.0) and wrong[1].effects == (-1.0, -1.0)
    records, settings = results[square_collapse]
    last = max(r["step"] for r in records)
    frozen = [{**r, "nc3.distance": 100.0} if r["step"] == last else r for r in records]
    right, wrong = (square_collapse.findings(rows, settings)[1] for rows in (records, frozen))
    assert "NC3" in right.claim and min(right.effects) > -3 > max(wrong.effects)


@pytest.mark.parametrize("module", TINY, ids=lambda module: module.__name__.rpartition(".")[2])
def test_the_papers_scale_runs_from_a_folder_and_asks_for_it(module, folder):
    paper = module.SCALES["paper"]
    small = {"n": 8, "sizes": (8,), "per_class": 4, "rhos": (1.0,), "noises": (0.2,), "records": 1}
    small["tasks"] = ((0, 1),)
    changes = {key: value for key, value in small.items() if hasattr(paper, key)}
    settings = replace(paper, descent=replace(paper.descent, steps=1, batch=4), **changes)
    part = module.parts(settings, [0])[0]
    with pytest.raises(InputError, match=r"^--data = none"):
        module.compute(part, settings, Place())
    (record,) = module.compute(part, settings, Place(data=folder))
    assert record["rho"] and record["test_error"] is not None


def test_bad_input_is_refused(task, folder):
    with pytest.raises(InputError, match="noise"):
        load_task("mnist", (0, 1), 8, 0, noise=1.5, folder=folder)
    with pytest.raises(InputError, match="at most 40 a class"):
        load_task("mnist", (0, 1), 82, 0, folder=folder)
    for wrong, name in (
        ({"members": []}, "members"),
        ({"members": [Member(0, 0.0, rho=0.0)]}, "rho"),
        ({"members": [Member(0, 0.0, task=1)]}, "member"),
        ({"members": [Member(0, -1.0)]}, "weight_decays"),
        ({"descent": Descent(schedule="none")}, "schedule"),
        ({"shape": Shape((2, 2, 2), (), (3, 3, 3))}, "shape"),
        ({"tasks": [task, Task(task.train_x[:4], task.train_y[:4], task.test_x, task.test_y)]},
         "tasks"),
    ):  # fmt: skip
        usual = {"shape": CONV, "tasks": [task], "members": [Member(0, 0.0)], "descent": SHORT}
        with pytest.raises(InputError, match=f"^{name} = "):
            descend(**{**usual, **wrong})
