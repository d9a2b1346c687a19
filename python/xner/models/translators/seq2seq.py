"""Translation models: their weights, and texts in tokens with the marks of their languages."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from xner._support.hub import check_hub
from xner.errors import Error
from xner.models.network.loading import CONFIG, first_line, import_transformers, load_config, load_weights, quiet
from xner.models.translators.families import FAMILIES, family_of, known_types
from xner.text.languages import language, model_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch

    from xner.models.translators.families import Marks

__all__ = ["Seq2SeqTokenizer", "add_marks", "load_seq2seq", "longest_text", "no_advice", "translation_model_type"]

_KIND = "translation model"


class Seq2SeqTokenizer:
    """A translation model's tokenizer. Make one with `Seq2SeqTokenizer.load`.

    A source text is its pieces and the end token, a translation as well; the model's family says where a language's
    mark stands (see `xner.models.translators.families`). The decoder is started with another token, which is the
    model's affair; a mark that begins translations is forced upon it.

    Attributes:
        name: of the model, or its folder.
        family: of the model.
        languages: that the model translates.
        padding: number of the padding token.
        end: number of the token that ends a text.
    """

    def __init__(self, name: str, tokenizer: Any, model_type: str | None = None) -> None:
        """Use `Seq2SeqTokenizer.load`."""
        self.name = name
        self.family, self.languages = family_of(name, tokenizer, model_type)
        self.padding: int = tokenizer.pad_token_id
        self.end: int = tokenizer.eos_token_id
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, name: str, *, what: str, model_type: str | None = None) -> Seq2SeqTokenizer:
        """Load a model's tokenizer.

        Args:
            name: on the Hugging Face hub, or a folder with a saved model.
            what: who needs it, for messages.
            model_type: of the model, where it is known.

        Raises:
            Error: there is none, or it is of no known family.
        """
        transformers = import_transformers(what)
        failing = f"cannot load the tokenizer of '{name}'"
        check_hub(name, CONFIG, failing, what=what)
        try:
            with quiet(transformers), no_advice():
                tokenizer = transformers.AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise Error(f"{failing}: {first_line(error)}") from error
        add_marks(tokenizer)
        return cls(name, tokenizer, model_type)

    @property
    def is_symmetric(self) -> bool:
        """Whether the model translates between all languages that it knows."""
        return self.languages.sources == self.languages.targets

    @property
    def shares_vocabulary(self) -> bool:
        """Whether source texts and translations are of the same tokens."""
        return not getattr(self._tokenizer, "separate_vocabs", False)

    def source_code(self, text: str) -> str:
        """The model's own code of a language that it is to translate from.

        Args:
            text: that code or its mark, or another code or name that `xner.text.languages` understands: `de`, `German`.

        Raises:
            Error: the model does not know it, or it is in doubt; the message names the nearest ones.
        """
        sources = self.languages.sources
        return language(text).code if sources is None else self._code(text, sources, "as source")

    def target_code(self, text: str) -> str:
        """The model's own code of a language that it is to translate into; see `source_code`."""
        return self._code(text, self.languages.targets, "as target")

    def _code(self, text: str, marks: Marks, role: str) -> str:
        of_marks = {mark: code for code, mark in marks.items() if mark}
        return of_marks.get(text) or model_code(text, marks, role="" if self.is_symmetric else role)

    def encode(self, texts: Sequence[str], source: str, target: str) -> list[list[int]]:
        """Source texts in tokens.

        Args:
            texts: as they are written.
            source: the language that they are in, as for `source_code`.
            target: the language that they are to be translated into.

        Returns:
            For each text its tokens' numbers, with the mark of a language where the family has it, and the end token's.

        Raises:
            Error: the model does not know a language.
        """
        source, target = self.source_code(source), self.target_code(target)
        if self.family.place == "sides":
            return self._ended(texts, self._forced(source))
        mark = self.languages.targets[target]
        if not mark:
            return self._ended(texts)
        ids = self._ended([f"{mark} {text}" for text in texts])
        [number] = self.ids([mark])
        if any(number not in row for row in ids):
            raise Error(f"the tokenizer of '{self.name}' does not keep the mark {mark} whole")
        return ids

    def encode_targets(self, texts: Sequence[str], target: str) -> list[list[int]]:
        """Translations in tokens: what begins them, their pieces, and the end token.

        Args:
            texts: as they are written; in a vocabulary that both sides share.
            target: the language that they are in.

        Raises:
            Error: the model does not know the language.
        """
        return self._ended(texts, self.start(target))

    def start(self, target: str) -> list[int]:
        """The tokens that are forced upon the decoder for translations into a language: its mark, or none."""
        target = self.target_code(target)
        return self._forced(target) if self.family.place == "sides" else []

    def _forced(self, code: str) -> list[int]:
        return self.ids([self.languages.targets[code]])

    def _ended(self, texts: Sequence[str], start: Sequence[int] = ()) -> list[list[int]]:
        if not texts:
            return []
        options = {"add_special_tokens": False, "return_attention_mask": False, "verbose": False}
        pieces = self._tokenizer(list(texts), **options)["input_ids"]
        return [[*start, *ids, self.end] for ids in pieces]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens; marks and other special ones are left out."""
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return text

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """The names of tokens."""
        names: list[str] = self._tokenizer.convert_ids_to_tokens(ids)
        return names

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """The numbers of tokens by name."""
        numbers: list[int] = self._tokenizer.convert_tokens_to_ids(tokens)
        return numbers


def add_marks(tokenizer: Any) -> None:
    """Make the marks of languages part of a vocabulary: M2M-100's tokenizer has them beside it."""
    tokenizer.add_tokens(list(getattr(tokenizer, "lang_token_to_id", ())), special_tokens=True)


@contextmanager
def no_advice() -> Iterator[None]:
    """Silence Marian's tokenizer, which asks for a library that it does not use unless it is told to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Recommended: pip install sacremoses")
        yield


def longest_text(name: str, *, what: str) -> int | None:
    """Most tokens of a text that a translation model takes, special ones included; None for any number.

    Models of the T5 kind look at distances alone, others have a table of positions.

    Args:
        name: on the Hugging Face hub, or a folder with a saved model.
        what: who asks, for messages.
    """
    longest: int | None = getattr(load_config(name, kind=_KIND, what=what), "max_position_embeddings", None)
    return longest


def translation_model_type(name: str, *, what: str) -> str:
    """The type of a translation model by its configuration.

    Args:
        name: on the Hugging Face hub, or a folder with a saved model.
        what: who asks, for messages.

    Raises:
        Error: there is no such model, or it is of no known type.
    """
    model_type: str = load_config(name, kind=_KIND, what=what).model_type
    if model_type not in {family.model_type for family in FAMILIES}:
        raise Error(f"'{name}' is a model of type '{model_type}'; expected one of {known_types()}")
    return model_type


def load_seq2seq(name: str, *, device: torch.device, dtype: torch.dtype, what: str) -> Any:
    """Load a translation model of transformers, one that has an encoder and a decoder, to infer with.

    Args:
        name: on the Hugging Face hub, or a folder with a saved model. Weights come from safetensors files.
        device: where to compute.
        dtype: of weights and activations.
        what: who needs it, for messages.

    Raises:
        Error: there is no such model, or its weights are not there or not in safetensors.
    """
    model, missing = load_weights("AutoModelForSeq2SeqLM", name, kind=_KIND, what=what, dtype=dtype)
    if missing:
        raise Error(f"'{name}' lacks {len(missing)} weights of a {_KIND}, {missing[0]} for one")
    model = model.to(device).eval()
    from xner.models.network._packed_weights import pack_weights

    pack_weights(model)
    return model
