"""Training, dev and test parts of emoji: new combinations of known parts are held out.

A sequence with skin tones has two parts: who it shows ("woman firefighter": the sequence without its tones) and its
tones ("dark skin tone"; two where two people touch). Of the combinations of each person, gesture or pair with its
tones, a fifth goes to test and a fifth to dev, so that of "woman firefighter" in five tones one is in test, one in
dev and three are in training. Everything without a skin tone is in training.

- The hash of the sequence decides which, so the split is the same on every machine and for all languages.
- Both parts of what is held out are in training: the same person in other tones, and the same tones on other people.
- A picture with several names, a name of several pictures, and a picture nearly identical to another (a sleeper under
  a blanket) are in training: train, dev and test share neither a picture nor a caption.
"""

import hashlib
from typing import Container, Dict, Iterable, List, NamedTuple, Tuple

_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_HELD_OUT = 5  # One in so many is in test, and as many in dev.


class Split(NamedTuple):
    train: List[str]
    dev: List[str]
    test: List[str]


def parts(sequence: str) -> Tuple[str, str]:
    """Returns (who, tones): the sequence without its skin tones, and these. A tone that stands alone is a "who"."""
    tones = "".join(character for character in sequence if character in _TONES)
    who = "".join(character for character in sequence if character not in _TONES)
    return (who, tones) if who else (sequence, "")


def split(sequences: Iterable[str], trained_on: Container[str]) -> Split:
    """Splits as described above; those in `trained_on` are never held out. Each part keeps the order of `sequences`."""
    sequences = list(sequences)
    combinations: Dict[str, List[str]] = {}
    for sequence in sequences:
        who, tones = parts(sequence)
        if tones:
            combinations.setdefault(who, []).append(sequence)

    part_of = dict.fromkeys(sequences, "train")
    for group in combinations.values():
        share = len(group) // _HELD_OUT
        group.sort(key=lambda sequence: hashlib.sha256(sequence.encode()).digest())
        for place, sequence in enumerate(group[:2 * share]):
            if sequence not in trained_on:
                part_of[sequence] = "test" if place < share else "dev"

    # Sequences with a pair of tones that no other people in training have stay in training, too.
    known = {}
    for sequence, part in part_of.items():
        if part == "train":
            who, tones = parts(sequence)
            known.setdefault(tones, set()).add(who)
    for sequence, part in part_of.items():
        who, tones = parts(sequence)
        if part != "train" and not known.get(tones, set()) - {who}:
            part_of[sequence] = "train"
    return Split(*([sequence for sequence in sequences if part_of[sequence] == part] for part in Split._fields))
