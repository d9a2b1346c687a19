"""Multilingual translation models: their weights, and texts in tokens with the marks of their languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xner.errors import Error
from xner.languages import model_code
from xner.models.loading import first_line, import_transformers, load_config, load_weights, quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

__all__ = ["Seq2SeqTokenizer", "load_seq2seq"]

# NLLB-200 and M2M-100. Others mark languages in other places, or not at all.
_MODEL_TYPE = "m2m_100"


class Seq2SeqTokenizer:
    """A multilingual translation model's tokenizer. Make one with `Seq2SeqTokenizer.load`.

    A text is its language's mark, its pieces and the end token, on either side. The decoder is started with another
    token, which is the model's affair, and the mark is forced upon it: it says which language is wanted.

    Attributes:
        name: of the model, or its folder.
        padding: number of the padding token.
        end: number of the token that ends a text.
        languages: that the model knows, by the code that names them (`eng_Latn`, in M2M-100 `en`), with their marks'
            numbers.
    """

    def __init__(self, name: str, tokenizer: Any) -> None:
        """Use `Seq2SeqTokenizer.load`."""
        self.name = name
        self.padding: int = tokenizer.pad_token_id
        self.end: int = tokenizer.eos_token_id
        self._tokenizer = tokenizer
        marks = set(tokenizer.all_special_tokens) - set(tokenizer.special_tokens_map.values())
        # M2M-100 spells the mark of `en` as `__en__`.
        self.languages: dict[str, int] = {
            mark.strip("_"): tokenizer.convert_tokens_to_ids(mark) for mark in sorted(marks)
        }
        if not hasattr(tokenizer, "src_lang") or not self.languages:
            raise Error(f"'{name}' does not mark texts with their language; NLLB-200 and M2M-100 do")

    @classmethod
    def load(cls, name: str, *, what: str) -> Seq2SeqTokenizer:
        """Load a model's tokenizer.

        Args:
            name: on the Hugging Face hub, or a folder with a saved model.
            what: who needs it, for messages.

        Raises:
            Error: there is none, or it does not mark languages.
        """
        transformers = import_transformers(what)
        try:
            with quiet(transformers):
                tokenizer = transformers.AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise Error(f"cannot load the tokenizer of '{name}': {first_line(error)}") from error
        return cls(name, tokenizer)

    def code(self, language: str) -> str:
        """The model's own code of a language.

        Args:
            language: that code, or another code or name that `xner.languages` understands: `de`, `German`.

        Raises:
            Error: the model does not know it, or it is in doubt; the message names the nearest ones.
        """
        return model_code(language, self.languages)

    def mark(self, language: str) -> int:
        """The number of the token that marks a language; the argument and errors are those of `code`."""
        return self.languages[self.code(language)]

    def encode(self, texts: Sequence[str], language: str) -> list[list[int]]:
        """Texts in tokens.

        Args:
            texts: as they are written.
            language: the one that they are in, as for `code`.

        Returns:
            For each text the language's mark, the pieces' numbers and the end token's.

        Raises:
            Error: the model does not know the language.
        """
        mark = self.mark(language)
        if not texts:
            return []
        options = {"add_special_tokens": False, "return_attention_mask": False, "verbose": False}
        pieces = self._tokenizer(list(texts), **options)["input_ids"]
        return [[mark, *ids, self.end] for ids in pieces]

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


def load_seq2seq(name: str, *, device: torch.device, dtype: torch.dtype, what: str) -> Any:
    """Load a multilingual translation model, an `M2M100ForConditionalGeneration` of transformers.

    Args:
        name: on the Hugging Face hub, or a folder with a saved model. Weights come from safetensors files.
        device: where to compute.
        dtype: of weights and activations.
        what: who needs it, for messages.

    Raises:
        Error: there is no such model, it is of another type, or its weights are not there or not in safetensors.
    """
    kind = "translation model"
    model_type = load_config(name, kind=kind, what=what).model_type
    if model_type != _MODEL_TYPE:
        raise Error(f"'{name}' is a model of type '{model_type}'; expected '{_MODEL_TYPE}': NLLB-200 or M2M-100")
    model, missing = load_weights("AutoModelForSeq2SeqLM", name, kind=kind, what=what, dtype=dtype)
    if missing:
        raise Error(f"'{name}' lacks {len(missing)} weights of a {kind}, {missing[0]} for one")
    return model.to(device).eval()
