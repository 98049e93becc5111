"""Sentence pairs from Debian's translated package descriptions.

A `Translation-XX` file holds one stanza per description:

    Package: abook
    Description-md5: 3c49a7b8...
    Description-de: Textbasiertes Adressbuch
     Erster Absatz, bei 80 Spalten
     umbrochen.
     .
     Zweiter Absatz:
      * ein Punkt

Stanzas of two languages belong together when their md5 (of the English description) agrees. Within them the
title is paired first, then the paragraphs if both sides have equally many, then the blocks of a paragraph
(running text, or one item of a list), then the sentences of a block. Where the numbers differ, nothing is paired:
a pair less is better than a wrong one.
"""

import collections
import hashlib
import itertools
import re
from typing import Dict, Iterable, Iterator, List, NamedTuple, Tuple

Pair = Tuple[str, str]  # source, target

# "* item", "- item", "1. item", "(b) item": as the line begins, after its indentation.
_ITEM = re.compile(r"(?:[*+\-–—−•o]|\(?\d{1,2}[.)]|\(?[a-z]\))\s+(?=\S)")

_URL = re.compile(r"<?\b(?:https?|ftp)://\S+|\bwww\.\S+")
_CJK = "[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]"
_SPACE_WITHIN_CJK = re.compile(f"(?<={_CJK}) (?={_CJK})")

# A sentence ends at . ! ? (and what closes a quotation or bracket) before a space and anything but a small letter;
# the full-width stops of Chinese and Japanese need no space.
_SENTENCE_END = re.compile(r"[.!?…][\"'»«”“’)\]]*\s+(?=[\"'«»„“‘(\[¿¡]*[^\W_a-z])|(?<=[。！？])(?=[^。！？」』）])")
# "e.g.", "z. B.", "J. Doe": a single letter does not end one either.
_ABBREVIATION = re.compile(r"\b(?:[^\W\d_]|bzw|ca|cf|ex|vs|Dr|Inc|Mr|Mrs|No|Nr|St)\.$")


class Description(NamedTuple):
    title: str
    paragraphs: List[List[str]]  # each a list of blocks


def parse(lines: Iterable[str]) -> Iterator[Tuple[str, Description]]:
    """Yields (md5, description) for each stanza of a Translation file."""
    md5, title, body = "", "", []
    for line in itertools.chain(lines, [""]):
        line = line.rstrip()
        if not line:
            if md5 and title:
                yield md5, Description(title, _paragraphs(body))
            md5, title, body = "", "", []
        elif line.startswith((" ", "\t")):
            body.append(line[1:])
        elif line.startswith("Description-md5:"):
            md5 = line.partition(":")[2].strip()
        elif line.startswith("Description-"):
            title = _join([line.partition(":")[2]])


def _paragraphs(body: List[str]) -> List[List[str]]:
    paragraphs, lines = [], []
    for line in [*body, "."]:
        if line.strip() != ".":
            lines.append(line)
        elif lines:
            paragraphs.append(_blocks(lines))
            lines = []
    return paragraphs


def _blocks(lines: List[str]) -> List[str]:
    """Joins wrapped lines. A list item starts a block; so does an indented line, unless it continues an item."""
    blocks: List[List[str]] = []
    in_item = was_indented = False
    for line in lines:
        text = line.lstrip()
        indented = text != line
        item = _ITEM.match(text)
        if item:
            blocks.append([text[item.end():]])
        elif blocks and (in_item or not (indented or was_indented)):
            blocks[-1].append(text)
        else:
            blocks.append([text])
        in_item = bool(item) or (in_item and indented)
        was_indented = indented
    return [_join(block) for block in blocks]


def _join(lines: List[str]) -> str:
    return _SPACE_WITHIN_CJK.sub("", " ".join(" ".join(lines).split()))


def sentences(text: str) -> List[str]:
    """Splits running text, e.g. "One. Two e.g. three!" into ["One.", "Two e.g. three!"]."""
    result, start = [], 0
    for end in _SENTENCE_END.finditer(text):
        sentence = text[start:end.end()].strip()
        if sentence and not _ABBREVIATION.search(sentence):
            result.append(sentence)
            start = end.end()
    return result + [text[start:]]


def align(source: Description, target: Description) -> Iterator[Pair]:
    """Yields the pairs of two descriptions, from the title down to the sentences."""
    yield source.title, target.title
    for source_blocks, target_blocks in _zip_equal(source.paragraphs, target.paragraphs):
        for source_block, target_block in _zip_equal(source_blocks, target_blocks):
            yield from _zip_equal(sentences(source_block), sentences(target_block))


def _zip_equal(first: list, second: list) -> Iterator[tuple]:
    return zip(first, second) if len(first) == len(second) else iter(())


def why_unusable(source: str, target: str) -> str:
    """Names the reason for which a pair teaches nothing, or returns ""."""
    if source == target:
        return "untranslated"
    if "<trans>" in target:  # What translators' tools leave where a paragraph is still to do.
        return "placeholder"
    if not all(re.search(r"[^\W\d_]", _URL.sub("", side)) for side in (source, target)):
        return "without words"
    if max(len(source), len(target)) > 3 * min(len(source), len(target)) + 20:
        return "of unlike length"
    return ""


def pairs(source: Dict[str, Description], target: Dict[str, Description]) -> Tuple[List[Pair], collections.Counter]:
    """Returns the usable pairs, each once, in the order of `target`, and what was dropped by reason."""
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

    The choice depends on the sentences alone, not on their order or number. No source and no target of one
    part occurs in another; within test and val each source occurs once. A small corpus gives a tenth to each at most.
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

    Package descriptions repeat themselves ("This package contains the development files for *."). How many test
    sentences have a pattern known from training tells how much easier they are than free text.
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
        """Whether the pattern of `text` occurs in training. A pattern without any word left says nothing."""
        pattern = self.mask(text)
        return pattern in self._known and bool(re.search(r"[^\W\d_]", pattern))
