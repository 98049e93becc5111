"""A repository with the real recipes, and stand-ins for setup, CMake and seq2seq that write down how they are called."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

RECIPES = pathlib.Path(__file__).resolve().parents[2] / "recipes"

RECORD = '#!/bin/sh\necho "$(basename "$0") $*" >>calls\n'

# "train" refuses a misspelt setting, and makes the folder of the run; "decode" copies its input to its output, as an n-best
# list of one in the format moses.
SEQ2SEQ = RECORD + """\
case $1 in
  tokenizer) for last; do :; done; echo model >"$last" ;;
  train) for setting; do case $setting in train.sed=*) echo "unknown key train.sed" >&2; exit 1 ;; esac; done
    for setting; do case $setting in train.run=*)
      mkdir -p "${setting#*=}/best"; echo weights >"${setting#*=}/best/model.safetensors" ;; esac; done ;;
  decode) format=text
    while [ $# -gt 1 ]; do shift; case $1 in -i) input=$2 ;; -o) output=$2 ;; --format) format=$2 ;; esac; done
    case $format in
      text) cp "$input" "$output" ;;
      moses) awk '{ print NR - 1 " ||| " $0 " ||| logprob= -1.5 ||| -0.5" }' "$input" >"$output" ;;
    esac ;;
  export) while [ $# -gt 1 ]; do shift; case $1 in -o) output=$2 ;; esac; done
    mkdir -p "$output/best"; head -c 1500000 /dev/zero >"$output/best/model.safetensors" ;;
  eval) case "$*" in
    *json) echo '{"bleu": {"score": 12.3}, "chrf": {"score": 45.6}}' ;;
    *) echo "SCORE = 12.3" ;;
    esac ;;
esac
"""


class RepositoryTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        # realpath, as the recipes use it: the scratch folder may lie behind a link.
        self.root = pathlib.Path(scratch.name).resolve() / "repository"
        self.data = self.root.parent / "corpus"
        shutil.copytree(RECIPES, self.root / "recipes", ignore=shutil.ignore_patterns("__pycache__"))
        for name, text in {"setup": RECORD, "bin/cmake": RECORD, "build/release/bin/seq2seq": SEQ2SEQ}.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        self.data.mkdir()

    def run_recipe(self, recipe, *arguments):
        environment = {**os.environ, "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}"}
        return subprocess.run([str(self.root / "recipes" / recipe / "run"), *arguments], cwd=self.root.parent,
                              env=environment, capture_output=True, text=True, check=False)

    def calls(self):
        path = self.root / "calls"
        return path.read_text().splitlines() if path.exists() else []
