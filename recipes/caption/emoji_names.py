"""The names of emoji in CLDR, the Unicode Consortium's data about languages.

CLDR has two files for a language, annotations/en.xml and annotationsDerived/en.xml (sequences, as with skin tones):

    <annotation cp="🎻">instrument | music | violin</annotation>
    <annotation cp="🎻" type="tts">violin</annotation>

The name is the text with type="tts", which screen readers speak. Punctuation and symbols have names too.
"""

import pathlib
import re
import xml.parsers.expat
from typing import Dict

from script import Failure

_VARIATION_SELECTOR = "\ufe0f"  # Requests emoji rather than text presentation; CLDR itself leaves it out.
_INHERITED = "↑↑↑"  # Stands for the name in the language of which this one is a variety.


def read(folder: pathlib.Path, language: str) -> Dict[str, str]:
    """Returns the name of each sequence, without variation selectors, in `language`; `folder` is CLDR's common/."""
    names: Dict[str, str] = {}
    for kind in ("annotations", "annotationsDerived"):
        path = folder / kind / f"{language}.xml"
        if not path.is_file():
            raise Failure(f"{path} is missing: CLDR has no names of emoji in '{language}'")
        for sequence, name in _read_file(path).items():
            names.setdefault(sequence, name)
    return names


def _read_file(path: pathlib.Path) -> Dict[str, str]:
    names: Dict[str, str] = {}
    parser = xml.parsers.expat.ParserCreate()
    parser.buffer_text = True
    sequence, texts, line = None, [], 0

    def start(element, attributes):
        nonlocal sequence, line
        if element != "annotation" or attributes.get("type") != "tts":
            return
        line = parser.CurrentLineNumber
        sequence = attributes.get("cp", "").replace(_VARIATION_SELECTOR, "")
        if not sequence:
            raise Failure(f"{path}:{line}: an annotation without cp, the characters that it names")
        texts.clear()

    def text(data):
        if sequence is not None:
            texts.append(data)

    def end(element):
        nonlocal sequence
        if element != "annotation" or sequence is None:
            return
        name = "".join(texts)
        if not name.strip() or re.search(r"[\t\n\r]", name):
            raise Failure(f"{path}:{line}: the name of {sequence} is {name!r}, "
                        "not a text without tabs and line breaks")
        if name != _INHERITED:
            names.setdefault(sequence, name)
        sequence = None

    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = start, text, end
    try:
        parser.Parse(path.read_bytes(), True)
    except xml.parsers.expat.ExpatError as error:
        raise Failure(f"{path}:{error.lineno}: {xml.parsers.expat.ErrorString(error.code)}") from None
    return names
