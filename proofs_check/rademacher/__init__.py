"""Proofs about Rademacher complexity."""
