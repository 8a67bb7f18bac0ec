"""What the experiments of `gnc` share: tasks and networks by name, and what is measured of each.

At small scale perceptrons read handwritten numbers, all seeds as one ensemble. With images of the
user's ("cifar10", "cifar100") ResNet18 trains, one network after the other. The text of the paper
names networks and data, not the optimiser: Adam at one setting is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from experiments.running import Place, Record
from experiments.training.data import Split, mnist
from experiments.training.folders import read_images
from experiments.training.handwriting import numbers, some_classes
from experiments.training.networks import Architecture, torch_module
from experiments.training.runs import Floats, Integers
from experiments.training.spheres import Seen, Sphere, SphereTraining, perceptrons, train_spheres
from ncbounds.codes.annealing import largest_inner_products, unit
from ncbounds.codes.catalogue import known
from ncbounds.codes.search import anneal, typical_gap
from ncbounds.codes.solver import enclosed_largest_inner_product
from ncbounds.errors import InputError
from ncbounds.measure import measure
from ncbounds.report.compare import compare

#: Widths of the hidden layers of the perceptrons by name; all have batch norm.
PERCEPTRONS = {"MLP3": (128, 128), "MLP5": (128, 128, 128, 128)}


@dataclass(frozen=True)
class Task:
    """Data and network: "numbers" or "mnist" for perceptrons, "cifar10", "cifar100" for ResNet18.

    `per_class` is what perceptrons train on of each class; images are all taken.
    """

    data: str = "numbers"
    network: str = "MLP3"
    per_class: int = 40
    classes: tuple[int, ...] = ()
    """Those that take part, where not all do."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """One network: who it is, its labels, and what is seen of it by epoch."""

    member: Sphere
    labels: Integers
    seen: dict[int, Seen]

    @property
    def end(self) -> Seen:
        """After the last epoch."""
        return self.seen[max(self.seen)]


def train_task(
    task: Task,
    members: Sequence[Sphere],
    d: int,
    training: SphereTraining,
    place: Place,
    *,
    at: Sequence[int] = (),
    fixed: Mapping[str, Floats] | None = None,
) -> list[Outcome]:
    """Train members on a task, each on the data of its own seed; `Sphere.data` is set here.

    Raises InputError for an unknown task and for images that are not in the user's folder.
    """
    torch = torch_module()
    threads = torch.get_num_threads()
    if place.device == "cpu" and task.network in PERCEPTRONS:
        torch.set_num_threads(1)
    try:
        if task.network in PERCEPTRONS:
            return _ensemble(task, members, d, training, place, at, fixed)
        return _images(task, members, d, training, place, at, fixed)
    finally:
        torch.set_num_threads(threads)


def splits(task: Task, seeds: Sequence[int]) -> list[Split]:
    """The data of perceptrons, one set a seed."""
    makers = {"numbers": numbers, "mnist": mnist}
    if task.data not in makers:
        raise InputError("data", task.data, f"one of {', '.join(makers)} for perceptrons")
    found = [makers[task.data](seed, task.per_class) for seed in seeds]
    return [some_classes(one, task.classes) for one in found] if task.classes else found


def _ensemble(
    task: Task,
    members: Sequence[Sphere],
    d: int,
    training: SphereTraining,
    place: Place,
    at: Sequence[int],
    fixed: Mapping[str, Floats] | None,
) -> list[Outcome]:
    seeds = sorted({m.seed for m in members})
    data = splits(task, seeds)
    placed = [Sphere(m.seed, m.temperature, m.head, seeds.index(m.seed)) for m in members]
    architecture = Architecture(task.network, PERCEPTRONS[task.network], outputs=d)
    trunk, _ = perceptrons(architecture, data, placed, place.device)
    seen = train_spheres(trunk, data, placed, training, d, fixed=fixed, at=at, device=place.device)
    return [
        Outcome(m, data[m.data].train_y, {epoch: found[k] for epoch, found in seen.items()})
        for k, m in enumerate(placed)
    ]


def _images(
    task: Task,
    members: Sequence[Sphere],
    d: int,
    training: SphereTraining,
    place: Place,
    at: Sequence[int],
    fixed: Mapping[str, Floats] | None,
) -> list[Outcome]:
    from experiments.training.residual import residual_trunk, some_images

    images = some_images(read_images(task.data, place.data), task.classes)
    found = []
    for member in members:
        trunk, data = residual_trunk(images, d, member.seed, place.device)
        seen = train_spheres(
            trunk, [data], [member], training, d, fixed=fixed, at=at, device=place.device
        )
        own = {epoch: networks[0] for epoch, networks in seen.items()}
        found.append(Outcome(member, data.train_y, own))
    return found


#: What is recorded of every network, by our names of metrics.
METRICS = (
    "gnc1", "gnc2", "gnc3", "nc1.spherical", "loss.hardmax", "loss.cross_entropy.spherical",
)  # fmt: skip
#: Guarantees by name: quantity, statement and reading of `ncbounds.compare`.
GUARANTEES = {
    "distance, mean loss": ("gnc2", "from the mean loss"),
    "distance, HardMax": ("gnc2", "from HardMax"),
    "variability, mean loss": ("nc1.spherical", "from the mean loss and the distances"),
    "variability, margins": ("nc1.spherical", "from the mean margins and the distances"),
}


def measured(seen: Seen, labels: Integers, temperature: float) -> Record:
    """Metrics and accuracies of one network."""
    found = measure(seen.features, labels, seen.weights, temperature=temperature).metrics
    return {
        **{name: found.get(name) for name in METRICS},
        "train_accuracy": seen.train_accuracy,
        "test_accuracy": seen.test_accuracy,
    }


def guaranteed(seen: Seen, labels: Integers, temperature: float) -> Record:
    """What its losses and margins guarantee: bounds, None where there is none or it is vacuous."""
    report = compare(seen.features, labels, seen.weights, temperature=temperature)
    bounds = {(b.quantity, b.reading): b for b in report.bounds if b.id.startswith("gnc:")}
    told = {name: bounds.get(key) for name, key in GUARANTEES.items()}
    return {name: None if b is None or b.vacuous else float(b.bound) for name, b in told.items()}


def by_seed(records: Sequence[Record]) -> list[int]:
    """The seeds of records, in order."""
    return sorted({r["seed"] for r in records})


def mean_and_spread(groups: Sequence[Sequence[float]]) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each group."""
    return np.array([np.mean(g) for g in groups]), np.array([np.std(g) for g in groups])


@cache
def code_distance(d: int, K: int) -> float:
    """A one-vs-rest distance that K unit vectors in R^d certainly have: known, or annealed here.

    One less the largest inner product is a lower bound for any code. Some thousandths less than
    `ncbounds.best_code` finds, in a thousandth of the time.

    >>> code_distance(3, 12) > 0.5527
    True
    """
    entry = known(d, K)
    if entry is not None:
        return float(entry.one_vs_rest)
    starts = unit(np.random.default_rng([d, K]).standard_normal((16, K, d)))
    found = anneal(starts, typical_gap(d, K), 0.0)
    best = unit(found[largest_inner_products(found).argmin()])
    return 1 - enclosed_largest_inner_product(best)[1]
