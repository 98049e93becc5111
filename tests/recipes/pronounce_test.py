#!/usr/bin/env python3
"""Tests of recipes/pronounce: reading lexicons, splitting them, and the calls of the run."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import repository

RECIPE = repository.RECIPES / "pronounce"
sys.dont_write_bytecode = True
sys.path[:0] = [str(repository.RECIPES), str(RECIPE)]

import lexicon  # noqa: E402  (found by the line above)
from script import Failure  # noqa: E402

FESTIVAL = """\
MNCL
; a comment
("tomato" nil (((t ax) 0) ((m ey) 1) ((t ow) 1)))
("tomato" n (((t ax) 0) ((m aa) 1) ((t ow) 1)))
("tomato" v (((t ax) 0) ((m ey) 1) ((t ow) 0)))
("Chaim" n (((ch ey m) 1)))
("o'clock" nil (((ax) 0) ((k l aa k) 1)))
"""


class ScratchTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def file(self, text, name="words.tsv"):
        path = self.scratch / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def expect_failure(self, read, text, message):
        path = self.file(text)
        with self.assertRaises(Failure) as failure:
            read(path)
        self.assertEqual(str(failure.exception), f"{path}{message}")


class FestivalTest(ScratchTest):
    def test_reads_words_of_letters_with_different_pronunciations(self):
        words, dropped = lexicon.read_festival(self.file(FESTIVAL))
        self.assertEqual(words, {"T O M A T O": ["T AH M EY T OW", "T AH M AA T OW"], "C H A I M": ["CH EY M"]})
        self.assertEqual(dropped, 1)

    def test_names_file_and_line_of_what_is_no_entry(self):
        for line in ('("a" nil (((ax) 0))', '("a" nil ())', '("a" nil ((ax) 0))', "a ax"):
            self.expect_failure(lexicon.read_festival, f"MNCL\n{line}\n",
                                f':2: "{line}" is not an entry as ("word" nil (((w er d) 1)))')


class TableTest(ScratchTest):
    def test_keeps_each_pronunciation_once(self):
        words = lexicon.read_table(self.file("T O\tT UW\nA\tAH\nT O\tT AH\r\nT  O\tT UW\n"))
        self.assertEqual(words, {"T O": ["T UW", "T AH"], "A": ["AH"]})

    def test_a_letter_may_have_marks(self):
        self.assertEqual(lexicon.read_table(self.file("कि ता\tk i t a:\n")), {"कि ता": ["k i t a:"]})

    def test_names_file_and_line_of_what_is_malformed(self):
        for line, message in (("T O T UW", '"T O T UW" has 0 tabs instead of one, between letters and phones'),
                              ("T O\tT\tUW", '"T O\tT\tUW" has 2 tabs instead of one, between letters and phones'),
                              ("", '"" has 0 tabs instead of one, between letters and phones'),
                              ("T O\t ", '"T O\t " has no phones'),
                              ("\tT UW", '"\tT UW" has no letters'),
                              ("TO\tT UW", '"TO" is not one letter; put spaces between letters')):
            self.expect_failure(lexicon.read_table, f"A\tAH\n{line}\n", f":2: {message}")
        self.expect_failure(lexicon.read_table, b"A\tAH\n\xe9\tEY\n", ":2: byte 0xe9 is not UTF-8")
        self.expect_failure(lexicon.read_table, "", " is empty")


def numbered(count):
    """`count` words, every third with two pronunciations."""
    return {" ".join(f"{i:03}"): [f"P{i}", f"Q{i}"] if i % 3 == 0 else [f"P{i}"] for i in range(count)}


class HoldOutTest(unittest.TestCase):
    def test_no_word_is_in_two_parts_and_none_is_lost(self):
        words = numbered(500)
        parts = lexicon.hold_out(words, (30, 20))
        self.assertEqual([len(part) for part in parts], [30, 20, 450])
        self.assertEqual({word: phones for part in parts for word, phones in part.items()}, words)

    def test_does_not_depend_on_the_order(self):
        words = numbered(500)
        backwards = dict(reversed(list(words.items())))
        self.assertEqual(lexicon.hold_out(words, (30, 20)), lexicon.hold_out(backwards, (30, 20)))

    def test_holds_out_at_most_a_tenth_each(self):
        self.assertEqual([len(part) for part in lexicon.hold_out(numbered(100), (30, 5))], [10, 5, 85])


def table(words):
    return "".join(f"{word}\t{phones}\n" for word, known in words.items() for phones in known)


class PrepareTest(ScratchTest):
    def setUp(self):
        super().setUp()
        self.data = self.scratch / "tables"
        self.folder = self.scratch / "out" / "data"
        self.data.mkdir()

    def prepare(self, *arguments):
        return subprocess.run([sys.executable, "-B", str(RECIPE / "prepare"), *map(str, arguments), str(self.folder)],
                              capture_output=True, text=True, check=False)

    def prepare_tables(self):
        return self.prepare("--data", self.data)

    def write_tables(self, **tables):
        for name, text in tables.items():
            (self.data / f"{name}.tsv").write_text(text)

    def lines(self, name):
        return (self.folder / name).read_text().splitlines()

    def expect_failure(self, result, message):  # pylint: disable=arguments-differ
        self.assertEqual((result.returncode, result.stderr), (1, f"prepare: {message}\n"))
        self.assertFalse(self.folder.exists())

    def test_writes_pairs_to_learn_from_and_references_to_measure_on(self):
        self.write_tables(train=table(numbered(100)), dev="T O\tT UW\nA\tAH\nT O\tT AH\n", test="B\tB IY\n")
        result = self.prepare_tables()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("prepare: dev: 2 words with 3 pronunciations\n", result.stderr)
        self.assertEqual(self.lines("measure/dev.letters"), ["T O", "A"])
        self.assertEqual(self.lines("measure/dev.phones.1"), ["T UW", "AH"])
        self.assertEqual(self.lines("measure/dev.phones.2"), ["T AH", ""])
        self.assertEqual(self.lines("measure/test.phones.1"), ["B IY"])
        self.assertFalse((self.folder / "measure/test.phones.2").exists())
        train, valid = (list(zip(self.lines(f"{part}.letters"), self.lines(f"{part}.phones")))
                        for part in ("train", "valid"))
        self.assertEqual(sorted(train + valid), sorted(tuple(line.split("\t"))
                                                       for line in table(numbered(100)).splitlines()))
        self.assertFalse({word for word, _ in train} & {word for word, _ in valid})
        self.assertEqual(sorted({word for word, _ in valid}), sorted(self.lines("measure/valid.letters")))
        self.assertEqual(len(self.lines("measure/valid.letters")), 10)

    def test_leaves_out_of_training_what_is_measured_on(self):
        self.write_tables(train=table(numbered(100)), dev="0 0 0\tP0\n0 0 1\tP9\n")
        self.assertIn("left out of training, for being in dev too: 2 words\n", self.prepare_tables().stderr)
        self.assertFalse({"0 0 0", "0 0 1"} & {*self.lines("train.letters"), *self.lines("valid.letters")})

    def test_writes_once_and_tells_when_the_data_has_changed(self):
        self.write_tables(train=table(numbered(100)), dev="T O\tT UW\n")
        self.prepare_tables()
        self.assertEqual(self.prepare_tables().stderr, f"prepare: {self.folder} is complete already\n")
        self.write_tables(test="A\tAH\n")
        result = self.prepare_tables()
        self.assertEqual((result.returncode, result.stderr),
                         (1, f"prepare: {self.folder} was made from other data: remove it, or name another folder\n"))

    def test_names_what_is_missing(self):
        self.expect_failure(self.prepare_tables(), f"{self.data}/train.tsv and {self.data}/dev.tsv are missing")
        self.write_tables(train=table(numbered(100)))
        self.expect_failure(self.prepare_tables(), f"{self.data}/dev.tsv is missing")

    def test_names_file_and_line_and_leaves_nothing(self):
        self.write_tables(train=table(numbered(100)), dev="TO\tT UW\n")
        self.expect_failure(self.prepare_tables(),
                            f'{self.data}/dev.tsv:1: "TO" is not one letter; put spaces between letters')

    def test_writes_nothing_when_there_is_too_little(self):
        self.write_tables(train=table(numbered(5)), dev="T O\tT UW\n")
        self.expect_failure(self.prepare_tables(), "5 words are too few to train on")

    def test_splits_a_lexicon_of_festival_in_three(self):
        entries = "".join(f'("{a}{b}" nil ((({a} {b}) 1)))\n' for a in "abcdefghij" for b in "klmnopqrst")
        result = self.prepare("--lexicon", self.file("MNCL\n" + entries, "cmudict-0.4.out"))
        self.assertEqual(result.returncode, 0, result.stderr)
        parts = [self.lines(name) for name in ("train.letters", "measure/valid.letters", "measure/test.letters")]
        self.assertEqual([len(part) for part in parts], [80, 10, 10])
        self.assertEqual(len(set().union(*parts)), 100)

    def test_tells_when_the_lexicon_is_another(self):
        def entries(letters):
            return "MNCL\n" + "".join(f'("{a}{b}" nil ((({a} {b}) 1)))\n' for a in letters for b in "klmnopqrst")
        first, second = (self.file(entries(letters), f"{letters}.out") for letters in ("abcdefghij", "bcdefghijk"))
        self.assertEqual(self.prepare("--lexicon", first).returncode, 0)
        self.assertIn("complete already", self.prepare("--lexicon", first).stderr)
        for arguments in (["--lexicon", second], []):
            result = self.prepare(*arguments)
            self.assertEqual((result.returncode, result.stderr),
                             (1, f"prepare: {self.folder} was made from other data: remove it, or name another folder\n"))


class RunTest(repository.RepositoryTest):
    def setUp(self):
        super().setUp()
        (self.data / "train.tsv").write_text(table(numbered(100)))
        (self.data / "dev.tsv").write_text("T O\tT UW\nA\tAH\nT O\tT AH\n")

    def test_trains_and_measures_every_set(self):
        result = self.run_recipe("pronounce", "--data", "corpus", "--minutes", "1", "--threads", "3", "train.seed=7")
        self.assertEqual(result.returncode, 0, result.stderr)
        home = "work/pronounce/corpus"
        data, measure, run = f"{home}/data", f"{home}/data/measure", f"{home}/small"
        self.assertEqual(self.calls(), [
            "cmake --preset release",
            "cmake --build --preset release --target seq2seq_program",
            "seq2seq train -c recipes/pronounce/small.yaml train.max_minutes=1 train.threads=3 train.seed=7 --dump-config",
            f"seq2seq tokenizer train --type word --normalization nfkc_cf --input {data}/train.letters "
            f"--model {home}/letters.model",
            f"seq2seq tokenizer train --type word --normalization identity --input {data}/train.phones "
            f"--model {home}/phones.model",
            f"seq2seq train -c recipes/pronounce/small.yaml train.run={run} train.max_minutes=1 "
            f"data.train=[{data}/train.letters,{data}/train.phones] "
            f"data.valid=[{data}/valid.letters,{data}/valid.phones] "
            f"data.source_tokenizer={home}/letters.model data.target_tokenizer={home}/phones.model "
            "train.threads=3 train.seed=7",
            f"seq2seq decode -m {run} -i {measure}/valid.letters -o {run}/valid.phones -b 5",
            f"seq2seq eval -i {run}/valid.phones -r {measure}/valid.phones.1 -r {measure}/valid.phones.2 "
            "--metric per",
            f"seq2seq decode -m {run} -i {measure}/dev.letters -o {run}/dev.phones -b 5",
            f"seq2seq eval -i {run}/dev.phones -r {measure}/dev.phones.1 -r {measure}/dev.phones.2 "
            "--metric per"])
        self.assertIn("word       TO\nreference  T UW | T AH\noutput     T O\n", result.stdout)
        self.assertIn("word       A\nreference  AH\noutput     A\n", result.stdout)
        self.assertEqual(result.stdout.count("\noutput  "), 5 + 2)
        self.assertTrue(result.stdout.endswith(f"seq2seq decode -m {run} -b 5\n"))

    def test_an_ensemble_differs_in_the_seed_and_is_measured_together(self):
        result = self.run_recipe("pronounce", "--data", "corpus", "--ensemble", "2", "--run", "repository/my")
        self.assertEqual(result.returncode, 0, result.stderr)
        trainings = [call for call in self.calls() if " train.run=" in call]
        self.assertEqual([call.endswith(" train.seed=2") for call in trainings], [False, True])
        self.assertEqual([f" train.run={run} " in call for call, run in zip(trainings, ("my", "my-2"))], [True, True])
        self.assertIn("seq2seq decode -m my -m my-2 -i work/pronounce/corpus/data/measure/dev.letters "
                      "-o my/dev.phones -b 5", self.calls())
        self.assertTrue(result.stdout.endswith("seq2seq decode -m my -m my-2 -b 5\n"))

    def test_refuses_what_it_does_not_know_before_it_builds(self):
        for arguments in (["--epochs", "3"], ["corpus"], ["--minutes"], ["--config", "none.yaml"],
                          ["--ensemble", "many"], ["--ensemble", "2", "train.seed=3"]):
            result = self.run_recipe("pronounce", *arguments)
            self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result.stderr)
        self.assertEqual(self.calls(), [])

    def test_stops_where_the_data_is_malformed(self):
        (self.data / "dev.tsv").write_text("T O\n")
        result = self.run_recipe("pronounce", "--data", "corpus")
        self.assertEqual(result.returncode, 1)
        self.assertIn('dev.tsv:1: "T O" has 0 tabs instead of one', result.stderr)
        self.assertFalse(any("train.run" in call for call in self.calls()))


if __name__ == "__main__":
    unittest.main()
