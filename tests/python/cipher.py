"""A made-up language, and a small translation model that learns it in a minute.

The language is English-like words in cipher: each has one counterpart, names get another ending, verbs stand behind
their object and adjectives behind their noun. So translations are known, as is where entities are in them.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from xner.labels import encode
from xner.models.network.loading import import_transformers, quiet
from xner.text import detokenize
from xner.translation.markers import mark

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SOURCE, TARGET = "eng_Latn", "xho_Latn"
_LETTERS = "bdfgklmnprstvz", "aeiou"


@dataclass(frozen=True)
class Side:
    """A sentence in one of the languages, with its entities, which stand in the source's order."""

    words: list[str]
    entities: list[tuple[int, int, str]]


Pair: TypeAlias = tuple[Side, Side]


class Language:
    """Words of both languages, and sentences that are made of them."""

    def __init__(self) -> None:
        draw = random.Random(0)
        taken: set[str] = set()

        def words(count: int, syllables: int) -> list[str]:
            found: list[str] = []
            while len(found) < count:
                word = "".join(draw.choice(letters) for _ in range(syllables) for letters in _LETTERS)
                if word not in taken:
                    taken.add(word)
                    found.append(word)
            return found

        self.nouns, self.verbs, self.adjectives, self.adverbs = words(20, 2), words(12, 2), words(10, 2), words(6, 2)
        self.names = {
            label: [word.capitalize() for word in words(count, 3)]
            for label, count in (("PER", 14), ("LOC", 12), ("ORG", 8))
        }
        common = [*self.nouns, *self.verbs, *self.adjectives, *self.adverbs, "the", "in"]
        self.counterpart = dict(zip(common, words(len(common), 2), strict=True)) | {".": "."}
        for names in self.names.values():
            self.counterpart |= {name: name[:-1] + draw.choice(["ix", "ok", "ur"]) for name in names}

    def sentence(self, draw: random.Random) -> Pair:
        """A random sentence and its translation."""
        subject = self._name(draw) if draw.random() < 0.7 else self._thing(draw)
        verb = ([draw.choice(self.verbs)], "")
        target = self._name(draw) if draw.random() < 0.5 else self._thing(draw)
        rest = [(["in"], ""), ([draw.choice(self.names["LOC"])], "LOC")] if draw.random() < 0.6 else []
        rest += [([draw.choice(self.adverbs)], "")] if draw.random() < 0.4 else []
        rest.append((["."], ""))
        return self._side([subject, verb, target, *rest]), self._side(
            [self._told(chunk) for chunk in (subject, target, verb, *rest)]
        )

    def _name(self, draw: random.Random) -> tuple[list[str], str]:
        if draw.random() < 0.5:
            return [draw.choice(self.names["ORG"])], "ORG"
        return draw.sample(self.names["PER"], 2 if draw.random() < 0.4 else 1), "PER"

    def _thing(self, draw: random.Random) -> tuple[list[str], str]:
        adjective = [draw.choice(self.adjectives)] if draw.random() < 0.5 else []
        return ["the", *adjective, draw.choice(self.nouns)], ""

    def _told(self, chunk: tuple[list[str], str]) -> tuple[list[str], str]:
        words, label = chunk
        ordered = [words[0], words[2], words[1]] if words[0] == "the" and len(words) == 3 else words
        return [self.counterpart[word] for word in ordered], label

    @staticmethod
    def _side(chunks: Sequence[tuple[list[str], str]]) -> Side:
        side = Side([], [])
        for words, label in chunks:
            if label:
                side.entities.append((len(side.words), len(side.words) + len(words), label))
            side.words.extend(words)
        return side


def text(side: Side) -> str:
    """The sentence as it is written."""
    return detokenize(side.words)


def marked(side: Side) -> str:
    """The sentence with brackets around its entities."""
    return mark(side.words, [(start, end) for start, end, _ in side.entities], join=detokenize)


def _names(side: Side) -> list[str]:
    """The entities alone."""
    return [" ".join(side.words[start:end]) for start, end, _ in side.entities]


def corpora(language: Language, training: int = 6000, held_out: int = 200) -> tuple[list[Pair], list[Pair]]:
    """Sentence pairs to train on, and others, whose source sentences are not among those."""
    draw = random.Random(1)
    pairs = [language.sentence(draw) for _ in range(training)]
    seen = {tuple(source.words) for source, _ in pairs}
    others: list[Pair] = []
    while len(others) < held_out:
        pair = language.sentence(draw)
        if tuple(pair[0].words) not in seen:
            others.append(pair)
    return pairs, others


def train(folder: Path, language: Language, pairs: Sequence[Pair], *, steps: int = 900) -> Path:
    """Train an NLLB of 2 + 2 layers, both ways, on sentences, plain and marked, and on words and names; save it."""
    import torch

    torch.manual_seed(0)
    draw = random.Random(2)
    texts = [(text(one), text(other)) for one, other in pairs[::2]]
    texts += [(marked(one), marked(other)) for one, other in pairs[1::2]]
    texts += list(language.counterpart.items()) * 4
    texts += [names for pair in pairs[::3] for names in zip(*map(_names, pair), strict=True)]
    transformers = import_transformers("a test")
    tokenizer = _tokenizer(transformers, [written for pair in texts for written in pair])
    source, target = tokenizer.convert_tokens_to_ids([SOURCE, TARGET])

    def tokens(written: str, language_mark: int) -> list[int]:
        return [language_mark, *tokenizer(written, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]

    sides = [(tokens(one, source), tokens(other, target)) for one, other in texts]
    data = [*sides, *((other, one) for one, other in sides)]
    model = transformers.M2M100ForConditionalGeneration(_config(transformers, len(tokenizer))).train()
    optimizer = torch.optim.AdamW(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)

    def padded(rows: Sequence[Sequence[int]], filler: int) -> Any:
        longest = max(map(len, rows))
        return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows])

    for _ in range(steps):
        batch = draw.sample(data, 64)
        ids = padded([one for one, _ in batch], tokenizer.pad_token_id)
        labels = padded([other for _, other in batch], -100)
        mask = (ids != tokenizer.pad_token_id).long()
        model(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    with quiet(transformers):
        model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def train_tagger(folder: Path, sides: Sequence[Side], *, steps: int = 150) -> Path:
    """Train a BERT of two layers to find the entities of sentences, each word a piece; save it."""
    import torch

    torch.manual_seed(0)
    draw = random.Random(3)
    transformers = import_transformers("a test")
    names = sorted({label for side in sides for *_, label in side.entities})
    tags = ["O", *(f"{prefix}-{name}" for name in names for prefix in "BI")]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted({word for side in sides for word in side.words})]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = transformers.BertTokenizer(vocab=vocabulary, do_lower_case=False, model_max_length=64)
    config = transformers.BertConfig(
        vocab_size=len(pieces),
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=64,
        id2label=dict(enumerate(tags)),
    )
    model = transformers.BertForTokenClassification(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        batch = draw.sample(list(sides), 48)
        given = tokenizer([side.words for side in batch], is_split_into_words=True, padding=True, return_tensors="pt")
        wanted = torch.full(given["input_ids"].shape, -100)
        for row, side in enumerate(batch):
            labels = encode(side.entities, len(side.words))
            wanted[row, 1 : len(labels) + 1] = torch.tensor([tags.index(label) for label in labels])
        model(**given, labels=wanted).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    with quiet(transformers):
        model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(transformers: Any, texts: Sequence[str]) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    # No piece has letters and punctuation.
    trained.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()])
    trained.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=3000, special_tokens=special, show_progress=False)
    )
    model = json.loads(trained.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    return transformers.NllbTokenizer(
        vocab=model["vocab"], merges=merges, src_lang=SOURCE, additional_special_tokens=[SOURCE, TARGET]
    )


def _config(transformers: Any, tokens: int) -> Any:
    return transformers.M2M100Config(
        vocab_size=tokens,
        d_model=96,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=192,
        decoder_ffn_dim=192,
        encoder_layerdrop=0,
        decoder_layerdrop=0,
        dropout=0.0,
        attention_dropout=0.0,
        max_position_embeddings=128,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        decoder_start_token_id=2,
    )
