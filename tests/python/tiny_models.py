"""Tiny models with random weights, saved as a user's models are: made in a moment, loaded through the public path."""

from __future__ import annotations

import json
import random
import string
import warnings
from typing import TYPE_CHECKING, Any

import extras
from xner.models.network.loading import import_transformers, quiet

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


def _transformers() -> Any:
    extras.need("models")
    return import_transformers("a test")


def bert_tokenizer(longest: int = 512) -> Any:
    """A WordPiece tokenizer of printable ASCII characters and some words."""
    transformers = _transformers()
    characters = [c for c in string.printable if not c.isspace()]
    pieces = [*SPECIAL, *characters, *(f"##{c}" for c in string.ascii_letters + string.digits), *WORDS]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    return transformers.BertTokenizer(vocab=vocabulary, do_lower_case=False, model_max_length=longest)


def learned_bert_tokenizer(sentences: Iterable[Sequence[str]], *, pieces: int = 6000, longest: int = 512) -> Any:
    """A WordPiece tokenizer whose vocabulary is learned from sentences, lists of words."""
    from tokenizers import BertWordPieceTokenizer

    learned = BertWordPieceTokenizer(lowercase=False)
    learned.train_from_iterator(map(" ".join, sentences), vocab_size=pieces, show_progress=False)
    transformers = _transformers()
    return transformers.BertTokenizer(vocab=learned.get_vocab(), do_lower_case=False, model_max_length=longest)


def bert_config(tokenizer: Any, **changes: Any) -> Any:
    transformers = _transformers()
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
    transformers = _transformers()
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
    transformers = _transformers()
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
    transformers = _transformers()
    import torch

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
    transformers = _transformers()
    characters = [f"▁{c}" for c in string.ascii_letters] + list(string.ascii_letters + string.digits + ".,!?-")
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *characters]
    tokenizer = transformers.NllbTokenizer(
        vocab={piece: number for number, piece in enumerate(pieces)},
        merges=[("▁", c) for c in string.ascii_letters],
        src_lang=languages[0],
        additional_special_tokens=list(languages),
    )
    config = transformers.M2M100Config(**(_sizes(len(tokenizer)) | changes))
    return _save(folder, tokenizer, "M2M100ForConditionalGeneration", config, seed)


def save_m2m100(folder: Path, *, seed: int = 0, **changes: Any) -> Path:
    """Save an M2M-100, whose tokenizer has its marks (`__de__`) beside its vocabulary."""
    transformers = _transformers()
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *dict(_sentencepieces(folder / "pieces.spm", seed))]
    (folder / "pieces.json").write_text(json.dumps({piece: number for number, piece in enumerate(pieces)}))
    tokenizer = transformers.M2M100Tokenizer(
        vocab_file=str(folder / "pieces.json"), spm_file=str(folder / "pieces.spm")
    )
    marks = len(tokenizer.lang_token_to_id)
    config = transformers.M2M100Config(**(_sizes(len(pieces) + marks + tokenizer.num_madeup_words) | changes))
    return _save(folder, tokenizer, "M2M100ForConditionalGeneration", config, seed)


def save_mbart50(folder: Path, *, seed: int = 0, **changes: Any) -> Path:
    """Save an mBART-50; it knows all of its 52 languages."""
    transformers = _transformers()
    pieces = _sentencepieces(folder / "pieces.spm", seed)
    special = [(piece, 0.0) for piece in ("<unk>", "<s>", "</s>")]
    tokenizer = transformers.MBart50Tokenizer(vocab=[*special, *pieces])
    config = transformers.MBartConfig(**(_sizes(len(tokenizer)) | {"scale_embedding": True} | changes))
    return _save(folder, tokenizer, "MBartForConditionalGeneration", config, seed)


def save_madlad(
    folder: Path, *, languages: tuple[str, ...] = ("en", "de", "sw"), seed: int = 0, **changes: Any
) -> Path:
    """Save a MADLAD-400: a T5 whose vocabulary has marks of target languages (`<2de>`)."""
    transformers = _transformers()
    marks = [f"<2{language}>" for language in languages]
    pieces = _sentencepieces(folder / "spiece.model", seed, symbols=marks)
    special = [(piece, 0.0) for piece in ("<pad>", "</s>", "<unk>")]
    tokenizer = transformers.T5Tokenizer(vocab=[*special, *pieces], extra_ids=0, additional_special_tokens=[])
    settings = {
        "vocab_size": len(tokenizer),
        "d_model": 32,
        "d_kv": 8,
        "d_ff": 64,
        "num_layers": 3,
        "num_decoder_layers": 2,
        "num_heads": 4,
        "feed_forward_proj": "gated-gelu",
        "tie_word_embeddings": False,
        "decoder_start_token_id": 0,
    }
    return _save(folder, tokenizer, "T5ForConditionalGeneration", transformers.T5Config(**(settings | changes)), seed)


def save_marian(
    folder: Path,
    *,
    pair: tuple[str | None, str | None] = ("en", "de"),
    marks: tuple[str, ...] = (),
    seed: int = 0,
    **changes: Any,
) -> Path:
    """Save one of Marian's models, with a sentencepiece model a language.

    Args:
        folder: where to.
        pair: the source and target languages that its tokenizer names.
        marks: codes of target languages that its vocabulary has marks for (`>>deu<<`).
        seed: of the weights.
        **changes: settings of the configuration.
    """
    transformers = _transformers()
    pieces = dict(_sentencepieces(folder / "from.spm", 0) + _sentencepieces(folder / "into.spm", 1))
    tokens = ["</s>", "<unk>", *(f">>{mark}<<" for mark in marks), *pieces, "<pad>"]
    (folder / "pieces.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Recommended: pip install sacremoses")
        tokenizer = transformers.MarianTokenizer(
            source_spm=str(folder / "from.spm"),
            target_spm=str(folder / "into.spm"),
            vocab=str(folder / "pieces.json"),
            source_lang=pair[0],
            target_lang=pair[1],
        )
    padding = len(tokens) - 1
    ends = {"pad_token_id": padding, "eos_token_id": 0, "bos_token_id": 0, "decoder_start_token_id": padding}
    # As in OPUS-MT's own.
    generation = {"forced_eos_token_id": 0, "bad_words_ids": [[padding]], "num_beams": 4}
    config = transformers.MarianConfig(
        **(_sizes(len(tokens)) | ends | {"activation_function": "swish", "scale_embedding": True} | changes)
    )
    return _save(folder, tokenizer, "MarianMTModel", config, seed, generation)


def _sizes(tokens: int) -> dict[str, Any]:
    """Settings of a small encoder and decoder with fairseq's special tokens."""
    return {
        "vocab_size": tokens,
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


def _sentencepieces(path: Path, seed: int, *, symbols: Sequence[str] = ()) -> list[tuple[str, float]]:
    """Learn and save a sentencepiece model of random words; its pieces, special ones left out, with their scores."""
    import sentencepiece

    draw = random.Random(seed)
    letters = string.ascii_letters + ".,"
    texts = [
        " ".join("".join(draw.choices(letters, k=draw.randint(1, 6))) for _ in range(draw.randint(1, 8)))
        for _ in range(500)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=file,
            vocab_size=160,
            user_defined_symbols=list(symbols),
            minloglevel=2,
        )
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    special = {"<unk>", "<s>", "</s>"}
    pieces = [(model.id_to_piece(number), model.get_score(number)) for number in range(model.get_piece_size())]
    return [piece for piece in pieces if piece[0] not in special]


def _save(
    folder: Path, tokenizer: Any, kind: str, config: Any, seed: int, generation: dict[str, Any] | None = None
) -> Path:
    transformers = _transformers()
    import torch

    torch.manual_seed(seed)
    with quiet(transformers):
        model = getattr(transformers, kind)(config)
        if generation:
            model.generation_config.update(**generation)
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_converted(folder: Path, nllb: Path) -> Path:
    """Save an NLLB in CTranslate2's format, in float32, with its tokenizer."""
    extras.need("translate")
    from ctranslate2.converters import TransformersConverter

    with quiet(_transformers()):
        converter = TransformersConverter(str(nllb), copy_files=["tokenizer.json", "tokenizer_config.json"])
        converter.convert(str(folder), force=True)
    return folder
