"""Faster convolutions on a CPU, for small images with many channels: in the Fourier domain.

`Conv2D` and `Conv2DTranspose` have Keras's arguments, weights and results, rounding apart. Where
the images are small, a convolution as written multiplies channels k^2 times for each place; on a
circle a little larger than the image it is one product for each frequency. On a GPU, whose own
kernels are made for this, and where it would not pay, they are Keras's.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers


class Transforms(NamedTuple):
    """The matrices of y = G^T[(F x)(E w)]: three linear maps around a product for each frequency.

    F is (terms, n * n) from input places, E is (terms * s * s, k * k) from kernel taps, and G is
    (terms, n * n) from output places, where n is the side of the output.
    """

    f: np.ndarray
    e: np.ndarray
    g: np.ndarray

    @property
    def terms(self) -> int:
        """How many products replace the n * n * k * k of the sum as written."""
        return len(self.f)


@functools.cache
def transforms(side: int, kernel: int, stride: int) -> Transforms:
    """The real matrices of a "same" convolution from (side * stride)^2 to side^2 places.

    The input is cut into stride^2 phases of side^2 places, on each of which the convolution has
    stride 1 and taps m = low..high; on a circle of n = side + max(high, -low) places the wrapped
    values fall outside what is kept, so the discrete Fourier transform turns it into a product
    for each frequency. Conjugate frequencies are dropped, and a complex product is three real
    ones (Gauss): (a + b) c, a (d - c), b (c + d). Every matrix is well conditioned, unlike
    Winograd's for tiles as large as these.
    """
    before = max((side - 1) * stride + kernel - side * stride, 0) // 2
    # y[i] = sum_k w[k] x[stride i + k - before]; the place is stride j + p, so j - i = m below
    taps = [(k, *divmod(k - before, stride)) for k in range(kernel)]
    circle = side + max(max(m for _, m, _ in taps), -min(m for _, m, _ in taps), 0)
    places = np.arange(side)
    f, e, g = [], [], []
    for u in range(circle):
        for v in range(circle):
            mirror = (-u % circle, -v % circle)
            if (u, v) > mirror:
                continue
            wave = np.exp(-2j * np.pi * (u * places[:, None] + v * places[None]) / circle).ravel()
            kernels = np.zeros((stride, stride, kernel, kernel), complex)
            for a, m_a, p_a in taps:
                for b, m_b, p_b in taps:
                    kernels[p_a, p_b, a, b] = np.exp(2j * np.pi * (u * m_a + v * m_b) / circle)
            kernels = kernels.reshape(stride * stride, kernel * kernel)
            a, b, c, d = wave.real, wave.imag, kernels.real, kernels.imag
            if (u, v) == mirror:
                f.append(a), e.append(c), g.append(wave.real / circle**2)
                continue
            # Y = (p1 - p3) + i (p1 + p2); y = 2 Re(Y conj(wave)) = 2 (Re Y cos + Im Y sin)
            f += [a + b, a, b]
            e += [c, d - c, c + d]
            cos, sin = wave.real * 2 / circle**2, wave.imag * 2 / circle**2
            g += [cos + sin, sin, -cos]
    return Transforms(
        *(
            np.asarray(x, np.float32).reshape(-1, width)
            for x, width in ((f, side**2), (e, kernel**2), (g, side**2))
        )
    )


def _phases(x: tf.Tensor, side: int, stride: int) -> tf.Tensor:
    """(n, side s, side s, c) -> (side side, n, s s c): places first, for one large product."""
    channels = x.shape[-1]
    x = tf.reshape(x, (-1, side, stride, side, stride, channels))
    x = (
        tf.transpose(x, (1, 3, 0, 2, 4, 5))
        if stride > 1
        else tf.transpose(tf.reshape(x, (-1, side * side, channels)), (1, 0, 2))
    )
    return tf.reshape(x, (side * side, -1, stride * stride * channels))


def _unphases(x: tf.Tensor, side: int, stride: int, channels: int) -> tf.Tensor:
    """Back from `_phases`."""
    if stride == 1:
        x = tf.transpose(tf.reshape(x, (side * side, -1, channels)), (1, 0, 2))
    else:
        x = tf.transpose(
            tf.reshape(x, (side, side, -1, stride, stride, channels)), (2, 0, 3, 1, 4, 5)
        )
    return tf.reshape(x, (-1, side * stride, side * stride, channels))


def _apply(matrix: np.ndarray, x: tf.Tensor, adjoint: bool = False) -> tf.Tensor:
    """A transform over the first axis of x."""
    flat = tf.reshape(x, (matrix.shape[0 if adjoint else 1], -1))
    out = tf.matmul(tf.constant(matrix, x.dtype), flat, transpose_a=adjoint)
    return tf.reshape(out, tf.concat([[out.shape[0]], tf.shape(x)[1:]], 0))


def fourier_conv(x: tf.Tensor, kernel: tf.Tensor, stride: int) -> tf.Tensor:
    """ "same" convolution of (n, side s, side s, c_in) with (k, k, c_in, c_out)."""
    side, (k, _, c_in, c_out) = x.shape[1] // stride, kernel.shape
    t = transforms(side, k, stride)
    values = _apply(t.f, _phases(x, side, stride))
    weights = tf.reshape(
        tf.matmul(tf.constant(t.e, x.dtype), tf.reshape(kernel, (k * k, -1))),
        (t.terms, stride * stride * c_in, c_out),
    )
    return _unphases(_apply(t.g, values @ weights, adjoint=True), side, 1, c_out)


def fourier_conv_transpose(x: tf.Tensor, kernel: tf.Tensor, stride: int) -> tf.Tensor:
    """ "same" transposed convolution of (n, side, side, c_in) with (k, k, c_out, c_in).

    It is the adjoint of `fourier_conv` in x: the same three matrices, the other way round.
    """
    side, (k, _, c_out, c_in) = x.shape[1], kernel.shape
    t = transforms(side, k, stride)
    values = _apply(t.g, _phases(x, side, 1))
    weights = tf.reshape(
        tf.matmul(tf.constant(t.e, x.dtype), tf.reshape(kernel, (k * k, -1))),
        (t.terms, stride * stride * c_out, c_in),
    )
    products = tf.matmul(values, weights, transpose_b=True)
    return _unphases(_apply(t.f, products, adjoint=True), side, stride, c_out)


def _pays(side: int, kernel: int, stride: int, c_in: int, c_out: int) -> bool:
    """Whether the Fourier form needs less than half the products of the sum as written."""
    t = transforms(side, kernel, stride).terms
    inner, outer = stride * stride * c_in, c_out
    fourier = t * (inner * outer + side * side * (inner + outer))
    return 2 * fourier < side * side * kernel * kernel * c_in * c_out


def _usable(layer: Any, size: tuple[int | None, ...]) -> bool:
    """Whether a convolution is of the kind that `transforms` knows."""
    return (
        layer.data_format == "channels_last"
        and layer.padding == "same"
        and size[0] == size[1]
        and size[0] is not None
        and layer.kernel_size[0] == layer.kernel_size[1]
        and layer.strides[0] == layer.strides[1]
        and layer.dilation_rate in (1, (1, 1))
        and not tf.config.get_visible_devices("GPU")
    )


@keras.saving.register_keras_serializable("ganzoo")
class Conv2D(layers.Conv2D):
    """Keras's `Conv2D`, through the Fourier domain where images are small and channels many.

    Groups are convolved one by one on a CPU, where TensorFlow has no kernel for their gradients.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        size, stride = input_shape[1:3], self.strides[0]
        self.fourier = (
            self.groups == 1
            and _usable(self, size)
            and size[0] % stride == 0
            and _pays(size[0] // stride, self.kernel_size[0], stride, input_shape[-1], self.filters)
        )

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        if self.fourier:
            return fourier_conv(inputs, tf.convert_to_tensor(kernel), self.strides[0])
        convolve = super().convolution_op
        if self.groups == 1 or tf.config.get_visible_devices("GPU"):
            return convolve(inputs, kernel)
        axis = -1 if self.data_format == "channels_last" else 1
        parts = tf.split(inputs, self.groups, axis)
        kernels = tf.split(tf.convert_to_tensor(kernel), self.groups, -1)
        return tf.concat([convolve(x, k) for x, k in zip(parts, kernels, strict=True)], axis)


@keras.saving.register_keras_serializable("ganzoo")
class Conv2DTranspose(layers.Conv2DTranspose):
    """Keras's `Conv2DTranspose`, through the Fourier domain where images are small."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        size = input_shape[1:3]
        self.fourier = (
            self.output_padding is None
            and _usable(self, size)
            and _pays(size[0], self.kernel_size[0], self.strides[0], self.filters, input_shape[-1])
        )

    def call(self, inputs: Any) -> Any:
        if not self.fourier:
            return super().call(inputs)
        outputs = fourier_conv_transpose(inputs, tf.convert_to_tensor(self.kernel), self.strides[0])
        if self.use_bias:
            outputs = outputs + tf.convert_to_tensor(self.bias)
        return outputs if self.activation is None else self.activation(outputs)
