"""Tiny models with random weights, saved as a user's models are: made in a moment, loaded through the public path."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from xner.models.loading import import_transformers, quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

# Pieces beside the single characters.
WORDS = [
    "the",
    "a",
    "of",
    "in",
    "and",
    "to",
    "is",
    "was",
    "on",
    "at",
    "##ing",
    "##ed",
    "##er",
    "##s",
    "Angela",
    "Merkel",
    "Madrid",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def bert_tokenizer(longest: int = 512) -> Any:
    """A WordPiece tokenizer of printable ASCII characters and some words."""
    transformers = import_transformers("a test")
    characters = [c for c in string.printable if not c.isspace()]
    pieces = [*SPECIAL, *characters, *(f"##{c}" for c in string.ascii_letters + string.digits), *WORDS]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    return transformers.BertTokenizer(vocab=vocabulary, do_lower_case=False, model_max_length=longest)


def learned_bert_tokenizer(sentences: Iterable[Sequence[str]], *, pieces: int = 6000, longest: int = 512) -> Any:
    """A WordPiece tokenizer whose vocabulary is learned from sentences, lists of words."""
    from tokenizers import BertWordPieceTokenizer

    learned = BertWordPieceTokenizer(lowercase=False)
    learned.train_from_iterator(map(" ".join, sentences), vocab_size=pieces, show_progress=False)
    transformers = import_transformers("a test")
    return transformers.BertTokenizer(vocab=learned.get_vocab(), do_lower_case=False, model_max_length=longest)


def bert_config(tokenizer: Any, **changes: Any) -> Any:
    transformers = import_transformers("a test")
    settings = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": tokenizer.model_max_length,
        "pad_token_id": tokenizer.pad_token_id,
    }
    return transformers.BertConfig(**(settings | changes))


def save_bert(folder: Path, *, longest: int = 512, head: str = "BertModel", seed: int = 0, **changes: Any) -> Path:
    """Save a BERT with its tokenizer.

    Args:
        folder: where to.
        longest: most tokens it takes.
        head: the class of transformers that is saved: `BertModel`, `BertForMaskedLM`, ...
        seed: of the weights.
        **changes: settings of the configuration.
    """
    tokenizer = bert_tokenizer(longest)
    return _save(folder, tokenizer, head, bert_config(tokenizer, **changes), seed)


def save_xlm_roberta(
    folder: Path, *, longest: int = 130, head: str = "XLMRobertaModel", seed: int = 0, **changes: Any
) -> Path:
    """Save an XLM-R whose positions start behind the padding token's number.

    Args:
        folder: where to.
        longest: positions; it takes two tokens less.
        head: the class of transformers that is saved.
        seed: of the weights.
        **changes: settings of the configuration.
    """
    transformers = import_transformers("a test")
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *string.ascii_letters, *string.digits, *".,!?-"]
    pieces += [f"▁{c}" for c in string.ascii_letters]
    tokenizer = transformers.XLMRobertaTokenizer(
        vocab=[(piece, -float(rank + 1)) for rank, piece in enumerate([*pieces, "<mask>"])]
    )
    return _save(
        folder, tokenizer, head, transformers.XLMRobertaConfig(**(_roberta(tokenizer, longest) | changes)), seed
    )


def save_roberta(
    folder: Path, *, longest: int = 130, head: str = "RobertaModel", seed: int = 0, **changes: Any
) -> Path:
    """Save a RoBERTa whose pieces are bytes; see `save_xlm_roberta`."""
    transformers = import_transformers("a test")
    from tokenizers.pre_tokenizers import ByteLevel

    pieces = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "<mask>"]
    tokenizer = transformers.RobertaTokenizer(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[])
    return _save(folder, tokenizer, head, transformers.RobertaConfig(**(_roberta(tokenizer, longest) | changes)), seed)


def _roberta(tokenizer: Any, longest: int) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": longest,
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
    }


_TAGGERS: dict[str, tuple[Callable[..., Path], str]] = {
    "bert": (save_bert, "BertForTokenClassification"),
    "roberta": (save_roberta, "RobertaForTokenClassification"),
    "xlm-roberta": (save_xlm_roberta, "XLMRobertaForTokenClassification"),
}


def save_tagger(
    folder: Path, labels: Sequence[str], *, kind: str = "bert", known: Mapping[str, str] | None = None, **changes: Any
) -> Path:
    """Save a token-classification model.

    Args:
        folder: where to.
        labels: names of its labels.
        kind: `bert`, `roberta` or `xlm-roberta`.
        known: for `bert`, words of its vocabulary and their labels: it gives these words that label and all others the
            first one, whatever stands around them. Without, weights are random and labels depend on the whole sentence.
        **changes: as for the function that saves such a model.
    """
    import torch

    transformers = import_transformers("a test")
    save, head = _TAGGERS[kind]
    named = {"id2label": dict(enumerate(labels)), "label2id": {label: number for number, label in enumerate(labels)}}
    if known is not None:
        changes["num_hidden_layers"] = 0
    save(folder, head=head, **named, **changes)
    with quiet(transformers), torch.no_grad():
        model = getattr(transformers, head).from_pretrained(folder)
        if known is None:
            model.classifier.weight *= 10  # labels that are far from equally probable
        else:
            _teach(model, bert_tokenizer(), labels, known)
        model.save_pretrained(folder)
    return folder


def _teach(model: Any, tokenizer: Any, labels: Sequence[str], known: Mapping[str, str]) -> None:
    """Give each known word's piece a direction of its own, all other pieces another one, and read labels off these."""
    embeddings = model.bert.embeddings
    for table in (embeddings.word_embeddings, embeddings.position_embeddings, embeddings.token_type_embeddings):
        table.weight.zero_()
    embeddings.word_embeddings.weight[:, 0] = 1
    model.classifier.weight.zero_()
    model.classifier.weight[0, 0] = 1
    for direction, (word, label) in enumerate(known.items(), start=1):
        [piece] = tokenizer(word, add_special_tokens=False)["input_ids"]
        embeddings.word_embeddings.weight[piece, 0] = 0
        embeddings.word_embeddings.weight[piece, direction] = 1
        model.classifier.weight[labels.index(label), direction] = 1


def save_nllb(
    folder: Path, *, languages: tuple[str, ...] = ("eng_Latn", "deu_Latn"), seed: int = 0, **changes: Any
) -> Path:
    """Save an NLLB-like encoder-decoder; its tokenizer knows single characters.

    Args:
        folder: where to.
        languages: that it knows.
        seed: of the weights.
        **changes: settings of the configuration.
    """
    transformers = import_transformers("a test")
    characters = [f"▁{c}" for c in string.ascii_letters] + list(string.ascii_letters + string.digits + ".,!?-")
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *characters]
    tokenizer = transformers.NllbTokenizer(
        vocab={piece: number for number, piece in enumerate(pieces)},
        merges=[("▁", c) for c in string.ascii_letters],
        src_lang=languages[0],
        additional_special_tokens=list(languages),
    )
    settings = {
        "vocab_size": len(tokenizer),
        "d_model": 32,
        "encoder_layers": 3,
        "decoder_layers": 2,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
        "max_position_embeddings": 128,
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "decoder_start_token_id": 2,
    }
    config = transformers.M2M100Config(**(settings | changes))
    return _save(folder, tokenizer, "M2M100ForConditionalGeneration", config, seed)


def _save(folder: Path, tokenizer: Any, kind: str, config: Any, seed: int) -> Path:
    import torch

    transformers = import_transformers("a test")
    torch.manual_seed(seed)
    with quiet(transformers):
        getattr(transformers, kind)(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_converted(folder: Path, nllb: Path) -> Path:
    """Save an NLLB in CTranslate2's format, in float32, with its tokenizer."""
    from ctranslate2.converters import TransformersConverter

    with quiet(import_transformers("a test")):
        converter = TransformersConverter(str(nllb), copy_files=["tokenizer.json", "tokenizer_config.json"])
        converter.convert(str(folder), force=True)
    return folder
