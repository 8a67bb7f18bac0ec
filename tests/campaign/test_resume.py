"""A campaign that was killed goes on from its store and ends as if nothing had happened."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutants.planting import changed, claim_of, rhs

from ncbounds.campaign import search
from ncbounds.campaign.certify import Counterexample
from ncbounds.campaign.chunks import Findings, Lead, Tight, explore, read, written
from ncbounds.campaign.search import CHUNK, Effort, plan, run_campaign
from ncbounds.campaign.store import Store
from ncbounds.campaign.workers import campaign_key, remembered, serial
from ncbounds.theory import statement

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("resume")

LEMMA = statement("bnwd:lemma-2.1").variants[0]
#: Chunks of this process hold few instances, so that there are many for little work.
FEW = 1024
EFFORT = Effort(instances=4 * FEW, ascents=0)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(search, "CHUNK", FEW)


def rows(path):
    """Chunk and time of writing of every row, without touching the file."""
    if not path.exists():
        return {}
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        try:
            return dict(connection.execute("SELECT campaign || chunk, written FROM chunk"))
        except sqlite3.OperationalError:  # locked just now
            return {}


# -- a process that is killed ---------------------------------------------------------------------

#: A wording that is searched to the end: some seconds of work.
COMMAND = (
    *(sys.executable, "-m", "ncbounds", "campaign", "square:theorem-4", "--variant", "sharp"),
    *("--reading", "second moments"),
    *("--instances", str(30 * CHUNK), "--ascents", "1", "--seed", "4", "--workers", "1", "--json"),
)


def finished(*arguments):
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The store of a campaign that was killed on its way, and its rows at that time."""
    path = tmp_path_factory.mktemp("killed") / "store.sqlite"
    process = subprocess.Popen(
        [*COMMAND, "--store", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    end = time.monotonic() + 60
    while len(rows(path)) < 5 and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    out, err = process.communicate()
    assert process.returncode == -signal.SIGKILL and (out, err) == (b"", b"")
    return path, rows(path)


def test_a_killed_campaign_that_is_resumed_prints_what_an_undisturbed_one_prints(killed, tmp_path):
    path, before = killed
    time.sleep(1.1)  # stamps are in whole seconds: what is written from here on shows
    resumed = finished("--store", str(path), "--resume")
    after = rows(path)
    assert 5 <= len(before) < len(after)
    assert {chunk: after[chunk] for chunk in before} == before
    assert min(after[chunk] for chunk in after.keys() - before) > max(before.values())
    print(f"killed with {len(before)} of {len(after)} chunks in the store; none was done again")
    undisturbed = tmp_path / "undisturbed.sqlite"
    assert resumed == finished("--store", str(undisturbed))
    assert rows(undisturbed).keys() == after.keys()


# -- what is taken from a store -------------------------------------------------------------------


def counting(done):
    """The serial runner, noting in a list what it does."""

    def run(task, items):
        for item, result in serial(task, items):
            done.append(item)
            yield item, result

    return run


def stored(path, claim, effort, resume, seed=0):
    """The result of a campaign through a store, and the chunks that it had to do."""
    done = []
    with Store(path) as store:
        key = campaign_key("bnwd:lemma-2.1", LEMMA, claim, seed)
        run = remembered(counting(done), store, key, resume)
        found = run_campaign(claim, effort, seed, run)
    return found, done


def same(first, second):
    return first.to_dict() == second.to_dict() and all(
        np.array_equal(values, second.tightest[conclusion][name])
        for conclusion, instance in first.tightest.items()
        for name, values in instance.items()
    )


def test_a_finished_campaign_is_resumed_without_work(tmp_path):
    first, done = stored(tmp_path / "s", LEMMA.claim, EFFORT, resume=False)
    again, redone = stored(tmp_path / "s", LEMMA.claim, EFFORT, resume=True)
    assert done == list(plan(LEMMA.claim, EFFORT)) and redone == []
    assert same(first, again) and same(first, run_campaign(LEMMA.claim, EFFORT, 0))


def test_a_longer_campaign_takes_the_whole_chunks_of_a_shorter_one(tmp_path):
    shorter = replace(EFFORT, instances=2 * FEW + 100)
    _, short = stored(tmp_path / "s", LEMMA.claim, shorter, resume=False)
    longer, added = stored(tmp_path / "s", LEMMA.claim, EFFORT, resume=True)
    assert [chunk.index for chunk in added] == [2, 3]
    assert short[-1].instances == 100 and {c.instances for c in added} == {FEW}
    assert same(longer, run_campaign(LEMMA.claim, EFFORT, 0))


def test_without_resume_nothing_is_read_from_the_store(tmp_path, monkeypatch):
    first, done = stored(tmp_path / "s", LEMMA.claim, EFFORT, resume=False)
    monkeypatch.setattr(Store, "get", lambda *_: pytest.fail("read from the store"))
    again, redone = stored(tmp_path / "s", LEMMA.claim, EFFORT, resume=False)
    assert redone == done and same(first, again)


def test_results_of_another_claim_seed_or_version_are_not_served(tmp_path, monkeypatch):
    path = tmp_path / "s"
    _, done = stored(path, LEMMA.claim, EFFORT, resume=True)
    tighter = changed(LEMMA.claim, "upper", rhs(99, 100))
    refuted, anew = stored(path, tighter, EFFORT, resume=True)
    assert anew and refuted.counterexample is not None
    _, other_seed = stored(path, LEMMA.claim, EFFORT, resume=True, seed=1)
    assert other_seed == done
    monkeypatch.setattr("ncbounds.campaign.workers.versions", lambda: {"numpy": "0"})
    _, other_version = stored(path, LEMMA.claim, EFFORT, resume=True)
    assert other_version == done


def test_rows_put_under_another_claim_poison_nothing(tmp_path):
    path, chunks = tmp_path / "s", list(plan(LEMMA.claim, EFFORT))
    tighter = changed(LEMMA.claim, "upper", rhs(99, 100))
    wrong = json.dumps(explore(tighter, 0, chunks[0]).to_dict())
    assert json.loads(wrong)["broken"]
    with Store(path) as store:
        key = campaign_key("bnwd:lemma-2.1", LEMMA, tighter, 0)
        for chunk in chunks:
            store.put(key, json.dumps(chunk.to_dict(), sort_keys=True), 0, 0, wrong)
    found, done = stored(path, LEMMA.claim, EFFORT, resume=True)
    assert done == chunks and found.counterexample is None


def test_a_refuted_campaign_resumes_to_the_same_counterexample(tmp_path):
    claim = claim_of("bnwd:lemma-a.4", "printed", "squared norm, last line of the proof")
    first, done = stored(tmp_path / "s", claim, EFFORT, resume=False)
    again, redone = stored(tmp_path / "s", claim, EFFORT, resume=True)
    assert done and not redone
    assert first.counterexample.to_dict() == again.counterexample.to_dict()


# -- exact numbers as text ------------------------------------------------------------------------

_EXTREME = [5e-324, -5e-324, 2.2250738585072014e-308, 1e308, -1.7976931348623157e308, 0.1, 1 / 3]
_FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(_EXTREME)
_NUMBERS = st.fractions() | st.integers().map(Fraction) | _FLOATS.map(Fraction)
_SHAPES = st.sampled_from([(), (1,), (3,), (2, 2), (1, 2, 3)])


@st.composite
def arrays(draw):
    shape = draw(_SHAPES)
    size = int(np.prod(shape))
    values = np.empty(size, dtype=object)
    values[:] = draw(st.lists(_NUMBERS, min_size=size, max_size=size))
    return values.reshape(shape)


INSTANCES = st.dictionaries(st.sampled_from(["x", "lambda_", "epsilon"]), arrays(), min_size=1)
RATIOS = st.floats(0, 1)


def through_json(data):
    return json.loads(json.dumps(data, allow_nan=False))


def equal(first, second):
    """Whether two exact instances are the same, entry by entry, in type too."""
    return first.keys() == second.keys() and all(
        values.shape == second[name].shape
        and values.dtype == second[name].dtype == object
        and all(type(v) is Fraction for v in second[name].ravel())
        and bool(np.all(values == second[name]))
        for name, values in first.items()
    )


@given(INSTANCES)
def test_exact_instances_survive_as_text(instance):
    assert equal(instance, read(through_json(written(instance))))


@pytest.mark.parametrize("value", [*_EXTREME, 1e-300, 2.0**-1074 * 3, 1e16 + 2])
def test_a_float_is_written_exactly(value):
    instance = {"x": np.array(Fraction(value), dtype=object)}
    assert read(through_json(written(instance)))["x"].item() == Fraction(value)


def test_a_number_beyond_floats_is_written_exactly():
    instance = {"x": np.array([Fraction(10**400, 3), Fraction(1, 10**400)], dtype=object)}
    assert equal(instance, read(through_json(written(instance))))


COUNTEREXAMPLES = st.builds(
    Counterexample,
    INSTANCES,
    st.text(),
    st.sampled_from(["<=", "="]),
    st.just("[1.5 +/- 1e-9]"),
    st.just("1"),
    st.sampled_from([128, 512]),
)


@given(
    counts=st.tuples(*[st.integers(0, 10**9)] * 4),
    broken=st.none() | COUNTEREXAMPLES,
    lead=st.none() | st.builds(Lead, st.text(), RATIOS, INSTANCES),
    examples=st.lists(INSTANCES, max_size=2),
    tight=st.dictionaries(st.text(), st.builds(Tight, RATIOS, INSTANCES), max_size=2),
)
def test_findings_survive_json_exactly(counts, broken, lead, examples, tight):
    drawn, met, leads, unfollowed = counts
    kept = Findings(drawn, met, leads, broken, lead, unfollowed, examples, tight)
    back = Findings.from_dict(through_json(kept.to_dict()))
    assert (back.drawn, back.met, back.leads, back.unfollowed) == counts
    assert (back.broken and plain(back.broken)) == (broken and plain(broken))
    assert broken is None or equal(back.broken.instance, broken.instance)
    assert (back.lead is None) == (lead is None) and len(back.examples) == len(examples)
    if lead is not None:
        assert (back.lead.comparison, back.lead.size) == (lead.comparison, lead.size)
        assert equal(lead.instance, back.lead.instance)
    assert all(equal(one, other) for one, other in zip(examples, back.examples, strict=True))
    assert {name: one.ratio for name, one in back.tight.items()} == {
        name: one.ratio for name, one in tight.items()
    }
    assert all(equal(one.instance, back.tight[name].instance) for name, one in tight.items())


def plain(found):
    return {name: value for name, value in vars(found).items() if name != "instance"}


def test_a_process_environment_says_nothing_of_the_campaign():
    key = campaign_key("bnwd:lemma-2.1", LEMMA, LEMMA.claim, 0)
    program = (
        "from ncbounds.campaign.workers import campaign_key; from ncbounds.theory import statement;"
        "v = statement('bnwd:lemma-2.1').variants[0];"
        "print(campaign_key('bnwd:lemma-2.1', v, v.claim, 0))"
    )
    for hashing in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hashing}
        command = [sys.executable, "-c", program]
        told = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        assert told.stdout == f"{key}\n"
