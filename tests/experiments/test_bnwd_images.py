"""Cosines against weight decay on images: the small scale, and the paper's on made-up files."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from experiments import __main__ as command
from experiments import bnwd, bnwd_images
from experiments.bnwd_images import EXPERIMENT, SCALES, Plan
from experiments.running import run
from experiments.training import vision
from experiments.training.folders import Images
from experiments.training.vision import NETWORKS, ImageTraining, train_classifier
from ncbounds.errors import InputError

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("bnwd")

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

SMALL = replace(
    SCALES["small"], plans=(Plan("digits", "CNN4", 30, 10),), decays=(1e-3, 3e-2), batch=25
)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    return run(EXPERIMENT, folder, seeds=1, settings=SMALL, workers=1), folder


def test_small_networks_collapse_with_weight_decay_under_batch_norm(small):
    found, folder = small
    assert len(found.records) == 2 * 2
    few, many = bnwd.curve(found.records, 0, True, "digits", "CNN4")
    assert few["cosine.intra.min"] < many["cosine.intra.min"]
    assert few["classes"] == 10 and few["train_error"] < 0.05
    assert (folder / "bnwd_images.png").stat().st_size > 1000


def test_a_planted_fault_in_the_records_changes_the_finding(small):
    def last(records):
        return bnwd_images.findings(records, SMALL)[-1].effects

    fitted = [{**r, "train_error": 0.0} for r in small[0].records]
    swapped = [
        {**r, "cosine.intra.min": r["cosine.inter.max"], "cosine.inter.max": r["cosine.intra.min"]}
        for r in fitted
    ]
    assert last(swapped) == pytest.approx([-value for value in last(fitted)])


# -- the paper's scale -----------------------------------------------------------------------------

RNG = np.random.default_rng(0)


def write_idx(path, array):
    sizes = b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    path.write_bytes(bytes((0, 0, 8, array.ndim)) + sizes + array.tobytes())


def examples(n, side, classes):
    """Noise, brighter in a band of rows for each class."""
    y = np.arange(n) % classes
    x = RNG.integers(0, 60, (n, side, side), dtype=np.uint8)
    for c in range(classes):
        x[y == c, 3 * c : 3 * c + 3] += 150
    return x, y


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The three data sets, tiny, as torchvision lays them out."""
    root = tmp_path_factory.mktemp("data")
    for place in ("MNIST/raw", "cifar-10-batches-py", "cifar-100-python"):
        (root / place).mkdir(parents=True)
    for part in ("train", "t10k"):
        x, y = examples(12, 28, 3)
        write_idx(root / f"MNIST/raw/{part}-images-idx3-ubyte", x)
        write_idx(root / f"MNIST/raw/{part}-labels-idx1-ubyte", y.astype(np.uint8))
    tens = [f"cifar-10-batches-py/{n}" for n in (*(f"data_batch_{k}" for k in range(1, 6)),)]
    hundreds = [f"cifar-100-python/{n}" for n in ("train", "test")]
    for place in (*tens, "cifar-10-batches-py/test_batch", *hundreds):
        x, y = examples(12, 32, 3)
        data = np.repeat(x[:, None], 3, axis=1).reshape(12, -1)
        labels = b"fine_labels" if place in hundreds else b"labels"
        (root / place).write_bytes(pickle.dumps({b"data": data, labels: y.tolist()}, protocol=2))
    return root


def test_the_paper_s_plans_run_on_files_of_the_user_s(folder, tmp_path):
    every = SCALES["paper"].plans
    assert {(plan.data, plan.network) for plan in every} == {
        (data, name) for data in bnwd_images.OF_THE_USER for name in NETWORKS
    }
    chosen = (("MNIST", "VGG11"), ("CIFAR-10", "ResNet18"), ("CIFAR-100", "VGG19"))
    plans = [
        replace(plan, epochs=1, per_class=min(plan.per_class, 3))
        for plan in every
        if (plan.data, plan.network) in chosen
    ]
    tiny = replace(SCALES["paper"], plans=tuple(plans), decays=(1e-3,), batch=6, width=2)
    undrawn = replace(EXPERIMENT, figures={})
    found = run(undrawn, tmp_path, scale="paper", seeds=1, settings=tiny, data=folder, workers=1)
    assert len(found.records) == 2 + 1 + 2
    assert {r["layers"] for r in found.records} == {11, 18, 19}
    assert not [r for r in found.records if r["network"] == "ResNet18" and not r["batch_norm"]]


def test_without_the_user_s_data_the_command_says_what_is_missing(tmp_path):
    told = CliRunner().invoke(
        command.main,
        ["bnwd-images", "--scale", "paper", "--seeds", "1", "--workers", "1", "--out",
         str(tmp_path / "out"), "--data", str(tmp_path)],
    )  # fmt: skip
    assert told.exit_code == 2 and "a folder with MNIST" in told.output


def test_a_subset_is_balanced_and_of_its_seed():
    labels = np.repeat([0, 1, 2], [9, 5, 7])
    chosen = bnwd_images._balanced(labels, 4, 0)
    assert np.bincount(labels[chosen]).tolist() == [4, 4, 4]
    np.testing.assert_array_equal(chosen, bnwd_images._balanced(labels, 4, 0))
    assert not np.array_equal(chosen, bnwd_images._balanced(labels, 4, 1))
    with pytest.raises(InputError, match="at most 5"):
        bnwd_images._balanced(labels, 6, 0)


# -- the networks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "batch_norm", "published", "absent"),
    # The known numbers of the forms for 32 x 32 pixels, whose VGG have batch norm and biases too:
    # we leave out the last layer's biases, those in front of batch norm, and else batch norm.
    [
        ("VGG11", True, 9_231_114, 2752),
        ("VGG11", False, 9_231_114, 2 * 2752),
        ("VGG19", True, 20_040_522, 5504),
        ("ResNet18", True, 11_173_962, 0),
    ],
)
def test_networks_have_as_many_parameters_as_is_known(name, batch_norm, published, absent):
    model = vision._classifier(name, 3, 10, batch_norm, 64, torch.Generator())
    counted = sum(p.numel() for part in (model.body, model.head) for p in part.parameters())
    assert counted == published - 10 - absent


def images(classes=3, n=30):
    x, y = examples(n, 32, classes)
    return Images(x[:, None], y, x[:, None], y)


def test_a_large_network_learns_and_its_weights_act_on_its_features():
    given = images()
    training = ImageTraining(epochs=10, batch=10, rate=3e-3, weight_decay=1e-3)
    found = train_classifier("VGG11", given, training, batch_norm=True, seed=0, width=4)
    assert found.features.shape == (30, 32) and found.weights.shape == (3, 32)
    guesses = (found.features @ found.weights.T).argmax(1)
    assert np.mean(guesses != given.train_y) == found.train_error == found.test_error == 0


def test_weight_decay_acts_on_weights_and_scales_not_on_biases(monkeypatch):
    seen = []
    adam = torch.optim.Adam

    def watched(groups, **options):
        seen.extend((len(g["params"]), g.get("weight_decay", options["weight_decay"]))
                    for g in groups)  # fmt: skip
        return adam(groups, **options)

    monkeypatch.setattr(torch.optim, "Adam", watched)
    training = ImageTraining(epochs=1, batch=10, weight_decay=0.1)
    train_classifier("VGG11", images(), training, batch_norm=True, seed=0, width=2)
    assert seen == [(8 + 8 + 1, 0.1), (8, 0.0)]


def test_a_seed_fixes_a_network_and_its_order():
    given, training = images(n=12), ImageTraining(epochs=1, batch=6)
    first, again, other = (
        train_classifier("ResNet18", given, training, batch_norm=True, seed=seed, width=2)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.weights, again.weights)
    assert not np.allclose(first.weights, other.weights, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"name": "VGG12"}, "network"),
        ({"name": "ResNet18", "batch_norm": False}, "batch_norm"),
        ({"width": 1}, "width"),
        ({"seed": -1}, "seed"),
        ({"training": ImageTraining(1, batch=1)}, "batch"),
        ({"training": ImageTraining(1, rate=0.0)}, "rate"),
        ({"training": ImageTraining(0)}, "epochs"),
    ],
)
def test_bad_input_is_refused(change, parameter):
    given = {"name": "VGG11", "training": ImageTraining(1), "batch_norm": True, "seed": 0} | change
    with pytest.raises(InputError, match=parameter):
        train_classifier(given.pop("name"), images(n=6), given.pop("training"), **given)
