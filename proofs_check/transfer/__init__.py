"""Proofs about class-distance normalised variance, nearest class means, depth and transfer."""
