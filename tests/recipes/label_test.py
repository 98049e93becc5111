#!/usr/bin/env python3
"""Tests of recipes/label: the corpus of languages, and run, with stand-ins for the programs that it calls."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import repository

PREPARE = repository.RECIPES / "label" / "prepare"


def stanza(number, language, *sentences):
    return f"Package: p{number}\nDescription-md5: {number}\nDescription-{language}: {sentences[0]}\n" + "".join(
        f" {sentence}\n .\n" for sentence in sentences[1:]) + "\n"


class PrepareTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.lists = self.folder / "lists"
        self.lists.mkdir()
        for language, words in (("en", "this is the number"), ("de", "dies ist die Nummer")):
            text = "".join(stanza(i, language, f"{words} {i}", f"{words} {i} again", "never translated at all", f"{language} {i}")
                           for i in range(40))
            (self.lists / f"mirror_Translation-{language}").write_text(text, encoding="utf-8")

    def prepare(self, *arguments):
        return subprocess.run([sys.executable, "-B", str(PREPARE), "--lists", str(self.lists), *map(str, arguments)],
                              capture_output=True, text=True, check=False)

    def test_every_sentence_is_in_one_part_with_its_language(self):
        result = self.prepare("--languages", "en,de", self.folder / "data")
        self.assertEqual(result.returncode, 0, result.stderr)
        seen = []
        for part, count in (("train", 128), ("val", 16), ("test", 16)):
            texts, labels = ((self.folder / "data" / f"{part}.{suffix}").read_text().splitlines()
                             for suffix in ("text", "label"))
            self.assertEqual((len(texts), len(labels)), (count, count))
            for text, label in zip(texts, labels):
                self.assertEqual(label, "en" if text.startswith("this") else "de")
            seen += texts
        self.assertEqual(len(set(seen)), 160)
        self.assertNotIn("never translated at all", seen)
        self.assertIn("complete already", self.prepare("--languages", "en,de", self.folder / "data").stderr)

    def test_tells_when_the_languages_or_the_lists_are_others(self):
        self.assertEqual(self.prepare("--languages", "en,de", self.folder / "data").returncode, 0)
        (self.lists / "mirror_Translation-fr").write_text(stanza(1, "fr", "voici une phrase"), encoding="utf-8")
        self.assertIn("made from other data", self.prepare("--languages", "en,fr", self.folder / "data").stderr)
        with (self.lists / "mirror_Translation-de").open("a", encoding="utf-8") as german:
            german.write(stanza(99, "de", "dies ist ein neuer Satz"))
        result = self.prepare("--languages", "en,de", self.folder / "data")
        self.assertEqual((result.returncode, result.stderr),
                         (1, f"prepare: {self.folder / 'data'} was made from other data: remove it, or name another folder\n"))

    def test_names_what_is_missing(self):
        for languages, part in (("en,fr", "'fr'"), ("en", "expected two"), ("en,de,en", "'en' is twice"), ("en,d;e", "'d;e'")):
            result = self.prepare("--languages", languages, self.folder / "data")
            self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result.stderr)
            self.assertIn(part, result.stderr)
            self.assertFalse((self.folder / "data").exists())


class RunTest(repository.RepositoryTest):
    def setUp(self):
        super().setUp()
        for part in ("train", "val", "test"):
            (self.data / f"{part}.text").write_text("".join(f"{part} text {i}\n" for i in range(10)))
            (self.data / f"{part}.label").write_text("".join(f"label{i}\n" for i in range(10)))

    def test_trains_and_measures(self):
        result = self.run_recipe("label", "--data", "corpus", "--minutes", "1", "train.seed=7")
        self.assertEqual(result.returncode, 0, result.stderr)
        home, run, data = "work/label/corpus", "work/label/corpus/language", self.data
        self.assertEqual(self.calls(), [
            "cmake --preset release",
            "cmake --build --preset release --target seq2seq_program",
            "seq2seq train -c recipes/label/language.yaml train.max_minutes=1 train.seed=7 --dump-config",
            f"seq2seq tokenizer train --type bpe --vocab-size 2000 --input {data}/train.text --model {home}/text.model",
            "seq2seq tokenizer train --type word --normalization identity "
            f"--input {data}/train.label --model {home}/label.model",
            f"seq2seq train -c recipes/label/language.yaml train.run={run} train.max_minutes=1 "
            f"data.train=[{data}/train.text,{data}/train.label] data.valid=[{data}/val.text,{data}/val.label] "
            f"data.source_tokenizer={home}/text.model data.target_tokenizer={home}/label.model train.seed=7",
            *(line for part in ("val", "test") for line in (
                f"seq2seq decode -m {run} -i {data}/{part}.text -o {run}/{part}.label -b 1 --max-length 1",
                f"seq2seq eval -i {run}/{part}.label -r {data}/{part}.label --metric accuracy"))])
        self.assertIn("\ntext       test text 2\nreference  label2\noutput     test text 2\n", result.stdout)
        self.assertEqual(result.stdout.count("\noutput  "), 10)

    def test_refuses_what_it_does_not_know_before_it_builds(self):
        for arguments in (["--epochs", "3"], ["corpus"], ["--minutes"], ["--config", "none.yaml"],
                          ["--data", "corpus", "--languages", "en,de"]):
            result = self.run_recipe("label", *arguments)
            self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result.stderr)
        self.assertEqual(self.calls(), [])

    def test_names_each_missing_file(self):
        (self.data / "train.label").unlink()
        result = self.run_recipe("label", "--data", "corpus")
        self.assertEqual((result.returncode, result.stderr), (1, f"run: {self.data}/train.label is missing\n"))


if __name__ == "__main__":
    unittest.main()
