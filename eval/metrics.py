"""The metrics by name: one row each, from which the command's flags, their help and `--all` come.

The mathematics is in the files of pure functions; here they meet the summaries of real and fake.
Each is imported where it is used, so that the table alone, which a command line asks for its
flags, costs little. Other distributions bring metrics by the entry-point group `ganzoo.metrics`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ganzoo.errors import UsageError

if TYPE_CHECKING:
    from ganzoo.data import Judging
    from ganzoo.eval.extractor import Extractor
    from ganzoo.eval.labelling import Classes
    from ganzoo.eval.summary import Summary

NEIGHBOURS = 5
SUBSETS, SUBSET_SIZE = 100, 1000
SPLITS = 10
USUAL = 10_000
"""Samples on either side, where the data set names no other count."""
PAIRS = 16
MOST_PSNR = 10 * math.log10(255**2 * 12)
"""Of an image whose only error is that it was rounded to whole numbers, 1/12 in the square."""


class UnsuitedError(UsageError):
    """The metric has no meaning for these samples; with --all it is left out, and said so."""


@dataclass(frozen=True)
class Value:
    """One number that a metric found."""

    name: str
    title: str
    value: float
    std: float | None = None
    better: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    perfect: float | None = None
    """The best that there is, where the metric knows it without scoring real samples."""


@dataclass(frozen=True)
class Sides:
    """What a metric may look at."""

    real: Summary
    fake: Summary
    extractor: Extractor
    classified: bool
    """Whether the extractor's classes are the real samples' labels."""
    judging: Judging
    """How the real data set wants to be judged."""
    train: Callable[[], Summary]
    """The training samples of that data set, summarised when they are asked for."""
    rng: np.random.Generator
    counterparts: Callable[[], np.ndarray | None] = lambda: None
    """The real images that the samples are meant to be, row by row, where there are such."""
    confusion: Callable[[], np.ndarray | None] = lambda: None
    """Counts (classes, classes): how many real images of one channel, by their class, the
    extractor takes for which; None where the data set does not say whose images channels are."""


@dataclass(frozen=True)
class Metric:
    """A named way to judge: the flag `--name`, with its help."""

    name: str
    help: str
    """One sentence, for the command's help and docs/metrics.md."""
    compute: Callable[[Sides], Iterator[Value]]
    features: bool = True
    """Whether it looks at what the extractor made, or at the samples alone."""
    all: bool = False
    """Whether it looks at all samples, or at those that are kept."""
    equal: bool = False
    """Whether it moves with the ratio of the counts, and takes as many of either side."""
    perfect: bool = True
    """Whether real samples in the samples' place say what perfect is."""


def _fid(sides: Sides) -> Iterator[Value]:
    from ganzoo.eval.frechet import cautions, frechet_of_gaussians

    title = "Frechet distance" if sides.real.samples.ndim == 2 else "FID"
    if sides.extractor.name == "inception" and sides.extractor.dim != 2048:
        title = f"FID-{sides.extractor.dim}"
    real, fake = sides.real.gaussian, sides.fake.gaussian
    said = cautions(real.n, fake.n, sides.extractor.dim)
    details = {"cautions": said + _blind(sides, "mean and covariance")}
    yield Value("fid", title, frechet_of_gaussians(real, fake), None, "lower", details)


def _kid(sides: Sides) -> Iterator[Value]:
    from ganzoo.eval.kernel import kernel_distance

    size = min(SUBSET_SIZE, len(sides.real.features), len(sides.fake.features))
    found = kernel_distance(
        sides.real.features, sides.fake.features, rng=sides.rng, subsets=SUBSETS, subset_size=size
    )
    settings = {"subsets": SUBSETS, "subset_size": size}
    said = _blind(sides, "moments up to the third")
    if size < SUBSET_SIZE:
        said.append(
            f"KID of subsets of {size:,} samples and not {SUBSET_SIZE:,}: they overlap, and each "
            "knows the distance less well."
        )
    details = {"cautions": said}
    yield Value("kid", "KID", found["kid"], found["kid_std"], "lower", details, settings)


def _blind(sides: Sides, seen: str) -> list[str]:
    """What a distance that looks at such moments cannot know of points."""
    if sides.real.samples.ndim != 2:
        return []
    return [
        f"of points this distance sees the {seen} and no modes: a cloud without any scores as "
        "well; ask for --modes or --swd."
    ]


def _inception_score(sides: Sides) -> Iterator[Value]:
    from ganzoo.eval.inception_score import inception_score

    if sides.fake.logits is None:
        raise UnsuitedError(
            f"the Inception score needs class logits, which {sides.extractor.label} has not."
        )
    probabilities = _softmax(sides.fake.logits)
    splits = min(SPLITS, len(probabilities) // 2)
    found = inception_score(sides.rng.permutation(probabilities), splits=splits)
    title = "IS" if sides.extractor.name == "inception" else "classifier score"
    settings = {"splits": splits}
    said = []
    if len(probabilities) < USUAL:
        said.append(
            f"{splits} splits of {len(probabilities) // splits:,} samples: the {title} of so few "
            "is biased downwards; compare only at equal counts."
        )
    details = {"cautions": said}
    yield Value("is", title, found["is"], found["is_std"], "higher", details, settings)


def _prdc(sides: Sides) -> Iterator[Value]:
    from ganzoo.eval.prdc import prdc

    found = prdc(sides.real.features, sides.fake.features, k=NEIGHBOURS)
    details = {"cautions": _uncommon(sides)}
    for name, value in found.items():
        yield Value(name, name, value, None, "higher", details, {"k": NEIGHBOURS})


def _uncommon(sides: Sides) -> list[str]:
    """What to say of a count that moves the score, where it is not the usual one."""
    n, usual = len(sides.fake.samples), min(sides.judging.samples or USUAL, USUAL)
    if n == usual:
        return []
    return [
        f"{n:,} samples on either side and not {usual:,}: recall, coverage, density and sliced "
        "distances move with the count; compare only at equal counts."
    ]


def _modes(sides: Sides) -> Iterator[Value]:
    if sides.real.samples.ndim == 2:
        yield from _modes_of_points(sides)
    elif sides.judging.classifier and sides.judging.per_channel:
        yield from _modes_of_stacks(sides)
    else:
        yield from _modes_of_classes(sides)


def _modes_of_points(sides: Sides) -> Iterator[Value]:
    from ganzoo.eval.modes import expected_kl, point_modes

    known = sides.judging.modes
    if known is None:
        raise UnsuitedError(
            f"the modes of {sides.real.name} are not known: a data set says them in its Judging, "
            "as ring and grid do."
        )
    found = point_modes(sides.fake.samples, centres=known.centres, sigma=known.sigma)
    count, n = len(known.centres), sides.fake.n
    good, uniform = round(found["high_quality"] * n), np.full(count, 1 / count)
    title = f"modes of {count}"
    yield Value("modes", title, found["modes"], None, "higher", found, perfect=count)
    yield Value("high_quality", "within 3 sigma", found["high_quality"], better="higher")
    for name, of, value, drawn in (
        ("modes_kl", "all", found["kl_fake_real"], n),
        ("modes_kl_good", "good", found["kl_good"], good),
    ):
        floor = expected_kl(uniform, drawn) if drawn else None
        title = f"modes KL({of} samples || uniform) in nats"
        yield Value(name, title, value, None, "lower", {"kl_floor": floor}, perfect=floor)


def _modes_of_stacks(sides: Sides) -> Iterator[Value]:
    """A mode is a combination of the channels' classes."""
    from ganzoo.eval.misread import DOUBT, error_rates, misread_modes
    from ganzoo.eval.modes import expected_kl, stacked_modes, triples

    logits = sides.fake.logits
    if logits is None or not sides.classified:
        raise UnsuitedError(
            f"the modes of {sides.real.name} need the features that it names itself: leave "
            "--features out."
        )
    channels = sides.fake.samples.shape[-1]
    probabilities = _softmax(logits.reshape(sides.fake.n, channels, -1))
    found = stacked_modes(probabilities)
    uniform = np.full(found["of"], 1 / found["of"])
    shares, confusion = uniform, sides.confusion()
    yield Value("modes", f"modes of {found['of']:,}", found["modes"], None, "higher", found)
    if confusion is not None:
        misread = misread_modes(triples(probabilities), error_rates(confusion))
        details = misread | {"confusion": confusion.tolist()}
        settings = {"read_by_chance": DOUBT}
        of_errors = "modes that the classifier's errors"
        yield Value(
            "modes_misread",
            f"{of_errors} explain",
            misread["expected"],
            details=details,
            settings=settings,
        )
        title = f"{of_errors} do not explain"
        yield Value("modes_beyond", title, misread["beyond"], None, "higher", {}, settings)
        one = confusion.sum(1) / confusion.sum()
        shares = functools.reduce(np.multiply.outer, [one] * channels).ravel()
    floors = {
        "kl_floor": expected_kl(shares, sides.fake.n, real=uniform),
        "kl_floor_of_uniform": expected_kl(uniform, sides.fake.n),
    }
    title = "modes KL(samples || uniform) in nats"
    yield Value(
        "modes_kl",
        title,
        found["kl_fake_real"],
        None,
        "lower",
        floors,
        perfect=floors["kl_floor"],
    )


def _modes_of_classes(sides: Sides) -> Iterator[Value]:
    from ganzoo.eval.frechet import frechet_per_class
    from ganzoo.eval.modes import class_modes, expected_kl

    real = sides.real.labels
    if real is None:
        raise UnsuitedError(
            f"modes of classes need labels, and {sides.real.name} has none: compare with a "
            "labelled data set."
        )
    seen = _classes(sides)
    found = class_modes(real, seen.probabilities)
    guessed = np.full(sides.fake.n, -1)
    guessed[seen.rows] = seen.probabilities.argmax(1)
    details = found | {
        "classifier_accuracy": seen.accuracy,
        "classified": len(seen.rows),
        "frechet_per_class": frechet_per_class(
            sides.real.features,
            real[sides.real.kept],
            sides.fake.features,
            guessed[sides.fake.kept],
        ),
    }
    if sides.fake.labels is not None:
        details["label_accuracy"] = float(
            (guessed[seen.rows] == sides.fake.labels[seen.rows]).mean()
        )
    title = f"modes of {found['classes']}{seen.by}"
    of = found["classes"]
    yield Value("modes", title, found["covered"], None, "higher", details, perfect=of)
    floor = expected_kl(np.array(found["real_histogram"]), len(seen.rows))
    yield Value(
        "modes_kl",
        f"modes KL(samples || real) in nats{seen.by}",
        found["kl_fake_real"],
        None,
        "lower",
        {"kl_floor": floor},
        perfect=floor,
    )


def _label_accuracy(sides: Sides) -> Iterator[Value]:
    from ganzoo.eval.conditional import label_accuracy
    from ganzoo.eval.labelling import TRUSTED

    asked, _ = _asked(sides)
    seen = _classes(sides)
    if seen.accuracy < TRUSTED:
        raise UnsuitedError(
            f"no classifier here knows {sides.real.name}: the one at hand{seen.by} names "
            f"{seen.accuracy:.0%} of the real samples right, and {TRUSTED:.0%} is asked for."
        )
    kept = np.isin(seen.rows, sides.fake.kept)
    found = label_accuracy(asked, seen.probabilities[kept])
    details = found | {"classifier_accuracy": seen.accuracy}
    title = f"label accuracy{seen.by}"
    yield Value(
        "label_accuracy",
        title,
        found["label_accuracy"],
        None,
        "higher",
        details,
        perfect=seen.accuracy,
    )


def _fid_by_class(sides: Sides) -> Iterator[Value]:
    from ganzoo.eval.conditional import fid_by_class
    from ganzoo.eval.frechet import cautions

    asked, real = _asked(sides)
    found = fid_by_class(sides.real.features, real, sides.fake.features, asked)
    least, real_least = (min(found[name].values()) for name in ("counts", "real_counts"))
    said = [f"by class: {one}" for one in cautions(real_least, least, sides.extractor.dim)]
    details = found | {"cautions": said}
    distance = "Frechet distance" if sides.real.samples.ndim == 2 else "FID"
    title = f"{distance} by class, mean of {len(found['counts'])}, {least:,} each"
    settings = {"samples_per_class": least, "reference_per_class": real_least}
    yield Value("fid_by_class", title, found["fid_by_class"], None, "lower", details, settings)


def _asked(sides: Sides) -> tuple[np.ndarray, np.ndarray]:
    """The classes that the kept samples were asked to be of, and those of the real ones."""
    if sides.fake.labels is None:
        raise UnsuitedError(
            f"this needs samples that were asked for by class, and {sides.fake.name} is not "
            "conditional."
        )
    if sides.real.labels is None:
        raise UnsuitedError(
            f"this compares class by class, and {sides.real.name} has no labels: compare with a "
            "labelled data set."
        )
    return sides.fake.labels[sides.fake.kept], sides.real.labels[sides.real.kept]


def _classes(sides: Sides) -> Classes:
    """Of a classifier of these very classes, if it knows the real ones; else of neighbours."""
    from ganzoo.eval.labelling import TRUSTED, by_classifier, by_neighbours

    if sides.fake.logits is not None and sides.classified:
        seen = by_classifier(sides.real, sides.fake)
        if seen.accuracy >= TRUSTED:
            return seen
    train = sides.train()
    if train.labels is None:
        raise UnsuitedError(f"modes of classes need labels, and {train.name} has none.")
    return by_neighbours(train, sides.real, sides.fake)


def _swd(sides: Sides) -> Iterator[Value]:
    from ganzoo.eval.swd import image_swd, sliced_wasserstein

    real, fake = sides.real.samples, sides.fake.samples
    if real.ndim == 2:
        found = sliced_wasserstein(real, fake, rng=sides.rng)
        yield Value("swd", "SWD", found, None, "lower", {"cautions": _uncommon(sides)})
        return
    if min(real.shape[1:3]) < 16:
        raise UnsuitedError(
            "the sliced Wasserstein distance of images needs 16 pixels a side or more."
        )
    found = image_swd(real, fake, rng=sides.rng)
    settings = {"patches": "16 of 7x7 an image", "projections": 512, "times": 1000}
    details = found | {"cautions": _uncommon(sides)}
    yield Value("swd", "SWD x1000", found["swd"], None, "lower", details, settings)


def _wasserstein(sides: Sides) -> Iterator[Value]:
    from ganzoo.eval.wasserstein import wasserstein

    real, fake = sides.real.samples, sides.fake.samples
    if real.shape[1:] != (1,):
        raise UnsuitedError(
            "the Wasserstein distance is exact for numbers alone: of points and images, ask for "
            "the sliced one, --swd."
        )
    details = {
        f"{name}_{side}": float(value)
        for side, numbers in (("real", real), ("fake", fake))
        for name, value in (("mean", numbers.mean()), ("deviation", numbers.std()))
    }
    yield Value("wasserstein", "Wasserstein", wasserstein(real, fake), None, "lower", details)


def _ms_ssim(sides: Sides) -> Iterator[Value]:
    from ganzoo.eval.ms_ssim import ms_ssim_diversity

    if sides.real.samples.ndim == 2:
        raise UnsuitedError("MS-SSIM compares images, and these samples are points.")
    of = [
        ms_ssim_diversity(side.samples, data_range=255, rng=sides.rng)
        for side in (sides.fake, sides.real)
    ]
    details = {"real": of[1]["ms_ssim"]}
    fake = of[0]
    yield Value("ms_ssim", "MS-SSIM of pairs", fake["ms_ssim"], fake["ms_ssim_std"], "", details)


def _psnr(sides: Sides) -> Iterator[Value]:
    from ganzoo.eval.likeness import psnr

    found = np.minimum(psnr(*_paired(sides), data_range=255), MOST_PSNR)
    settings = {"at most": round(MOST_PSNR, 2)}
    yield Value(
        "psnr",
        "PSNR in dB",
        float(found.mean()),
        float(found.std()),
        "higher",
        settings=settings,
        perfect=MOST_PSNR,
    )


def _ssim(sides: Sides) -> Iterator[Value]:
    from ganzoo.eval.likeness import ssim, window

    real, fake = _paired(sides)
    found = ssim(real, fake, data_range=255)
    settings = dict(zip(("window", "sigma"), window(*real.shape[1:3]), strict=True))
    yield Value(
        "ssim",
        "SSIM",
        float(found.mean()),
        float(found.std()),
        "higher",
        settings=settings,
        perfect=1.0,
    )


def _paired(sides: Sides) -> tuple[np.ndarray, np.ndarray]:
    """What the kept samples are meant to be, and the samples."""
    real = sides.counterparts()
    if real is None:
        raise UnsuitedError(
            "this compares each sample with the test image of the row that it was made from: "
            f"{sides.fake.name} is fed by no image that {sides.real.name} pairs with another."
        )
    return real[sides.fake.kept], sides.fake.samples


def _memorization(sides: Sides) -> Iterator[Value]:
    from ganzoo import pictures
    from ganzoo.eval import memorization as copies

    train = sides.train()
    found = copies.memorization(
        train.features, sides.real.features, sides.fake.features, pairs=PAIRS
    )
    drawn = {}
    if sides.fake.samples.ndim == 4:
        pairs = [(sides.fake.samples[i], train.samples[j]) for i, j, _ in found["pairs"]]
        drawn["pairs"] = pictures.grid(np.stack([image for pair in pairs for image in pair]))
    settings = {"train_samples": len(train.features), "train_fingerprint": train.fingerprint}
    yield Value(
        "memorization",
        "distance to train over held-out's",
        found["ratio"],
        details=found,
        settings=settings,
        pictures=drawn,
        perfect=1.0,
    )
    n = min(len(sides.real.features), len(sides.fake.features))
    threshold = copies.closest_pairs(sides.real.features[:n], pairs=1)[0][2]
    birthday = copies.birthday_paradox(sides.fake.features[:n], threshold=threshold)
    support = birthday["support"] or birthday["at_least"]
    details = birthday | {"threshold": threshold}
    title = "support at least" if birthday["support"] is None else "support about"
    yield Value("support", title, support, None, "higher", details)


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities along the last axis, in float64."""
    from scipy import special

    return special.softmax(logits.astype(np.float64), axis=-1)


METRICS = {
    metric.name: metric
    for metric in (
        Metric("fid", "Frechet distance of features.", _fid, all=True),
        Metric("kid", "Kernel distance of features, with its deviation over subsets.", _kid),
        Metric("is", "Inception score, of the extractor's classes.", _inception_score, all=True),
        Metric("prdc", "Precision, recall, density and coverage, k = 5.", _prdc, equal=True),
        Metric("modes", "Which classes, stacks of digits or blobs are covered.", _modes, all=True),
        Metric(
            "label-accuracy",
            "Share of samples of the class asked for, or of what was translated.",
            _label_accuracy,
            perfect=False,
        ),
        Metric("fid-by-class", "Frechet distance within each class, their mean.", _fid_by_class),
        Metric("swd", "Sliced Wasserstein distance.", _swd, features=False, equal=True),
        Metric("wasserstein", "Wasserstein distance of numbers.", _wasserstein, features=False),
        Metric(
            "ms-ssim", "MS-SSIM of random pairs: near 1 all look alike.", _ms_ssim, features=False
        ),
        Metric(
            "psnr",
            "Peak to noise of samples beside the test rows they copy.",
            _psnr,
            features=False,
            perfect=False,
        ),
        Metric(
            "ssim",
            "Structural similarity of samples to those rows.",
            _ssim,
            features=False,
            perfect=False,
        ),
        Metric(
            "memorization",
            "Distance to the nearest training samples; support.",
            _memorization,
            perfect=False,
        ),
    )
}
"""A new row is a new flag: nothing else lists the metrics."""


def suited(shape: tuple[int, ...], judging: Judging) -> list[str]:
    """The metrics that are taken where none is asked for: of points, one that sees modes."""
    if len(shape) > 1:
        return ["fid"]
    if judging.modes is not None and len(judging.modes.centres) > 1:
        return ["modes"]
    return ["wasserstein"] if shape == (1,) else ["swd"]
