#!/usr/bin/env python3
"""Comparison of several systems by `seq2seq eval`.

usage: eval_test.py PROGRAM
"""

import html.parser
import json
import pathlib
import re
import tempfile
import unittest

from program import TestCase, seq2seq

REFERENCE = ["the cat sat on the mat", "two dogs play in the snow", "a red car is parked", "a woman sings"] * 5
BETTER = ["the cat sat on the mat", "two dogs play in snow", "a red car is parked", "a woman sings"] * 5
WORSE = ["the cat sits at the mat", "two dogs play in snow", "a car parks", "a man sings"] * 5


class Tables(html.parser.HTMLParser):
    """Rows of cells of a page, and the tags that are open."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)


class ComparisonTest(TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.reference = self.write("reference", REFERENCE)
        self.better = self.write("better", BETTER)
        self.worse = self.write("worse", WORSE)

    def write(self, name, lines):
        path = self.folder / name
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return path

    def compare(self, *arguments, systems=None):
        files = [word for path in systems or (self.worse, self.better) for word in ("-i", path)]
        result = seq2seq("eval", *files, "-r", self.reference, *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.decode()

    def test_scores_are_those_of_each_system_alone(self):
        both = json.loads(self.compare("--format", "json"))
        self.assertEqual(both["systems"], [str(self.worse), str(self.better)])
        for number, system in enumerate((self.worse, self.better)):
            alone = json.loads(seq2seq("eval", "-i", system, "-r", self.reference, "--format", "json").stdout)
            for metric, name in zip(both["metrics"], ("bleu", "chrf")):
                self.assertAlmostEqual(metric["systems"][number]["score"], alone[name]["score"])
                self.assertEqual(metric["signature"], alone[name]["signature"])

    def test_a_difference_on_most_lines_is_significant(self):
        bleu = json.loads(self.compare("--format", "json"))["metrics"][0]["systems"]
        self.assertNotIn("bootstrap_p", bleu[0])  # The first is what others are compared with.
        for test in ("bootstrap_p", "randomization_p"):
            self.assertLess(bleu[1][test], 0.01)
        self.assertLess(bleu[0]["mean"] + bleu[0]["confidence"], bleu[1]["mean"] - bleu[1]["confidence"])

    def test_a_small_difference_is_not(self):
        almost = self.write("almost", ["the cat sits on the mat", "two dogs play in the snow", *BETTER[2:]])
        bleu = json.loads(self.compare("--format", "json", systems=(self.better, almost)))["metrics"][0]["systems"]
        self.assertGreater(bleu[1]["randomization_p"], 0.3)

    def test_equal_outputs_have_no_probability(self):
        bleu = json.loads(self.compare("--format", "json", systems=(self.better, self.better)))["metrics"][0]["systems"]
        self.assertNotIn("bootstrap_p", bleu[1])
        self.assertIn("-", self.compare(systems=(self.better, self.better)).splitlines()[3].split())

    def test_every_metric_compares(self):
        metrics = ("bleu", "chrf", "chrf++", "caption", "accuracy", "f1", "wer", "cer", "per")
        names = [metric["name"] for metric in json.loads(self.compare(
            "--format", "json", "--samples", "20", *(word for metric in metrics for word in ("--metric", metric))))["metrics"]]
        self.assertEqual(names, ["BLEU", "chrF2", "chrF2++", "BLEU", "METEOR (exact+stem)", "ROUGE-L", "CIDEr-D", "accuracy",
                                 "F1", "WER", "CER", "PER"])

    def test_a_metric_of_captions_alone(self):
        text = seq2seq("eval", "-i", self.better, "-r", self.reference, "--metric", "cider", "--metric", "f1").stdout.decode()
        caption = seq2seq("eval", "-i", self.better, "-r", self.reference, "--metric", "caption").stdout.decode()
        self.assertIn(text.splitlines()[0].split(" nrefs")[0], caption)
        self.assertTrue(text.splitlines()[1].startswith("F1 = 75.00 nrefs:1|"), text)

    def test_lines_that_differ_most_come_first(self):
        examples = json.loads(self.compare("--format", "json", "--examples", "3"))["examples"]
        self.assertEqual([example["line"] for example in examples], [3, 7, 11])
        self.assertEqual(examples[0]["reference"], "a red car is parked")
        self.assertEqual(examples[0]["outputs"], ["a car parks", "a red car is parked"])
        self.assertEqual(examples[0]["chrf"][1], 100)

    def test_words_are_counted_in_the_text_of_frequencies(self):
        text = self.write("training", ["the cat", "the mat", "a a a a a a"])
        groups = json.loads(self.compare("--format", "json", "--frequencies", text))["by_frequency"]
        self.assertEqual([(group["first"], group["last"]) for group in groups], [(0, 0), (1, 1), (2, 4), (5, 9)])
        self.assertEqual(groups[1]["words"], 10)  # cat and mat.
        self.assertEqual(groups[1]["scores"], [100, 100])

    def test_all_formats_have_the_same_tables(self):
        text = self.compare().split("\n\n")
        markdown = self.compare("--format", "markdown")
        page = Tables(self.compare("--format", "html"))
        self.assertEqual(page.open, [])
        rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in markdown.splitlines()
                if line.startswith("| ")]
        self.assertEqual([row for row in page.rows if row], [[cell.strip() for cell in row] for row in rows])
        self.assertEqual(text[0].splitlines()[0].split()[0], "BLEU")
        self.assertEqual(re.split("  +", text[0].splitlines()[2]), rows[1])

    def test_one_system_has_tables_in_markdown(self):
        self.assertIn("| score |", self.compare("--format", "markdown", systems=(self.better,)))

    def test_mistakes_name_the_file(self):
        short = self.write("short", REFERENCE[1:])
        self.assert_fails(seq2seq("eval", "-i", self.better, "-i", short, "-r", self.reference), short, 19, 20)
        self.assert_fails(seq2seq("eval", "-i", self.better, "-i", self.worse, "-r", self.reference, "--frequencies",
                                  self.folder / "none"), self.folder / "none")
        self.assert_fails(seq2seq("eval", "-i", self.better, "-r", self.reference, "--samples", "0"), "--samples", 0)



class SubwordsTest(TestCase):
    def test_bleu_of_subwords_is_that_of_text_split_before(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            for name, lines in (("out", WORSE), ("ref", REFERENCE)):
                (folder / name).write_text("\n".join(lines) + "\n")
            tokenizer = folder / "subwords.model"
            seq2seq("tokenizer", "train", "--type", "bpe", "--vocab-size", 50, "-i", folder / "ref", "-m", tokenizer)
            for name in ("out", "ref"):
                split = seq2seq("tokenizer", "encode", "-m", tokenizer, "-i", folder / name)
                (folder / f"{name}.split").write_bytes(split.stdout)
            texts = ("-i", folder / "out", "-r", folder / "ref", "--metric", "bleu", "--format", "json")
            scored = seq2seq("eval", *texts, "--tokenize", "subwords", "--tokenizer", tokenizer)
            self.assertEqual(scored.returncode, 0, scored.stderr)
            bleu = json.loads(scored.stdout)["bleu"]
            self.assertIn("tok:subwords", bleu["signature"])
            before = seq2seq("eval", "-i", folder / "out.split", "-r", folder / "ref.split", "--metric", "bleu", "--format", "json",
                             "--tokenize", "none")
            self.assertEqual(bleu["score"], json.loads(before.stdout)["bleu"]["score"])
            table = seq2seq("eval", *texts, "-i", folder / "ref", "--tokenize", "subwords", "--tokenizer", tokenizer)
            self.assertEqual(table.returncode, 0, table.stderr)
            self.assert_fails(seq2seq("eval", *texts, "--tokenize", "subwords"), "--tokenizer")
            self.assert_fails(seq2seq("eval", *texts, "--tokenizer", tokenizer), "--tokenize subwords")

if __name__ == "__main__":
    unittest.main()
