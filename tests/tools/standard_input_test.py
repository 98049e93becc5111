#!/usr/bin/env python3
"""Standard input as training corpus.

Usage: standard_input_test.py PROGRAM
"""

import gzip
import pathlib
import tempfile
import unittest

import tiny_run
from program import PROGRAM, TestCase, seq2seq


class StandardInputTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        text, words = tiny_run.write_text(PROGRAM, cls.folder)
        sources = (cls.folder / "text.a").read_text()
        targets = (cls.folder / "text.b").read_text()
        cls.sources = sources
        cls.table = "".join(f"{source}\t{target}\n"
                            for source, target in zip(sources.splitlines(), targets.splitlines()))
        cls.settings = [f"data.valid={text}", f"data.source_tokenizer={words}", f"data.target_tokenizer={words}",
                        "model.encoder.hidden=8", "model.decoder.hidden=16", "train.metric=loss", "train.device=cpu"]

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def train(self, run, data, updates, stdin=""):
        return seq2seq("train", f"train.run={self.folder / run}", f"data.train={data}", *self.settings,
                       f"train.max_updates={updates}", stdin=stdin)

    def weights(self, run):
        return (self.folder / run / "latest" / "model.safetensors").read_bytes()

    def assert_trained(self, result):
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result.stderr.decode()

    def test_trains_as_from_files_and_resumes_without_input(self):
        files = f"[{self.folder / 'text.a'},{self.folder / 'text.b'}]"
        self.assert_trained(self.train("files", files, 4))
        for name, data, stdin in (("table", "[-]", self.table), ("side", f"[-,{self.folder / 'text.b'}]", self.sources),
                                  ("gzip", "[-]", gzip.compress(self.table.encode()))):
            with self.subTest(name):
                copy = self.folder / name / "cache" / "stdin.txt"
                log = self.assert_trained(self.train(name, data, 2, stdin))
                self.assertIn(f"copied standard input, {len(stdin)} bytes, to {copy}", log)
                self.assertEqual(copy.read_bytes(), stdin if isinstance(stdin, bytes) else stdin.encode())
                log = self.assert_trained(self.train(name, data, 4, stdin="other\n"))
                self.assertIn(f"data.train: - is {copy}, copied at an earlier start", log)
                self.assertEqual(self.weights(name), self.weights("files"))

    def test_input_that_cannot_be_used_is_not_kept(self):
        copy = self.folder / "retried" / "cache" / "stdin.txt"
        self.assert_fails_after_log(self.train("retried", "[-]", 2), "data.train: standard input, -, is empty")
        self.assertFalse(copy.exists())
        self.assert_fails_after_log(self.train("retried", "[-]", 2, self.table + "no tab\n"),
                                    f"{copy}:28: expected source<TAB>target")
        self.assertFalse(copy.exists())
        self.assert_trained(self.train("retried", "[-]", 2, self.table))

    def test_a_resumed_run_keeps_its_copy_whatever_fails(self):
        self.assert_trained(self.train("kept", "[-]", 2, self.table))
        copy = self.folder / "kept" / "cache" / "stdin.txt"
        copy.write_text("no tab\n")
        self.assert_fails_after_log(self.train("kept", "[-]", 4), f"{copy}:1: ")
        self.assertTrue(copy.exists())

    def test_shortlist_is_learned_from_the_copy(self):
        self.assert_trained(self.train("listed", "[-]", 2, self.table))
        result = seq2seq("export", "-m", self.folder / "listed", "--shortlist", "-o", self.folder / "exported")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertIn("learning a shortlist from 27 pairs", result.stderr.decode())

    def test_refused_by_key(self):
        self.assert_fails(self.train("none", "[-,-]", 2, self.table), "data.train", "once at most")
        result = seq2seq("train", f"train.run={self.folder / 'none'}", "data.train=[-]", *self.settings,
                         "data.valid=[-]", stdin=self.table)
        self.assert_fails(result, "data.valid", "standard input")
        self.assertFalse((self.folder / "none").exists())

    def assert_fails_after_log(self, result, part):
        """The last line on stderr has `part`."""
        message = result.stderr.decode()
        self.assertEqual(result.returncode, 1, message)
        self.assertIn(part, message.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
