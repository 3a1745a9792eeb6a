"""A run folder as one HTML page, and its pictures as an animation."""
