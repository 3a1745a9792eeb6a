"""What the discriminator is shown instead of images, real and generated alike, on little data.

`Augmentation("color,translation,cutout")` changes every image (DiffAugment, Zhao et al. 2020);
`Augmentation("ada")` only as often as D overfits (ADA, Karras et al. 2020). A gradient passes
through all of it, and every draw comes from the turn.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from ganzoo.errors import UsageError, unknown
from ganzoo.turn import Turn

POLICIES = ("color", "translation", "cutout")
"""Of DiffAugment, as its `--DiffAugment` names them."""
ADAPTIVE = "ada"
SHIFT = 0.125  # of a side, at most: both papers
TARGET = 0.6  # of r_t (Karras et al. 2020, section 3.1)
RAMP = 500_000  # images in which p may go from 0 to 1 (the same)


class Augmentation:
    """Images -> what D sees of them; with `ada`, p is a weight of `network()`.

    DiffAugment's brightness, saturation, contrast, translation and cutout, as in its authors' code:
    what is moved in or cut out is 0, mid-grey. ADA mirrors, turns by quarters (square images),
    translates, and changes brightness and contrast, each with probability p; the paper has more.
    UsageError for words that are none of these.
    """

    def __init__(self, words: str):
        self.policies = tuple(word.strip() for word in words.split(",") if word.strip())
        for word in self.policies:
            if word not in (*POLICIES, ADAPTIVE):
                raise unknown("augmentation", word, (*POLICIES, ADAPTIVE))
        if ADAPTIVE in self.policies and len(self.policies) > 1:
            raise UsageError("augment is ada alone, or some of color,translation,cutout.")

    def __bool__(self) -> bool:
        return bool(self.policies)

    @property
    def adaptive(self) -> bool:
        """Whether its probability p follows the discriminator."""
        return ADAPTIVE in self.policies

    def network(self) -> keras.Model:
        """What holds p, which nobody trains."""
        state = keras.Model(name="augmentation")
        state.add_weight(shape=(), initializer="zeros", trainable=False, name="p", dtype="float32")
        return state

    def __call__(
        self, images: tf.Tensor, turn: Turn, who: str, p: tf.Tensor | float = 1.0
    ) -> tf.Tensor:
        """Images (n, h, w, c) as D sees them; `who` keeps the draws of reals and fakes apart."""
        if len(images.shape) != 4:
            raise UsageError("augment changes images, and these samples are points: leave it out.")
        images = tf.cast(images, tf.float32)
        draw = _Draws(turn, who)
        if self.adaptive:
            return _adaptive(images, draw, p)
        for policy in self.policies:
            images = {"color": _color, "translation": _translation, "cutout": _cutout}[policy](
                images, draw
            )
        return images

    def adapted(self, p: tf.Tensor, overfitting: tf.Tensor, images: int) -> tf.Tensor:
        """p after so many more images: up where the mean sign of D's real logits is above 0.6."""
        return tf.clip_by_value(p + tf.sign(overfitting - TARGET) * (images / RAMP), 0.0, 1.0)


def overfitting(real_logits: tf.Tensor, turn: Turn) -> tf.Tensor:
    """r_t, the mean sign of D's logits on real images (Karras et al. 2020, equation 1)."""
    return tf.reduce_mean(turn.mean(tf.sign(tf.stop_gradient(real_logits))))


class _Draws:
    """Uniform numbers in [0, 1), a column for each image, by what they are for."""

    def __init__(self, turn: Turn, who: str):
        self.turn, self.who = turn, who

    def __call__(self, what: str) -> tf.Tensor:
        return self.turn.uniform(f"augment {self.who} {what}", (1, 1, 1))

    def normal(self, what: str) -> tf.Tensor:
        return self.turn.normal(f"augment {self.who} {what}", (1, 1, 1))

    def whole(self, what: str, count: int) -> tf.Tensor:
        """(n,) of 0, 1, ..., count - 1."""
        drawn = self.turn.uniform(f"augment {self.who} {what}", ())
        return tf.minimum(tf.cast(drawn * count, tf.int32), count - 1)


# -- DiffAugment ----------------------------------------------------------------------------------


def _color(x: tf.Tensor, draw: _Draws) -> tf.Tensor:
    x = x + draw("brightness") - 0.5
    grey = tf.reduce_mean(x, 3, keepdims=True)
    x = grey + (x - grey) * 2 * draw("saturation")
    mean = tf.reduce_mean(x, (1, 2, 3), keepdims=True)
    return mean + (x - mean) * (draw("contrast") + 0.5)


def _translation(x: tf.Tensor, draw: _Draws) -> tf.Tensor:
    for axis in (1, 2):
        most = int(x.shape[axis] * SHIFT + 0.5)
        x = _moved(x, draw.whole(f"shift {axis}", 2 * most + 1) - most, axis)
    return x


def _cutout(x: tf.Tensor, draw: _Draws) -> tf.Tensor:
    """A window of half the sides is cut out; its middle lies anywhere in the image."""
    inside = []
    for axis in (1, 2):
        side = x.shape[axis]
        size = int(side * 0.5 + 0.5)
        first = draw.whole(f"cutout {axis}", side + 1 - size % 2) - size // 2
        places = tf.range(side)[None]
        inside.append((places >= first[:, None]) & (places < first[:, None] + size))
    hole = inside[0][:, :, None, None] & inside[1][:, None, :, None]
    return tf.where(hole, 0.0, x)


def _moved(x: tf.Tensor, by: tf.Tensor, axis: int) -> tf.Tensor:
    """Each image moved by whole pixels (n,) along an axis; what comes in is 0."""
    side = x.shape[axis]
    places = tf.range(side)[None] - by[:, None]
    chosen = tf.one_hot(places, side, dtype=x.dtype)  # outside: a row of zeros
    return tf.einsum("nij,njwc->niwc" if axis == 1 else "nij,nhjc->nhic", chosen, x)


# -- ADA ------------------------------------------------------------------------------------------


def _adaptive(x: tf.Tensor, draw: _Draws, p: tf.Tensor | float) -> tf.Tensor:
    """Each change of the paper's appendix B that is used here, with probability p of each image."""

    def perhaps(what: str, changed: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        return tf.where(draw(f"whether {what}") < p, changed, x)

    mirrored = tf.where(draw("mirror") < 0.5, tf.reverse(x, [2]), x)
    x = perhaps("mirror", mirrored, x)
    if x.shape[1] == x.shape[2]:
        quarters = tf.one_hot(draw.whole("quarters", 4), 4, dtype=x.dtype)
        turned = tf.stack([tf.image.rot90(x, k) for k in range(4)], 1)
        x = perhaps("quarters", tf.einsum("nk,nkhwc->nhwc", quarters, turned), x)
    x = perhaps("shift", _translation(x, draw), x)
    x = perhaps("brightness", x + 0.2 * draw.normal("brightness"), x)
    return perhaps("contrast", x * tf.pow(2.0, 0.5 * draw.normal("contrast")), x)
