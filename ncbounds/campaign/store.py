"""The store of campaigns: what each chunk of a campaign found, kept as it comes.

A store is one SQLite file with a row a chunk and a commit a chunk. It is in write-ahead mode with
``synchronous=NORMAL``: a commit is in the hands of the operating system when `Store.put` returns,
so a process that is killed loses nothing that it had put. A power cut may cost the latest commits,
which a resumed campaign computes again, but never the soundness of the file.

A file is looked at before SQLite may touch it: a store that is damaged, newer or somebody else's
database is refused and left as it is. Rows carry a checksum over all that they say.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from ncbounds.errors import InputError, NcboundsError

_MAGIC = b"SQLite format 3\0"
#: "NCBS": tells a store from the databases of other applications.
_APPLICATION = 0x4E434253
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE campaign (
    id INTEGER PRIMARY KEY,
    statement TEXT NOT NULL, variant TEXT NOT NULL, reading TEXT NOT NULL,
    claim TEXT NOT NULL, versions TEXT NOT NULL, seed INTEGER NOT NULL,
    UNIQUE (statement, variant, reading, claim, versions, seed)
);
CREATE TABLE chunk (
    campaign INTEGER NOT NULL REFERENCES campaign (id), chunk TEXT NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL,
    found TEXT NOT NULL, checksum TEXT NOT NULL, written TEXT NOT NULL,
    PRIMARY KEY (campaign, chunk)
) WITHOUT ROWID;
"""
_CAMPAIGN = (
    "statement = ? AND variant = ? AND reading = ? AND claim = ? AND versions = ? AND seed = ?"
)
#: How long one process waits for another to finish its commit.
_BUSY_SECONDS = 30.0
_SOUND = "a sound store of campaigns"
_SET_ASIDE = "move it away to start anew, or restore a copy"


class StoreError(NcboundsError):
    """A store that could not be read or written now, though nothing is wrong with the file."""


@dataclass(frozen=True)
class CampaignKey:
    """What results belong to: a change of any entry makes another campaign.

    `claim` is the fingerprint of the claim, and `versions` the canonical JSON of `versions()`.
    """

    statement: str
    variant: str
    reading: str
    claim: str
    versions: str
    seed: int


@dataclass(frozen=True)
class StoredCampaign:
    """A line of a listing: how much of a campaign a store holds, and since when (UTC)."""

    key: CampaignKey
    chunks: int
    first_written: str
    last_written: str


class Store:
    """A file of results, opened if it exists and created if not; a context manager.

    Several processes may use one store at a time, each with a `Store` of its own.

    Parameters
    ----------
    path
        On a local disk: write-ahead logs do not work over a network.

    Raises
    ------
    InputError
        When there is no store at the path and none can be made; the file there is left as it is.
    StoreError
        When the store is locked for half a minute, or the disk is full.

    Examples
    --------
    >>> key = CampaignKey("bnwd:lemma-2.1", "printed", "", "c0ffee", "{}", seed=0)
    >>> with tempfile.TemporaryDirectory() as folder, Store(f"{folder}/results.db") as store:
    ...     store.put(key, '{"stage": "random"}', 0, 255, '{"leads": 0}')
    ...     store.get(key, '{"stage": "random"}'), store.count(key)
    ('{"leads": 0}', 1)
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._shown = _printable(os.fsdecode(path))
        with _translated(self._shown):
            # SQLite puts its log beside the file, not beside a link to the file.
            file = Path(os.path.realpath(path))
            if not os.path.lexists(file):
                _create(file)
            _check_file(file, self._shown)
            log = file.with_name(file.name + "-wal")
            # A log may hold commits of a process that was killed. Reading does not merge them
            # into the file, so that a damaged one is left as it is.
            with closing(_connect(file, "ro" if log.exists() else "rw")) as connection:
                if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                    raise InputError("store", self._shown, _SOUND, _SET_ASIDE)
            self._connection = _connect(file, "rw")

    def put(self, key: CampaignKey, chunk: str, first: int, last: int, found: str) -> None:
        """Keep what a chunk found, in place of what it had found before.

        Parameters
        ----------
        key
            The campaign.
        chunk
            Canonical JSON that says what the chunk does.
        first, last
            The range of its seeds.
        found
            JSON of what it found.
        """
        row = (chunk, first, last, found, _checksum(key, chunk, first, last, found), _now())
        with _translated(self._shown), self._connection as connection:
            # The lock is taken at once, so that any wait for another writer is here.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "INSERT INTO campaign (statement, variant, reading, claim, versions, seed) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                astuple(key),
            )
            connection.execute(
                "INSERT OR REPLACE INTO chunk "
                f"SELECT id, ?, ?, ?, ?, ?, ? FROM campaign WHERE {_CAMPAIGN}",
                (*row, *astuple(key)),
            )

    def get(self, key: CampaignKey, chunk: str) -> str | None:
        """Return what a chunk found, or None when it is not in the store.

        Raises
        ------
        InputError
            When the row is not what was put.
        """
        with _translated(self._shown):
            row = self._connection.execute(
                "SELECT first, last, found, checksum FROM chunk "
                f"WHERE campaign = (SELECT id FROM campaign WHERE {_CAMPAIGN}) AND chunk = ?",
                (*astuple(key), chunk),
            ).fetchone()
        if row is None:
            return None
        first, last, found, checksum = row
        if checksum != _checksum(key, chunk, first, last, found):
            raise InputError("store", self._shown, "one whose rows are as written", _SET_ASIDE)
        return str(found)

    def count(self, key: CampaignKey) -> int:
        """Return how many chunks of a campaign are in the store."""
        with _translated(self._shown):
            (number,) = self._connection.execute(
                "SELECT count(*) FROM chunk "
                f"WHERE campaign = (SELECT id FROM campaign WHERE {_CAMPAIGN})",
                astuple(key),
            ).fetchone()
        return int(number)

    def campaigns(self) -> list[StoredCampaign]:
        """List the campaigns in the order in which they began."""
        with _translated(self._shown):
            rows = self._connection.execute(
                "SELECT statement, variant, reading, claim, versions, seed, "
                "count(*), min(written), max(written) "
                "FROM campaign JOIN chunk ON campaign = id GROUP BY id ORDER BY id"
            )
            return [StoredCampaign(CampaignKey(*row[:6]), *row[6:]) for row in rows]

    def close(self) -> None:
        """Close the file; the last to close merges the log into it."""
        with _translated(self._shown):
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


# -- rows -----------------------------------------------------------------------------------------


def _checksum(key: CampaignKey, chunk: str, first: int, last: int, found: str) -> str:
    content = json.dumps([*astuple(key), chunk, first, last, found], default=repr)
    return sha256(content.encode()).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


# -- files ----------------------------------------------------------------------------------------


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    # As a URI, since only that can say that a missing file is not to be created.
    connection = sqlite3.connect(
        f"{file.as_uri()}?mode={mode}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
    )
    # A damaged text must reach the check of its checksum, valid UTF-8 or not.
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _create(file: Path) -> None:
    """Make an empty store at once or not at all; a store that another process made stays."""
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".ncbounds-") as folder:
        fresh = Path(folder, "store")
        with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            connection.executescript(_SCHEMA)
            connection.execute("PRAGMA journal_mode = WAL")
        with suppress(FileExistsError):
            os.link(fresh, file)  # which, unlike renaming, never replaces a file


def _check_file(file: Path, shown: str) -> None:
    """Read the header of a file, and raise InputError unless it is that of a whole store."""
    if not file.is_file():
        raise InputError("store", shown, "a file, or the name of a new one")
    with file.open("rb") as stream:
        header = stream.read(100)
    if not header.startswith(_MAGIC[: len(header)]) or not header:
        raise InputError("store", shown, "a store of campaigns, which this file is not")
    if len(header) < 100:
        raise InputError("store", shown, _SOUND, f"the file is cut off; {_SET_ASIDE}")
    if int.from_bytes(header[68:72]) != _APPLICATION:
        domain = "a store of campaigns, not a database of another application"
        raise InputError("store", shown, domain)
    version = int.from_bytes(header[60:64])
    if version != _SCHEMA_VERSION:
        newer = version > _SCHEMA_VERSION
        remedy = f"it has version {version}; " + ("upgrade ncbounds" if newer else _SET_ASIDE)
        raise InputError("store", shown, f"a store of version {_SCHEMA_VERSION}", remedy)
    if not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        raise InputError("store", shown, "a file that may be written, in such a folder")
    if not any(_is_whole(file) for _ in range(2)):  # again, if a log was merged in between
        raise InputError("store", shown, _SOUND, f"the file is cut off; {_SET_ASIDE}")


def _is_whole(file: Path) -> bool:
    """Tell whether all pages that the header counts are there, or may be in a log beside it."""
    with file.open("rb") as stream:
        header = stream.read(32)
    page = int.from_bytes(header[16:18])
    page = 65536 if page == 1 else page
    pages = int.from_bytes(header[28:32])
    return file.stat().st_size >= page * pages or file.with_name(file.name + "-wal").exists()


# -- errors ---------------------------------------------------------------------------------------

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_REMEDIES = {
    sqlite3.SQLITE_BUSY: "another process holds it; try again when that is done",
    sqlite3.SQLITE_LOCKED: "another process holds it; try again when that is done",
    sqlite3.SQLITE_FULL: "free some space and resume; what was stored is kept",
    sqlite3.SQLITE_IOERR: "check the disk and resume; what was stored is kept",
}


@contextmanager
def _translated(shown: str) -> Iterator[None]:
    """Turn the errors of SQLite and the file system into ours, each one line."""
    try:
        yield
    except NcboundsError:
        raise
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", -1) & 0xFF  # without the extended part
        if code in _DAMAGED:
            raise InputError("store", shown, _SOUND, f"{error}; {_SET_ASIDE}") from None
        remedy = f"; {_REMEDIES[code]}" if code in _REMEDIES else ""
        raise StoreError(f"store = {shown}: {error}{remedy}") from None
    except OverflowError:
        raise InputError("seed", "too large", "an integer below 2^63 in size") from None
    except (OSError, ValueError) as error:  # the latter for names that no file can have
        domain = "a file that can be read and written, in an existing folder"
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError("store", shown, domain, reason) from None


def _printable(text: str) -> str:
    return text if text.isprintable() else repr(text)
