"""Measurements inside other libraries: `torchmetrics` and `lightning`, each an extra of its own.

Import the module of the library in use; a library that is absent is named by a
`MissingDependencyError` that says how to install it.
"""
