"""Names, splits, sizes and conversions: what holds for every data set."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ganzoo import data
from ganzoo.data import Dataset, Judging, curves, digits, to_float, to_uint8
from ganzoo.errors import GanzooError, UsageError
from ganzoo.spec import DataSpec


def test_importing_the_data_loads_no_heavy_library():
    code = (
        "import sys, ganzoo.data; heavy = {'tensorflow', 'keras', 'PIL', 'sklearn', 'scipy'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    root = Path(data.__file__).parents[2]
    out = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert out.stdout.strip() == "[]", out.stderr


def test_what_needs_scikit_learn_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    for name, load in (("digits", digits.load), ("moons", curves.load)):
        with pytest.raises(GanzooError, match=f"{name} needs scikit-learn"):
            load(name)


def test_pixels_become_exactly_minus_one_and_one_at_the_ends():
    ends = to_float(np.array([0, 255], np.uint8))
    assert ends.dtype == np.float32
    assert ends.tolist() == [-1.0, 1.0]
    assert to_uint8(np.array([-1.0, 1.0])).tolist() == [0, 255]


def test_all_256_levels_survive_the_round_trip():
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(to_float(levels)), levels)


def test_samples_outside_the_range_are_clipped_and_not_wrapped():
    assert to_uint8(np.array([-1.5, 1.01, 7.0], np.float32)).tolist() == [0, 255, 255]


def test_a_sample_that_is_nan_has_no_pixel():
    with pytest.raises(GanzooError, match="1 of 2"):
        to_uint8(np.array([0.0, np.nan]))


def _points(values: np.ndarray, name: str = "p") -> Dataset:
    spec = DataSpec(values.shape[1:], range=None, key="point")
    return Dataset(name, spec, {"point": values}, "none", "made here")


def test_the_fingerprint_depends_on_content_type_and_shape_and_on_nothing_else():
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    reference = _points(values)
    assert len(reference.fingerprint) == 64
    assert _points(values.copy(), "other name").fingerprint == reference.fingerprint
    assert _points(np.asfortranarray(values)).fingerprint == reference.fingerprint
    others = [values + 1, values.astype(np.float64), values.reshape(2, 3)]
    assert all(_points(other).fingerprint != reference.fingerprint for other in others)


def test_the_digits_are_1797_real_images_split_four_to_one():
    train, test = data.load("digits"), data.load("digits", split="test")
    assert (len(train), len(test)) == (1438, 359)
    assert train.spec == DataSpec((16, 16, 1), classes=10)
    pixels = train.arrays["image"]
    assert pixels.dtype == np.uint8
    assert pixels.min() == 0
    assert pixels.max() == 255
    assert train.arrays["label"].dtype == np.int32
    assert train.arrays["label"][:10].tolist() == list(range(10))


def test_held_out_digits_are_not_in_train():
    rows = [
        set(map(bytes, data.load("digits", split=s).arrays["image"])) for s in ("train", "test")
    ]
    assert not rows[0] & rows[1]


def test_size_resizes_images():
    assert data.load("digits", size=20).arrays["image"].shape == (1438, 20, 20, 1)


@pytest.mark.parametrize("size", [0, -3, 10**6, 2.5, True, "28"])
def test_a_nonsense_size_is_a_usage_error(size):
    with pytest.raises(UsageError):
        data.load("digits", size=size)


@pytest.mark.parametrize(("name", "count", "spacing"), [("ring", 8, None), ("grid", 25, 2.0)])
def test_points_lie_at_their_modes_with_the_stated_deviation(name, count, spacing):
    centres, sigma = data.modes(name)
    points = data.load(name).arrays["point"]
    assert points.shape == (100_000, 2)
    assert points.dtype == np.float32
    assert centres.shape == (count, 2)
    distances = np.linalg.norm(centres[:, None] - centres[None], axis=-1)
    if spacing:
        assert np.isclose(distances[distances > 0].min(), spacing)
    else:
        np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 1)
    to_modes = np.linalg.norm(points[:, None] - centres[None].astype(np.float32), axis=-1)
    nearest = to_modes.argmin(axis=1)
    np.testing.assert_allclose((points - centres[nearest]).std(axis=0), sigma, rtol=0.02)
    share = np.bincount(nearest, minlength=count) / len(points)
    np.testing.assert_allclose(share, 1 / count, rtol=0.1)


def test_points_are_the_same_each_time_and_other_points_in_the_test_split():
    assert data.load("grid").fingerprint == data.load("grid").fingerprint
    assert data.load("grid").fingerprint != data.load("grid", split="test").fingerprint


@pytest.mark.parametrize(
    ("name", "fingerprint"),
    [
        ("gaussian1d", "8cc7322d8b6585d3"),
        ("ring", "a65ef3b7d071b2c0"),
        ("grid", "26af13fbf29e4d38"),
        ("gaussian1d_minus2", "e8e0b8cc8c2e592c"),
        ("screws", "40c87ae348e33b13"),
        ("swissroll", "074b74e22e677eed"),
        ("moons", "ef63cc33677e842d"),
    ],
)
def test_points_are_the_same_bits_on_every_machine(name, fingerprint):
    assert data.load(name).fingerprint[:16] == fingerprint


@pytest.mark.parametrize(
    ("name", "n"), [("gaussian1d", 100_000), ("gaussian1d_minus2", 10_000), ("screws", 10_000)]
)
def test_numbers_have_the_moments_that_their_modes_say(name, n):
    (centre,), sigma = data.modes(name)
    points = data.load(name).arrays["point"]
    assert points.shape == (n, 1)
    assert abs(points.mean() - centre[0]) < 0.02 * sigma
    assert abs(points.std() / sigma - 1) < 0.02


@pytest.mark.parametrize("name", ["swissroll", "moons"])
def test_curves_are_2500_points_of_the_plane_when_judged(name):
    train, test = data.load(name), data.load(name, split="test")
    assert train.arrays["point"].shape == test.arrays["point"].shape == (100_000, 2)
    assert train.fingerprint != test.fingerprint
    assert train.judging.samples == 2_500
    with pytest.raises(UsageError, match=name):
        data.load(name, size=32)


def test_the_moons_lie_on_their_two_half_circles():
    x, y = data.load("moons").arrays["point"].T.astype(float)
    off = np.minimum(abs(np.hypot(x, y) - 1), abs(np.hypot(x - 1, y - 0.5) - 1))
    assert np.sqrt((off**2).mean()) == pytest.approx(0.05, rel=0.05)
    assert (off < 0.25).all()


def test_points_have_no_size_in_pixels():
    with pytest.raises(UsageError, match="ring"):
        data.load("ring", size=32)


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(UsageError, match=r"did you mean 'fashion_mnist'\?"):
        data.load("fashon_mnist")


@pytest.mark.parametrize("name", ["", "x" * 300, "a\0b", "~nobody_here/x"])
def test_a_name_that_can_be_no_path_is_a_usage_error(name):
    with pytest.raises(UsageError):
        data.load(name)


def test_an_unknown_split_is_a_usage_error():
    with pytest.raises(UsageError, match="valid"):
        data.load("ring", split="valid")


def test_a_path_that_does_not_exist_is_not_taken_for_a_name(tmp_path):
    with pytest.raises(UsageError, match="nothing_here"):
        data.load(str(tmp_path / "nothing_here"))


def test_every_name_has_one_line():
    known = data.names()
    assert {"auto", "mnist", "fashion_mnist", "cifar10", "digits", "gaussian1d"} <= set(known)
    assert all(line and "\n" not in line for line in known.values())


class _Distribution:
    def __init__(self, name: str):
        self.name, self.version = name, "1.0"
        self.metadata = {"Name": name}


class _Point:
    """An installed entry point, as importlib.metadata shows one."""

    def __init__(self, name, dist, load):
        self.name, self.value, self.group = name, f"{dist}:load", "ganzoo.datasets"
        self.dist, self.load = _Distribution(dist), load


@pytest.fixture
def install_points(monkeypatch):
    def install(*points):
        monkeypatch.setattr("ganzoo.distributions.points", lambda group: list(points))

    return install


def test_an_installed_data_set_loads_by_its_name(install_points):
    made = _points(np.zeros((4, 2), np.float32))
    install_points(_Point("blobs", "blobpack", lambda: lambda size, split: made))
    found = data.load("blobs")
    assert (found.name, found.fingerprint) == ("blobs", made.fingerprint)
    assert "blobpack" in data.names()["blobs"]


@pytest.mark.parametrize("error", [ImportError("no module named nothing"), SystemExit(3)])
def test_a_broken_installed_data_set_names_its_distribution_and_hurts_no_other(
    install_points, error
):
    def broken():
        raise error

    install_points(_Point("blobs", "blobpack", broken))
    with pytest.raises(GanzooError, match="blobpack"):
        data.load("blobs")
    assert len(data.load("ring")) == 100_000


def test_two_distributions_that_claim_a_name_are_both_named(install_points):
    install_points(*(_Point("blobs", dist, lambda: None) for dist in ("onepack", "twopack")))
    with pytest.raises(GanzooError, match=r"onepack.*twopack"):
        data.load("blobs")


def test_an_installed_data_set_must_return_a_dataset(install_points):
    install_points(_Point("blobs", "blobpack", lambda: lambda size, split: [1, 2]))
    with pytest.raises(GanzooError, match="blobpack"):
        data.load("blobs")


@pytest.mark.parametrize(("name", "samples"), [("ring", 2_500), ("grid", 2_500)])
def test_mixtures_are_judged_by_their_modes_over_as_many_points_as_papers_take(name, samples):
    judging = data.load(name).judging
    np.testing.assert_array_equal(judging.modes.centres, data.modes(name).centres)
    assert (judging.samples, judging.modes.sigma) == (samples, data.modes(name).sigma)
    assert "Srivastava et al. 2017" in judging.protocol


def test_one_normal_distribution_is_judged_by_its_one_mode_over_the_usual_number():
    judging = data.load("gaussian1d").judging
    assert (judging.samples, len(judging.modes.centres), judging.protocol) == (None, 1, "")


def test_the_digits_are_seen_by_the_network_of_mnist_and_not_named_by_it():
    assert data.load("digits").judging == Judging(extractor="mnist", classifier=False)


def test_an_installed_data_set_says_how_it_is_judged(install_points):
    spec, wish = DataSpec((2,), range=None, key="point"), Judging(samples=7, protocol="ours")
    made = Dataset("p", spec, {"point": np.zeros((4, 2), np.float32)}, "", "", judging=wish)
    install_points(_Point("blobs", "blobpack", lambda: lambda size, split: made))
    assert data.load("blobs").judging == wish
