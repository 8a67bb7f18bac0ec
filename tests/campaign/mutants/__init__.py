"""Planted errors: small changes to true claims that make them false.

Each entry of a table names a statement, the reading it starts from, and how a conclusion or
hypothesis is changed: a constant tightened by 1 % where the claim is sharp, a sign flipped, a root
or factor dropped, an exponent changed, a hypothesis left out. One table a topic; here is their sum.
"""

from mutants import cosine, proof_steps, spine

#: name -> (statement, variant, reading), function from its claim to the mutant
MUTANTS = {**spine.MUTANTS, **proof_steps.MUTANTS, **cosine.MUTANTS}
assert len(MUTANTS) == sum(len(t.MUTANTS) for t in (spine, proof_steps, cosine))
