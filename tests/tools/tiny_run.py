"""A model trained in a few seconds, for tests of what is done with a model."""

import pathlib
import subprocess


def run(program, command):
    result = subprocess.run([str(program), *map(str, command)], capture_output=True, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{command} failed:\n{result.stderr.decode()}")


def write_text(program, folder):
    """Lines of three words and the same in capitals, as a setting of the data, and a tokenizer of both."""
    folder = pathlib.Path(folder)
    lines = [f"{one} {two} {three}\n" for one in ("a", "the", "my") for two in ("dog", "cat", "bird")
             for three in ("runs", "sleeps", "eats")]
    (folder / "text.a").write_text("".join(lines))
    (folder / "text.b").write_text("".join(line.upper() for line in lines))
    words = folder / "words.model"
    run(program, ["tokenizer", "train", "--type", "word", "-i", folder / "text.a", "-i", folder / "text.b", "-m", words])
    return f"[{folder / 'text.a'},{folder / 'text.b'}]", words


def train(program, folder, *settings, name="run"):
    """Trains a model that writes three words in capitals, with `program` and more settings; returns its run folder."""
    text, words = write_text(program, folder)
    run_folder = pathlib.Path(folder) / name
    run(program, ["train", f"train.run={run_folder}", f"data.train={text}", f"data.valid={text}",
                  f"data.source_tokenizer={words}", f"data.target_tokenizer={words}", "model.encoder.hidden=16",
                  "model.decoder.hidden=32", "model.encoder.dropout=0", "model.decoder.dropout=0",
                  "train.schedule.learning_rate=0.01", "train.schedule.warmup=10", "train.max_updates=120",
                  "train.validate_every=120", "train.save_every=120", "validation.min_length=1", *settings])
    return run_folder
