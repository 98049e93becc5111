"""apt-get on the system's own mirrors with separate package lists: needs no root, and leaves the system's unchanged."""

import os
import pathlib
import re
import subprocess
from typing import Optional

from script import Failure

# Any configuration of languages and indexes is cleared first: container images request no translations at all, and
# contents and icons are ten times the size of what is needed here.
_CONFIGURATION = """
#clear Acquire::Languages;
#clear Acquire::IndexTargets;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Acquire::GzipIndexes "false";
Dir::State::lists "{folder}/lists";
Dir::Cache "{folder}/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""


class Apt:
    """apt-get with the folders lists/ and cache/ below an existing, empty `folder`.

    `indexes` is configuration text: the Acquire::IndexTargets to fetch, and for translations Acquire::Languages.
    """

    def __init__(self, folder: pathlib.Path, indexes: str):
        folder.chmod(0o755)  # As root, apt-get downloads as the user _apt.
        self.lists = folder / "lists"
        (self.lists / "partial").mkdir(parents=True)
        (folder / "cache" / "archives" / "partial").mkdir(parents=True)
        self._configuration = folder / "apt.conf"
        self._configuration.write_text(_CONFIGURATION.format(folder=folder) + indexes)
        self._complaint = ""

    def run(self, *arguments: str, cwd: Optional[pathlib.Path] = None) -> None:
        """Runs apt-get. It may have failed in part: check what has been fetched, and `complaint`."""
        try:
            apt = subprocess.run(["apt-get", "-c", str(self._configuration), *arguments], cwd=cwd,
                                 env={**os.environ, "LC_ALL": "C"}, stdin=subprocess.DEVNULL, capture_output=True,
                                 text=True, check=False)
        except FileNotFoundError:
            raise Failure("this system has no apt-get") from None
        # Prefers an error to a warning, and the first to its consequences. Ignores the warning that the user _apt cannot
        # access a folder of root's.
        for kind in "EW":
            found = re.search(rf"^{kind}: (?!Download is performed unsandboxed)(.*)", apt.stderr, re.MULTILINE)
            if found and not self._complaint:
                self._complaint = found[1]

    def complaint(self, otherwise: str) -> str:
        """The first error or warning of apt-get, or `otherwise`."""
        return self._complaint or otherwise
