"""A second look takes what the first has kept, unless the code, the seed or the work differs."""

import sqlite3

import pytest

from ncbounds.campaign.store import Store
from ncbounds.errors import InputError
from ncbounds.report import evidence, verification
from ncbounds.report.evidence import evidence_store
from ncbounds.report.verification import verify

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("evidence")

IDS = ("square:eq-25", "square:property-2")
GLANCE = {"budget": 0.25, "seed": 3}


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """A store after a first look, and the ledger of that look."""
    path = tmp_path_factory.mktemp("evidence") / "evidence.sqlite"
    with Store(path) as store:
        return path, verify(IDS, store=store, **GLANCE)


@pytest.fixture
def rounds_done(monkeypatch):
    """The rounds that are really done while a test runs."""
    done, honest = [], verification._job

    def counted(seed, share, job):
        done.append(job)
        return honest(seed, share, job)

    monkeypatch.setattr(verification, "_job", counted)
    return done


def test_a_second_look_does_nothing_and_says_the_same(looked, rounds_done):
    path, first = looked
    with Store(path) as store:
        assert verify(IDS, store=store, **GLANCE).to_dict() == first.to_dict()
    assert rounds_done == []


def test_a_store_changes_nothing(looked):
    assert verify(IDS, **GLANCE).to_dict() == looked[1].to_dict()


@pytest.mark.parametrize("change", [{"seed": 4}, {"budget": 0.5}])
def test_other_work_is_done_anew(looked, rounds_done, change):
    with Store(looked[0]) as store:
        verify(IDS[1:], store=store, **{**GLANCE, **change})
    assert rounds_done


def test_other_code_is_run_anew(looked, rounds_done, monkeypatch):
    monkeypatch.setattr(evidence, "_environment", lambda: '{"code": "another"}')
    with Store(looked[0]) as store:
        verify(IDS[1:], store=store, **GLANCE)
    assert rounds_done


def test_the_code_that_counts_is_theory_proofs_and_engine():
    told = evidence._environment()
    assert '"code"' in told and '"engine"' in told and '"python-flint"' in told
    assert {"theory", "../proofs_check"} <= set(evidence._CODE)


def test_fresh_looks_anew_and_replaces(looked, rounds_done):
    with Store(looked[0]) as store:
        before = [one.chunks for one in store.campaigns()]
        again = verify(IDS, store=store, fresh=True, **GLANCE)
        assert [one.chunks for one in store.campaigns()] == before
    assert rounds_done and again.to_dict() == looked[1].to_dict()


def test_a_row_that_was_tampered_with_is_refused(looked, tmp_path):
    path = tmp_path / "copy.sqlite"
    path.write_bytes(looked[0].read_bytes())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE chunk SET found = replace(found, '\"holds\": true', '1')")
    connection.close()
    with Store(path) as store, pytest.raises(InputError, match="rows are as written"):
        verify(IDS, store=store, **GLANCE)


# -- where it is kept -----------------------------------------------------------------------------


def test_the_store_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("NCBOUNDS_EVIDENCE", str(tmp_path / "deep" / "here.sqlite"))
    with evidence_store() as store:
        assert store is not None
    assert (tmp_path / "deep" / "here.sqlite").is_file()


def test_without_a_name_it_is_in_the_cache_of_the_user(tmp_path, monkeypatch):
    monkeypatch.delenv("NCBOUNDS_EVIDENCE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with evidence_store() as store:
        assert store is not None
    assert (tmp_path / "ncbounds" / "evidence.sqlite").is_file()


def test_an_empty_name_keeps_nothing(monkeypatch):
    monkeypatch.setenv("NCBOUNDS_EVIDENCE", "")
    with evidence_store() as store:
        assert store is None


def test_a_place_that_cannot_be_written_keeps_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NCBOUNDS_EVIDENCE", str(tmp_path / "file" / "evidence.sqlite"))
    with evidence_store() as store:
        assert store is None


def test_a_file_that_is_no_store_is_refused_and_left(tmp_path, monkeypatch):
    (tmp_path / "notes.txt").write_text("mine")
    monkeypatch.setenv("NCBOUNDS_EVIDENCE", str(tmp_path / "notes.txt"))
    with pytest.raises(InputError, match="store"), evidence_store():
        pass
    assert (tmp_path / "notes.txt").read_text() == "mine"
