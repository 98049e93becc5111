"""The distinct pictures that a font has for a set of sequences, and which of them are nearly identical."""

import collections
from typing import Callable, Counter, Dict, Iterable, List, NamedTuple, Set, Union

from PIL import Image, ImageChops, ImageStat

# Pictures with a smaller mean difference, of 256 levels, count as the same when the corpus is split. Clearly visible
# tones differ by 1 and more, those of a sleeper under a blanket by 0.2.
SAME = 0.5

NOT_DRAWN = "with a part that is not drawn"


class Pictures(NamedTuple):
    """A picture's key is the first, in length and in code points, of the sequences drawn as it."""

    images: Dict[str, Image.Image]
    sequences: Dict[str, List[str]]
    dropped: Counter[str]  # How many sequences have no picture, by reason.


def draw_all(draw: Callable[[str], Union[Image.Image, str]], sequences: Iterable[str]) -> Pictures:
    """Draws each sequence with `draw`, which returns its picture or why there is none."""
    result = Pictures({}, {}, collections.Counter())
    key_of: Dict[bytes, str] = {}
    for sequence in sorted(sequences, key=lambda sequence: (len(sequence), sequence)):
        image = draw(sequence)
        if isinstance(image, str):
            result.dropped[image] += 1
            continue
        key = key_of.setdefault(image.tobytes(), sequence)
        # A snowboarder in a dark tone drawn as the one without: the font does not draw the tone.
        if any(_is_subsequence(shorter, sequence) for shorter in result.sequences.get(key, [])):
            result.dropped[NOT_DRAWN] += 1
            continue
        result.images.setdefault(key, image)
        result.sequences.setdefault(key, []).append(sequence)
    return result


def _is_subsequence(shorter: str, longer: str) -> bool:
    rest = iter(longer)
    return all(character in rest for character in shorter)


def hard_to_tell_apart(images: Dict[str, Image.Image]) -> Set[str]:
    """Returns the keys of the images that are nearly identical to another one."""
    # Images that differ little have means that differ little: only neighbours in the mean of red are compared.
    means = sorted((ImageStat.Stat(image).mean, key) for key, image in images.items())
    result: Set[str] = set()
    for place, (mean, key) in enumerate(means):
        for other_mean, other in means[place + 1:]:
            if other_mean[0] - mean[0] > 3 * SAME:
                break
            if sum(abs(one - two) for one, two in zip(mean, other_mean)) <= 3 * SAME:
                difference = ImageStat.Stat(ImageChops.difference(images[key], images[other])).mean
                if sum(difference) <= 3 * SAME:
                    result |= {key, other}
    return result
