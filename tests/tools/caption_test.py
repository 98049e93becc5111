#!/usr/bin/env python3
"""Captions from images to HTML, as a user meets them.

usage: caption_test.py PROGRAM
"""

import html.parser
import itertools
import json
import pathlib
import random
import struct
import subprocess
import tempfile
import unittest

from program import PROGRAM, TestCase, seq2seq

SIZE = 32
COLORS = {"red": (230, 30, 20), "green": (20, 200, 40), "blue": (30, 40, 220), "yellow": (230, 220, 30)}
PLACES = {"top left": (0, 0), "top right": (0, 16), "bottom left": (16, 0), "bottom right": (16, 16)}


def picture(color, place, draw):
    """A PPM file: a square of the color in a quarter of a grey ground, both with some noise."""
    top, left = PLACES[place]
    pixels = bytearray()
    for row in range(SIZE):
        for column in range(SIZE):
            inside = top <= row < top + 16 and left <= column < left + 16
            base = COLORS[color] if inside else (120, 120, 120)
            pixels += bytes(max(0, min(255, value + draw.randint(-20, 20))) for value in base)
    return b"P6\n%d %d\n255\n" % (SIZE, SIZE) + bytes(pixels)


def means(ppm):
    """A .npy file of the mean color and the coordinates of each of 4 x 4 places: [channels, rows, columns]."""
    pixels = ppm[-SIZE * SIZE * 3:]
    values = []
    for channel in range(3):
        for row, column in itertools.product(range(0, SIZE, 8), repeat=2):
            cells = [pixels[((row + i) * SIZE + column + j) * 3 + channel] for i in range(8) for j in range(8)]
            values.append(sum(cells) / 64 / 255)
    values += [place // 4 / 4 for place in range(16)] + [place % 4 / 4 for place in range(16)]
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 4, 4), }"
    header = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack("<80f", *values)


class Tags(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.count, self.text = {}, ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1

    def handle_data(self, data):
        self.text += data


class CaptionTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        draw = random.Random(1)
        for folder in ("images", "features"):
            (cls.folder / folder).mkdir()
        cls.names = {"train": [], "valid": []}
        for part, copies in (("train", 8), ("valid", 2)):
            lines = []
            for copy, color, place in itertools.product(range(copies), COLORS, PLACES):
                name = f"{part}-{copy}-{color}-{place.replace(' ', '-')}"
                ppm = picture(color, place, draw)
                (cls.folder / "images" / name).write_bytes(ppm)
                (cls.folder / "features" / name).write_bytes(means(ppm))
                lines += [f"{name}\t{color} {place}", f"{name}\t{place} {color}"]
                cls.names[part].append(name)
            if part == "train":
                lines += ["missing\tred top left", "damaged\tred top left", "train-0-red-top-left\t"]
            (cls.folder / f"{part}.tsv").write_text("".join(line + "\n" for line in lines))
        (cls.folder / "images" / "damaged").write_bytes(b"no image")
        (cls.folder / "features" / "damaged").write_bytes(b"no features")
        (cls.folder / "captions.txt").write_text(
            "".join(line.split("\t")[1] + "\n" for line in (cls.folder / "train.tsv").read_text().splitlines()))
        cls.words = cls.folder / "words.model"
        learned = seq2seq("tokenizer", "train", "--type", "word", "-i", cls.folder / "captions.txt", "-m", cls.words)
        assert learned.returncode == 0, learned.stderr
        cls.run_folder = cls.folder / "run"
        cls.trained = cls.train("features", cls.run_folder, "model.image.network.kind=features",
                                "train.max_updates=300", "train.validate_every=150")
        assert cls.trained.returncode == 0, cls.trained.stderr.decode()

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    @classmethod
    def train(cls, images, run, *overrides):
        return seq2seq(
            "train", f"train.run={run}", "model.source=image", f"data.images={cls.folder / images}",
            f"data.train=[{cls.folder / 'train.tsv'}]", f"data.valid=[{cls.folder / 'valid.tsv'}]",
            f"data.target_tokenizer={cls.words}", "data.batch.size=32", f"model.image.input.size={SIZE}",
            "model.image.hidden=32", "model.image.dropout=0", "model.decoder.embedding=16", "model.decoder.hidden=32",
            "model.decoder.dropout=0", "train.schedule.learning_rate=0.01", "train.schedule.warmup=50",
            "train.label_smoothing=0", *overrides)

    def described(self, run, images, *flags):
        paths = "".join(f"{self.folder / images / name}\n" for name in self.names["valid"])
        return seq2seq("decode", "-m", run, *flags, stdin=paths)

    def share_right(self, run, images):
        lines = self.described(run, images).stdout.decode().splitlines()
        self.assertEqual(len(lines), len(self.names["valid"]))
        right = 0
        for name, line in zip(self.names["valid"], lines):
            _, _, color, row, column = name.split("-")
            right += line in (f"{color} {row} {column}", f"{row} {column} {color}")
        return right / len(lines)

    def test_learns_from_features(self):
        self.assertGreater(self.share_right(self.run_folder, "features"), 0.9)

    def test_learns_from_pixels(self):
        run = self.folder / "pixels"
        trained = self.train("images", run, "model.image.network.width=8", "model.image.network.blocks=1",
                             "data.augment.jitter=0.1", "train.max_updates=150", "train.validate_every=150")
        self.assertEqual(trained.returncode, 0, trained.stderr.decode())
        self.assertGreater(self.share_right(run, "images"), 0.5)

    def test_names_counts_and_skips_images_that_cannot_be_read(self):
        log = self.trained.stderr.decode()
        self.assertIn("features/missing: ", log)
        self.assertIn("features/damaged: ", log)
        self.assertIn("162 images, 2 left out", log)
        self.assertIn("259 lines read, 256 kept", log)

    def test_validation_counts_the_captions_of_an_image_as_references(self):
        events = [json.loads(line) for line in (self.run_folder / "log.jsonl").read_text().splitlines()]
        best = max(event["bleu"] for event in events if event["event"] == "validation")
        output = self.folder / "valid.output"
        output.write_bytes(self.described(self.run_folder, "features").stdout)
        captions = [line.split("\t")[1] for line in (self.folder / "valid.tsv").read_text().splitlines()]
        for i in range(2):
            (self.folder / f"valid.{i}").write_text("".join(line + "\n" for line in captions[i::2]))
        scored = seq2seq("eval", "-i", output, "-r", self.folder / "valid.0", "-r", self.folder / "valid.1",
                         "--metric", "bleu", "--format", "json")
        self.assertAlmostEqual(json.loads(scored.stdout)["bleu"]["score"], best, places=6)

    def test_features_are_computed_once_and_a_run_goes_on(self):
        cache = self.run_folder / "cache" / "features"
        before = cache.stat().st_mtime_ns
        again = self.train("features", self.run_folder, "model.image.network.kind=features", "train.max_updates=310")
        self.assertEqual(again.returncode, 0, again.stderr.decode())
        self.assertIn("resuming after update", again.stderr.decode())
        self.assertEqual(cache.stat().st_mtime_ns, before)

    def test_decode_names_what_it_cannot_read_and_goes_on(self):
        good = self.folder / "features" / self.names["valid"][0]
        lines = f"{self.folder / 'none'}\n{good}\n\n{self.folder / 'features' / 'damaged'}\n{good}\n"
        result = seq2seq("decode", "-m", self.run_folder, stdin=lines)
        self.assertEqual(result.returncode, 0)
        said = result.stdout.decode().split("\n")
        self.assertEqual([bool(line) for line in said], [False, True, False, False, True, False])
        self.assertEqual(result.stderr.count(b"\n"), 2)
        self.assertIn(f"{self.folder / 'none'}: ", result.stderr.decode())
        self.assertIn("damaged: ", result.stderr.decode())

    def test_decode_of_a_folder_as_ls_lists_it(self):
        listed = subprocess.run(["bash", "-c", f"ls {self.folder}/features/* | {PROGRAM} decode -m {self.run_folder}"],
                                capture_output=True, check=True).stdout.decode().splitlines()
        names = sorted(path.name for path in (self.folder / "features").iterdir())
        self.assertEqual(len(listed), len(names))
        found = dict(zip(names, listed))
        self.assertEqual(found.pop("damaged"), "")
        self.assertNotIn("", found.values())
        alone = self.described(self.run_folder, "features").stdout.decode().splitlines()
        self.assertEqual([found[name] for name in self.names["valid"]], alone)

    def test_scores_agree(self):
        jsonl = self.described(self.run_folder, "features", "--format", "jsonl").stdout.decode().splitlines()
        best = [json.loads(line)["translations"][0] for line in jsonl]
        paths, texts = self.folder / "paths", self.folder / "texts"
        paths.write_text("".join(f"{self.folder / 'features' / name}\n" for name in self.names["valid"]))
        texts.write_text("".join(translation["text"] + "\n" for translation in best))
        scored = seq2seq("score", "-m", self.run_folder, "--source", paths, "--target", texts)
        self.assertEqual(scored.returncode, 0, scored.stderr.decode())
        for line, translation in zip(scored.stdout.decode().splitlines(), best):
            self.assertAlmostEqual(float(line.split()[0]), translation["score"], places=4)

    def test_page_holds_images_and_words(self):
        run = self.folder / "images.run"
        trained = self.train("images", run, "model.image.network.width=4", "model.image.network.blocks=1",
                             "train.max_updates=20")
        self.assertEqual(trained.returncode, 0, trained.stderr.decode())
        result = self.described(run, "images", "--format", "html")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        page = result.stdout.decode()
        tags = Tags(page)
        self.assertEqual(tags.count["section"], len(self.names["valid"]))
        self.assertEqual(page.count(";base64,"), len(self.names["valid"]))
        self.assertIn(self.names["valid"][0], tags.text)

    def test_mistakes_name_the_key(self):
        run = self.folder / "mistake"
        self.assert_fails(self.train("none", run), "none: no such folder of images")
        self.assert_fails(self.train("images", run, "data.images="), "data.images")
        self.assert_fails(self.train("images", run, "model.image.network.kind=torchscript"),
                          "model.image.network.path")
        wrong = self.folder / "captions.txt"
        self.assert_fails(self.train("images", run, "model.image.network.kind=torchscript",
                                     f"model.image.network.path={wrong}"), "model.image.network", "--allow-scripts")
        self.assert_fails(self.train("images", run, "model.image.network.kind=torchscript", "--allow-scripts",
                                     f"model.image.network.path={wrong}"), "model.image.network", "not a TorchScript module")
        self.assert_fails(self.train("images", run, "model.image.network.kind=onnx",
                                     f"model.image.network.path={self.words}"), "model.image.network")
        self.assert_fails(self.train("features", run, "model.image.network.kind=features", "data.augment.flip=true"),
                          "data.augment", "model.image.network.kind is features")
        self.assert_fails(self.train("images", run, "data.augment.flip=true", "data.augment.views=2"),
                          "data.augment.views", "the image network is trained")


if __name__ == "__main__":
    unittest.main()
