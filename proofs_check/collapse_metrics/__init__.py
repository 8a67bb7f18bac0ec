"""Proofs about the metrics of neural collapse."""
