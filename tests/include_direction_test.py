#!/usr/bin/env python3
"""Test that includes run one way: a file includes its own folder and those to the left, never to the right."""

import pathlib
import re
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Folders of the same number do not include each other.
LEVELS = {
    "base": 0,
    "kernels": 1,
    "tokenizer": 1,
    "metrics": 1,
    "data": 2,
    "model": 3,
    "train": 4,
    "search": 4,
    "c_api": 5,
    "serve": 5,
    "tools": 6,
}

INCLUDE = re.compile(r'\s*#\s*include\s*"(?P<path>[^"]+)"')


def folder_of(path):
    """The folder of the library that a path from the root is in; None for seq2seq/seq2seq.h and what is outside."""
    parts = pathlib.PurePath(path).parts
    if parts[0] == "tokenizer":
        return "tokenizer"
    return parts[1] if parts[0] == "seq2seq" and len(parts) > 2 else None


def sources(root):
    for top in ("tokenizer", "seq2seq"):
        yield from sorted(path for path in (root / top).rglob("*") if path.suffix in (".cc", ".h"))


def violations(root):
    """Lines "file:line: reason" of what breaks the order."""
    found = []
    for path in sources(root):
        name = path.relative_to(root).as_posix()
        folder = folder_of(name)
        if folder is None:  # The umbrella header includes what it likes.
            continue
        if folder not in LEVELS:
            found.append(f"{name}:1: folder '{folder}' has no place in the order")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            included = match["path"]
            if included == "seq2seq/seq2seq.h":
                found.append(f"{name}:{number}: includes the umbrella header")
            elif included.split("/")[0] in ("tests", "bench") or "/" not in included:
                found.append(f"{name}:{number}: includes {included}")
            elif (other := folder_of(included)) and other != folder:
                if LEVELS.get(other, len(LEVELS)) >= LEVELS[folder]:
                    found.append(f"{name}:{number}: {folder} includes {included}")
    return found


class IncludeDirectionTest(unittest.TestCase):
    def test_includes_run_from_left_to_right(self):
        self.assertGreater(len(list(sources(ROOT))), 40)
        self.assertEqual([], violations(ROOT))

    def test_every_wrong_direction_is_found_with_file_and_line(self):
        wrong = [
            ("seq2seq/base/a.h", "seq2seq/data/b.h"),
            ("seq2seq/metrics/a.cc", "tokenizer/tokenizer.h"),
            ("tokenizer/a.cc", "seq2seq/kernels/b.h"),
            ("seq2seq/data/a.cc", "seq2seq/model/b.h"),
            ("seq2seq/train/a.cc", "seq2seq/search/b.h"),
            ("seq2seq/search/a.h", "seq2seq/train/b.h"),
            ("seq2seq/model/a.cc", "seq2seq/train/b.h"),
            ("seq2seq/serve/a.cc", "seq2seq/tools/b.h"),
            ("seq2seq/search/a.cc", "seq2seq/seq2seq.h"),
            ("seq2seq/search/a.cc", "tests/temporary_folder.h"),
            ("seq2seq/search/a.cc", "beam.h"),
            ("seq2seq/search/a.cc", "seq2seq/elsewhere/b.h"),
        ]
        right = [
            ("seq2seq/tools/a.cc", "seq2seq/train/b.h"),
            ("seq2seq/data/a.cc", "tokenizer/tokenizer.h"),
            ("tokenizer/a.cc", "seq2seq/base/b.h"),
            ("seq2seq/model/a.cc", "seq2seq/model/b.h"),
            ("seq2seq/seq2seq.h", "seq2seq/search/b.h"),
            ("seq2seq/model/a.cc", "absl/status/status.h"),
        ]
        for expected, pairs in ((True, wrong), (False, right)):
            for name, included in pairs:
                with self.subTest(file=name, included=included), tempfile.TemporaryDirectory() as scratch:
                    path = pathlib.Path(scratch) / name
                    path.parent.mkdir(parents=True)
                    path.write_text(f'// A comment.\n#include "{included}"\n')
                    found = violations(pathlib.Path(scratch))
                    self.assertEqual(expected, bool(found))
                    if expected:
                        self.assertIn(f"{name}:2:", found[0])

    def test_folder_without_a_place_is_found(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch) / "seq2seq" / "utils" / "a.h"
            path.parent.mkdir(parents=True)
            path.write_text("")
            self.assertIn("seq2seq/utils/a.h:1:", violations(pathlib.Path(scratch))[0])


if __name__ == "__main__":
    unittest.main()
