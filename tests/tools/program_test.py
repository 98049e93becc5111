#!/usr/bin/env python3
"""The program as a user meets it: its subcommands in a row, and what it says to mistakes.

usage: program_test.py PROGRAM
"""

import array
import json
import os
import pathlib
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from program import PROGRAM, TestCase, seq2seq

ENGLISH = "a the red blue big small dog cat runs sleeps house tree".split()
GERMAN = "ein der rote blaue große kleine Hund Katze rennt schläft Haus Baum".split()


def write_corpus(folder, name, count, seed):
    """Sentences of three to seven words, translated word by word."""
    draw = random.Random(seed)
    words = [[draw.randrange(len(ENGLISH)) for _ in range(draw.randint(3, 7))] for _ in range(count)]
    for language, lexicon in (("en", ENGLISH), ("de", GERMAN)):
        text = "".join(" ".join(lexicon[word] for word in sentence) + "\n" for sentence in words)
        (folder / f"{name}.{language}").write_text(text, encoding="utf-8")


def read_tensors(path):
    """The values of a safetensors file of floats, by name."""
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header, values = json.loads(raw[8:8 + size]), raw[8 + size:]
    return {name: array.array("f", values[slice(*entry["data_offsets"])]) for name, entry in header.items()
            if name != "__metadata__"}


def rewrite_header(path, change):
    """Changes the header of a safetensors file, a dictionary, and keeps the values."""
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    change(header)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + raw[8 + size:])


class ProgramTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        write_corpus(cls.folder, "train", 2000, seed=1)
        write_corpus(cls.folder, "val", 50, seed=2)
        write_corpus(cls.folder, "test", 40, seed=3)
        cls.tokenizer = cls.folder / "joint.model"
        learned = seq2seq("tokenizer", "train", "-i", cls.folder / "train.en", "-i", cls.folder / "train.de",
                          "-m", cls.tokenizer, "--vocab-size", "60")
        assert learned.returncode == 0, learned.stderr
        cls.run_folder = cls.folder / "run"
        trained = cls.train("train.max_updates=250")
        assert trained.returncode == 0, trained.stderr
        cls.progress = trained.stderr.decode()

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    @classmethod
    def settings(cls, run=None):
        """Of a model that learns word-by-word translation in seconds."""
        text = cls.folder
        return [f"train.run={run or cls.run_folder}", f"data.train=[{text}/train.en,{text}/train.de]",
                f"data.valid=[{text}/val.en,{text}/val.de]", f"data.source_tokenizer={cls.tokenizer}",
                f"data.target_tokenizer={cls.tokenizer}", "data.batch.size=50",
                "model.encoder.embedding=24", "model.encoder.hidden=24", "model.encoder.dropout=0",
                "model.decoder.embedding=24", "model.decoder.hidden=48", "model.decoder.dropout=0",
                "train.schedule.kind=inverse_sqrt", "train.schedule.learning_rate=0.01", "train.schedule.warmup=50",
                "train.report_every=50", "train.validate_every=125", "train.label_smoothing=0",
                "train.precision=fp32"]  # On every processor.

    @classmethod
    def train(cls, *overrides, run=None, **options):
        return seq2seq("train", *cls.settings(run), *overrides, **options)

    # The way through.

    def test_training_reports_and_learns(self):
        self.assertIn("tok/s", self.progress)
        self.assertIn("padding", self.progress)
        events = [json.loads(line) for line in (self.run_folder / "log.jsonl").read_text().splitlines()]
        bleu = [event["bleu"] for event in events if event["event"] == "validation"]
        self.assertEqual(len(bleu), 2)
        self.assertGreater(bleu[1], bleu[0])
        self.assertGreater(bleu[1], 60)

    def test_decode_and_eval_agree_with_the_validation_of_training(self):
        output = self.folder / "val.output"
        decoded = seq2seq("decode", "-m", self.run_folder, "-i", self.folder / "val.en", "-o", output)
        self.assertEqual(decoded.returncode, 0, decoded.stderr)
        scored = seq2seq("eval", "-i", output, "-r", self.folder / "val.de", "--format", "json")
        events = [json.loads(line) for line in (self.run_folder / "log.jsonl").read_text().splitlines()]
        best = max(event["bleu"] for event in events if event["event"] == "validation")
        self.assertAlmostEqual(json.loads(scored.stdout)["bleu"]["score"], best, places=6)

    def write_lines(self, name, *lines):
        path = self.folder / name
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return path

    def test_eval_tokenizes_as_moses(self):
        files = ["-i", self.write_lines("moses", "Wie geht's „Dr. Weiß.“ heute"),
                 "-r", self.write_lines("moses.0", "wie geht's \"Dr. Weiß\". heute")]
        # Pairs of tokens that match: German moves the quotation mark, Czech does not.
        for tokenize, language, matches in (("moses", "de", 4 / 9), ("moses-norm", "de", 1), ("moses-norm", "cs", 6 / 9)):
            scored = seq2seq("eval", *files, "--metric", "bleu", "--tokenize", tokenize, "--language", language,
                             "--lowercase", "--format", "json")
            self.assertEqual(scored.returncode, 0, scored.stderr)
            bleu = json.loads(scored.stdout)["bleu"]
            self.assertIn(f"|case:lc|eff:no|tok:{tokenize}-{language}|", bleu["signature"])
            self.assertAlmostEqual(bleu["precisions"][1], 100 * matches)

    def test_eval_scores_captions(self):
        files = ["-i", self.write_lines("caption", "A dog jumps high!", "Two men talk."),
                 "-r", self.write_lines("caption.0", "a dog - jumps high", "two men"),
                 "-r", self.write_lines("caption.1", "", "two women sit down")]
        text = seq2seq("eval", *files, "--metric", "caption")
        self.assertEqual(text.returncode, 0, text.stderr)
        # Of 7 words match 6, of 5 pairs 4, of 3 triples 2, of 1 quadruple 1; 4 + 2 is the closest length.
        # METEOR: 6 matches of 7 and of 6 words, 2 runs: 60/61 (1 - 1/54). ROUGE-L: 1 and 2.44 * 2/3 / (1 + 0.96).
        # CIDEr-D: 10 and, all words weighing the same, 10/4 (2 / sqrt(6) + 1 / sqrt(2)) and 10/4 (1 / sqrt(12)) with
        # the two references, both for one word of difference times exp(-1/72).
        self.assertEqual(text.stdout.decode().split(" nrefs:")[0],
                         "BLEU-1 = 85.71, BLEU-2 = 82.81, BLEU-3 = 77.03, BLEU-4 = 82.23, METEOR (exact+stem) = 96.54, "
                         "ROUGE-L = 91.50, CIDEr-D = 6.1171 (ratio 1.167, distinct 100.0)")
        self.assertIn(" nrefs:var|case:lc|norm:caption|stem:english|", text.stdout.decode())
        as_json = seq2seq("eval", *files, "--metric", "caption", "--stemmer", "german", "--format", "json")
        self.assertEqual(as_json.returncode, 0, as_json.stderr)
        scores = json.loads(as_json.stdout)["caption"]
        self.assertAlmostEqual(scores["bleu_1"], 600 / 7)
        self.assertAlmostEqual(scores["length_ratio"], 7 / 6)
        self.assertEqual(scores["distinct"], 100)
        self.assertGreater(scores["cider"], scores["cider_d"])
        self.assertIn("stem:german", scores["signature"])
        self.assertEqual(set(scores), {"bleu_1", "bleu_2", "bleu_3", "bleu_4", "meteor_exact_stem", "rouge_l", "cider_d",
                                       "cider", "length_ratio", "distinct", "signature"})

    def test_eval_counts_right_lines(self):
        files = ["-i", self.write_lines("labels", "de", "fr", "en", "de"),
                 "-r", self.write_lines("labels.0", "de", "en", "en", "it")]
        text = seq2seq("eval", *files, "--metric", "accuracy")
        self.assertEqual(text.returncode, 0, text.stderr)
        self.assertTrue(text.stdout.decode().startswith("accuracy = 50.00 (2 of 4 lines right) nrefs:1|"), text.stdout)
        as_json = seq2seq("eval", *files, "--metric", "accuracy", "--format", "json")
        self.assertEqual(json.loads(as_json.stdout)["accuracy"]["right_lines"], 2)

    def test_a_label_is_a_target_of_one_word(self):
        for part in ("train", "val"):
            sentences = (self.folder / f"{part}.en").read_text().splitlines()
            (self.folder / f"{part}.label").write_text(
                "".join("dog\n" if "dog" in sentence.split() else "none\n" for sentence in sentences))
        labels, run = self.folder / "labels.model", self.folder / "labeller"
        learned = seq2seq("tokenizer", "train", "--type", "word", "-i", self.folder / "train.label", "-m", labels)
        self.assertEqual(learned.returncode, 0, learned.stderr)
        trained = self.train(f"data.train=[{self.folder}/train.en,{self.folder}/train.label]",
                             f"data.valid=[{self.folder}/val.en,{self.folder}/val.label]",
                             f"data.target_tokenizer={labels}", "data.filter.max_ratio=0", "train.metric=accuracy",
                             "model.decoder.input_feeding=false", "validation.beam=1", "validation.max_length=1",
                             "train.max_updates=125", run=run)
        self.assertEqual(trained.returncode, 0, trained.stderr)
        output = self.folder / "val.labels"
        decoded = seq2seq("decode", "-m", run, "-i", self.folder / "val.en", "-o", output, "-b", "1", "--max-length", "1")
        self.assertEqual(decoded.returncode, 0, decoded.stderr)
        scored = seq2seq("eval", "-i", output, "-r", self.folder / "val.label", "--metric", "accuracy", "--format", "json")
        accuracy = json.loads(scored.stdout)["accuracy"]
        events = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        validated = [event["accuracy"] for event in events if event["event"] == "validation"]
        self.assertEqual(len(validated), 1)
        self.assertAlmostEqual(validated[0], 2 * accuracy["right_lines"])
        self.assertGreater(validated[0], 90)

    def test_the_start_says_which_way_the_parts_compute(self):
        if "fused" not in self.progress:
            self.skipTest("built without the kernels")
        self.assertIn("fused encoder, fused decoder", self.progress)
        for setting, text in (("model.encoder.cell=layer_norm_lstm", "encoder step by step, fused decoder"),
                              ("model.decoder.attention=multi_head", "fused encoder, decoder step by step")):
            trained = self.train("train.max_updates=1", setting, run=self.folder / setting)
            self.assertEqual(trained.returncode, 0, trained.stderr)
            self.assertIn(text, trained.stderr.decode())

    def test_momentum_does_not_begin_in_the_middle_of_a_run(self):
        run = self.folder / "momentum"
        sgd = ["train.optimizer.kind=sgd", "train.schedule.learning_rate=0.1"]
        self.assertEqual(self.train(*sgd, "train.max_updates=1", run=run).returncode, 0)
        self.assert_fails(self.train(*sgd, "train.max_updates=2", "train.optimizer.momentum=0.9", run=run),
                          "train.optimizer.momentum = 0", "0.9", "another train.run")

    def test_a_language_model_learns_scores_goes_on_and_helps_to_translate(self):
        run = self.folder / "language-model"
        def settings(*more):
            return [*self.settings(run)[:1], f"data.train=[{self.folder}/train.de]", f"data.valid=[{self.folder}/val.de]",
                    *self.settings(run)[4:], "model.source=none", "model.decoder.attention=none", *more]
        self.assert_fails(seq2seq("train", *settings()), "train.metric", "loss or perplexity", "bleu")
        self.assert_fails(seq2seq("train", *settings("train.metric=loss", "data.sampling.source=true")),
                          "data.sampling.source")
        trained = seq2seq("train", *settings("train.metric=perplexity", "train.max_updates=125"))
        self.assertEqual(trained.returncode, 0, trained.stderr)
        self.assertEqual("fused decoder" in trained.stderr.decode(), "fused decoder" in self.progress)
        valid = self.folder / "val.de"
        scored = seq2seq("score", "-m", run, "-t", valid)
        self.assertEqual(scored.returncode, 0, scored.stderr)
        self.assertEqual(len(scored.stdout.splitlines()), 50)
        events = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        perplexity = [event["perplexity"] for event in events if event["event"] == "validation"][-1]
        self.assertIn(f"perplexity {perplexity:.2f}", scored.stderr.decode())
        self.assert_fails(seq2seq("score", "-m", run, "-s", valid, "-t", valid), "--source", "has no source")
        self.assert_fails(seq2seq("score", "-m", self.run_folder, "-t", valid), "--source")
        said = seq2seq("decode", "-m", run, "--sample", "--max-length", "30", stdin="der rote\n\n")
        self.assertEqual(said.returncode, 0, said.stderr)
        lines = said.stdout.decode().split("\n")
        self.assertTrue(lines[0].startswith("der rote "), lines)
        self.assertNotEqual(lines[1], "")
        for flags in (["--attention"], ["--format", "html"], ["--coverage-penalty", "0.2"]):
            self.assert_fails(seq2seq("decode", "-m", run, *flags, stdin="der\n"), run, "no attention", flags[0])
        fused = seq2seq("decode", "-m", self.run_folder, "--language-model", run, "-i", self.folder / "val.en",
                        "--format", "jsonl")
        self.assertEqual(fused.returncode, 0, fused.stderr)
        plain = seq2seq("decode", "-m", self.run_folder, "-i", self.folder / "val.en", "--format", "jsonl")
        self.assertNotEqual(fused.stdout, plain.stdout)
        self.assert_fails(seq2seq("decode", "-m", self.run_folder, "--language-model", self.run_folder,
                                  stdin="a\n"), "not a language model")

    def test_text_pretrains_an_encoder_that_decodes_nothing_itself(self):
        masked = self.folder / "masked"
        words = self.folder / "train.en"
        pretrained = seq2seq("train", "train.objective=masked", f"train.run={masked}", f"data.train=[{words}]",
                             f"data.valid=[{self.folder / 'val.en'}]", f"data.source_tokenizer={self.tokenizer}",
                             "model.encoder.embedding=24", "model.encoder.hidden=24", "model.decoder.hidden=24",
                             "train.max_updates=3")
        self.assertEqual(pretrained.returncode, 0, pretrained.stderr)
        for command in (["decode", "-m", masked], ["score", "-m", masked, "-s", words, "-t", words]):
            self.assert_fails(seq2seq(*command), masked, "was trained with train.objective masked", "train.init_from")
        translates = self.train("train.max_updates=1", f"train.init_from={masked}", run=self.folder / "from_masked")
        self.assertEqual(translates.returncode, 0, translates.stderr)
        initialised = re.findall("initialised: (.*)", translates.stderr.decode())
        self.assertIn("bridge.dense.weight", initialised[0])
        self.assertNotIn("encoder.", initialised[0])

    def test_several_corpora_and_other_subwords(self):
        run, text = self.folder / "mixed", self.folder
        files = f"[{text}/train.en,{text}/train.de,{text}/val.en,{text}/val.de]"
        self.assert_fails(seq2seq("train", *self.settings(run), f"data.train={files}"), "data.train", "data.weights",
                          "4 files")
        trained = seq2seq("train", *self.settings(run), f"data.train={files}", "data.weights=[0.5,3]",
                          "data.sampling.source=true", "train.max_updates=4", "train.report_every=1")
        self.assertEqual(trained.returncode, 0, trained.stderr)
        log = trained.stderr.decode()
        self.assertIn("train.de: 2000 lines read", log)
        self.assertIn("val.de: 50 lines read", log)
        # 1,000 and 150 pairs of an epoch in batches of 50.
        self.assertRegex(log, r"update +1 \| epoch +0\.04")

    def test_eval_counts_errors(self):
        files = ["-i", self.write_lines("phonemes", "HH AH L OW", "AH"),
                 "-r", self.write_lines("phonemes.0", "HH EH L OW", "AH")]
        text = seq2seq("eval", *files, "--metric", "per", "--metric", "wer", "--metric", "cer")
        self.assertEqual(text.returncode, 0, text.stderr)
        end = r" nrefs:1\|case:mixed\|unit:token\|\S+"
        per, wer, cer = text.stdout.decode().splitlines()
        self.assertRegex(per, r"^PER = 20\.00, WER = 50\.00 \(1 errors in 5 phonemes, 1 of 2 words wrong\)" + end)
        self.assertRegex(wer, r"^WER = 20\.00, line error rate = 50\.00 \(1 errors in 5 words, 1 of 2 lines wrong\)" + end)
        self.assertRegex(cer, r"^CER = 8\.33, .*1 errors in 12 characters.*unit:character")
        as_json = seq2seq("eval", *files, "--metric", "per", "--format", "json")
        scores = json.loads(as_json.stdout)["per"]
        self.assertTrue(scores.pop("signature").startswith("nrefs:1|"))
        self.assertEqual(scores, {"score": 20, "line_error_rate": 50, "errors": 1, "reference_length": 5,
                                  "wrong_lines": 1, "lines": 2})
        # The best reference counts.
        both = seq2seq("eval", *files, "-r", self.write_lines("phonemes.1", "HH AH L OW", ""), "--metric", "per")
        self.assertIn("PER = 0.00, WER = 0.00", both.stdout.decode())

    def test_decode_keeps_the_order_and_empty_lines(self):
        result = seq2seq("decode", "-m", self.run_folder, stdin="the dog runs\n\n  \nthe cat sleeps\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.decode(), "der Hund rennt\n\n\nder Katze schläft\n")

    def test_decode_answers_a_line_before_the_next_is_there(self):
        with subprocess.Popen([PROGRAM, "decode", "-m", str(self.run_folder)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            for english, german in ((b"the dog\n", b"der Hund\n"), (b"the red cat\n", b"der rote Katze\n")):
                process.stdin.write(english)
                process.stdin.flush()
                self.assertEqual(process.stdout.readline(), german)
            process.stdin.close()
            self.assertEqual(process.wait(), 0)

    def test_scores_of_decode_are_those_of_score(self):
        source, target = self.folder / "test.en", self.folder / "greedy.de"
        decoded = seq2seq("decode", "-m", self.run_folder, "-i", source, "--format", "jsonl", "-b", "3")
        lines = [json.loads(line)["translations"][0] for line in decoded.stdout.decode().splitlines()]
        target.write_text("".join(line["text"] + "\n" for line in lines), encoding="utf-8")
        scored = seq2seq("score", "-m", self.run_folder, "-s", source, "-t", target)
        self.assertEqual(scored.returncode, 0, scored.stderr)
        scores = [float(line.split("\t")[0]) for line in scored.stdout.decode().splitlines()]
        self.assertEqual(len(scores), len(lines))
        for line, score in zip(lines, scores):
            self.assertAlmostEqual(line["score"], score, delta=1e-4)

    def test_an_ensemble_of_one_model_twice_translates_as_the_model(self):
        source = self.folder / "test.en"
        alone = seq2seq("decode", "-m", self.run_folder, "-i", source)
        twice = seq2seq("decode", "-m", self.run_folder, "-m", self.run_folder / "latest", "-m", self.run_folder,
                        "-i", source)
        self.assertEqual(twice.returncode, 0, twice.stderr)
        self.assertEqual(alone.stdout.count(b"\n"), twice.stdout.count(b"\n"))
        same = seq2seq("decode", "-m", self.run_folder, "-m", self.run_folder, "-i", source)
        self.assertEqual(same.stdout, alone.stdout)

    def test_html_shows_sentences_and_escapes_them(self):
        result = seq2seq("decode", "-m", self.run_folder, "--format", "html", stdin="the <b> dog\n\nthe cat\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        page = result.stdout.decode()
        self.assertEqual(page.count("<section>"), 3)
        self.assertIn("the &lt;b&gt; dog", page)
        self.assertNotIn("<b>", page)
        self.assertTrue(page.endswith("</html>\n"))

    def test_moses_n_best_lists(self):
        result = seq2seq("decode", "-m", self.run_folder, "-b", "4", "--n-best", "3", "--format", "moses",
                         stdin="the dog runs\na cat\n")
        rows = [line.split(" ||| ") for line in result.stdout.decode().splitlines()]
        self.assertEqual([row[0] for row in rows], ["0"] * 3 + ["1"] * 3)
        self.assertEqual(rows[0][1], "der Hund rennt")
        self.assertGreaterEqual(float(rows[0][3]), float(rows[1][3]))

    def test_which_word_became_which(self):
        result = seq2seq("decode", "-m", self.run_folder, "--format", "pharaoh", stdin="the dog runs\n\nthe cat\n")
        self.assertEqual(result.stdout.decode(), "0-0 1-1 2-2\n\n0-0 1-1\n")

    def test_requests_with_wishes(self):
        lines = [{"text": "the dog runs"}, {"text": "the dog runs", "prefix": "ein Katze"},
                 {"text": "the dog runs", "constraints": ["rote"]}]
        result = seq2seq("decode", "-m", self.run_folder, "--input-format", "jsonl", "--format", "jsonl", "--attention",
                         "--forbidden", "rennt", stdin="".join(json.dumps(line) + "\n" for line in lines))
        self.assertEqual(result.returncode, 0, result.stderr)
        found = [json.loads(line)["translations"][0] for line in result.stdout.decode().splitlines()]
        self.assertTrue(found[0]["text"].startswith("der Hund"))
        self.assertTrue(found[1]["text"].startswith("ein Katze"))
        self.assertIn("rote", found[2]["text"].split())
        for one in found:
            self.assertNotIn("rennt", one["text"].split())
            self.assertEqual(one["source_pieces"][-1], "</s>")
            self.assertEqual(len(one["attention"]), len(one["token_scores"]))
        path = self.folder / "requests.jsonl"
        for line, part in (('{"text": "a", "prefx": "b"}', "prefx"), ('{"text": "a"', "JSON"), ('{"text": ["a"]}', "text"),
                           ('{"text": "a", "beam": 3}', "flags")):
            path.write_text('{"text": "the dog"}\n' + line + "\n")
            self.assert_fails(seq2seq("decode", "-m", self.run_folder, "--input-format", "jsonl", "-i", path), f"{path}:2",
                              part)

    def test_lower_precisions_translate_alike(self):
        source = self.folder / "test.en"
        exact = seq2seq("decode", "-m", self.run_folder, "-i", source).stdout.decode().splitlines()
        for precision in ("bf16", "int8"):
            found = seq2seq("decode", "-m", self.run_folder, "-i", source, "--precision", precision)
            if found.returncode != 0:
                self.assert_fails(found, precision, "not supported")
                continue
            lines = found.stdout.decode().splitlines()
            same = sum(one == other for one, other in zip(exact, lines))
            self.assertEqual(len(lines), len(exact))
            self.assertGreater(same, 0.95 * len(exact))

    def test_exported_models_translate_alike(self):
        source = self.folder / "test.en"
        exact = seq2seq("decode", "-m", self.run_folder, "-i", source).stdout.decode().splitlines()
        for precision in ("fp32", "bf16", "int8"):
            exported = self.folder / f"exported-{precision}"
            result = seq2seq("export", "-m", self.run_folder, "-o", exported, "--precision", precision, "--shortlist")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("shortlist from 2000 pairs", result.stderr.decode())
            self.assertIn("translating 2000 sentences", result.stderr.decode())
            self.assert_fails(seq2seq("export", "-m", self.run_folder, "-o", exported), "--output", "exists already")
            found = seq2seq("decode", "-m", exported, "-i", source)
            self.assertEqual(found.returncode, 0, found.stderr)
            same = sum(one == other for one, other in zip(exact, found.stdout.decode().splitlines()))
            self.assertGreater(same, 0.95 * len(exact))
        sizes = [next((self.folder / f"exported-{precision}").glob("step-*/model.safetensors")).stat().st_size
                 for precision in ("fp32", "bf16", "int8")]
        self.assertGreater(sizes[0], 1.7 * sizes[1])
        self.assertGreater(sizes[1], 1.5 * sizes[2])

    def test_the_precision_that_a_run_began_with_binds_it(self):
        run = self.folder / "precision"
        result = self.train("train.max_updates=1", "train.precision=auto", run=run)
        self.assertEqual(result.returncode, 0, result.stderr)
        found = re.search(r"  precision: (\w+)", (run / "config.yaml").read_text()).group(1)
        self.assertIn(found, ("fp32", "bf16"))
        self.assertIn(f", {found},", result.stderr.decode())
        # On a processor without bf16.
        older = dict(os.environ, SEQ2SEQ_INSTRUCTION_SET="avx2")
        result = self.train("train.max_updates=2", "train.precision=auto", run=run, env=older)
        if found == "bf16":
            self.assert_fails(result, "train.precision=fp32")
            result = self.train("train.max_updates=2", "train.precision=fp32", run=run, env=older)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("  precision: fp32", (run / "config.yaml").read_text())
        # And fp32 stays fp32 where there is bf16.
        self.assertEqual(self.train("train.max_updates=3", "train.precision=auto", run=run).returncode, 0)
        self.assertIn("  precision: fp32", (run / "config.yaml").read_text())

    def test_int8_translates_alike_on_every_processor(self):
        source = self.folder / "test.en"
        outputs = []
        for instruction_set in ("avx2", "avx512", "avx512_vnni"):
            found = seq2seq("decode", "-m", self.run_folder, "-i", source, "--precision", "int8", "--format", "moses",
                            env=dict(os.environ, SEQ2SEQ_INSTRUCTION_SET=instruction_set))
            self.assertEqual(found.returncode, 0, found.stderr)
            outputs.append(found.stdout)
        self.assertEqual(outputs[0], outputs[1])
        self.assertEqual(outputs[0], outputs[2])

    def test_training_starts_from_another_run_and_from_vectors(self):
        run = self.folder / "tuned"
        vectors = self.folder / "vectors.txt"
        vectors.write_text("".join(f"{word} " + " ".join(["0.5"] * 24) + "\n" for word in ENGLISH))
        result = self.train("train.max_updates=1", f"train.init_from={self.run_folder}", run=run)
        self.assertEqual(result.returncode, 0, result.stderr)
        said = result.stderr.decode()
        self.assertIn("train.init_from: ", said)
        self.assertIn("tensors copied", said)
        # After a single update it is about as good as the run that it started from.
        before, after = (float(re.findall(r"valid.*loss ([\d.]+)", text)[-1]) for text in (self.progress, said))
        self.assertLess(after, before + 0.2)
        result = self.train("train.max_updates=1", f"train.source_vectors={vectors}", run=self.folder / "vectors")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr.decode(),
                         r"train.source_vectors: 12 words read, vectors for [1-9]\d* of \d+ subwords")
        result = self.train(f"train.init_from={self.folder / 'nowhere'}", run=self.folder / "other")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr.decode().splitlines()[-1], "train.init_from: .*nowhere: no such run folder")

    def test_average_of_steps_translates(self):
        run = self.folder / "steps"
        trained = self.train("train.max_updates=250", "train.keep_last=3", "train.validate_every=50", run=run)
        self.assertEqual(trained.returncode, 0, trained.stderr)
        result = seq2seq("average", "-m", run, "--last", "2", "-o", self.folder / "averaged")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("step-200", result.stderr.decode())
        self.assertIn("step-250", result.stderr.decode())
        source = self.folder / "test.en"
        decoded = seq2seq("decode", "-m", self.folder / "averaged", "-i", source)
        self.assertEqual(decoded.returncode, 0, decoded.stderr)
        self.assertEqual(decoded.stdout.count(b"\n"), 40)
        weights = [read_tensors(folder / "model.safetensors") for folder in
                   (run / "step-200", run / "step-250", next((self.folder / "averaged").glob("step-*")))]
        self.assertGreater(len(weights[2]), 5)
        for name, mean in weights[2].items():
            one, two = weights[0][name], weights[1][name]
            self.assertNotEqual(one, two, name)
            self.assertLess(max(abs((x + y) / 2 - z) for x, y, z in zip(one, two, mean)), 1e-5, name)
        self.assert_fails(seq2seq("average", "-m", run / "step-250", "-o", self.folder / "one"), "--model", "1 checkpoint")
        self.assert_fails(seq2seq("average", "-m", run, "-m", self.run_folder, "-o", self.folder / "two"), "another run")

        weights = run / "step-200" / "model.safetensors"
        def transpose(header):
            header["encoder.embedding.weight"]["shape"].reverse()
        rewrite_header(weights, transpose)
        average = ["average", "-m", run, "--last", "2", "-o", self.folder / "three"]
        self.assert_fails(seq2seq(*average), "step-250", "encoder.embedding.weight", "step-200", "[24, ", ", 24]")
        def rename(header):
            transpose(header)
            header["encoder.other"] = header.pop("encoder.embedding.weight")
        rewrite_header(weights, rename)
        self.assert_fails(seq2seq(*average), "step-250: has no tensor 'encoder.other'", "step-200")
        self.assertFalse((self.folder / "three").exists())

    def test_a_shortlist_needs_the_corpus(self):
        output = self.folder / "not-exported"
        self.assert_fails(seq2seq("export", "-m", self.run_folder, "-o", output, "--shortlist", "--corpus", "gone.en",
                                  "gone.de"), "gone.en")
        self.assertFalse(output.exists())

    def test_memory_bounds_batches_and_what_is_too_little_is_named(self):
        def least(result):
            self.assertEqual(result.returncode, 1, result.stderr)
            return int(re.search(rb"expected (?:more than|at least) the (\d+) bytes", result.stderr)[1])

        source = self.folder / "test.en"
        decode = ["decode", "-m", self.run_folder, "-i", source]
        too_little = seq2seq(*decode, "--memory", 1000)
        self.assert_fails(too_little, "--memory: ", "found 1000")
        whole, alone = seq2seq(*decode), seq2seq(*decode, "--memory", least(too_little) + 1)
        self.assertEqual(alone.returncode, 0, alone.stderr)
        self.assertEqual(alone.stdout, whole.stdout)

        def train(memory):
            run = self.folder / f"memory_{memory}"
            trained = self.train("train.max_updates=3", "train.report_every=1", f"train.memory={memory}", run=run)
            return run, trained

        def losses(memory):
            run, trained = train(memory)
            self.assertEqual(trained.returncode, 0, trained.stderr)
            self.assertIn(b"memory: up to about", trained.stderr)
            events = map(json.loads, (run / "log.jsonl").read_text().splitlines())
            return [event["loss"] for event in events if "loss" in event]

        _, too_little = train(1000)
        self.assertIn(b"train.memory: ", too_little.stderr)
        for one, other in zip(losses(least(too_little)), losses(0), strict=True):
            self.assertAlmostEqual(one, other, places=4)

    def test_samples_are_those_of_their_seed(self):
        def sample(seed):
            result = seq2seq("decode", "-m", self.run_folder, "--sample", "--n-best", "7", "--temperature", "3", "--seed",
                             seed, "--format", "moses", stdin="the dog runs\n")
            self.assertEqual(result.returncode, 0, result.stderr)
            return result.stdout
        self.assertEqual(sample(1).count(b"\n"), 7)
        self.assertEqual(sample(1), sample(1))
        self.assertNotEqual(sample(1), sample(2))

    def test_ends_cleanly_in_a_closed_pipe_and_when_interrupted(self):
        source = self.write_lines("many.en", *["the dog runs"] * 20_000)
        shell = subprocess.run(["bash", "-c", f"{PROGRAM} decode -m {self.run_folder} -b 1 -i {source} | head -1"],
                               capture_output=True, check=True)
        self.assertEqual((shell.stdout, shell.stderr), ("der Hund rennt\n".encode(), b""))
        output, part = self.folder / "interrupted.de", self.folder / "interrupted.de.part"
        with subprocess.Popen([PROGRAM, "decode", "-m", str(self.run_folder), "-o", str(output)], stdin=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdin.write(b"the dog\n" * 10)
            process.stdin.flush()
            while not part.exists() or part.read_text().count("\n") < 10:
                self.assertIsNone(process.poll(), "it ended too soon")
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=20), 1)
            self.assertIn(b"stopped by a signal after line 10; ", process.stderr.read())
        self.assertFalse(output.exists())
        self.assertEqual(part.read_text(), "der Hund\n" * 10)

    def test_tokenizer_encodes_and_decodes(self):
        text = "der Hund rennt\nein Haus\n"
        pieces = seq2seq("tokenizer", "encode", "-m", self.tokenizer, stdin=text).stdout
        self.assertEqual(seq2seq("tokenizer", "decode", "-m", self.tokenizer, stdin=pieces).stdout.decode(), text)
        ids = seq2seq("tokenizer", "encode", "--ids", "-m", self.tokenizer, stdin=text).stdout
        self.assertEqual(seq2seq("tokenizer", "decode", "--ids", "-m", self.tokenizer, stdin=ids).stdout.decode(), text)

    def test_inspect_counts_the_parameters(self):
        table = seq2seq("inspect", self.run_folder).stdout.decode()
        self.assertRegex(table, r"encoder\.forward_0\.weight_hh +\[96, 24\] +2,304\n")
        self.assertIn("train:", table)
        weights = seq2seq("inspect", self.run_folder / "best" / "model.safetensors").stdout.decode()
        self.assertTrue(table.endswith(weights))

    def test_inspect_shows_the_layers_of_a_configuration(self):
        config = self.run_folder / "config.yaml"
        result = seq2seq("inspect", "-c", config, "train.freeze=[decoder.embedding]")
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = result.stdout.decode().splitlines()
        rows = {line.split()[0]: line for line in lines}
        self.assertIn("[batch, source, ", rows["encoder.embedding"])
        self.assertRegex(rows["encoder.forward_0"], r" LSTM +\[batch, source, \d+\] ")
        embedding = rows["decoder.embedding"].split()
        self.assertEqual((embedding[-3], embedding[-2]), (embedding[-1], "0"))
        stored = seq2seq("inspect", self.run_folder).stdout.decode().splitlines()[-1]
        counts = [rows["total"].split()[1], lines[-1].split()[1]]
        self.assertEqual(sum(int(count.replace(",", "")) for count in counts), int(stored.split()[-1].replace(",", "")))
        self.assert_fails(seq2seq("inspect"), "--config")
        self.assert_fails(seq2seq("inspect", self.run_folder, "train.seed=2"), "train.seed=2", "--config")
        self.assert_fails(seq2seq("inspect", "-c", config, "model.encoder.hiden=3"), "model.encoder.hiden", "did you mean")

    def test_dumped_configuration_reads_back_to_itself(self):
        dumped = seq2seq("train", "--dump-config", *self.settings()).stdout
        path = self.folder / "dumped.yaml"
        path.write_bytes(dumped)
        self.assertEqual(seq2seq("train", "-c", path, "--dump-config").stdout, dumped)
        self.assertIn(b"# ", dumped)

    # Going on.

    def test_a_stopped_run_ends_as_one_that_was_not(self):
        run = self.folder / "stopped"
        with subprocess.Popen([PROGRAM, "train", *self.settings(run), "train.max_updates=250"],
                              stderr=subprocess.PIPE) as process:
            while b"update     50 " not in process.stderr.readline():
                self.assertIsNone(process.poll())
            process.send_signal(signal.SIGTERM)
            self.assertIn(b"stopped on request", process.communicate()[1])
            self.assertEqual(process.returncode, 0)
        stopped = json.loads((run / "latest" / "trainer.json").read_text())
        self.assertLess(stopped["update"], 250)
        result = self.train("train.max_updates=250", run=run)
        self.assertIn(f"resuming after update {stopped['update']}", result.stderr.decode())
        self.assertEqual((run / "latest" / "model.safetensors").read_bytes(),
                         (self.run_folder / "latest" / "model.safetensors").read_bytes())

    def test_a_killed_run_goes_on_from_its_last_save(self):
        run = self.folder / "killed"
        with subprocess.Popen([PROGRAM, "train", *self.settings(run), "train.save_every=20"],
                              stderr=subprocess.PIPE) as process:
            while b"update     50 " not in process.stderr.readline():
                self.assertIsNone(process.poll())
            process.kill()
        (run / "half.1.tmp").mkdir()
        result = self.train("train.max_updates=80", run=run)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr.decode(), "resuming after update (40|60)")
        self.assertEqual([path.name for path in run.iterdir() if path.suffix == ".tmp"], [])

    def test_two_trainings_do_not_share_a_run(self):
        run = self.folder / "shared"
        with subprocess.Popen([PROGRAM, "train", *self.settings(run)], stderr=subprocess.PIPE) as process:
            while b"update" not in process.stderr.readline():
                self.assertIsNone(process.poll())
            self.assert_fails(self.train(run=run), run, "in use by another process")
            process.kill()

    # Mistakes.

    def test_configuration_mistakes_name_file_line_and_key(self):
        path = self.folder / "wrong.yaml"
        path.write_text("train:\n  seed: 1\nmodel:\n  decoder:\n    hiden: 3\n")
        self.assert_fails(seq2seq("train", "-c", path), f"{path}:5", "model.decoder.hiden", "model.decoder.hidden")
        path.write_text("train:\n  seed: many\n")
        self.assert_fails(seq2seq("train", "-c", path), f"{path}:2", "train.seed", "integer", "many")
        self.assert_fails(self.train("train.sede=2"), "train.sede", "train.seed")
        self.assert_fails(self.train("model.encoder.dropout=1.5"), "model.encoder.dropout", "1.5")

    def test_missing_and_unequal_text(self):
        missing = self.folder / "none.de"
        english = self.folder / "train.en"
        self.assert_fails(self.train(f"data.train=[{english},{missing}]", run=self.folder / "new"), missing)
        short = self.folder / "short.de"
        short.write_text("ein Hund\n")
        self.assert_fails(self.train(f"data.train=[{english},{short}]", run=self.folder / "new"), english, short,
                          "2000", "1")
        short.write_text("")
        self.assert_fails(self.train(f"data.train=[{short},{short}]", run=self.folder / "new"), short)

    def test_mistakes_in_eval(self):
        two, one = self.write_lines("two", "a", "b"), self.write_lines("one", "a")
        for metric in ("bleu", "caption", "wer"):
            self.assert_fails(seq2seq("eval", "-i", two, "-r", one, "--metric", metric), two, one, "2", "1")
        self.assert_fails(seq2seq("eval", "-i", one, "-r", one, "--metric", "ter"), "--metric", "ter", "caption")
        self.assert_fails(seq2seq("eval", "-i", one, "-r", one, "--metric", "caption", "--stemmer", "klingon"),
                          "klingon", "english")
        self.assert_fails(seq2seq("eval", "-i", one, "-r", one, "--tokenize", "moses", "--language", "tlh"),
                          "--language", "tlh", "cs", "de", "en", "fr")

    def test_a_run_of_another_configuration_is_left_alone(self):
        before = (self.run_folder / "config.yaml").read_bytes()
        self.assert_fails(self.train("model.decoder.hidden=96"), self.run_folder, "model.decoder.hidden", "48", "96")
        self.assertEqual((self.run_folder / "config.yaml").read_bytes(), before)

    def test_damaged_weights(self):
        damaged = self.folder / "damaged"
        (damaged / "best").mkdir(parents=True)
        for name in ("config.yaml", "source.model", "target.model"):
            (damaged / name).write_bytes((self.run_folder / name).read_bytes())
        whole = (self.run_folder / "best" / "model.safetensors").read_bytes()
        for contents in (b"", whole[:100], whole[:-1], b"\xff" * 200):
            (damaged / "best" / "model.safetensors").write_bytes(contents)
            self.assert_fails(seq2seq("decode", "-m", damaged, stdin="the dog\n"), damaged / "best")

    def test_not_a_run_folder(self):
        self.assert_fails(seq2seq("decode", "-m", self.folder / "none"), self.folder / "none")
        self.assert_fails(seq2seq("decode", "-m", self.folder), self.folder, "config.yaml")

    def test_decode_bears_any_text(self):
        result = seq2seq("decode", "-m", self.run_folder, "-b", "1", stdin=b"the \xff dog\n" + b"dog " * 100_000 + b"\n\x00\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.count(b"\n"), 3)
        self.assertIn("not UTF-8", result.stderr.decode())
        self.assertIn("cut to 1000", result.stderr.decode())
        shorter = seq2seq("decode", "-m", self.run_folder, "-b", "1", "--max-line-length", "10", stdin="dog " * 11 + "\n")
        self.assertIn("a line of 11 subwords is cut to 10", shorter.stderr.decode())

    def test_unknown_flags_and_commands(self):
        self.assert_fails(seq2seq("decode", "-m", self.run_folder, "--bean", "5"), "unknown flag '--bean'",
                          "mean '--beam'", "seq2seq decode --help")
        self.assert_fails(seq2seq("decode", "--modle=x", "-b", "5"), "unknown flag '--modle'", "mean '--model'")
        self.assert_fails(seq2seq("decode", "--wibble"), "unknown flag '--wibble'; see")
        self.assert_fails(seq2seq("trian"), "unknown subcommand 'trian'", "mean 'train'")
        self.assert_fails(seq2seq("tokenizer", "lern"), "unknown subcommand 'lern'", "seq2seq tokenizer --help")
        self.assert_fails(seq2seq("decode", "-m", self.run_folder, "input.txt"), "input.txt", "seq2seq decode --help")
        self.assert_fails(seq2seq("decode", "-b", "many", "-m", "x"), "--beam", "many")
        self.assert_fails(seq2seq("tokenizer"), "subcommand")
        self.assert_fails(seq2seq(), "subcommand")

    def test_wrong_files_are_named(self):
        """A missing one, a folder, an empty one, and one of another kind, wherever a file is read."""
        missing, empty = self.folder / "missing", self.write_lines("empty")
        text, model, run = self.folder / "test.en", self.tokenizer, self.run_folder
        for wrong, part in ((missing, "No such file"), (self.folder, "folder")):
            for command in (["decode", "-m", run, "-i", wrong], ["score", "-m", run, "-s", wrong, "-t", text],
                            ["score", "-m", run, "-s", text, "-t", wrong], ["eval", "-i", wrong, "-r", text],
                            ["eval", "-i", text, "-r", wrong], ["tokenizer", "train", "-i", wrong, "-m", missing],
                            ["tokenizer", "encode", "-m", model, "-i", wrong],
                            ["tokenizer", "decode", "-m", model, "-i", wrong]):
                self.assert_fails(seq2seq(*command), wrong, part)
        for wrong in (missing, self.folder, empty, text):
            self.assert_fails(seq2seq("tokenizer", "encode", "-m", wrong), wrong)
            self.assert_fails(seq2seq("inspect", wrong), wrong)
            self.assert_fails(seq2seq("decode", "-m", wrong), wrong)
        self.assert_fails(seq2seq("train", "-c", missing), missing)
        self.assert_fails(seq2seq("train", "-c", self.folder), self.folder)
        self.assertFalse(missing.exists())

    def test_nothing_to_score_is_a_mistake(self):
        empty = self.write_lines("empty")
        for metric in ("bleu", "chrf", "accuracy", "caption"):
            self.assert_fails(seq2seq("eval", "-i", empty, "-r", empty, "--metric", metric), empty, "nothing to score")
        self.assert_fails(seq2seq("eval", "-r", empty), "standard input", "nothing to score")
        self.assert_fails(seq2seq("score", "-m", self.run_folder, "-s", empty, "-t", empty), empty, "nothing to score")

    def test_a_full_device_is_never_passed_over(self):
        source = self.write_lines("two.en", "the dog", "the cat")
        for command in (["--help"], ["--version"], ["train", "--help"], ["train", "--dump-config"],
                        ["decode", "-m", self.run_folder, "-i", source], ["inspect", self.run_folder], ["manual"],
                        ["score", "-m", self.run_folder, "-s", source, "-t", source],
                        ["eval", "-i", source, "-r", source], ["tokenizer", "encode", "-m", self.tokenizer, "-i", source],
                        ["tokenizer", "decode", "-m", self.tokenizer, "-i", source]):
            with open("/dev/full", "wb") as full:
                result = subprocess.run([PROGRAM, *map(str, command)], stdout=full, stderr=subprocess.PIPE, check=False)
            self.assert_fails(result, "standard output: cannot write")

    def test_a_model_without_attention_shows_none(self):
        run = self.folder / "blind"
        self.assertEqual(self.train("train.max_updates=1", "model.decoder.attention=none", run=run).returncode, 0)
        for flags in (["--attention"], ["--format", "pharaoh"], ["--format", "html"], ["--coverage-penalty", "0.1"]):
            self.assert_fails(seq2seq("decode", "-m", run, *flags, stdin="the dog\n"), run, "no attention", flags[0])
        text = self.folder / "test.en"
        self.assert_fails(seq2seq("score", "-m", run, "-s", text, "-t", text, "--coverage-penalty", "0.1"), run,
                          "--coverage-penalty", "no attention")
        self.assertEqual(seq2seq("decode", "-m", run, "-b", "1", stdin="the dog\n").returncode, 0)
        mixed = ["decode", "-m", run, "-m", self.run_folder, "--format", "pharaoh"]
        self.assertEqual(seq2seq(*mixed, stdin="the dog\n").returncode, 0, "one of them attends")

    def test_nothing_of_a_file_reaches_the_terminal_as_it_is(self):
        header = json.dumps({"a\x1b[2Jb\nc": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
        path = self.folder / "hostile.safetensors"
        path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
        result = seq2seq("inspect", path)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"a\\x1b[2Jb\\x0ac  ", result.stdout)
        config = self.folder / "hostile.yaml"
        config.write_text('"a\\e[2Jb": 1\n')
        self.assert_fails(seq2seq("train", "-c", config), "a\\x1b[2Jb")
        self.assert_fails(seq2seq("decode", "-m", "no\x1b[2J\nrun"), "no\\x1b[2J\\x0arun")

    def test_mistakes_in_learning_a_tokenizer_are_seen_at_once(self):
        text, model = self.folder / "train.en", self.folder / "wrong.model"
        learn = ["tokenizer", "train", "-i", text, "-m"]
        self.assert_fails(seq2seq(*learn, self.folder), self.folder, "is a folder")
        self.assert_fails(seq2seq(*learn, "/dev/null"), "/dev/null", "stream")
        self.assertTrue(os.stat("/dev/null").st_rdev, "a device is not replaced")
        self.assert_fails(seq2seq(*learn, model, "--symbol", "<a>", "--symbol", "<a>"), "'<a>'", "twice")
        space = self.write_lines("space", "\u3000", "\u00a0 \u2003", "\u200b")
        self.assert_fails(seq2seq("tokenizer", "train", "-t", "unigram", "-i", space, "-m", model), space, "no text")
        self.assertFalse(model.exists())

    def test_manual_and_completion_tell_of_every_flag(self):
        page = seq2seq("manual").stdout.decode().replace("\\-", "-")
        script = self.folder / "completion"
        script.write_bytes(seq2seq("manual", "--format", "bash").stdout)
        def complete(*words):
            shell = f'source {script}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _seq2seq; echo "${{COMPREPLY[@]}}"'
            result = subprocess.run(["bash", "-c", shell, "bash", "seq2seq", *words], capture_output=True, check=True)
            self.assertEqual(result.stderr, b"")
            return result.stdout.decode().split()
        commands = [[]]
        for command in commands:  # Which grows.
            text = seq2seq(*command, "--help").stdout.decode()
            self.assertIn(".SS " + " ".join(["seq2seq", *command]) + "\n", page)
            section = page.split(".SS " + " ".join(["seq2seq", *command]) + "\n")[1].split("\n.SS ")[0]
            flags = set(re.findall(r"(?m)^  (?:-\w,)?(--[\w-]+)", text))
            self.assertIn("--help", flags)
            for flag in flags:
                self.assertIn(flag, complete(*command, "-"), command)
                self.assertRegex(section, rf"(?m)^\\fB.*{flag}\b", command)
            below = re.findall(r"(?m)^  (\w+) ", text.partition("Subcommands:")[2])
            commands += [[*command, name] for name in below]
            self.assertLessEqual(set(below), set(complete(*command, "")))
        self.assertGreater(len(commands), 10)
        self.assertEqual(complete("decode", "--format", "m"), ["moses"])
        self.assertEqual(complete("dec"), ["decode"])
        self.assertEqual(complete("decode", "-m", "run", "-i", "fi"), [], "a file")

    def test_help_everywhere(self):
        for command in ([], ["train"], ["decode"], ["score"], ["eval"], ["inspect"], ["tokenizer"],
                        ["tokenizer", "train"], ["tokenizer", "encode"], ["tokenizer", "decode"]):
            result = seq2seq(*command, "--help")
            self.assertEqual(result.returncode, 0)
            self.assertIn("--help", result.stdout.decode())


if __name__ == "__main__":
    unittest.main()
