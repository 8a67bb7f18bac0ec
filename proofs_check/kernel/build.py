"""The build: compile the development, and ask the kernel what it has proved.

Sources are copied into a folder of the user's cache under their own hash and compiled there, never
in the source tree. The exit status of `coqc` is no verdict, since it accepts `Admitted` and axioms:
a generated file then prints each theorem's closed statement and what it assumes. All that, with the
hashes of the compiled files, is the certificate, which is read again as long as nothing changed.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from ncbounds.errors import MissingDependencyError
from proofs_check.kernel.statements import Printed, Stated, read_answers

FOLDER = Path(__file__).parent
LIBRARY = "NCBounds"
INSTALL = "apt-get install -y --no-install-recommends coq libcoq-interval"
#: What a theorem may assume: the axioms of Coq's classical real numbers.
ALLOWED = (
    "ClassicalDedekindReals.sig_forall_dec",
    "ClassicalDedekindReals.sig_not_dec",
    "FunctionalExtensionality.functional_extensionality_dep",
    "Classical_Prop.classic",
)
_JOBS = 2
_REQUIRED = re.compile(rf"From\s+{LIBRARY}\s+Require\s+(?:Import\s+|Export\s+)?([\w\s]+)\.")
_COMMENT = re.compile(r"\(\*.*?\*\)", re.DOTALL)
_THEOREM = re.compile(r"^\s*(?:Theorem|Corollary)\s+([\w']+)", re.MULTILINE)
_DEFINITION = re.compile(r"^\s*(?:Definition|Fixpoint)\s+([\w']+)", re.MULTILINE)

Sources = Mapping[str, str]


@dataclass(frozen=True)
class Certificate:
    """What compiling a development showed: when, by what, and what the kernel says of it.

    `seconds` of processor time and `errors` are by file, `digests` are of the compiled files;
    `rechecked` tells whether the independent checker has passed them.
    """

    sources: str
    coq: str
    machine: str
    seconds: dict[str, float]
    errors: dict[str, str]
    digests: dict[str, str]
    printed: Printed
    rechecked: bool = False

    def to_json(self) -> str:
        """Return the certificate as JSON."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Certificate:
        """Restore a certificate."""
        data = json.loads(text)
        theorems = {name: Stated(**one) for name, one in data["printed"]["theorems"].items()}
        definitions = {k: (a, b) for k, (a, b) in data["printed"]["definitions"].items()}
        return cls(**{**data, "printed": Printed(theorems, definitions)})


def sources(folder: Path = FOLDER) -> dict[str, str]:
    """Return the text of every file of the development, those that are required first."""
    texts = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.v"))}
    ordered: dict[str, str] = {}

    def add(name: str) -> None:
        for needed in required(texts[name]):
            if needed not in ordered:
                add(needed)
        ordered[name] = texts[name]

    for name in texts:
        add(name)
    return ordered


def required(text: str) -> list[str]:
    """Return the files of the development that a source requires."""
    found = _REQUIRED.findall(_COMMENT.sub("", text))
    return [f"{name}.v" for names in found for name in names.split()]


def theorem_names(text: str) -> list[str]:
    """Return the names of the theorems of a source."""
    return _THEOREM.findall(_COMMENT.sub("", text))


def source_hash(texts: Sources) -> str:
    """Hash sources with their names."""
    found = sha256()
    for name in sorted(texts):
        found.update(f"{name} {len(texts[name])}\n{texts[name]}".encode())
    return found.hexdigest()[:16]


def coq_version() -> str | None:
    """Return the version of the installed Coq, or None where there is none."""
    if shutil.which("coqc") is None:
        return None
    told = subprocess.run(["coqc", "--print-version"], capture_output=True, text=True, check=False)
    return told.stdout.split()[0] if told.returncode == 0 and told.stdout.split() else None


def certificate_faults(found: Certificate) -> list[str]:
    """What does not hold of a development: files that fail, and axioms that are not allowed."""
    faults = [f"{file} fails: {told}" for file, told in found.errors.items()]
    for name, stated in found.printed.theorems.items():
        alien = sorted(set(stated.assumptions) - set(ALLOWED))
        if alien:
            faults.append(f"{name} in {stated.file} assumes {', '.join(alien)}")
    return faults


# -- where compiled files are kept ----------------------------------------------------------------


@contextmanager
def home(texts: Sources) -> Iterator[Path]:
    """The folder in which sources are compiled, kept for the next look.

    It lies in the folder that NCBOUNDS_CACHE names, or in ``ncbounds`` in the user's cache folder
    (XDG_CACHE_HOME, or ``~/.cache``). An empty name, or a place that cannot be written, keeps
    nothing.
    """
    folder = kept_folder(source_hash(texts))
    if folder is not None:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            yield folder
            return
    with tempfile.TemporaryDirectory() as scratch:
        yield Path(scratch)


def kept_folder(hash: str) -> Path | None:
    """The folder of what is compiled from sources of a hash; None where nothing is kept."""
    named = os.environ.get("NCBOUNDS_CACHE")
    if named == "":
        return None
    cache_home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(named) if named else Path(cache_home, "ncbounds")
    return folder / "kernel" / hash


def kept(hash: str, name: str) -> str | None:
    """Return the text that is kept under a name beside the compiled files of a source hash."""
    folder = kept_folder(hash)
    try:
        return None if folder is None else (folder / name).read_text("utf-8")
    except OSError:
        return None


def keep(hash: str, name: str, text: str) -> None:
    """Keep a text under a name beside the compiled files of a source hash, if they are kept."""
    folder = kept_folder(hash)
    if folder is not None and folder.is_dir() and os.access(folder, os.W_OK):
        _write(folder / name, text)


def keeps() -> bool:
    """Whether there is a place to keep what is compiled."""
    return kept_folder("") is not None


def certificate(texts: Sources | None = None) -> Certificate | None:
    """Return the kept certificate of the sources as they are, if this machine has made one.

    The compiled files must be those that it was made from.
    """
    found = _kept_certificate(sources() if texts is None else texts)
    return found if found is not None and found.machine == platform.node() else None


def _kept_certificate(texts: Sources) -> Certificate | None:
    """The certificate beside compiled files that are as it says, whichever machine made them."""
    folder = kept_folder(source_hash(texts))
    if folder is None:
        return None
    try:
        found = Certificate.from_json((folder / "certificate.json").read_text("utf-8"))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if found.digests == _digests(folder) else None


def _digests(folder: Path) -> dict[str, str]:
    return {p.name: sha256(p.read_bytes()).hexdigest()[:16] for p in sorted(folder.glob("*.vo"))}


# -- compiling ------------------------------------------------------------------------------------


def build(texts: Sources | None = None, recheck: bool = False) -> Certificate:
    """Compile the development, or find it compiled, and return its certificate.

    What another machine has compiled counts when the independent checker passes it here, and the
    kernel is asked anew; with `recheck` that is done in any case.

    Raises
    ------
    MissingDependencyError
        When Coq is not installed.
    """
    texts = sources() if texts is None else texts
    version = coq_version()
    if version is None:
        raise MissingDependencyError(f"Coq is missing (no coqc on the PATH): {INSTALL}")
    found = _kept_certificate(texts)
    if found is not None and found.coq != version:
        found = None
    foreign = found is not None and found.machine != platform.node()
    if found is not None and not foreign and (found.rechecked or not recheck):
        return found
    with home(texts) as folder:
        if found is None:
            found = _compiled(texts, folder, version)
        if foreign or (recheck and not found.errors):
            found = _rechecked(found, texts, folder)
        if foreign and not found.rechecked:
            found = _compiled(texts, folder, version)
        _write(folder / "certificate.json", found.to_json())
    return found


def _write(path: Path, text: str) -> None:
    """Write a file at once: another process may read it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text, "utf-8")
    draft.replace(path)


def _compiled(texts: Sources, folder: Path, version: str) -> Certificate:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        scratch = Path(name)
        for file, text in texts.items():
            (scratch / file).write_text(text, "utf-8")
        seconds, errors = _compile(texts, scratch)
        sound = {file: text for file, text in texts.items() if file not in errors}
        printed = ask(sound, scratch)
        for file in sound:
            shutil.copy2((scratch / file).with_suffix(".vo"), folder)
    digests = _digests(folder)
    node = platform.node()
    return Certificate(source_hash(texts), version, node, seconds, errors, digests, printed)


def _compile(texts: Sources, folder: Path) -> tuple[dict[str, float], dict[str, str]]:
    """Compile files, each after those that it requires; return seconds and what went wrong."""
    seconds: dict[str, float] = {}
    errors: dict[str, str] = {}

    def one(file: str, needed: list[Future[None]]) -> None:
        for future in needed:
            future.result()
        lacking = [other for other in required(texts[file]) if other in errors]
        if lacking:
            errors[file] = f"requires {lacking[0]}, which does not compile"
            return
        status, told, seconds[file] = coqc(folder, file)
        if status:
            errors[file] = " ".join(told.split())

    with ThreadPoolExecutor(_JOBS) as pool:
        futures: dict[str, Future[None]] = {}
        for file, text in texts.items():
            needed = [futures[other] for other in required(text)]
            futures[file] = pool.submit(one, file, needed)
        for future in futures.values():
            future.result()
    return {file: seconds.get(file, 0.0) for file in texts}, errors


def coqc(folder: Path, file: str) -> tuple[int, str, float]:
    """Compile one file in a folder that has what it requires.

    Returns the exit status, what was printed, errors last, and the seconds of processor time.
    """
    command = ["coqc", "-q", "-w", "none", "-R", ".", LIBRARY, file]
    with tempfile.TemporaryFile() as told:
        with subprocess.Popen(command, cwd=folder, stdout=told, stderr=subprocess.STDOUT) as run:
            _, status, used = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        text = told.read().decode("utf-8", "replace")
    return run.returncode, text, round(used.ru_utime + used.ru_stime, 2)


def _rechecked(found: Certificate, texts: Sources, folder: Path) -> Certificate:
    """Let the independent checker read the compiled files, and ask the kernel what they say."""
    modules = [f"{LIBRARY}.{Path(file).stem}" for file in texts]
    command = ["coqchk", "-silent", "-o", "-R", ".", LIBRARY, *modules]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        told = " ".join((done.stderr or done.stdout).split())
        return replace(found, errors={"coqchk": told}, rechecked=False)
    node = platform.node()
    return replace(found, printed=ask(texts, folder, exactly=True), machine=node, rechecked=True)


# -- asking the kernel ----------------------------------------------------------------------------


def ask(texts: Sources, folder: Path, exactly: bool = False) -> Printed:
    """Have the kernel print every theorem with what it assumes, and every definition.

    What a theorem assumes takes the kernel a second, since it reads all proofs below; so it is
    asked of all theorems together, and of each alone only if it is wanted `exactly` or if together
    they assume what is not allowed.
    """
    if not texts:
        return Printed({}, {})
    modules = " ".join(Path(file).stem for file in texts)
    lines = ["From Coq Require Import Reals.", f"From {LIBRARY} Require Import {modules}."]
    lines += ["Open Scope R_scope."]
    lines += ["Set Printing Depth 100000.", "Set Printing Width 98."]
    proved: list[str] = []
    for file, text in texts.items():
        plain, module = _COMMENT.sub("", text), Path(file).stem
        for name in theorem_names(text):
            proved.append(f"{module}.{name}")
            lines += [_mark(f"theorem {file} {name}"), f"Check {proved[-1]}."]
            if exactly:
                lines += [_mark(f"assumptions {name}"), f"Print Assumptions {proved[-1]}."]
        for name in _DEFINITION.findall(plain):
            lines += [_mark(f"definition {file} {name}"), f"Print {module}.{name}."]
    if proved and not exactly:
        together = " ".join(f"(conj {name}" for name in proved[:-1]) + f" {proved[-1]}"
        lines += [f"Definition together := {together}{')' * (len(proved) - 1)}."]
        lines += [_mark("assumptions"), "Print Assumptions together."]
    with tempfile.TemporaryDirectory() as scratch:
        asked = Path(scratch, "asked.v")
        asked.write_text("\n".join(lines) + "\n", "utf-8")
        status, told, _ = coqc(folder, str(asked))
    if status:
        raise RuntimeError(f"the kernel does not answer: {' '.join(told.split())}")
    found = read_answers(told)
    assumed = {name for stated in found.theorems.values() for name in stated.assumptions}
    return found if exactly or assumed <= set(ALLOWED) else ask(texts, folder, exactly=True)


def _mark(words: str) -> str:
    return f'Goal True. idtac "=== {words}". Abort.'
