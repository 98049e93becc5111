#!/usr/bin/env python3
"""Training and decoding for a metric: samples that are rewarded, guided alignment, Bayes risk, rescored n-best lists.

usage: for_the_metric_test.py PROGRAM
"""

import json
import pathlib
import tempfile
import unittest

from program import PROGRAM, TestCase, seq2seq
from tiny_run import train

KINDS = {
    "recurrent": [],
    "transformer": ["model.encoder.kind=transformer", "model.decoder.kind=transformer", "model.encoder.layers=2",
                    "model.decoder.layers=2", "model.encoder.transformer.feed_forward=32",
                    "model.decoder.transformer.feed_forward=64", "model.decoder.aligned_head=true"],
}


class ForTheMetricTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        # Half trained: some of the outputs are wrong.
        cls.runs = {name: train(PROGRAM, cls.folder, *kind, "train.guided_alignment=0.2", "train.max_updates=40",
                                "train.validate_every=40", name=name) for name, kind in KINDS.items()}
        cls.source, cls.target = (cls.folder / "text.a").read_text(), (cls.folder / "text.b").read_text()

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def output(self, *arguments, stdin=None):
        result = seq2seq(*arguments, stdin=stdin if stdin is not None else self.source)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result.stdout.decode()

    def reward(self, run):
        """The rewards that were reported, in their order."""
        events = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        return [event["reward"] for event in events if event["event"] == "progress"]

    def test_rewarded_outputs_become_more_frequent(self):
        for name, objective, metric in (("recurrent", "risk", "bleu"), ("transformer", "risk", "chrf"),
                                        ("recurrent", "self_critical", "cider"), ("transformer", "self_critical", "wer")):
            run = train(PROGRAM, self.folder, *KINDS[name], f"train.init_from={self.runs[name]}",
                        f"train.objective={objective}", f"train.reward.metric={metric}", "train.reward.sharpness=1",
                        "train.max_updates=40", "train.report_every=20", "train.validate_every=40",
                        "train.schedule.learning_rate=0.002", name=f"{name}-{objective}-{metric}")
            first, last = self.reward(run)
            self.assertGreater(last, first, run.name)

    def test_a_stopped_run_ends_as_one_that_was_not(self):
        settings = [f"train.init_from={self.runs['recurrent']}", "train.objective=self_critical", "train.save_every=5",
                    "train.reward.likelihood=0.2", "train.metric=loss"]
        whole = train(PROGRAM, self.folder, *settings, "train.max_updates=10", name="whole")
        train(PROGRAM, self.folder, *settings, "train.max_updates=5", name="parts")
        parts = train(PROGRAM, self.folder, *settings, "train.max_updates=10", name="parts")
        self.assertEqual((whole / "latest/model.safetensors").read_bytes(),
                         (parts / "latest/model.safetensors").read_bytes())

    def test_words_are_aligned_to_those_that_they_come_from(self):
        for name, run in self.runs.items():
            output = seq2seq("decode", "-m", run, "--format", "jsonl", "--attention", stdin=self.source)
            lines = [json.loads(line)["translations"][0] for line in output.stdout.decode().splitlines()]
            right = sum(link.split("-")[0] == link.split("-")[1] for line in lines for link in line["alignment"].split())
            count = sum(len(line["alignment"].split()) for line in lines)
            self.assertGreater(right, 0.8 * count, name)

    def test_a_sampled_vocabulary_learns(self):
        run = train(PROGRAM, self.folder, "train.sampled_softmax=4", name="sampled")
        self.assertEqual(self.output("decode", "-m", run), self.target)

    def test_bayes_risk_chooses_among_samples_and_hypotheses(self):
        run = self.runs["recurrent"]
        best = self.output("decode", "-m", run, "-b", "4")
        for metric in ("chrf", "bleu", "cider", "wer"):
            for how in (["-b", "4"], ["--sample", "--mbr-samples", "8"]):
                lines = self.output("decode", "-m", run, *how, "--mbr", metric).splitlines()
                self.assertEqual(len(lines), len(best.splitlines()))
        # Streamed requests, batches and their order change nothing.
        flags = ["decode", "-m", run, "--sample", "--mbr", "chrf", "--mbr-samples", "8"]
        self.assertEqual(self.output(*flags), self.output(*flags, "--batch-size", "1"))
        self.assert_fails(seq2seq(*flags, "--n-best", "9", "--format", "moses"), "n-best", "at most mbr_samples, which is 8")

    def test_what_matches_is_kept(self):
        run = self.runs["recurrent"]
        for line in self.output("decode", "-m", run, "-b", "4", "--keep", "[dc]og|cat", stdin="a dog runs\nmy cat eats\n",
                                ).splitlines():
            self.assertTrue("dog" in line or "cat" in line, line)
        self.assert_fails(seq2seq("decode", "-m", run, "--keep", "(a", stdin="a\n"), "keep: '(a': missing )")
        # A line of a thousand matches has room for some.
        many = seq2seq("decode", "-m", run, "-b", "2", "--keep", r"\S+", stdin="a dog " * 500 + "\n")
        self.assertEqual(many.returncode, 0, many.stderr.decode())

    def test_weights_of_features_are_learnt(self):
        run, files = self.runs["recurrent"], {}
        for name in ("nbest", "weights", "best"):
            files[name] = self.folder / f"rescore.{name}"
        files["nbest"].write_text(self.output("decode", "-m", run, "-b", "6", "--n-best", "6", "--format", "moses"))
        rescore = ["rescore", "-i", files["nbest"], "-s", self.folder / "text.a",
                   "-f", f"other={self.runs['transformer']}"]
        learnt = seq2seq(*rescore, "-r", self.folder / "text.b", "--save-weights", files["weights"])
        self.assertEqual(learnt.returncode, 0, learnt.stderr.decode())
        self.assertEqual(self.output(*rescore, "-w", files["weights"]), learnt.stdout.decode())
        before, after = [float(part) for part in learnt.stderr.decode().split("BLEU ")[1].split("\n")[0].split(" -> ")]
        self.assertGreaterEqual(after, before)
        files["best"].write_text(learnt.stdout.decode())
        score = json.loads(self.output("eval", "-i", files["best"], "-r", self.folder / "text.b", "--format", "json"))
        self.assertAlmostEqual(score["score"] if "score" in score else after, after, places=1)
        moses = self.output(*rescore, "-w", files["weights"], "--format", "moses").splitlines()
        self.assertIn("other= ", moses[0])
        self.assert_fails(seq2seq(*rescore, "-w", self.folder / "text.a"), "text.a")
        self.assert_fails(seq2seq("rescore", "-i", files["nbest"], "-f", "other"), "--feature: expected NAME=RUN, found 'other'")
        self.assert_fails(seq2seq("rescore", "-i", files["nbest"], "-f", f"other={run}"), "--source", "needs the sources")
        self.assert_fails(seq2seq(*rescore, "-r", self.folder / "text.b"), "--save-weights")

    def test_unknown_words_are_those_of_the_source(self):
        """A word that the tokenizers lack is learnt to become the unknown one, and then comes as it stands in the source."""
        text = self.source.replace("bird", "\u6f22\u5b57"), self.target.replace("BIRD", "\u6f22\u5b57")
        for name, lines in zip("ab", text):
            (self.folder / f"unknown.{name}").write_text(lines, encoding="utf-8")
        data = f"[{self.folder / 'unknown.a'},{self.folder / 'unknown.b'}]"
        run = train(PROGRAM, self.folder, f"data.train={data}", f"data.valid={data}", "train.guided_alignment=0.2",
                    name="unknown")
        found = self.output("decode", "-m", run, "--replace-unknown", stdin=text[0])
        self.assertEqual(found, text[1])
        self.assertNotIn("\u6f22", self.output("decode", "-m", run, stdin=text[0]))
        lexicon = self.folder / "lexicon"
        lexicon.write_text("\u6f22\u5b57\tKANJI\t1\n", encoding="utf-8")
        found = self.output("decode", "-m", run, "--replace-unknown", "--lexicon", lexicon, "--mbr", "chrf", stdin=text[0])
        self.assertEqual(found, text[1].replace("\u6f22\u5b57", "KANJI"))

    def test_models_weigh_what_they_are_given(self):
        models = ["-m", self.runs["recurrent"], "-m", self.runs["transformer"]]
        alone = self.output("decode", *models[:2], "-b", "2")
        self.assertEqual(self.output("decode", *models, "-b", "2", "--model-weight", "1000000", "--model-weight", "0.000001"),
                         alone)
        self.assert_fails(seq2seq("decode", *models, "--model-weight", "1", stdin="a\n"), "a weight for each of 2 models")


if __name__ == "__main__":
    unittest.main()
