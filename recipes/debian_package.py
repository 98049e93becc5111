"""Files of Debian packages, fetched from the system's own mirror and unpacked without being installed."""

import pathlib
import subprocess
import tempfile
from typing import Sequence

from apt import Apt
from script import Failure

_INDEXES = """
Acquire::Languages "none";
Acquire::IndexTargets::deb::Packages {
  MetaKey "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages";
  flatMetaKey "Packages";
  ShortDescription "Packages";
  Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Packages";
};
"""


def unpack(names: Sequence[str], folder: pathlib.Path) -> None:
    """Unpacks the packages into `folder`, as dpkg would into the root folder of the system. Needs no root privileges."""
    with tempfile.TemporaryDirectory() as scratch:
        downloads = pathlib.Path(scratch)
        (downloads / "apt").mkdir()
        downloads.chmod(0o755)  # As root, apt-get downloads as the user _apt.
        apt = Apt(downloads / "apt", _INDEXES)
        apt.run("update")
        apt.run("download", *names, cwd=downloads)
        for name in names:
            packages = list(downloads.glob(f"{name}_*.deb"))
            if not packages:
                raise Failure(f"apt-get could not fetch {name}: " + apt.complaint("the system's mirrors have none"))
            unpacking = subprocess.run(["dpkg-deb", "--extract", str(packages[0]), str(folder)],
                                       stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            if unpacking.returncode != 0:
                raise Failure(f"cannot unpack {packages[0].name}: {unpacking.stderr.strip()}")
