"""Fine-tuning of an encoder on parallel text, so that translations of a word get similar embeddings.

Source: Dou, Neubig 2021 (AWESoME), section 2.2: translation language modelling and self-training.
"""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from xner import io
from xner._support.extras import require
from xner._support.options import Choice, DeclaredOptions, Many, Number, Whole, option
from xner._support.progress import logger
from xner._support.sentences import Sentences, sides_to_arrow
from xner._version import __version__
from xner.errors import Error, OptionError
from xner.models.network.device import import_torch
from xner.models.network.loading import import_transformers, naming_model, quiet
from xner.models.network.piece_network import longest_input
from xner.models.network.pieces import PieceTokenizer

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    import torch

__all__ = ["EncoderTrainingOptions", "EncoderTrainingReport", "Objective", "train_encoder"]

Objective = Literal["self-training", "tlm"]

_WHAT = "training an aligner"
_CHECKPOINT = ".checkpoint"
_REPORT = "xner-training.json"


@dataclass(frozen=True, slots=True)
class EncoderTrainingOptions(DeclaredOptions):
    """How an encoder is fine-tuned.

    Raises:
        OptionError: a value is unknown or out of range.
    """

    objectives: tuple[Objective, ...] = option(
        get_args(Objective),
        Many(Choice(get_args(Objective))),
        "What is learned: to make the encoder's own links surer (self-training), to tell masked words from the "
        "translation (tlm). Their losses are added.",
        more="The links are those that the softmax extraction finds in layer; tlm reads a sentence pair as one text.",
        flags=["--objective"],
    )
    layer: int = option(8, Whole(1), "Layer that will align.")
    threshold: float = option(
        0.001, Number(below=1), "Probability that both directions of a cell must exceed to be taken for a link."
    )
    steps: int = option(1000, Whole(1), "Updates of the weights.")
    batch_pairs: int = option(32, Whole(1), "Sentence pairs an update.")
    micro_batch_pairs: int = option(
        8, Whole(1), "Sentence pairs that are in memory at once.", more="Gradients are accumulated over the batch."
    )
    learning_rate: float = option(
        2e-5,
        Number(),
        "At its peak.",
        more="It rises over the first tenth of the steps and falls to 0 at the last one.",
    )
    weight_decay: float = option(0.0, Number(), "Of AdamW.")
    mask_probability: float = option(0.15, Number(below=1), "Share of the pieces that are masked for tlm.")
    seed: int = option(0, Whole(0), "Of everything random: order of the pairs, masks, dropout.")
    checkpoint_steps: int = option(200, Whole(1), "Steps between checkpoints, from which an interrupted run goes on.")

    def check_together(self) -> None:
        """See `DeclaredOptions`."""
        if not self.objectives:
            raise OptionError(f"objectives=(): expected at least one of {', '.join(map(repr, get_args(Objective)))}")


@dataclass(frozen=True, slots=True)
class EncoderTrainingReport:
    """What came of a training.

    Attributes:
        losses: by objective, the mean loss a pair at each step.
        pairs: sentence pairs that were trained on.
        left_out: sentence pairs that were not: a side is empty, or both together are longer than the encoder takes.
    """

    losses: dict[str, list[float]]
    pairs: int
    left_out: int


def train_encoder(
    model: str,
    source_sentences: Sentences,
    target_sentences: Sentences,
    output: str | os.PathLike[str],
    options: EncoderTrainingOptions | None = None,
    *,
    device: str = "auto",
    resume: bool = True,
    progress: Callable[[str, int, int], None] | None = None,
) -> EncoderTrainingReport:
    """Fine-tune a masked language model on sentence pairs and save it as a model that aligns.

    Runs on what `accelerate` finds, and on several GPUs under `accelerate launch`. A run that was interrupted goes on
    from its last checkpoint, which is in the output's folder until the model is there.

    Args:
        model: name on the Hugging Face hub, or folder, of the model to start from.
        source_sentences: rows of words, as for `EncoderAligner.align`.
        target_sentences: as many rows.
        output: folder for the model, its tokenizer and the report, `xner-training.json`.
        options: default `EncoderTrainingOptions()`.
        device: `auto`, or `cpu` to leave GPUs alone.
        resume: whether to go on from a checkpoint of the same run.
        progress: called with the stage (`"train"`), the steps done, and their total.

    Returns:
        The losses; they are in the report too.

    Raises:
        Error: the extra `models` is not installed; the model is none, or has fewer layers; no pair can be used; the
            loss is not a finite number.
    """
    options = options or EncoderTrainingOptions()
    torch = import_torch(_WHAT)
    transformers = import_transformers(_WHAT)
    accelerate = require("accelerate", extra="models", what=_WHAT)
    tokenizer = PieceTokenizer.load(model, what=_WHAT)
    network = _load_network(transformers, model, options)
    if "tlm" in options.objectives and tokenizer.mask is None:
        raise Error(f"the tokenizer of '{model}' has no mask token, which the objective 'tlm' needs")

    longest = longest_input(network.base_model, tokenizer)
    pairs, left_out = _usable_pairs(tokenizer, source_sentences, target_sentences, longest)
    if not pairs:
        raise Error(f"none of {left_out} sentence pairs has words on both sides and fits into {longest} word pieces")

    from xner.models.aligners._objectives import AlignmentObjectives

    accelerator = accelerate.Accelerator(
        cpu=device == "cpu",
        # Layers above the one that is compared learn from 'tlm' alone.
        kwargs_handlers=[accelerate.DistributedDataParallelKwargs(find_unused_parameters=True)],
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = _Checkpoint(folder / _CHECKPOINT, [__version__, model, asdict(options), len(pairs), _checksum(pairs)])
    losses: dict[str, list[float]] = {objective: [] for objective in options.objectives}
    if resume:
        checkpoint.load(network, optimizer, losses)
    done = len(losses[options.objectives[0]])
    objectives, optimizer = accelerator.prepare(
        AlignmentObjectives(
            network,
            tokenizer,
            layer=options.layer,
            threshold=options.threshold,
            mask_probability=options.mask_probability,
        ),
        optimizer,
    )

    network.train()
    for step in range(done, options.steps):
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate * _schedule(step, options.steps)
        # Randomness by step: a run that goes on from a checkpoint draws what an uninterrupted one does.
        torch.manual_seed(int(np.random.SeedSequence([options.seed, step]).generate_state(1)[0]))
        chosen = _pairs_of_step(len(pairs), step, options)[accelerator.process_index :: accelerator.num_processes]
        sums = dict.fromkeys(options.objectives, 0.0)
        for first in range(0, len(chosen), options.micro_batch_pairs):
            some = [pairs[index] for index in chosen[first : first + options.micro_batch_pairs]]
            for objective in options.objectives:
                loss = objectives(objective, some) * (len(some) / len(chosen))
                sums[objective] += loss.item()
                accelerator.backward(loss)
        if not all(map(math.isfinite, sums.values())):
            raise Error(f"step {step + 1}: the loss is not a finite number; a lower learning rate may help")
        accelerator.clip_grad_norm_(objectives.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        for objective, loss_sum in sums.items():
            losses[objective].append(loss_sum)
        if progress is not None:
            progress("train", step + 1, options.steps)
        if (step + 1) % options.checkpoint_steps == 0 and accelerator.is_main_process:
            checkpoint.save(network, optimizer, losses)

    report = EncoderTrainingReport(losses, len(pairs), left_out)
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        with quiet(transformers):
            network.save_pretrained(folder)
        tokenizer.save(folder)
        with io.replacing(folder / _REPORT) as file:
            description = {"xner": __version__, "model": model, "options": asdict(options), **asdict(report)}
            file.write(json.dumps(description, indent=2).encode())
        checkpoint.remove()
    return report


def _load_network(transformers: Any, model: str, options: EncoderTrainingOptions) -> Any:
    kind = transformers.AutoModelForMaskedLM if "tlm" in options.objectives else transformers.AutoModel
    with naming_model(model, "model"), quiet(transformers):
        network = kind.from_pretrained(model, trust_remote_code=False, use_safetensors=True)
    if options.layer > network.config.num_hidden_layers:
        raise OptionError(
            f"layer={options.layer}: the encoder '{model}' has the layers 1 to {network.config.num_hidden_layers}"
        )
    return network


# --- The pairs -------------------------------------------------------------------------------------------------------

_Pair = tuple[list[int], list[int]]


def _usable_pairs(
    tokenizer: PieceTokenizer, source_sentences: Sentences, target_sentences: Sentences, longest: int
) -> tuple[list[_Pair], int]:
    """The pieces of the pairs that can be trained on, and the number of the others."""
    corpus = sides_to_arrow(source_sentences, target_sentences)
    sides = (tokenizer.pieces([words or [] for words in side.to_pylist()]) for side in corpus)
    before, after = tokenizer.around()
    room = longest - len(before) - 2 * len(after)
    pairs = [(first.ids, second.ids) for first, second in zip(*sides, strict=True)]
    usable = [pair for pair in pairs if all(pair) and sum(map(len, pair)) <= room]
    return usable, len(pairs) - len(usable)


def _checksum(pairs: Sequence[_Pair]) -> int:
    """Tells one corpus from another."""
    checksum = 0
    for pair in pairs:
        for ids in pair:
            checksum = zlib.crc32(np.array(ids, np.int64).tobytes(), checksum)
    return checksum


def _pairs_of_step(pairs: int, step: int, options: EncoderTrainingOptions) -> list[int]:
    """The pairs of a step; every pass over the corpus has an order of its own."""
    places = range(step * options.batch_pairs, (step + 1) * options.batch_pairs)
    orders = {
        passed: np.random.default_rng([options.seed, passed]).permutation(pairs)
        for passed in {place // pairs for place in places}
    }
    return [int(orders[place // pairs][place % pairs]) for place in places]


def _schedule(step: int, steps: int) -> float:
    """The learning rate as a share of its peak: up over a tenth of the steps, then down to nothing."""
    warmup = max(1, steps // 10)
    return (step + 1) / warmup if step < warmup else (steps - step) / max(1, steps - warmup)


# --- Checkpoints -----------------------------------------------------------------------------------------------------


class _Checkpoint:
    """Weights, the optimizer's memory and the losses so far, in one safetensors file."""

    def __init__(self, path: Path, key: list[Any]) -> None:
        self._path = path
        self._key = json.loads(json.dumps(key))

    def save(self, network: Any, optimizer: Any, losses: dict[str, list[float]]) -> None:
        import safetensors.torch

        # Copies: weights that are tied share memory, which the format does not know.
        tensors = {f"network.{name}": value.detach().cpu().clone() for name, value in network.state_dict().items()}
        for index, memory in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value.detach().cpu() for name, value in memory.items()}
        header = {"run": json.dumps({"key": self._key, "losses": losses})}
        with io.replacing(self._path) as file:
            file.write(safetensors.torch.save(tensors, header))

    def load(self, network: Any, optimizer: Any, losses: dict[str, list[float]]) -> None:
        """Take up what is there, if it is of the same run and was not damaged."""
        from safetensors import SafetensorError

        try:
            found = self._read()
        except (SafetensorError, ValueError, LookupError, TypeError):
            logger.info("'%s' was damaged; the training begins anew", self._path)
            return
        if found is not None:
            run, weights, memories = found
            network.load_state_dict(weights)
            optimizer.load_state_dict({"state": memories, "param_groups": optimizer.state_dict()["param_groups"]})
            losses.update(run["losses"])

    def _read(self) -> tuple[dict[str, Any], dict[str, torch.Tensor], dict[int, dict[str, torch.Tensor]]] | None:
        """What the run knows of itself, the weights, the optimizer's memories; None where nothing is of this run."""
        import safetensors

        if not self._path.is_file():
            return None
        with safetensors.safe_open(self._path, "pt") as file:
            run = json.loads(file.metadata()["run"])
            if run["key"] != self._key:
                return None
            memories: dict[int, dict[str, torch.Tensor]] = {}
            weights = {}
            for key in file.keys():  # noqa: SIM118 - not a mapping
                kind, name = key.split(".", 1)
                if kind == "network":
                    weights[name] = file.get_tensor(key)
                else:
                    number, name = name.split(".", 1)
                    memories.setdefault(int(number), {})[name] = file.get_tensor(key)
        return run, weights, memories

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)
