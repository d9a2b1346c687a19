"""Batches of sequences of similar length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from xner._support.arguments import whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["batches_by_length"]

# Where the last batches are smaller, each is to be this part of what is left, and of the budget at least: as many are
# computed at once on a processor at most, and those that are smaller still take longer in all.
_PARTS: Final = 4


def batches_by_length(
    lengths: Sequence[int], budget: int, *, pads: bool = True, at_once: bool = False
) -> list[list[int]]:
    """Group sequences so that padding is small and a batch's cost is bounded.

    Args:
        lengths: of the sequences.
        budget: most tokens in a batch, padding included; a longer sequence is a batch of its own.
        pads: whether all sequences of a batch are made as long as its longest.
        at_once: whether several batches are computed at once: the last ones are smaller then, so that all are done at
            about the same time. How many are computed at once changes nothing.

    Returns:
        Batches of indices, longest sequences first: memory that does not suffice shows at once. Sequences of
        the same length keep their order.
    """
    whole_number("token_budget", budget, 1)
    batches: list[list[int]] = []
    longest = taken = 0  # of the last batch: what a sequence costs at least, and what it costs altogether
    limit = budget  # of the last batch
    left = sum(lengths)
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        cost = max(lengths[index], longest)
        if not batches or taken + cost > limit:
            batches.append([])
            limit = min(budget, max(left, budget) // _PARTS) if at_once else budget
            cost = max(1, lengths[index])
            longest, taken = cost if pads else 0, 0
        batches[-1].append(index)
        taken += cost
        left -= lengths[index]
    return batches
