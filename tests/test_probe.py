"""What the probe sees: variety, classes, copies, and the discriminator's two kinds of reals."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from conftest import images, points, probe_of

from ganzoo import data, registry
from ganzoo.errors import GanzooError
from ganzoo.eval.diagnosis.variety import Variety
from ganzoo.plugins.dcgan import DCGAN
from ganzoo.plugins.mlp_gan import MLPGAN
from ganzoo.training.game import Game


def blobs(n: int, seed: int, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Four classes in 16 dimensions, 12 apart, and their labels."""
    bits = np.random.Generator(np.random.Philox(seed))
    labels = (np.arange(n) % 4).astype(np.int32)
    return 12 * np.eye(16)[labels] + spread * bits.standard_normal((n, 16)), labels


@pytest.fixture(scope="module")
def variety() -> Variety:
    train, labels = blobs(1200, 0)
    return Variety(train, 300, labels=labels, classes=4, held_out=blobs(400, 1)[0])


def test_other_samples_of_the_same_distribution_look_real(variety):
    fake, _ = blobs(300, 2)
    seen = variety.variety(fake) | variety.neighbours(fake)
    assert seen["diversity"] == pytest.approx(1, abs=0.03)
    assert seen["duplicates"] < 0.05
    assert seen["precision"] > 0.9
    assert seen["recall"] > 0.85
    assert seen["copies"] < 0.05
    assert seen["classes"] == seen["real_classes"] == [0.25] * 4


def test_a_collapse_is_seen_by_spread_duplicates_and_recall(variety):
    seen = variety.variety(blobs(300, 3, spread=0.01)[0][::4].repeat(4, 0))
    assert seen["diversity"] < 0.1
    assert seen["duplicates"] == 1
    assert seen["recall"] < 0.05


def test_a_class_that_is_missing_has_no_share(variety):
    fake, labels = blobs(400, 4)
    shares = variety.neighbours(fake[labels != 2])["classes"]
    assert shares[2] == 0
    assert shares[0] == pytest.approx(1 / 3, abs=1e-5)


def test_near_copies_of_training_samples_are_copies_wherever_they_lie(variety):
    near = variety.train[:300] + 0.05 * blobs(300, 5)[0] / 12
    assert variety.neighbours(near)["copies"] > 0.95
    exact = np.concatenate([variety.train[:1]] * 300)
    assert variety.neighbours(exact)["copies"] == 1


def test_a_collapse_into_the_densest_region_is_no_copying(variety):
    centre = 12 * np.eye(16)[:1] + 0.1 * np.random.default_rng(0).standard_normal((300, 16))
    assert variety.neighbours(centre)["copies"] < 0.05


def test_a_sample_that_stands_in_the_training_set_twice_is_a_copy():
    train = blobs(40, 6)[0].repeat(2, 0)
    assert Variety(train, 40).neighbours(train[:10])["copies"] == 1


def test_of_reals_without_a_fifth_neighbour_nothing_is_said_about_variety():
    assert Variety(blobs(5, 6)[0], 500).variety(blobs(20, 7)[0]) == {}
    assert Variety(blobs(6, 6)[0], 500).variety(blobs(20, 7)[0])["precision"] <= 1


# -- at a game ------------------------------------------------------------------------------------


def game_on(dataset: data.Dataset, plugin=None) -> Game:
    plugin = plugin or MLPGAN(batch_size=16, z_dim=8, hidden=16)
    return Game(plugin, dataset, seed=0, precision="float32", chunk_steps=4)


def test_labelled_images_bring_every_value_of_a_row():
    digits = data.load("digits")
    row = probe_of(digits, game_on(digits), seed=0).look()
    assert set(row) == {
        *("score", "score_of_reals", "diversity", "duplicates", "precision", "recall", "copies"),
        *("classes", "real_classes", "real_logits_train", "real_logits_heldout"),
        *("real_logits_train_std", "fake_logits_sampled", "outside", "unreached"),
    }
    assert sum(row["classes"]) == pytest.approx(1, abs=1e-4)
    assert len(row["real_classes"]) == 10
    assert row["precision"] == row["recall"] == 0  # an untrained generator's grey


def test_real_samples_in_place_of_the_generator_s_score_as_real():
    digits = data.load("digits")
    test = data.to_float(data.load("digits", split="test").arrays["image"])
    row = probe_of(digits, game_on(digits), seed=0).compare(test)
    assert row["score"] < 2
    assert 0 < row["score_of_reals"] < 2
    assert row["diversity"] == pytest.approx(1, abs=0.1)
    assert min(row["classes"]) > 0.04


def test_a_ring_s_modes_are_its_classes():
    ring = data.load("ring")
    probe = probe_of(ring, game_on(ring), seed=0)
    half = ring.arrays["point"][ring.arrays["point"][:, 1] > 0.5][:1000]
    row = probe.compare(half)
    assert len(row["classes"]) == 8
    assert sum(share > 0 for share in row["classes"]) == 3
    assert row["high_quality"] > 0.98
    assert "copies" not in row
    assert "real_logits_train" not in probe.look()


def test_data_without_a_test_split_leaves_the_held_out_values_out():
    row = probe_of(images(), game_on(images()), seed=0).look()
    assert "real_logits_heldout" not in row
    assert "classes" not in row
    assert "copies" in row
    assert "classes" not in probe_of(points(), game_on(points()), seed=0).look()


def test_a_game_without_a_discriminator_by_that_name_is_probed_all_the_same():
    @dataclasses.dataclass(frozen=True)
    class Renamed(MLPGAN):
        def networks(self, spec):
            return {"generator": self.generator(spec), "critic": self.discriminator(spec)}

        def players(self, networks, spec, step=0):
            return super().players(networks | {"discriminator": networks["critic"]}, spec, step)[1:]

    digits = data.load("digits")
    row = probe_of(digits, game_on(digits, Renamed(batch_size=16, hidden=16)), seed=0).look()
    assert "real_logits_train" not in row
    assert "score" in row


def test_looking_changes_no_variable():
    digits = data.load("digits")
    game = game_on(digits, DCGAN(batch_size=16, z_dim=8, width=4))
    probe = probe_of(digits, game, seed=0)
    before = game.state()
    first, second = probe.look(), probe.look()
    after = game.state()
    assert first == second
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_batch_norm_that_lags_behind_shows_by_what_training_mode_scores():
    digits = data.load("digits")
    game = game_on(digits, DCGAN(batch_size=16, z_dim=8, width=4))
    for variable in game.average.non_trainable_variables:
        if "moving_mean" in variable.path:
            variable.assign(np.full(variable.shape, 50.0, np.float32))
    before = game.state()
    row = probe_of(digits, game, seed=0).look()
    assert row["score_in_training"] != row["score"]
    after = game.state()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_values_that_no_sample_has_and_values_beyond_the_range_are_counted():
    digits = data.load("digits")
    probe = probe_of(digits, game_on(digits), seed=0)
    real = data.to_float(digits.arrays["image"][:500])
    bright = np.abs(real)  # nothing below 0
    assert probe.compare(real)["unreached"] == probe.compare(real)["outside"] == 0
    missed = probe.compare(bright)["unreached"]
    assert missed == pytest.approx((real < -0.1).mean(), abs=0.03)
    assert probe.compare(bright - 0.01)["unreached"] == 0  # a little of both halves
    beyond = probe.compare(3 * real)["outside"]
    assert beyond == pytest.approx((np.abs(3 * real) > 1.1).mean(), abs=0.03)


def test_samples_made_from_training_images_are_no_copies_of_them():
    digits = data.load("digits")
    plugin = registry.load("srgan")(batch_size=8, width=2, blocks=1, pretrain=2)
    assert "copies" not in probe_of(digits, game_on(digits, plugin), seed=0).look()


def test_samples_that_are_not_finite_are_an_error():
    digits = data.load("digits")
    game = game_on(digits)
    game.average.variables[-1].assign(np.full(256, np.nan, np.float32))
    with pytest.raises(GanzooError, match="not finite"):
        probe_of(digits, game, seed=0).look()


def test_fewer_samples_than_the_probe_compares_are_enough():
    few = images(20)
    row = probe_of(few, game_on(few), seed=0).look()
    assert all(np.isfinite(value) for value in row.values())
