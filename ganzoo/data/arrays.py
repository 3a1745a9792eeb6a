"""Arrays in `.npz` and `.npy` files: images, with labels or without, or points. No pickles."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from ganzoo.data.dataset import Dataset
from ganzoo.data.resize import check_size, resize
from ganzoo.errors import GanzooError, UsageError
from ganzoo.spec import DataSpec

VALUES = ("image", "images", "x", "x_train", "train", "point", "points", "arr_0")
LABELS = ("label", "labels", "y", "y_train")
TEST_VALUES = ("x_test", "test", "test_images", "image_test")
TEST_LABELS = ("y_test", "test_labels", "label_test")
HELD_OUT = 0.1


def load(name: str, size: int | None = None, split: str = "train") -> Dataset:
    """Images or points from an array file.

    The values are the array called image(s), x, x_train, point(s) or arr_0, or the only one; labels
    are label(s), y or y_train. The test split is x_test with y_test where they exist, and otherwise
    the last 10 % of the rows, which are then kept out of train.
    """
    check_size(size)
    return dataset(read(Path(name)), name, size, split)


def dataset(
    stored: dict[str, np.ndarray], name: str, size: int | None = None, split: str = "train"
) -> Dataset:
    """The data set that these arrays make, found by their names as `load` says."""
    values, labels = _choose(stored, name)
    known = LABELS + TEST_VALUES + TEST_LABELS
    unused = [k for k in stored if k.lower() not in known and stored[k] is not values]
    key = "image" if values.ndim > 2 else "point"
    test = _pick(stored, TEST_VALUES, "test values", name)
    if test is None:
        values = _checked(values, None, name)
        classes = _classes(labels, len(values), name)
        values, labels = _held_out(values, labels, split, name)
    else:
        test_values, test_labels = stored[test], _pick(stored, TEST_LABELS, "test labels", name)
        test_labels = stored[test_labels] if test_labels else None
        if (labels is None) != (test_labels is None):
            raise GanzooError(f"{name}: one of train and test has labels and the other has none.")
        if values.shape[1:] != test_values.shape[1:]:
            raise GanzooError(
                f"{name}: {test} has samples of {test_values.shape[1:]}, expected "
                f"{values.shape[1:]} as in train."
            )
        both = (_checked(values, test_values, name), _checked(test_values, values, name))
        classes = max(
            _classes(labels, len(both[0]), name),
            _classes(test_labels, len(both[1]), name, lowest=False),
        )
        values, labels = (both[0], labels) if split == "train" else (both[1], test_labels)
    found = {key: values}
    if size is not None:
        if key == "point":
            raise UsageError(
                f"{name} holds points, which have no size in pixels: leave --size out."
            )
        found[key] = values = resize(values, size)
    if labels is not None:
        found["label"] = labels.reshape(-1).astype(np.int32)
    spec = DataSpec(values.shape[1:], (-1.0, 1.0) if key == "image" else None, classes, key)
    note = f"not used from {Path(name).name}: {', '.join(unused)}" if unused else None
    return Dataset(name, spec, found, "not known: a file of yours", name, note)


PIXELS = {"0..255": (0.0, 255.0), "0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0)}


def samples(name: str, pixels: str = "auto") -> tuple[np.ndarray, np.ndarray | None, str | None]:
    """All values of an array file, found as `load` finds them, the labels beside them, and a note.

    Images come as uint8 (n, h, w, 1 or 3), points as float32 (n, d). `pixels` says what range of
    values is meant, a key of `PIXELS`, where the values alone do not tell; where they do, the note
    says as what they were read.
    """
    values, labels = _choose(read(Path(name)), name)
    note = None
    if pixels != "auto" and values.ndim > 2:
        values = _rescaled(values, pixels, name)
    found = _checked(values, None, name)
    if found.dtype == np.uint8 and values.dtype not in (np.uint8, bool):
        note = (
            f"{name}: {values.dtype} pixels from {values.min():g} to {values.max():g} are read as "
            f"{_range_of(values.dtype, values.min(), values.max())} (--pixels says otherwise)"
        )
    return found, labels, note


def _rescaled(values: np.ndarray, pixels: str, name: str) -> np.ndarray:
    low, high = PIXELS[pixels]
    if values.dtype.kind not in "uif" or not np.isfinite(values).all():
        return values  # refused by `_checked`, which says what is wrong
    slack = 1e-3 * (high - low)
    if values.size and (values.min() < low - slack or values.max() > high + slack):
        raise UsageError(
            f"{name}: expected pixels in {pixels}, found {values.min():g} to {values.max():g}."
        )
    scaled = (values.astype(np.float32) - low) * (255 / (high - low))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def read(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an `.npz` or `.npy` file; a damaged file or a pickle is refused by name."""
    try:
        with path.open("rb") as file:
            if file.read(1) not in (b"P", b"\x93", b"\x80"):  # NumPy calls all else a pickle
                raise ValueError("it does not begin as one")
            file.seek(0)
            stored = np.load(file, allow_pickle=False)
            if isinstance(stored, np.ndarray):
                return {"arr_0": stored}
            return {key: stored[key] for key in stored.files}
    except Exception as error:  # zipfile, zlib, struct and NumPy each have their own for damage
        if "allow_pickle" in str(error):
            raise GanzooError(
                f"{path} holds pickled Python objects, which can run code and are not "
                "loaded: save plain arrays with np.savez."
            ) from error
        if isinstance(error, OSError) and error.strerror:
            raise GanzooError(f"cannot read {path}: {error.strerror}.") from error
        raise GanzooError(
            f"{path} is truncated, damaged or no array file ({error}): save it again "
            "with np.savez or np.save."
        ) from error


def check_sha256(path: Path, expected: str) -> None:
    """Refuse a file whose content is not the published one."""
    try:
        came = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise GanzooError(f"cannot read {path}: {error.strerror or error}.") from error
    if came != expected:
        raise GanzooError(
            f"{path} is damaged: expected SHA-256 {expected}, not {came}; delete it or "
            "fetch it again."
        )


def _pick(
    stored: dict[str, np.ndarray], wanted: tuple[str, ...], what: str, name: str
) -> str | None:
    found = [key for key in stored if key.lower() in wanted]
    if len(found) > 1:
        raise GanzooError(
            f"{name} has several arrays that could be the {what}: {', '.join(found)}; "
            "keep one of them."
        )
    return found[0] if found else None


def _choose(stored: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray | None]:
    values, labels = (_pick(stored, VALUES, "values", name), _pick(stored, LABELS, "labels", name))
    if values is None:
        rest = [key for key in stored if key.lower() not in LABELS + TEST_VALUES + TEST_LABELS]
        if len(rest) != 1:
            raise GanzooError(
                f"{name}: expected an array called image, x, x_train or point, or a "
                f"single one, not {', '.join(stored) or 'an empty file'}."
            )
        values = rest[0]
    return stored[values], stored[labels] if labels else None


def _held_out(
    values: np.ndarray, labels: np.ndarray | None, split: str, name: str
) -> tuple[np.ndarray, np.ndarray | None]:
    cut = len(values) - int(HELD_OUT * len(values))
    if split == "test" and cut == len(values):
        raise GanzooError(f"{name} has {len(values)} samples: too few to hold 10 % out for a test.")
    part = slice(None, cut) if split == "train" else slice(cut, None)
    return values[part], None if labels is None else labels[part]


def _checked(values: np.ndarray, beside: np.ndarray | None, name: str) -> np.ndarray:
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
    meant = _range_of(values.dtype, low, high)
    if meant is None:
        raise GanzooError(
            f"{name}: {values.dtype} pixels from {low:g} to {high:g} could mean "
            "several things; save them as uint8 from 0 to 255, or as floats that "
            "fill [-1, 1] or [0, 1] (ganzoo eval --pixels says which is meant)."
        )
    black, white = PIXELS[meant]
    return np.rint((values - black) * (255 / (white - black))).astype(np.uint8)


def _range_of(dtype: np.dtype, low: float, high: float) -> str | None:
    """The key of PIXELS that values between these can only mean; None where several are left."""
    if 127 < high <= 255 and low >= 0:  # less may be another unit: 16 levels, per cent
        return "0..255"
    if dtype.kind == "f" and low >= 0 and 0.1 < high <= 1:
        return "0..1"
    if dtype.kind == "f" and -1 <= low < -0.5 and high <= 1:  # [-0.5, 0.5] is a range too
        return "-1..1"
    return None


def _classes(labels: np.ndarray | None, n: int, name: str, lowest: bool = True) -> int:
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
