#!/usr/bin/env python3
"""Tests of recipes/caption: the corpus of emoji, and the page of captions."""

import base64
import html.parser
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPE = ROOT / "recipes" / "caption"
sys.dont_write_bytecode = True
sys.path[:0] = [str(RECIPE.parent), str(RECIPE)]

import debian_package  # noqa: E402  (found by the line above)
import emoji_names  # noqa: E402
import emoji_split  # noqa: E402
import repository  # noqa: E402
import tiny_emoji_font  # noqa: E402
from script import Failure  # noqa: E402

TONES = [chr(code) for code in range(0x1F3FB, 0x1F400)]
TONE_NAMES = ["light", "medium-light", "medium", "medium-dark", "dark"]
GRIN, WOMAN, MAN, CHILD, SNOWBOARDER = "\U0001f600", "\U0001f469", "\U0001f468", "\U0001f9d2", "\U0001f3c2"
JOINER, ENGINE, RED_HEART = "\u200d", "\U0001f692", "\u2764"


def python_with_pillow():
    """Returns a Python that can draw: this one, or Debian's own."""
    for python in (sys.executable, "/usr/bin/python3"):
        probe = [python, "-c", "from PIL import features; raise SystemExit(not features.check('raqm'))"]
        if os.path.exists(python) and subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return python
    return None


def cldr(folder, language, annotations, derived):
    """Writes the two files of a language; annotations are pairs of characters and name."""
    for kind, pairs in (("annotations", annotations), ("annotationsDerived", derived)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        (folder / kind / f"{language}.xml").write_text(
            '<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE ldml SYSTEM "../../common/dtd/ldml.dtd">\n'
            "<ldml>\n<annotations>\n" + "".join(
                f'<annotation cp="{characters}">keyword | another</annotation>\n'
                f'<annotation cp="{characters}" type="tts">{name}</annotation>\n' for characters, name in pairs)
            + "</annotations>\n</ldml>\n", encoding="utf-8")


class ScratchTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)


class NamesTest(ScratchTest):
    def read(self, *pairs):
        cldr(self.scratch, "en", pairs, [])
        return emoji_names.read(self.scratch, "en")

    def expect_failure(self, message, *pairs):
        with self.assertRaises(Failure) as raised:
            self.read(*pairs)
        self.assertEqual(str(raised.exception), message.format(self.scratch / "annotations" / "en.xml"))

    def test_reads_the_names_of_both_files(self):
        cldr(self.scratch, "en", [("&lt;", "less-than"), (GRIN, "grinning &amp; happy")],
             [(WOMAN + TONES[0], "woman: light skin tone")])
        self.assertEqual(emoji_names.read(self.scratch, "en"), {
            "<": "less-than", GRIN: "grinning & happy", WOMAN + TONES[0]: "woman: light skin tone"})

    def test_a_variation_selector_makes_no_second_emoji(self):
        self.assertEqual(self.read((RED_HEART, "red heart"), (RED_HEART + "\ufe0f", "red heart, once more")),
                         {RED_HEART: "red heart"})

    def test_leaves_out_what_a_variety_of_a_language_inherits(self):
        self.assertEqual(self.read((GRIN, "↑↑↑"), (WOMAN, "lady")), {WOMAN: "lady"})

    def test_errors_name_file_line_and_value(self):
        self.expect_failure("{}:8: the name of " + WOMAN + " is ' ', not a text without tabs and line breaks",
                            (GRIN, "grin"), (WOMAN, " "))
        self.expect_failure("{}:6: the name of " + GRIN + " is 'a\\tb', not a text without tabs and line breaks",
                            (GRIN, "a&#9;b"))
        self.expect_failure("{}:6: an annotation without cp, the characters that it names", ("", "nothing"))
        self.expect_failure("{}:6: mismatched tag", (GRIN, "<b>"))
        with self.assertRaisesRegex(Failure, r"xx\.xml is missing: CLDR has no names of emoji in 'xx'"):
            emoji_names.read(self.scratch, "xx")


class SplitTest(unittest.TestCase):
    PEOPLE = [chr(0x1F466 + i) for i in range(12)]
    PAIRS = [JOINER.join(pair) for pair in (("\U0001faf1", "\U0001faf2"), (WOMAN, MAN), (MAN, MAN))]
    SINGLE = [GRIN, RED_HEART, *TONES]
    ALL = (SINGLE + PEOPLE + [person + tone for person in PEOPLE for tone in TONES]
           + [pair[0] + one + pair[1:] + two for pair in PAIRS for one in TONES for two in TONES if one != two])

    def split(self, trained_on=()):
        return emoji_split.split(self.ALL, trained_on)

    def test_parts_of_a_sequence(self):
        self.assertEqual(emoji_split.parts(WOMAN + TONES[4] + JOINER + ENGINE), (WOMAN + JOINER + ENGINE, TONES[4]))
        self.assertEqual(emoji_split.parts(TONES[1]), (TONES[1], ""))

    def test_every_sequence_is_in_one_part(self):
        self.assertEqual(sorted(sum(self.split(), [])), sorted(self.ALL))

    def test_holds_out_a_fifth_twice(self):
        people = [sequence for sequence in self.ALL if sequence[0] in self.PEOPLE and len(sequence) == 2]
        self.assertEqual([len(part) for part in emoji_split.split(people, ())], [36, 12, 12])

    def test_holds_out_new_combinations_of_known_parts(self):
        parts = self.split()
        known = {emoji_split.parts(sequence) for sequence in parts.train}
        for sequence in parts.dev + parts.test:
            who, tones = emoji_split.parts(sequence)
            self.assertTrue(tones)
            self.assertTrue(any(person == who and other for person, other in known))
            self.assertTrue(any(person != who and other == tones for person, other in known))

    def test_tones_that_nobody_else_has_are_trained_on(self):
        pair = self.PAIRS[0]
        alone = [pair[0] + one + pair[1:] + two for one in TONES for two in TONES if one != two]
        self.assertEqual(emoji_split.split(alone, ()).train, alone)

    def test_does_not_depend_on_the_order(self):
        backwards = emoji_split.split(self.ALL[::-1], ())
        self.assertEqual([sorted(part) for part in backwards], [sorted(part) for part in self.split()])

    def test_never_holds_out_what_must_be_trained_on(self):
        first = self.split().test[0]
        self.assertIn(first, self.split({first}).train)


class DebianPackageTest(ScratchTest):
    def run_with(self, apt_get):
        commands = {"apt-get": apt_get, "dpkg-deb": 'cp "$2" "$3"'}
        for name, text in commands.items():
            (self.scratch / name).write_text(f"#!/bin/sh\n{text}\n")
            (self.scratch / name).chmod(0o755)
        folder = self.scratch / "unpacked"
        folder.mkdir()
        with unittest.mock.patch.dict(os.environ, PATH=f"{self.scratch}:{os.environ['PATH']}"):
            debian_package.unpack(["font", "names"], folder)
        return sorted(path.name for path in folder.iterdir())

    def test_unpacks_what_apt_get_downloads(self):
        self.assertEqual(self.run_with('[ "$3" != download ] || touch "$4_1_all.deb" "$5_2_all.deb"'),
                         ["font_1_all.deb", "names_2_all.deb"])

    def test_says_what_apt_get_complains_of(self):
        with self.assertRaises(Failure) as raised:
            self.run_with('[ "$3" != download ] || touch font_1_all.deb\n'
                          'echo "E: Unable to locate package names" >&2; exit 100')
        self.assertEqual(str(raised.exception), "apt-get could not fetch names: Unable to locate package names")


class PrepareTest(ScratchTest):
    PEOPLE = {WOMAN: "woman", MAN: "man", CHILD: "child", WOMAN + JOINER + ENGINE: "woman firefighter"}

    def setUp(self):
        super().setUp()
        self.python = python_with_pillow()
        if not self.python:
            self.skipTest("no Python here has Pillow with Raqm (Debian: python3-pil)")
        self.folder = self.scratch / "out" / "emoji"

        tones = range(len(TONES))
        colours = {GRIN: (255, 255, 0), ENGINE: (255, 0, 0), SNOWBOARDER: (0, 0, 255), JOINER: (1, 1, 1),
                   RED_HEART: (255, 0, 1),  # All but the colour of the engine.
                   SNOWBOARDER + TONES[2]: (0, 0, 255), "\U0001f1e6\U0001f1f9": (40, 0, 0),
                   "\U0001f1e6": (1, 2, 3), "\U0001f1f9": (3, 2, 1), "\U0001f197": (40, 0, 0)}
        for row, person in enumerate(self.PEOPLE):
            colours[person] = (0, 60 * row, 250)
            colours.update({person[0] + TONES[tone] + person[1:]: (50 * tone, 60 * row, 20) for tone in tones})
        colours.update({TONES[tone]: (40 * tone, 7, 99) for tone in tones})
        self.colours = colours
        (self.scratch / "font.ttf").write_bytes(tiny_emoji_font.build(colours))

        base = [(GRIN, "grin"), (ENGINE, "fire engine"), (RED_HEART, "red heart"), ("{", "open bracket"),
                (SNOWBOARDER, "snowboarder"), ("\U0001f197", "OK"), (WOMAN, "woman"), (MAN, "man"), (CHILD, "child")]
        derived = [("\U0001f1e6\U0001f1f9", "flag: Austria"), (SNOWBOARDER + TONES[2], "snowboarder: medium skin tone"),
                   (MAN + JOINER + ENGINE, "man firefighter")]
        derived += [(person[0] + TONES[tone] + person[1:], f"{name}: {TONE_NAMES[tone]} skin tone")
                    for person, name in self.PEOPLE.items() for tone in tones]
        cldr(self.scratch / "common", "en", base, derived)
        cldr(self.scratch / "common", "de", [(characters, f"DE {name}") for characters, name in base],
             [(characters, f"DE {name}") for characters, name in derived])

    def prepare(self, *options):
        return subprocess.run([self.python, "-B", str(RECIPE / "prepare"), "--font", str(self.scratch / "font.ttf"),
                               "--cldr", str(self.scratch / "common"), *options, str(self.folder)],
                              capture_output=True, text=True, check=False)

    def table(self, name):
        return [tuple(line.split("\t")) for line in (self.folder / name).read_text(encoding="utf-8").splitlines()]

    def test_writes_tables_and_pictures_once(self):
        result = self.prepare("--languages", "en,de")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("32 emoji and symbols have a name: 32 in en, 32 in de\n", result.stderr)
        self.assertIn("29 of them are drawn, in 28 different pictures; dropped: ", result.stderr)
        for reason in ("without a glyph", "falling apart into several glyphs", "with a part that is not drawn"):
            self.assertIn(f"1 {reason}", result.stderr)
        self.assertIn("never held out: 1 pictures that have several names or share theirs, "
                      "2 that can hardly be told from another", result.stderr)
        self.assertIn("en: 21 train, 4 dev, 4 test\n", result.stderr)

        self.assertIn("complete already", self.prepare("--languages", "en,de").stderr)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["de", "en", "images"])

        captions = {}
        for part in ("train", "dev", "test"):
            english, german = self.table(f"en/{part}.tsv"), self.table(f"de/{part}.tsv")
            self.assertEqual([(image, f"DE {caption}") for image, caption in english], german)
            captions.update({caption: (part, image) for image, caption in english})
        self.assertEqual(captions["OK"], captions["flag: Austria"])
        self.assertEqual(len({image for _, image in captions.values()}), 28)
        self.assertEqual(captions["woman firefighter: dark skin tone"][1], "1f469-1f3ff-200d-1f692.png")
        # Each picture is that of its sequence, and found through the folder of each language.
        for part, image in captions.values():
            sequence = "".join(chr(int(code, 16)) for code in image[:-len(".png")].split("-"))
            png = (self.folder / "de" / "images" / image).read_bytes()
            self.assertEqual(png[16:26], b"\0\0\0\x80\0\0\0\x80\x08\x02")  # 128 x 128, 8 bits, RGB
            pixels = zlib.decompress(b"".join(re.findall(rb"IDAT(.*?)....(?:IEND|....IDAT)", png, re.DOTALL)))
            self.assertEqual(tuple(pixels[1:4]), self.colours[sequence])

    def test_the_split_is_the_same_for_all_languages(self):
        self.assertEqual(self.prepare("--languages", "en,de").returncode, 0)
        both = self.table("en/test.tsv")
        self.folder = self.scratch / "other"
        self.assertEqual(self.prepare("--languages", "en").returncode, 0)
        self.assertEqual(self.table("en/test.tsv"), both)

    def test_a_name_of_two_pictures_is_trained_on(self):
        path = self.scratch / "common" / "annotationsDerived" / "en.xml"
        text = path.read_text(encoding="utf-8")
        for name in TONE_NAMES:
            text = text.replace(f"child: {name} skin tone", f"Man: {name} skin tone")
        path.write_text(text, encoding="utf-8")
        result = self.prepare("--languages", "en")
        self.assertIn("never held out: 11 pictures", result.stderr)
        self.assertIn("en: 25 train, 2 dev, 2 test\n", result.stderr)

    def test_writes_nothing_when_there_is_too_little(self):
        cldr(self.scratch / "common", "en", [(GRIN, "grin")], [])
        result = self.prepare("--languages", "en")
        self.assertEqual(result.returncode, 1)
        self.assertIn("prepare: 1 pictures are too few to have some in each of train, dev and test\n", result.stderr)
        self.assertFalse(self.folder.exists())

    def test_says_what_is_wrong_with_the_font(self):
        (self.scratch / "font.ttf").write_bytes(b"no font")
        self.assertRegex(self.prepare("--languages", "en").stderr, r"font\.ttf is not a font with bitmaps of 109 ")
        (self.scratch / "font.ttf").write_bytes(tiny_emoji_font.build({WOMAN: (1, 1, 1), MAN: (2, 2, 2)}))
        self.assertRegex(self.prepare("--languages", "en").stderr, r"font\.ttf is not an emoji font: .* U\+1F600\n")

    def test_says_what_is_wrong_with_the_languages(self):
        self.assertIn("'en' is twice in 'en,en'", self.prepare("--languages", "en,en").stderr)
        self.assertIn("'' in 'en,' is not a language", self.prepare("--languages", "en,").stderr)


class PrepareWithoutPillowTest(ScratchTest):
    def test_says_where_pillow_comes_from(self):
        (self.scratch / "PIL.py").write_text('raise ImportError("no Pillow")\n')
        result = subprocess.run([sys.executable, "-B", str(RECIPE / "prepare"), str(self.scratch / "emoji")],
                                env={**os.environ, "PYTHONPATH": str(self.scratch)},
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, f"prepare: {sys.executable} cannot draw (no Pillow): ./setup installs "
                                        "Debian's python3-pil, which /usr/bin/python3 finds\n")


class PageParser(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.images = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_data(self, data):
        self.texts.append(data)


class PageTest(ScratchTest):
    def setUp(self):
        super().setUp()
        (self.scratch / "images").mkdir()
        for name in ("a.png", "b&\".jpg"):
            (self.scratch / "images" / name).write_bytes(f"bytes of {name}".encode())
        self.write("test.tsv", "a.png\ta <b>dog</b> & a cat\na.png\tTwo animals\nb&\".jpg\ta boat\n")
        self.write("out.txt", "two  animals\n<script>alert(1)</script>\n")

    def write(self, name, text):
        (self.scratch / name).write_text(text, encoding="utf-8")

    def page(self, *options):
        return subprocess.run([sys.executable, "-B", str(RECIPE / "page"), "test.tsv", "out.txt", "page.html",
                               *options], cwd=self.scratch, capture_output=True, text=True, check=False)

    def expect_failure(self, message):
        result = self.page()
        self.assertEqual((result.returncode, result.stderr), (1, f"page: {message}\n"))
        self.assertFalse((self.scratch / "page.html").exists())

    def test_holds_images_and_captions_and_escapes_them(self):
        result = self.page("--title", "Dogs & <cats>")
        self.assertEqual(result.returncode, 0, result.stderr)
        text = (self.scratch / "page.html").read_text(encoding="utf-8")
        page = PageParser(text)
        self.assertNotIn("script", page.tags)
        self.assertNotIn("b", page.tags)
        for shown in ("a <b>dog</b> & a cat", "Two animals", "a boat", "two  animals", "<script>alert(1)</script>",
                      "Dogs & <cats>", "2 images, 1 of them with a true caption word for word (50.0%)"):
            self.assertIn(shown, page.texts)
        self.assertEqual([image["alt"] for image in page.images], ["a.png", "b&\".jpg"])
        self.assertEqual([image["src"].split(",")[0] for image in page.images],
                         ["data:image/png;base64", "data:image/jpeg;base64"])
        self.assertEqual(base64.b64decode(page.images[1]["src"].split(",")[1]), b"bytes of b&\".jpg")
        self.assertEqual(text.count('<figure class="same">'), 1)
        self.assertNotRegex(text, r"(src|href)=\"(?!data:)")

    def test_shows_the_first_ones(self):
        self.assertEqual(self.page("--first", "1").returncode, 0)
        page = PageParser((self.scratch / "page.html").read_text(encoding="utf-8"))
        self.assertEqual(len(page.images), 1)
        self.assertIn("2 images, 1 of them with a true caption word for word (50.0%); the first 1 are shown",
                      page.texts)

    def test_says_when_the_counts_differ(self):
        self.write("out.txt", "one\n")
        self.expect_failure("out.txt has 1 captions, but test.tsv has 2 different images")

    def test_errors_name_file_line_and_value(self):
        self.write("test.tsv", "a.png\ta dog\na cat\n")
        self.expect_failure("test.tsv:2: 'a cat' is not an image, a tab and a caption")
        self.write("test.tsv", "a.png\ta dog\nc.png\ta cat\n")
        self.expect_failure("test.tsv: images/c.png is missing")
        (self.scratch / "images" / "c.txt").write_text("")
        self.write("test.tsv", "c.txt\ta cat\n")
        self.expect_failure("test.tsv: 'c.txt' is not an image that a page can show: .png, .jpg, .jpeg, .gif, .webp")
        self.write("test.tsv", "")
        self.expect_failure("test.tsv is empty")
        (self.scratch / "test.tsv").write_bytes(b"a.png\ta dog\na.png\t\xff\n")
        self.expect_failure("test.tsv:2: byte 0xff is not UTF-8")


class ArrangeTest(ScratchTest):
    def setUp(self):
        super().setUp()
        (self.scratch / "data" / "images").mkdir(parents=True)
        self.write("train.tsv", "".join(f"{i}.jpg\tA dog's ball-game no. {i}!\n{i}.jpg\tTwo\n" for i in range(100)))
        self.write("dev.tsv", "a.jpg\tA cat.\nb.jpg\tOne\nb.jpg\tEins \u2013 zwei\n")

    def write(self, name, text):
        (self.scratch / "data" / name).write_text(text, encoding="utf-8")

    def read(self, name):
        return (self.scratch / "out" / name).read_text(encoding="utf-8").splitlines()

    def arrange(self):
        return subprocess.run([sys.executable, "-B", str(RECIPE / "arrange"), "data", "out"], cwd=self.scratch,
                              capture_output=True, text=True, check=False)

    def expect_failure(self, message):
        result = self.arrange()
        self.assertEqual((result.returncode, result.stderr), (1, f"arrange: {message}\n"))
        self.assertFalse((self.scratch / "out").exists())

    def test_holds_images_of_train_out_where_there_is_no_test(self):
        self.assertEqual(self.arrange().returncode, 0)
        train, valid = ({line.split("\t")[0] for line in self.read(f"{part}.tsv")} for part in ("train", "valid"))
        self.assertEqual((len(train | valid), train & valid), (100, set()))
        self.assertTrue(0 < len(valid) < 15)
        self.assertIn("1.jpg\ta dogs ball game no 1", self.read("train.tsv") + self.read("valid.tsv"))

    def test_validates_with_dev_where_there_is_a_test(self):
        self.write("test.tsv", "c.jpg\tthree\n")
        self.assertEqual(self.arrange().returncode, 0)
        self.assertEqual(self.read("valid.tsv"), ["a.jpg\ta cat", "b.jpg\tone", "b.jpg\teins zwei"])
        self.assertEqual(len(self.read("train.tsv")), 200)
        self.assertEqual(self.read("measure/test.captions.1"), ["three"])

    def test_measures_each_image_once_with_all_its_captions(self):
        self.assertEqual(self.arrange().returncode, 0)
        self.assertEqual(self.read("measure/dev.images"), ["data/images/a.jpg", "data/images/b.jpg"])
        self.assertEqual(self.read("measure/dev.captions.1"), ["a cat", "one"])
        self.assertEqual(self.read("measure/dev.captions.2"), ["", "eins zwei"])

    def test_is_done_once_and_refuses_other_tables(self):
        self.assertEqual(self.arrange().returncode, 0)
        self.assertIn("complete already", self.arrange().stderr)
        self.write("dev.tsv", "a.jpg\tAnother cat.\n")
        result = self.arrange()
        self.assertEqual((result.returncode, result.stderr),
                         (1, "arrange: out was made from other data: remove it\n"))

    def test_errors_name_file_line_and_value(self):
        self.write("dev.tsv", "1.jpg\tA cat.\n")
        self.expect_failure("1.jpg is both in train.tsv and in dev.tsv")
        self.write("dev.tsv", "a.jpg\tA cat.\na cat\n")
        self.expect_failure("data/dev.tsv:2: 'a cat' is not an image, a tab and a caption")
        (self.scratch / "data" / "dev.tsv").unlink()
        self.expect_failure("data/dev.tsv is missing")


class RunTest(repository.RepositoryTest):
    def setUp(self):
        super().setUp()
        (self.data / "images").mkdir()
        for name in ("a.jpg", "b.jpg"):
            (self.data / "images" / name).write_bytes(b"pixels")
        (self.data / "train.tsv").write_text("".join(f"{i}.jpg\ta dog no {i}\n" for i in range(100)))
        (self.data / "dev.tsv").write_text("a.jpg\ta cat\nb.jpg\tone\nb.jpg\ttwo\n")

    def test_trains_measures_and_makes_a_page(self):
        result = self.run_recipe("caption", "--data", "corpus", "--minutes", "2", "--min-count", "2", "train.seed=7")
        self.assertEqual(result.returncode, 0, result.stderr)
        home, run = "work/caption/corpus", "work/caption/corpus/photographs"
        config = "-c recipes/caption/photographs.yaml"
        self.assertEqual(self.calls()[2:], [
            f"seq2seq train {config} train.max_minutes=2 train.seed=7 --dump-config",
            # "a", "dog" and "no".
            f"seq2seq tokenizer train --type word --vocab-size 7 --input {home}/captions.txt --model {home}/words-2.model",
            f"seq2seq train {config} train.run={run} train.max_minutes=2 data.images={self.data}/images "
            f"data.train=[{home}/data/train.tsv] data.valid=[{home}/data/valid.tsv] "
            f"data.target_tokenizer={home}/words-2.model train.seed=7",
            f"seq2seq decode -m {run} -i {home}/data/measure/dev.images -o {run}/dev.captions -b 5 --max-length 30",
            f"seq2seq eval -i {run}/dev.captions -r {home}/data/measure/dev.captions.1 "
            f"-r {home}/data/measure/dev.captions.2 --metric caption"])
        self.assertIn(f"\nimage      {self.data}/images/a.jpg\nreference  a cat\n", result.stdout)
        self.assertTrue((self.root / run / "dev.html").is_file())

    def test_allows_the_script_that_the_user_names(self):
        (self.data.parent / "net.pt").write_bytes(b"")
        result = self.run_recipe("caption", "--data", "corpus", "--network", "net.pt")
        self.assertEqual(result.returncode, 0, result.stderr)
        calls = [call.split() for call in self.calls() if "train.run=" in call or " decode " in call]
        self.assertEqual([(call[1], "--allow-scripts" in call) for call in calls], [("train", True), ("decode", True)])
        self.assertIn("photographs-net --allow-scripts --format html", result.stdout)

    def test_refuses_what_it_does_not_know_before_it_builds(self):
        for arguments in (["--epochs", "3"], ["corpus"], ["--minutes"], ["--config", "none.yaml"], ["--min-count", "few"],
                          ["--network", "none.pt"]):
            result = self.run_recipe("caption", *arguments)
            self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result.stderr)
        self.assertEqual(self.calls(), [])

    def test_names_a_language_that_the_emoji_do_not_have(self):
        (self.root / "recipes/caption/prepare").write_text("#!/bin/sh\nmkdir -p work/caption/emoji/en\n")
        result = self.run_recipe("caption", "--language", "ja")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, "run: work/caption/emoji has no language 'ja': move it away and run "
                         "./recipes/caption/prepare --languages en,de,fr,ja\n")


if __name__ == "__main__":
    unittest.main()
