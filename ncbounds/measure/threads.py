"""Share a batch among threads: each adds samples of its own classes to the same sums.

No two threads touch one row of the sums, so that these exist once however many threads there are.
There are as many as BLAS may have, which has one for each of them meanwhile: its own threads cost
more than the products of a small block.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import cache
from typing import Any, TypeVar

import numpy as np

from ncbounds.measure.door import Indices
from ncbounds.measure.moments import LEAST, FirstPass, SecondPass

Sums = TypeVar("Sums", FirstPass, SecondPass)
#: A batch of fewer numbers is not worth a second thread.
_SHARED_FROM = 2**16


def in_threads(add: Callable[[Sums, Indices], None], total: Sums, index: Indices, d: int) -> None:
    """Call `add` with the sums and the places of samples in the order of their classes.

    Parameters:
        add: adds the samples at the given places to the sums.
        total: the sums.
        index: class of each sample, (n,).
        d: dimension of the samples.
    """
    # Short integers are sorted by their digits.
    short = index.astype(np.int16) if index.max() < 2**15 else index
    order, threads = np.argsort(short, kind="stable"), thread_count()
    if threads == 1:
        add(total, order)
        return
    with _blas().limit(limits=1):
        parts = _between_classes(order, index, threads if len(index) * d >= _SHARED_FROM else 1)
        if len(parts) == 1:
            add(total, order)
        else:
            _add_parts(add, total, parts)


def _add_parts(add: Callable[[Sums, Indices], None], total: Sums, parts: Sequence[Indices]) -> None:
    # Arrays by class are shared; numbers of all samples are gathered.
    single = [f.name for f in fields(total) if getattr(total, f.name).shape == (1,)]
    shares = [replace(total, **{k: getattr(total, k).copy() for k in single}) for _ in parts]
    pairs = zip(shares[1:], parts[1:], strict=True)
    others = [_workers(len(parts) - 1).submit(add, *pair) for pair in pairs]
    try:
        add(shares[0], parts[0])
    finally:
        wait(others)
    for other in others:
        other.result()
    for name in single:
        extreme = np.minimum if name in LEAST else np.maximum
        getattr(total, name)[:] = extreme.reduce([getattr(share, name) for share in shares])


@cache
def _workers(number: int) -> ThreadPoolExecutor:
    """Threads that wait for work: to start one costs a third of a millisecond, as a batch may."""
    return ThreadPoolExecutor(number)


if hasattr(os, "register_at_fork"):  # a forked process has none of the threads
    os.register_at_fork(after_in_child=_workers.cache_clear)


@contextmanager
def one_thread(size: int) -> Iterator[None]:
    """BLAS with one thread, for matrices that are too small to share."""
    if size >= _SHARED_FROM or thread_count() == 1:
        yield
        return
    with _blas().limit(limits=1):
        yield


def _between_classes(order: Indices, index: Indices, parts: int) -> list[Indices]:
    """Cut the sorted places into parts nearly equal, none of which shares a class with another."""
    classes = index[order]
    wanted = np.arange(1, parts) * len(order) // parts
    below, above = (np.searchsorted(classes, classes[wanted], side) for side in ("left", "right"))
    cuts = np.unique(np.where(wanted - below <= above - wanted, below, above))
    return [part for part in np.split(order, cuts) if len(part)]


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


def thread_count() -> int:
    """How many threads BLAS may have."""
    return max([library["num_threads"] for library in _blas().info()], default=1)
