"""Start TensorFlow without its log messages."""

from __future__ import annotations

import logging
import os
import sys
import tempfile


def quiet_start() -> None:
    """Import TensorFlow and run a first operation with file descriptor 2 held back.

    Some of its log lines are written before any log level is read. Where the start fails, what
    was held back is shown after all.
    """
    logging.getLogger("tensorflow").addFilter(_worth_saying)
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        saved = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            import keras  # noqa: F401
            import tensorflow as tf

            tf.constant(0) + 1
        except BaseException:
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def _worth_saying(record: logging.LogRecord) -> bool:
    """Not that games are traced: each training has its own, which TensorFlow thinks a mistake."""
    return "Game._run" not in record.getMessage()
