"""Proofs about Softmax codes."""
