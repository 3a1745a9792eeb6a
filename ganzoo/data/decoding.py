"""An image file of any kind -> 8-bit grey or RGB pixels of a square."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ganzoo.data import pixels

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".bmp",
    ".gif",
    ".tif",
    ".tiff",
    ".ppm",
    ".pgm",
    ".pbm",
)
GREY = ("1", "L", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")
ALPHA = ("LA", "PA", "RGBA")


def into(pixel: np.ndarray, path: Path) -> str | None:
    """Decode a file into an array (size, size, 1 or 3) of uint8; why it is broken, or None.

    The turn that EXIF states is made, transparency shows white behind it, 16 bits become 8.
    """
    try:
        image = _square(path, len(pixel), "L" if pixel.shape[2] == 1 else "RGB")
        pixel[...] = np.asarray(image).reshape(pixel.shape)
    except Exception as error:  # the decoders raise what they like on a broken file
        return " ".join(str(error).split()) or type(error).__name__
    return None


def all_grey(paths: Iterable[Path], size: int) -> bool:
    """Whether no readable image shows a colour; stops at the first that does."""
    return not any(_is_coloured(path, size) for path in paths)


def _is_coloured(path: Path, size: int) -> bool:
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.mode in GREY:
                return False
        rgb = np.asarray(_square(path, size, "RGB"))
    except Exception:  # a broken file has no say; `into` names it
        return False
    return bool((rgb != rgb[..., :1]).any())


def _square(path: Path, size: int, mode: str) -> Image:
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        image.draft(None, (3 * size, 3 * size))  # lets JPEG skip detail that shrinking would drop
        turned = ImageOps.exif_transpose(image)
        return pixels.square(_eight_bits(turned).convert(mode), size)


def _eight_bits(image: Image) -> Image:
    """The image as grey or RGB of 8 bits, on white where it is transparent."""
    from PIL import Image

    if image.mode in GREY and image.mode not in ("1", "L"):
        values = np.asarray(image, np.float64)
        top = 65535.0  # PIL's own conversion would clip 16 bits at 255
        if image.mode == "F":
            top = 1.0 if values.max() <= 1 else 255.0
        return Image.fromarray(np.rint(np.clip(values / top, 0, 1) * 255).astype(np.uint8))
    if image.mode in ALPHA or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image if image.mode in ("1", "L") else image.convert("RGB")
