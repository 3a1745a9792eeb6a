"""A folder of images of any size: cropped to squares, resized, with class sub-folders as labels."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ganzoo.data.dataset import Dataset
from ganzoo.data.resize import check_memory, check_size, in_threads, square
from ganzoo.errors import GanzooError, UsageError
from ganzoo.spec import DataSpec

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
SPLITS = ("train", "test")
HELD_OUT = 10
"""One image in so many belongs to the test split."""
NAMED = 5
"""So many broken images are called by name; the others are counted."""


def load(name: str, size: int | None = None, split: str = "train") -> Dataset:
    """The images under a folder, 64x64 unless `size` says otherwise; grey if all of them are grey.

    Where all images lie in two or more sub-folders, these are the classes. The test split is the
    sub-folder `test` where `train` and `test` both exist, and otherwise about 10 % of the images,
    chosen by a hash of their relative names. Broken images are skipped and named in the note.
    """
    check_size(size)
    size = size or SIZE
    root = Path(name)
    files = sorted(_find(root))
    divided = all((root / part).is_dir() for part in SPLITS)
    if divided:
        splits = {part: [file for file in files if _top(file) == part] for part in SPLITS}
    else:
        splits = {part: _held_out(files, part) for part in SPLITS}
    chosen, every = splits[split], [file for part in SPLITS for file in splits[part]]
    classes, note = _classes([file.partition("/")[2] for file in every] if divided else every)
    if not chosen:
        kinds = ", ".join(sorted(EXTENSIONS))
        raise GanzooError(
            f"{root} has no images for the {split} split: expected files that end in "
            f"{kinds}, in it or in its sub-folders."
        )
    check_memory(len(chosen), (size, size, 3))
    decoded = in_threads(lambda file: _decode(root / file, size), chosen)
    good = [
        (file, pixels)
        for file, pixels in zip(chosen, decoded, strict=True)
        if isinstance(pixels, np.ndarray)
    ]
    broken = [file for file, pixels in zip(chosen, decoded, strict=True) if isinstance(pixels, str)]
    if not good:
        reason = next(pixels for pixels in decoded if isinstance(pixels, str))
        raise GanzooError(
            f"all {len(chosen)} images of {root} are broken; the first is {broken[0]}: {reason}."
        )
    others = [root / file for part in SPLITS if part != split for file in splits[part]]
    images = _stacked([pixels for _, pixels in good], others)
    arrays = {"image": images}
    if classes:
        own = [file.split("/")[divided] for file, _ in good]
        arrays["label"] = np.array([classes.index(name) for name in own], np.int32)
    return Dataset(
        name,
        DataSpec(images.shape[1:], classes=len(classes)),
        arrays,
        licence="not known: a folder of yours",
        source=f"{len(good)} files under {root}",
        note="; ".join(filter(None, [note, _note(broken)])) or None,
        class_names=classes,
    )


def samples(name: str, size: int | None = None) -> tuple[np.ndarray, str | None]:
    """All images under a folder, in order of their names, and a note of the broken ones.

    uint8 (n, h, w, 1 or 3), grey if all are. Without a `size` they keep theirs, which must be one.
    """
    check_size(size)
    root = Path(name)
    files = sorted(_find(root))
    if not files:
        raise GanzooError(
            f"{root} holds no images: expected files that end in {', '.join(sorted(EXTENSIONS))}."
        )
    if size:
        check_memory(len(files), (size, size, 3))
    decoded = in_threads(lambda file: _decode(root / file, size), files)
    good = [pixels for pixels in decoded if isinstance(pixels, np.ndarray)]
    broken = [file for file, p in zip(files, decoded, strict=True) if isinstance(p, str)]
    if not good:
        raise GanzooError(f"all {len(files)} images of {root} are broken, the first is {files[0]}.")
    sides = sorted({pixels.shape[:2] for pixels in good})
    if len(sides) > 1:
        raise UsageError(
            f"the images of {root} have {len(sides)} sizes, from {sides[0][1]}x{sides[0][0]} to "
            f"{sides[-1][1]}x{sides[-1][0]}: say --size to crop and resize them to one."
        )
    stacked = np.empty((len(good), *sides[0], max(p.shape[-1] for p in good)), np.uint8)
    for row, pixels in zip(stacked, good, strict=True):
        row[...] = pixels
    return stacked, _note(broken)


def _find(root: Path) -> Iterator[str]:
    """Relative names of the image files, hidden ones left out; a loop of links is walked once."""
    seen = set()
    for folder, inner, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        inner[:] = sorted(name for name in inner if not name.startswith((".", "__MACOSX")))
        for file in files:
            if Path(file).suffix.lower() in EXTENSIONS and not file.startswith("."):
                yield (Path(folder) / file).relative_to(root).as_posix()


def _top(file: str) -> str:
    return file.partition("/")[0]


def _classes(files: list[str]) -> tuple[tuple[str, ...], str | None]:
    """The class sub-folders, if there are at least two, and what the user must know about them."""
    names = tuple(sorted({_top(file) for file in files if "/" in file}))
    if len(names) < 2:
        return (), None
    if beside := sum("/" not in file for file in files):
        return (), f"no labels: {beside} of {len(files)} images lie in no class sub-folder"
    return names, None


def _held_out(files: list[str], split: str) -> list[str]:
    test = {
        file
        for file in files
        if int.from_bytes(hashlib.sha256(file.encode()).digest()[:8], "big") % HELD_OUT == 0
    }
    if len(test) == len(files):
        test = set()  # a handful of images, all of which fell on one side
    return [file for file in files if (file in test) == (split == "test")]


def _decode(path: Path, size: int | None) -> np.ndarray | str:
    """Pixels `(size, size, 1 or 3)`, of its own size without one, or why it cannot be read."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as opened:
            deep = _is_deep(opened)
            image = ImageOps.exif_transpose(opened)
            image = _eight_bits(image) if deep else _on_white(image)
            pixels = np.asarray(square(image, size) if size else image)
    except Exception as error:  # Pillow's decoders raise any kind on damaged files
        return str(error) or type(error).__name__
    if (pixels[..., :1] == pixels).all():
        return pixels[..., :1].copy()
    return pixels


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
        decoded = in_threads(lambda file: _decode(file, size), others)
        coloured = any(
            pixels.shape[-1] == 3 for pixels in decoded if isinstance(pixels, np.ndarray)
        )
        channels = 3 if coloured else 1
    stacked = np.empty((len(images), size, size, channels), np.uint8)
    for row, pixels in zip(stacked, images, strict=True):
        row[...] = pixels
    return stacked


def _note(broken: list[str]) -> str | None:
    if not broken:
        return None
    names = ", ".join(broken[:NAMED])
    rest = f" and {len(broken) - NAMED} more" if len(broken) > NAMED else ""
    what = "1 broken image" if len(broken) == 1 else f"{len(broken)} broken images"
    return f"{what} skipped: {names}{rest}"
