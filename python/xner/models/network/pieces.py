"""Words in word pieces, as a pretrained model's tokenizer splits them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xner._support.hub import check_hub
from xner.errors import Error
from xner.models.network.loading import CONFIG, first_line, import_transformers, quiet

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

__all__ = ["PieceTokenizer", "Pieces"]


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """A sentence as its model sees it.

    Attributes:
        ids: the tokenizer's numbers of the word pieces, special tokens left out.
        words: for each piece, the index of the word it belongs to, ascending; words without pieces are absent.
    """

    ids: list[int]
    words: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.ids)


class PieceTokenizer:
    """A pretrained model's tokenizer, for sentences that are split into words already.

    Attributes:
        name: of the model, or its folder.
        padding: number of the padding token.
        mask: number of the mask token, None where the model has none.
        size: of the vocabulary.
        special: numbers of all special tokens.
        longest: most tokens that the tokenizer says its model takes; a huge number where it does not say.
        needs_language: whether sentences carry a mark of their language.
    """

    def __init__(self, name: str, tokenizer: Any) -> None:
        """Use `PieceTokenizer.load`."""
        self.name = name
        self.padding: int = tokenizer.pad_token_id or 0
        self.mask: int | None = tokenizer.mask_token_id
        self.size = len(tokenizer)
        self.special = frozenset(tokenizer.all_special_ids)
        self.longest: int = tokenizer.model_max_length
        self.needs_language = hasattr(tokenizer, "src_lang")
        self._tokenizer = tokenizer
        self._around: dict[str | None, tuple[list[int], list[int]]] = {}

    @classmethod
    def load(cls, name: str, *, what: str) -> PieceTokenizer:
        """Load a model's tokenizer.

        Args:
            name: on the Hugging Face hub, or a folder with a saved model.
            what: who needs it, for messages.

        Raises:
            Error: there is none, or it does not tell which piece belongs to which word.
        """
        transformers = import_transformers(what)
        failing = f"cannot load the tokenizer of '{name}'"
        check_hub(name, CONFIG, failing, what=what)
        options = {"trust_remote_code": False, "use_fast": True}
        with quiet(transformers):
            try:
                tokenizer = transformers.AutoTokenizer.from_pretrained(name, **options)
                if getattr(tokenizer, "add_prefix_space", True) is False:
                    # Byte-level tokenizers take lists of words only so.
                    tokenizer = transformers.AutoTokenizer.from_pretrained(name, add_prefix_space=True, **options)
            except (OSError, ValueError) as error:
                raise Error(f"{failing}: {first_line(error)}") from error
        if not tokenizer.is_fast:
            raise Error(
                f"the tokenizer of '{name}' does not tell which piece belongs to which word; "
                "save it in the format of the tokenizers library (tokenizer.json)"
            )
        return cls(name, tokenizer)

    def pieces(self, sentences: Sequence[Sequence[str]]) -> list[Pieces]:
        """Split the words of sentences into pieces.

        Args:
            sentences: lists of words, which may be empty.
        """
        filled = [list(sentence) for sentence in sentences if sentence]
        encodings = (
            self._tokenizer(
                filled,
                is_split_into_words=True,
                add_special_tokens=False,
                return_attention_mask=False,
                return_token_type_ids=False,
                verbose=False,
            ).encodings
            if filled
            else []
        )
        empty = Pieces([], np.empty(0, np.int32))
        found = (Pieces(encoding.ids, np.array(encoding.word_ids, np.int32)) for encoding in encodings)
        return [next(found) if sentence else empty for sentence in sentences]

    def around(self, language: str | None = None) -> tuple[list[int], list[int]]:
        """The special tokens that stand before and after a sentence's pieces.

        Args:
            language: the sentence's, where its mark is one of them.

        Raises:
            Error: a language is needed, or is not known to the model.
        """
        if language not in self._around:
            if self.needs_language:
                if language is None:
                    raise Error(f"'{self.name}' marks sentences with their language, which is not given")
                if self._tokenizer.convert_tokens_to_ids(language) in {None, self._tokenizer.unk_token_id}:
                    raise Error(
                        f"'{self.name}' does not know the language {language!r}; it spells them like 'eng_Latn'"
                    )
                self._tokenizer.src_lang = language
            bare = self._tokenizer("a b", add_special_tokens=False)["input_ids"]
            full = self._tokenizer("a b", add_special_tokens=True)["input_ids"]
            at = next(k for k in range(len(full)) if full[k : k + len(bare)] == bare)
            self._around[language] = full[:at], full[at + len(bare) :]
        return self._around[language]

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the tokenizer into a model's folder."""
        self._tokenizer.save_pretrained(folder)
