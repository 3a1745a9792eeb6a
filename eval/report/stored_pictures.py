"""Decode the pictures of a run folder, and write them anew as data URIs for a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

MAX_BYTES = 32_000_000
MAX_PIXELS = 16_000_000
COLOURS = 256
"""A palette of so many colours stands for all of them before a picture loses pixels."""


def opened(path: Path) -> Image.Image | None:
    """A PNG as a grey (`L`) or colour (`RGB`) picture; None for anything else, or too large."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        with Image.open(path, formats=["PNG"]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return None
            picture.load()
            return _opaque(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
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

    What does not fit gets a palette, then loses a quarter of its sides again and again; below 16
    pixels it is kept as it is.
    """
    for smaller in _smaller(picture):
        uri = "data:image/png;base64," + base64.b64encode(_png(smaller)).decode()
        if len(uri) <= limit:
            break
    return uri


def _smaller(picture: Image.Image) -> Iterator[Image.Image]:
    yield picture
    size = picture.size
    while min(size) >= 16:
        part = picture.resize(size, Image.Resampling.LANCZOS) if size != picture.size else picture
        yield part.quantize(COLOURS, Image.Quantize.MAXCOVERAGE) if part.mode == "RGB" else part
        size = (size[0] * 3 // 4, size[1] * 3 // 4)


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
