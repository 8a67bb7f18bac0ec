"""Whoever does the work, a campaign finds the same: any runner, any order, workers that die."""

import gc
import os
import random
import signal
import time
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutants.planting import claim_of

from ncbounds.arithmetic import balls
from ncbounds.campaign import workers
from ncbounds.campaign.certify import as_text
from ncbounds.campaign.search import CHUNK, Effort, Tally, plan, run_campaign
from ncbounds.campaign.workers import cluster, in_order, local, serial
from ncbounds.errors import InputError, NcboundsError

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("workers")

TRUE = ("bnwd:lemma-2.1", "printed", "f - (m/2) x^2 is convex")
REFUTED = ("bnwd:lemma-a.4", "printed", "squared norm, last line of the proof")
EFFORTS = {
    TRUE: Effort(instances=CHUNK + 512, ascents=1, restarts=4, steps=5),
    REFUTED: Effort(instances=2 * CHUNK, ascents=0),
}
SEED = 3


def run_with(runner, key, effort=None, progress=None):
    """All that a campaign found, as plain data."""
    found = run_campaign(claim_of(*key), effort or EFFORTS[key], SEED, runner, progress)
    broken = found.counterexample and found.counterexample.to_dict()
    tightest = {name: as_text(instance) for name, instance in found.tightest.items()}
    lead = found.lead and (found.lead.comparison, found.lead.size, as_text(found.lead.instance))
    return found.to_dict(), broken, tightest, lead


@cache
def alone(key, effort=None):
    """What the campaign finds in one process."""
    return run_with(serial, key, effort)


def backwards(task, items):
    """Do the last item first."""
    yield from [(item, task(item)) for item in items][::-1]


def shuffled(task, items):
    """Do the items in some order."""
    results = [(item, task(item)) for item in items]
    random.Random(5).shuffle(results)
    yield from results


def distributed_cluster(count, threads=1):
    """A scheduler and so many worker processes on this machine."""
    distributed = pytest.importorskip("distributed")
    return distributed.LocalCluster(
        n_workers=count,
        threads_per_worker=threads,
        processes=True,
        dashboard_address=":0",
        silence_logs=50,
    )


@pytest.fixture(scope="module")
def address():
    """Where a scheduler with two worker processes of one thread each listens."""
    with distributed_cluster(2) as running:
        yield running.scheduler_address


@contextmanager
def observer(address):
    """A client of its own, to look at the cluster from outside."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        yield client


@pytest.fixture
def no_client_left():
    """Collect clients that found no scheduler here, and not in the thread of a later one."""
    yield
    gc.collect()


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


# -- the same campaign ----------------------------------------------------------------------------

RUNNERS = {"local(1)": local(1), "local(2)": local(2), "backwards": backwards, "shuffled": shuffled}


def test_the_two_campaigns_have_work_for_every_stage_and_opposite_outcomes():
    true, broken, tightest, _ = alone(TRUE)
    assert set(true["stages"]) == {"degenerate", "random", "ascent"}
    assert broken is None and tightest
    assert alone(REFUTED)[1] is not None


@pytest.mark.parametrize("key", [TRUE, REFUTED], ids=["true", "refuted"])
@pytest.mark.parametrize("runner", RUNNERS)
def test_every_runner_finds_what_one_process_finds(runner, key):
    assert run_with(RUNNERS[runner], key) == alone(key)


@pytest.mark.slow
@pytest.mark.parametrize("key", [TRUE, REFUTED], ids=["true", "refuted"])
def test_a_cluster_finds_what_one_process_finds(address, key):
    with cluster(address) as run:
        assert run_with(run, key) == alone(key)


@pytest.mark.slow
def test_one_cluster_runner_serves_one_campaign_after_the_other(address):
    effort = Effort(instances=CHUNK, ascents=0)
    with cluster(address) as run:
        assert [run_with(run, key, effort) for key in (REFUTED, TRUE)] == [
            alone(key, effort) for key in (REFUTED, TRUE)
        ]


def test_a_runner_says_which_item_a_result_is_of():
    for runner in RUNNERS.values():
        assert dict(runner(partial(pow, 2), range(5))) == {n: 2**n for n in range(5)}


# -- stopping early -------------------------------------------------------------------------------


def folded(runner, chunks):
    """The chunks that a tally adds."""
    return list(Tally(claim_of(*REFUTED), SEED).add_all(chunks, runner))


def broken_first():
    """The chunks of a refuted claim, and the number up to the first that refutes it."""
    chunks = list(plan(claim_of(*REFUTED), EFFORTS[REFUTED]))
    count = len(folded(serial, chunks))
    assert 1 < count < len(chunks)
    return chunks, count


@pytest.mark.parametrize("runner", ["local(1)", "backwards", "shuffled"])
def test_after_a_counterexample_no_later_chunk_is_added(runner):
    chunks, count = broken_first()
    assert folded(RUNNERS[runner], chunks) == chunks[:count]


def test_after_a_counterexample_one_process_does_no_later_chunk():
    chunks, count = broken_first()
    done = []

    def noted(task, items):
        for item in items:
            done.append(item)
            yield item, task(item)

    folded(noted, chunks)
    assert done == chunks[:count]


@pytest.mark.slow
def test_after_a_counterexample_the_cluster_is_left_without_work(address):
    chunks, count = broken_first()
    with cluster(address) as run, observer(address) as seen:
        assert folded(run, chunks) == chunks[:count]
        assert wait_until(lambda: not any(seen.processing().values()), seconds=20)


@given(st.permutations(range(7)))
def test_results_come_in_order_and_each_as_soon_as_all_before_it_are_there(arrival):
    arrived = []

    def arriving():
        for item in arrival:
            arrived.append(item)
            yield item, -item

    yielded = []
    for item, result in in_order(range(7), arriving()):
        assert result == -item
        yielded.append(item)
        first_complete = next(n for n in range(8) if set(range(item + 1)) <= set(arrival[:n]))
        assert len(arrived) == first_complete
    assert yielded == list(range(7))


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, -1])
def test_fewer_than_one_process_is_refused(number):
    with pytest.raises(InputError, match=f"workers = {number}: must be at least 1"):
        local(number)


@pytest.mark.usefixtures("no_client_left")
@pytest.mark.parametrize(
    "wrong",
    ["tcp://127.0.0.1:1", "nonsense", "gopher://127.0.0.1:8786", "tcp://127.0.0.1:port", ""],
)
def test_an_address_without_scheduler_is_refused_when_patience_ends(wrong, monkeypatch):
    pytest.importorskip("distributed")
    assert workers._PATIENCE <= 10
    monkeypatch.setattr(workers, "_PATIENCE", 1)
    start = time.monotonic()
    with pytest.raises(InputError, match="scheduler = ") as refusal, cluster(wrong):
        pass
    assert time.monotonic() - start < 8
    assert "\n" not in str(refusal.value)


def test_workers_of_other_versions_are_refused(address, monkeypatch):
    other = {**workers._sources(), "numpy": "0.0.1"}
    monkeypatch.setattr(workers, "_sources", lambda: other)
    wrong = pytest.raises(NcboundsError, match=r"worker .* has numpy .*, not 0\.0\.1")
    with wrong as refusal, cluster(address) as run:
        run_with(run, TRUE)
    assert "\n" not in str(refusal.value)


# -- workers that die -----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_costs_nothing_but_time():
    effort = Effort(instances=40 * CHUNK, ascents=0)
    told = {}

    with distributed_cluster(2) as own, observer(own.scheduler_address) as seen:

        def kill_one(done, total):
            if told or done < 4:
                return
            held = (seen.processing(), seen.has_what())
            busy = {where: sum(len(h.get(where, ())) for h in held) for where in seen.nthreads()}
            victim = max(busy, key=busy.get)
            if not busy[victim]:  # everything is home already; the next chunk asks again
                return
            pid = seen.run(os.getpid, workers=[victim])[victim]
            os.kill(pid, signal.SIGKILL)
            told.update(pid=pid, lost=busy[victim], done=done, total=total, victim=victim)

        with cluster(own.scheduler_address) as run:
            found = run_with(run, TRUE, effort, kill_one)
        survivors = seen.run(os.getpid)

    assert told["lost"] > 0 and told["done"] < told["total"]
    assert told["pid"] not in survivors.values()
    assert not Path(f"/proc/{told['pid']}/stat").exists()
    print(
        f"killed process {told['pid']} after {told['done']} of {told['total']} chunks, "
        f"with {told['lost']} in its hands"
    )
    assert found == alone(TRUE, effort)


def die(item):
    """Take the process down that does this."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_an_item_that_takes_every_worker_down_is_told_in_one_line(address):
    with observer(address) as seen:
        seen.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 0))
        with cluster(address) as run, pytest.raises(NcboundsError, match="lost") as refusal:
            list(run(die, [1]))
        seen.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 3))
        assert wait_until(lambda: len(seen.nthreads()) == 2, seconds=30)
    assert "\n" not in str(refusal.value)


def test_a_local_process_that_dies_is_told_in_one_line():
    with pytest.raises(NcboundsError) as refusal:
        list(local(2)(die, [1, 2]))
    assert "\n" not in str(refusal.value)


# -- threads --------------------------------------------------------------------------------------


def keeps_its_precision(bits):
    """Tell whether the precision of balls stays what an item set it to."""
    from flint import ctx

    with balls.precision(bits):
        time.sleep(0.05)
        return ctx.prec == bits


@pytest.mark.slow
def test_a_worker_of_two_threads_is_refused_or_does_one_item_at_a_time():
    with distributed_cluster(1, threads=2) as own, cluster(own.scheduler_address) as run:
        try:
            kept = dict(run(keeps_its_precision, range(60, 80)))
        except NcboundsError as refusal:
            assert "thread" in str(refusal)
        else:
            assert all(kept.values())
