"""An .npz or .npy file -> arrays. Nothing in it is unpickled.

The test split is `x_test`/`y_test` where the file holds them, otherwise the last tenth.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ganzoo.data import Dataset
from ganzoo.data.resize import resize
from ganzoo.errors import GanzooError, UsageError
from ganzoo.spec import DataSpec

SAMPLES = ("image", "images", "x", "x_train", "train_images", "data", "point", "points", "arr_0")
LABELS = ("label", "labels", "y", "y_train", "train_labels")


def array_file(path: Path, size: int | None, split: str) -> Dataset:
    """Images as uint8 (n, h, w[, c]) or as floats in [-1, 1] or [0, 1]; points as floats (n, d)."""
    values, labels = _split(path, read_arrays(path), split)
    if labels is not None and (labels.shape != (len(values),) or labels.dtype.kind not in "iu"):
        raise UsageError(
            f"the labels in {path} must be {len(values)} integers, not "
            f"{labels.dtype} of shape {labels.shape}."
        )
    if values.ndim == 2 and values.dtype.kind == "f":
        if size is not None:
            raise UsageError(f"{path} holds points: it takes no --size.")
        _finite(path, values)
        key, spec_range, values = "point", None, values.astype(np.float32)
    else:
        key, spec_range = "image", (-1.0, 1.0)
        values = resize(as_pixels(values, str(path)), size)
    classes = 0 if labels is None else int(labels.max()) + 1
    if labels is not None and labels.min() < 0:
        raise UsageError(f"the labels in {path} must not be negative: found {labels.min()}.")
    arrays = {key: values} | ({} if labels is None else {"label": labels.astype(np.int32)})
    return Dataset(
        str(path),
        DataSpec(values.shape[1:], range=spec_range, classes=classes, key=key),
        arrays,
        source=str(path),
    )


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz by name, or of an .npy as `arr_0`."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"arr_0": loaded}
        with loaded as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise UsageError(f"no file at {path}.") from None
    except ValueError as error:
        if "pickle" in str(error):
            raise GanzooError(
                f"{path} holds pickled objects, which could run code: save plain "
                "arrays with numpy.savez."
            ) from error
        raise GanzooError(f"{path} is truncated or damaged: {error}.") from error
    except Exception as error:  # zip, zlib, struct and I/O errors: all say the file is damaged
        raise GanzooError(f"{path} is truncated or damaged: {error}.") from error


def _split(
    path: Path, arrays: dict[str, np.ndarray], split: str
) -> tuple[np.ndarray, np.ndarray | None]:
    name = _pick(path, arrays, SAMPLES, "samples")
    label = next((n for n in LABELS if n in arrays), None)
    if "x_test" in arrays:
        if split == "test":
            return arrays["x_test"], arrays.get("y_test")
        return arrays[name], arrays.get(label) if label else None
    values = arrays[name]
    if values.ndim < 2:
        raise UsageError(
            f"{path}: expected images (n, h, w[, c]) or points (n, d), found shape {values.shape}."
        )
    if len(values) < 2:
        raise UsageError(f"{path} holds {len(values)} sample(s): expected at least 2.")
    edge = len(values) - max(1, len(values) // 10)
    part = slice(edge, None) if split == "test" else slice(edge)
    return values[part], arrays[label][part] if label else None


def _pick(path: Path, arrays: dict[str, np.ndarray], names: tuple[str, ...], what: str) -> str:
    found = [name for name in names if name in arrays]
    others = [name for name in arrays if name not in (*LABELS, "x_test", "y_test")]
    if len(found) == 1:
        return found[0]
    if not found and len(others) == 1:
        return others[0]
    raise UsageError(
        f"{path}: which array holds the {what}? Found {', '.join(arrays) or 'none'}; "
        f"call it {names[0]!r}."
    )


def as_pixels(values: np.ndarray, where: str) -> np.ndarray:
    """uint8 (n, h, w, c) from any unambiguous range; anything else is asked for, not guessed."""
    if values.ndim == 3:
        values = values[..., np.newaxis]
    if values.ndim != 4 or 0 in values.shape:
        raise UsageError(f"{where}: expected images (n, h, w[, c]), found shape {values.shape}.")
    if values.shape[3] > 4 and values.shape[1] in (1, 3):
        raise UsageError(
            f"{where}: shape {values.shape} looks like channels first; store (n, h, w, c)."
        )
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "iuf":
        raise UsageError(f"{where}: expected uint8 or float images, found {values.dtype}.")
    _finite(where, values)
    low, high = float(values.min()), float(values.max())
    if values.dtype.kind in "iu":
        if 0 <= low and 1 < high <= 255:
            return values.astype(np.uint8)
    elif -1 <= low < 0 and high <= 1:
        return np.rint((values.astype(np.float64) + 1) * 127.5).astype(np.uint8)
    elif 0 <= low and high <= 1 and high > low:
        return np.rint(values.astype(np.float64) * 255).astype(np.uint8)
    elif 0 <= low and 1 < high <= 255 and (values == np.rint(values)).all():
        return values.astype(np.uint8)
    raise UsageError(
        f"{where}: the range of {values.dtype} values [{low:g}, {high:g}] is not one "
        "of 0..255 (as uint8), [-1, 1] or [0, 1]: store uint8."
    )


def _finite(where: str | Path, values: np.ndarray) -> None:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise UsageError(f"{where} holds {bad} values that are not finite.")
