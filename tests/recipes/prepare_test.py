#!/usr/bin/env python3
"""Tests of recipes/translate: the corpus of package descriptions, and fetching Multi30k."""

import gzip
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import unittest

RECIPE = pathlib.Path(__file__).resolve().parents[2] / "recipes" / "translate"
sys.dont_write_bytecode = True
sys.path.insert(0, str(RECIPE))

import descriptions  # noqa: E402  (found by the line above)
import debian_descriptions  # noqa: E402  (found by the one above)

ENGLISH = """\
Package: abook
Description-md5: 11
Description-en: text-based address book
 This is a program for
 addresses. It works e.g. in a terminal.
 .
 It reads:
  * files of
    mutt
  * files of pine
 .
 Screens:
   24 x 80
   50 x 132

Package: zebra
Description-md5: 22
Description-en: striped animal
 One paragraph.
 .
 Another paragraph.
"""

GERMAN = """\
Package: abook
Description-md5: 11
Description-de: Adressbuch im Textmodus
 Dies ist ein Programm für Adressen. Es läuft
 z.B. in einem Terminal.
 .
 Es liest:
  - Dateien von mutt
  - Dateien von pine
 .
 Bildschirme:
   24 mal 80
   50 mal 132

Package: zebra
Description-md5: 22
Description-de: gestreiftes Tier
 Ein einziger Absatz.

Package: gone
Description-md5: 33
Description-de: verschwunden
"""


def parse(text):
    return dict(debian_descriptions.parse(text.splitlines(keepends=True)))


def run(script, *arguments):
    return subprocess.run([sys.executable, "-B", str(RECIPE / script), *map(str, arguments)],
                          capture_output=True, text=True, check=False)


class ParseTest(unittest.TestCase):
    def test_joins_wrapped_lines_and_separates_paragraphs_and_items(self):
        self.assertEqual(parse(ENGLISH)["11"], debian_descriptions.Description("text-based address book", [
            ["This is a program for addresses. It works e.g. in a terminal."],
            ["It reads:", "files of mutt", "files of pine"],
            ["Screens:", "24 x 80", "50 x 132"]]))

    def test_joins_chinese_without_spaces(self):
        stanza = "Description-md5: 1\nDescription-zh_CN: 地址簿\n 第一\n 行 GNU\n 程序\n"
        self.assertEqual(parse(stanza)["1"].paragraphs, [["第一行 GNU 程序"]])

    def test_splits_sentences_but_not_at_abbreviations(self):
        self.assertEqual(debian_descriptions.sentences("Eins, z. B. Zwei. 3 Wege! »Vier?« Ja, e.g. Five"),
                         ["Eins, z. B. Zwei.", "3 Wege!", "»Vier?«", "Ja, e.g. Five"])
        self.assertEqual(debian_descriptions.sentences("version 1.2 of example.org"), ["version 1.2 of example.org"])
        self.assertEqual(debian_descriptions.sentences("一。二！"), ["一。", "二！"])


class PairsTest(unittest.TestCase):
    def test_pairs_title_paragraphs_items_and_sentences(self):
        pairs, _ = descriptions.pairs(parse(ENGLISH), parse(GERMAN))
        self.assertEqual(pairs[:6], [
            ("text-based address book", "Adressbuch im Textmodus"),
            ("This is a program for addresses.", "Dies ist ein Programm für Adressen."),
            ("It works e.g. in a terminal.", "Es läuft z.B. in einem Terminal."),
            ("It reads:", "Es liest:"),
            ("files of mutt", "Dateien von mutt"),
            ("files of pine", "Dateien von pine")])

    def test_pairs_only_the_title_where_paragraphs_differ_in_number(self):
        pairs, dropped = descriptions.pairs(parse(ENGLISH), parse(GERMAN))
        self.assertEqual(pairs[-1], ("striped animal", "gestreiftes Tier"))
        self.assertEqual(dropped["without an original"], 1)

    def test_pairs_nothing_where_sentences_differ_in_number(self):
        one = debian_descriptions.Description("a", [["One. Two."]])
        two = debian_descriptions.Description("b", [["Eins und zwei."]])
        self.assertEqual(list(descriptions.align(one, two)), [("a", "b")])

    def test_keeps_a_pair_once(self):
        twice = debian_descriptions.Description("one", [["One."], ["One."]])
        zwei = debian_descriptions.Description("eins", [["Eins."], ["Eins."]])
        pairs, dropped = descriptions.pairs({"1": twice}, {"1": zwei})
        self.assertEqual(pairs, [("one", "eins"), ("One.", "Eins.")])
        self.assertEqual(dropped, {"duplicate": 1})

    def test_names_why_a_pair_is_dropped(self):
        self.assertEqual(descriptions.why_unusable("the same", "the same"), "untranslated")
        self.assertEqual(descriptions.why_unusable("A text.", "<trans>"), "placeholder")
        self.assertEqual(descriptions.why_unusable("http://a.org/", "http://a.org/de"), "without words")
        self.assertEqual(descriptions.why_unusable("", "etwas"), "without words")
        self.assertEqual(descriptions.why_unusable("word", "ein sehr langer Satz, der mehr sagt"), "of unlike length")
        self.assertEqual(descriptions.why_unusable("A text.", "Ein Text."), "")


class SplitTest(unittest.TestCase):
    # Sources with two targets, and targets of several sources.
    PAIRS = [(f"s{i % 900}", f"t{i % 700}") for i in range(1000)]

    def test_parts_share_no_source_and_no_target(self):
        parts = descriptions.split(self.PAIRS, 50)
        for side in (0, 1):
            train, val, test = ({pair[side] for pair in part} for part in parts)
            self.assertFalse(train & val or train & test or val & test)
        self.assertLessEqual(set().union(*parts), set(self.PAIRS))
        self.assertEqual(len(parts.test), 50)
        self.assertGreater(len(parts.val), 40)

    def test_does_not_depend_on_the_order(self):
        first = descriptions.split(self.PAIRS, 50)
        second = descriptions.split(reversed(self.PAIRS), 50)
        self.assertEqual((first.val, first.test), (second.val, second.test))
        self.assertEqual(sorted(first.train), sorted(second.train))

    def test_holds_out_at_most_a_tenth_each(self):
        parts = descriptions.split(self.PAIRS, 1000)
        self.assertEqual(len(parts.test), 90)


class PatternsTest(unittest.TestCase):
    def test_masks_numbers_and_rare_words(self):
        training = [f"This package contains lib{name}-dev, version {i}." for i, name in enumerate("abcd")]
        patterns = descriptions.Patterns(training, rare=2)
        self.assertEqual(patterns.mask("This package contains foo bar, version 1.2."),
                         "this package contains * , version 0 .")
        self.assertTrue(patterns.knows("This package contains Foo::Bar, version 17."))
        self.assertFalse(patterns.knows("This package contains no version."))

    def test_a_pattern_without_words_is_not_known(self):
        self.assertFalse(descriptions.Patterns(["Screenshot", "Thumbnail"]).knows("Wallpaper"))


class PrepareTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.lists = pathlib.Path(scratch.name, "lists")
        self.folder = pathlib.Path(scratch.name, "out", "data")
        self.lists.mkdir()

    def write_lists(self, count):
        # apt's own way of writing the name of pt_BR.
        for language, file, word in (("en", "en", "number"), ("pt_BR", "pt%5fBR", "número")):
            text = "".join(f"Package: p{i}\nDescription-md5: {i:x}\nDescription-{language}: {word} {i}\n\n"
                           for i in range(count))
            (self.lists / f"mirror_dists_stable_main_i18n_Translation-{file}").write_text(text, encoding="utf-8")

    def prepare(self):
        return run("prepare", "--lists", self.lists, "--target", "pt_BR", self.folder)

    def test_writes_six_files_once(self):
        self.write_lists(100)
        result = self.prepare()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("80 train, 10 val, 10 test", result.stderr)
        self.assertIn("100.0% of the test sentences", result.stderr)
        lines = {path.name: path.read_text(encoding="utf-8").splitlines() for path in self.folder.iterdir()}
        self.assertEqual(len(lines), 6)
        for part in ("train", "val", "test"):
            self.assertEqual([line.replace("number", "número") for line in lines[f"{part}.en"]],
                             lines[f"{part}.pt_BR"])
        self.assertIn("complete already", self.prepare().stderr)

    def test_writes_nothing_when_there_is_too_little(self):
        self.write_lists(5)
        result = self.prepare()
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, "prepare: 5 sentence pairs in 'en' and 'pt_BR' are too few to train on\n")
        self.assertFalse(self.folder.exists())

    def test_does_not_touch_a_folder_of_something_else(self):
        self.write_lists(100)
        self.folder.mkdir(parents=True)
        (self.folder / "letter.txt").write_text("Dear Ada")
        self.assertEqual(self.prepare().returncode, 1)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["letter.txt"])


class FetchMulti30kTest(unittest.TestCase):
    TEXTS = {"train.en": b"A dog runs.\n", "train.de": b"Ein Hund rennt.\n"}

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.served = pathlib.Path(scratch.name, "served")
        self.served.mkdir()
        self.checksums = pathlib.Path(scratch.name, "checksums")
        self.folder = pathlib.Path(scratch.name, "out", "data")
        for name, text in self.TEXTS.items():
            (self.served / f"{name}.gz").write_bytes(gzip.compress(text))
        self.checksums.write_text("".join(
            f"{hashlib.sha256(text).hexdigest()}  {name}\n" for name, text in self.TEXTS.items()))

    def fetch(self):
        return run("fetch_multi30k", "--url", self.served.as_uri(), "--checksums", self.checksums, self.folder)

    def expect_failure(self, message):
        result = self.fetch()
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, message)
        self.assertEqual(result.stderr.count("\n"), 1)
        self.assertEqual(list(self.folder.parent.iterdir()), [])

    def test_writes_the_unpacked_texts_once(self):
        result = self.fetch()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual({path.name: path.read_bytes() for path in self.folder.iterdir()}, self.TEXTS)
        self.assertIn("complete already", self.fetch().stderr)

    def test_leaves_nothing_after_a_wrong_checksum(self):
        (self.served / "train.de.gz").write_bytes(gzip.compress(b"Eine Katze rennt.\n"))
        self.expect_failure("train.de.gz is not the file expected")

    def test_leaves_nothing_after_a_failed_download(self):
        (self.served / "train.de.gz").unlink()
        self.expect_failure("cannot fetch .*train.de.gz")

    def test_leaves_nothing_after_a_file_that_is_cut_off(self):
        path = self.served / "train.de.gz"
        path.write_bytes(path.read_bytes()[:-10])
        self.expect_failure("cannot fetch .*train.de.gz")


if __name__ == "__main__":
    unittest.main()
