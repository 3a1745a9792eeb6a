"""Views of a training or an evaluation: a terminal, a notebook, nobody."""
