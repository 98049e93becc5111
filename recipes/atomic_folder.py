"""Folders that appear complete or not at all."""

import contextlib
import os
import pathlib
import tempfile
from typing import Iterable, Iterator


def is_complete(folder: pathlib.Path, names: Iterable[str]) -> bool:
    """Whether `folder` holds all the files. Raises FileExistsError if it holds something else instead."""
    if all((folder / name).is_file() for name in names):
        return True
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise FileExistsError(f"{folder} exists, but is not what belongs there: remove it or name another folder")
    return False


@contextlib.contextmanager
def new_folder(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields an empty folder that becomes `folder` when the block succeeds, and vanishes when it does not."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as staging:
        new = pathlib.Path(staging, folder.name)
        new.mkdir()
        yield new
        os.rename(new, folder)
