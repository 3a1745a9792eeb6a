"""Downloads through Keras into its cache: one attempt that fails within seconds when offline."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ganzoo.errors import GanzooError

PATIENCE = 5.0
"""Seconds without an answer after which a server counts as out of reach."""


class Remote(NamedTuple):
    """A published file: its address and its MD5 or SHA-256."""

    url: str
    checksum: str

    @property
    def file(self) -> str:
        """Its name in the cache."""
        return self.url.rpartition("/")[2]

    @property
    def host(self) -> str:
        """The server, for messages."""
        return self.url.split("/")[2]


def keras_home() -> Path:
    """Keras's cache folder, the same that Keras would use."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser()


def fetch(remotes: tuple[Remote, ...], folder: str) -> Path:
    """Download files into `folder` of the Keras cache and return where they are.

    Raises GanzooError with the reason, within seconds when the server is out of reach.
    """
    if reason := failure(remotes[0].url):
        raise GanzooError(f"the download from {remotes[0].host} failed ({reason})")
    import keras

    with contextlib.suppress(OSError):  # without the folder Keras chooses a temporary one
        keras_home().mkdir(parents=True, exist_ok=True)
    paths = []
    with _stalls_fail(), contextlib.redirect_stdout(sys.stderr):
        for remote in remotes:
            target = keras_home() / folder / remote.file
            existed = target.exists()
            try:
                paths.append(
                    keras.utils.get_file(
                        remote.file,
                        origin=remote.url,
                        file_hash=remote.checksum,
                        cache_dir=str(keras_home()),
                        cache_subdir=folder,
                    )
                )
            except Exception as error:  # Keras raises bare Exception for a failed download
                if not existed:
                    target.unlink(missing_ok=True)  # it would be found there and taken for whole
                raise GanzooError(f"the download from {remote.host} failed ({error})") from error
    return Path(paths[0]).parent


@functools.cache
def failure(url: str) -> str | None:
    """Why the server does not show the file's header, or None: being offline costs seconds, once.

    In a thread: the look-up of a host's name can hang, and has no timeout of its own.
    """
    import urllib.request

    reasons = ["no answer"]

    def ask() -> None:
        request = urllib.request.Request(url, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE):
                reasons.clear()
        except Exception as error:  # URLError, timeouts, and http.client's own family
            reasons[:] = [str(getattr(error, "reason", None) or error) or type(error).__name__]

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE + 0.5)
    return reasons[0] if reasons else None


@contextlib.contextmanager
def _stalls_fail() -> Iterator[None]:
    """Within this block a connection that stalls for PATIENCE seconds is an error."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
