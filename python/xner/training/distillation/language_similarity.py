"""How similar languages are to another one, as a model sees them: weights of teachers."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from xner import schema
from xner._support.arguments import whole_number
from xner.errors import Error
from xner.models.network.device import import_torch, resolve_devices, resolve_dtype
from xner.models.network.encoder import Encoder
from xner.models.network.loading import load_config, model_identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    import torch

    from xner.training.run import Corpus

__all__ = ["LanguageSimilarity", "similarity_weights"]

_WHAT: Final = "the similarity of languages"
_TOKEN_BUDGET: Final = 4096
_OVERLAP: Final = 16
_ORTHOGONALITY = 0.01
_STEPS = 300
_LEARNING_RATE = 1e-3


@dataclass(frozen=True, slots=True)
class LanguageSimilarity:
    """Weighs teachers by how similar the languages that they were trained on are to the text's.

    A classifier learns to tell the teachers' languages from the mean of a sentence's word pieces in the last layer of
    a pretrained encoder, which stays as it is. How much of the target text it takes for a language is that teacher's
    weight: see `similarity_weights`.

    Attributes:
        texts: for each teacher, sentences of its language; labels are not used.
        model: name on the Hugging Face hub, or folder, of the encoder.
        sentences: most sentences that are used of each text. Of each teacher's as many are used, so that no language
            is likelier than another from the outset.
        seed: of their choice, and of the classifier.
    """

    texts: Sequence[Corpus]
    model: str
    sentences: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        whole_number("sentences", self.sentences, 1)
        whole_number("seed", self.seed, 0)

    @property
    def key(self) -> list[Any]:
        """What decides the weights but the target text, as plain values."""
        texts = [text.table.column(schema.TOKENS).to_pylist() for text in self.texts]
        return [texts, model_identity(self.model, what=_WHAT), self.sentences, self.seed]

    def weights(self, target: pa.Table, *, device: str = "auto") -> list[float]:
        """The teachers' weights for a text.

        Args:
            target: has `tokens`.
            device: the first of those that it names computes, as for `Tagger.load`.

        Raises:
            Error: a text without words; the model cannot be used.
        """
        texts = [_sentences(text.table, text.name) for text in self.texts]
        count = min(self.sentences, *map(len, texts))
        draw = random.Random(self.seed)
        chosen = [draw.sample(text, count) for text in texts]
        target_sentences = _sentences(target, "the target text")
        chosen.append(draw.sample(target_sentences, min(self.sentences, len(target_sentences))))
        embedded = _embedded(self.model, chosen, device)
        return similarity_weights(embedded[:-1], embedded[-1], seed=self.seed)


def _sentences(table: pa.Table, name: str) -> list[list[str]]:
    schema.require_columns(table.schema, [schema.TOKENS], f"'{name}'")
    found = [words for words in table.column(schema.TOKENS).to_pylist() if words]
    if not found:
        raise Error(f"'{name}' has no sentences to tell its language by")
    return found


def _embedded(model: str, texts: Sequence[Sequence[Sequence[str]]], device: str) -> list[torch.Tensor]:
    """The mean of each sentence's pieces, sentences × dimensions, in float32 on the processor."""
    torch = import_torch(_WHAT)
    layer = load_config(model, kind="encoder", what=_WHAT).num_hidden_layers
    (where, *_) = resolve_devices(device, what=_WHAT)
    encoder = Encoder.load(model, layer, device=where, dtype=resolve_dtype("auto", where, what=_WHAT))
    result = []
    for sentences in texts:
        pieces = [one for one in encoder.tokenizer.pieces(sentences) if len(one)]
        vectors = encoder.embed(pieces, token_budget=_TOKEN_BUDGET, overlap=_OVERLAP)
        if not vectors:
            raise Error(f"'{model}' knows no words of a text that is to tell a language")
        result.append(torch.stack([one.float().mean(dim=0) for one in vectors]).cpu())
    return result


def similarity_weights(languages: Sequence[torch.Tensor], target: torch.Tensor, *, seed: int = 0) -> list[float]:
    """Weights of languages for a text, from embeddings of sentences.

    The score of a sentence g for a language k is bilinear, `s(g, k) = g' M u_k`. M and the languages' embeddings u
    are learnt: the cross-entropy of telling the language of the given sentences, plus `0.01 |U'U - I|^2`, which keeps
    the embeddings apart. The weight of a language is the mean of `softmax_k(s(g, k) / t)` over the target's sentences.

    Dimensions are standardised over the languages' sentences, and t is the standard deviation of the target's scores,
    so that weights do not depend on how sure the classifier has become.

    Args:
        languages: float32, sentences × dimensions, of each language; as many sentences each.
        target: likewise.
        seed: of the embeddings' first values.

    Returns:
        One weight a language, of sum 1.

    Source: Wu, Lin, Karlsson, Lou, Huang 2020 (arXiv 2004.12440), section 3.4. How sentences are embedded and scaled,
    t, and how M and U are found are choices made here.
    """
    import torch

    sentences = torch.cat(list(languages))
    mean, deviation = sentences.mean(dim=0), sentences.std(dim=0).clamp_min(1e-6)
    sentences, target = (sentences - mean) / deviation, (target - mean) / deviation
    owners = torch.repeat_interleave(torch.tensor([len(one) for one in languages]))
    dimensions, count = sentences.shape[1], len(languages)
    draw = torch.Generator().manual_seed(seed)
    bilinear = torch.eye(dimensions).requires_grad_()
    embeddings = torch.randn(dimensions, count, generator=draw).div(dimensions**0.5).requires_grad_()
    optimizer = torch.optim.Adam([bilinear, embeddings], lr=_LEARNING_RATE)
    for _ in range(_STEPS):
        loss = torch.nn.functional.cross_entropy(sentences @ (bilinear @ embeddings), owners)
        loss = loss + _ORTHOGONALITY * (embeddings.T @ embeddings - torch.eye(count)).square().sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's types lack it
        optimizer.step()
    with torch.no_grad():
        scores = target @ (bilinear @ embeddings)
        smoothing = scores.std(correction=0).clamp_min(1e-6)
        weights: list[float] = (scores / smoothing).softmax(dim=1).mean(dim=0).double().tolist()
    return [weight / sum(weights) for weight in weights]
