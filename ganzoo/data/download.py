"""One download attempt a process, through Keras, which gives up within seconds when offline."""

from __future__ import annotations

import contextlib
import functools
import http.client
import os
import socket
import sys
import threading
import urllib.request
from pathlib import Path

PATIENCE = 5.0  # seconds until a host that does not answer counts as unreachable
STALL = 30.0  # seconds without a byte until a download that runs is given up

ORIGINS = {  # where keras.datasets downloads from
    "mnist": "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    "fashion_mnist": "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
                     "train-labels-idx1-ubyte.gz",
    "cifar10": "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
}


def keras_cache() -> Path:
    """The folder in which Keras keeps data sets, by Keras's own rule."""
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    if home.exists() and not os.access(home, os.W_OK):
        home = Path("/tmp/.keras")
    return home / "datasets"


@functools.cache
def fetch(name: str) -> str | None:
    """Have Keras download a data set into its cache; the reason why it did not, or None.

    Asked once a process: whoever is offline need not wait twice.
    """
    reason = unreachable(ORIGINS[name])
    return reason if reason else _through_keras(name)


def unreachable(url: str, patience: float = PATIENCE) -> str | None:
    """Why an address does not answer, or None where it does.

    A thread asks, because looking up a host name obeys no socket timeout.
    """
    outcome: list[str | None] = []

    def ask() -> None:
        request = urllib.request.Request(url, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=patience):
                outcome.append(None)
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            outcome.append(f"{urllib.request.urlparse(url).hostname}: {reason}")

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    return outcome[0] if outcome else f"no answer within {patience:g} s"


def _through_keras(name: str) -> str | None:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALL)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # Keras draws a progress bar
            import keras

            getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises bare Exceptions for what the network does
        return " ".join(str(error).split()) or type(error).__name__
    finally:
        socket.setdefaulttimeout(before)
    return None
