"""The campaign command: what it prints, what it selects, what it refuses, when it fails."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from ncbounds.theory import statement
from ncbounds.theory.terms import Claim, Comparison, Field, Judgement, Source, Statement, Variant

PROPOSITION = "bnwd:proposition-a.1"
LEMMA = "bnwd:lemma-2.1"
CODE = "gnc:theorem-3.9"
SMALL = ("--instances", "512", "--ascents", "0", "--workers", "1")


@pytest.fixture
def campaign(called, tmp_path):
    """Run the command with a store of its own; returns status, output and error."""

    def run(*arguments, store=tmp_path / "store.sqlite"):
        done = called("campaign", *arguments, "--store", str(store))
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def found(campaign):
    """Run the command with --json; returns its data."""

    def run(*arguments):
        status, out, err = campaign(*arguments, *SMALL, "--json")
        assert (status, err) == (0, "")
        return json.loads(out)

    return run


def never_positive(xp, *, x):
    """A false claim: every positive number is at most zero."""
    return Judgement((), (Comparison("not positive", x, 0 * x),))


FALSE = Claim(never_positive, (Field("x", (), "positive"),))


@pytest.fixture
def register(monkeypatch):
    """Make a statement of some variants the only one; returns its id."""

    def plant(*variants):
        id = "gnc:remark-planted"
        only = Statement(id, "remark", "", Source("gnc", ""), "planted", variants)
        monkeypatch.setattr("ncbounds.theory.statements", lambda: {id: only})
        return id

    return plant


# -- output ---------------------------------------------------------------------------------------


def test_the_screen_shows_counts_counterexample_tightness_and_store(campaign, tmp_path):
    status, out, err = campaign(PROPOSITION, *SMALL)
    assert (status, err) == (0, "")
    assert f"{PROPOSITION}: instances that met the hypotheses, of those drawn" in out
    for column in ("wording", "degenerate", "random", "ascent", "leads", "outcome", "chunks kept"):
        assert column in out
    assert "counterexample" in out and "not broken" in out
    assert "printed, minimum value: " in out and " fails at C = " in out
    assert "Largest certified lhs/rhs" in out
    assert f"kept in {tmp_path / 'store.sqlite'}: --resume goes on from there" in out
    assert "\x1b" not in out and "Fitted exponents" not in out


def test_json_has_the_campaign_the_counterexample_and_the_tightest_instances(found):
    entries = found(PROPOSITION)
    assert len(entries) == len(statement(PROPOSITION).variants)
    for entry, variant in zip(entries, statement(PROPOSITION).variants, strict=True):
        assert {"id", "variant", "reading", "campaign", "counterexample"} <= set(entry)
        assert {"tightest", "exponents"} <= set(entry) and "largest_lead" in entry["campaign"]
        assert entry["id"] == PROPOSITION and entry["exponents"] == []
        assert (entry["variant"], entry["reading"]) == (variant.name, variant.reading)
        told = entry["campaign"]
        assert told["type"] == "campaign" and told["seed"] == 0
        assert told["instances"] == sum(stage["drawn"] for stage in told["stages"].values())
        assert told["met"] == sum(stage["met"] for stage in told["stages"].values())
        assert set(entry["tightest"]) == set(told["tightness"])
    minimum = entries[0]["counterexample"]
    assert minimum["type"] == "counterexample" and set(minimum["instance"]) == {
        *("C", "lambda", "gamma")
    }
    assert entries[-1]["counterexample"] is None


def test_the_effort_is_what_was_asked_for(found):
    (entry,) = found("bnwd:lemma-a.2", "--variant", "sharp", "--seed", "5")
    assert entry["campaign"]["stages"]["random"]["drawn"] == 512
    assert "ascent" not in entry["campaign"]["stages"] and entry["campaign"]["seed"] == 5


def test_exponents_are_fitted_when_asked_for(campaign, found, monkeypatch):
    pytest.importorskip("torch")
    from ncbounds.campaign import exponents

    fit = exponents.exponent

    def quick(claim, trend, seed):
        """The first and last value only, with the adversary at its least."""
        ends = replace(trend, values=(trend.values[0], trend.values[-1]))
        return fit(claim, ends, seed, restarts=8, steps=10)

    monkeypatch.setattr("ncbounds.cli.campaign_command.exponent", quick)
    choice = (CODE, "--variant", "sharp", "--exponents")
    (entry,) = found(*choice)
    sides = {fitted["conclusion"]: fitted for fitted in entry["exponents"]}
    assert set(sides) == {"upper side", "lower side"}
    for fitted in sides.values():
        assert fitted["parameter"] == "K" and fitted["bound"] == pytest.approx(-2, abs=1e-9)
        assert len(fitted["values"]) == len(fitted["tightness"]) > 1
    _, out, _ = campaign(*choice, *SMALL)
    assert "Fitted exponents" in out and "-2.0000" in out and "8 ... 32" in out


# -- selection ------------------------------------------------------------------------------------


def test_a_variant_is_selected_by_its_name(found):
    entries = found(PROPOSITION, "--variant", "corrected")
    assert [entry["variant"] for entry in entries] == ["corrected", "corrected"]


def test_a_reading_is_selected_by_a_part_of_it(found):
    entries = found(PROPOSITION, "--reading", "minimum")
    assert [(entry["variant"], entry["reading"]) for entry in entries] == [
        ("printed", "minimum value"),
        ("corrected", "minimum value"),
    ]
    assert len(found(PROPOSITION, "--variant", "printed", "--reading", "minimum value")) == 1


def test_an_open_wording_is_left_out_of_a_statement_that_has_others(found, register):
    open_one = Variant("printed", "some x", "", undecided="nothing to compute")
    id = register(Variant("printed", "every x", "", FALSE), open_one)
    assert [entry["reading"] for entry in found(id)] == ["every x"]


def test_an_open_wording_is_refused_when_asked_for(campaign, register):
    open_one = Variant("printed", "some x", "", undecided="nothing to compute")
    id = register(Variant("printed", "every x", "", FALSE), open_one)
    line = refusal(*campaign(id, "--reading", "some x"))
    assert "reading = some x" in line and "part of one of" in line


# -- the store ------------------------------------------------------------------------------------


def test_resuming_prints_the_same_and_says_how_many_chunks_were_kept(campaign):
    arguments = (LEMMA, *SMALL, "--reading", "(m/2)")
    first = campaign(*arguments, "--json")
    assert campaign(*arguments, "--json", "--resume") == first
    _, resumed, _ = campaign(*arguments, "--resume")
    assert chunks_kept(resumed) == "2"  # the degenerate chunk and the random one
    _, anew, _ = campaign(*arguments)
    assert chunks_kept(anew) == "0"


def chunks_kept(out):
    row = next(line for line in out.splitlines() if "printed, " in line)
    return row.split()[-2]


# -- refusals -------------------------------------------------------------------------------------

REFUSED = {
    "unknown id": (("nothing",), ("ID = nothing", "ncbounds list")),
    "no id": ((), ("ID", "Missing")),
    "unknown variant": ((LEMMA, "--variant", "best"), ("variant = best", "one of printed")),
    "variant it lacks": ((LEMMA, "--variant", "sharp"), ("variant = sharp", "one of printed")),
    "reading": ((LEMMA, "--reading", "cubic"), ("reading = cubic", "f = exp on the range")),
    "instances": ((LEMMA, "--instances", "0"), ("--instances", "0", "x>=1")),
    "instances in words": ((LEMMA, "--instances", "many"), ("--instances", "many", "integer")),
    "ascents": ((LEMMA, "--ascents", "-1"), ("--ascents", "-1", "x>=0")),
    "seed": ((LEMMA, "--seed", "-1"), ("--seed", "-1", "x>=0")),
    "workers": ((LEMMA, "--workers", "0"), ("workers = 0", "at least 1")),
    "backend": ((LEMMA, "--backend", "ray"), ("--backend", "ray", "dask")),
    "dask without scheduler": ((LEMMA, "--backend", "dask"), ("scheduler = nothing", "address")),
    "scheduler without dask": (
        (LEMMA, "--scheduler", "tcp://127.0.0.1:1"),
        ("scheduler = tcp://127.0.0.1:1", "--backend dask"),
    ),
    "workers with dask": (
        (LEMMA, "--backend", "dask", "--scheduler", "tcp://127.0.0.1:1", "--workers", "2"),
        ("workers = 2", "--backend dask"),
    ),
}


def refusal(status, out, err):
    assert (status, out) == (2, "")
    assert err.startswith("ncbounds: ") and err.endswith("\n") and err.count("\n") == 1
    assert err[:-1].isprintable()
    return err


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_in_one_line_before_a_store_is_made(
    campaign, tmp_path, arguments, words
):
    line = refusal(*campaign(*arguments))
    for word in words:
        assert word in line
    assert list(tmp_path.iterdir()) == []


def test_a_scheduler_that_does_not_answer_is_refused(campaign, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("ncbounds.campaign.workers._PATIENCE", 1)
    line = refusal(*campaign(LEMMA, "--backend", "dask", "--scheduler", "tcp://127.0.0.1:1"))
    assert "scheduler = tcp://127.0.0.1:1: must be the address of a running Dask scheduler" in line


@pytest.mark.parametrize("choice", [(), ("--variant", "printed")], ids=["all", "printed"])
def test_a_statement_that_is_open_throughout_is_refused(campaign, register, choice):
    id = register(Variant("printed", "as it stands", "", undecided="nothing to compute"))
    line = refusal(*campaign(id, *choice, *SMALL))
    assert id in line and "this one is open" in line and "None" not in line


def test_a_file_that_is_no_store_is_refused_and_left_alone(campaign, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("my notes")
    line = refusal(*campaign(LEMMA, *SMALL, store=path))
    assert f"store = {path}" in line and path.read_text() == "my notes"


def test_the_database_of_another_application_is_refused_and_left_alone(campaign, tmp_path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mail (body TEXT)")
    before = path.read_bytes()
    assert "another application" in refusal(*campaign(LEMMA, *SMALL, store=path))
    assert path.read_bytes() == before


def test_a_place_where_nothing_can_be_written_is_refused(campaign, tmp_path):
    for path in (tmp_path / "missing" / "store.sqlite", tmp_path):
        assert f"store = {path}" in refusal(*campaign(LEMMA, *SMALL, store=path))


# -- exit status 1 --------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "status"), [("printed", 0), ("corrected", 1), ("sharp", 1)])
@pytest.mark.parametrize("json_too", [False, True])
def test_only_a_refuted_variant_of_ours_is_a_fault(campaign, register, name, status, json_too):
    id = register(Variant(name, "every x", "", FALSE))
    told, out, err = campaign(id, *SMALL, *(["--json"] if json_too else []))
    assert told == status and "not positive" in out
    assert err == ("ncbounds: fault: a variant of ours is refuted\n" if status else "")
