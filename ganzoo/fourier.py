"""The layers of `ganzoo.layers.convolution` under their name of version 0.1: plugins import it."""

from ganzoo.layers.convolution import Conv2D, Conv2DTranspose

__all__ = ["Conv2D", "Conv2DTranspose"]
