"""State dicts of PyTorch: both formats as PyTorch 2 wrote them, and what must not be read.

The two files hold `a.conv.weight` (0 to 23 as 2x3x2x2), `a.n` (the integer 7), `half` (1.5 and -2
in half precision) and `view`, the second half of the first.
"""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ganzoo.errors import GanzooError
from ganzoo.eval.features import torch_file

FILES = [Path(__file__).parent / "files" / f"state_dict_{kind}.pth" for kind in ("zip", "stream")]


@pytest.mark.parametrize("path", FILES)
def test_both_formats_are_read_in_their_order_and_types(path):
    found = torch_file.read(path)
    assert list(found) == ["a.conv.weight", "a.n", "half", "view"]
    assert np.array_equal(found["a.conv.weight"], np.arange(24.0).reshape(2, 3, 2, 2))
    assert found["a.n"] == 7
    assert found["a.n"].shape == ()
    assert np.array_equal(found["half"], np.float16([1.5, -2]))
    assert np.array_equal(found["view"], found["a.conv.weight"][1])


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("share", [0, 0.02, 0.3, 0.6, 0.99])
def test_a_truncated_file_is_an_error_and_says_so(path, share, tmp_path):
    stored = path.read_bytes()
    (tmp_path / "x.pth").write_bytes(stored[: int(share * len(stored))])
    with pytest.raises(GanzooError, match="truncated or no state_dict"):
        torch_file.read(tmp_path / "x.pth")


class Harm:
    """What a pickle can do when it may name anything."""

    def __reduce__(self):
        return os.mkdir, ("harm",)


@pytest.mark.parametrize("zipped", [True, False])
def test_no_file_can_run_code(zipped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path, pickled = tmp_path / "x.pth", pickle.dumps({"a": Harm()})
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x/data.pkl", pickled)
    else:
        header = [pickle.dumps(x) for x in (torch_file.STREAM_MAGIC, 1001, {})]
        path.write_bytes(b"".join([*header, pickled]))
    with pytest.raises(GanzooError, match="mkdir: only plain tensors"):
        torch_file.read(path)
    assert not (tmp_path / "harm").exists()


def test_a_view_beyond_its_storage_is_refused(tmp_path):
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(FILES[0]) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            stored = old.read(name)
            new.writestr(name, stored[:40] if name.endswith("data/0") else stored)
    with pytest.raises(GanzooError, match="24 numbers are expected and 10 are there"):
        torch_file.read(path)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "x.pth").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(GanzooError, match="no state_dict"):
        torch_file.read(tmp_path / "x.pth")
    with zipfile.ZipFile(tmp_path / "y.pth", "w") as archive:
        archive.writestr("y/data.pkl", pickle.dumps([1, 2]))
    with pytest.raises(GanzooError, match="something else than tensors by name"):
        torch_file.read(tmp_path / "y.pth")
