"""Tables of images and captions, and the normalisation of captions in papers on captioning."""

import pathlib
import unicodedata
from typing import Dict, List

from script import Failure

Captions = Dict[str, List[str]]  # By image, in the order of the table.


def normalize(caption: str) -> str:
    """Lowercased, hyphens as spaces, without other punctuation: as `seq2seq eval --metric caption` does."""
    kept = []
    for character in caption.lower():
        category = unicodedata.category(character)
        if category == "Pd" or character.isspace():
            kept.append(" ")
        elif category[0] in "LMN":
            kept.append(character)
    return " ".join("".join(kept).split())


def read_lines(path: pathlib.Path) -> List[str]:
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Failure(f"{path}:{data.count(10, 0, error.start) + 1}: byte {data[error.start]:#04x} "
                      "is not UTF-8") from None
    lines = text.split("\n")
    return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]


def read_table(path: pathlib.Path) -> Captions:
    """Reads lines of image<TAB>caption; an image with several captions has several."""
    captions: Captions = {}
    for number, line in enumerate(read_lines(path), 1):
        image, tab, caption = line.partition("\t")
        if not (image and tab and caption) or "\t" in caption:
            raise Failure(f"{path}:{number}: '{line[:80]}' is not an image, a tab and a caption")
        captions.setdefault(image, []).append(caption)
    if not captions:
        raise Failure(f"{path} is empty")
    return captions
