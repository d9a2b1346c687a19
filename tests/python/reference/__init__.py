"""Slow, obviously right counterparts of the core's kernels, written from their published descriptions."""
