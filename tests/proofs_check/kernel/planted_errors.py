"""Errors planted in statements: in each file, text that occurs once, and what replaces it."""

PLANTED: list[tuple[str, str, str]] = []
