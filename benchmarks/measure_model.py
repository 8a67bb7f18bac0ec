"""A network measured over its loader: time beside bare passes, memory beside all features at once.

`python -m benchmarks.measure_model` prints both for growing numbers of samples, each way in a
process of its own: `measure_model`; all features collected, then `measure`; and the two passes of
the network that are the least one can do, without any metric.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Iterator
from typing import Any

import torch

from ncbounds.measure import measure, measure_model

INPUTS, WIDTH, CLASSES, BATCH = 128, 256, 100, 512


class Samples:
    """Batches that are drawn when they are asked for, the same each time."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        generator = torch.Generator().manual_seed(0)
        centres = torch.randn(CLASSES, INPUTS, generator=generator)
        for start in range(0, self.n, BATCH):
            labels = torch.arange(start, min(start + BATCH, self.n)) % CLASSES
            x = torch.randn(len(labels), INPUTS, generator=generator)
            yield centres[labels] + x, labels


def network() -> torch.nn.Sequential:
    """Three layers, as wide as what is measured."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(INPUTS, 4 * WIDTH),
        torch.nn.ReLU(),
        torch.nn.Linear(4 * WIDTH, WIDTH),
        torch.nn.ReLU(),
        torch.nn.Linear(WIDTH, CLASSES),
    ).eval()


def streamed(n: int) -> None:
    """What is offered."""
    measure_model(network(), Samples(n))


def collected(n: int) -> None:
    """What one writes first: keep all features."""
    net, features, labels = network(), [], []
    with torch.no_grad():
        for x, y in Samples(n):
            features.append(net[:-1](x))
            labels.append(y)
    measure(torch.cat(features), torch.cat(labels), net[-1].weight, net[-1].bias)


def bare(n: int) -> None:
    """Two passes of the network alone."""
    net = network()
    with torch.no_grad():
        for _ in range(2):
            for x, _ in Samples(n):
                net(x)


def _run(way: Any, n: int, answer: Any) -> None:
    torch.set_num_threads(1)
    way(BATCH)  # imports and compiled loops are not counted
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    way(n)
    seconds = time.process_time() - start
    answer.send((seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024))


def measured(way: Any, n: int) -> tuple[float, float]:
    """CPU seconds and MB beyond those of one batch, in a process of its own."""
    mine, its = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(way, n, its))
    process.start()
    found: tuple[float, float] = mine.recv()
    process.join()
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[10_000, 40_000, 160_000])
    print(f"d = {WIDTH}, K = {CLASSES}, batches of {BATCH}, float32, CPU seconds and MB")
    print("       n   two bare passes   measure_model         ratio   all features, measure")
    for n in parser.parse_args().samples:
        (least, _), (own, memory), (other, kept) = (
            measured(way, n) for way in (bare, streamed, collected)
        )
        print(
            f"{n:8}{least:12.2f} s{own:12.2f} s {memory:5.0f} MB{own / least:8.2f}"
            f"{other:12.2f} s {kept:5.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
