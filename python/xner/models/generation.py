"""What the engines of translation models have in common for generating: transformers and CTranslate2 models alike.

A model translates a batch of texts, given in tokens, into the language whose mark is forced upon the decoder.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from xner._extras import require
from xner.errors import Error
from xner.models.loading import first_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xner.models.seq2seq import Seq2SeqTokenizer

__all__ = ["Generated", "ctranslate2_generate", "load_ctranslate2", "memory_errors", "transformers_generate"]

# Sources are padded to a multiple of this, so that what is computed of a text does not depend on the others' lengths.
_WIDTH = 8


class Generated(NamedTuple):
    """A translation in tokens, mark and end token not among them, and whether the model ended it."""

    ids: list[int]
    ended: bool


def transformers_generate(
    model: Any, tokenizer: Seq2SeqTokenizer, sources: Sequence[Sequence[int]], mark: int, *, beams: int, limit: int
) -> list[Generated]:
    """Translate a batch with a model of transformers.

    Args:
        model: as `load_seq2seq` gives it.
        tokenizer: the model's.
        sources: texts in tokens, with marks and end tokens.
        mark: of the target language.
        beams: hypotheses that are kept; 1 takes the likeliest token each time.
        limit: most tokens of a translation, mark and end token not counted.
    """
    import torch

    width = -(-max(map(len, sources)) // _WIDTH) * _WIDTH
    padded = [[*source, *[tokenizer.padding] * (width - len(source))] for source in sources]
    ids = torch.tensor(padded, device=model.device)
    with torch.inference_mode():
        made = model.generate(
            input_ids=ids,
            attention_mask=(ids != tokenizer.padding).long(),
            forced_bos_token_id=mark,
            num_beams=beams,
            do_sample=False,
            max_new_tokens=limit + 2,
            max_length=None,
        )
    result = []
    for row in made.tolist():
        said = row[2:]  # behind what starts the decoder, and the mark
        ended = tokenizer.end in said
        said = said[: said.index(tokenizer.end)] if ended else [token for token in said if token != tokenizer.padding]
        result.append(Generated(said, ended))
    return result


def ctranslate2_generate(
    model: Any, tokenizer: Seq2SeqTokenizer, sources: Sequence[Sequence[int]], mark: int, *, beams: int, limit: int
) -> list[Generated]:
    """Translate a batch with a model of CTranslate2; the arguments are those of `transformers_generate`."""
    [end] = tokenizer.tokens([tokenizer.end])
    with memory_errors():
        results = model.translate_batch(
            [tokenizer.tokens(source) for source in sources],
            target_prefix=[tokenizer.tokens([mark])] * len(sources),
            beam_size=beams,
            max_decoding_length=limit + 2,
            max_input_length=0,
            return_end_token=True,
        )
    made = []
    for result in results:
        said = result.hypotheses[0][1:]
        ended = said[-1:] == [end]
        made.append(Generated(tokenizer.ids(said[:-1] if ended else said), ended))
    return made


def load_ctranslate2(folder: str, device: str | Sequence[str], dtype: str, *, what: str) -> list[Any]:
    """A model in CTranslate2's format, one copy a device.

    Args:
        folder: that has it.
        device: `auto` (all CUDA devices, else the processor), a name (`cuda:1`), or several.
        dtype: precision to compute in; `auto` goes by what the model was converted to.
        what: who needs it, for messages.

    Raises:
        Error: the extra `translate` is not installed, or there is no such model or device.
    """
    library = require("ctranslate2", extra="translate", what=f"{what} with CTranslate2")
    if not (Path(folder) / "model.bin").is_file():
        raise Error(
            f"'{folder}' is no folder with a model in CTranslate2's format (model.bin); ct2-transformers-converter "
            f"--model {folder} --output_dir FOLDER --copy_files tokenizer.json tokenizer_config.json makes one"
        )
    if device == "auto":
        device = [f"cuda:{index}" for index in range(library.get_cuda_device_count())] or ["cpu"]
    models = []
    for name in [device] if isinstance(device, str) else list(device):
        kind, _, index = name.partition(":")
        compute = "default" if dtype == "auto" else dtype
        try:
            models.append(library.Translator(folder, device=kind, device_index=int(index or 0), compute_type=compute))
        except (RuntimeError, ValueError) as error:
            raise Error(f"cannot load the translation model '{folder}' on {name!r}: {first_line(error)}") from error
    if not models:
        raise Error("device=[]: expected 'auto' or the name of at least one device")
    return models


@contextmanager
def memory_errors() -> Iterator[None]:
    """CTranslate2 reports by text alone that memory did not suffice."""
    try:
        yield
    except RuntimeError as error:
        if "out of memory" in str(error):
            raise MemoryError from error
        raise
