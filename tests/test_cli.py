"""The command line as a user meets it: answers in one sentence, exit codes, nothing lost."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganzoo.cli import main
from ganzoo.run import RunDir

SMALL = [
    "--data",
    "digits",
    "--steps",
    "4",
    "--batch-size",
    "16",
    "--set",
    "z_dim=4",
    "--device",
    "cpu",
    "--precision",
    "float32",
]


def call(capsys: pytest.CaptureFixture, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    code = 0
    try:
        main(list(arguments))
    except SystemExit as done:
        code = int(done.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "run"
    main(["train", "mlp_gan", *SMALL, "--outdir", str(path), "--quiet"])
    return path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "dcgam"], "did you mean 'dcgan'"),
        (["train"], "no plugin was named"),
        (["trian"], "did you mean 'train'"),
        (["train", "dcgan", "--data", "mnits"], "did you mean 'mnist'"),
        (["train", "dcgan", "--set", "glr=1"], "did you mean 'g_lr'"),
        (["train", "dcgan", "--set", "g_lr=fast"], "g_lr must be float, not 'fast'"),
        (["train", "dcgan", "--set", "g_lr"], "--set takes NAME=VALUE"),
        (["train", "dcgan", "--data", "digits", "--size", "30"], "multiples of 4), not 30"),
        (["train", "dcgan", "--data", "ring"], "square images only"),
        (["train", "dcgan", "--steps", "0"], "--steps must be at least 1"),
        (["train", "dcgan", "--batch-size", "0"], "--batch-size must be at least 1"),
        (
            ["train", "dcgan", "--data", "digits", "--batch-size", "9999"],
            "larger than the data set",
        ),
        (["train", "dcgan", "--steps", "1", "--epochs", "1"], "not both"),
        (["train", "dcgan", "--data", "digits", "--epochs", "-1"], "epochs must be above 0"),
        (
            ["train", "dcgan", "--log-every", "0", "--data", "digits"],
            "log_every must be at least 1",
        ),
        (["train", "--resume", "nowhere"], "no run at nowhere"),
        (["sample", "nowhere"], "no run at nowhere"),
        (["info", "dcgam"], "did you mean 'dcgan'"),
        (["data", "info", "nope.npz"], "nope.npz"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_exit_code_2(
    capsys, tmp_path, monkeypatch, arguments, words
):
    monkeypatch.chdir(tmp_path)
    code, _, err = call(capsys, *arguments)
    assert code == 2
    assert words in err
    assert err.count("\n") == 1
    assert os.listdir(tmp_path) == []


def test_device_gpu_without_a_gpu_is_refused(capsys, tmp_path):
    code, _, err = call(
        capsys,
        "train",
        "dcgan",
        "--data",
        "digits",
        "--device",
        "gpu",
        "--outdir",
        str(tmp_path / "run"),
    )
    assert (code, "sees no GPU" in err) == (2, True)


def test_debug_adds_the_traceback(capsys):
    _, _, err = call(capsys, "train", "dcgam", "--debug")
    assert "Traceback" in err


def test_a_full_folder_is_left_as_it_was(capsys, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    code, _, err = call(capsys, "train", "mlp_gan", *SMALL, "--outdir", str(tmp_path))
    assert (code, "not a run folder" in err) == (2, True)
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_a_dry_run_writes_nothing_and_prints_every_setting(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = call(capsys, "train", "mlp_gan", *SMALL, "--dry-run")
    assert code == 0
    assert "z_dim: 4" in out
    assert os.listdir(tmp_path) == []


def test_a_configuration_file_is_overridden_by_options(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text("plugin: mlp_gan\ndata: digits\nseed: 3\nfields: {z_dim: 5}\n")
    _, out, _ = call(capsys, "train", "--config", "c.yaml", "--set", "hidden=9", "--dry-run")
    assert all(text in out for text in ("seed: 3", "z_dim: 5", "hidden: 9"))
    Path("c.yaml").write_text("plugin: mlp_gan\nsteps: 3\n")
    _, _, err = call(capsys, "train", "--config", "c.yaml", "--dry-run")
    assert "under `fields:`" in err


def test_samples_come_as_grid_arrays_or_folder(capsys, run, tmp_path):
    assert call(capsys, "sample", str(run), "-n", "9", "--out", str(tmp_path / "g.png"))[0] == 0
    assert Image.open(tmp_path / "g.png").width >= 3 * 16
    call(capsys, "sample", str(run), "-n", "9", "--seed", "1", "--out", str(tmp_path / "s.npz"))
    with np.load(tmp_path / "s.npz") as archive:
        assert archive["image"].shape == (9, 16, 16, 1)
    call(capsys, "sample", str(run), "-n", "3", "--out", f"{tmp_path}/dir/")
    assert len(list((tmp_path / "dir").iterdir())) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-n", "0"], "-n must be at least 1"),
        (["--label", "1"], "takes no --label"),
        (["--checkpoint", "77"], "no checkpoint of step 77; it has 4"),
        (["--checkpoint", "newest"], "'last' or a step"),
        (["--out", "x.gif"], "must end in"),
    ],
)
def test_wrong_sampling_requests_write_nothing(
    capsys, run, tmp_path, monkeypatch, arguments, words
):
    monkeypatch.chdir(tmp_path)
    code, _, err = call(capsys, "sample", str(run), *arguments)
    assert (code, words in err) == (2, True)
    assert os.listdir(tmp_path) == []


def test_runs_are_listed_with_their_state(capsys, run):
    _, out, _ = call(capsys, "runs", str(run.parent), "--json")
    row = json.loads(out)[0]
    assert (row["plugin"], row["data"], row["step"], row["state"]) == (
        "mlp_gan",
        "digits",
        4,
        "finished",
    )


def test_resuming_under_another_seed_names_the_difference(capsys, run):
    before = RunDir(run).latest()
    code, _, err = call(capsys, "train", "--resume", str(run), "--seed", "7", "--steps", "8")
    assert (code, "seed: the run has 0, you ask for 7" in err) == (2, True)
    assert RunDir(run).latest()[0] == before[0]


def test_info_counts_parameters_and_operations(capsys):
    code, out, _ = call(capsys, "info", "mlp_gan", "--data", "digits", "--json")
    counted = json.loads(out)["networks"]["discriminator"]
    assert code == 0
    assert counted["parameters"] == 256 * 128 + 128 + 128 + 1
    assert counted["flops"] == pytest.approx(2 * (256 * 128 + 128), rel=0.02)


def test_data_info_shows_counts_range_and_a_picture(capsys, tmp_path):
    code, out, _ = call(capsys, "data", "info", "digits", "--picture", str(tmp_path / "d.png"))
    assert code == 0
    assert "uint8 in [0, 255]" in out
    assert (tmp_path / "d.png").stat().st_size > 1000
