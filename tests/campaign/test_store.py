import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest

from ncbounds.campaign import store as store_module
from ncbounds.campaign.store import CampaignKey, Store, StoreError
from ncbounds.errors import InputError, NcboundsError

KEY = CampaignKey("bnwd:lemma-2.1", "printed", "S non-empty", "c0ffee", '{"numpy":"2"}', 7)


def fill(path, rows=200):
    """A closed store of many pages."""
    with Store(path) as store:
        for n in range(rows):
            store.put(KEY, f"chunk {n}", n, n, f"found {n} " + "x" * 300)
    return path


def refused(path):
    """The message with which a file is refused, having checked that it is left as it was."""
    folder = path.parent
    before = {f.name: hashlib.sha256(f.read_bytes()).digest() for f in folder.iterdir()}
    with pytest.raises(InputError) as caught:
        Store(path)
    after = {f.name: hashlib.sha256(f.read_bytes()).digest() for f in folder.iterdir()}
    after.pop(path.name + "-shm", None)  # an index of a log that was there, which reading it makes
    before.pop(path.name + "-shm", None)
    assert after == before
    message = str(caught.value)
    assert message.startswith(f"store = {path}: must be ") and "\n" not in message
    return message


def start(code, *arguments):
    """A Python process that runs `code` with KEY and Store at hand."""
    head = f"""
        import os, signal, sys
        from ncbounds.campaign.store import CampaignKey, Store
        KEY = {KEY!r}
        """
    source = textwrap.dedent(head) + textwrap.dedent(code)
    command = [sys.executable, "-c", source, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


# -- what is kept ---------------------------------------------------------------------------------


def test_what_was_put_is_there_when_the_store_is_opened_again(tmp_path):
    found = '{"text": "\u03c6 \u2264 1\\n\x00"}'
    with Store(tmp_path / "s.db") as store:
        store.put(KEY, "{}", 0, 255, found)
    with Store(tmp_path / "s.db") as store:
        assert store.get(KEY, "{}") == found
        assert store.get(KEY, "{ }") is None
    assert [f.name for f in tmp_path.iterdir()] == ["s.db"]


@pytest.mark.parametrize(
    "change",
    [
        {"claim": "c0ffef"},
        {"versions": '{"numpy":"3"}'},
        {"seed": 8},
        {"variant": "sharp"},
        {"reading": ""},
        {"statement": "bnwd:lemma-a.2"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_key_finds_nothing(tmp_path, change):
    other = replace(KEY, **change)
    with Store(tmp_path / "s.db") as store:
        store.put(KEY, "{}", 0, 1, "mine")
        assert store.get(other, "{}") is None
        assert store.count(other) == 0
        store.put(other, "{}", 0, 1, "other")
        assert (store.get(KEY, "{}"), store.get(other, "{}")) == ("mine", "other")


def test_a_chunk_that_is_put_again_replaces_the_first(tmp_path):
    with Store(tmp_path / "s.db") as store:
        store.put(KEY, "{}", 0, 1, "old")
        store.put(KEY, "{}", 5, 9, "new")
        assert store.get(KEY, "{}") == "new"
        assert store.count(KEY) == 1


def test_the_listing_names_every_campaign_with_its_chunks(tmp_path, monkeypatch):
    times = iter(f"2030-01-0{day}T00:00:00+00:00" for day in range(1, 9))
    monkeypatch.setattr(store_module, "_now", lambda: next(times))
    other = replace(KEY, seed=-1)
    with Store(tmp_path / "s.db") as store:
        assert store.campaigns() == []
        for key, chunk in ((KEY, "a"), (other, "a"), (KEY, "b"), (KEY, "c")):
            store.put(key, chunk, 0, 1, "x")
        first, second = store.campaigns()
    assert (first.key, first.chunks, second.key, second.chunks) == (KEY, 3, other, 1)
    assert (first.first_written[:10], first.last_written[:10]) == ("2030-01-01", "2030-01-04")
    assert second.first_written == second.last_written


@pytest.mark.parametrize(
    "name", ["a b.db", "\u03c6 \u2264.db", "a?mode=ro.db", "a#b%20.db", ":memory:"]
)
def test_any_file_name_is_taken_as_it_is(tmp_path, name):
    fill(tmp_path / name, 3)
    assert [f.name for f in tmp_path.iterdir()] == [name]
    with Store(str(tmp_path / name)) as store:
        assert store.count(KEY) == 3


def test_a_link_leads_to_the_store(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "there" / "s.db")
    fill(tmp_path / "link.db", 3)
    with Store(tmp_path / "there" / "s.db") as store:
        assert store.count(KEY) == 3


# -- processes ------------------------------------------------------------------------------------


def test_a_killed_process_loses_no_row_that_it_had_put(tmp_path):
    path = tmp_path / "s.db"
    writer = start(
        """
        store = Store(sys.argv[1])
        for n in range(10**6):
            store.put(KEY, f"chunk {n}", n, n, f"found {n}")
            print(n, flush=True)
        """,
        path,
    )
    written = [int(writer.stdout.readline()) for _ in range(300)]
    writer.send_signal(signal.SIGKILL)
    written += [int(line) for line in writer.stdout]
    assert writer.wait() == -signal.SIGKILL
    assert (tmp_path / "s.db-wal").stat().st_size > 0
    with Store(path) as store:
        assert all(store.get(KEY, f"chunk {n}") == f"found {n}" for n in written)
        assert len(written) <= store.count(KEY) <= len(written) + 1


def killed_in_a_transaction(path):
    """A store of 50 rows whose writer died with half of a transaction in the log."""
    writer = start(
        """
        store = Store(sys.argv[1])
        for n in range(50):
            store.put(KEY, f"chunk {n}", n, n, f"found {n}")
        log = sys.argv[1] + "-wal"
        committed = os.path.getsize(log)
        raw = store._connection
        raw.execute("PRAGMA cache_size = 1")
        raw.execute("BEGIN IMMEDIATE")
        for n in range(50, 500):
            raw.execute(
                "INSERT INTO chunk VALUES (1, ?, 0, 0, ?, '', '')", (f"lost {n}", "x" * 5000)
            )
        assert os.path.getsize(log) > committed
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        path,
    )
    assert writer.wait() == -signal.SIGKILL


def test_a_process_killed_in_a_transaction_leaves_the_rows_before_it(tmp_path):
    killed_in_a_transaction(tmp_path / "s.db")
    with Store(tmp_path / "s.db") as store:
        assert store.count(KEY) == 50
        assert store.get(KEY, "chunk 49") == "found 49"
        assert store.get(KEY, "lost 50") is None
        store.put(KEY, "chunk 50", 50, 50, "resumed")
        assert store.get(KEY, "chunk 50") == "resumed"


def test_writers_that_start_together_end_with_all_rows_in_one_store(tmp_path):
    code = """
        with Store(sys.argv[1]) as store:
            for n in range(60):
                store.put(KEY, f"chunk {sys.argv[2]} {n}", n, n, "x")
        """
    writers = [start(code, tmp_path / "s.db", number) for number in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    with Store(tmp_path / "s.db") as store:
        assert store.count(KEY) == 240
        assert len(store.campaigns()) == 1
    assert [f.name for f in tmp_path.iterdir()] == ["s.db"]


def test_a_store_that_another_process_creates_first_is_kept(tmp_path, monkeypatch):
    path, link = tmp_path / "s.db", os.link

    def late(source, target):
        monkeypatch.setattr(os, "link", link)
        fill(path, 3)
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    with Store(path) as store:
        assert store.count(KEY) == 3


def test_a_creation_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def broken(source, target):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", broken)
    with pytest.raises(InputError, match="Operation not supported"):
        Store(tmp_path / "s.db")
    assert list(tmp_path.iterdir()) == []


def test_a_locked_store_is_one_clear_error_and_usable_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "_BUSY_SECONDS", 0.05)
    with Store(tmp_path / "s.db") as store, Store(tmp_path / "s.db") as other:
        other._connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"s\.db: database is locked; another process"):
            store.put(KEY, "{}", 0, 1, "x")
        other._connection.execute("ROLLBACK")
        store.put(KEY, "{}", 0, 1, "x")
        assert other.get(KEY, "{}") == "x"


def test_a_full_disk_is_one_clear_error_and_costs_no_row(tmp_path):
    with Store(fill(tmp_path / "s.db")) as store:
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="full; free some space") as caught:
            store.put(KEY, "big", 0, 1, "x" * 10**6)
        assert isinstance(caught.value, NcboundsError) and "\n" not in str(caught.value)
        assert store.get(KEY, "big") is None
        assert store.count(KEY) == 200
        store._connection.execute(f"PRAGMA max_page_count = {10 * pages + 1000}")
        store.put(KEY, "big", 0, 1, "x" * 10**6)


def test_a_closed_store_says_so(tmp_path):
    with Store(tmp_path / "s.db") as store:
        pass
    with pytest.raises(StoreError, match="closed"):
        store.count(KEY)


def test_a_seed_beyond_the_file_format_is_refused(tmp_path):
    with Store(tmp_path / "s.db") as store, pytest.raises(InputError, match="seed"):
        store.put(replace(KEY, seed=2**63), "{}", 0, 1, "x")


# -- files that are no sound store ----------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"", b"S", b"hello, world\n" * 50, b"PK\x03\x04" + bytes(5000), bytes(8192)],
    ids=["empty", "one byte", "text", "archive", "zeros"],
)
def test_a_file_that_is_not_sqlite_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "s.db"
    path.write_bytes(content)
    refused(path)


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
@pytest.mark.parametrize("application", [0, 0x47504B47])
def test_a_database_of_another_application_is_refused_and_left_alone(tmp_path, mode, application):
    path = tmp_path / "notes.db"
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA application_id = {application}")
    other.execute(f"PRAGMA journal_mode = {mode}")
    other.execute("CREATE TABLE chunk (x)")
    other.commit()
    other.close()
    assert "another application" in refused(path)


def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    path = fill(tmp_path / "s.db", 3)
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version = 2")
    raw.close()
    assert "upgrade ncbounds" in refused(path)


@pytest.mark.parametrize(
    "kept",
    [
        lambda size: size // 2,
        lambda size: size - 4096,
        lambda size: size - 1,
        lambda size: 4096,
        lambda size: 100,
        lambda size: 99,
        lambda size: 16,
        lambda size: 10,
    ],
    ids=["half", "less a page", "less a byte", "a page", "100", "99", "16", "10"],
)
def test_a_store_that_was_cut_off_is_refused_and_left_alone(tmp_path, kept):
    path = fill(tmp_path / "s.db")
    os.truncate(path, kept(path.stat().st_size))
    assert "sound store" in refused(path)


@pytest.mark.parametrize("kept", [2 * 4096, 4096, 100], ids=["two pages", "a page", "100"])
def test_a_cut_off_store_with_a_log_beside_it_is_refused_and_left_alone(tmp_path, kept):
    path = fill(tmp_path / "s.db")
    killed_in_a_transaction(path)
    os.truncate(path, kept)
    assert "sound store" in refused(path)


def test_a_store_with_an_overwritten_page_is_refused_and_left_alone(tmp_path):
    path = fill(tmp_path / "s.db")
    with path.open("r+b") as stream:
        stream.seek(path.stat().st_size // 4096 // 2 * 4096)
        stream.write(b"\xff" * 4096)
    assert "sound store" in refused(path)


@pytest.mark.parametrize("byte", [b"y", b"\xff"], ids=["other text", "no text"])
def test_a_row_that_was_damaged_in_silence_is_an_error(tmp_path, byte):
    path = tmp_path / "s.db"
    with Store(path) as store:
        store.put(KEY, "good", 0, 1, "intact")
        store.put(KEY, "bad", 0, 1, '{"leads": 1234}')
    content = path.read_bytes()
    assert content.count(b"1234}") == 1
    path.write_bytes(content.replace(b"1234}", b"12" + byte + b"4}"))
    damaged = path.read_bytes()
    with Store(path) as store:
        assert store.get(KEY, "good") == "intact"
        with pytest.raises(InputError, match="rows are as written"):
            store.get(KEY, "bad")
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("column", ["first", "last", "chunk", "campaign"])
def test_a_row_is_served_only_for_what_it_was_put_for(tmp_path, column):
    path, other = tmp_path / "s.db", replace(KEY, seed=8)
    with Store(path) as store:
        store.put(KEY, "0", 0, 1, "x")
        store.put(other, "1", 0, 1, "y")
    raw = sqlite3.connect(path)
    value = {"chunk": "'moved'", "campaign": "2"}.get(column, "99")
    raw.execute(f"UPDATE chunk SET {column} = {value} WHERE chunk = '0'")
    raw.commit()
    raw.close()
    key = other if column == "campaign" else KEY
    with Store(path) as store, pytest.raises(InputError):
        store.get(key, "moved" if column == "chunk" else "0")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="must be a file"):
        Store(tmp_path)


def test_a_missing_folder_is_refused_and_not_made(tmp_path):
    with pytest.raises(InputError, match="existing folder"):
        Store(tmp_path / "missing" / "s.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000], ids=["null", "long"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="store = "):
        Store(f"{tmp_path}/{name}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_refused(tmp_path):
    path = fill(tmp_path / "s.db", 3)
    tmp_path.chmod(0o500)
    try:
        for name in (path, tmp_path / "new.db"):
            with pytest.raises(InputError):
                Store(name)
    finally:
        tmp_path.chmod(0o700)
