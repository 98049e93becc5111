"""Translations that are of no use as training data."""

import re
from typing import Optional

COPY = 4  # Words of a copy that is hardly right; shorter ones may be names.
REPEATED = re.compile(r"(.{4,40}?)\1{3}")  # The same characters four times in a row, as in languages without spaces too.
UNKNOWN = "⁇"  # What the tokenizer writes for the unknown token.


def defect(translation: str, source: str) -> Optional[str]:
    """Why a translation is of no use, in a few words; None if it is."""
    if not translation.strip():
        return "empty translations"
    if translation == source and len(source.split()) >= COPY:
        return "copies of the input"
    if REPEATED.search(f"{translation} ") and not REPEATED.search(f"{source} "):
        return "translations that repeat themselves"
    if UNKNOWN in translation and UNKNOWN not in source:
        return "translations with unknown tokens"
    return None
