#!/usr/bin/env python3
"""Test of the library as other projects get it: installed and found by find_package, from C++, C and Python."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(SOURCE / "tests" / "tools"))

import tiny_run  # pylint: disable=wrong-import-position

BUILD = pathlib.Path(sys.argv.pop())


def run(*arguments, **options):
    result = subprocess.run([str(argument) for argument in arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            check=False, **options)
    if result.returncode != 0:
        raise AssertionError(f"{arguments} failed:\n{result.stdout.decode()}\n{result.stderr.decode()}")
    return result.stdout.decode()


class InstallTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.prefix = cls.folder / "prefix"
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        # The installed program finds its libraries there.
        cls.program = cls.prefix / "bin" / "seq2seq"
        cls.trains = (cls.prefix / "libexec" / "seq2seq" / "seq2seq-torch").exists()
        cls.model = SOURCE / "tests" / "tools" / "run_folders" / "translate"
        cls.text = (cls.model.parent / "text.a").read_text().splitlines()[0]
        cls.build = cls.folder / "build"
        cls.build_outside(cls.build)
        cls.expected = run(cls.program, "decode", "-m", cls.model, input=cls.text.encode())
        assert cls.expected.strip(), "the model says nothing, which shows nothing"

    @classmethod
    def build_outside(cls, folder, *settings):
        run("cmake", "-S", SOURCE / "tests" / "install", "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
            f"-DCMAKE_PREFIX_PATH={cls.prefix}", *settings)
        run("cmake", "--build", folder)

    def test_programs_translate(self):
        for name in ("translate", "translate_shared", "translate_c"):
            with self.subTest(program=name):
                self.assertEqual(run(self.build / name, self.model, self.text), self.expected)

    def test_what_decodes_is_built_without_libtorch(self):
        build = self.folder / "without_libtorch"
        self.build_outside(build, "-DWITHOUT_LIBTORCH=ON", "-DCMAKE_DISABLE_FIND_PACKAGE_Torch=ON")
        self.assertFalse((build / "train").exists())
        self.assertEqual(run(build / "translate", self.model, self.text), self.expected)

    def test_translates_beside_libraries_with_their_own_protobuf(self):
        program = self.build / "translate_beside_others"
        if not program.exists():
            self.skipTest("built without training")
        linked = run("ldd", program)
        for library in ("libtorch", "libprotobuf.so"):
            self.assertIn(library, linked)
        self.assertEqual(run(program, self.model, self.text), self.expected)

    def test_what_decodes_links_no_libtorch(self):
        modules = [path for path in self.prefix.glob("lib*/**/*.so*") if not path.is_symlink()]
        self.assertGreaterEqual(len(modules), 2)
        programs = [self.build / name for name in ("translate", "translate_shared", "translate_c")]
        for file in (self.program, *modules, *programs):
            with self.subTest(file=file.name):
                self.assertNotRegex(run("ldd", file), "libtorch|libc10")

    def test_each_file_belongs_to_one_package(self):
        def files(prefix):
            return sorted(path.relative_to(prefix) for path in prefix.rglob("*") if not path.is_dir())

        packages = {}
        for package in ("program", "library", "images", "development", "training", "training_development"):
            prefix = self.folder / "packages" / package
            run("cmake", "--install", BUILD, "--prefix", prefix, "--component", package)
            packages[package] = files(prefix)
            if package != "images":  # Not every build has them.
                self.assertEqual(packages[package] != [], self.trains or not package.startswith("training"), package)
        self.assertEqual(sorted(sum(packages.values(), [])), files(self.prefix))
        self.assertIn(pathlib.Path("bin/seq2seq"), packages["program"])

    def test_the_readme_shows_these_programs(self):
        readme = (SOURCE / "README.md").read_text()
        for name in ("translate.cc", "train.cc"):
            self.assertIn(f"```cpp\n{(SOURCE / 'tests' / 'install' / name).read_text()}```\n", readme)

    def test_a_program_that_trains(self):
        if not self.trains:
            self.skipTest("built without training")
        folder = self.folder / "training"
        folder.mkdir()
        tiny_run.write_text(self.program, folder)
        for name, text in (("train.en", "text.a"), ("train.de", "text.b"), ("val.en", "text.a"), ("val.de", "text.b"),
                           ("joint.model", "words.model")):
            shutil.copy(folder / text, folder / name)
        output = run(self.build / "train", "train.max_updates=2", cwd=folder)
        self.assertIn("max_updates", output)
        run(self.program, "decode", "-m", folder / "runs" / "mine", input=b"a dog runs\n")

    def test_manual_page_and_completion(self):
        self.assertTrue((self.prefix / "share/man/man1/seq2seq.1").read_text().startswith(".TH SEQ2SEQ 1"))
        self.assertIn("complete ", (self.prefix / "share/bash-completion/completions/seq2seq").read_text())

    def test_the_installed_program_trains(self):
        if not self.trains:
            self.skipTest("built without training")
        folder = self.folder / "trained"
        folder.mkdir()
        run_folder = tiny_run.train(self.program, folder)
        self.assertEqual(run(self.program, "decode", "-m", run_folder, input=b"a dog runs\n"), "A DOG RUNS\n")

    def test_the_header_for_c_is_c99_and_shows_a_program(self):
        header = SOURCE / "seq2seq" / "c_api" / "seq2seq_c.h"
        example = header.read_text().split(" */", 1)[0]
        lines = [line.removeprefix(" *") for line in example.splitlines() if line.startswith(" *   ") or line == " *"]
        program = self.folder / "example.c"
        program.write_text("#include <stdio.h>\n#include \"seq2seq/c_api/seq2seq_c.h\"\nint main(void) {\n" + "\n".join(lines) +
                           "\n}\n")
        self.assertIn("seq2seq_search", program.read_text())
        run("cc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", f"-I{self.prefix}/include", program,
            header)

    def test_a_program_in_python(self):
        module = next(self.prefix.glob("lib*/**/seq2seq.py"))
        program = ("import sys, seq2seq\n"
                   "with seq2seq.Translator(sys.argv[1], threads=1) as translator:\n"
                   "    print(translator.translate([sys.argv[2]])[0][0].text)\n")
        environment = {**os.environ, "PYTHONPATH": str(module.parent)}
        environment.pop("SEQ2SEQ_LIBRARY", None)  # It finds the one beside it.
        self.assertEqual(run(sys.executable, "-c", program, self.model, "a dog runs", env=environment), self.expected)

    def test_a_project_that_has_it_inside_configures(self):
        output = run("cmake", "-S", SOURCE / "tests" / "install", "-B", self.folder / "inside", "-G", "Ninja",
                     f"-DSEQ2SEQ_SOURCE={SOURCE}", f"-DSEQ2SEQ_TRAINING={'ON' if self.trains else 'OFF'}")
        self.assertIn("Generating done", output)
        targets = run("ninja", "-C", self.folder / "inside", "-t", "targets", "all")
        self.assertIn("translate_shared", targets)
        self.assertNotIn("search_test", targets)  # The tests of seq2seq are not theirs.


if __name__ == "__main__":
    unittest.main()
