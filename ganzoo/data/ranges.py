"""Arrays of a stranger -> pixels or points: which range their values have, or why nobody can tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ganzoo.errors import GanzooError, UsageError

BYTES, UNIT, SIGNED = "[0, 255]", "[0, 1]", "[-1, 1]"
ENDS = {BYTES: (0, 255), UNIT: (0, 1), SIGNED: (-1, 1)}
CHANNELS = (1, 2, 3, 4)


def scale(path: Path, images: np.ndarray) -> str:
    """The range that the values of all training images show, a key of `ENDS`.

    Floats in [0, 1] and [-1, 1] are told apart by their sign, and [0, 255] by values above 127. A
    guess that could be wrong is a UsageError: images of half the contrast train without complaint.
    """
    check_shape(path, images)
    if images.dtype == np.uint8:
        return BYTES
    if images.dtype == bool:
        return UNIT
    if images.dtype.kind not in "iuf":
        raise GanzooError(f"{path}: expected images as numbers, got {images.dtype}.")
    check_finite(path, images)
    low, high = float(images.min()), float(images.max())
    if low >= 0 and 127 < high <= 255:
        return BYTES
    if images.dtype.kind == "f" and 0 <= low < high <= 1:
        return UNIT
    if images.dtype.kind == "f" and -1 <= low < -0.5 and high <= 1:
        return SIGNED
    raise UsageError(
        f"{path}: expected uint8 images, or floats that fill [-1, 1], [0, 1] or "
        f"[0, 255], got {images.dtype} from {low:g} to {high:g}, which could be "
        "several: save them as uint8 from 0 to 255."
    )


def check_shape(path: Path, images: np.ndarray) -> None:
    """Raise GanzooError unless the shape can only be (n, h, w) or (n, h, w, channels)."""
    shape, hint = images.shape, ""
    if images.ndim == 3 and shape[-1] in CHANNELS:
        hint = ": this looks like a single image"
    elif images.ndim == 4 and shape[-1] not in CHANNELS and shape[1] in CHANNELS:
        hint = ": transpose(0, 2, 3, 1) puts the channels last"
    elif (images.ndim == 3 or (images.ndim == 4 and shape[-1] in CHANNELS)) and images.size:
        return
    raise GanzooError(
        f"{path}: expected images of shape (n, h, w) or (n, h, w, channels), or "
        f"points of shape (n, d), got {shape}{hint}."
    )


def images(path: Path, values: np.ndarray, scale: str) -> np.ndarray:
    """uint8 images (n, h, w, c) from values in a known range, rounded to the nearest level."""
    check_shape(path, values)
    values = values[..., None] if values.ndim == 3 else values
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    low, high = ENDS[scale]
    check_finite(path, values)
    if values.min() < low or values.max() > high:
        raise GanzooError(
            f"{path}: expected values in {scale} as in its training images, got "
            f"{values.min():g} to {values.max():g}."
        )
    result = np.empty(values.shape, np.uint8)
    for i in range(0, len(values), 1024):  # by parts: float64 takes eight times the room
        part = values[i : i + 1024].astype(np.float64)
        result[i : i + 1024] = np.rint((part - low) * (255 / (high - low)))
    return result


def points(path: Path, values: np.ndarray) -> np.ndarray:
    """float32 points (n, d). Raises GanzooError for another type and for NaN or infinity."""
    if values.ndim != 2 or values.dtype.kind != "f" or not values.size:
        raise GanzooError(
            f"{path}: expected points as floats of shape (n, d), got {values.dtype} "
            f"of shape {values.shape}."
        )
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    check_finite(path, values)
    return values


def check_finite(path: Path, values: np.ndarray) -> None:
    """Raise GanzooError that counts the numbers that are NaN or infinite."""
    bad = values.size - np.count_nonzero(np.isfinite(values))
    if bad:
        raise GanzooError(f"{path}: expected finite numbers, got {bad:,} that are NaN or infinite.")
