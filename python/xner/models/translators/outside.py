"""What translators have in common that are programs or services: each distinct text is asked for once, and kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypeAlias

from xner.models.translators.cache import TranslationCache, content_key
from xner.models.translators.translator import Translation

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xner._support.progress import Reporter

__all__ = ["Ask", "translate_once"]

Ask: TypeAlias = "Callable[[Sequence[str]], Iterable[Mapping[str, Translation]]]"
"""From distinct texts to their translations by text, some at a time: what has come is kept, whatever fails later."""

_NOTHING: Final = Translation("", "empty_source")


def translate_once(
    texts: Sequence[str],
    ask: Ask,
    *,
    identity: str,
    languages: tuple[str, str],
    cache: str | os.PathLike[str] | None,
    progress: Reporter,
) -> list[Translation]:
    """Translate each distinct text once, but for empty ones and those that the cache has.

    Args:
        texts: sentences.
        ask: translates; not called where nothing is left to translate.
        identity: of what translates.
        languages: from which into which.
        cache: a file that keeps translations; None for none.
        progress: told `translate`, the distinct texts done, and their number.

    Returns:
        One translation a text, in order.

    Raises:
        Error: whatever `ask` raises; a cache that cannot be used.
    """
    distinct = [text for text in dict.fromkeys(texts) if text.strip()]
    keys = {text: content_key("translation", identity, *languages, text) for text in distinct}
    found: dict[str, Translation] = {}
    with TranslationCache(cache) as kept:
        stored = kept.get(list(keys.values()))
        found |= {text: Translation(*json.loads(stored[key])) for text, key in keys.items() if key in stored}
        missing = [text for text in distinct if text not in found]
        for done in ask(missing) if missing else ():
            kept.put({keys[text]: json.dumps(value, ensure_ascii=False) for text, value in done.items()})
            found |= done
            progress("translate", len(found), len(distinct))
    return [found.get(text, _NOTHING) for text in texts]
