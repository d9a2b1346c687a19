"""The subclass of transformers' Trainer; what it is told to do is in `fine_tuning`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import transformers

from xner.errors import Error
from xner.training.data import NOT_LEARNT
from xner.training.losses import WordTargets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xner.training.data import Example
    from xner.training.losses import WordLoss

__all__ = [
    "Collator",
    "Dataset",
    "EarlyStopping",
    "Noting",
    "Reporting",
    "ScoreTheEnd",
    "WordTrainer",
    "patience_is_over",
]

_WEIGHTS, _DISTRIBUTIONS = "row_weights", "distributions"


class Dataset(torch.utils.data.Dataset[Any]):
    """Examples, as torch wants them."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = examples

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> Example:
        return self._examples[index]


class Collator:
    """Makes a batch of examples."""

    def __init__(self, padding: int) -> None:
        """Make one.

        Args:
            padding: number of the padding token.
        """
        self._padding = padding

    def __call__(self, examples: list[Example]) -> dict[str, torch.Tensor]:
        """Pad examples to the longest of them.

        Returns:
            `input_ids`, `attention_mask`, `labels`: int64, examples x pieces; `row_weights`: float32, examples;
            with distributions, `distributions`: float32, examples x pieces x labels.
        """
        shape = len(examples), max(len(example.ids) for example in examples)
        ids = torch.full(shape, self._padding)
        mask = torch.zeros(shape, dtype=torch.int64)
        labels = torch.full(shape, NOT_LEARNT)
        for row, example in enumerate(examples):
            ids[row, : len(example.ids)] = torch.tensor(example.ids)
            mask[row, : len(example.ids)] = 1
            labels[row, torch.from_numpy(example.positions)] = torch.from_numpy(example.labels)
        weights = torch.tensor([example.weight for example in examples])
        batch = {"input_ids": ids, "attention_mask": mask, "labels": labels, _WEIGHTS: weights}
        if examples[0].distributions is not None:
            batch[_DISTRIBUTIONS] = torch.zeros(*shape, examples[0].distributions.shape[-1])
            for row, example in enumerate(examples):
                batch[_DISTRIBUTIONS][row, torch.from_numpy(example.positions)] = torch.tensor(example.distributions)
        return batch


class WordTrainer(transformers.Trainer):
    """Trains on the loss of each word.

    The loss of an update is the weighted mean over its words, of all batches that are accumulated and all devices, so
    that neither their number nor how the words fall into batches changes what is learnt.
    """

    # What `compute_loss` returns is divided by the words of the whole update already.
    loss_is_scaled_for_ga = True

    def __init__(self, *, word_loss: WordLoss, **options: Any) -> None:
        super().__init__(**options)
        self._word_loss = word_loss
        # Has the trainer count the words of an update.
        self.model_accepts_loss_kwargs = True

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """The loss of a batch's words, as its part of the whole update's mean."""
        told = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        outputs = model(**told)
        learnt = inputs["labels"] != NOT_LEARNT
        distributions = inputs.get(_DISTRIBUTIONS)
        targets = WordTargets(inputs["labels"][learnt], None if distributions is None else distributions[learnt])
        # In float32, whatever the model computes in: small probabilities matter.
        losses = self._word_loss(outputs.logits[learnt].float(), targets)
        weights = inputs[_WEIGHTS][:, None].expand_as(learnt)[learnt]
        words = learnt.sum() if num_items_in_batch is None else torch.as_tensor(num_items_in_batch)
        loss = (losses * weights).sum() / words.to(losses.device).clamp_min(1)
        # Gradients are averaged over the processes, but each has divided by the words of all.
        loss = loss * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss

    def take_up_stopped(self, checkpoint: Path) -> None:
        """Take a run that had stopped when it wrote its last checkpoint for what it is: trained.

        Args:
            checkpoint: the last one.
        """
        self.state = transformers.TrainerState.load_from_json(str(checkpoint / transformers.trainer.TRAINER_STATE_NAME))
        self.state.best_model_checkpoint = str(checkpoint.with_name(f"checkpoint-{self.state.best_global_step}"))
        self._load_best_model()


class EarlyStopping(transformers.TrainerCallback):
    """Stops when scorings have not become better for a while; goes by the run's history, and so survives a resume."""

    def __init__(self, figure: str, patience: int) -> None:
        self._figure, self._patience = figure, patience

    def on_log(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Look at a new scoring."""
        if patience_is_over(state.log_history, self._figure, self._patience):
            control.should_training_stop = True


def patience_is_over(history: Sequence[dict[str, Any]], figure: str, patience: int) -> bool:
    """Whether the best scoring is followed by `patience` others.

    Args:
        history: what the trainer logged.
        figure: that is to become large.
        patience: number of scorings.
    """
    found = [entry[figure] for entry in history if figure in entry]
    return bool(found) and len(found) - 1 - found.index(max(found)) >= patience


class Reporting(transformers.TrainerCallback):
    """Passes on what is logged, and stops a run whose loss is no number."""

    def __init__(self, report: Callable[[Sequence[dict[str, Any]], int], None], last: str) -> None:
        """Make one.

        Args:
            report: called on the main process with all that was logged so far and the number of steps in all.
            last: the figure whose logging is a moment's last.
        """
        self._report, self._last = report, last

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **others: Any) -> None:
        """Take note of a loss or of a scoring."""
        logs = logs or {}
        if not math.isfinite(logs.get("loss", 0.0)):
            raise Error(f"step {state.global_step}: the loss is not a finite number; a lower learning rate may help")
        if state.is_world_process_zero and self._last in logs:
            self._report(state.log_history, state.max_steps)


class Noting(transformers.TrainerCallback):
    """Has each checkpoint looked at that was written."""

    def __init__(self, note: Callable[[Path], None]) -> None:
        """Make one.

        Args:
            note: called on the main process with the checkpoint's folder.
        """
        self._note = note

    def on_save(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """A checkpoint was written."""
        if state.is_world_process_zero:
            self._note(Path(args.output_dir) / f"checkpoint-{state.global_step}")


class ScoreTheEnd(transformers.TrainerCallback):
    """Has the last step scored and kept where scorings are so many steps apart, wherever it falls."""

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Look whether this is the last step."""
        if state.global_step >= state.max_steps and args.save_strategy == "steps":
            control.should_log = control.should_save = True
            control.should_evaluate = args.eval_strategy != "no"
