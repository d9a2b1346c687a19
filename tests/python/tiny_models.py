"""Tiny models with random weights, saved as a user's models are: made in a moment, loaded through the public path."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from xner.models.loading import import_transformers, quiet

if TYPE_CHECKING:
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


def save_xlm_roberta(folder: Path, *, longest: int = 130, seed: int = 0) -> Path:
    """Save an XLM-R whose positions start behind the padding token's number."""
    transformers = import_transformers("a test")
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *string.ascii_letters, *string.digits, *".,!?-"]
    pieces += [f"▁{c}" for c in string.ascii_letters]
    tokenizer = transformers.XLMRobertaTokenizer(
        vocab=[(piece, -float(rank + 1)) for rank, piece in enumerate([*pieces, "<mask>"])]
    )
    config = transformers.XLMRobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=longest,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    return _save(folder, tokenizer, "XLMRobertaModel", config, seed)


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
