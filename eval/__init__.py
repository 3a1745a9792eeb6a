"""Scores, modes and diagnoses of what a generator makes."""
