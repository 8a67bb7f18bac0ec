import collections
import contextlib
import functools
import inspect
import subprocess
import sys
import textwrap
import threading
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.special
from mutants import MUTANTS
from mutants.planting import claim_of

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.arithmetic.formula import Formula, formula, positive, proportion
from ncbounds.campaign import fingerprint, samplers
from ncbounds.campaign.fingerprint import claim_fingerprint, source_fingerprint, versions
from ncbounds.errors import InputError
from ncbounds.theory import statements
from ncbounds.theory.terms import Claim, Field

X = positive("x", "a number", "x")
CLAIMS = {
    f"{s.id} {v.name} {v.reading}": v.claim
    for s in statements().values()
    for v in s.variants
    if v.claim
}

SOURCE = '''
"""A module."""
from dataclasses import dataclass
from functools import cached_property, lru_cache
import helpers

# a comment
TABLE = {"rate": 3, "names": frozenset(["alpha", "beta", "gamma", "delta"])}

@dataclass(frozen=True)
class Numbers:
    """Two numbers."""
    x: float
    scale: int = 4

    @property
    def both(self):
        """Both at once."""
        return self.x * self.scale

    @staticmethod
    def shift():
        return 17

class Wider(Numbers):
    @cached_property
    def twice(self):
        return 2 * self.both

def deepest(x, power=5):
    """Deep down."""
    return x ** power + Numbers.shift()

def helper(x, *, sign=-1):
    return sign * deepest(x) if x in {"p", "q", "r"} or x is None else deepest(x)

@lru_cache
def stored(x):
    return helper(x) + 6

def even(n):
    return True if n == 0 else odd(n - 1)

def odd(n):
    return 7 < 0 if n == 0 else even(n - 1)

def outer(factor):
    """Make a judge."""
    many = [factor, 8]

    def judge(xp, x):
        """Judge."""
        from helpers import late
        try:
            kept = [entry + 9 for entry in many]
        except ValueError:
            kept = None
        inner = lambda y: y * TABLE["rate"] + late(y)
        return kept, inner(stored(x)), Wider(x).both, even(10), helpers.near(x)

    return judge

judge = outer(11)
'''

HELPERS = '''
"""More of it."""
LIMIT = 12

def near(x):
    """Nearby."""
    return x < LIMIT

def late(x):
    return x - 13

def unused(x):
    return x
'''


@pytest.fixture
def of_source(monkeypatch):
    """The fingerprint of the claim that the judge of some source makes."""

    def run(source=SOURCE, helpers=HELPERS):
        for name, text in (("helpers", helpers), ("judged", source)):
            module = types.ModuleType(name)
            monkeypatch.setitem(sys.modules, name, module)
            exec(compile(text, f"{name}.py", "exec"), vars(module))
        return claim_fingerprint(claim(sys.modules["judged"].judge))

    return run


def claim(judge, **more):
    """A claim about one number."""
    return Claim(judge, (Field("x", ("n",)),), {"n": (1, 4)}, **more)


def of(judge):
    return claim_fingerprint(claim(judge))


# -- what leaves it alone -------------------------------------------------------------------------


def some_mutants():
    """Every eighth: what they are changed by is much alike."""
    return [mutate(claim_of(*key)) for key, mutate in list(MUTANTS.values())[::8]]


@pytest.mark.parametrize("seed", ["0", "4242"])
def test_another_process_with_other_hashes_finds_the_same(seed):
    code = """
        from ncbounds.campaign.fingerprint import claim_fingerprint
        import test_fingerprint as t
        for claim in t.CLAIMS.values():
            print(claim_fingerprint(claim))
        for claim in t.some_mutants():
            print(claim_fingerprint(claim))
        namespace = {"__name__": "judged"}
        t.sys.modules["helpers"] = t.types.ModuleType("helpers")
        exec(t.HELPERS, vars(t.sys.modules["helpers"]))
        exec(t.SOURCE, namespace)
        print(t.of(namespace["judge"]))
        """
    environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent), "PATH": ""}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    other = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    namespace = {"__name__": "judged"}
    sys.modules["helpers"] = types.ModuleType("helpers")
    try:
        exec(HELPERS, vars(sys.modules["helpers"]))
        exec(SOURCE, namespace)
        own = [claim_fingerprint(c) for c in CLAIMS.values()]
        own += [claim_fingerprint(claim) for claim in some_mutants()]
        own.append(of(namespace["judge"]))
    finally:
        del sys.modules["helpers"]
    assert other.stdout.split() == own


WORDS = {
    "a comment and moved lines": ("TABLE =", "# why\n\n\n\nTABLE ="),
    "a comment in a function": ("    many =", "    # because\n\n    many ="),
    "the docstring of the judge": ('        """Judge."""\n', ""),
    "another docstring of the judge": ('"""Judge."""', '"""Decide,\n\n        at length."""'),
    "the docstring of a helper": ('    """Deep down."""\n', ""),
    "the docstring of a property": ('        """Both at once."""\n', ""),
    "the docstring of a class": ('"""Two numbers."""', '"""A pair."""'),
    "the docstring of a module": ('"""A module."""', '"""Another."""'),
    "a docstring where there was none": ("def even(n):\n", 'def even(n):\n    """Even."""\n'),
    "a function that nothing calls": ("judge = outer", "def spare(): return 1\njudge = outer"),
}


@pytest.mark.parametrize("change", WORDS.values(), ids=WORDS)
def test_words_and_places_leave_it_alone(of_source, change):
    assert SOURCE.count(change[0]) == 1
    assert of_source(SOURCE.replace(*change)) == of_source()


def test_what_a_module_has_besides_leaves_it_alone(of_source):
    assert of_source(helpers=HELPERS.replace("return x\n", "return -x\n")) == of_source()


@pytest.mark.parametrize("name", ["bnwd:theorem-2.1 sharp guarantee from the loss"])
def test_thousands_of_calls_leave_it_alone(name):
    subject = CLAIMS[name]
    rng = np.random.default_rng(0)
    sizes = subject.axes({n: low for n, (low, _) in subject.sizes.items()})
    instance = samplers.draw(subject, sizes, 1, rng)
    before = claim_fingerprint(subject)
    with np.errstate(all="ignore"):
        for _ in range(3000):
            subject.judge(numpy_namespace(), **instance)
    assert claim_fingerprint(subject) == before


def test_calls_that_fill_a_cache_leave_it_alone():
    class Curve:
        def __init__(self):
            self.rate = 2

        @functools.cached_property
        def twice(self):
            return 2 * self.rate

    curve = Curve()

    @functools.lru_cache
    def power(n):
        return curve.twice**n

    def judge(xp, x):
        return power(x) + sum(i for i in range(x))

    before = of(judge)
    for x in range(3000):
        judge(None, x % 50)
    assert power.cache_info().currsize and "twice" in vars(curve)
    assert of(judge) == before


def test_the_words_of_a_formula_leave_it_alone():
    def body(xp, x):
        return 2 * x

    def judged(words, symbol):
        f = Formula(words, words, (positive("x", words, symbol),), body)
        return of(lambda xp, x: f(xp, x=x))

    assert judged("a bound", "x") == judged("another", r"\xi")


# -- what changes it ------------------------------------------------------------------------------

CHANGES = {
    "a closure cell": ("outer(11)", "outer(12)"),
    "a constant in a list of the closure": ("[factor, 8]", "[factor, 80]"),
    "a constant in a comprehension": ("entry + 9", "entry + 90"),
    "the type of a constant": ("entry + 9", "entry + 9.0"),
    "the sign of a zero": ("entry + 9", "entry + -0.0"),
    "an operation in a lambda": ('y * TABLE["rate"]', 'y + TABLE["rate"]'),
    "a global table": ('"rate": 3', '"rate": 4'),
    "a name in a global set": ('"delta"', '"epsilon"'),
    "a helper two calls down": ("x ** power", "x * power"),
    "a default argument two calls down": ("power=5", "power=6"),
    "a keyword default": ("sign=-1", "sign=1"),
    "a frozen set in the code": ('{"p", "q", "r"}', '{"p", "q", "s"}'),
    "a function behind a cache": ("helper(x) + 6", "helper(x) + 5"),
    "one of two functions that call each other": ("7 < 0", "7 > 0"),
    "a default of a dataclass": ("scale: int = 4", "scale: int = 5"),
    "a property of a base class": ("self.x * self.scale", "self.x + self.scale"),
    "a static method": ("return 17", "return 18"),
    "which exception is caught": ("except ValueError", "except TypeError"),
    "which function is called": ("Wider(x).both", "Wider(x).twice"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_it_changes_with(of_source, change):
    assert SOURCE.count(change[0]) == 1
    assert of_source(SOURCE.replace(*change)) != of_source()


@pytest.mark.parametrize("change", [("12", "14"), ("x < LIMIT", "x > LIMIT"), ("x - 13", "x")])
def test_it_changes_with_what_a_module_is_asked_for(of_source, change):
    assert HELPERS.count(change[0]) == 1
    assert of_source(helpers=HELPERS.replace(*change)) != of_source()


def test_it_changes_with_a_formula():
    def judged(body, *parameters):
        bound = formula(*parameters)(body)
        return of(lambda xp, x: bound(xp, x=x))

    def double(xp, x):
        """A bound."""
        return 2 * x

    def triple(xp, x):
        """A bound."""
        return 3 * x

    found = {
        judged(double, X),
        judged(triple, X),
        judged(double, proportion("x", "a number", "x")),
    }
    assert len(found) == 3


def test_it_changes_with_fields_sizes_and_derived_sizes():
    base = claim(lambda xp, x: x, derived={"m": lambda sizes: sizes["n"] + 1})
    (x,) = base.fields
    changed = [
        base,
        replace(base, fields=(replace(x, kind="positive"),)),
        replace(base, fields=(replace(x, kind="integer"),)),
        replace(base, fields=(replace(x, kind="integer", least=1),)),
        replace(base, fields=(replace(x, shape=("n", "n")),)),
        replace(base, fields=(x, replace(x, name="y"))),
        replace(base, sizes={"n": (1, 5)}),
        replace(base, sizes={"n": (2, 4)}),
        replace(base, sizes={"n": (1, 4), "k": (1, 1)}),
        replace(base, sizes={"k": (1, 1), "n": (1, 4)}),
        replace(base, derived={"m": lambda sizes: sizes["n"] + 2}),
        replace(base, derived={}),
    ]
    assert len({claim_fingerprint(c) for c in changed}) == len(changed)


def test_all_statements_and_all_mutants_are_told_apart():
    found = {name: claim_fingerprint(subject) for name, subject in CLAIMS.items()}
    for name, (key, mutate) in MUTANTS.items():
        found[f"mutant: {name}"] = claim_fingerprint(mutate(claim_of(*key)))
    names = collections.defaultdict(list)
    for name, value in found.items():
        names[value].append(name)
    assert [group for group in names.values() if len(group) > 1] == []
    assert len(found) == len(CLAIMS) + len(MUTANTS) > 60


# -- every kind of judge --------------------------------------------------------------------------


class Rule:
    def __init__(self, table):
        self.table = table

    def __call__(self, xp, x):
        return self.table[0] * x

    def method(self, xp, x):
        return self.table[0] + x

    @classmethod
    def of_class(cls, xp, x):
        return x


def scaled(factor, xp, x):
    return factor * x


def captured(value):
    return lambda xp, x: (value, x)


def generated(value):
    """A function that a library made around one of ours."""

    @contextlib.contextmanager
    def manager():
        yield value

    return manager


def posing_as_sqrt(value):
    """A function of ours under the name of a library's."""

    @functools.wraps(np.linalg.norm)
    def judge(xp, x):
        return value * x

    return judge


def heir(value):
    """An instance whose class inherits all that it does."""

    class Base:
        def __call__(self, xp, x):
            return value * x

    class Heir(Base):
        pass

    return Heir()


JUDGES = {
    "inherited method": heir,
    "instance": lambda n: Rule([n]),
    "bound method": lambda n: Rule([n]).method,
    "partial": lambda n: functools.partial(scaled, n),
    "partial by keyword": lambda n: functools.partial(scaled, factor=n),
    "closure": captured,
    "array": lambda n: captured(np.array([1, n])),
    "type of an array": lambda n: captured(np.zeros(2, dtype=[np.int32, np.float32][n])),
    "shape of an array": lambda n: captured(np.zeros([(2, 3), (3, 2)][n])),
    "array of objects": lambda n: captured(np.array([{n}, None], dtype=object)),
    "scalar": lambda n: captured(np.float64(n)),
    "large integer": lambda n: captured(10**6000 + n),
    "mapping proxy": lambda n: captured(types.MappingProxyType({"n": n})),
    "default dictionary": lambda n: captured(collections.defaultdict(list, n=n)),
    "named tuple": lambda n: captured(collections.namedtuple("Pair", "a b")(n, 0)),
    "library function": lambda n: captured([np.sum, np.prod][n]),
    "universal function": lambda n: captured([np.exp, scipy.special.gammaln][n]),
    "builtin function": lambda n: captured([len, sum][n]),
    "method of a list": lambda n: captured([n].count),
    "library closure around ours": lambda n: captured(generated(n)),
    "our function in disguise": posing_as_sqrt,
}


@pytest.mark.parametrize("make", JUDGES.values(), ids=JUDGES)
def test_a_judge_is_known_by_what_it_holds(make):
    assert of(make(0)) == of(make(0))
    assert of(make(0)) != of(make(1))


def test_judges_of_one_instance_are_told_apart():
    rule = Rule([1])
    assert len({of(rule), of(rule.method), of(rule.of_class), of(Rule.of_class)}) == 3


def test_a_tensor_is_known_by_its_content():
    torch = pytest.importorskip("torch")
    first = of(captured(torch.tensor([1.0, 2.0], requires_grad=True)))
    assert first == of(captured(torch.tensor([1.0, 2.0])))
    assert first != of(captured(torch.tensor([1.0, 3.0])))


def test_a_structure_that_contains_itself_is_known():
    def ring(n):
        loop = [n]
        loop.append(loop)
        return captured(loop)

    assert of(ring(0)) == of(ring(0)) != of(ring(1))


@pytest.mark.parametrize(
    "value",
    [threading.Lock(), (n for n in ()), np.frompyfunc(lambda x: x, 1, 1), sys.stdout],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_read_is_refused(value):
    with pytest.raises(InputError, match="claim = one that refers to a"):
        of(captured(value))


# -- the engine -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file", ["arithmetic/a.py", "campaign/deep/b.py", "theory/terms.py", "theory/topic.py"]
)
def test_the_engine_is_known_by_the_bytes_of_its_files(tmp_path, monkeypatch, file):
    monkeypatch.setattr(fingerprint, "_PACKAGE", tmp_path)
    for name in ("arithmetic/a.py", "campaign/deep/b.py", "theory/terms.py", "theory/topic.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    fresh = inspect.unwrap(source_fingerprint)
    before = fresh(*fingerprint._ENGINE)
    (tmp_path / file).write_text("x = 2\n")
    assert (fresh(*fingerprint._ENGINE) != before) == (file != "theory/topic.py")


def test_versions_name_the_engine_and_all_libraries():
    found = versions()
    libraries = {"ncbounds", "python", "numpy", "scipy", "torch", "python-flint"}
    libraries |= {"array-api-compat"}
    assert set(found) == libraries | {"engine"}
    assert found["engine"] == source_fingerprint(*fingerprint._ENGINE)
    assert found["numpy"] == np.__version__


def test_a_library_that_is_not_installed_is_absent(monkeypatch):
    monkeypatch.setattr(fingerprint, "_DISTRIBUTIONS", ("no-such-library",))
    assert versions()["no-such-library"] == "absent"


def test_versions_are_found_without_importing_torch():
    code = (
        "import sys; from ncbounds.campaign.fingerprint import versions; versions(); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
