"""Proofs about networks trained with the square loss."""
