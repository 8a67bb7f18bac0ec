"""Proofs about unconstrained features."""
