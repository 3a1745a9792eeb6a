"""What a plugin's methods gave back, held against what the contract says they give.

A plugin is somebody's first draft. What it gives is looked at where it comes in, so that the error
names the method, and not the line of ours that stumbled over it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from ganzoo.errors import GanzooError
from ganzoo.player import Player
from ganzoo.plugin import Plugin


def networks(plugin: Plugin, found: Any) -> dict[str, keras.Model]:
    """The networks by name, each a built Keras model."""
    if not isinstance(found, Mapping):
        raise _other(plugin, "networks", "a dict of Keras models", found)
    for name, network in found.items():
        if not isinstance(name, str) or not isinstance(network, keras.Model):
            method = name if name in ("generator", "discriminator") else "networks"
            raise _other(plugin, method, f"a Keras model for {name!r}", network)
        if isinstance(network, keras.Sequential) and not network.built:
            raise GanzooError(
                f"{_kind(plugin)}.networks gives {name!r}, which is not built: begin it with "
                "keras.Input, or call it once."
            )
    return dict(found)


def sampler(plugin: Plugin, found: Any) -> keras.Model:
    """The network that is sampled."""
    if not isinstance(found, keras.Model):
        raise _other(plugin, "sampler", "a Keras model", found)
    return found


def players(plugin: Plugin, found: Any) -> list[Player]:
    """The players of a phase."""
    if not isinstance(found, Sequence) or not all(isinstance(one, Player) for one in found):
        raise _other(plugin, "players", "a list of ganzoo.plugin.Player", found)
    return list(found)


def loss(plugin: Plugin, player: str, found: Any) -> tf.Tensor:
    """The scalar that a player lowers, still on the tape that recorded it."""
    if not tf.is_tensor(found):
        raise GanzooError(
            f"the loss of player {player!r} of {_kind(plugin)} is {_shown(found)}: expected a "
            "scalar tensor that depends on its networks."
        )
    if found.shape.rank not in (0, None):
        raise GanzooError(
            f"{player}_loss of player {player!r} has the shape {tuple(found.shape)}: expected a "
            "scalar; take the mean over the batch."
        )
    return found


def _other(plugin: Plugin, method: str, expected: str, found: Any) -> GanzooError:
    return GanzooError(f"{_kind(plugin)}.{method} gives {_shown(found)}: expected {expected}.")


def _shown(found: Any) -> str:
    return "nothing" if found is None else f"{type(found).__name__} {found!r:.60}"


def _kind(plugin: Plugin) -> str:
    return type(plugin).__name__
