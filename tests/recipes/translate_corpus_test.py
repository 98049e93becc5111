#!/usr/bin/env python3
"""Tests of recipes/translate_corpus, and of the recipes that train on what it makes, with the program itself.

usage: translate_corpus_test.py PROGRAM
"""

import gzip
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = os.path.abspath(sys.argv.pop(1))
TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "tools"), str(TESTS.parent / "recipes")]

import degenerate  # noqa: E402  (found by the line above)
import repository  # noqa: E402
import tiny_run  # noqa: E402

TOOL = repository.RECIPES / "translate_corpus"
WORDS = "a the my dog cat bird runs sleeps eats".split()


class DegenerateTest(unittest.TestCase):
    def test_tells_what_is_of_no_use(self):
        for translation, source, expected in (
                ("Der Hund schläft.", "The dog sleeps.", None),
                (" ", "The dog sleeps.", "empty translations"),
                ("The dog is asleep.", "The dog is asleep.", "copies of the input"),
                ("John F. Kennedy", "John F. Kennedy", None),
                ("Der Hund der Hund der Hund der Hund", "The dog.", None),  # Three times are not enough ...
                ("Ein Hund ein Hund ein Hund ein Hund ein Hund", "A dog.", "translations that repeat themselves"),
                ("犬が走る犬が走る犬が走る犬が走る", "A dog runs.", "translations that repeat themselves"),
                ("1 000 000 000 000 000 Euro", "1 000 000 000 000 000 euros", None),  # ... nor what the source has too.
                ("Der ⁇ schläft.", "The dog sleeps.", "translations with unknown tokens"),
                ("Was ⁇", "What ⁇", None)):
            self.assertEqual(degenerate.defect(translation, source), expected, translation)


class TranslateCorpusTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.model = tiny_run.train(PROGRAM, scratch.name)
        cls.text = pathlib.Path(scratch.name) / "text"
        draw = random.Random(1)
        cls.lines = [" ".join(draw.choices(WORDS, k=3)) for _ in range(4000)]
        cls.text.write_text("".join(f"{line}\n" for line in cls.lines))

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.work = pathlib.Path(scratch.name)
        self.folder = self.work / "made"

    def command(self, *arguments, text=None, folder=None):
        return [sys.executable, "-B", str(TOOL), "--program", PROGRAM, "-m", str(self.model), "-i", str(text or self.text),
                "--from", "a", "--to", "b", "--threads", "1", *map(str, arguments), str(folder or self.folder)]

    def translate(self, *arguments, **where):
        return subprocess.run(self.command(*arguments, **where), capture_output=True, text=True, check=False)

    def read(self, suffix, folder=None):
        return ((folder or self.folder) / f"train.{suffix}").read_text().splitlines()

    def few(self, text):
        path = self.work / "few"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def test_pairs_each_line_with_its_translation(self):
        held_out = self.work / "held out"
        held_out.write_text("my cat eats\n")
        text = self.few(gzip.compress(b"\xef\xbb\xbfa dog runs\r\n\n  the bird sleeps \nmy cat eats\n"))
        result = self.translate("--exclude", held_out, text=text)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(list(zip(self.read("a"), self.read("b"))),
                         [("a dog runs", "A DOG RUNS"), ("the bird sleeps", "THE BIRD SLEEPS")])
        self.assertEqual(json.loads((self.folder / "counts.json").read_text()),
                         {"lines": 4, "pairs": 2, "dropped": {"empty lines": 1, "lines of the held-out text": 1}})
        self.assertIn("translated 2 lines in ", result.stderr)
        self.assertEqual({path.name for path in self.work.iterdir()}, {"made", "few", "held out"})
        again = self.translate("--exclude", held_out, text=text)
        self.assertEqual((again.returncode, again.stderr.splitlines()), (0, result.stderr.splitlines()[-1:]))

    def test_a_killed_run_goes_on(self):
        self.assertEqual(self.translate(folder=self.work / "undisturbed").returncode, 0)
        part = self.work / "made.part/hypotheses.part"
        for stop in (signal.SIGKILL, signal.SIGTERM):
            before = part.stat().st_size if part.exists() else 0
            with subprocess.Popen(self.command(), stderr=subprocess.DEVNULL, start_new_session=True) as process:
                end = time.monotonic() + 60
                while not (part.exists() and part.stat().st_size > before):
                    self.assertIsNone(process.poll(), "it ended too soon")
                    self.assertLess(time.monotonic(), end)
                    time.sleep(0.001)
                os.killpg(process.pid, stop)
            self.assertFalse(self.folder.exists())
        result = self.translate()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("resuming after line", result.stderr)
        for suffix in ("a", "b"):
            self.assertEqual(self.read(suffix), self.read(suffix, self.work / "undisturbed"))
        self.assertEqual({path.name for path in self.work.iterdir()}, {"made", "undisturbed"})

    def test_nbest_lists_and_samples(self):
        text = self.few("a dog runs\nthe bird sleeps\n")
        self.assertEqual(self.translate("--n-best", 3, text=text).returncode, 0)
        self.assertEqual(self.read("a"), ["a dog runs"] * 3 + ["the bird sleeps"] * 3)
        self.assertEqual((self.read("b")[0], self.read("b")[3]), ("A DOG RUNS", "THE BIRD SLEEPS"))
        self.assertEqual(len(set(self.read("b"))), 6)
        # The model is sure of its translations, so that samples of it repeat them.
        result = self.translate("--sample", 50, text=text, folder=self.work / "sampled")
        self.assertEqual(result.returncode, 0, result.stderr)
        counts = json.loads((self.work / "sampled/counts.json").read_text())
        self.assertEqual(counts["pairs"] + sum(counts["dropped"].values()), 100)
        self.assertGreater(counts["dropped"]["repeated translations in n-best lists"], 0)

    def test_the_tag_is_one_token(self):
        self.assertEqual(self.translate("--tag", "<BT>", text=self.few("a dog runs\n")).returncode, 0)
        self.assertEqual(self.read("b"), ["<BT> A DOG RUNS"])
        model = self.work / "tag.model"
        tiny_run.run(PROGRAM, ["tokenizer", "train", "--symbol", "<BT>", "-v", 60, "-i", self.text, "-m", model])
        result = subprocess.run([PROGRAM, "tokenizer", "encode", "-m", model, "-i", self.few("<BT> a dog runs\n")],
                                capture_output=True, text=True, check=True)
        self.assertEqual(result.stdout.split()[:2], ["▁", "<BT>"])

    def test_names_what_is_wrong(self):
        cases = ((b"a dog\n\xff\n", [], "few:2 is not in UTF-8"),
                 (b"a\nthe <BT> dog\n", ["--tag", "<BT>"], "few:2 contains the tag <BT>"),
                 (b"\n\n", [], "few: no translation of its 2 lines is left: 2 empty lines"),
                 (b"", [], "it is empty"),
                 (gzip.compress(b"a dog\n" * 99)[:-9], [], "few is truncated or corrupt"),
                 (b"\x28\xb5\x2f\xfd...", [], "few is in zstd"),
                 (b"a dog\n", ["-m", self.work], "is not a trained model"),
                 (b"a dog\n", ["-i", "none"], "none"))
        for number, (text, arguments, part) in enumerate(cases):
            result = self.translate(*arguments, text=self.few(text), folder=self.work / str(number))
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertIn(part, result.stderr.splitlines()[-1])
            self.assertFalse((self.work / str(number)).exists())

    def test_tells_when_the_search_or_the_folder_is_another(self):
        text = self.few("a dog runs\n")
        self.assertEqual(self.translate(text=text).returncode, 0)
        result = self.translate("--beam", 4, text=text)
        self.assertEqual((result.returncode, result.stderr),
                         (1, f"translate_corpus: {self.folder} was made with another search, '--beam 5 --n-best 1 --precision auto', "
                          "not '--beam 4 --n-best 1 --precision auto': remove it to make it anew\n"))
        result = self.translate(text=text, folder=self.work)
        self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1))
        self.assertIn("not a corpus of translations", result.stderr)


class RecipesTest(repository.RepositoryTest):
    """The recipes from end to end, on words and the same in capitals."""

    SETTINGS = ("--threads", "1", "--minutes", "0", "model.encoder.hidden=16", "model.decoder.hidden=32",
                "model.encoder.embedding=16", "model.decoder.embedding=16", "model.encoder.dropout=0", "model.decoder.dropout=0",
                "train.schedule.learning_rate=0.01", "train.schedule.warmup=10u", "train.max_updates=200",
                "train.validate_every=100", "train.save_every=100", "train.average=0", "train.metric=loss")

    def setUp(self):
        super().setUp()
        program = self.root / "build/release/bin/seq2seq"
        program.unlink()
        program.symlink_to(PROGRAM)
        texts = [f"{one} {two} {three}" for one in ("a", "the", "my") for two in ("dog", "cat", "bird")
                 for three in ("runs", "sleeps", "eats")]
        random.Random(1).shuffle(texts)
        for part, lines in (("train", texts[:20]), ("val", texts), ("test", texts[20:])):
            (self.data / f"{part}.en").write_text("".join(f"{line}\n" for line in lines))
            (self.data / f"{part}.de").write_text("".join(f"{line.upper()}\n" for line in lines))
        self.more = self.data.parent / "more"
        self.more.write_text("OUR DOG RUNS\n\nTHE CAT RUNS\n")

    def test_back_translation_then_distillation(self):
        result = self.run_recipe("translate", "--data", "corpus", "--vocab", "60", "--monolingual", str(self.more),
                                 *self.SETTINGS)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("BLEU", result.stdout)
        home = self.root / "work/translate/corpus"
        for suffix in ("en", "de"):
            self.assertEqual(len((home / f"en-de-back-beam/train.{suffix}").read_text().splitlines()), 1)
        self.assertIn("weights: [1, 1]", (home / "en-de-small-back-beam/config.yaml").read_text())

        result = self.run_recipe("distill", str(home / "en-de-small-back-beam"), "--data", "corpus", *self.SETTINGS)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len([line for line in result.stdout.splitlines() if line.startswith("| student |")]), 4)


if __name__ == "__main__":
    unittest.main()
