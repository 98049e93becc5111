"""Pronunciation lexicons: reading Festival's format and tables of letters and phones, splitting, writing."""

import hashlib
import pathlib
import re
import unicodedata
from typing import Dict, Iterable, Iterator, List, NamedTuple, Tuple

from script import Failure

Lexicon = Dict[str, List[str]]  # "T O" -> ["T UW", "T AH"]; words in the order read, pronunciations distinct.

# ("tomato" nil (((t ax) 0) ((m ey) 1) ((t ow) 1))): a word, its part of speech, syllables with stress.
_PHONES = r"\([a-z]+(?: [a-z]+)*\)"
_SYLLABLE = rf"\({_PHONES} \d\)"
_ENTRY = re.compile(rf'\("([^"]+)" [^\s()]+ \(({_SYLLABLE}(?: {_SYLLABLE})*)\)\)')

# Festival has a phone of its own for unstressed AH, and for no other vowel; CMUdict's 39 phones do not.
_SAME_PHONE = {"AX": "AH"}


def _lines(path: pathlib.Path) -> Iterator[Tuple[int, str]]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield number, line.decode().rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise Failure(f"{path}:{number}: byte {error.object[error.start]:#x} is not UTF-8") from None


def _add(lexicon: Lexicon, word: str, phones: str) -> None:
    known = lexicon.setdefault(word, [])
    if phones not in known:
        known.append(phones)


def read_festival(path: pathlib.Path) -> Tuple[Lexicon, int]:
    """Reads a Festival lexicon; returns it and the number of entries dropped because they have not only letters.

    Letters are uppercased; phones become those of CMUdict without stress.
    """
    lexicon: Lexicon = {}
    dropped = 0
    for number, line in _lines(path):
        line = line.strip()
        if line in ("", "MNCL") or line.startswith(";"):  # MNCL heads a lexicon that is sorted.
            continue
        entry = _ENTRY.fullmatch(line)
        if not entry:
            raise Failure(f'{path}:{number}: "{line}" is not an entry as ("word" nil (((w er d) 1)))')
        if not re.fullmatch("[A-Za-z]+", entry[1]):
            dropped += 1
            continue
        phones = (phone.upper() for phone in re.findall("[a-z]+", entry[2]))
        _add(lexicon, " ".join(entry[1].upper()), " ".join(_SAME_PHONE.get(phone, phone) for phone in phones))
    return lexicon, dropped


def read_table(path: pathlib.Path) -> Lexicon:
    """Reads lines of L E T T E R S<TAB>P H O N E S; a word with several pronunciations has several lines."""
    lexicon: Lexicon = {}
    for number, line in _lines(path):
        sides = line.split("\t")
        if len(sides) != 2:
            raise Failure(f'{path}:{number}: "{line}" has {len(sides) - 1} tabs instead of one, '
                          "between letters and phones")
        letters, phones = (side.split() for side in sides)
        if not letters or not phones:
            raise Failure(f'{path}:{number}: "{line}" has no {"phones" if letters else "letters"}')
        for letter in letters:
            # A letter may come with combining marks, as in Devanagari.
            if sum(unicodedata.category(sign)[0] != "M" for sign in letter) > 1:
                raise Failure(f'{path}:{number}: "{letter}" is not one letter; put spaces between letters')
        _add(lexicon, " ".join(letters), " ".join(phones))
    if not lexicon:
        raise Failure(f"{path} is empty")
    return lexicon


def hold_out(lexicon: Lexicon, counts: Iterable[int]) -> List[Lexicon]:
    """Splits by word: lexicons of `counts` words, chosen by the hash of the word, and the rest as the last one.

    The choice depends only on the words, not on their order. Of a small lexicon, each part gets at most a tenth.
    """
    order = sorted(lexicon, key=lambda word: hashlib.sha256(word.encode()).digest())
    parts, begin = [], 0
    for count in counts:
        end = begin + min(count, len(lexicon) // 10)
        parts.append({word: lexicon[word] for word in order[begin:end]})
        begin = end
    rest = set(order[begin:])
    return [*parts, {word: phones for word, phones in lexicon.items() if word in rest}]


class Parts(NamedTuple):
    train: Lexicon
    valid: Lexicon  # Held out of training, for early stopping and the choice of the best checkpoint.
    tests: Dict[str, Lexicon]  # By name.


def _write_lines(path: pathlib.Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_pairs(lexicon: Lexicon, stem: pathlib.Path) -> None:
    """Writes stem.letters and stem.phones, a pair per line: a word as often as it has pronunciations."""
    _write_lines(stem.with_suffix(".letters"), (word for word, known in lexicon.items() for _ in known))
    _write_lines(stem.with_suffix(".phones"), (phones for known in lexicon.values() for phones in known))


def write_references(lexicon: Lexicon, stem: pathlib.Path) -> None:
    """Writes stem.letters, each word once, and stem.phones.1, .2, ...: empty where a word has no further one."""
    _write_lines(stem.with_suffix(".letters"), lexicon)
    for i in range(max(map(len, lexicon.values()))):
        _write_lines(stem.with_suffix(f".phones.{i + 1}"),
                     (known[i] if i < len(known) else "" for known in lexicon.values()))


def write(parts: Parts, folder: pathlib.Path) -> None:
    """Writes pairs for training and validation, and words with references for evaluation below measure/."""
    write_pairs(parts.train, folder / "train")
    write_pairs(parts.valid, folder / "valid")
    (folder / "measure").mkdir()
    for name, lexicon in {"valid": parts.valid, **parts.tests}.items():
        write_references(lexicon, folder / "measure" / name)
