"""What the metrics need of a set of samples, gathered in one pass over its batches.

Features of all samples go into running moments; those of the first `KEEP` are kept, so 50,000
samples take no more memory than 10,000. What was computed for a reference is remembered on the
disk by its content: the samples' fingerprint, the extractor's hash, the count, never a name.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ganzoo import memory
from ganzoo.data import array_file
from ganzoo.errors import GanzooError, UsageError
from ganzoo.eval import sources
from ganzoo.eval.extractor import Extractor
from ganzoo.eval.frechet import Gaussian, Moments
from ganzoo.files import cache_dir, write_atomic

KEEP = 10_000
"""Samples and feature vectors held for what needs each of them: neighbours, kernels, patches."""

Progress = Callable[[int], None]
"""Called with the number of samples that have gone by since the last call."""


class Pair(NamedTuple):
    """The same thing of the real samples and of the generated ones."""

    real: np.ndarray | None
    fake: np.ndarray | None


class Rows(NamedTuple):
    """Samples with what is known of each: row i of every array is about the same sample."""

    samples: np.ndarray
    """(k, h, w, c) uint8 images, or (k, d) float32 points."""
    features: np.ndarray
    """(k, dim) float32."""
    logits: np.ndarray | None
    """(k, classes) float32; None where the extractor has no classes."""
    labels: np.ndarray | None
    """(k,) whole numbers; None where there are none."""


@dataclass(frozen=True, eq=False)
class Summary:
    """Moments of all n samples; logits (n, classes) of all; features and samples of some."""

    name: str
    n: int
    gaussian: Gaussian
    features: np.ndarray
    """(k, d) float32, of the kept samples."""
    samples: np.ndarray
    """(k, ...): uint8 images, or float32 points."""
    kept: np.ndarray
    """Which of the n samples the k are."""
    logits: np.ndarray | None
    labels: np.ndarray | None
    """(n,), as they were given or asked for."""
    fingerprint: str = ""
    """Of a stored set; generated samples have none."""

    def rows(self) -> Rows:
        """The kept samples alone, with their features, logits and labels."""
        logits, labels = (
            None if known is None else known[self.kept] for known in (self.logits, self.labels)
        )
        return Rows(self.samples, self.features, logits, labels)

    def part(self, count: int) -> Summary:
        """So many of the kept samples, always the same ones; the moments stay those of all n."""
        if count >= len(self.kept):
            return self
        chosen = sources.subset(len(self.kept), count, 0)
        samples, features, kept = (x[chosen] for x in (self.samples, self.features, self.kept))
        return dataclasses.replace(self, samples=samples, features=features, kept=kept)


def summarize(
    source: sources.Source,
    n: int,
    extractor: Extractor,
    *,
    seed: int,
    keep: int = KEEP,
    progress: Progress = lambda count: None,
) -> Summary:
    """Draw n samples of the source and push them through the extractor, in batches."""
    if n < 2:
        raise UsageError(f"expected at least 2 samples, found {n} in {source.name}.")
    needed = n * (8 + 4 * (extractor.classes or 0))  # a place and the classes of each
    memory.require(needed, f"to judge {n:,} samples of {source.name}", "choose fewer --samples")
    kept = sources.subset(n, keep, seed)
    moments = Moments(extractor.dim)
    features = np.empty((len(kept), extractor.dim), np.float32)
    samples: list[np.ndarray] = []
    logits: list[np.ndarray] = []
    begin = at = 0
    for batch in source.batches(n, seed):
        found, classes = extractor(batch)
        moments.add(found)
        here = kept[(kept >= begin) & (kept < begin + len(batch))] - begin
        features[at : at + len(here)] = found[here]
        samples.append(batch[here])
        if classes is not None:
            logits.append(classes)
        begin, at = begin + len(batch), at + len(here)
        progress(len(batch))
    return Summary(
        source.name,
        n,
        moments.gaussian(),
        features,
        np.concatenate(samples),
        kept,
        np.concatenate(logits) if logits else None,
        source.labels(n, seed),
        getattr(source, "fingerprint", ""),
    )


def summarize_stored(
    source: sources.Stored,
    extractor: Extractor,
    *,
    keep: int = KEEP,
    progress: Progress = lambda count: None,
) -> Summary:
    """All of a stored set; from the disk where this content has been seen before."""
    path = _cache_path(source, extractor, keep)
    summary = _remembered(path, source, extractor, keep)
    if summary is None:
        summary = summarize(source, source.count, extractor, seed=0, keep=keep, progress=progress)
        _remember(path, summary)
    else:
        progress(source.count)
    return summary


def _cache_path(source: sources.Stored, extractor: Extractor, keep: int) -> Path:
    parts = [source.fingerprint, extractor.name, extractor.sha256, extractor.preprocessing]
    text = "\n".join([*parts, str(extractor.dim), str(source.count), str(keep)])
    return cache_dir() / "references" / f"{hashlib.sha256(text.encode()).hexdigest()}.npz"


def _remember(path: Path, summary: Summary) -> None:
    """Best effort: a full or read-only cache costs time later, and nothing now."""
    arrays = {
        "mean": summary.gaussian.mean,
        "covariance": summary.gaussian.covariance,
        "features": summary.features,
    }
    if summary.logits is not None:
        arrays["logits"] = summary.logits
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    try:
        write_atomic(path, buffer.getvalue())
    except GanzooError:
        return


def _remembered(
    path: Path, source: sources.Stored, extractor: Extractor, keep: int
) -> Summary | None:
    kept = sources.subset(source.count, keep, 0)
    try:
        arrays = array_file.read(path)
        gaussian = Gaussian(arrays["mean"], arrays["covariance"], source.count)
        if arrays["features"].shape != (len(kept), extractor.dim):
            return None
    except (GanzooError, KeyError, ValueError):  # it is computed again, and overwritten
        return None
    return Summary(
        source.name,
        source.count,
        gaussian,
        arrays["features"],
        source.values[kept],
        kept,
        arrays.get("logits"),
        source.classes,
        source.fingerprint,
    )
