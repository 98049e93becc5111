#!/usr/bin/env python3
"""Tests of recipes/distill, with stand-ins for the programs that it calls."""

import os
import signal
import subprocess
import time
import unittest

import repository


class DistillTest(repository.RepositoryTest):
    def setUp(self):
        super().setUp()
        for part in ("train", "val", "test_a"):
            for language in ("en", "fr"):
                (self.data / f"{part}.{language}").write_text("".join(f"{part} {language} {i}\n" for i in range(10)))
        for name in ("big", "bigger"):
            teacher = self.data.parent / name
            (teacher / "best").mkdir(parents=True)
            for file in ("best/model.safetensors", "source.model", "target.model"):
                (teacher / file).write_text(name)

    def distill(self, *arguments):
        return self.run_recipe("distill", *arguments, "--data", "corpus", "--target", "fr")

    def test_trains_a_student_and_measures_it_beside_its_teacher(self):
        result = self.distill("big", "--minutes", "1", "train.seed=7")
        self.assertEqual(result.returncode, 0, result.stderr)
        home, data, teacher = "work/distill/corpus/en-fr", self.data, self.data.parent / "big"
        run, made = f"{home}/student-beam5", f"{home}/beam5"
        self.assertEqual(self.calls()[2:5], [
            "seq2seq train -c recipes/distill/student.yaml train.max_minutes=1 train.seed=7 --dump-config",
            f"seq2seq decode -m {teacher} -i {made}.part/lines -o {made}.part/hypotheses --resume --format moses "
            "--beam 5 --n-best 1 --precision auto",
            f"seq2seq train -c recipes/distill/student.yaml train.run={run} train.max_minutes=1 "
            f"data.train=[{made}/train.en,{made}/train.fr] data.valid=[{data}/val.en,{data}/val.fr] "
            f"data.source_tokenizer={teacher}/source.model data.target_tokenizer={teacher}/target.model train.seed=7"])
        self.assertEqual((self.root / made / "train.en").read_text(), (data / "train.en").read_text())
        self.assertEqual((self.root / made / "train.fr").read_text(), (data / "train.en").read_text())
        rows = [[cell.strip() for cell in line.split("|")[1:-1]]
                for line in result.stdout.splitlines() if line.startswith("|")]
        self.assertEqual(rows[0], ["model", "precision", "MB", "beam", "BLEU", "chrF2", "source words/s"])
        self.assertEqual([row[:6] for row in rows[2:]],
                         [[name, precision, "1.5", beam, "12.30", "45.60"] for name in ("teacher", "student")
                          for precision in ("fp32", "int8") for beam in ("1", "5")])
        measured = [call for call in self.calls() if f"-i {data}/test_a.en" in call and " decode " in call]
        self.assertEqual(len(measured), 8)
        self.assertTrue(all("--threads 1 --device cpu" in call for call in measured))
        self.assertTrue((self.root / run / "measured/test_a-student-int8-beam5.fr").is_file())
        self.assertTrue(result.stdout.endswith(f'echo "..." | build/release/bin/seq2seq decode -m {run}-int8 -b 1\n'))

        calls = len(self.calls())
        self.assertEqual(self.distill("big", "--minutes", "1", "train.seed=7").returncode, 0)
        self.assertFalse([call for call in self.calls()[calls:] if "moses" in call])
        result = self.distill("bigger")
        self.assertEqual((result.returncode, result.stderr),
                         (1, f"translate_corpus: {made} was made with another model: remove it to make it anew\n"))

    def test_takes_an_ensemble_its_n_best_lists_and_the_references(self):
        result = self.distill("big", "bigger", "--n-best", "8", "--with-references", "2", "--vocab", "500", "--threads", "2")
        self.assertEqual(result.returncode, 0, result.stderr)
        home, data, above = "work/distill/corpus/en-fr", self.data, self.data.parent
        made, joint = f"{home}/best8", f"{home}/best8-500.model"
        self.assertEqual(self.calls()[3:6], [
            f"seq2seq decode -m {above}/big -m {above}/bigger -i {made}.part/lines -o {made}.part/hypotheses --resume "
            "--format moses --beam 8 --n-best 8 --precision auto --threads 2",
            f"seq2seq tokenizer train --type bpe --vocab-size 500 --input {data}/train.en --input {made}/train.fr "
            f"--model {joint}",
            f"seq2seq train -c recipes/distill/student.yaml train.run={home}/student-best8-references train.max_minutes=12 "
            f"data.train=[{made}/train.en,{made}/train.fr,{data}/train.en,{data}/train.fr] "
            f"data.valid=[{data}/val.en,{data}/val.fr] data.source_tokenizer={joint} data.target_tokenizer={joint} "
            "data.weights=[1,2] train.threads=2"])
        self.assertIn("| teacher, ensemble of 2 | int8 | 3.0 | 5 |", result.stdout)

    def test_samples_and_takes_a_checkpoint(self):
        result = self.distill("big/best", "--sample", "4")
        self.assertEqual(result.returncode, 0, result.stderr)
        teacher = self.data.parent / "big/best"
        self.assertIn(" --sample --n-best 4 --seed 1", [call for call in self.calls() if "moses" in call][0])
        self.assertTrue(any(f"data.source_tokenizer={teacher}/../source.model" in call for call in self.calls()))

    def test_what_ends_it_ends_translation_first(self):
        (self.root / "build/release/bin/seq2seq").write_text(repository.RECORD + """case $1 in
  decode) trap 'kill $!; echo saved >>calls; exit 1' TERM; sleep 60 >/dev/null 2>&1 & echo trap is set >>calls; wait ;;
esac
""")
        environment = {**os.environ, "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}"}
        command = [self.root / "recipes/distill/run", self.data.parent / "big", "--data", self.data, "--target", "fr"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
            end = time.monotonic() + 30
            while "trap is set" not in self.calls() and time.monotonic() < end:
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 128 + signal.SIGTERM)
        self.assertEqual(self.calls()[-1], "saved")
        self.assertTrue(errors.endswith("run: stopped; repeat the same command to continue\n"), errors)

    def test_refuses_what_it_does_not_know_before_it_builds(self):
        for arguments, part in (([], "a teacher"), (["none"], "none is not a trained model"), (["big", ""], "empty"),
                                (["big", "--beam", "0"], "--beam is 1 to 100, not '0'"),
                                (["big", "--n-best", "101"], "'101'"), (["big", "--sample", "2", "--beam", "3"], "--sample"),
                                (["big", "--with-references", "-1"], "'-1'"), (["big", "--vocab", "8k"], "'8k'"),
                                (["big", "--config", "none.yaml"], "none.yaml is missing"),
                                (["big", "--temperature", "2"], "--temperature"), (["big", "--source", "fr"], "both 'fr'")):
            result = self.distill(*arguments)
            self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result.stderr)
            self.assertIn(part, result.stderr)
        result = self.run_recipe("distill", "big")
        self.assertEqual((result.returncode, result.stderr),
                         (1, "run: --data is missing: the folder of the training texts\n"))
        self.assertEqual(self.calls(), [])

    def test_names_each_missing_file(self):
        (self.data / "train.fr").unlink()
        (self.data / "val.en").unlink()
        result = self.distill("big", "--with-references", "1")
        self.assertEqual((result.returncode, result.stderr),
                         (1, f"run: {self.data}/train.fr is missing\nrun: {self.data}/val.en is missing\n"))


if __name__ == "__main__":
    unittest.main()
