"""Decode the pictures of a run folder, and write them anew as data URIs for a page."""

from __future__ import annotations

import base64
import io
import math
import warnings
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from ganzoo import reading

MAX_BYTES = 32_000_000
MAX_PIXELS, MAX_SIDE = 16_000_000, 32_768
COLOURS = 256
"""A palette of so many colours stands for all of them before a picture loses pixels."""
PALETTE_PIXELS, BEST_PIXELS = 1_000_000, 150_000


def opened(path: Path) -> Image.Image | None:
    """A PNG as a grey (`L`) or colour (`RGB`) picture; None for anything else, or too large."""
    content = bytes_of(path)
    return None if content is None else decoded(content)


def bytes_of(path: Path) -> bytes | None:
    """The bytes of a regular file that may be a picture."""
    try:
        return reading.content(path, MAX_BYTES, follow=False)
    except OSError:
        return None


def decoded(content: bytes) -> Image.Image | None:
    """The picture in the bytes of a PNG."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a bomb, which is not unpacked here
        try:
            Image.open(io.BytesIO(content), formats=["PNG"]).verify()  # the checksum of each part
            with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
                if max(picture.size) > MAX_SIDE or picture.width * picture.height > MAX_PIXELS:
                    return None
                picture.load()
                return _opaque(picture)
        except Exception:  # a damaged picture raises any kind
            return None


def _opaque(picture: Image.Image) -> Image.Image:
    """On white where it is transparent."""
    if picture.mode in ("1", "L"):
        return picture.convert("L")
    colour = picture.convert("RGBA")
    ground = Image.new("RGBA", colour.size, "white")
    return Image.alpha_composite(ground, colour).convert("RGB")


def data_uri(picture: Image.Image, limit: int) -> str:
    """The picture as `data:image/png;base64,...` of at most `limit` characters.

    What does not fit gets a palette and at most a million pixels, then loses a quarter of its sides
    again and again, down to 16 pixels.
    """
    for smaller in _smaller(picture):
        uri = "data:image/png;base64," + base64.b64encode(_png(smaller)).decode()
        if len(uri) <= limit:
            break
    return uri


def _smaller(picture: Image.Image) -> Iterator[Image.Image]:
    yield picture
    part = min(1.0, math.sqrt(PALETTE_PIXELS / (picture.width * picture.height)))
    size = tuple(max(1, int(side * part)) for side in picture.size)
    while max(size) >= 16:
        part = picture.resize(size, Image.Resampling.LANCZOS) if size != picture.size else picture
        yield part.quantize(COLOURS, _method(part)) if part.mode == "RGB" else part
        size = tuple(max(1, side * 3 // 4) for side in size)


def _method(picture: Image.Image) -> Image.Quantize:
    """The best one takes minutes of a picture with many pixels in as many colours."""
    many = picture.width * picture.height > BEST_PIXELS
    return Image.Quantize.MEDIANCUT if many else Image.Quantize.MAXCOVERAGE


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
