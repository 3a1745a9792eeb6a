"""Inception as TF-GAN's module of TensorFlow Hub: a SavedModel that is called as it is.

It maps images (n, 299, 299, 3) in [-1, 1] to a dictionary with `pool_3` (n, 2048) and `logits`
(n, 1008).
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
import textwrap
import urllib.request
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ganzoo import reading
from ganzoo.data import download
from ganzoo.errors import GanzooError
from ganzoo.eval.extractor import Extractor
from ganzoo.eval.features.inception import PREPROCESSING, SIDE, prepared
from ganzoo.eval.features.inception_layers import CLASSES
from ganzoo.eval.features.inception_weights import FOLDER, SAVED_MODEL
from ganzoo.files import cache_dir

LARGEST = 2**30
"""Bytes of a file of the module; the largest has 92 million."""
NAME = "tfgan"
"""As `weights`: the module from ganzoo's cache, or downloaded into it."""
HUB = "https://tfhub.dev/tensorflow/tfgan/eval/inception/1?tf-hub-format=compressed"
OUTPUTS = {"pool_3": 2048, "logits": CLASSES}


class HubInception(Extractor):
    """The module in a folder, unpacked; 2,048 dimensions in float32 are all that it has.

    Its scores carry the hash of its files: nothing proves that they equal those of other weights.
    """

    batch = 25
    name, dim, classes = "inception", OUTPUTS["pool_3"], CLASSES
    preprocessing = f"{PREPROCESSING}, by TF-GAN's module"

    def __init__(self, folder: Path):
        import tensorflow as tf

        self.folder = folder
        self.sha256 = _hash(folder)
        try:
            self.module = tf.saved_model.load(str(folder))
        except Exception as error:  # of TensorFlow's, protobuf's or the file system's
            raise GanzooError(
                f"{folder} is no SavedModel that loads ({_line(error)}): unpack TF-GAN's module "
                "there once more."
            ) from error
        self.call = tf.function(self._outputs, autograph=False)
        self.compute(np.zeros((self.batch, SIDE, SIDE, 3), np.uint8))  # another module says so now

    def compute(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The module's two outputs."""
        features, logits = self.call(images)
        return features.numpy(), logits.numpy()

    def _outputs(self, pixels: Any) -> list[Any]:
        import tensorflow as tf

        try:
            found = self.module(prepared(pixels))
            flat = [tf.reshape(found[key], [pixels.shape[0], n]) for key, n in OUTPUTS.items()]
        except Exception as error:  # whatever its graph says to images that it was not made for
            raise GanzooError(
                f"{self.folder} holds another module than TF-GAN's Inception: expected a call on "
                f"images in [-1, 1] that gives pool_3 and logits ({_line(error)})."
            ) from error
        return [tf.cast(x, tf.float32) for x in flat]


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    with reading.told(folder):  # TensorFlow would wait for what is in a pipe
        for path in sorted(p for p in folder.rglob("*") if not p.is_dir()):
            digest.update(os.fsencode(path.relative_to(folder)) + b"\n")
            digest.update(reading.content(path, LARGEST, follow=True))
    return digest.hexdigest()


def _line(error: Exception) -> str:
    said = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    return textwrap.shorten(said, 120, placeholder=" ...")


def fetched() -> Path:
    """The module's folder in ganzoo's cache; the first time it is downloaded and unpacked there.

    No checksum of it is published. It is kept only if the archive is whole, by its own checksum,
    and the module answers as TF-GAN's does. Raises GanzooError in one sentence, and leaves nothing.
    """
    folder = cache_dir() / FOLDER / NAME
    if (folder / SAVED_MODEL).is_file():
        return folder
    reason = download.failure(HUB)
    if reason is None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as place:
            unpacked = Path(place, NAME)
            try:
                with (
                    urllib.request.urlopen(HUB, timeout=download.PATIENCE) as answer,
                    tarfile.open(fileobj=answer, mode="r|gz") as archive,
                ):
                    archive.extractall(unpacked, filter="data")
            except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
                reason = _line(error)
            else:
                HubInception(unpacked)
                unpacked.rename(folder)
    if reason is not None:
        raise GanzooError(
            f"TF-GAN's module is not at {folder}, and the download from tfhub.dev failed "
            f"({reason}): unpack it there, or name its folder by --weights."
        )
    return folder
