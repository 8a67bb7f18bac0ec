"""Proofs about networks with a near-optimal loss."""
