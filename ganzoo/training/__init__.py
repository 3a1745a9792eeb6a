"""The loop that trains every plugin: `prepare` a request, then `start` or `resume` a run."""

from ganzoo.training.loop import resume, start
from ganzoo.training.request import Request, prepare, resolve_precision, use_device

__all__ = ["Request", "prepare", "resolve_precision", "resume", "start", "use_device"]
