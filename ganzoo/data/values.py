"""What an array of a file may mean: images, points, labels, or further numbers beside them."""

from __future__ import annotations

import numpy as np

from ganzoo.errors import GanzooError, UsageError

PIXELS = {"0..255": (0.0, 255.0), "0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0)}


def checked(values: np.ndarray, beside: np.ndarray | None, name: str) -> np.ndarray:
    """The array as uint8 images with channels last, or as float32 points."""
    if values.dtype.kind not in "buif":
        raise GanzooError(f"{name}: expected numbers, not values of type {values.dtype}.")
    if not values.size:
        raise GanzooError(f"{name} holds no samples: its array has the shape {values.shape}.")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        rows = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
        raise GanzooError(
            f"{name} has NaN or infinite values in {len(rows)} of {len(values)} "
            f"samples, first in number {rows[0]}: remove them."
        )
    if values.ndim == 2 and values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            points = values.astype(np.float32)
        if not np.isfinite(points).all():
            raise GanzooError(f"{name} has values that are infinite as float32: scale them down.")
        return points
    return _as_pixels(_channels_last(values, name), beside, name)


def further(parts: list[np.ndarray], sides: tuple[int, ...]) -> tuple[list[np.ndarray], int]:
    """An array beside the values, given as one or both of its splits, and its number of classes.

    Images, told like the values, become uint8; (n, h, w) without channels is taken for images if
    it is uint8, bool, as large as the values (`sides`), or square. Whole numbers (n,) that count
    from 0 are classes, int32; every other number is float32 as it is.
    """
    low, high = min(part.min() for part in parts), max(part.max() for part in parts)
    dtype = parts[0].dtype
    known = dtype in (np.uint8, bool) or range_of(dtype, low, high)
    if known and all(looks_like_images(part, sides) for part in parts):
        images = [part if part.ndim == 4 else part[..., None] for part in parts]
        return [_as_pixels(part, np.array([low, high]), "") for part in images], 0
    if parts[0].ndim == 1 and dtype.kind in "bui" and low == 0:
        classes = int(high) + 1
        if classes <= max(1000, len(parts[0])):
            return [part.astype(np.int32) for part in parts], classes
    return [part.astype(np.float32) for part in parts], 0


def looks_like_images(values: np.ndarray, sides: tuple[int, ...] = ()) -> bool:
    """Whether these can be images; `sides` are the height and width of the values beside them."""
    if values.ndim == 4:
        return values.shape[-1] in (1, 3)
    if values.ndim != 3 or values.shape[-1] in (1, 3, 4):
        return False
    height, width = values.shape[1:]
    return values.dtype in (np.uint8, bool) or height == width or (height, width) == sides


def why_not(array: np.ndarray) -> str | None:
    """What keeps an array beside the values from being used; None where nothing does."""
    if array.dtype.kind not in "buif":
        return "no numbers"
    if array.ndim == 0 or len(array) < 2:
        return "one value" if array.size == 1 else "no rows"
    if not array.size:
        return "no values"
    with np.errstate(over="ignore"):
        if array.dtype.kind == "f" and not np.isfinite(array.astype(np.float32)).all():
            return "NaN or infinite values"
    return None


def class_count(labels: np.ndarray | None, n: int, name: str, lowest: bool = True) -> int:
    """The number of classes that the labels tell, once they are known to be labels.

    Class 0 must occur, unless `lowest` is false: counted from 1, labels would make an empty class.
    """
    if labels is None:
        return 0
    if labels.shape not in ((n,), (n, 1)) or labels.dtype.kind not in "ui":
        raise GanzooError(
            f"{name}: expected {n} labels that are whole numbers, not {labels.dtype} "
            f"of {labels.shape}."
        )
    classes = int(labels.max()) + 1
    if labels.min() < 0 or classes > max(1000, n) or (lowest and labels.min() != 0):
        raise GanzooError(
            f"{name}: labels count the classes from 0, and these go from "
            f"{labels.min()} to {labels.max()}."
        )
    return classes


def rescaled(values: np.ndarray, pixels: str, name: str) -> np.ndarray:
    """Pixels of the range that the user named, a key of `PIXELS`, as uint8."""
    low, high = PIXELS[pixels]
    if values.dtype.kind not in "uif" or not np.isfinite(values).all():
        return values  # refused by `checked`, which says what is wrong
    slack = 1e-3 * (high - low)
    if values.size and (values.min() < low - slack or values.max() > high + slack):
        raise UsageError(
            f"{name}: expected pixels in {pixels}, found {values.min():g} to {values.max():g}."
        )
    scaled = (values.astype(np.float32) - low) * (255 / (high - low))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def range_of(dtype: np.dtype, low: float, high: float) -> str | None:
    """The key of PIXELS that values between these can only mean; None where several are left."""
    if 127 < high <= 255 and low >= 0:  # less may be another unit: 16 levels, per cent
        return "0..255"
    if dtype.kind == "f" and low >= 0 and 0.1 < high <= 1:
        return "0..1"
    if dtype.kind == "f" and -1 <= low < -0.5 and high <= 1:  # [-0.5, 0.5] is a range too
        return "-1..1"
    return None


def _channels_last(values: np.ndarray, name: str) -> np.ndarray:
    if values.ndim == 3 and values.shape[-1] not in (1, 3, 4):
        return values[..., None]
    if values.ndim == 4 and values.shape[-1] in (1, 3):
        return values
    hint = ""
    if values.ndim == 4 and values.shape[1] in (1, 3):
        hint = ": its channels come first, so transpose it by (0, 2, 3, 1)"
    raise GanzooError(
        f"{name}: expected images as (n, h, w) or (n, h, w, 1 or 3), or points as "
        f"floats (n, d), not {values.dtype} of {values.shape}{hint}."
    )


def _as_pixels(values: np.ndarray, beside: np.ndarray | None, name: str) -> np.ndarray:
    """Pixels in [0, 255]; the range that was meant is told from all the values there are."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == bool:
        return values.astype(np.uint8) * np.uint8(255)
    every = [values] if beside is None else [values, beside]
    low, high = min(part.min() for part in every), max(part.max() for part in every)
    meant = range_of(values.dtype, low, high)
    if meant is None:
        raise GanzooError(
            f"{name}: {values.dtype} pixels from {low:g} to {high:g} could mean "
            "several things; save them as uint8 from 0 to 255, or as floats that "
            "fill [-1, 1] or [0, 1] (ganzoo eval --pixels says which is meant)."
        )
    black, white = PIXELS[meant]
    return np.rint((values - black) * (255 / (white - black))).astype(np.uint8)
