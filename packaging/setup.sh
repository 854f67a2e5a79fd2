#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs what is missing from Debian packages, then configures and builds Moescope. Run it as root or as a user
# with sudo; running it again installs nothing and rebuilds only what changed.
set -euo pipefail

usage() {
    cat <<'TXT'
Usage: packaging/setup.sh [options]

  --preset NAME    CMake preset to build: release (default), dev, asan, ci, ...
  --no-gui         Core and engine only; needs no Qt.
  --tests          Build the tests too.
  --torch PYTHON   Use the torch installed for this Python interpreter (the way to CUDA)
                   in place of Debian's LibTorch; torch 2.7 or newer.
  --no-install     Do not install packages; fail if something is missing.
  --help           This text.

A LibTorch unpacked elsewhere is found through CMAKE_PREFIX_PATH or Torch_DIR in the environment.
TXT
}

preset=release
gui=ON
tests=OFF
torch=
install=yes
while [ $# -gt 0 ]; do
    case "$1" in
        --preset) preset=${2:?--preset needs a name}; shift ;;
        --no-gui) gui=OFF ;;
        --tests) tests=ON ;;
        --torch) torch=${2:?--torch needs a Python interpreter}; shift ;;
        --no-install) install=no ;;
        --help | -h) usage; exit 0 ;;
        *) echo "setup.sh: unknown option $1" >&2; usage >&2; exit 2 ;;
    esac
    shift
done

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

packages=(
    g++ cmake ninja-build ccache pkg-config
    libopenblas-dev libhdf5-dev
    nlohmann-json3-dev libcli11-dev libfmt-dev
    libpcre2-dev libicu-dev libssl-dev
)
if [ -z "$torch" ] && [ -z "${Torch_DIR:-}" ] && [ -z "${CMAKE_PREFIX_PATH:-}" ]; then
    packages+=(libtorch-dev)
fi
if [ "$gui" = ON ]; then
    packages+=(qt6-base-dev qt6-svg-dev qt6-qpa-plugins libqcustomplot-dev libgl-dev fonts-dejavu-core)
fi
if [ "$tests" = ON ]; then
    packages+=(catch2 clang-format-14 desktop-file-utils appstream shared-mime-info poppler-utils libxml2-utils binutils)
fi

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$install" = no ]; then
        echo "setup.sh: missing Debian packages: ${missing[*]}" >&2
        exit 1
    fi
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "setup.sh: run this as root, or install sudo" >&2; exit 1; }
        as_root=(sudo)
    fi
    echo "Installing ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

# Configuring again is quick; CMake itself finds out what changed.
arguments=("-DMOESCOPE_GUI=$gui" "-DBUILD_TESTING=$tests")
[ -z "$torch" ] || arguments+=("-DMOESCOPE_PYTHON_TORCH=$torch")
log=build/$preset/configure.log
mkdir -p "build/$preset"
if ! cmake --preset "$preset" "${arguments[@]}" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
cmake --build "build/$preset"
