"""Scores, modes and diagnoses of what a generator makes.

What other packages may import from here is `__all__`; each is imported when it is first asked for,
so that `import ganzoo.eval` alone costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo.eval.evaluation import Terms, evaluate
    from ganzoo.eval.extractor import Extractor, hash_arrays
    from ganzoo.eval.metrics import UnsuitedError
    from ganzoo.eval.scores import Score
    from ganzoo.eval.summary import Pair, Rows

__all__ = [
    "Extractor",
    "Pair",
    "Rows",
    "Score",
    "Terms",
    "UnsuitedError",
    "evaluate",
    "hash_arrays",
]

_HOMES = {
    "Extractor": "extractor",
    "Pair": "summary",
    "Rows": "summary",
    "Score": "scores",
    "Terms": "evaluation",
    "UnsuitedError": "metrics",
    "evaluate": "evaluation",
    "hash_arrays": "extractor",
}


def __getattr__(name: str) -> Any:
    """What `__all__` lists, from the module that it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ganzoo.eval' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ganzoo.eval.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
