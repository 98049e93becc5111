"""Debian's package descriptions in many languages, fetched by apt-get.

A `Translation-XX` file holds one stanza per description:

    Package: abook
    Description-md5: 3c49a7b8...
    Description-de: Textbasiertes Adressbuch
     Erster Absatz, bei 80 Spalten
     umbrochen.
     .
     Zweiter Absatz:
      * ein Punkt
"""

import itertools
import pathlib
import re
import urllib.parse
from typing import Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple

from apt import Apt
from script import Failure

_INDEXES = """
Acquire::Languages {{ {languages} }};
Acquire::IndexTargets::deb::Translations {{
  MetaKey "$(COMPONENT)/i18n/Translation-$(LANGUAGE)";
  flatMetaKey "$(LANGUAGE)";
  ShortDescription "Translation-$(LANGUAGE)";
  Description "$(RELEASE)/$(COMPONENT) Translation-$(LANGUAGE)";
}};
"""

# "* item", "- item", "1. item", "(b) item": as the line begins, after its indentation.
_ITEM = re.compile(r"(?:[*+\-–—−•o]|\(?\d{1,2}[.)]|\(?[a-z]\))\s+(?=\S)")

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


def check_language(code: str) -> None:
    """Raises Failure if `code` cannot be a language, before it becomes a part of apt's configuration."""
    if not re.fullmatch(r"[A-Za-z]+([_@-][A-Za-z]+)*", code):
        raise Failure(f"'{code}' is not a language as Debian writes them, such as de or pt_BR")


def fetch(folder: pathlib.Path, languages: Sequence[str]) -> pathlib.Path:
    """Fetches the Translation files of `languages` with apt-get; returns the folder that holds them."""
    apt = Apt(folder, _INDEXES.format(languages=" ".join(f'"{language}";' for language in languages)))
    try:
        apt.run("update")
    except Failure as failure:
        raise Failure(f"{failure} to fetch Debian's package descriptions: "
                      "train on text of your own with --data FOLDER") from None
    # A failing mirror of something else does no harm, as long as all languages have been fetched.
    for wanted in languages:
        if not files(apt.lists, wanted):
            raise Failure(f"apt-get could not fetch package descriptions in '{wanted}': "
                          + apt.complaint("the system's mirrors have none"))
    return apt.lists


def files(lists: pathlib.Path, language: str) -> List[pathlib.Path]:
    # apt writes pt_BR as pt%5fBR.
    return sorted(path for path in lists.iterdir()
                  if urllib.parse.unquote(path.name).endswith(f"_Translation-{language}"))


def read(lists: pathlib.Path, language: str) -> Dict[str, Description]:
    """The descriptions of the files in `lists`, by the md5 of the English one."""
    result: Dict[str, Description] = {}
    for path in files(lists, language):
        with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
            result.update(parse(lines))
    return result
