"""Proofs of minority collapse are beside the parts of the statement."""
