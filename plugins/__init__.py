"""Built-in architectures: one file each, found by file name."""
