"""LSGAN keeps ganzoo's contract, and its loss has the paper's minimum."""

import numpy as np
import pytest
from lsgan_dense import LSGANDense


@pytest.mark.ganzoo_plugins("lsgan_dense")
def test_contract(ganzoo_check):
    ganzoo_check()


def test_the_discriminators_loss_is_zero_at_one_for_real_and_zero_for_fake():
    one, zero = np.ones((4, 1), np.float32), np.zeros((4, 1), np.float32)
    assert float(LSGANDense().d_loss(one, zero)) == 0
    assert float(LSGANDense().d_loss(zero, one)) == 1
