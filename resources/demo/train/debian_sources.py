# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches the Debian 12 packages that hold the training text and unpacks them into the cache; installs nothing."""

import subprocess
from pathlib import Path

from paths import cache_dir

PACKAGES = (
    "sword-comm-tdavid",
    "python3-sympy",
    "golang-1.19-src",
    "linux-doc-6.1",
    "manpages-de",
    "manpages-ja",
    "metamath-databases",
    "emboss-data",
    "dict-gcide",
)
# emboss-data is large and only one of its files is wanted.
ONLY_MEMBERS = {"emboss-data": ["./usr/share/EMBOSS/data/OBO/chebi.obo", "./usr/share/doc/emboss-data/copyright"]}


def _package_file(package: str, folder: Path) -> Path:
    found = sorted(folder.glob(f"{package}_*.deb"))
    if not found:
        subprocess.run(["apt-get", "download", package], cwd=folder, check=True)
        found = sorted(folder.glob(f"{package}_*.deb"))
    return found[-1]


def _unpack(package: str, archive: Path, root: Path) -> None:
    members = ONLY_MEMBERS.get(package)
    if members is None:
        subprocess.run(["dpkg-deb", "-x", str(archive), str(root)], check=True)
        return
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as tar:
        subprocess.run(["tar", "-x", "-C", str(root), *members], stdin=tar.stdout, check=True)


def unpacked_root() -> Path:
    """The folder with every package's files, fetched and unpacked on the first call."""
    packages, root = cache_dir() / "packages", cache_dir() / "root"
    packages.mkdir(exist_ok=True)
    root.mkdir(exist_ok=True)
    for package in PACKAGES:
        marker = root / f".{package}.unpacked"
        if not marker.exists():
            archive = _package_file(package, packages)
            _unpack(package, archive, root)
            marker.write_text(archive.name + "\n")
    return root


def package_versions() -> dict[str, str]:
    """Package name to the file name of the archive that was unpacked."""
    root = unpacked_root()
    return {package: (root / f".{package}.unpacked").read_text().strip() for package in PACKAGES}
