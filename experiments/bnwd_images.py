"""Cosine similarity against weight decay for convolutional networks on images.

Figures 3 and B.2.2 of `bnwd`. At the paper's scale VGG11, VGG19 and ResNet18 learn MNIST, CIFAR-10
and CIFAR-100 from a folder of the user's, with the epochs and subsets of appendix B.2.1; batch size
and learning rate are not printed and are ours, and images are not augmented. At the small scale
networks of two convolutions and two dense layers, CNN4, learn digits and a subset of MNIST that
ship in packages; batch norm stands behind each activation there, as the theory has it, and in front
of it in VGG and ResNet. Beside every network stands what its loss and norms guarantee, as in
`experiments.bnwd`.

At the small scale's 40 epochs all networks with batch norm fit their data and most of those without
do not at any weight decay: there the two kinds are compared at equal training, not at equal loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from experiments import bnwd
from experiments.bnwd import curve, measured, measured_ensemble, places
from experiments.running import Experiment, Finding, Part, Place, Record
from experiments.training.data import digits, mnist
from experiments.training.ensemble import Member, Training
from experiments.training.folders import Bytes, Images, read_images
from experiments.training.networks import Architecture
from experiments.training.runs import Integers
from experiments.training.vision import NETWORKS, ImageTraining, train_classifier
from ncbounds.errors import InputError

#: Data sets that ship in packages, and those of the user's, by their names in `folders`.
SHIPPED = {"digits": digits, "MNIST subset": mnist}
OF_THE_USER = {"MNIST": "mnist", "CIFAR-10": "cifar10", "CIFAR-100": "cifar100"}
#: Channels of the convolutions and width of the dense layer of the network that learns the former.
CNN4 = ((8, 16), 32)
#: Networks that have no counterpart without batch norm.
_ALWAYS_NORMALISED = ("ResNet18",)
_LEAST_SIDE = 32


@dataclass(frozen=True)
class Plan:
    """A network on a data set; `per_class` of the training samples are drawn, all if 0."""

    data: str
    network: str
    epochs: int
    per_class: int = 0


@dataclass(frozen=True)
class Settings:
    """What is trained; `width` is the number of channels of the first convolution of `vision`."""

    plans: tuple[Plan, ...]
    decays: tuple[float, ...]
    batch: int
    rate: float
    width: int = 64


SCALES = {
    "small": Settings(
        plans=(Plan("digits", "CNN4", 40, 50), Plan("MNIST subset", "CNN4", 40, 50)),
        decays=tuple(float(f"{w:.4g}") for w in np.geomspace(1e-4, 1e-1, 7)),
        batch=50,
        rate=3e-3,
    ),
    "paper": Settings(
        plans=(
            *(Plan(data, name, 200) for data in OF_THE_USER for name in ("VGG11", "VGG19")),
            Plan("MNIST", "ResNet18", 100, 800),
            Plan("CIFAR-10", "ResNet18", 100, 800),
            Plan("CIFAR-100", "ResNet18", 100),
        ),
        decays=tuple(float(f"{w:.4g}") for w in np.geomspace(1e-4, 1e-1, 15)),
        batch=128,
        rate=1e-3,
    ),
}


def parts(settings: Settings, seeds: Sequence[int]) -> list[Part]:
    """All seeds and weight decays of a small network at once, and one large network each."""
    found: list[Part] = []
    for plan in settings.plans:
        about = {"data": plan.data, "network": plan.network}
        kinds = (True,) if plan.network in _ALWAYS_NORMALISED else (True, False)
        if plan.network == "CNN4":
            found += [{**about, "batch_norm": kind, "seeds": list(seeds)} for kind in kinds]
        else:
            found += [
                {**about, "batch_norm": kind, "seed": seed, "decay": decay}
                for seed in seeds
                for kind in kinds
                for decay in settings.decays
            ]
    return found


def compute(part: Part, settings: Settings, place: Place) -> list[Record]:
    """Train one network, or one ensemble of them, and measure it."""
    (plan,) = (p for p in settings.plans if (p.data, p.network) == (part["data"], part["network"]))
    train = _small_networks if plan.network == "CNN4" else _large_network
    facts = {key: part[key] for key in ("data", "network", "batch_norm")}
    return [{**facts, **found} for found in train(plan, part, settings, place)]


def _small_networks(plan: Plan, part: Part, settings: Settings, place: Place) -> list[Record]:
    data = [SHIPPED[plan.data](seed, plan.per_class) for seed in part["seeds"]]
    channels, width = CNN4
    architecture = Architecture(plan.network, (width,), channels, part["batch_norm"])
    members = [
        Member(seed, decay, settings.rate, data=index)
        for index, seed in enumerate(part["seeds"])
        for decay in settings.decays
    ]
    training = Training(plan.epochs, settings.batch)
    found = measured_ensemble(architecture, data, members, training, place.device)
    return [{"layers": 4, **one} for one in found]


def _large_network(plan: Plan, part: Part, settings: Settings, place: Place) -> list[Record]:
    images = _images(plan.data, plan.per_class, part["seed"], place.data)
    found = train_classifier(
        plan.network,
        images,
        ImageTraining(plan.epochs, settings.batch, settings.rate, part["decay"]),
        batch_norm=part["batch_norm"],
        seed=part["seed"],
        width=settings.width,
        device=place.device,
    )
    facts = {"seed": part["seed"], "decay": part["decay"], "layers": NETWORKS[plan.network]}
    errors = {"train_error": found.train_error, "test_error": found.test_error}
    return [{**facts, **errors, **measured(found.features, images.train_y, found.weights)}]


@lru_cache(maxsize=1)
def _images(data: str, per_class: int, seed: int, folder: Path | None) -> Images:
    """Images of the user's, 32 x 32 pixels or more."""
    found = read_images(OF_THE_USER[data], folder)
    chosen = _balanced(found.train_y, per_class, seed) if per_class else slice(None)
    train_x, test_x = (_framed(v) for v in (found.train_x[chosen], found.test_x))
    return Images(train_x, found.train_y[chosen], test_x, found.test_y)


def _balanced(labels: Integers, per_class: int, seed: int) -> Integers:
    """The places of so many random samples of each class."""
    fewest = int(np.bincount(labels).min())
    if per_class > fewest:
        raise InputError("per_class", per_class, f"at most {fewest}, the smallest class")
    rng = np.random.default_rng(seed)
    own = [np.flatnonzero(labels == c) for c in range(int(labels.max()) + 1)]
    return np.sort(np.concatenate([rng.permutation(one)[:per_class] for one in own]))


def _framed(x: Bytes) -> Bytes:
    """Images in a frame of zeros where they are smaller than 32 x 32 pixels."""
    gaps = [max(_LEAST_SIDE - side, 0) for side in x.shape[2:]]
    return np.pad(x, ((0, 0), (0, 0), *((gap // 2, gap - gap // 2) for gap in gaps)))


# -- what is seen ----------------------------------------------------------------------------------


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """The claims of `experiments.bnwd` where both kinds are trained, and that of figure 3."""
    both = [r for r in records if r["network"] not in _ALWAYS_NORMALISED]
    seeds = sorted({r["seed"] for r in both})

    def less_pronounced(seed: int) -> float:
        ranges = []
        for at in places(both):
            fitted = [r for r in curve(both, seed, True, *at) if r["train_error"] == 0]
            for name, sign in (("cosine.intra.min", 1), ("cosine.inter.max", -1)):
                values = [float(r[name]) for r in fitted]
                ranges.append(sign * (max(values) - min(values)) if values else 0.0)
        return 2 * float(np.mean(ranges)) if ranges else 0.0

    return [
        *bnwd.findings(both, settings),
        Finding(
            "bnwd Fig. 3",
            "weight decay moves inter-class cosines less than intra-class ones",
            tuple(less_pronounced(seed) for seed in seeds),
            "range of the least intra-class cosine less that of the largest inter-class one,"
            " with batch norm while interpolating",
        ),
    ]


EXPERIMENT = Experiment(
    "bnwd-images",
    "bnwd Fig. 3",
    __doc__.partition("\n")[0],
    SCALES,
    parts,
    compute,
    findings,
    {"bnwd_images": bnwd.figure},
    bnwd.table,
)
