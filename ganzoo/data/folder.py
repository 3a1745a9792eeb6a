"""A folder of images -> arrays: any format, any size, class sub-folders become labels.

Held out: the sub-folder `test/` where `train/` and `test/` both exist, otherwise one image in
ten, chosen by a hash of its relative name so that adding images moves none across.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ganzoo.data import Dataset
from ganzoo.errors import GanzooError, UsageError
from ganzoo.spec import DataSpec

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
SIDE = 64
HELD_OUT = 10
NAMED = 5


def folder(path: Path, size: int | None, split: str) -> Dataset:
    """The images below `path`, centre-cropped to squares of `size` (default 64) pixels."""
    side = size or SIDE
    root = path
    if (path / "train").is_dir() and (path / "test").is_dir():
        root = path / split
        files = _images(root)
    else:
        files = [f for f in _images(root) if _held_out(f.relative_to(root)) == (split == "test")]
    if not files:
        raise UsageError(f"no images for the {split} split in {root}: expected files ending in "
                         f"{', '.join(sorted(SUFFIXES))}.")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        decoded = list(pool.map(lambda file: _decode(file, side), files))
    good = [(f, image) for f, image in zip(files, decoded, strict=True) if not isinstance(image, str)]
    broken = [f for f, image in zip(files, decoded, strict=True) if isinstance(image, str)]
    if not good:
        reason = next(image for image in decoded if isinstance(image, str))
        raise GanzooError(f"none of the {len(files)} images in {root} can be read; the first, "
                          f"{files[0].name}: {reason}.")
    grey = all(image.shape[2] == 1 for _, image in good)
    images = np.stack([image if grey else _colour(image) for _, image in good])
    names, labels = _labels(root, files, [f for f, _ in good])
    arrays = {"image": images} | ({"label": labels} if names else {})
    return Dataset(str(path), DataSpec(images.shape[1:], classes=len(names)), arrays,
                   source=f"{len(good)} images in {root}", note=_note(root, broken),
                   class_names=names)


def _images(root: Path) -> list[Path]:
    return sorted(f for f in root.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file()
                  and not any(part.startswith(".") for part in f.relative_to(root).parts))


def _held_out(relative: Path) -> bool:
    digest = hashlib.sha256(relative.as_posix().encode()).digest()
    return int.from_bytes(digest[:4], "little") % HELD_OUT == 0


def _decode(file: Path, side: int) -> np.ndarray | str:
    """(side, side, 1 or 3) uint8, or what is wrong with the file."""
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as opened:
            image = ImageOps.exif_transpose(opened)
            image = _plain(image)
            image = ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
            pixels = np.asarray(image, np.uint8)
            return pixels.reshape(side, side, -1)
    except Exception as error:  # decoders raise anything on a damaged file
        return f"{type(error).__name__}: {error}"


def _plain(image):
    """Mode L or RGB: sixteen bits scaled to eight, transparency laid on white."""
    from PIL import Image

    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        wide = np.asarray(image, np.float64)
        scale = 257.0 if wide.max(initial=0) > 255 else 1.0
        return Image.fromarray(np.clip(wide / scale, 0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    elif image.mode in ("L", "1"):
        return image.convert("L")
    image = image.convert("RGB")
    red, green, blue = image.split()
    same = red.tobytes() == green.tobytes() == blue.tobytes()
    return red if same else image


def _colour(image: np.ndarray) -> np.ndarray:
    return image if image.shape[2] == 3 else np.repeat(image, 3, 2)


def _labels(root: Path, files: list[Path], good: list[Path]) -> tuple[tuple[str, ...], np.ndarray]:
    """Class names and labels, where every image lies in a sub-folder and there are at least two."""
    first = [f.relative_to(root).parts[0] if len(f.relative_to(root).parts) > 1 else None
             for f in files]
    names = sorted({name for name in first if name is not None})
    if None in first or len(names) < 2:
        return (), np.zeros(0, np.int32)
    places = {name: index for index, name in enumerate(names)}
    return tuple(names), np.array([places[f.relative_to(root).parts[0]] for f in good], np.int32)


def _note(root: Path, broken: list[Path]) -> str | None:
    if not broken:
        return None
    named = ", ".join(str(f.relative_to(root)) for f in broken[:NAMED])
    more = f" and {len(broken) - NAMED} more" if len(broken) > NAMED else ""
    one = "1 broken image" if len(broken) == 1 else f"{len(broken)} broken images"
    return f"{one} skipped in {root}: {named}{more}."
