"""ganzoo: a plugin-based zoo of generative adversarial networks with an evaluation suite."""

from pathlib import Path

__version__ = "0.1.0"

# In a checkout that is not installed, `ganzoo.plugins` and `ganzoo.eval` are the folders beside us.
_root = Path(__file__).resolve().parent.parent
if (_root / "setup.cfg").is_file() and (_root / "plugins").is_dir():
    __path__.append(str(_root))
