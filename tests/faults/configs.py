"""Random files of settings: given to `train --config`, and as the config.yaml of a run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path

from faults import outside
from faults.ledger import Case, Outcome, plainly
from faults.made import Made, copied

COUNT, REAL = 2_000, 50
PLUGINS = ("mlp_gan", "dcgan", "wgan", "sagan")
VALUES = (
    "null", "true", "No", "-1", "0", "1", "3", "0.5", "-0.0", "1e400", "-1e400", "1e-400", ".nan",
    ".inf", "-.inf", "99999999999999999999", "1000000000000", "0x7fffffff", "0o17", "1_000",
    "12:30:45", "2026-01-01", "2026-01-01T00:00:00Z", "9" * 5000, "1e9999999999", "''", "~", "auto",
    "!!python/object/apply:os.system ['touch ../outside/empty']", "!!python/name:os.system",
    "!!binary aGk=", "!!set {a, b}", "!!omap [a: 1]", "!!int 'x'", "!!float 'x'", "!!bool 'x'",
    "!!null 'x'", "!!timestamp '2026-13-45'", "!!str 1", "!unknown y", "&a [*a]", "*nowhere",
    "&a {b: *a}", "{}", "[]", "[1, [2, [3]]]", "{a: {b: {c: 1}}}", "[1, two, 3.0, null]",
    "{1: 2, null: 3, true: 4, 1.5: 6}", "{[a]: b}", "? [a]\n", "<<", "'" + "x" * 10_000 + "'",
    '"\\0"', '"\\u202e\\ufeff"', '"\\ud800"', '"\\x7f\\x1b[31m"', "'ẞ漢🦄'", "/dev/zero",
    "/dev/null", ".", "..", "../outside", "/", "'%s%n%s'", "'{{7*7}}'", "'<script>1</script>'",
    "'a\n\n  b'", "[", "{", '"', "|\n    text", ">\n    text", "- 1", "a: b: c", "@", "`", "%TAG",
    "[" * 100 + "]" * 100, "[" * 20_000, "{a: " * 60 + "1" + "}" * 60, "\t1", "\x00", "\x85",
    "[8, 16]", "digits", "ring", "mnist", "mlp_gan", "dcgan", "float32", "stop", "uniform",
)  # fmt: skip
WHOLE = (
    b"", b"\xff\xfe", b"\xef\xbb\xbfplugin: mlp_gan\n", b"\0" * 100, b"- a\n- b\n", b"just text",
    b"---\nplugin: mlp_gan\n---\nplugin: dcgan\n", b"plugin: mlp_gan\nplugin: dcgan\n", b"...\n",
    b"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\n",
    b"<<: {plugin: mlp_gan}\n", b"%YAML 9.9\n---\nplugin: mlp_gan\n", b"plugin: caf\xe9\n",
    b"{" * 5000, b"? " * 5000, b"- " * 5000, b"a" * 2_000_000, b"!!python/module:os\n",
    b"#\n" * 9999,
)  # fmt: skip
"""Files that are odd as a whole."""
READERS = (
    ("runs", "."),
    ("train", "--resume", "run", "--steps", "24", "--quiet"),
    ("eval", "run", "--swd", "--samples", "20"),
    ("report", "run", "--out", "made.html"),
    ("diagnose", "run"),
    ("compare", "run"),
    ("sample", "run", "-n", "4", "--out", "made.npz"),
)
"""The resume asks for the step that the run has: no odd cadence or length is trained out."""


def cases(made: Made) -> Iterator[Case]:
    """By turns a file for a dry run, and one in the place of a run's own."""
    bits = random.Random("configs")
    runs = {game: made.judged(game) for game in ("mlp_gan", "dcgan")}
    for number in range(COUNT):
        real = number % REAL == REAL - 1
        if number % 2:
            content = _file(bits, _plain(bits))
            yield Case(f"{number:04} dry run", partial(_dry, content, real), real)
            continue
        game, words = bits.choice(list(runs)), bits.choice(READERS)
        content = _file(bits, _of_run(runs[game]))
        if bits.random() < 0.5:
            content = _sealed(content)
        play = partial(_read, runs[game], content, words, real)
        yield Case(f"{number:04} {game}: {' '.join(words[:2])}", play, real)


# -- files ----------------------------------------------------------------------------------------

Lines = list[tuple[str, str]]
"""(key with its indentation, value as text)"""


def _plain(bits: random.Random) -> Lines:
    """Settings that a user might write."""
    from ganzoo import registry

    plugin = bits.choice(PLUGINS)
    data = "ring" if plugin == "mlp_gan" else "digits"
    lines = [("plugin", plugin), ("data", data), ("seed", str(bits.randrange(99)))]
    lines += [("log_every", "4"), ("precision", "float32"), ("on_failure", "warn"), ("fields", "")]
    known = [one.name for one in fields(registry.load(plugin))]
    lines += [(f"  {name}", bits.choice(("1", "2", "8", "0.5"))) for name in bits.sample(known, 3)]
    return [*lines, ("  steps", "3")]


def _of_run(run: Path) -> Lines:
    """The settings of a run, line by line; a long value's other lines are left out."""
    lines = [line.partition(":")[::2] for line in (run / "config.yaml").read_text().splitlines()]
    return [(key, value.strip()) for key, value in lines if key.strip() and key[0] not in "#-"]


def _file(bits: random.Random, lines: Lines) -> bytes:
    """A file with one to three odd places, or one that is odd as a whole."""
    if bits.random() < 0.05:
        return bits.choice(WHOLE)
    for _ in range(bits.choice((1, 1, 2, 3))):
        _mutate(bits, lines)
    text = "".join(f"{key}: {value}\n" for key, value in lines)
    return text.encode("utf-8", "surrogatepass")


def _mutate(bits: random.Random, lines: Lines) -> None:
    """Another value, a line more, less or twice, deeper or less deep."""
    place = bits.randrange(len(lines))
    key, value = lines[place]
    what = bits.choice(("value",) * 6 + ("key", "drop", "twice", "deeper", "field"))
    if what == "value":
        lines[place] = (key, bits.choice(VALUES))
    elif what == "key":
        odd = bits.choice(VALUES).replace("\n", " ")[:200]
        lines.insert(place, (odd, bits.choice(VALUES)))
    elif what == "drop" and len(lines) > 2:
        del lines[place]
    elif what == "twice":
        lines.insert(place, (key, value))
    elif what == "deeper":
        lines[place] = (f"  {key}", value)
    elif what == "field":
        lines.append((f"  {bits.choice(_all_fields())}", bits.choice(VALUES)))


def _all_fields() -> list[str]:
    from ganzoo import registry

    return sorted({one.name for plugin in PLUGINS for one in fields(registry.load(plugin))})


def _sealed(content: bytes) -> bytes:
    """With the digest that ganzoo puts under its own files: what a stranger can write too."""
    from ganzoo import sealing

    try:
        return sealing.sealed_text(content.decode())
    except UnicodeDecodeError:
        return content


# -- playing --------------------------------------------------------------------------------------


def _dry(content: bytes, real: bool, folder: Path) -> Outcome:
    outside.lay_out(folder)
    (folder / "settings.yaml").write_bytes(content)
    words = ("train", "--config", "settings.yaml", "--dry-run")
    return plainly(*outside.watched(folder, *words, real=real))


def _read(run: Path, content: bytes, words: tuple[str, ...], real: bool, folder: Path) -> Outcome:
    outside.lay_out(folder)
    place = copied(run, folder)
    (place / "config.yaml").write_bytes(content)
    return plainly(*outside.watched(folder, *words, real=real))
