"""Pipelines of steps: runs with progress, checkpoints and resume."""
