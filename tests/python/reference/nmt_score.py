"""NMTScore one pair at a time, with a manual log-softmax; slow and obviously right."""

from __future__ import annotations

import math
from typing import Any


def mean_log_probability(model: Any, tokenizer: Any, given: str, text: str, languages: tuple[str, str]) -> float:
    """Mean natural logarithm of the probabilities of the tokens of `text`, as a translation of `given`.

    Args:
        model: of transformers, in float32.
        tokenizer: its own, which knows where language marks belong.
        given: the source text.
        text: the target text.
        languages: of the two.
    """
    import torch

    tokenizer.src_lang, tokenizer.tgt_lang = languages
    source = tokenizer(given, return_tensors="pt")["input_ids"]
    mark, *target = tokenizer(text_target=text)["input_ids"]
    assert mark == tokenizer.convert_tokens_to_ids(languages[1])
    assert target[-1] == tokenizer.eos_token_id
    so_far = [model.config.decoder_start_token_id, mark]
    total = 0.0
    for token in target:
        with torch.inference_mode():
            logits = model(input_ids=source, decoder_input_ids=torch.tensor([so_far])).logits[0, -1].tolist()
        largest = max(logits)
        total += logits[token] - largest - math.log(sum(math.exp(logit - largest) for logit in logits))
        so_far.append(token)
    return total / len(target)


def nmt_score(
    model: Any,
    tokenizer: Any,
    source: str,
    target: str,
    languages: tuple[str, str],
    *,
    threshold: float = 0.1,
    cap: float = 1.0,
) -> float:
    """Vamvas, Sennrich 2022: direct, normalised, the mean of both directions."""
    source_language, target_language = languages

    def p(text: str, text_language: str, given: str, given_language: str) -> float:
        return math.exp(mean_log_probability(model, tokenizer, given, text, (given_language, text_language)))

    forward = p(target, target_language, source, source_language) / p(target, target_language, target, target_language)
    backward = p(source, source_language, target, target_language) / p(source, source_language, source, source_language)
    score = min((forward + backward) / 2, cap)
    return score if score > threshold else 0.0
