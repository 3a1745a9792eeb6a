"""The errors that ganzoo raises, each one sentence that a user can act on.

The command line prints the message of these errors and nothing else; `--debug` adds the traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GanzooError(Exception):
    """Something failed: the message says what was expected, what came, and what to do."""

    exit_code = 1


class UsageError(GanzooError):
    """The request cannot be carried out as written: a wrong name, type, size or option."""

    exit_code = 2


def unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that does not exist: it offers the nearest one and lists the rest.

    >>> print(unknown("plugin", "dcgam", ["dcgan", "wgan"]))
    unknown plugin 'dcgam': did you mean 'dcgan'? Known: dcgan, wgan.
    """
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f": did you mean {close[0]!r}?" if close else "."
    return UsageError(f"unknown {kind} {name!r}{hint} Known: {', '.join(known) or 'none'}.")
