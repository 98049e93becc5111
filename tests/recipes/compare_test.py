#!/usr/bin/env python3
"""Tests of recipes/translate/compare, with a stand-in for the program that it calls."""

import signal
import subprocess
import sys
import time
import unittest

import repository

# "train" leaves a log, "eval" counts how often it is asked.
SEQ2SEQ = repository.RECORD + """\
case $1 in
  tokenizer) for last; do :; done; echo model >"$last" ;;
  train) for setting; do case $setting in train.run=*) run=${setting#*=} ;; esac; done
    mkdir -p "$run"
    for speed in 10 30 20; do
      echo '{"event": "progress", "epoch": 2.5, "tokens_per_second": '$speed'}'
    done >"$run/log.jsonl" ;;
  eval) echo '{"bleu": {"score": '$(grep -c "seq2seq eval" calls)'}, "chrf": {"score": 50.5}}' ;;
esac
"""


class CompareTest(repository.RepositoryTest):
    def setUp(self):
        super().setUp()
        (self.root / "build/release/bin/seq2seq").write_text(SEQ2SEQ)
        for part in ("train", "val", "test_2016_flickr"):
            for language in ("en", "de"):
                (self.data / f"{part}.{language}").write_text("a\n")

    def command(self, *arguments):
        return [sys.executable, "-B", str(self.root / "recipes/translate/compare"), str(self.data), *arguments]

    def compare(self, *arguments):
        return subprocess.run(self.command("--jobs", "1", *arguments), cwd=self.root, capture_output=True, text=True,
                              check=False)

    def test_prints_a_row_for_each_model_and_trains_each_once(self):
        first = self.compare("--only", "seed", "--minutes", "2")
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(first.stdout.splitlines(), [
            "| configuration | BLEU | chrF2 | epochs | target tokens/s |", "|---|---|---|---|---|",
            "| the same, seed 2 | 1.00 | 50.50 | 2.5 | 20 |", "| the same, seed 3 | 2.00 | 50.50 | 2.5 | 20 |"])
        train = [call for call in self.calls() if call.startswith("seq2seq train")]
        self.assertEqual(len(train), 2)
        for part in ("train.max_minutes=2.0", "train.patience=0", "train.seed=2", "model.decoder.hidden=256",
                     f"data.train=[{self.data}/train.en,{self.data}/train.de]"):
            self.assertIn(part, train[0])
        calls = len(self.calls())
        again = self.compare("--only", "seed", "--minutes", "2")
        self.assertEqual(again.stdout, first.stdout)
        self.assertEqual(len(self.calls()), calls)

    def test_refuses_rows_of_other_settings(self):
        self.assertEqual(self.compare("--only", "seed 2").returncode, 0)
        result = self.compare("--only", "seed 2", "--precision", "fp32")
        self.assertEqual(result.returncode, 1)
        self.assertIn("the same, seed 2: was measured with other settings", result.stderr)
        self.assertEqual(self.compare("--only", "seed 2").returncode, 0)
        (self.data / "val.de").write_text("b\n")
        self.assertEqual(self.compare("--only", "seed 2").returncode, 1)

    def test_refuses_what_makes_no_table(self):
        for arguments in (["--only", "transformer"], ["--minutes", "0"], ["--jobs", "0"]):
            result = self.compare(*arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
            self.assertIn(arguments[0], result.stderr.splitlines()[-1])
        self.assertEqual(self.calls(), [])

    def test_a_training_that_fails_ends_it_with_one_line_more(self):
        (self.root / "build/release/bin/seq2seq").write_text("#!/bin/sh\n[ $1 = tokenizer ]\n")
        result = self.compare("--only", "seed 2")
        self.assertEqual(result.returncode, 1)
        self.assertTrue(result.stderr.endswith("compare: seq2seq train failed\n"), result.stderr)

    def test_rows_are_trained_at_once_and_all_stop_when_it_is_told_to(self):
        (self.root / "build/release/bin/seq2seq").write_text(
            SEQ2SEQ.replace("train) ", "train) trap 'kill $!; echo saved >>calls; exit 0' TERM; sleep 60 >/dev/null 2>&1 & wait;"))
        with subprocess.Popen(self.command("--only", "seed", "--jobs", "2"), cwd=self.root, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, start_new_session=True) as process:
            end = time.monotonic() + 30
            while sum(call.startswith("seq2seq train") for call in self.calls()) < 2 and time.monotonic() < end:
                time.sleep(0.05)
            time.sleep(0.2)  # The last one sets its trap.
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
        self.assertEqual(process.returncode, 128 + signal.SIGTERM)
        self.assertEqual(self.calls().count("saved"), 2)
        self.assertEqual(list(self.root.glob("work/**/result.json")), [])


if __name__ == "__main__":
    unittest.main()
