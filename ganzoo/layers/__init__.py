"""Layers that several architectures share and Keras lacks, or has slower.

Every layer takes and gives channels last, and computes in its policy's type with float32
statistics. What a built-in plugin uses is here, so a stranger's plugin can use it too.
"""

from ganzoo.layers.attention import SelfAttention
from ganzoo.layers.convolution import Conv2D, Conv2DTranspose
from ganzoo.layers.dropout import Dropout
from ganzoo.layers.equalised import EqualisedConv2D, EqualisedDense
from ganzoo.layers.growing import Depth, Fade, depth_at, grown, seen_at, shrunken
from ganzoo.layers.maxout import Maxout
from ganzoo.layers.modulation import AdaIN, AddNoise, LearntConstant, ModulatedConv2D
from ganzoo.layers.norm import (
    BatchNormalization,
    ConditionalBatchNorm,
    VectorBatchNorm,
    instance_norm,
)
from ganzoo.layers.pixel import MinibatchStddev, PixelNorm
from ganzoo.layers.pool import Pool
from ganzoo.layers.resampling import Downsample, PixelShuffle, Upsample
from ganzoo.layers.sizes import cropped, halved, halvings
from ganzoo.layers.spectral import SpectralConv2D, SpectralDense, SpectralEmbedding
from ganzoo.layers.styles import (
    MovingMean,
    Truncation,
    mapping_network,
    mixed_styles,
    style_based,
)

__all__ = [
    "AdaIN",
    "AddNoise",
    "BatchNormalization",
    "ConditionalBatchNorm",
    "Conv2D",
    "Conv2DTranspose",
    "Depth",
    "Downsample",
    "Dropout",
    "EqualisedConv2D",
    "EqualisedDense",
    "Fade",
    "LearntConstant",
    "Maxout",
    "MinibatchStddev",
    "ModulatedConv2D",
    "MovingMean",
    "PixelNorm",
    "PixelShuffle",
    "Pool",
    "SelfAttention",
    "SpectralConv2D",
    "SpectralDense",
    "SpectralEmbedding",
    "Truncation",
    "Upsample",
    "VectorBatchNorm",
    "cropped",
    "depth_at",
    "grown",
    "halved",
    "halvings",
    "instance_norm",
    "mapping_network",
    "mixed_styles",
    "seen_at",
    "shrunken",
    "style_based",
]
