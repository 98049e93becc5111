"""A model trained in a few seconds, for tests of what is done with a model."""

import pathlib
import subprocess


def train(program, folder):
    """Trains a model that writes three words in capitals, with `program`; returns its run folder."""
    folder = pathlib.Path(folder)
    lines = [f"{one} {two} {three}\n" for one in ("a", "the", "my") for two in ("dog", "cat", "bird")
             for three in ("runs", "sleeps", "eats")]
    (folder / "text.a").write_text("".join(lines))
    (folder / "text.b").write_text("".join(line.upper() for line in lines))
    text = f"[{folder / 'text.a'},{folder / 'text.b'}]"
    words, run = folder / "words.model", folder / "run"
    for command in (
            ["tokenizer", "train", "--type", "word", "-i", folder / "text.a", "-i", folder / "text.b", "-m", words],
            ["train", f"train.run={run}", f"data.train={text}", f"data.valid={text}",
             f"data.source_tokenizer={words}", f"data.target_tokenizer={words}", "model.encoder.hidden=16",
             "model.decoder.hidden=32", "model.encoder.dropout=0", "model.decoder.dropout=0",
             "train.schedule.rate=0.01", "train.schedule.warmup=10", "train.max_updates=120",
             "train.validate_every=120", "train.save_every=120", "validation.min_length=1"]):
        result = subprocess.run([str(program), *map(str, command)], capture_output=True, check=False)
        if result.returncode != 0:
            raise AssertionError(f"{command} failed:\n{result.stderr.decode()}")
    return run
