#!/usr/bin/env python3
"""Test of `seq2seq align`: alignments and lexicon of a small text, and what it refuses."""

import itertools
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)


class Align(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        words = ["one", "two", "three", "four", "five"]
        self.of = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf"}
        pairs = list(itertools.product(words, repeat=2))
        self.write("en", "".join(f"{a} {b}\n" for a, b in pairs))
        self.write("de", "".join(f"{self.of[b]} {self.of[a]}\n" for a, b in pairs))

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def align(self, *arguments, ok=True):
        done = subprocess.run([PROGRAM, "align", *arguments], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode == 0, ok, done.stderr)
        return done.stdout if ok else done.stderr.strip()

    def test_finds_reversed_words(self):
        lines = self.align("-s", "en", "-t", "de").splitlines()
        self.assertEqual(len(lines), 25)
        same = {i for i in range(0, 25, 6)}  # "one one": either order is as good.
        self.assertEqual({line for i, line in enumerate(lines) if i not in same}, {"1-0 0-1"})

    def test_writes_files_and_a_lexicon(self):
        self.assertEqual(self.align("-s", "en", "-t", "de", "-o", "links", "--lexicon", "words"), "")
        self.assertEqual(len((self.folder / "links").read_text().splitlines()), 25)
        lexicon = [line.split("\t") for line in (self.folder / "words").read_text(encoding="utf-8").splitlines()]
        best = {}
        for source, target, probability in lexicon:
            best.setdefault(source, target)
            self.assertGreater(float(probability), 0.04)
        self.assertEqual(best, self.of)

    def test_one_error_line(self):
        self.write("short", "eins\n")
        self.write("empty", "")
        self.assertIn("en has 25 lines, and short 1:", self.align("-s", "en", "-t", "short", ok=False))
        self.assertIn("empty: has no lines to align", self.align("-s", "empty", "-t", "empty", ok=False))
        self.assertIn("missing", self.align("-s", "missing", "-t", "de", ok=False))
        self.assertIn("--source: expected a file, found -", self.align("-s", "-", "-t", "de", ok=False))
        self.assertFalse((self.folder / "links").exists())

    def test_endless_lines_are_left_out(self):
        self.write("long", "a " * 100_000 + "\none two\n")
        self.write("other", "b " * 100_000 + "\neins zwei\n")
        done = subprocess.run([PROGRAM, "align", "-s", "long", "-t", "other"], cwd=self.folder, capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines()[0], "")
        self.assertIn("1 lines have more than 1000 words", done.stderr)


if __name__ == "__main__":
    unittest.main()
