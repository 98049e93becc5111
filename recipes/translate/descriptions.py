"""Sentence pairs from Debian's translated package descriptions.

Stanzas of two languages belong together when their md5 (of the English description) agrees. Within them the
title is paired first, then the paragraphs if both sides have equally many, then the blocks of a paragraph
(running text, or one item of a list), then the sentences of a block. Where the numbers differ, nothing is paired:
a missing pair is better than a wrong one.
"""

import collections
import hashlib
import pathlib
import re
import sys
from typing import Dict, Iterable, Iterator, List, NamedTuple, Tuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from debian_descriptions import Description, sentences  # noqa: E402  (found by the line above)

Pair = Tuple[str, str]  # source, target

_URL = re.compile(r"<?\b(?:https?|ftp)://\S+|\bwww\.\S+")


def align(source: Description, target: Description) -> Iterator[Pair]:
    """Yields the pairs of two descriptions, from the title down to the sentences."""
    yield source.title, target.title
    for source_blocks, target_blocks in _zip_equal(source.paragraphs, target.paragraphs):
        for source_block, target_block in _zip_equal(source_blocks, target_blocks):
            yield from _zip_equal(sentences(source_block), sentences(target_block))


def _zip_equal(first: list, second: list) -> Iterator[tuple]:
    return zip(first, second) if len(first) == len(second) else iter(())


def why_unusable(source: str, target: str) -> str:
    """Returns the reason why a pair is of no use for training, or ""."""
    if source == target:
        return "untranslated"
    if "<trans>" in target:  # Translators' tools leave it where a paragraph is not translated yet.
        return "placeholder"
    if not all(re.search(r"[^\W\d_]", _URL.sub("", side)) for side in (source, target)):
        return "without words"
    if max(len(source), len(target)) > 3 * min(len(source), len(target)) + 20:
        return "of unlike length"
    return ""


def pairs(source: Dict[str, Description], target: Dict[str, Description]) -> Tuple[List[Pair], collections.Counter]:
    """Returns the usable pairs, each once, in the order of `target`, and the number dropped by reason."""
    unique: Dict[Pair, None] = {}
    dropped: collections.Counter = collections.Counter()
    for md5, description in target.items():
        if md5 not in source:
            dropped["without an original"] += 1
            continue
        for pair in align(source[md5], description):
            reason = "duplicate" if pair in unique else why_unusable(*pair)
            if reason:
                dropped[reason] += 1
            else:
                unique[pair] = None
    return list(unique), dropped


class Split(NamedTuple):
    train: List[Pair]
    val: List[Pair]
    test: List[Pair]


def split(all_pairs: Iterable[Pair], held_out: int) -> Split:
    """Takes about `held_out` pairs each for test and val by the hash of their source, the rest for training.

    The choice depends only on the sentences, not on their order or number. No source and no target of one part
    occurs in another; within test and val each source occurs once. Of a small corpus, each gets at most a tenth.
    """
    by_source: Dict[str, List[str]] = collections.defaultdict(list)
    for source, target in all_pairs:
        by_source[source].append(target)
    order = sorted(by_source, key=lambda source: hashlib.sha256(source.encode()).digest())
    held_out = min(held_out, len(order) // 10)

    seen_sources, seen_targets = set(), set()
    parts = []
    for chosen in (order[:held_out], order[held_out:2 * held_out]):
        part = [(source, min(by_source[source])) for source in chosen]
        part = [pair for pair in part if pair[1] not in seen_targets]
        # All the chosen sources, even those without a pair left, stay out of training.
        seen_sources.update(chosen)
        seen_targets.update(target for _, target in part)
        parts.append(part)
    test, val = parts
    train = [(source, target) for source in order[2 * held_out:] for target in by_source[source]
             if source not in seen_sources and target not in seen_targets]
    return Split(train, val, test)


class Patterns:
    """The sentence patterns of a training text: numbers become 0, and rare words, like names of packages, *.

    Package descriptions are repetitive ("This package contains the development files for *."). The share of test
    sentences with a pattern known from training indicates how much easier they are than free text.
    """

    # "libfoo2-dev" and "Foo::Bar" are one word each.
    _WORD = re.compile(r"\w+(?:[-+.:/]+\w+)*|[^\w\s]")

    def __init__(self, training: List[str], rare: int = 20):
        counts = collections.Counter(word for text in training for word in self._WORD.findall(text.lower()))
        self._frequent = {word for word, count in counts.items() if count >= rare}
        self._known = {self.mask(text) for text in training}

    def mask(self, text: str) -> str:
        masked: List[str] = []
        for word in self._WORD.findall(text.lower()):
            mask = "0" if re.fullmatch(r"[\d.]*\d", word) else word if word in self._frequent else "*"
            if mask != "*" or masked[-1:] != ["*"]:  # Several rare words in a row count as one.
                masked.append(mask)
        return " ".join(masked)

    def knows(self, text: str) -> bool:
        """Whether the pattern of `text` occurs in training. A pattern without any word left does not count."""
        pattern = self.mask(text)
        return pattern in self._known and bool(re.search(r"[^\W\d_]", pattern))
