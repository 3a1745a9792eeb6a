"""TensorBoard's events of a run: one file, in which each step stands once, whatever interrupted it.

A file of events is a list of records, each with its length and checksums; TensorBoard's own writer
frames them. They are written at once and in order, so that a kill can cut off the last one only;
what else cannot be read is damage, and is told.
"""

from __future__ import annotations

import contextlib
import io
import socket
import struct
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.summary.writer.record_writer import RecordWriter

from ganzoo import reading
from ganzoo.run import RunDir

VERSION = "brain.Event:2"
HEAD = 12
"""Bytes of a record before its data: its length, and a checksum of that."""


class Events:
    """The events of a run up to `step`, which those to come are added to."""

    def __init__(self, run: RunDir, step: int):
        self.run = run
        old = [path for path in _folder(run) if reading.is_regular(path)]
        events = [Event(wall_time=time.time(), file_version=VERSION), *_until(old, step)]
        self.name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}"
        whole = b"".join(_framed(event) for event in events)
        path = run.write("tensorboard", self.name, content=whole)
        run.remove(*(other for other in old if other != path))

    def add(self, step: int, *values: Summary.Value) -> None:
        """Several values of one step, as one event."""
        event = Event(wall_time=time.time(), step=step, summary=Summary(value=values))
        self.run.append("tensorboard", self.name, line=_framed(event))


def _folder(run: RunDir) -> list[Path]:
    folder = run.events
    return sorted(folder.iterdir()) if reading.real_folder(folder) else []


def _until(files: Sequence[Path], step: int) -> Iterator[Event]:
    """What these files hold of the steps up to `step`: of a tag at a step the first value."""
    seen = set()
    for path in files:
        for event in _events(path):
            tags = (event.step, *(value.tag for value in event.summary.value))
            if event.HasField("summary") and event.step <= step and tags not in seen:
                seen.add(tags)
                yield event


def _events(path: Path) -> Iterator[Event]:
    """The events of a file; damaged ones are left out, with a warning."""
    try:
        found = list(map(Event.FromString, tf.data.TFRecordDataset(str(path)).as_numpy_iterator()))
    except (tf.errors.OpError, DecodeError):
        found, lost = _rescued(path.read_bytes())
        if lost:
            warnings.warn(
                f"{path} is damaged: {lost} bytes of TensorBoard's events are left out, the rest "
                "is kept.",
                stacklevel=2,
            )
    return iter(found)


def _rescued(content: bytes) -> tuple[list[Event], int]:
    """The whole events, and how many bytes belong to none but a last one that was cut off.

    Behind a damaged length the next record is looked for: where a length fits its checksum.
    """
    found, lost, place = [], 0, 0
    while place + HEAD <= len(content):
        head, told = content[place : place + 8], content[place + 8 : place + HEAD]
        if told != _checksum(head):
            lost, place = lost + 1, place + 1
            continue
        end = place + HEAD + int.from_bytes(head, "little")
        if end + 4 > len(content):
            break
        data = content[place + HEAD : end]
        if content[end : end + 4] == _checksum(data):
            with contextlib.suppress(DecodeError):
                found.append(Event.FromString(data))
        else:
            lost += len(data)
        place = end + 4
    return found, lost


def _checksum(data: bytes) -> bytes:
    return struct.pack("<I", masked_crc32c(data))


def _framed(event: Event) -> bytes:
    buffer = io.BytesIO()
    RecordWriter(buffer).write(event.SerializeToString())
    return buffer.getvalue()
