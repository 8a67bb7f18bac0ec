"""Proofs about locally elastic dynamics."""
