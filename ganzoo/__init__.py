"""ganzoo: a plugin-based zoo of generative adversarial networks with an evaluation suite."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo.api import Run, load, train

__all__ = ["Run", "load", "train"]
__version__ = "0.2.0"

# In a checkout that is not installed, `ganzoo.plugins` and `ganzoo.eval` are the folders beside us.
_root = Path(__file__).resolve().parent.parent
if (_root / "setup.cfg").is_file() and (_root / "plugins").is_dir():
    __path__.append(str(_root))


def __getattr__(name: str) -> Any:
    """The Python API is imported when it is first used: `import ganzoo` alone costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'ganzoo' has no attribute {name!r}")
    from ganzoo import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
