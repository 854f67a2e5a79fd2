#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
# From a fresh clone to passed tests: installs what is missing, builds everything with warnings as errors and runs
# every test. Options are handed on to setup.sh (--no-gui builds and tests core and engine alone).
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
packaging/setup.sh --preset ci --tests "$@"
case " $* " in *" --help "* | *" -h "*) exit 0 ;; esac
ctest --preset ci
