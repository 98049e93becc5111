#!/usr/bin/env python3
"""Tests of recipes/translate/run, and what it shares with the other recipes, with stand-ins for the programs that it calls."""

import os
import signal
import subprocess
import time
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
            "seq2seq train -c recipes/translate/small.yaml train.max_minutes=1 train.threads=3 train.seed=7 --dump-config",
            f"seq2seq tokenizer train --type bpe --byte-fallback --vocab-size 8000 --input {data}/train.en --input {data}/train.fr "
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
        self.assertTrue(result.stdout.endswith(f'echo "..." | build/release/bin/seq2seq decode -m {run} -b 5\n'))

    def monolingual(self, *arguments, text="another fr 1\n\nval fr 3\nanother fr 2\n"):
        (self.data.parent / "more.fr").write_text(text)
        return self.run_recipe("--data", "corpus", "--target", "fr", "--monolingual", "more.fr", *arguments)

    def test_trains_on_the_back_translations_of_a_monolingual_text(self):
        result = self.monolingual("--threads", "3", "--weight", "0.5")
        self.assertEqual(result.returncode, 0, result.stderr)
        home, data = "work/translate/corpus", self.data
        run, made = f"{home}/en-fr-small-back-beam", f"{home}/en-fr-back-beam"
        forward, backward = f"{home}/en-fr-8000-BT.model", f"{home}/fr-en-8000.model"
        train = "seq2seq train -c recipes/translate/small.yaml"
        self.assertEqual(self.calls()[3:9], [
            f"seq2seq tokenizer train --type bpe --byte-fallback --vocab-size 8000 --symbol <BT> --input {data}/train.en "
            f"--input {data}/train.fr --model {forward}",
            f"seq2seq tokenizer train --type bpe --byte-fallback --vocab-size 8000 --input {data}/train.fr --input {data}/train.en "
            f"--model {backward}",
            f"{train} train.run={home}/fr-en-small train.max_minutes=12 data.train=[{data}/train.fr,{data}/train.en] "
            f"data.valid=[{data}/val.fr,{data}/val.en] data.source_tokenizer={backward} data.target_tokenizer={backward} "
            "train.threads=3",
            f"seq2seq decode -m {home}/fr-en-small -i {made}.part/lines -o {made}.part/hypotheses --resume --format moses "
            "--beam 5 --n-best 1 --precision auto --threads 3",
            f"{train} train.run={run} train.max_minutes=12 "
            f"data.train=[{data}/train.en,{data}/train.fr,{made}/train.en,{made}/train.fr] "
            f"data.valid=[{data}/val.en,{data}/val.fr] data.source_tokenizer={forward} data.target_tokenizer={forward} "
            "data.weights=[1,0.5] train.threads=3",
            f"seq2seq decode -m {run} -i {data}/test_a.en -o {run}/test_a.fr -b 5"])
        self.assertEqual((self.root / made / "train.fr").read_text(), "another fr 1\nanother fr 2\n")
        self.assertEqual((self.root / made / "train.en").read_text(), "<BT> another fr 1\n<BT> another fr 2\n")
        self.assertIn("lines/s\n", result.stderr)
        self.assertIn(f"{made}: 2 pairs of 4 lines; dropped: 1 empty lines, 1 lines of the held-out text\n", result.stderr)

        # Complete steps are not repeated, and training may be continued.
        calls = len(self.calls())
        self.assertEqual(self.monolingual("--minutes", "20").returncode, 0)
        again = [call.split()[1] for call in self.calls()[calls + 3:]]
        self.assertEqual(again, ["train", "decode", "eval", "decode", "eval"])

        result = self.monolingual(text="something else\n")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr,
                         f"translate_corpus: {made} was made with another text: remove it to make it anew\n")

    def test_samples_back_translations_of_a_model_at_hand(self):
        (self.data.parent / "reverse/best").mkdir(parents=True)
        (self.data.parent / "reverse/best/model.safetensors").write_text("weights")
        result = self.monolingual("--reverse-model", "reverse", "--back-translate", "sample", "--tag", "<made>")
        self.assertEqual(result.returncode, 0, result.stderr)
        decode = [call for call in self.calls() if "moses" in call][0]
        self.assertIn(f"decode -m {self.data.parent}/reverse -i ", decode)
        self.assertIn(" --sample --n-best 1 --seed 1", decode)
        self.assertEqual(sum("train.run=" in call for call in self.calls()), 1)
        self.assertEqual((self.root / "work/translate/corpus/en-fr-back-sample/train.en").read_text(),
                         "<made> another fr 1\n<made> another fr 2\n")

    def test_refuses_texts_with_the_tag(self):
        (self.data / "test_b.en").write_text("one\n<BT> two\n")
        result = self.monolingual()
        self.assertEqual((result.returncode, result.stderr),
                         (1, f"run: {self.data}/test_b.en:2 contains the tag <BT>: choose another with --tag\n"))

    def test_refuses_wrong_options_of_back_translation_before_it_builds(self):
        for arguments, part in ((["--back-translate", "greedy"], "'greedy'"), (["--weight", "0"], "'0'"),
                                (["--weight", "1e3"], "'1e3'"), (["--tag", "B T"], "'B T'"),
                                (["--reverse-model", "none"], "none is not a trained model"),
                                (["data.weights=[1,2]"], "--weight"), (["--monolingual", "none.fr"], "none.fr is missing")):
            result = self.monolingual(*arguments)
            self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result.stderr)
            self.assertIn(part, result.stderr)
        result = self.run_recipe("--data", "corpus", "--target", "fr", "--weight", "2")
        self.assertEqual((result.returncode, result.stderr), (1, "run: --weight is for --monolingual, which is missing\n"))
        self.assertEqual(self.calls(), [])

    def test_measures_characters_where_there_are_no_spaces(self):
        for part in ("train", "val", "test_a", "test_b"):
            (self.data / f"{part}.ja").write_text("".join(f"{part}{i}\n" for i in range(10)))
        self.assertEqual(self.run_recipe("--data", "corpus", "--target", "ja").returncode, 0)
        calls = self.calls()
        self.assertIn(" train.metric_options.tokenize=char", [call for call in calls if " train.run=" in call][0])
        self.assertTrue(all(call.endswith(" --tokenize char") for call in calls if "seq2seq eval" in call))

    def test_learns_the_tokenizer_once(self):
        self.run_recipe("--data", "corpus", "--target", "fr")
        self.run_recipe("--data", "corpus", "--target", "fr", "--size", "base")
        self.assertEqual(sum("tokenizer train" in call for call in self.calls()), 1)

    def test_refuses_a_tokenizer_of_other_text(self):
        self.run_recipe("--data", "corpus", "--target", "fr")
        (self.data / "train.fr").write_text("something else\n" * 10)
        result = self.run_recipe("--data", "corpus", "--target", "fr")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, "run: work/translate/corpus/en-fr-8000.model was learnt from other text than "
                         f"{self.data}/train.en {self.data}/train.fr: move work/translate/corpus away, or rename the data "
                         "folder\n")

    def test_a_wrong_setting_ends_it_before_anything_is_learnt(self):
        result = self.run_recipe("--data", "corpus", "--target", "fr", "train.sed=1")
        self.assertEqual((result.returncode, result.stderr), (1, "unknown key train.sed\n"))
        self.assertFalse((self.root / "work").exists())

    def test_what_ends_it_ends_training_first(self):
        program = self.root / "build/release/bin/seq2seq"
        program.write_text(repository.RECORD + """case "$*" in
  *--dump-config) ;;
  train*) trap 'kill $!; echo saved >>calls; exit 0' TERM; sleep 60 >/dev/null 2>&1 & echo trap is set >>calls; wait ;;
  *) for last; do :; done; echo model >"$last" ;;
esac
""")
        environment = {**os.environ, "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}"}
        with subprocess.Popen([self.root / "recipes/translate/run", "--data", self.data, "--target", "fr"],
                              stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True) as process:
            end = time.monotonic() + 30
            while "trap is set" not in self.calls() and time.monotonic() < end:
                time.sleep(0.05)
            os.killpg(process.pid, signal.SIGTERM)  # As timeout and systemd do.
            _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 128 + signal.SIGTERM)
        self.assertEqual(self.calls().count("saved"), 1)
        self.assertEqual(self.calls()[-1], "saved")
        self.assertTrue(errors.endswith("run: stopped; repeat the same command to continue\n"), errors)

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
        for arguments in (["--epochs", "3"], ["corpus"], ["--size", "huge"], ["--vocab", "8k"], ["--minutes"], ["--target", "en"],
                          ["--config", "none.yaml"]):
            result = self.run_recipe(*arguments)
            self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result.stderr)
        self.assertEqual(self.calls(), [])


if __name__ == "__main__":
    unittest.main()
