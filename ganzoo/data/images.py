"""Image files under a folder: finding them, holding some out, and decoding them to squares."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ganzoo import memory, reading
from ganzoo.data.resize import check_memory, in_threads, square
from ganzoo.errors import GanzooError

if TYPE_CHECKING:
    from PIL.Image import Image

SIZE = 64
EXTENSIONS = {
    ".png",
    ".jpg",
    ".jpeg",
    ".jpe",
    ".bmp",
    ".gif",
    ".webp",
    ".tif",
    ".tiff",
    ".ppm",
    ".pgm",
    ".pbm",
}
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
LARGEST = 2**30
"""Bytes of an image file."""
LARGE = 2**24
"""Pixels from which images are decoded one at a time: each takes up to 11 bytes a pixel, and
Pillow refuses those of more than 179 million."""
_alone = threading.Lock()
HELD_OUT = 10
"""One image in so many belongs to the test split."""
NAMED = 5
"""So many broken images are called by name; the others are counted."""


def none_found(what: str) -> GanzooError:
    """The error for a place without images."""
    kinds = ", ".join(sorted(EXTENSIONS))
    return GanzooError(f"{what}: expected files that end in {kinds}, in it or in its sub-folders.")


class Images(NamedTuple):
    """The images of one split that could be read."""

    files: list[str]
    pixels: np.ndarray
    """uint8 (n, size, size, 1 or 3)."""
    broken: list[str]


def read(root: Path, chosen: list[str], others: list[str], size: int) -> Images:
    """The chosen files under `root`; they are grey if they and the others all are."""
    check_memory(len(chosen), (size, size, 1))
    decoded = in_threads(lambda file: decode(root / file, size), chosen)
    pairs = list(zip(chosen, decoded, strict=True))
    good = [(file, pixels) for file, pixels in pairs if isinstance(pixels, np.ndarray)]
    broken = [file for file, pixels in pairs if isinstance(pixels, str)]
    if not good:
        reason = next(pixels for pixels in decoded if isinstance(pixels, str))
        raise GanzooError(
            f"all {len(chosen)} images of {root} are broken; the first is {broken[0]}: {reason}."
        )
    stacked = _stacked([pixels for _, pixels in good], [root / file for file in others])
    return Images([file for file, _ in good], stacked, broken)


def find(root: Path) -> Iterator[str]:
    """Relative names of the image files, hidden ones left out; a loop of links is walked once."""
    seen = set()
    for folder, inner, files in os.walk(root, followlinks=True, onerror=_unreadable):
        real = os.path.realpath(folder)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        inner[:] = sorted(name for name in inner if not name.startswith((".", "__MACOSX")))
        for file in files:
            if Path(file).suffix.lower() in EXTENSIONS and not file.startswith("."):
                yield (Path(folder) / file).relative_to(root).as_posix()


def _unreadable(error: OSError) -> None:
    raise error


def held_out(files: list[str], split: str) -> list[str]:
    """The files of one split: about one in ten is in test, by a hash of its name."""
    test = {
        file
        for file in files
        if int.from_bytes(hashlib.sha256(os.fsencode(file)).digest()[:8], "big") % HELD_OUT == 0
    }
    if len(test) == len(files):
        test = set()  # a handful of images, all of which fell on one side
    return [file for file in files if (file in test) == (split == "test")]


def decode(path: Path, size: int | None) -> np.ndarray | str:
    """Pixels `(size, size, 1 or 3)`, of its own size without one, or why it cannot be read."""
    from PIL import ImageOps

    try:
        with _opened(path) as opened, _alone if _area(opened) > LARGE else nullcontext():
            deep = _is_deep(opened)
            image = ImageOps.exif_transpose(opened)
            image = _eight_bits(image) if deep else _on_white(image)
            pixels = np.asarray(square(image, size) if size else image)
    except OSError as error:
        return error.strerror or str(error).rstrip(".")
    except Exception as error:  # Pillow's decoders raise any kind on damaged files
        return str(error).rstrip(".") or type(error).__name__
    if (pixels[..., :1] == pixels).all():
        return pixels[..., :1].copy()
    return pixels


@contextmanager
def _opened(path: Path) -> Iterator[Image]:
    """The image in a regular file, of one of the kinds that are meant: Pillow knows others, and
    runs a program to read some of them."""
    from PIL import Image, UnidentifiedImageError

    with reading.opened(path, LARGEST, follow=True) as file:
        try:
            with Image.open(file, formats=FORMATS) as image:
                yield image
        except UnidentifiedImageError:
            raise ValueError("it is no image, or of a kind that is not read") from None


def _area(image: Image) -> int:
    return image.width * image.height


def check_fit(root: Path, files: list[str]) -> None:
    """Refuse images that do not fit into memory as they are, by what their heads say."""

    def area(file: str) -> int:
        try:
            with _opened(root / file) as image:
                return _area(image)
        except Exception:  # it is broken, and told when it is decoded
            return 0

    needed = sum(in_threads(area, files))
    memory.require(needed, f"to hold the {len(files):,} images of {root}", "say --size")


def _is_deep(image: Image) -> bool:
    return image.mode == "F" or image.mode.startswith("I")


def _eight_bits(image: Image) -> Image:
    """Grey with 16 bits or floats, which Pillow would clip at 255 instead of scaling."""
    from PIL import Image as PIL_Image

    values = np.asarray(image).astype(np.float64)
    if image.mode == "F" and values.max() <= 1:
        values *= 255
    elif image.mode.startswith("I;16") or values.max() > 255:
        values /= 257
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 255.5:
        raise ValueError(f"its values go from {values.min():g} to {values.max():g}")
    return PIL_Image.fromarray(np.rint(values).astype(np.uint8)).convert("RGB")


def _on_white(image: Image) -> Image:
    from PIL import Image as PIL_Image

    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        return PIL_Image.alpha_composite(PIL_Image.new("RGBA", image.size, "white"), image).convert(
            "RGB"
        )
    return image.convert("RGB")


def _stacked(images: list[np.ndarray], others: list[Path]) -> np.ndarray:
    """One array, grey if the files of the other split are grey too: the splits must match."""
    channels = max(pixels.shape[-1] for pixels in images)
    size = images[0].shape[0]
    if channels == 1:
        decoded = in_threads(lambda file: decode(file, size), others)
        coloured = any(
            pixels.shape[-1] == 3 for pixels in decoded if isinstance(pixels, np.ndarray)
        )
        channels = 3 if coloured else 1
    stacked = np.empty((len(images), size, size, channels), np.uint8)
    for row, pixels in zip(stacked, images, strict=True):
        row[...] = pixels
    return stacked


def broken_note(broken: list[str]) -> str | None:
    """How many images were skipped, and the names of the first few."""
    if not broken:
        return None
    names = ", ".join(broken[:NAMED])
    rest = f" and {len(broken) - NAMED} more" if len(broken) > NAMED else ""
    what = "1 broken image" if len(broken) == 1 else f"{len(broken)} broken images"
    return f"{what} skipped: {names}{rest}"
