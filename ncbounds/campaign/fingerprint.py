"""Fingerprints: what a claim computes, and which code searched it, as hashes.

Results of a campaign are kept under both, so a result is found again only for the claim and the
engine that produced it. The fingerprint of a claim is a hash of its meaning to the machine: the
bytecode of its judge, and whatever that refers to, function by function and value by value. A
comment, a docstring or a moved line leaves it alone.

Code that has a version of its own is taken by its name: the standard library, installed packages,
and the engine. A value that cannot be taken apart is refused: a fingerprint that overlooked
something would serve the results of another claim.
"""

from __future__ import annotations

import builtins
import dis
import importlib
import importlib.metadata
import importlib.util
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import _lru_cache_wrapper, cache, cached_property, partial
from hashlib import sha256
from pathlib import Path
from types import CodeType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any

import numpy as np

from ncbounds.arithmetic.formula import Algorithm, Condition, Formula, Parameter
from ncbounds.errors import InputError
from ncbounds.theory.terms import Claim

_PACKAGE = Path(__file__).parent.parent
#: What decides how a claim is searched and judged, relative to the package.
_ENGINE = ("arithmetic", "campaign", "theory/terms.py")
_ENGINE_MODULES = tuple("ncbounds." + p.removesuffix(".py").replace("/", ".") for p in _ENGINE)
_DISTRIBUTIONS = ("ncbounds", "numpy", "scipy", "torch", "python-flint", "array-api-compat")


def claim_fingerprint(claim: Claim) -> str:
    """Hash what a claim computes: its judge with all that it calls, its fields and its sizes.

    Parameters
    ----------
    claim
        Its judge may be any callable made of Python functions, classes, plain data and arrays.

    Returns
    -------
    str
        64 hexadecimal digits, the same in every process that runs the same Python.

    Raises
    ------
    InputError
        When the claim refers to something whose content cannot be read, such as an open file.

    Examples
    --------
    >>> from ncbounds.theory import statement
    >>> printed, other = statement("bnwd:lemma-2.1").variants[:2]
    >>> claim_fingerprint(printed.claim) == claim_fingerprint(other.claim)
    False
    """
    judge: Any = claim.judge
    while isinstance(judge, partial):
        judge = judge.func
    # A function's globals know where it was written; a decorator may have renamed its module.
    scope = getattr(judge, "__globals__", {"__name__": type(judge).__module__})
    return _Walk(home=_top(scope.get("__name__", ""))).digest(claim).hex()


@cache
def source_fingerprint(*parts: str) -> str:
    """Hash the source files of parts of the package, each a folder or a file."""
    found = sha256()
    for part in parts:
        path = _PACKAGE / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else (path,):
            source = file.read_bytes()
            found.update(f"{file.relative_to(_PACKAGE).as_posix()} {len(source)}\n".encode())
            found.update(source)
    return found.hexdigest()[:16]


def versions() -> dict[str, str]:
    """Return the versions of all that a campaign's result depends on besides its claim.

    The engine is told by its source: arithmetic, campaign and the terms of the theory. A package
    that is not installed is "absent"; none is imported to find out.
    """
    return {
        **{name: _version(name) for name in _DISTRIBUTIONS},
        "engine": source_fingerprint(*_ENGINE),
        "python": platform.python_version(),
    }


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


# -- taking values apart --------------------------------------------------------------------------

#: A label, and the values that are hashed with it.
_Parts = tuple[str, Iterable[Any]]

_ATOMS = (type(None), type(...), type(NotImplemented), bool, float, complex, str, bytes)
#: Wrappers of functions, and where they keep what they wrap.
_WRAPPERS: Mapping[type, tuple[str, ...]] = {
    staticmethod: ("__func__",),
    classmethod: ("__func__",),
    property: ("fget", "fset", "fdel"),
    cached_property: ("func",),
    _lru_cache_wrapper: ("__wrapped__",),
    MethodType: ("__self__", "__func__"),
    # The rest of these three is words for people.
    Algorithm: ("parameters", "body", "conditions"),
    Formula: ("parameters", "body", "conditions"),
    Parameter: ("name", "integer", "lower", "upper", "lower_open", "upper_open"),
    Condition: ("margin", "strict"),
}


class _Walk:
    """One pass over a claim: each value is a label with values below it, hashed bottom up.

    A value that is met again inside itself stands for its distance up the path. `home` is the
    package of the claim's judge, which is taken apart even where it is installed.
    """

    def __init__(self, home: str) -> None:
        self.home = home
        self.path: dict[int, int] = {}
        self.known: dict[int, tuple[Any, bytes]] = {}  # keeps the value, so that its id stays its

    def digest(self, value: Any) -> bytes:
        """Hash one value and all that it refers to."""
        if id(value) in self.known:
            return self.known[id(value)][1]
        if id(value) in self.path:
            return _hash(f"cycle {len(self.path) - self.path[id(value)]}")
        self.path[id(value)] = len(self.path)
        label, parts = self.parts(value)
        result = _hash(label, *[self.digest(part) for part in parts])
        del self.path[id(value)]
        self.known[id(value)] = (value, result)
        return result

    def parts(self, value: Any) -> _Parts:
        """Take one value apart."""
        kind = type(value)
        if kind in _ATOMS:
            return f"{kind.__name__} {value!r}", ()
        if kind is int:
            return f"int {value:x}", ()
        if kind in (tuple, list):
            return kind.__name__, value
        if kind in (dict, MappingProxyType):  # in order: sizes are drawn in the order they stand in
            return "mapping", [entry for item in value.items() for entry in item]
        if kind in (set, frozenset):
            return "set " + " ".join(sorted(self.digest(entry).hex() for entry in value)), ()
        if kind is CodeType:
            return _code(value)
        if kind in _WRAPPERS:
            return kind.__name__, [getattr(value, name) for name in _WRAPPERS[kind]]
        if kind is ModuleType:
            return self.module(value, [name for name in vars(value) if not name.startswith("__")])
        if isinstance(value, type):
            return self.name_of(value) or _class(value)
        if kind is FunctionType:
            return self.name_of(value) or self.function(value)
        return self.instance(value)

    def name_of(self, value: Any) -> _Parts | None:
        """The name of code that has a version of its own; None for code to be taken apart.

        Only what is found again under its name is that code: a closure that a library made around
        a function of the claim is not.
        """
        module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
        if module is None or name is None or not self.has_version(module):
            return None
        found = sys.modules.get(module)
        for step in name.split("."):
            found = getattr(found, step, None)
        version = getattr(sys.modules.get(_top(module)), "__version__", "")
        return (f"named {module}.{name} {version}", ()) if found is value else None

    def has_version(self, module: str) -> bool:
        """Tell whether a version says what the code of a module is."""
        if _top(module) == "ncbounds":
            return any(module == part or module.startswith(part + ".") for part in _ENGINE_MODULES)
        if _top(module) in sys.stdlib_module_names:
            return True
        return _top(module) not in (self.home, "__main__") and _is_installed(_top(module))

    def function(self, value: FunctionType) -> _Parts:
        """A function: its code, what it is closed over, and the globals that the code names."""
        codes = list(_nested(value.__code__))
        attributes = [name for code in codes for name in code.co_names]
        referred: list[tuple[Any, ...]] = []
        for name in dict.fromkeys(name for code in codes for name in _globals(code)):
            if name in value.__globals__:
                referred.append((name, self.seen(value.__globals__[name], attributes)))
            elif not hasattr(builtins, name):
                referred.append((name,))
        for dotted in dict.fromkeys(name for code in codes for name in _imports(code)):
            referred.append(self.imported(dotted, value.__globals__, attributes))
        return "function", (
            value.__code__,
            value.__defaults__,
            value.__kwdefaults__,
            [
                [self.seen(c, attributes) for c in _contents(cell)]
                for cell in value.__closure__ or ()
            ],
            referred,
            vars(value),
        )

    def seen(self, value: Any, attributes: list[str]) -> Any:
        """A value as code sees it: of a module, only the attributes that the code names."""
        return self.module(value, attributes) if type(value) is ModuleType else value

    def module(self, value: ModuleType, attributes: list[str]) -> tuple[str, list[Any]]:
        """A module: its name, and those of its attributes that no version tells."""
        names = () if self.has_version(value.__name__) else dict.fromkeys(attributes)
        used = [(n, self.seen(getattr(value, n), attributes)) for n in names if hasattr(value, n)]
        return f"module {value.__name__}", used

    def imported(
        self, dotted: str, scope: dict[str, Any], attributes: list[str]
    ) -> tuple[Any, ...]:
        """A module that a function imports when it runs; it may be absent."""
        try:
            name = importlib.util.resolve_name(dotted, scope.get("__package__"))
            known = self.has_version(name)
            return (name,) if known else self.module(importlib.import_module(name), attributes)
        except ImportError:
            return dotted, "absent"

    def instance(self, value: Any) -> _Parts:
        """Any other object: an array by its content, the rest the way it would be pickled."""
        if hasattr(type(value), "__array__"):
            return _array(value)
        if isinstance(value, np.ufunc):
            return _ufunc(value)
        try:
            reduced = value.__reduce_ex__(4)
        except Exception:  # a __reduce__ may raise anything; all of it says the same
            raise _unreadable(value) from None
        if isinstance(reduced, str):
            named = self.name_of(value)
            if named is None:
                raise _unreadable(value)
            return named
        make, arguments, state, *items = (*reduced, None)[: max(3, len(reduced))]
        if isinstance(state, dict):  # a cached property only says that someone asked
            static = {n: a for c in reversed(type(value).__mro__) for n, a in vars(c).items()}
            state = {n: v for n, v in state.items() if type(static.get(n)) is not cached_property}
        return "instance", (make, arguments, state, [list(i) for i in items[:2] if i is not None])


def _hash(label: str, *parts: bytes) -> bytes:
    text = label.encode(errors="surrogatepass")
    return sha256(b"%d:%d:%b%b" % (len(parts), len(text), text, b"".join(parts))).digest()


def _unreadable(value: Any) -> InputError:
    domain = "made of Python functions, classes, plain data and arrays"
    return InputError("claim", f"one that refers to a {type(value).__qualname__}", domain)


def _array(value: Any) -> _Parts:
    try:
        host = np.asarray(value.detach() if hasattr(value, "detach") else value)
    except (TypeError, ValueError, RuntimeError):
        raise _unreadable(value) from None
    content = host.ravel().tolist() if host.dtype.hasobject else host.tobytes()
    return f"array {type(value).__qualname__}", (str(host.dtype), host.shape, content)


def _ufunc(value: np.ufunc) -> _Parts:
    for package in ("numpy", "scipy.special"):
        if getattr(sys.modules.get(package), value.__name__, None) is value:
            return f"named {package}.{value.__name__}", ()
    raise _unreadable(value)


def _class(value: type) -> _Parts:
    """A class: its bases and what it defines, without its words and bookkeeping."""
    entries: list[Any] = []
    for name, entry in sorted(vars(value).items()):
        dunder = name.startswith("__") and name.endswith("__")
        method = isinstance(entry, FunctionType | staticmethod | classmethod | property)
        if method or not (dunder or name == "_abc_impl"):
            entries.append((name, entry))
    if is_dataclass(value):
        for f in fields(value):
            entries.append((f.name, f.default, f.default_factory, f.init, f.compare, f.kw_only))
    return "class", (value.__bases__, entries)


def _contents(cell: Any) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # of a name that is bound later, if ever
        return ()


def _top(module: str) -> str:
    return module.partition(".")[0]


@cache
def _is_installed(package: str) -> bool:
    """Tell whether a package was installed, with a version, rather than being worked on."""
    spec = getattr(sys.modules[package], "__spec__", None) if package in sys.modules else None
    spec = spec or (None if package in sys.modules else importlib.util.find_spec(package))
    places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
    parts = {part for place in places if place for part in Path(place).parts}
    return not parts.isdisjoint(("site-packages", "dist-packages"))


# -- bytecode -------------------------------------------------------------------------------------

_HAS_CONSTANT = frozenset(dis.hasconst)
#: Operations that load a global by its position among the names, and the bits below the position.
_LOADS = {dis.opmap["LOAD_GLOBAL"]: 1, dis.opmap["LOAD_NAME"]: 0}
if "LOAD_FROM_DICT_OR_GLOBALS" in dis.opmap:  # the body of a class, since Python 3.12
    _LOADS[dis.opmap["LOAD_FROM_DICT_OR_GLOBALS"]] = 0
#: How arguments are bound, generators and coroutines; a later bit says that there is a docstring.
_BEHAVIOUR = 0x3FF


def _code(code: CodeType) -> _Parts:
    """The instructions, with the constants that they load instead of the constants' positions.

    A docstring is a constant that no instruction loads, and shifts the positions of the others.
    """
    instructions, constants = bytearray(code.co_code), []
    for place, operation, argument in _instructions(code):
        if operation in _HAS_CONSTANT:
            constants.append(code.co_consts[argument])
            instructions[place + 1] = 0
    return "code", (
        bytes(instructions),
        constants,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        code.co_flags & _BEHAVIOUR,
        code.co_exceptiontable,
    )


def _instructions(code: CodeType) -> Iterator[tuple[int, int, int]]:
    """Place, operation and argument of each instruction."""
    raw, extended = code.co_code, 0
    for place in range(0, len(raw), 2):
        argument = raw[place + 1] | extended
        extended = argument << 8 if raw[place] == dis.EXTENDED_ARG else 0
        yield place, raw[place], argument


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _globals(code: CodeType) -> Iterator[str]:
    for _, operation, argument in _instructions(code):
        if operation in _LOADS:
            yield code.co_names[argument >> _LOADS[operation]]


def _imports(code: CodeType) -> Iterator[str]:
    """The modules that code imports, a relative one with its dots."""
    if dis.opmap["IMPORT_NAME"] in code.co_code[::2]:
        loaded: list[Any] = []
        for step in dis.get_instructions(code):
            if step.opname == "IMPORT_NAME":  # after the level and the names that are wanted
                yield "." * loaded[-2] + str(step.argval)
            elif step.opname.startswith("LOAD_"):
                loaded.append(step.argval)
