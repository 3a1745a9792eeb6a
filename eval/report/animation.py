"""Animate a run: the grid of its fixed z over training, as a GIF or an MP4."""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ganzoo.errors import GanzooError, UsageError
from ganzoo.eval.report import fields, run_facts, stored_pictures
from ganzoo.files import write_atomic
from ganzoo.run import NAMED, RunDir

FORMATS = (".gif", ".mp4")
RATE = 25
"""Frames per second of an MP4, and the most that a GIF shows."""
HELD = 0.2
"""The share of the time that the last picture stays."""
CAPTION = 26
"""Pixels below the grid, for the step and how far it is."""
MOST_BYTES = 800_000_000
"""Of all pictures, unpacked: fewer are shown where they are very large."""
GREY, LIGHT = 96, 208
"""The part of the bar that is done, and the rest."""


def animate(path: str | Path, out: str | Path, *, seconds: float = 6.0) -> int:
    """Write the animation of the run at `path` to `out`; returns the number of its pictures.

    One round takes `seconds`, of which the last picture has a fifth. Raises UsageError where `out`
    is no `.gif` or `.mp4`, where `seconds` is not in 0.1 to 600, or where an MP4 is asked for and
    imageio-ffmpeg is not installed; GanzooError where the run has fewer than two readable pictures.
    """
    out = Path(out)
    if out.suffix.lower() not in FORMATS:
        raise UsageError(f"--out must end in {' or '.join(FORMATS)}, not {out.name!r}.")
    if not 0.1 <= seconds <= 600:
        raise UsageError(f"--seconds must lie in 0.1 to 600, not {seconds:g}.")
    video = out.suffix.lower() == ".mp4"
    if video:
        _writer()  # says what is missing before any work is done
    frames = _frames(RunDir.open(path), most=max(2, int(seconds * (1 - HELD) * RATE)))
    times = _times(len(frames), seconds)
    write_atomic(out, _mp4(frames, times) if video else _gif(frames, times))
    return len(frames)


def _times(count: int, seconds: float) -> list[float]:
    """Seconds for each picture."""
    each = seconds * (1 - HELD) / (count - 1)
    return [each] * (count - 1) + [seconds * HELD]


def _beats(times: Sequence[float], rate: int) -> list[int]:
    """Beats at `rate` a second for each picture, rounded so that their sum is right.

    >>> _beats([0.06, 0.06, 0.06, 0.06], 25)
    [2, 1, 1, 2]
    """
    ends = [round(rate * sum(times[: i + 1])) for i in range(len(times))]
    return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]


# -- frames -------------------------------------------------------------------------------------


def _frames(run: RunDir, most: int) -> list[Image.Image]:
    """The pictures that can be read, evenly chosen where there are more than `most`: of points the
    game as its folder keeps it, else the grids of samples."""
    same = _fields(run, most) or _grids(run, most)
    if len(same) < 2:
        raise GanzooError(
            f"{run} has {len(same)} readable sample pictures of one size: an animation takes 2 or "
            "more. Train with a smaller --picture-every."
        )
    mode = "L" if all(picture.mode == "L" for _, picture in same) else "RGB"
    last = same[-1][0]
    return [_captioned(picture.convert(mode), step, last) for step, picture in same]


def _fields(run: RunDir, most: int) -> list[tuple[int, Image.Image]]:
    """(step, picture) of what a run on points keeps; empty where it keeps less than two of them."""
    chosen = _some(run.fields(), most)
    found = [(step, fields.read(path)) for step, path in chosen]
    _tell(run, [path for (_, path), (_, field) in zip(chosen, found, strict=True) if field is None])
    whole = [(step, field) for step, field in found if field is not None]
    drawn = zip(whole, fields.pictures([field for _, field in whole]), strict=True)
    made = [(step, picture) for (step, _), picture in drawn if picture is not None]
    return made if len(made) > 1 else []


def _grids(run: RunDir, most: int) -> list[tuple[int, Image.Image]]:
    """(step, picture) of the grids that are as large as the newest, and that memory holds."""
    kept, newest, damaged = run_facts.grids(run), None, []
    while kept and newest is None:
        newest = stored_pictures.opened(kept[-1][1])
        damaged += [] if newest else [kept.pop()[1]]
    if newest is None:
        _tell(run, damaged)
        return []
    fit = MOST_BYTES // (newest.width * newest.height * len(newest.getbands()))
    found = []
    for step, path in _some(kept, max(2, min(most, fit))):
        picture = stored_pictures.opened(path)
        if picture is None:
            damaged.append(path)
        elif picture.size == newest.size:
            found.append((step, picture))
    _tell(run, damaged)
    return found


def _tell(run: RunDir, damaged: Sequence[Path]) -> None:
    """Name what is left out because it cannot be read."""
    if damaged:
        names = ", ".join(str(path.relative_to(run.path)) for path in damaged[:NAMED])
        more = f" and {len(damaged) - NAMED} more" if len(damaged) > NAMED else ""
        warnings.warn(f"{run}: {names}{more} cannot be read: left out.", stacklevel=4)


def _some(found: Sequence[Any], most: int) -> list[Any]:
    """At most so many of them, the first and the last among them."""
    if len(found) <= most:
        return list(found)
    return [found[round(i * (len(found) - 1) / (most - 1))] for i in range(most)]


def _captioned(picture: Image.Image, step: int, last: int) -> Image.Image:
    """The picture above its step and a bar; both sides even, as video wants them."""
    width, height = picture.width + picture.width % 2, picture.height + CAPTION
    frame = Image.new(picture.mode, (width, height + height % 2), "white")
    frame.paste(picture)
    pen = ImageDraw.Draw(frame)
    text, middle = f"step {step:,}", picture.height + CAPTION // 2
    pen.text((8, middle), text, fill="black", font=_font(), anchor="lm")
    left, right = 8 + int(_font().getlength(f"step {last:,}")) + 12, width - 9
    if right > left:
        done = left + round((right - left) * step / max(last, 1))
        pen.line([(left, middle), (right, middle)], fill=_shade(picture.mode, LIGHT), width=3)
        pen.line([(left, middle), (done, middle)], fill=_shade(picture.mode, GREY), width=3)
    return frame


def _shade(mode: str, value: int) -> int | tuple[int, int, int]:
    return value if mode == "L" else (value, value, value)


def _font() -> ImageFont.FreeTypeFont:
    """Matplotlib's: its digits are equally wide, so the step does not tremble."""
    import matplotlib

    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), 13)


# -- files --------------------------------------------------------------------------------------


def _gif(frames: Sequence[Image.Image], times: Sequence[float]) -> bytes:
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=[10 * beats for beats in _beats(times, 100)],
        loop=0,
    )
    return buffer.getvalue()


def _mp4(frames: Sequence[Image.Image], times: Sequence[float]) -> bytes:
    try:
        return _encoded(frames, times)
    except OSError as error:  # of pictures that no film can have, too
        size = "x".join(map(str, frames[0].size))
        raise GanzooError(
            f"no MP4 of {size} pixels could be made ({error.strerror or error}): name a .gif."
        ) from error


def _encoded(frames: Sequence[Image.Image], times: Sequence[float]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "animation.mp4")
        write = _writer()(
            str(path),
            frames[0].size,
            pix_fmt_in="rgb24",
            fps=RATE,
            macro_block_size=2,
            output_params=["-movflags", "+faststart"],
            ffmpeg_log_level="error",
        )
        write.send(None)
        for frame, beats in zip(frames, _beats(times, RATE), strict=True):
            pixels = np.asarray(frame.convert("RGB")).tobytes()
            for _ in range(beats):
                write.send(pixels)
        write.close()
        return path.read_bytes()


def _writer() -> Callable[..., Any]:
    try:
        from imageio_ffmpeg import write_frames
    except ImportError:
        raise UsageError(
            "an MP4 needs imageio-ffmpeg: `pip install imageio-ffmpeg`, or name a .gif."
        ) from None
    return write_frames
