"""A module imports only from floors below its own."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
#: Floors from the ground up; packages on one line may not import each other either.
FLOORS = [
    "ncbounds.errors",
    "ncbounds.arithmetic",
    "ncbounds.theory",
    "proofs_check",
    "ncbounds.campaign",
    "ncbounds.codes",
    "ncbounds.laboratory",
    "ncbounds.measure",
    "ncbounds.report",
    "ncbounds.integrations",
    "experiments",
    "ncbounds.cli",
    "ncbounds.__main__",
]
MODULES = [
    path
    for folder in ("ncbounds", "proofs_check", "experiments")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path != ROOT / "ncbounds" / "__init__.py"
]


def floor_of(module):
    found = [i for i, f in enumerate(FLOORS) if module == f or module.startswith(f + ".")]
    return found[-1] if found else None


def name_of(path):
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_imports_upward(path):
    own = floor_of(name_of(path))
    assert own is not None, f"{path} stands on no floor"
    for module in imports_of(path):
        other = floor_of(module)
        if other is not None:
            assert other <= own, f"{name_of(path)} imports {module} from above"


def test_the_check_sees_an_upward_import(tmp_path):
    planted = tmp_path / "planted.py"
    planted.write_text("from ncbounds.cli import main\n")
    assert any(floor_of(m) > floor_of("ncbounds.theory") for m in imports_of(planted))
