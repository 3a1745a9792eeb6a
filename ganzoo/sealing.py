"""Digests beside what decides a number: damage is told, where it would give other numbers.

A digest guards against a flipped bit, a half copy or an edit by mistake. It is no signature:
whoever writes a folder can write its digests too.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

from ganzoo.files import plain

SEAL, LINE_SEAL = "sha256", "crc32"
COMMENT = "# sha256 of the lines above: "


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values of `content`, with the SHA-256 of all of them."""
    values = plain(content)
    return values | {SEAL: _digest(values)}


def unsealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content without its digest; a ValueError where it is not what was sealed.

    What was never sealed passes, as earlier versions did not.
    """
    values = {name: value for name, value in content.items() if name != SEAL}
    if SEAL in content and content[SEAL] != _digest(values):
        raise ValueError("it was damaged or edited: its content does not fit its SHA-256")
    return values


def sealed_line(content: Mapping[str, Any]) -> bytes:
    """One line of JSON with a checksum, for a file that grows."""
    values = plain(content)
    return (json.dumps(values | {LINE_SEAL: _checksum(values)}) + "\n").encode()


def unsealed_line(content: Mapping[str, Any]) -> dict[str, Any]:
    """A line's values without their checksum, as `unsealed`."""
    values = {name: value for name, value in content.items() if name != LINE_SEAL}
    if LINE_SEAL in content and content[LINE_SEAL] != _checksum(values):
        raise ValueError("it was damaged or edited: its values do not fit their checksum")
    return values


def sealed_text(text: str) -> bytes:
    """A text, and under it the SHA-256 of its lines as a comment."""
    return f"{text}{COMMENT}{hashlib.sha256(text.encode()).hexdigest()}\n".encode()


def is_as_sealed(content: bytes) -> bool:
    """Whether a text is what `sealed_text` made; True where nothing says so."""
    text, mark, told = content.rpartition(COMMENT.encode())
    return not mark or told.strip() == hashlib.sha256(text).hexdigest().encode()


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(values)).hexdigest()


def _checksum(values: Mapping[str, Any]) -> str:
    return f"{zlib.crc32(_canonical(values)):08x}"


def _canonical(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True).encode()
