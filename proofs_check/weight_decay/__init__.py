"""Proofs about networks trained with weight decay."""
