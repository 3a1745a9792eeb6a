"""What a discriminator is shown: each change by hand, ADA's probability, and off as it was."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import augment
from ganzoo.augment import Augmentation, overfitting
from ganzoo.errors import UsageError
from ganzoo.plugin import DataSpec, Turn
from ganzoo.plugins.dcgan import DCGAN
from ganzoo.testing.trial import Part, Trial, example, model_arrays

SPEC = DataSpec((16, 16, 1))


def turn_of(rows: int, step: int = 0) -> Turn:
    at = tf.constant(step, tf.int64)
    return Turn(0, {}, at, at, rows, {})


def noise(rows: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (rows, *shape)).astype(np.float32)


def test_words_that_mean_nothing_are_one_sentence():
    assert not Augmentation("")
    assert Augmentation(" color , cutout").policies == ("color", "cutout")
    with pytest.raises(UsageError, match="color"):
        Augmentation("colour")
    with pytest.raises(UsageError, match="ada alone"):
        Augmentation("ada,color")
    with pytest.raises(UsageError, match="points"):
        Augmentation("color")(tf.zeros((3, 2)), turn_of(3), "real")


def test_colour_keeps_the_picture_and_changes_light_and_contrast():
    x = noise(50, 6, 6, 3)
    made = np.asarray(Augmentation("color")(x, turn_of(50), "real"))
    grey = x.mean(3).reshape(50, -1), made.mean(3).reshape(50, -1)
    for before, after in zip(*grey, strict=True):  # of grey it is a line a x + b, a in [0.5, 1.5)
        a, b = np.polyfit(before, after, 1)
        np.testing.assert_allclose(a * before + b, after, atol=1e-4)
        assert 0.5 <= a < 1.5
    assert np.abs(made.mean((1, 2, 3)) - x.mean((1, 2, 3))).max() <= 0.5 + 1e-5


def test_translation_moves_whole_pixels_and_fills_with_grey():
    x = 2 + noise(200, 16, 16, 1)  # never 0
    made = np.asarray(Augmentation("translation")(x, turn_of(200), "real"))
    seen = set()
    for before, after in zip(x, made, strict=True):
        rows, columns = (np.flatnonzero(after[..., 0].any(axis)) for axis in (1, 0))
        found = [
            (dy, dx)
            for dy in range(-2, 3)
            for dx in range(-2, 3)
            if np.allclose(
                after[max(dy, 0) : 16 + min(dy, 0), max(dx, 0) : 16 + min(dx, 0)],
                before[max(-dy, 0) : 16 - max(dy, 0), max(-dx, 0) : 16 - max(dx, 0)],
                atol=1e-5,
            )
        ]
        (move,) = found
        assert (len(rows), len(columns)) == (16 - abs(move[0]), 16 - abs(move[1]))
        seen.add(move)
    assert len(seen) == 25  # an eighth of 16 is 2


def test_cutout_takes_a_window_of_half_the_sides():
    x = np.ones((300, 8, 8, 1), np.float32)
    made = np.asarray(Augmentation("cutout")(x, turn_of(300), "real"))[..., 0]
    holes = (made == 0).sum((1, 2))
    assert holes.max() == 16
    assert holes.min() == 4  # its middle is in a corner
    assert set(np.unique(made)) == {0.0, 1.0}
    assert (made == 0).any(0).all()  # everywhere


@pytest.mark.parametrize("words", ["color,translation,cutout", "ada"])
def test_a_gradient_passes_and_draws_are_the_turns(words):
    change, x = Augmentation(words), tf.constant(noise(64, 8, 8, 3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        made = change(x, turn_of(64), "fake", 0.5)
        loss = tf.reduce_sum(made * made)
    assert made.shape == x.shape
    assert np.abs(tape.gradient(loss, x)).max() > 0.1
    np.testing.assert_array_equal(change(x, turn_of(64), "fake", 0.5), made)
    for turn, who in ((turn_of(64), "real"), (turn_of(64, 1), "fake")):
        assert np.abs(change(x, turn, who, 0.5) - made).max() > 0.1


def test_ada_of_probability_0_changes_nothing_and_of_p_so_many():
    change, x = Augmentation("ada"), noise(2000, 8, 8, 1)
    np.testing.assert_array_equal(change(x, turn_of(2000), "real", 0.0), x)
    made = np.asarray(change(x, turn_of(2000), "real", 0.1))
    kept = (np.abs(made - x).max((1, 2, 3)) < 1e-6).mean()
    # five changes, of which a mirroring is none in half, a turn in a quarter, a shift in 1 of 9
    expected = 0.95 * 0.925 * (1 - 0.1 * 8 / 9) * 0.9 * 0.9
    assert kept == pytest.approx(expected, abs=0.03)


def test_p_rises_while_the_logits_on_reals_have_one_sign_and_falls_again():
    change, p = Augmentation("ada"), tf.constant(0.5)
    logits = tf.constant([[3.0], [1.0], [0.1], [-2.0]])
    assert float(overfitting(logits, turn_of(4))) == pytest.approx(0.5)
    rising, falling = (float(change.adapted(p, r, 5_000)) for r in (0.7, 0.5))
    assert (rising, falling) == pytest.approx((0.51, 0.49))
    assert float(change.adapted(tf.constant(1.0), 0.7, 5_000)) == 1.0
    assert float(change.adapted(tf.constant(0.0), 0.5, 5_000)) == 0.0


# -- in a plugin ----------------------------------------------------------------------------------


def played(words: str):
    plugin = DCGAN(width=2, z_dim=4, augment=words)
    game = Trial(plugin, [SPEC]).new_game()
    turn = Part(game, slice(0, 4), model_arrays(example(SPEC), 4), 4)
    return game, {player.name: player for player in game.players}, turn


def test_off_the_discriminator_sees_the_images_themselves(monkeypatch):
    monkeypatch.setattr(augment.Augmentation, "__call__", lambda *_: pytest.fail("it was asked"))
    game, players, turn = played("")
    assert sorted(game.networks) == ["discriminator", "generator"]
    logits = turn.call(game.networks["discriminator"], turn.batch["image"])
    told = players["discriminator"].record(turn)
    assert float(told["real_logits"]) == pytest.approx(float(tf.reduce_mean(logits)), abs=1e-6)
    assert "augment_p" not in told


def test_on_it_sees_them_changed_and_the_generator_learns_through_it():
    game, players, turn = played("translation")
    plain = turn.call(game.networks["discriminator"], turn.batch["image"])
    told = players["discriminator"].record(turn)["real_logits"]
    assert abs(float(told) - float(tf.reduce_mean(plain))) > 1e-6
    *_, fresh = played("translation")  # nothing of it is computed yet
    with tf.GradientTape() as tape:
        loss = players["generator"].loss(fresh)
    slopes = tape.gradient(loss, [w.value for w in game.weights(players["generator"])])
    assert all(slope is not None for slope in slopes)


def test_a_penalty_asks_of_images_as_they_are_shown():
    class Paying(DCGAN):
        def penalty(self, discriminator, real, fake, turn):
            return 100 * tf.reduce_mean(discriminator(real))

    game = Trial(Paying(width=2, z_dim=4, augment="translation"), [SPEC]).new_game()
    turn = Part(game, slice(0, 4), model_arrays(example(SPEC), 4), 4)
    player = {player.name: player for player in game.players}["discriminator"]
    shown = float(player.record(turn)["real_logits"])
    assert float(player.penalty(turn)) == pytest.approx(100 * shown, rel=1e-3)


def test_ada_moves_its_p_behind_every_turn_and_says_so(monkeypatch):
    monkeypatch.setattr(augment, "RAMP", 40)
    game, players, turn = played("ada")
    p = game.networks["augmentation"].variables[0]
    assert float(players["discriminator"].record(turn)["augment_p"]) == 0
    p.assign(0.5)
    sign = np.sign(float(players["discriminator"].record(turn)["r_t"]) - 0.6)
    players["discriminator"].updated(turn)
    assert float(p.value) == pytest.approx(0.5 + sign * 8 / 40)  # the trial's batches are of 8
    assert "networks/augmentation/0" in game.variables()
