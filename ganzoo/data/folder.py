"""A folder of images of any size: cropped to squares, resized, with class sub-folders as labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ganzoo.data import attributes, domains, images
from ganzoo.data.dataset import Dataset
from ganzoo.data.resize import check_memory, check_size, in_threads
from ganzoo.errors import GanzooError, UsageError
from ganzoo.spec import ArraySpec, DataSpec

SPLITS = ("train", "test")


def load(name: str, size: int | None = None, split: str = "train") -> Dataset:
    """The images under a folder, 64x64 unless `size` says otherwise; grey if all of them are grey.

    Where all images lie in two or more sub-folders, these are the classes. The test split is the
    sub-folder `test` where `train` and `test` both exist, what CelebA's `list_eval_partition.txt`
    says where that is there, and otherwise about 10 % of the images, chosen by a hash of their
    relative names. Broken images are skipped and named in the note. Attributes come from a table
    beside the images, and `trainA` and `trainB` are two domains: see `attributes` and `domains`.
    """
    check_size(size)
    size = size or images.SIZE
    root = Path(name)
    if domains.are_in(root):
        return domains.load(name, size, split)
    files = sorted(images.find(root))
    divided = all((root / part).is_dir() for part in SPLITS)
    splits = _splits(root, files, divided)
    chosen, every = splits[split], [file for part in SPLITS for file in splits[part]]
    classes, class_note = _classes([file.partition("/")[2] for file in every] if divided else every)
    if not chosen:
        raise images.none_found(f"{root} has no images for the {split} split")
    table = attributes.find(root, every, SPLITS if divided else ())
    others = [file for part in SPLITS if part != split for file in splits[part]]
    found = images.read(root, chosen, others, size)
    arrays, described = {"image": found.pixels}, {}
    if classes:
        own = [file.split("/")[divided] for file in found.files]
        arrays["label"] = np.array([classes.index(name) for name in own], np.int32)
    if table.rows:
        arrays["attributes"] = np.stack([table.rows[file] for file in found.files])
        described["attributes"] = ArraySpec((len(table.names),), names=table.names)
    notes = [class_note, table.note, images.broken_note(found.broken)]
    return Dataset(
        name,
        DataSpec(found.pixels.shape[1:], classes=len(classes), others=described),
        arrays,
        licence="not known: a folder of yours",
        source=f"{len(found.files)} files under {root}",
        note="; ".join(filter(None, notes)) or None,
        class_names=classes,
    )


def _splits(root: Path, files: list[str], divided: bool) -> dict[str, list[str]]:
    """Split -> its files."""
    if divided:
        return {part: [file for file in files if _top(file) == part] for part in SPLITS}
    told = attributes.partition(root, files)
    if told:
        return {part: [file for file in files if told[file] == part] for part in SPLITS}
    return {part: images.held_out(files, part) for part in SPLITS}


def samples(name: str, size: int | None = None) -> tuple[np.ndarray, str | None]:
    """All images under a folder, in order of their names, and a note of the broken ones.

    uint8 (n, h, w, 1 or 3), grey if all are. Without a `size` they keep theirs, which must be one.
    """
    check_size(size)
    root = Path(name)
    files = sorted(images.find(root))
    if not files:
        raise images.none_found(f"{root} holds no images")
    if size:
        check_memory(len(files), (size, size, 1))
    else:
        images.check_fit(root, files)
    decoded = in_threads(lambda file: images.decode(root / file, size), files)
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
    return stacked, images.broken_note(broken)


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
