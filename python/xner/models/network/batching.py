"""Batches of sequences of similar length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xner._support.arguments import whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["batches_by_length"]


def batches_by_length(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Group sequences so that padding is small and a batch's cost is bounded.

    Args:
        lengths: of the sequences.
        budget: most tokens in a batch, padding included; a longer sequence is a batch of its own.

    Returns:
        Batches of indices, longest sequences first: memory that does not suffice shows at once. Sequences of
        the same length keep their order.
    """
    whole_number("token_budget", budget, 1)
    batches: list[list[int]] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if not batches or longest * (len(batches[-1]) + 1) > budget:
            batches.append([])
            longest = max(1, lengths[index])
        batches[-1].append(index)
    return batches
