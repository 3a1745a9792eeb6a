"""The GAN that is worked by hand: the four numbers of its first step, and where it ends."""

from __future__ import annotations

import numpy as np
import pytest

from ganzoo import data, training
from ganzoo.errors import UsageError
from ganzoo.plugins.linear_gan import LinearGAN
from ganzoo.testing import check_plugin
from ganzoo.training.game import Game


def weights(game: Game) -> np.ndarray:
    """u, d, w, b."""
    networks = [game.networks[name] for name in ("discriminator", "generator")]
    return np.array([np.asarray(w).item() for net in networks for w in net.trainable_variables])


@pytest.fixture
def game() -> Game:
    positive = data.load("positive")
    return Game(LinearGAN(), positive, seed=0, precision="float32", chunk_steps=100)


def test_the_first_step_is_the_one_that_is_worked_by_hand(game):
    assert weights(game).tolist() == [0, 0, 1, 0]
    game.run(0, 1)
    np.testing.assert_allclose(weights(game), [-0.3, 0.0, 0.966, 0.023], atol=5e-4)


def test_further_steps_are_those_of_the_four_equations(game):
    """Golden values: the gradients of the two sums, written out."""
    u, d, w, b = 0.0, 0.0, 1.0, 0.0
    real, r = np.array([1.0, 2.0]), np.array([-1.0, -2.0])

    def fake_chance(x):
        return 1 / (1 + np.exp(-(u * x + d)))

    for _ in range(50):
        x = w * r + b
        wrong_real, wrong_fake = fake_chance(real), 1 - fake_chance(x)
        u -= 0.1 * ((wrong_real * real).sum() - (wrong_fake * x).sum())
        d -= 0.1 * (wrong_real.sum() - wrong_fake.sum())
        caught = 1 - fake_chance(x)
        w -= 0.1 * (caught * u * r).sum()
        b -= 0.1 * (caught * u).sum()
    game.run(0, 50)
    np.testing.assert_allclose(weights(game), [u, d, w, b], atol=1e-4)


def test_it_ends_with_positive_numbers_alone_for_any_negative_one(game):
    game.run(0, 100)
    negative = np.array([[-0.01], [-1], [-2], [-1000]], np.float32)
    assert (game.average(negative, training=False).numpy() > 0).all()


def test_that_its_losses_are_sums_is_noted_by_the_check_and_breaks_nothing():
    found = check_plugin(LinearGAN, only=["replicas"])
    assert found[0].status == "note"  # the generator's gradient is 0 at the start
    assert "the loss sums over the batch" in found[0].message


def test_the_default_run_raises_no_alarm(tmp_path):
    request = training.prepare({"plugin": "linear_gan", "data": "positive"})
    run = training.start(request, tmp_path / "run")
    assert [finding["name"] for finding in run.findings()] == ["healthy"]


def test_two_numbers_are_trained_on_and_others_are_for_testing():
    train, test = (
        data.load("positive", split=split).arrays["point"] for split in ("train", "test")
    )
    assert train.tolist() == [[1], [2]]
    assert (test > 0).all()
    assert not set(train.ravel()) & set(test.ravel())
    with pytest.raises(UsageError, match="positive"):
        data.load("positive", size=8)
