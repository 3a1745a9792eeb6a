"""Version 2 of the contract: roles, groups, milestones, frozen networks, what samplers declare."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import images, points, probe_of
from keras import layers

import ganzoo
from ganzoo import losses, sampling
from ganzoo.data import Dataset
from ganzoo.errors import GanzooError, UsageError
from ganzoo.optimizers import Adam
from ganzoo.player import pairs
from ganzoo.plugin import Constant, Frozen, Player, Plugin
from ganzoo.run import RunDir
from ganzoo.spec import ArraySpec, DataSpec
from ganzoo.testing import check_plugin
from ganzoo.training.game import Game, schedule


def dense(inputs: tuple[int, ...], width: int, name: str, activation=None) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input(inputs, name="z" if name == "generator" else None),
            layers.Flatten(),
            layers.Dense(8, "relu"),
            layers.Dense(width, activation, dtype="float32"),
        ],
        name=name,
    )


@dataclass(frozen=True)
class Plain(Plugin):
    """Two dense networks on points."""

    batch_size: int = 16
    z_dim: int = 4
    steps: int = 6

    def generator(self, spec):
        z = keras.Input((self.z_dim,), name="z")
        x = layers.Dense(spec.size, "tanh" if spec.range else None)(layers.Dense(8, "relu")(z))
        return keras.Model(z, layers.Reshape(spec.shape, dtype="float32")(x), name="generator")

    def discriminator(self, spec):
        return dense(spec.shape, 1, "discriminator")

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.nonsaturating_g(fake_logits)


def game(plugin: Plugin, dataset: Dataset | None = None, **settings) -> Game:
    fixed = {"seed": 0, "precision": "float32", "chunk_steps": 8}
    return Game(plugin, dataset or points(), **(fixed | settings))


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> list[str]:
    assert a.keys() == b.keys()
    return [name for name in a if not np.array_equal(a[name], b[name])]


# -- players --------------------------------------------------------------------------------------


def player(name: str, turns: int = 1, **more) -> Player:
    return Player(name, (name,), lambda turn: turn.z, None, turns, **more)


def moves(players: list[Player], simultaneous: bool = False) -> list[str]:
    return ["+".join(p.name for p in turn) for turn in schedule(players, simultaneous)]


def test_players_of_a_group_take_their_last_turn_together():
    ab = [player("a", 2, group="x"), player("c"), player("b", group="x")]
    assert moves(ab) == ["a", "a+b", "c"]
    assert moves([player("a", 3), player("b")], simultaneous=True) == ["a", "a", "a+b"]
    assert moves([player("a", 3), player("b")]) == ["a", "a", "a", "b"]


def test_who_plays_against_whom():
    two = [player("generator_0"), player("generator_1"), player("discriminator")]
    assert pairs(two) == [("generator_0", "discriminator"), ("generator_1", "discriminator")]
    cycle = [
        player("g_ab", role="generator", against="d_b"),
        player("g_ba", role="generator", against="d_a"),
        player("d_a", role="discriminator"),
        player("d_b", role="discriminator"),
        player("encoder"),
    ]
    assert pairs(cycle) == [("g_ab", "d_b"), ("g_ba", "d_a")]
    assert pairs([player("one"), player("two")]) == []
    with pytest.raises(UsageError, match="did you mean 'd_b'"):
        pairs([player("g", role="generator", against="d_bb"), player("d_b", role="discriminator")])
    with pytest.raises(UsageError, match="role"):
        player("g", role="generater")


def test_any_number_of_equal_turns_is_traced_once():
    traced = []

    @dataclass(frozen=True)
    class Counts(Plain):
        d_steps: int = 40

        def d_loss(self, real_logits, fake_logits):
            traced.append(1)
            return super().d_loss(real_logits, fake_logits)

    made = game(Counts())
    made.run(0, 2)
    assert len(traced) == 1
    updates = made.state()["optimizers/discriminator/0"]
    assert updates == 80


def test_equal_turns_are_the_turns_that_they_would_be_one_by_one():
    class One(Game):
        def _turns(self, movers, turns, number, step, fed):
            found = [
                super(One, self)._turns(movers, 1, number + i, step, fed) for i in range(turns)
            ]
            return {place: tf.add_n([row[place] for row in found]) for place in found[0]}

    fixed = {"seed": 0, "precision": "float32", "chunk_steps": 4}
    looped, unrolled = (cls(Plain(d_steps=5), points(), **fixed) for cls in (Game, One))
    names, rows = looped.run(0, 4)
    again, others = unrolled.run(0, 4)
    assert names == again
    assert not same(looped.state(), unrolled.state())
    np.testing.assert_allclose(rows, others, rtol=1e-5)


def test_weights_that_two_networks_of_a_player_share_are_updated_once():
    @dataclass(frozen=True)
    class Shared(Plain):
        def networks(self, spec):
            trunk = layers.Dense(8, "relu", name="trunk")

            def head(name):
                sample = keras.Input(spec.shape)
                return keras.Model(sample, layers.Dense(1)(trunk(sample)), name=name)

            return {"generator": self.generator(spec), "one": head("one"), "two": head("two")}

        def players(self, networks, spec, step=0):
            def loss(turn):
                x = turn.batch["point"]
                return tf.reduce_mean(turn.call(networks["one"], x) + turn.call(networks["two"], x))

            sgd = keras.optimizers.SGD(1.0)
            return [Player("discriminator", ("one", "two"), loss, sgd)]

    made = game(Shared())
    trunk = made.networks["one"].layers[1].kernel
    assert len([w for w in made.weights(made.players[0]) if w is trunk]) == 1
    before = trunk.numpy()
    with tf.GradientTape() as tape:
        turn = made._turn(
            tf.constant(0, tf.int64),
            0,
            [tf.constant(f[0, 0]) for f in made.batches.feed(0, 1, 1, 8)],
        )
        loss = made.players[0].loss(turn)
    slope = np.asarray(tape.gradient(loss, trunk.value))
    made.run(0, 1)
    np.testing.assert_allclose(trunk.numpy(), before - slope, atol=1e-6)
    held = [name for name in made.state() if name.startswith("networks/")]
    assert len(held) == 4 + 2 + 2 + 2  # the generator's, the trunk's, and each head's own


def test_after_sees_its_turn():
    @dataclass(frozen=True)
    class Pool(Plain):
        def networks(self, spec):
            memory = keras.Sequential([keras.Input((1,)), layers.Dense(1, trainable=False)])
            return super().networks(spec) | {"memory": memory}

        def players(self, networks, spec, step=0):
            kept = networks["memory"].layers[0].bias

            def after(turn):
                kept.assign([tf.cast(turn.step, tf.float32) + tf.reduce_mean(turn.batch["point"])])

            d, g = super().players(networks, spec, step)
            return [dataclasses.replace(d, after=after), g]

    made = game(Pool())
    made.run(0, 1)
    first = float(made.networks["memory"].layers[0].bias.numpy()[0])
    made.run(1, 2)
    assert 0 < abs(float(made.networks["memory"].layers[0].bias.numpy()[0]) - first - 2) < 1.5


def test_a_generators_loss_may_see_real_logits_and_have_a_penalty():
    @dataclass(frozen=True)
    class Relativistic(Plain):
        def g_loss(self, fake_logits, real_logits):
            return tf.reduce_mean(tf.nn.softplus(real_logits - fake_logits))

        def g_penalty(self, networks, fake, turn):
            return 10.0 * tf.reduce_mean(fake**2)

    names, rows = game(Relativistic()).run(0, 2)
    row = dict(zip(names, rows[0], strict=True))
    assert row["generator_penalty"] > 0
    alone = row["generator_loss"] - row["generator_penalty"]
    assert alone == pytest.approx(np.log(2), abs=0.5)


def test_what_is_judged_while_training_may_be_other_than_what_is_sampled():
    @dataclass(frozen=True)
    class Noisy(Plain):
        def fake(self, networks, turn):
            return turn.call(networks["generator"]) + 5 + turn.normal("beside", (2,))

        def g_penalty(self, networks, fake, turn):
            return tf.reduce_mean(fake)

    played = game(Noisy())
    names, rows = played.run(0, 1)
    assert dict(zip(names, rows[0], strict=True))["generator_penalty"] == pytest.approx(5, abs=1)
    assert np.abs(played.sampler(np.zeros((4, played.plugin.z_dim)))).max() < 4


def test_what_two_players_record_by_one_name_is_kept_apart():
    @dataclass(frozen=True)
    class Two(Plain):
        def networks(self, spec):
            return {
                "generator": self.generator(spec),
                "d_0": self.discriminator(spec),
                "d_1": self.discriminator(spec),
            }

        def players(self, networks, spec, step=0):
            def judge(name, value):
                def loss(turn):
                    return tf.reduce_mean(turn.call(networks[name], turn.batch["point"]))

                return Player(
                    f"discriminator_{value}",
                    (name,),
                    loss,
                    Adam(1e-3),
                    record=lambda turn: {"real_logits": tf.constant(float(value))},
                )

            return [judge("d_0", 0), judge("d_1", 1)]

    made = game(Two())
    names, rows = made.run(0, 1)
    row = dict(zip(names, rows[0], strict=True))
    assert row["discriminator_0_real_logits"] == 0
    assert row["discriminator_1_real_logits"] == 1
    assert set(made.judges()) == {"discriminator_0", "discriminator_1"}


def test_a_player_of_no_network_or_a_record_that_is_no_scalar_is_named():
    @dataclass(frozen=True)
    class Lost(Plain):
        def players(self, networks, spec, step=0):
            d, g = super().players(networks, spec, step)
            return [dataclasses.replace(d, networks=("critic",)), g]

    with pytest.raises(GanzooError, match="'discriminator' of Lost trains 'critic'"):
        game(Lost())

    @dataclass(frozen=True)
    class Vector(Plain):
        def g_loss(self, fake_logits):
            return tf.nn.softplus(-fake_logits)

    with pytest.raises(GanzooError, match="expected a scalar"):
        game(Vector()).run(0, 1)


# -- milestones -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grows(Plain):
    """From step 3 on a third player moves; the generator's slots carry over if `carry`."""

    carry: bool = True

    @property
    def milestones(self):
        return (3,)

    def networks(self, spec):
        return super().networks(spec) | {"encoder": dense(spec.shape, self.z_dim, "encoder")}

    def players(self, networks, spec, step=0):
        both = [dataclasses.replace(p, carry=self.carry) for p in super().players(networks, spec)]

        def recover(turn):
            return tf.reduce_mean((turn.call(networks["encoder"], turn.batch[spec.key])) ** 2)

        return both if step < 3 else [*both, Player("encoder", ("encoder",), recover, Adam(1e-3))]


def timeless(rows: list[dict]) -> list[dict]:
    """Rows without what a clock says."""
    clock = ("seconds", "interval", "images_per_second")
    return [{name: row[name] for name in row if name not in clock} for row in rows]


@pytest.mark.parametrize("carry", [True, False])
def test_a_checkpoint_on_a_milestone_resumes_to_the_same_bits(tmp_path, carry):
    values = {"data": "ring", "seed": 1, "log_every": 2, "checkpoint_every": 1, "quiet": True}
    values |= {"precision": "float32", "picture_every": 100, "fields": {"carry": carry}}
    straight = ganzoo.train(Grows, outdir=tmp_path / "straight", steps=5, **values)
    paused = ganzoo.train(Grows, outdir=tmp_path / "paused", steps=3, **values)
    paused.resume(5, quiet=True)
    ours, theirs = (r.folder.read_checkpoint(5) for r in (straight, paused))
    assert not same(ours, theirs)
    assert timeless(straight.metrics) == timeless(paused.metrics)
    assert "encoder_loss" not in straight.metrics[2]
    assert "encoder_loss" in straight.metrics[3]


def test_a_row_ends_where_the_players_change(tmp_path):
    run = ganzoo.train(Grows, "ring", outdir=tmp_path / "run", steps=6, log_every=100, quiet=True)
    assert [row["step"] for row in run.metrics] == [3, 6]
    assert "encoder_loss" not in run.metrics[0]
    assert "encoder_loss" in run.metrics[1]
    told = run.folder.game()
    assert [phase["step"] for phase in told["phases"]] == [0, 3]
    assert told["phases"][1]["pairs"] == [["generator", "discriminator"]]


def test_slots_carry_over_where_the_plugin_says_so():
    def momentum(carry):
        made = game(Grows(carry=carry))
        made.run(0, 3)
        before = made.state()
        made.enter(3)
        after = made.state()
        name = next(n for n in before if n.startswith("optimizers/generator/2"))
        return before[name], after[name]

    before, after = momentum(True)
    assert np.abs(before).max() > 0
    np.testing.assert_array_equal(before, after)
    assert not momentum(False)[1].any()


def test_the_check_resumes_across_milestones_and_sees_that_something_moved():
    found = check_plugin(Grows, only=["resumes"])
    assert {r.case.rpartition(", ")[2] for r in found} == {"at step 2", "at step 3", "at step 4"}

    @dataclass(frozen=True)
    class Still(Plain):
        g_lr: float = 0.0

    with pytest.raises(AssertionError, match="generator stood still"):
        check_plugin(Still, only=["resumes"])


@pytest.mark.parametrize("wrong", [(0,), (4, 2), (2.5,)])
def test_milestones_are_rising_steps(wrong):
    @dataclass(frozen=True)
    class Wrong(Plain):
        @property
        def milestones(self):
            return wrong

    with pytest.raises(GanzooError, match="rising"):
        game(Wrong())


# -- frozen networks ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Perceptual(Plain):
    features: str = ""

    def frozen(self, spec):
        return {"features": Frozen(self.features, build=lambda: dense(spec.shape, 3, "features"))}

    def g_penalty(self, networks, fake, turn):
        features = networks["features"]
        return tf.reduce_mean((features(fake) - features(turn.batch["point"])) ** 2)


def weights_file(path, scale: float = 1.0) -> str:
    arrays = [scale * np.ones(w.shape, np.float32) for w in dense((2,), 3, "features").weights]
    np.savez(path, *arrays)
    return str(path)


def test_a_frozen_network_is_recorded_and_in_no_checkpoint(tmp_path):
    path = weights_file(tmp_path / "f.npz")
    values = {"data": "ring", "checkpoint_every": 2, "quiet": True, "features": path}
    run = ganzoo.train(Perceptual, outdir=tmp_path / "run", steps=2, **values)
    recorded = run.config["record"]["frozen"]["features"]
    assert recorded["file"] == path
    assert len(recorded["sha256"]) == 64
    assert not [n for n in run.folder.read_checkpoint(2) if "features" in n]
    run.resume(4, quiet=True)
    weights_file(path, 2.0)
    with pytest.raises(UsageError, match="frozen network 'features'"):
        run.resume(6, quiet=True)
    run.sample(4)


def test_a_frozen_file_that_is_missing_wrong_or_of_other_shapes_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        game(Perceptual(features=str(tmp_path / "none.npz")))
    path = weights_file(tmp_path / "f.npz")

    @dataclass(frozen=True)
    class Pinned(Perceptual):
        def frozen(self, spec):
            one = super().frozen(spec)["features"]
            return {"features": dataclasses.replace(one, sha256="0" * 64)}

    with pytest.raises(GanzooError, match="expected 0000"):
        game(Pinned(features=path))
    np.savez(tmp_path / "g.npz", np.zeros(3))
    with pytest.raises(GanzooError, match="in this order"):
        game(Perceptual(features=str(tmp_path / "g.npz")))
    (tmp_path / "h.npz").write_bytes(b"nothing")
    with pytest.raises(GanzooError, match=r"no \.npz"):
        game(Perceptual(features=str(tmp_path / "h.npz")))

    @dataclass(frozen=True)
    class Trains(Perceptual):
        def players(self, networks, spec, step=0):
            d, g = super().players(networks, spec, step)
            return [d, dataclasses.replace(g, networks=("generator", "features"))]

    with pytest.raises(GanzooError, match="'features', which is frozen"):
        game(Trains(features=path))


# -- samplers -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Psi(Plain):
    """psi scales the sample: a constant of the sampler."""

    def inputs(self, spec):
        return {"psi": Constant(1.0)}

    def sampler(self, networks, spec):
        z, psi = keras.Input((self.z_dim,), name="z"), keras.Input((1,), name="psi")
        return keras.Model([z, psi], networks["generator"](z) * psi)


def domains(n: int = 60, more: int = 9) -> Dataset:
    """Two domains of images of unequal length: dark ones and bright ones."""
    dark, bright = images(n).arrays["image"], 255 - images(n + more).arrays["image"]
    spec = DataSpec(
        (16, 16, 1), key="a", group="a", others={"b": ArraySpec((16, 16, 1), group="b")}
    )
    return Dataset("two", spec, {"a": dark, "b": bright}, licence="", source="test")


@dataclass(frozen=True)
class Translates(Plain):
    """Two generators between two domains, each against its own discriminator."""

    def unsupported(self, spec):
        return None if "b" in spec.arrays else "it translates between two domains, a and b."

    def networks(self, spec):
        def g(name):
            image = keras.Input(spec.shape)
            x = layers.Dense(spec.size, "tanh", dtype="float32")(layers.Flatten()(image))
            return keras.Model(image, layers.Reshape(spec.shape)(x), name=name)

        def d(name):
            return dense(spec.shape, 1, name)

        return {"ab": g("ab"), "ba": g("ba"), "d_a": d("d_a"), "d_b": d("d_b")}

    def sampler(self, networks, spec):
        a, b = keras.Input(spec.shape, name="a"), keras.Input(spec.shape, name="b")
        return keras.Model([a, b], {"there": networks["ab"](a), "back": networks["ba"](b)})

    def outputs(self, spec):
        return {"there": "b", "back": "a"}

    def players(self, networks, spec, step=0):
        def fake(turn, way):
            return turn.once(way, lambda: turn.call(networks[way], turn.batch[way[0]]))

        def logits(turn, domain, samples):
            return turn.call(networks[f"d_{domain}"], samples)

        def one(domain, way):
            def d_loss(turn):
                real = logits(turn, domain, turn.batch[domain])
                return self.d_loss(real, logits(turn, domain, fake(turn, way)))

            def g_loss(turn):
                return self.g_loss(logits(turn, domain, fake(turn, way)))

            d, g = f"d_{domain}", f"g_{way}"
            return [
                Player(d, (d,), d_loss, Adam(1e-3), role="discriminator", against=g),
                Player(g, (way,), g_loss, Adam(1e-3), role="generator", against=d, group="g"),
            ]

        return [*one("b", "ab"), *one("a", "ba")]


def test_one_constant_of_the_sampler_may_be_set_when_sampling(tmp_path):
    run = ganzoo.train(Psi, "ring", outdir=tmp_path / "run", steps=2, quiet=True)
    whole, half = run.sample(8), run.sample(8, settings={"psi": 0.5})
    np.testing.assert_allclose(half, whole / 2, rtol=1e-5)
    assert not run.sample(8, settings={"psi": 0}).any()
    with pytest.raises(UsageError, match="did you mean 'psi'"):
        run.sample(8, settings={"spi": 0})


def test_a_translation_is_fed_by_data_everywhere(tmp_path):
    data = domains()
    test = {"a": data.arrays["a"][:7], "b": data.arrays["b"][:5]}
    run = ganzoo.train(
        Translates, data, outdir=tmp_path / "run", steps=4, checkpoint_every=2, quiet=True
    )
    assert pairs(game(Translates(), data).players) == [("g_ab", "d_b"), ("g_ba", "d_a")]
    made = run.sample(7, inputs={"a": test["a"]})
    assert made.shape == (7, 16, 16, 1)
    back = run.sample(5, inputs={"b": test["b"]}, output="back")
    assert back.shape == (5, 16, 16, 1)
    with pytest.raises(UsageError, match="takes rows of"):
        run.sample(7, inputs={"a": test["a"][:, :8]})
    with pytest.raises(UsageError, match="output"):
        run.sample(7, inputs={"a": test["a"]}, output="up")
    columns = set(run.metrics[-1])
    assert {"g_ab_loss", "d_a_real_logits_train"} & columns
    sampler = sampling.Sampler(run.folder)
    assert [one.needs for one in sampler.outputs] == [("a",), ("b",)]


def test_unpaired_domains_have_orders_of_their_own():
    made = game(Translates(batch_size=8), domains())
    a, b = made.batches.feed(0, 8, 1, 8)
    assert a.max() == 59
    assert b.max() > 59
    assert not np.array_equal(a, b)
    whole = np.concatenate(list(a[:7, 0])).ravel()
    assert len(set(whole)) == 56


def test_real_png_and_the_epoch_are_those_of_the_array_that_is_imitated(tmp_path):
    data = domains(40, 40)
    plugin = Translates(batch_size=8)
    assert plugin.epoch_steps(data.spec) == 10
    assert Plain(batch_size=8).epoch_steps(points(64).spec) == 8
    run = ganzoo.train(Translates(batch_size=8), data, outdir=tmp_path / "run", steps=1, quiet=True)
    from PIL import Image

    shown = np.asarray(Image.open(run.folder.picture("real")).convert("L"))
    assert np.median(shown) > 128  # the bright ones are imitated


def test_an_input_that_nothing_feeds_is_one_sentence_when_the_run_starts():
    @dataclass(frozen=True)
    class Forgot(Psi):
        def inputs(self, spec):
            return {}

    with pytest.raises(GanzooError, match="nothing feeds the sampler's input 'psi'"):
        game(Forgot())


@pytest.mark.parametrize(
    ("outputs", "sentence"),
    [
        ({"there": "b"}, "outputs names there"),
        ({"there": "b", "back": "c"}, "imitates 'c'"),
        ({}, "expected the same"),
    ],
)
def test_outputs_that_do_not_fit_the_sampler_are_named(outputs, sentence):
    @dataclass(frozen=True)
    class Wrong(Translates):
        def outputs(self, spec):
            return outputs

    with pytest.raises(GanzooError, match=sentence):
        game(Wrong(), domains())


def test_a_plugin_of_two_domains_can_be_checked():
    found = check_plugin(Translates, only=["shapes", "ranges", "export", "replicas", "repeats"])
    assert {r.status for r in found} <= {"ok", "note"}
    assert any("; back" in r.case for r in found)


def test_a_run_on_points_keeps_samples_and_logits_with_each_picture(tmp_path):
    run = ganzoo.train(
        Plain,
        "ring",
        outdir=tmp_path / "run",
        steps=4,
        picture_every=2,
        precision="float32",
        quiet=True,
    )
    kept = RunDir.open(run.path).fields()
    assert [step for step, _ in kept] == [2, 4]
    with np.load(kept[-1][1]) as field:
        assert field["samples"].shape == (1000, 2)
        assert field["logits_discriminator"].shape == (64, 64)
        x, y, logits = field["x"], field["y"], field["logits_discriminator"]
    assert x[0] < -1 < 1 < x[-1]
    made = game(Plain(), ganzoo_data("ring"))
    made.restore(run.folder.read_checkpoint(4), 4)
    judge = made.networks["discriminator"]
    corner = judge(np.array([[x[5], y[9]]], np.float32), training=False)
    assert float(corner[0, 0]) == pytest.approx(float(logits[9, 5]), rel=1e-4)
    assert probe_of(images(), game(Plain(), images())).field() == {}


def ganzoo_data(name: str) -> Dataset:
    from ganzoo import data

    return data.load(name)


def test_a_plugin_may_pair_arrays_otherwise_than_the_data():
    n = 40
    rows = np.arange(n, dtype=np.float32)
    spec = DataSpec((2,), None, key="point")
    arrays = {"point": np.stack([rows, rows], 1), "place": rows}
    data = Dataset("both", spec, arrays, licence="", source="test")

    @dataclass(frozen=True)
    class Apart(Plain):
        def groups(self, spec):
            return {"place": "place"}

    def together(plugin):
        made = game(plugin, data)
        fed = [tf.constant(part[0, 0]) for part in made.batches.feed(0, 1, 1, 8)]
        batch = made.batches.batch(fed)
        return np.array_equal(np.asarray(batch["point"])[:, 0], np.asarray(batch["place"]))

    assert together(Plain())
    assert not together(Apart())

    @dataclass(frozen=True)
    class Wrong(Plain):
        def groups(self, spec):
            return {"mask": "mask"}

    with pytest.raises(GanzooError, match="no array 'mask'"):
        game(Wrong(), data)


def test_what_a_branch_computed_first_is_not_there_outside_of_it():
    @dataclass(frozen=True)
    class Lazy(Plain):
        def d_loss(self, real_logits, fake_logits):
            return super().d_loss(real_logits, fake_logits)

        def penalty(self, discriminator, real, fake, turn):
            def inside():
                return tf.reduce_mean(turn.once("far", lambda: real**2))

            value = tf.cond(turn.step % 2 == 0, inside, lambda: 0.0)
            return value + tf.reduce_mean(turn.once("far", lambda: real**2))

    with pytest.raises(UsageError, match=r"'far' was first computed inside a tf\.cond"):
        game(Lazy()).run(0, 1)


def test_an_input_without_a_name_is_z_beside_a_label_too():
    @dataclass(frozen=True)
    class Nameless(Plain):
        def generator(self, spec):
            z, label = keras.Input((self.z_dim,)), keras.Input((), dtype="int32", name="label")
            x = layers.Concatenate()([z, keras.ops.one_hot(label, spec.classes)])
            x = layers.Dense(spec.size, "tanh", dtype="float32")(x)
            return keras.Model([z, label], layers.Reshape(spec.shape, dtype="float32")(x))

    made = game(Nameless(), images(classes=3))
    assert [one.name for one in made.inputs] == ["z", "label"]
    made.run(0, 1)


# -- version 1 ------------------------------------------------------------------------------------


VERSION_1 = """
from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.fourier import Conv2D, Conv2DTranspose
from ganzoo.optimizers import Adam
from ganzoo.plugin import DataSpec, Player, Plugin, feed


@dataclass(frozen=True)
class Old(Plugin):
    contract: ClassVar[int] = 1
    batch_size: int = 8
    z_dim: int = 4

    def generator(self, spec):
        z = keras.Input((self.z_dim,), name="z")
        x = layers.Reshape((spec.shape[0] // 2, spec.shape[1] // 2, 4))(
            layers.Dense(spec.shape[0] * spec.shape[1])(z)
        )
        x = Conv2DTranspose(spec.shape[2], 4, 2, "same", dtype="float32")(x)
        return keras.Model(z, layers.Activation("tanh", dtype="float32")(x))

    def discriminator(self, spec):
        x = image = keras.Input(spec.shape)
        x = layers.LeakyReLU()(Conv2D(4, 4, 2, "same")(x))
        return keras.Model(image, layers.Dense(1, dtype="float32")(layers.Flatten()(x)))

    def players(self, networks, spec, step=0):
        def fake(turn):
            noise = tf.random.stateless_normal([8, *spec.shape], turn.seed("noise"), alg="philox")
            made = turn.once("made", lambda: feed(networks["generator"], turn.z, turn.batch))
            return made + 0.01 * noise

        def d_loss(turn):
            judge = lambda x: feed(networks["discriminator"], x, turn.batch)
            real = turn.batch[spec.key]
            slope = losses.gradient_penalty(judge, real, fake(turn), turn.seed("mix"))
            return losses.wasserstein_d(judge(real), judge(fake(turn))) + 10.0 * slope

        def g_loss(turn):
            logits = feed(networks["discriminator"], fake(turn), turn.batch)
            return losses.wasserstein_g(logits)

        def clip():
            for weight in networks["discriminator"].trainable_variables:
                weight.assign(tf.clip_by_value(weight.value, -1.0, 1.0))

        return [
            Player("discriminator", ("discriminator",), d_loss, Adam(1e-3), 2, None, clip),
            Player("generator", ("generator",), g_loss, Adam(1e-3)),
        ]
"""


def test_a_package_for_version_1_trains_as_it_was(tmp_path):
    """The sums are those of the weights' magnitudes as version 0.1.0 trained them."""
    path = tmp_path / "old.py"
    path.write_text(VERSION_1)
    run = ganzoo.train(
        path, "digits", steps=4, outdir=tmp_path / "run", precision="float32", quiet=True
    )
    arrays = run.folder.read_checkpoint(4, "networks/")
    sums = [float(np.abs(arrays[name].astype(np.float64)).sum()) for name in sorted(arrays)]
    before = [9.355906, 0.023798, 21.288732, 0.0, 77.032088, 0.965056, 8.385956, 0.003000864]
    np.testing.assert_allclose(sums, before, rtol=1e-3)
    assert run.sample(3).shape == (3, 16, 16, 1)
