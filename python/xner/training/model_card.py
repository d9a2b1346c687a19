"""The card of a trained model: a `README.md` that says what it was made of and how good it is, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from xner.evaluation.error_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["CARD", "model_card"]

CARD: Final = "README.md"


def model_card(metrics: Mapping[str, Any]) -> str:
    """The card of a model.

    Args:
        metrics: the content of its `metrics.json`.
    """
    settings = {name: value for name, value in metrics["settings"].items() if value is not None}
    scored = [*([metrics["development"]] if metrics["development"] else []), *metrics["tests"]]
    best = metrics["best_step"]
    chosen = f"the checkpoint of step {best}, the best on the development data" if best else "the last step's weights"
    parts = [
        _front_matter(metrics),
        f"# Tagger of named entities: {', '.join(_classes(metrics['labels']))}\n",
        _origin(metrics),
        "## Data\n",
        _data(metrics),
        *(["## Teachers\n", _teachers(metrics["distillation"])] if "distillation" in metrics else []),
        "## Scores\n",
        f"Of {chosen}. An entity counts as found when its words and its class are right.\n" if scored else "None.\n",
        *([_scores(scored), *map(_classes_of, scored)] if scored else []),
        "## Settings\n",
        _table(["setting", "value"], ([name, f"`{json.dumps(value)}`"] for name, value in settings.items())),
        "## Versions\n",
        _table(["library", "version"], metrics["versions"].items()),
    ]
    return "\n".join(parts)


def _front_matter(metrics: Mapping[str, Any]) -> str:
    """What model hubs read."""
    # JSON texts are YAML texts.
    return (
        "---\n"
        "library_name: transformers\n"
        "pipeline_tag: token-classification\n"
        "tags: [named-entity-recognition, xner]\n"
        f"base_model: {json.dumps(metrics['model'])}\n"
        "---\n"
    )


def _origin(metrics: Mapping[str, Any]) -> str:
    start = "random weights in the shape of" if metrics["random_weights"] else "the weights of"
    return (
        f"Trained by xner {metrics['xner']} from {start} `{metrics['model']}` (revision `{metrics['revision']}`). "
        "The label of a word is that of its first word piece, in IOB2.\n"
    )


def _data(metrics: Mapping[str, Any]) -> str:
    rows = []
    for one in metrics["training"]:
        left_out = [f"{one[name]} {what}" for name, what in _LEFT_OUT.items() if one.get(name)]
        rows.append([one["name"], str(one["learnt"]), _counts(one["entities"]), ", ".join(left_out) or "nothing"])
    text = _table(["training data", "sentences", "entities", "left out"], rows)
    text += f"\nSHA-256 of what was learnt from: `{metrics['digest']}`.\n"
    if metrics["windowed"]:
        text += f"{metrics['windowed']} sentences are longer than the model takes and were seen in windows.\n"
    if changed := metrics.get("classes"):
        text += "Classes were changed: " + ", ".join(f"{old} to {new}" for old, new in changed.items()) + ".\n"
    return text


_LEFT_OUT: Final = {
    "filtered": "sentences dropped by filters",
    "incomplete": "sentences with an entity without a target",
    "below_margin": "sentences for an entity's margin",
    "masked_words": "words of entities of small margin",
    "empty": "sentences without words",
    "unsure_sentences": "sentences whose words all are unsure",
    "unsure_words": "unsure words",
}


def _teachers(distillation: Mapping[str, Any]) -> str:
    """Whose distributions were learnt."""
    rows = [[f"`{one['model']}`", f"`{one['revision']}`", f"{one['weight']:.3f}"] for one in distillation["teachers"]]
    text = (
        "What was learnt are the distributions that these taggers give the words, in the weighted mean; the entities "
        f"above are those of the most probable labels. Weights: {distillation['weights']}.\n\n"
    )
    text += _table(["teacher", "revision", "weight"], rows)
    if least := distillation["min_confidence"]:
        text += f"\nWords are unsure whose most probable label has less than {least}.\n"
    return text


def _scores(scored: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for one in scored:
        micro, errors = one["scores"]["micro"], one["analysis"]["errors"]
        figures = [f"{micro[name]:.3f}" for name in ("precision", "recall", "f1")]
        rows.append([one["name"], *figures, str(micro["support"]), *(str(errors[kind]) for kind in KINDS)])
    return _table(["data", "precision", "recall", "F1", "entities", *KINDS], rows)


def _classes_of(one: Mapping[str, Any]) -> str:
    """The scores of each class and what it was taken for."""
    confusion = one["analysis"]["confusion"]
    predicted = list(next(iter(confusion.values())))
    rows = []
    for name, figures in one["scores"]["per_class"].items():
        row = confusion.get(name, {})
        rows.append([name, *(f"{figures[key]:.3f}" for key in ("precision", "recall", "f1"))])
        rows[-1] += [str(row.get(other, 0)) for other in predicted]
    header = [
        "gold class",
        "precision",
        "recall",
        "F1",
        *("missed" if name == "-" else f"as {name}" for name in predicted),
    ]
    return f"Classes of {one['name']} (SHA-256 `{one['digest']}`):\n\n" + _table(header, rows)


def _classes(labels: Iterable[str]) -> list[str]:
    return sorted({label[2:] for label in labels if label != "O"})


def _counts(entities: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in entities.items()) or "none"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
