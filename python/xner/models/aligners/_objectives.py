"""What fine-tuning an aligner minimises. Imports torch: to be imported where training starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner.models.network.pieces import PieceTokenizer

__all__ = ["AlignmentObjectives", "self_training_loss"]

Pair = tuple[list[int], list[int]]

# Of the pieces that a language model is to tell, shares that are masked and replaced: Devlin et al. 2019.
_MASKED, _REPLACED = 0.8, 0.1
_IGNORED = -100  # label of a piece that is not to be told


def self_training_loss(
    source: torch.Tensor, target: torch.Tensor, source_real: torch.Tensor, target_real: torch.Tensor, threshold: float
) -> torch.Tensor:
    """How improbable the links are that the encoder itself finds.

    Args:
        source: (pairs × pieces × dimensions) embeddings of the source pieces.
        target: likewise of the target pieces.
        source_real: (pairs × pieces), whether a piece is one of a word: neither padding nor a special token.
        target_real: likewise.
        threshold: probability that both directions of a cell must exceed to be taken for a link.

    Returns:
        The mean over the pairs of `-sum of (forward / source pieces + reverse / target pieces) / 2` over their links.

    Source: Dou, Neubig 2021, equation 6, with the minus sign of something to be minimised.
    """
    similarity = source.float() @ target.float().transpose(1, 2)
    lowest = torch.finfo(similarity.dtype).min
    forward = similarity.masked_fill(~target_real[:, None, :], lowest).softmax(dim=2)
    reverse = similarity.masked_fill(~source_real[:, :, None], lowest).softmax(dim=1)
    real = source_real[:, :, None] & target_real[:, None, :]
    linked = ((forward > threshold) & (reverse > threshold) & real).detach()
    pieces = source_real.sum(1)[:, None, None], target_real.sum(1)[:, None, None]
    shares = (forward / pieces[0] + reverse / pieces[1]) / 2
    return -(shares * linked).sum((1, 2)).mean()


class AlignmentObjectives(torch.nn.Module):
    """A network with the losses it is trained by.

    Attributes:
        network: a masked language model, or a bare encoder where there is nothing to be told.
    """

    def __init__(
        self, network: Any, tokenizer: PieceTokenizer, *, layer: int, threshold: float, mask_probability: float
    ) -> None:
        super().__init__()
        self.network = network
        self._layer = layer
        self._threshold = threshold
        self._mask_probability = mask_probability
        self._padding = tokenizer.padding
        self._mask = tokenizer.mask
        self._around = tokenizer.around()
        self._replacements = torch.tensor(sorted(set(range(tokenizer.size)) - tokenizer.special))

    def forward(self, objective: str, pairs: Sequence[Pair]) -> torch.Tensor:
        """The mean loss of sentence pairs, given in pieces."""
        loss: torch.Tensor = self._self_training(pairs) if objective == "self-training" else self._tlm(pairs)
        return loss

    def _self_training(self, pairs: Sequence[Pair]) -> torch.Tensor:
        embeddings, real = [], []
        before, after = self._around
        for side in (0, 1):
            rows = [[*before, *pair[side], *after] for pair in pairs]
            ids, mask = self._padded(rows)
            states = self.network.base_model(
                input_ids=ids, attention_mask=mask, output_hidden_states=True
            ).hidden_states
            embeddings.append(states[self._layer])
            place = torch.arange(ids.shape[1], device=ids.device)
            last = mask.sum(1, keepdim=True) - len(after)
            real.append((place >= len(before)) & (place < last))
        return self_training_loss(embeddings[0], embeddings[1], real[0], real[1], self._threshold)

    def _tlm(self, pairs: Sequence[Pair]) -> torch.Tensor:
        before, after = self._around
        rows, word = [], []
        for pair in pairs:
            first, second = pair if torch.rand(()) < 0.5 else pair[::-1]
            rows.append([*before, *first, *after, *second, *after])
            word.append([False] * len(before) + [True] * len(first) + [False] * len(after))
            word[-1] += [True] * len(second) + [False] * len(after)
        ids, mask = self._padded(rows)
        candidates = torch.zeros(ids.shape, dtype=torch.bool)
        for row, flags in enumerate(word):
            candidates[row, : len(flags)] = torch.tensor(flags)
        told = self._draw(candidates)
        labels = torch.where(told.to(ids.device), ids, _IGNORED)
        inputs = self._corrupt(ids.cpu(), told).to(ids.device)
        loss: torch.Tensor = self.network(input_ids=inputs, attention_mask=mask, labels=labels).loss
        return loss

    def _draw(self, candidates: torch.Tensor) -> torch.Tensor:
        """Pieces to be told: the given share of each row's candidates, one at least."""
        chance = torch.rand(candidates.shape).masked_fill(~candidates, 2.0)
        first = torch.zeros_like(candidates).scatter_(1, chance.argmin(1, keepdim=True), True)
        return (chance < self._mask_probability) | (first & candidates)

    def _corrupt(self, ids: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        """Hide the pieces that are to be told: most behind the mask, some behind others, some not at all."""
        chance = torch.rand(ids.shape)
        others = self._replacements[torch.randint(len(self._replacements), ids.shape)]
        ids = ids.masked_fill(told & (chance < _MASKED), -1 if self._mask is None else self._mask)
        return torch.where(told & (chance >= _MASKED) & (chance < _MASKED + _REPLACED), others, ids)

    def _padded(self, rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token numbers and attention mask, (rows × longest row), where the network is."""
        width = max(map(len, rows))
        ids = torch.tensor([[*row, *[self._padding] * (width - len(row))] for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        device = self.network.device
        return ids.to(device), mask.to(device)
