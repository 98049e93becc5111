"""Folders that appear complete or not at all."""

import contextlib
import hashlib
import os
import pathlib
import tempfile
from typing import Iterable, Iterator

ORIGIN = "origin"  # The file that records what a folder was made from.


def is_complete(folder: pathlib.Path, names: Iterable[str]) -> bool:
    """Whether `folder` holds all the files. Raises FileExistsError if it holds something else instead."""
    if all((folder / name).is_file() for name in names):
        return True
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise FileExistsError(f"{folder} exists, but is not the expected folder: remove it or name another folder")
    return False


def is_made_of(folder: pathlib.Path, names: Iterable[str], origin: str) -> bool:
    """Whether `folder` holds all the files, and was made from `origin`, as its file of that name records. Raises
    FileExistsError if it was made from something else."""
    if not is_complete(folder, [*names, ORIGIN]):
        return False
    if (folder / ORIGIN).read_text(encoding="utf-8") != origin:
        raise FileExistsError(f"{folder} was made from other data: remove it, or name another folder")
    return True


def digest(paths: Iterable[pathlib.Path]) -> str:
    """The origin of data made from `paths`: a line for each file, with the hash of its contents and its name."""
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths)


@contextlib.contextmanager
def new_folder(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields an empty folder that becomes `folder` when the block succeeds, and vanishes when it does not."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as staging:
        new = pathlib.Path(staging, folder.name)
        new.mkdir()
        yield new
        os.rename(new, folder)
