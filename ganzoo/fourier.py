"""The old place of `ganzoo.layers.Conv2D` and `Conv2DTranspose`, for plugins that import it."""

from ganzoo.layers.convolution import Conv2D, Conv2DTranspose

__all__ = ["Conv2D", "Conv2DTranspose"]
