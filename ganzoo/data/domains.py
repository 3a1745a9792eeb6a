"""Two domains in one folder: `trainA` and `trainB`, as CycleGAN's data sets lie on the disk.

Nothing pairs them: each has its own images, as many as it has, in an order of its own.
"""

from __future__ import annotations

from pathlib import Path

from ganzoo.data import attributes, images
from ganzoo.data.dataset import Dataset
from ganzoo.spec import ArraySpec, DataSpec

DOMAINS = {"a": "A", "b": "B"}
"""Array -> the letter of its folders."""


def are_in(root: Path) -> bool:
    """Whether the folder has this layout."""
    return all((root / f"train{letter}").is_dir() for letter in DOMAINS.values())


def load(name: str, size: int, split: str) -> Dataset:
    """The arrays `a` and `b`, each grey or colour by itself.

    The test split of a domain is `testA` or `testB` where that exists, and otherwise about 10 % of
    its images, chosen by a hash of their names. Sub-folders inside are no classes.
    """
    root = Path(name)
    found = {array: _read(root, letter, size, split) for array, letter in DOMAINS.items()}
    specs = {
        array: ArraySpec(one.pixels.shape[1:], (-1.0, 1.0), group=array)
        for array, one in found.items()
    }
    count = " and ".join(str(len(one.files)) for one in found.values())
    broken = [file for one in found.values() for file in one.broken]
    return Dataset(
        name,
        DataSpec(specs["a"].shape, key="a", others={"b": specs["b"]}, group="a"),
        {array: one.pixels for array, one in found.items()},
        licence="not known: a folder of yours",
        source=f"{count} files in two domains under {root}",
        note="; ".join(filter(None, [attributes.unused(root), images.broken_note(broken)])) or None,
    )


def _read(root: Path, letter: str, size: int, split: str) -> images.Images:
    """The images of one domain, named from the root."""
    train, test = f"train{letter}", f"test{letter}"
    files = sorted(images.find(root / train))
    if (root / test).is_dir():
        splits = {"train": files, "test": sorted(images.find(root / test))}
    else:
        splits = {part: images.held_out(files, part) for part in ("train", "test")}
        test = train
    folders = {"train": train, "test": test}
    named = {part: [f"{folders[part]}/{f}" for f in chosen] for part, chosen in splits.items()}
    if not named[split]:
        raise images.none_found(f"{root / folders[split]} has no images for the {split} split")
    other = "test" if split == "train" else "train"
    return images.read(root, named[split], named[other], size)
