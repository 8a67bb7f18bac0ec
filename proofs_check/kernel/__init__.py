"""Proofs that a small kernel checks: the sources for Coq, their build, and their tie to Python.

The `.v` files are the development. `build` compiles them and asks the kernel what it has proved
and on which axioms; `language` and `meaning` read what it answers and evaluate it; `register` says
which theorem stands for which wording of which statement, with one module a file in `ties`.
"""
