"""Fine-tuning of a network on the labels of words; the trainer of all ways to make a tagger."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from xner import evaluation, io
from xner._support.digests import file_digest
from xner._support.extras import require
from xner.errors import Error
from xner.models.network.device import import_torch
from xner.models.network.loading import import_transformers, quiet
from xner.training.settings import SCHEDULES, TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from xner.training.data import EncodedSentences, Example
    from xner.training.losses import WordLoss

__all__ = ["WHAT", "Development", "FineTuned", "Moment", "fine_tune", "is_main_process", "last_checkpoint"]

WHAT: Final = "training a tagger"
"""Who needs what is not installed, for messages."""

_STATE = "trainer_state.json"
_DIGESTS = "digests.json"
_CHOOSES = "eval_f_beta"


@dataclass(frozen=True, slots=True)
class Development:
    """What the best checkpoint is chosen on.

    Attributes:
        sentences: as the model sees them.
        gold: labels of each sentence's words.
    """

    sentences: EncodedSentences
    gold: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Moment:
    """How far training has come, and how well it goes.

    Attributes:
        step: updates so far.
        steps: updates in all, if nothing stops them.
        epoch: passes over the data so far.
        loss: mean loss of the updates since the moment before.
        development: `loss`, `precision`, `recall`, `f1` and `f_beta` on the development data; empty without any.
    """

    step: int
    steps: int
    epoch: float
    loss: float
    development: dict[str, float]


@dataclass(frozen=True, slots=True)
class FineTuned:
    """What came of fine-tuning.

    Attributes:
        network: the trained one: of the best checkpoint, or the last one without development data.
        history: from the first update to the last.
        best_step: updates after which the network is taken; None without development data.
    """

    network: Any
    history: list[Moment]
    best_step: int | None


def fine_tune(
    network: Any,
    examples: Sequence[Example],
    folder: Path,
    *,
    padding: int,
    word_loss: WordLoss,
    settings: TrainingSettings,
    development: Development | None = None,
    device: str = "auto",
    progress: Callable[[Moment], None] | None = None,
) -> FineTuned:
    """Train a network for token classification on words, by transformers' Trainer.

    Runs on what accelerate finds: several GPUs under `accelerate launch`. Goes on from the last whole checkpoint in
    the folder. A checkpoint's weights are safetensors; the optimizer's memory and the states of the random numbers are
    torch's own files, which are of this run alone and are read with `weights_only`, so that nothing in them is
    executed.

    Args:
        network: of transformers, or peft's around one.
        examples: to train on; with distributions if that is what `word_loss` wants.
        folder: for checkpoints, of this run and no other.
        padding: number of the padding token.
        word_loss: what is made small.
        settings: how.
        development: chooses the best checkpoint, and stops training when nothing becomes better.
        device: `auto`, or `cpu` to leave GPUs alone.
        progress: called on the main process after each scoring, or epoch.

    Raises:
        Error: the extra `train` is not installed; there is nothing to learn; the loss is not a finite number.
    """
    transformers = import_transformers(WHAT)
    require("accelerate", extra="train", what=WHAT)
    from xner.training import _trainer

    if not examples:
        raise Error("nothing to train on: no sentence has words that the tokenizer knows")

    def report(log_history: Sequence[dict[str, Any]], steps: int) -> None:
        if progress is not None:
            progress(_moments(log_history, steps)[-1])

    patience = None if development is None else settings.patience
    callbacks: list[Any] = [_trainer.ScoreTheEnd(), _trainer.Noting(note_digests)]
    callbacks.append(_trainer.Reporting(report, "loss" if development is None else "eval_loss"))
    if patience is not None:
        callbacks.append(_trainer.EarlyStopping(_CHOOSES, patience))
    with quiet(transformers):
        trainer = _trainer.WordTrainer(
            word_loss=word_loss,
            model=network,
            args=_arguments(transformers, folder, settings, development is not None, device),
            train_dataset=_trainer.Dataset(examples),
            eval_dataset=None if development is None else _trainer.Dataset(development.sentences.examples),
            data_collator=_trainer.Collator(padding),
            compute_metrics=None if development is None else _scorer(development, settings.f_beta),
            preprocess_logits_for_metrics=lambda logits, labels: logits.argmax(-1),
            callbacks=callbacks,
        )
        trainer.remove_callback(transformers.PrinterCallback)
        last = last_checkpoint(folder)
        if is_main_process():
            _remove_behind(folder, last)
        if last is not None and patience is not None and _trainer.patience_is_over(_log(last), _CHOOSES, patience):
            trainer.take_up_stopped(last)
        else:
            trainer.train(resume_from_checkpoint=None if last is None else str(last))
    return FineTuned(
        trainer.accelerator.unwrap_model(trainer.model),
        _moments(trainer.state.log_history, trainer.state.max_steps),
        trainer.state.best_global_step,
    )


def is_main_process() -> bool:
    """Whether this process is the one that writes and talks; the only one, without `accelerate launch`."""
    return bool(require("accelerate", extra="train", what=WHAT).PartialState().is_main_process)


def last_checkpoint(folder: Path) -> Path | None:
    """The last checkpoint in a folder that was written to its end; None where there is none.

    One that was damaged since, or whose best one so far was, does not count.
    """
    found = [path.parent for path in folder.glob(f"checkpoint-*/{_STATE}") if _log(path.parent)]
    for path in sorted(found, key=_number, reverse=True):
        best = path.with_name(f"checkpoint-{_state(path).get('best_global_step')}")
        if is_whole(path) and (best == path or not _has_best(path) or is_whole(best)):
            return path
    return None


def _number(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _remove_behind(folder: Path, last: Path | None) -> None:
    """Remove checkpoints behind the last whole one, which the trainer would count among those that it has written."""
    for path in folder.glob("checkpoint-*"):
        if last is None or _number(path) > _number(last):
            shutil.rmtree(path)


def note_digests(checkpoint: Path) -> None:
    """Note the digests of a checkpoint's files, by which those that are damaged later can be told."""
    names = sorted(
        path.name for path in checkpoint.iterdir() if path.is_file() and not path.name.startswith("rng_state_")
    )
    digests = {name: file_digest(checkpoint / name) for name in names if name != _DIGESTS}
    with io.replacing(checkpoint / _DIGESTS) as file:
        file.write(json.dumps(digests, indent=2).encode())


def is_whole(checkpoint: Path) -> bool:
    """Whether a checkpoint's files are those that were written; where nothing was noted, whether its state is there."""
    try:
        digests = json.loads((checkpoint / _DIGESTS).read_text(encoding="utf-8"))
        return all(file_digest(checkpoint / name) == digest for name, digest in digests.items())
    except FileNotFoundError:  # a run that was killed before it noted them, or lacks a file that was noted
        return not (checkpoint / _DIGESTS).exists() and bool(_log(checkpoint))
    except (OSError, ValueError, AttributeError):
        return False


def _has_best(checkpoint: Path) -> bool:
    return _state(checkpoint).get("best_model_checkpoint") is not None


def _log(checkpoint: Path) -> list[dict[str, Any]]:
    """What was logged until a checkpoint; nothing where it was not written to its end: its state is written last."""
    log: list[dict[str, Any]] = _state(checkpoint).get("log_history", [])
    return log


def _state(checkpoint: Path) -> dict[str, Any]:
    try:
        state = json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _arguments(transformers: Any, folder: Path, settings: TrainingSettings, has_development: bool, device: str) -> Any:
    torch = import_torch(WHAT)
    often = (
        {"strategy": "epoch"}
        if settings.evaluate_steps is None
        else {"strategy": "steps", "steps": settings.evaluate_steps}
    )
    rhythm = {f"{what}_{key}": value for what in ("logging", "save") for key, value in often.items()}
    if has_development:
        rhythm |= {f"eval_{key}": value for key, value in often.items()}
        rhythm |= {"load_best_model_at_end": True, "metric_for_best_model": "f_beta", "greater_is_better": True}
    return transformers.TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.accumulation,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=SCHEDULES[settings.schedule],
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        bf16=settings.bf16,
        seed=settings.seed,
        use_cpu=device == "cpu",
        save_total_limit=2,
        logging_nan_inf_filter=False,
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_pin_memory=device != "cpu" and torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
        disable_tqdm=True,
        report_to=[],
        **rhythm,
    )


def _scorer(development: Development, beta: float) -> Callable[[Any], dict[str, float]]:
    """Precision, recall and F1 of entities from the predicted labels of pieces."""

    def scores(prediction: Any) -> dict[str, float]:
        predicted = development.sentences.word_labels(prediction.predictions)
        found = evaluation.evaluate(development.gold, predicted)
        return {
            "precision": found.precision,
            "recall": found.recall,
            "f1": found.f1,
            "f_beta": found.micro.f_beta(beta),
        }

    return scores


# --- What the trainer logs -------------------------------------------------------------------------------------------

_FIGURES = ("loss", "precision", "recall", "f1", "f_beta")


def _moments(log_history: Sequence[dict[str, Any]], steps: int) -> list[Moment]:
    """The trainer's log, in which the loss and the scores of one moment are two entries."""
    merged: dict[int, dict[str, Any]] = {}
    for entry in log_history:
        if "loss" in entry or "eval_loss" in entry:
            merged.setdefault(entry["step"], {}).update(entry)
    return [
        Moment(
            step,
            steps,
            entry["epoch"],
            entry["loss"],
            {name: entry[f"eval_{name}"] for name in _FIGURES if f"eval_{name}" in entry},
        )
        for step, entry in sorted(merged.items())
        if "loss" in entry
    ]
