#!/usr/bin/env python3
"""Search options that belong to a model: those that it was validated with, unless a file or a flag gives others.

usage: search_settings_test.py PROGRAM
"""

import pathlib
import re
import shutil
import tempfile
import unittest

from program import TestCase, seq2seq

FOLDERS = pathlib.Path(__file__).resolve().parent / "run_folders"
LINE = "a dog runs\n"


class SearchSettingsTest(TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.model = self.folder / "model"
        shutil.copytree(FOLDERS / "translate", self.model, symlinks=True)
        self.set_stored("max_length", 2)

    def set_stored(self, key, value):
        """Changes an option in the section `validation` of the run's configuration, the last one of its name."""
        path = self.model / "config.yaml"
        text = path.read_text()
        start = text.index("\nvalidation:")
        changed, count = re.subn(rf"\n  {key}: [^ \n]+", f"\n  {key}: {value}", text[start:])
        self.assertEqual(count, 1)
        path.write_text(text[:start] + changed)

    def write(self, text):
        path = self.folder / "search.yaml"
        path.write_text(text)
        return path

    def decode(self, *arguments, model=None):
        result = seq2seq("decode", "-m", model or self.model, *arguments, stdin=LINE)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.decode().split()

    def test_decode_starts_from_what_the_run_was_validated_with(self):
        self.assertEqual(self.decode(), ["A", "DOG"])
        self.assertEqual(self.decode(model=FOLDERS / "translate"), ["A", "DOG", "RUNS"])

    def test_a_file_overrides_the_run_and_a_flag_both(self):
        config = self.write("validation:\n  max_length: 1\n")
        self.assertEqual(self.decode("-c", config), ["A"])
        self.assertEqual(self.decode("-c", config, "--max-length", "250"), ["A", "DOG", "RUNS"])

    def test_a_flag_with_the_default_is_a_flag_too(self):
        self.set_stored("beam", 1)
        self.assert_fails(seq2seq("decode", "-m", self.model, "--format", "moses", "--n-best", "5", stdin=LINE), "--n-best", 5)
        best = seq2seq("decode", "-m", self.model, "--format", "moses", "--n-best", "5", "--beam", "5", stdin=LINE)
        self.assertEqual(best.stdout.count(b"\n"), 5)

    def test_a_configuration_of_training_is_such_a_file(self):
        self.assertEqual(self.decode("-c", self.model / "config.yaml", model=FOLDERS / "translate"), ["A", "DOG"])

    def test_the_first_model_of_an_ensemble_decides(self):
        self.assertEqual(self.decode("-m", FOLDERS / "translate"), ["A", "DOG"])
        self.assertEqual(self.decode("-m", self.model, model=FOLDERS / "translate"), ["A", "DOG", "RUNS"])

    def test_export_keeps_them(self):
        exported = self.folder / "exported"
        self.assertEqual(seq2seq("export", "-m", self.model, "-o", exported, "--precision", "int8").returncode, 0)
        self.assertEqual(self.decode(model=exported), ["A", "DOG"])

    def test_scores_are_normalised_by_them(self):
        text = self.folder / "text"
        text.write_text("A DOG RUNS\n")
        source = self.folder / "source"
        source.write_text(LINE)

        def score(*arguments):
            result = seq2seq("score", "-m", self.model, "-s", source, "-t", text, *arguments)
            self.assertEqual(result.returncode, 0, result.stderr)
            return [float(field) for field in result.stdout.split()]

        self.set_stored("normalization", "none")
        summed = score()
        self.assertEqual(summed[0], summed[1])
        average = score("--normalization", "average")
        self.assertAlmostEqual(average[0], average[1] / average[2], places=5)

    def test_mistakes_name_file_line_and_key(self):
        config = self.write("validation:\n  beams: 3\n")
        self.assert_fails(seq2seq("decode", "-m", self.model, "-c", config, stdin=LINE), f"{config}:2", "beams")
        self.assert_fails(seq2seq("decode", "-m", self.model, "-c", self.folder / "none", stdin=LINE), self.folder / "none")
        config = self.write("beam: 3\n")
        self.assert_fails(seq2seq("decode", "-m", self.model, "-c", config, stdin=LINE), "--config", config, "validation")
        self.set_stored("beam", 0)
        self.assert_fails(seq2seq("decode", "-m", self.model, stdin=LINE), "--beam", 0)


if __name__ == "__main__":
    unittest.main()
