#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
# From a fresh clone to the demo: installs what is missing, builds, and runs the main job on the demo model.
# With a display the window opens; without one the session and its figures are written to a folder.
# Options are handed on to setup.sh.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
packaging/setup.sh "$@"
case " $* " in *" --help "* | *" -h "*) exit 0 ;; esac

preset=release
while [ $# -gt 0 ]; do
    [ "$1" != --preset ] || preset=$2
    shift
done
bin=$root/build/$preset/bin

if [ ! -x "$bin/moescope" ]; then
    echo "Built without the window (--no-gui): $bin/moescope-engine --help tells what it does."
    exit 0
fi
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    exec "$bin/moescope" demo
fi
"$bin/moescope" demo --headless -o "$root/build/demo"
echo "The demo's session and figures are in $root/build/demo. What else there is: $bin/moescope --help" >&2
