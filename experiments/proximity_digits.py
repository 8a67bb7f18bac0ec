"""Proximity to neural collapse on digits, with and without batch normalisation.

The experiment of `bnwd`, section 3, on data that ships with scikit-learn: one multilayer
perceptron of four linear layers and 64 features, several weight decays, with and without batch
normalisation, trained until no training error is left. What comes out are last-layer features,
labels and weights: the input of every bound on how near a network with near-optimal loss must be
to neural collapse. `experiments.training.networks` says how the networks are built and trained.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.training.data import digits
from experiments.training.networks import Architecture, check, train_networks
from experiments.training.runs import Run, save_runs

Progress = Callable[[int, int], None]

WEIGHT_DECAYS = (5e-4, 1e-3, 3e-3)
EPOCHS = 800
WIDTHS = (64, 64, 64)
LEARNING_RATE = 1e-2


def train(
    seed: int = 0,
    weight_decays: Sequence[float] = WEIGHT_DECAYS,
    epochs: int = EPOCHS,
    progress: Progress | None = None,
    device: str = "cpu",
) -> list[Run]:
    """Train with and without batch normalisation at every weight decay: two runs a decay.

    `seed` fixes the split and the initial weights, which all weight decays share: the same seed
    gives the same numbers on the same machine. `progress(done, total)` is called after every epoch
    of either batch of runs. Whether a run reached zero training error is for the caller to see:
    `Run.interpolates`. Raises InputError for a seed, weight decay, number of epochs or device
    outside its domain, and MissingDependencyError without torch or scikit-learn. Source: `bnwd`,
    section 3.
    """
    check(seed, weight_decays, epochs, device)
    data = digits(seed)
    runs = []
    for index, batch_norm in enumerate((True, False)):

        def report(done: int, offset: int = index * epochs) -> None:
            if progress is not None:
                progress(offset + done, 2 * epochs)

        name = "bn" if batch_norm else "plain"
        runs += train_networks(
            Architecture(f"{name} MLP", WIDTHS, batch_norm=batch_norm),
            data,
            name=name,
            data_name="digits",
            seed=seed,
            weight_decays=weight_decays,
            epochs=epochs,
            learning_rate=LEARNING_RATE,
            device=device,
            report=report,
        )
    return runs


def main(out: Path, seed: int = 0, device: str = "cpu", progress: Progress | None = None) -> Path:
    """Train all runs and write them to `proximity_digits.safetensors` in the folder `out`."""
    runs = train(seed, epochs=EPOCHS, progress=progress, device=device)
    for run in runs:
        print(
            f"{run.name}: train accuracy {run.train_accuracy:.4f}, test {run.test_accuracy:.4f}, "
            f"loss {run.history['loss'][-1]:.2e}, {run.seconds:.1f} s"
            + ("" if run.interpolates else "  (training error left)")
        )
    out.mkdir(parents=True, exist_ok=True)
    path = out / "proximity_digits.safetensors"
    save_runs(path, runs)
    return path
