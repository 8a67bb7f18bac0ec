"""Who does the work of a campaign: this process, local processes, a Dask cluster, or a store.

A `Runner` applies a task to items and yields pairs (item, result) as they are done, in any order.
Processes and not threads share the work, since the precision of balls is one setting a process.
"""

from __future__ import annotations

import asyncio
import json
import os
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from ncbounds.campaign.ascent import torch_is_present
from ncbounds.campaign.chunks import Chunk, Findings
from ncbounds.campaign.fingerprint import claim_fingerprint, source_fingerprint, versions
from ncbounds.campaign.store import CampaignKey, Store
from ncbounds.errors import InputError, MissingDependencyError, NcboundsError
from ncbounds.theory.terms import Claim, Variant

Item = TypeVar("Item")
Result = TypeVar("Result")
#: Pairs of an item and its result, as they are done; closing it drops what is left.
Done: TypeAlias = Generator[tuple[Item, Result], None, None]

#: Seconds to wait for a Dask scheduler to answer, and chunks that a worker has at hand.
_PATIENCE, _AT_HAND = 10, 3


#: Held by the item in hand: where a worker has threads, they take turns.
_ALONE = Lock()


class Runner(Protocol):
    """Anything that does a task for each of some items, and yields results as they come."""

    def __call__(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Done[Item, Result]:
        """Yield (item, result) for each item, in the order in which they are done."""


def serial(task: Callable[[Item], Result], items: Sequence[Item]) -> Done[Item, Result]:
    """Do everything here, one item after the other."""
    for item in items:
        yield item, task(item)


def local(workers: int | None = None) -> Runner:
    """Return the runner of so many local processes (all cores without a number).

    Raises
    ------
    InputError
        When the number is below 1.
    """
    number = (os.cpu_count() or 1) if workers is None else workers
    if number < 1:
        raise InputError("workers", workers, "at least 1")
    if number == 1:
        return serial

    def run(task: Callable[[Item], Result], items: Sequence[Item]) -> Done[Item, Result]:
        from joblib import Parallel, delayed
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        parallel = Parallel(n_jobs=number, return_as="generator_unordered")
        results = parallel(delayed(_paired)(task, item) for item in items)
        try:
            # Not `yield from`, which would close the results outside of the `finally`.
            for done in results:  # noqa: UP028
                yield done
        except TerminatedWorkerError as error:
            lost = "a process died, killed or out of memory; what is in the store is kept"
            raise NcboundsError(lost) from error
        finally:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that what is left is dropped, as it should be
                results.close()

    return run


def _paired(task: Callable[[Item], Result], item: Item) -> tuple[Item, Result]:
    _settle()
    return item, task(item)


@cache
def _settle() -> None:
    """Import torch with the first item: a process that grows later looks as if it leaked."""
    if torch_is_present():
        import_module("torch")


# -- a cluster ------------------------------------------------------------------------------------


@contextmanager
def cluster(address: str) -> Iterator[Runner]:
    """Give the runner of a Dask cluster whose scheduler listens at an address.

    A worker that is lost costs only the chunks that it had: the scheduler gives them to another.
    Workers must run the same versions as this process.

    Raises
    ------
    MissingDependencyError
        When dask.distributed is not installed.
    InputError
        When no scheduler answers at the address.
    NcboundsError
        When a worker has other versions, or a chunk takes one worker after another down.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
        from distributed.comm import connect
    except ImportError as error:
        remedy = 'distributed is missing: pip install "ncbounds[distributed]"'
        raise MissingDependencyError(remedy) from error

    async def answer() -> None:
        await (await connect(address, timeout=_PATIENCE)).close()

    try:
        asyncio.run(answer())  # before there is a client, which is hard to be rid of
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        domain = "the address of a running Dask scheduler, such as tcp://host:8786"
        raise InputError("scheduler", address, domain) from error
    expected = _sources()

    def run(task: Callable[[Item], Result], items: Sequence[Item]) -> Done[Item, Result]:
        left = iter(items)

        def submit() -> Any:
            for item in left:
                return client.submit(_checked, expected, task, item, pure=False)
            return None

        hands = _AT_HAND * max(1, sum(client.nthreads().values()))
        first = [future for future in (submit() for _ in range(hands)) if future is not None]
        pending = as_completed(first, loop=client.loop)
        try:
            for future in pending:
                yield future.result()
                following = submit()
                if following is not None:
                    pending.add(following)
        except KilledWorker as error:
            raise NcboundsError(
                f"a chunk was lost with every worker that took it: {error}"
            ) from error
        finally:
            client.cancel(list(pending.futures))

    with client:
        yield run


@cache
def _sources() -> dict[str, str]:
    """What must be the same on every worker: versions, and the statements themselves."""
    return {**versions(), "theory": source_fingerprint("theory")}


def _checked(
    expected: dict[str, str], task: Callable[[Item], Result], item: Item
) -> tuple[Item, Result]:
    """Do an item on a worker of a cluster, if it runs what the campaign runs."""
    own = _sources()
    other = [name for name in expected if own[name] != expected[name]]
    if other:
        told = ", ".join(f"{name} {own[name]}, not {expected[name]}" for name in other)
        raise NcboundsError(f"a worker of the cluster has {told}")
    with _ALONE:
        return item, task(item)


# -- a store --------------------------------------------------------------------------------------


def remembered(run: Runner, store: Store, key: CampaignKey, resume: bool) -> Runner:
    """Return the runner that keeps what each chunk finds and, to resume, takes it from the store.

    Its items are chunks and its results findings.
    """

    def kept(task: Callable[[Item], Result], items: Sequence[Item]) -> Done[Item, Result]:
        missing = []
        for item in items:
            text = store.get(key, _name(cast(Chunk, item))) if resume else None
            if text is None:
                missing.append(item)
            else:
                yield item, cast(Result, Findings.from_dict(json.loads(text)))
        for item, result in run(task, missing):
            chunk, found = cast(Chunk, item), json.dumps(cast(Findings, result).to_dict())
            first = chunk.index * chunk.instances
            store.put(key, _name(chunk), first, first + chunk.instances - 1, found)
            yield item, result

    return kept


def campaign_key(id: str, variant: Variant, claim: Claim, seed: int) -> CampaignKey:
    """Say where a store keeps the campaign of one wording of a statement."""
    environment = json.dumps(versions(), sort_keys=True)
    return CampaignKey(
        id, variant.name, variant.reading, claim_fingerprint(claim), environment, seed
    )


def _name(chunk: Chunk) -> str:
    return json.dumps(chunk.to_dict(), sort_keys=True)


def in_order(items: Sequence[Item], results: Iterator[tuple[Item, Result]]) -> Done[Item, Result]:
    """Yield results in the order of the items, each as soon as all before it are there."""
    waiting: dict[Item, Result] = {}
    left = iter(items)
    expected = next(left, None)
    for item, result in results:
        waiting[item] = result
        while expected in waiting:
            yield expected, waiting.pop(expected)
            expected = next(left, None)
