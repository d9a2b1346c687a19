"""What a trained network says of sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xner.training.data import EncodedSentences

__all__ = ["predict_labels"]


def predict_labels(network: Any, sentences: EncodedSentences, *, padding: int, batch_size: int = 32) -> list[list[str]]:
    """The most probable label of each word.

    Args:
        network: for token classification.
        sentences: as it sees them.
        padding: number of the padding token.
        batch_size: examples at once.
    """
    import torch

    from xner.training._trainer import Collator

    network.eval()
    collate = Collator(padding)
    examples = sentences.examples
    predicted = []
    with torch.inference_mode():
        for start in range(0, len(examples), batch_size):
            batch = collate(examples[start : start + batch_size])
            inputs = {name: batch[name].to(network.device) for name in ("input_ids", "attention_mask")}
            predicted.extend(network(**inputs).logits.argmax(-1).cpu().numpy())
    return sentences.word_labels(predicted)
