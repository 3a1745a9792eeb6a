"""Plugins that give other things than the contract says: the error names what gave it."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_cli import call

PLUGIN = """
from dataclasses import dataclass
import keras, tensorflow as tf
from ganzoo.plugin import Plugin

@dataclass(frozen=True)
class Odd(Plugin):
    z_dim: int = 2
    batch_size: int = 8
    {field}

    def generator(self, spec):
        {generator}

    def discriminator(self, spec):
        {discriminator}

    def d_loss(self, real_logits, fake_logits):
        {d_loss}

    def g_loss(self, fake_logits):
        {g_loss}
{more}
"""
WHOLE = {
    "field": "width: int = 3",
    "generator": "return keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])",
    "discriminator": "return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])",
    "d_loss": "return tf.reduce_mean(tf.nn.softplus(-real_logits) + tf.nn.softplus(fake_logits))",
    "g_loss": "return tf.reduce_mean(tf.nn.softplus(-fake_logits))",
    "more": "",
}


def tried(capsys: pytest.CaptureFixture, tmp_path: Path, **parts: str) -> tuple[int, str]:
    """The exit code, and what is said, of a short training of a plugin that is whole but for
    these parts."""
    file = tmp_path / "odd.py"
    file.write_text(PLUGIN.format(**WHOLE | parts))
    outdir = tmp_path / "run"
    code, _, said = call(
        capsys, "train", str(file), "--data", "ring", "--steps", "2", "--outdir", str(outdir)
    )
    assert code == 0 or not outdir.exists()
    return code, said


def test_the_plugin_is_whole_but_for_the_part_that_is_tried(capsys, tmp_path):
    assert tried(capsys, tmp_path)[0] == 0


@pytest.mark.parametrize(
    ("part", "text", "why"),
    [
        ("generator", "return None", "Odd.generator gives nothing: expected a Keras model"),
        ("generator", "return 'net'", "Odd.generator gives str 'net': expected a Keras model"),
        ("discriminator", "return 3", "Odd.discriminator gives int 3: expected a Keras model"),
        (
            "generator",
            "return keras.Sequential([keras.layers.Dense(2)])",
            "'generator', which is not built: begin it with keras.Input",
        ),
        (
            "discriminator",
            "return keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)])",
            "in what Odd gives: ",
        ),
        ("d_loss", "return None", "the loss of player 'discriminator' of Odd is nothing"),
        ("d_loss", "return 1.0", "of Odd is float 1.0: expected a scalar tensor"),
        ("g_loss", "return {'loss': fake_logits}", "the loss of player 'generator' of Odd is dict"),
        ("g_loss", "return fake_logits", "has the shape (8, 1): expected a scalar; take the mean"),
        ("g_loss", "return tf.constant(1.0)", "no gradient of player 'generator''s loss reaches"),
        ("g_loss", "raise GeneratorExit('mine')", "GeneratorExit in what Odd gives: mine"),
        ("g_loss", "raise SystemExit(0)", "SystemExit in what Odd gives: 0"),
        ("field", "width: object = object()", "expected what a run can record"),
        ("field", "steps: str = 'two'", "its field steps must be int, not 'two'"),
        ("field", "contract = 'two'", "was written for contract version two"),
        ("field", "players: int = 2", "its field 'players' stands in the way of Plugin.players"),
        (
            "more",
            "    def players(self, networks, spec, step=0):\n        return 'me'",
            "Odd.players gives str 'me': expected a list of ganzoo.plugin.Player",
        ),
        ("more", "    def networks(self, spec):\n        return [1]", "expected a dict of Keras"),
        ("more", "    def players(self):\n        return []", "in what Odd gives: "),
    ],
)
def test_what_gave_something_else_is_named(capsys, tmp_path, part, text, why):
    code, said = tried(capsys, tmp_path, **{part: text})
    assert code == 1
    assert why in said
    assert "please report" not in said
    assert len(said.strip().splitlines()) < 4
