#!/usr/bin/env python3
"""Tests of recipes/translate/run, with stand-ins for the programs that it calls."""

import unittest

import repository


class RunTest(repository.RepositoryTest):
    def setUp(self):
        super().setUp()
        for part in ("train", "val", "test_a", "test_b"):
            for language in ("en", "fr"):
                (self.data / f"{part}.{language}").write_text("".join(f"{part} {language} {i}\n" for i in range(10)))

    def run_recipe(self, *arguments):
        return super().run_recipe("translate", *arguments)

    def test_trains_and_measures_every_test_set(self):
        result = self.run_recipe("--data", "corpus", "--target", "fr", "--minutes", "1", "--threads", "3",
                                 "train.seed=7")
        self.assertEqual(result.returncode, 0, result.stderr)
        home, run, data = "work/translate/corpus", "work/translate/corpus/en-fr-small", self.data
        self.assertEqual(self.calls(), [
            "cmake --preset release",
            "cmake --build --preset release --target seq2seq_program",
            f"seq2seq tokenizer train --type bpe --vocab-size 8000 --input {data}/train.en --input {data}/train.fr "
            f"--model {home}/en-fr-8000.model",
            f"seq2seq train -c recipes/translate/small.yaml train.run={run} train.max_minutes=1 "
            f"data.train=[{data}/train.en,{data}/train.fr] data.valid=[{data}/val.en,{data}/val.fr] "
            f"data.source_tokenizer={home}/en-fr-8000.model data.target_tokenizer={home}/en-fr-8000.model "
            "train.threads=3 train.seed=7",
            f"seq2seq decode -m {run} -i {data}/test_a.en -o {run}/test_a.fr -b 5",
            f"seq2seq eval -i {run}/test_a.fr -r {data}/test_a.fr",
            f"seq2seq decode -m {run} -i {data}/test_b.en -o {run}/test_b.fr -b 5",
            f"seq2seq eval -i {run}/test_b.fr -r {data}/test_b.fr"])
        self.assertIn("source     test_b en 2\nreference  test_b fr 2\noutput     test_b en 2\n", result.stdout)
        self.assertEqual(result.stdout.count("\noutput  "), 10)
        self.assertTrue(result.stdout.endswith(f'echo "..." | build/release/bin/seq2seq decode -m {run}\n'))

    def test_learns_the_tokenizer_once(self):
        self.run_recipe("--data", "corpus", "--target", "fr")
        self.run_recipe("--data", "corpus", "--target", "fr", "--size", "base")
        self.assertEqual(sum("tokenizer train" in call for call in self.calls()), 1)

    def test_names_each_missing_file(self):
        (self.data / "train.fr").unlink()
        (self.data / "val.en").unlink()
        result = self.run_recipe("--data", "corpus", "--target", "fr")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, f"run: {self.data}/train.fr is missing\nrun: {self.data}/val.en is missing\n")

    def test_leaves_out_a_test_set_without_reference(self):
        (self.data / "test_b.fr").unlink()
        result = self.run_recipe("--data", "corpus", "--target", "fr")
        self.assertEqual(result.returncode, 0)
        self.assertIn("test_b.fr is missing, so test_b is left out", result.stderr)
        self.assertEqual(sum("seq2seq eval" in call for call in self.calls()), 1)

    def test_refuses_what_it_does_not_know_before_it_builds(self):
        for arguments in (["--epochs", "3"], ["corpus"], ["--size", "huge"], ["--minutes"], ["--target", "en"],
                          ["--config", "none.yaml"]):
            result = self.run_recipe(*arguments)
            self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result.stderr)
        self.assertEqual(self.calls(), [])


if __name__ == "__main__":
    unittest.main()
