"""Proofs about classes of unequal size."""
