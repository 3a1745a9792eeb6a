"""BiGAN keeps ganzoo's contract, and its third player learns."""

import numpy as np
import pytest
from bigan_dense import BiGANDense

from ganzoo import data
from ganzoo.training.game import Game


@pytest.mark.ganzoo_plugins("bigan_dense")
def test_contract(ganzoo_check):
    ganzoo_check()


def test_three_players_move_in_a_step():
    game = Game(
        BiGANDense(batch_size=8), data.load("ring"), seed=0, precision="float32", chunk_steps=4
    )
    before = game.networks["encoder"].get_weights()
    names, rows = game.run(0, 4)
    assert {"discriminator_loss", "generator_loss", "encoder_loss"} <= set(names)
    assert np.isfinite(rows).all()
    after = game.networks["encoder"].get_weights()
    assert any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))
