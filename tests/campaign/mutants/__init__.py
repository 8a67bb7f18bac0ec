"""Planted errors: small changes to true claims that make them false.

Each entry of a table names a statement, the reading it starts from, and how a conclusion or
hypothesis is changed: a constant tightened by 1 % where the claim is sharp, a sign flipped, a root
or factor dropped, an exponent changed, a hypothesis left out. There is a module for each topic,
with a table `MUTANTS`, and `planting`; here is the sum of the tables.
"""

import importlib
import pkgutil

_TABLES = [
    importlib.import_module(f"mutants.{module.name}").MUTANTS
    for module in pkgutil.iter_modules(__path__)
    if module.name != "planting"
]

#: name -> (statement, variant, reading), function from its claim to the mutant
MUTANTS = {name: mutant for table in _TABLES for name, mutant in table.items()}
assert len(MUTANTS) == sum(map(len, _TABLES))
