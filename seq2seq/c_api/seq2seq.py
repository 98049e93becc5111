"""Translation and scoring with trained models, through the C interface; needs nothing but Python 3.8 or later.

    from seq2seq import Translator

    with Translator("runs/multi30k", precision="bf16") as translator:
        for candidates in translator.translate(["A dog runs.", "A cat sleeps."], n_best=3, beam=5):
            print(candidates[0].score, candidates[0].text)
        translator.translate(["A dog runs."], on_text=lambda line, text: print(text))
        print(translator.score(["A dog runs."], ["Ein Hund rennt."])[0].log_probability)

The library libseq2seq.so is the one that the environment variable SEQ2SEQ_LIBRARY names, else one in the folder of this
file or the folder above it, else the one that the system's loader finds.
"""

import ctypes
import ctypes.util
import dataclasses
import json
import os
import pathlib
from typing import Callable, List, Optional, Sequence, Union

__all__ = ["Candidate", "Error", "Translator"]


class Error(Exception):
    """What the library refuses, or cannot do; names the key, the line or the file, and the value."""


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A translation. That of an empty source is empty, without token scores."""

    text: str
    score: float  # By which the candidates of a line are ranked.
    log_probability: float  # In nats.
    subwords: List[str]
    tokens: List[int]  # Ids of the subwords.
    token_scores: List[float]  # Log-probabilities of the subwords and, last, of the end of sentence.
    # With attention=True, a row of attention weights over source_subwords for each token score, which sums to 1; else
    # empty. The positions of an image have no source_subwords.
    attention: List[List[float]] = dataclasses.field(default_factory=list)
    source_subwords: List[str] = dataclasses.field(default_factory=list)


_OnText = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)


class _Request(ctypes.Structure):
    """seq2seq_request."""

    _fields_ = [("size", ctypes.c_size_t), ("text", ctypes.c_char_p), ("prefix", ctypes.c_char_p),
                ("constraints", ctypes.POINTER(ctypes.c_char_p)), ("constraint_count", ctypes.c_size_t),
                ("timeout", ctypes.c_double), ("on_text", _OnText), ("data", ctypes.c_void_p)]


class _Candidate(ctypes.Structure):
    """seq2seq_candidate."""

    _fields_ = [("size", ctypes.c_size_t), ("text", ctypes.c_char_p), ("score", ctypes.c_double),
                ("log_probability", ctypes.c_double), ("subword_count", ctypes.c_size_t),
                ("subwords", ctypes.POINTER(ctypes.c_char_p)), ("tokens", ctypes.POINTER(ctypes.c_int32)),
                ("score_count", ctypes.c_size_t), ("token_scores", ctypes.POINTER(ctypes.c_double)),
                ("attention", ctypes.POINTER(ctypes.c_float)), ("source_count", ctypes.c_size_t),
                ("source_subwords", ctypes.POINTER(ctypes.c_char_p))]

    def copy(self) -> Candidate:
        attention = [self.attention[row * self.source_count:(row + 1) * self.source_count]
                     for row in range(self.score_count if self.attention else 0)]
        source = self.source_subwords[:self.source_count] if self.source_subwords else []
        return Candidate(_decoded(self.text), self.score, self.log_probability,
                         [_decoded(subword) for subword in self.subwords[:self.subword_count]],
                         self.tokens[:self.subword_count], self.token_scores[:self.score_count], attention,
                         [_decoded(subword) for subword in source])


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _encoded(text: Union[str, os.PathLike]) -> bytes:
    """The text for C, where it ends with the first null character."""
    encoded = os.fsencode(text) if isinstance(text, os.PathLike) else text.encode("utf-8", "replace")
    if b"\0" in encoded:
        raise Error(f"a text contains a null character: {text!r}")
    return encoded


def _array(texts: Sequence[str]):
    return (ctypes.c_char_p * len(texts))(*map(_encoded, texts))


def _options(options: dict) -> bytes:
    """Options for C, a line each; JSON is also YAML. None is the default."""
    lines = [f"{key}={json.dumps(os.fspath(value) if isinstance(value, os.PathLike) else value, ensure_ascii=False)}"
             for key, value in options.items() if value is not None]
    return _encoded("".join(line + "\n" for line in lines))


def _library_path() -> str:
    named = os.environ.get("SEQ2SEQ_LIBRARY")
    if named:
        return named
    here = pathlib.Path(__file__).resolve().parent
    for folder in (here, here.parent):
        found = sorted(folder.glob("libseq2seq.so*"))
        if found:
            return str(found[0])
    found = ctypes.util.find_library("seq2seq")
    if not found:
        raise Error(f"libseq2seq.so: neither beside {__file__} nor known to the loader; set SEQ2SEQ_LIBRARY to its path")
    return found


_loaded = None


def _library():
    """The library, loaded at the first use."""
    global _loaded  # pylint: disable=global-statement
    if _loaded:
        return _loaded
    path = _library_path()
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise Error(f"{path}: {error}") from error
    pointer, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
    texts = ctypes.POINTER(text)
    for name, result, arguments in (
            ("last_error", text, []), ("create", pointer, [texts, size, text]), ("free", None, [pointer]),
            ("note", text, [pointer, size]),
            ("search", pointer, [pointer, ctypes.POINTER(_Request), size, text]),
            ("score", pointer, [pointer, texts, texts, size, text]), ("free_results", None, [pointer]),
            ("get", ctypes.POINTER(_Candidate), [pointer, size, size]), ("error", text, [pointer, size])):
        function = getattr(library, "seq2seq_" + name)
        function.restype, function.argtypes = result, arguments
    _loaded = library
    return library


class _Callbacks:
    """The on_text functions of the requests of a call. What one raises cancels the others as they get text."""

    def __init__(self, on_text: Optional[Callable[[int, str], None]], count: int):
        self.error = None
        self.functions = [self._function(on_text, line) if on_text else _OnText() for line in range(count)]

    def _function(self, on_text, line):
        def call(_, text):
            if self.error is None:
                try:
                    on_text(line, _decoded(text))
                except BaseException as error:  # pylint: disable=broad-exception-caught
                    self.error = error
            return int(self.error is None)

        return _OnText(call)


class Translator:
    """A trained model, or an ensemble of several.

    Threads may share it: the library computes without the interpreter's lock. Closed by close(), or at the end of a
    `with` statement, or with its last reference.
    """

    def __init__(self, models: Union[str, os.PathLike, Sequence[Union[str, os.PathLike]]], **options):
        """Loads run folders, or checkpoints of them.

        options: those of seq2seq_create in seq2seq_c.h, such as precision="int8", threads=2, language_model="runs/lm",
        max_beam=20. Error if that fails.
        """
        self._translator = None
        self._library = _library()
        models = [models] if isinstance(models, (str, os.PathLike)) else list(models)
        self._translator = self._library.seq2seq_create(_array(models), len(models), _options(options))
        if not self._translator:
            raise self._last_error()

    def translate(self, lines: Sequence[str], *, n_best: int = 1, beam: Optional[int] = None,
                  prefix: Union[None, str, Sequence[str]] = None,
                  constraints: Union[None, Sequence[str], Sequence[Sequence[str]]] = None,
                  on_text: Optional[Callable[[int, str], None]] = None, timeout: float = 0,
                  **options) -> List[List[Candidate]]:
        """Translates lines in batches; returns the n-best list of each, best first.

        lines: texts, or paths of images, or beginnings of texts for a language model.
        n_best: length of the lists, at most the beam.
        prefix: a forced prefix, in whole words: of all lines, or a list with that of each.
        constraints: words or phrases that all translations contain, or a list with those of each.
        on_text: called with the number of a line and the beginning of its best translation whenever more of it is
            certain, and in the end with all of it. What it raises cancels the lines that are still searched, when they
            have new text, and is raised in the end.
        timeout: seconds after which what is not translated is given up, and Error raised; 0 is no limit.
        options: those of search, as listed by `seq2seq decode --help`: normalization="gnmt", attention=True,
            forbidden=["word"], sample=True, …

        Error for the first line that fails.
        """
        if isinstance(lines, str):
            raise TypeError("lines: expected a list of texts, found one")
        lines = list(lines)
        if isinstance(constraints, str):
            raise TypeError("constraints: expected a list of texts, found one")
        prefixes = self._each("prefix", prefix, len(lines), lambda value: isinstance(value, str))
        wishes = self._each("constraints", constraints, len(lines),
                            lambda value: all(isinstance(word, str) for word in value))
        callbacks = _Callbacks(on_text, len(lines))
        requests = (_Request * len(lines))()
        arrays = []  # Kept until the call ends.
        for line, request in enumerate(requests):
            words = _array(wishes[line] or [])
            arrays.append(words)
            request.size = ctypes.sizeof(_Request)
            request.text = _encoded(lines[line])
            request.prefix = _encoded(prefixes[line] or "")
            request.constraints = ctypes.cast(words, ctypes.POINTER(ctypes.c_char_p))
            request.constraint_count = len(words)
            request.timeout = timeout
            request.on_text = callbacks.functions[line]
        options = {"n_best": n_best, "beam": beam, **options}
        results = self._library.seq2seq_search(self._open(), requests, len(lines), _options(options))
        if callbacks.error is not None:
            self._library.seq2seq_free_results(results)
            raise callbacks.error
        return self._copied(results, len(lines))

    def score(self, sources: Optional[Sequence[str]], targets: Sequence[str], **options) -> List[Candidate]:
        """Scores given translations by forced decoding.

        sources, targets: parallel lists; sources is None for a language model.
        options: those of search: normalization, attention, language_model_weight. Error if a pair cannot be scored.
        """
        if isinstance(sources, str) or isinstance(targets, str):
            raise TypeError("sources, targets: expected lists of texts, found one text")
        if sources is not None and len(sources) != len(targets):
            raise Error(f"{len(sources)} sources and {len(targets)} targets do not pair up")
        pairs = None if sources is None else _array(sources)
        results = self._library.seq2seq_score(self._open(), pairs, _array(targets), len(targets), _options(options))
        return [candidates[0] for candidates in self._copied(results, len(targets))]

    @property
    def notes(self) -> List[str]:
        """What is slower than or different from the options, such as a precision that the model does not support."""
        notes = []
        while (note := self._library.seq2seq_note(self._open(), len(notes))) is not None:
            notes.append(_decoded(note))
        return notes

    def close(self):
        """Frees the model. It cannot be used any more."""
        if self._translator:
            self._library.seq2seq_free(self._translator)
        self._translator = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()

    def _open(self):
        if not self._translator:
            raise Error("the translator is closed")
        return self._translator

    def _last_error(self):
        return Error(_decoded(self._library.seq2seq_last_error()))

    @staticmethod
    def _each(name, value, count, is_one):
        """The values of `count` lines, given as one for all, or one for each."""
        if value is None or is_one(value):
            return [value] * count
        if len(value) != count:
            raise Error(f"{name}: expected one for all lines, or {count}, found {len(value)}")
        return list(value)

    def _copied(self, results, count):
        """The candidates of `count` lines; frees the results."""
        if not results:
            raise self._last_error()
        try:
            lists = []
            for line in range(count):
                error = self._library.seq2seq_error(results, line)
                if error is not None:
                    raise Error(f"line {line}: {_decoded(error)}")
                lists.append([])
                while candidate := self._library.seq2seq_get(results, line, len(lists[-1])):
                    lists[-1].append(candidate.contents.copy())
            return lists
        finally:
            self._library.seq2seq_free_results(results)
