"""The one family of errors that ncbounds raises on purpose.

An error is raised at the door, before any work, and says in one line which parameter is wrong,
what was given, and what is accepted. The command line prints that line and exits with status 2.
The outcome of a search or of a measurement is a value, never an error.
"""

from __future__ import annotations


class NcboundsError(Exception):
    """Root of every error that ncbounds raises on purpose."""


class InputError(NcboundsError, ValueError):
    """An input outside its domain: the message names the parameter, the value and the domain.

    >>> import pickle  # as it comes back from another process
    >>> print(pickle.loads(pickle.dumps(InputError("n", 0, "positive", "give n = 1"))))
    n = 0: must be positive; give n = 1
    """

    def __init__(self, parameter: str, value: object, domain: str, remedy: str = "") -> None:
        shown = value if isinstance(value, str) else repr(value)
        message = f"{parameter} = {shown}: must be {domain}"
        super().__init__(f"{message}; {remedy}" if remedy else message)
        self.parameter = parameter
        self._given = (parameter, shown, domain, remedy)

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str, str]]:
        return type(self), self._given


class MissingDependencyError(NcboundsError, ImportError):
    """An optional package is needed and absent: the message says how to install it."""
