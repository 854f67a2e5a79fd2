#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The link graph is the architecture: core knows no Qt, widgets know neither LibTorch nor HDF5, QCustomPlot stays in
# the .cpp files of one folder, and nothing below app includes app.
set -u
failed=0
forbid() { # what, pattern, paths...
    local what=$1 pattern=$2
    shift 2
    local found
    found=$(grep -rnE --include='*.h' --include='*.cpp' "$pattern" "$@" 2>/dev/null)
    if [ -n "$found" ]; then
        printf '%s:\n%s\n' "$what" "$found"
        failed=1
    fi
}
forbid "core includes Qt" '#include <Q' core
forbid "core includes widgets or app" '#include "(widgets|app)/' core
forbid "widgets include LibTorch" '#include <(torch|ATen|c10)/' widgets
forbid "widgets include HDF5" '#include [<"](hdf5|H5)' widgets
forbid "widgets include the engine" '#include "core/(engine|session/h5_)' widgets
forbid "widgets include app" '#include "app/' widgets
forbid "the window includes LibTorch" '#include <(torch|ATen|c10)/' app/main.cpp
forbid "HDF5 outside core/session" '#include [<"](hdf5|H5)' \
    core/base core/jobs core/checkpoint core/text core/model core/numerics core/engine core/experiments core/figures app
qcp=$(grep -rlE '#include <qcustomplot.h>' --include='*.h' --include='*.cpp' core widgets app |
    grep -vE '^widgets/plots/[^/]+\.cpp$')
if [ -n "$qcp" ]; then
    printf 'QCustomPlot outside the .cpp files of widgets/plots:\n%s\n' "$qcp"
    failed=1
fi
forbid "LibTorch outside the engine and its probes" '#include <(torch|ATen|c10)/' \
    core/base core/jobs core/checkpoint core/text core/model core/numerics core/session core/figures app
# What others see of the engine must not drag LibTorch's headers along.
public=(core/engine/run.h core/engine/probe.h core/experiments/catalogue.h core/experiments/options.h core/experiments/factory.h)
torch=$(grep -lE '#include <(torch|ATen|c10)/' "${public[@]}")
if [ -n "$torch" ]; then
    printf 'LibTorch in a public header:\n%s\n' "$torch"
    failed=1
fi
# The rules above must be able to fail: a file that breaks one is found.
probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT
echo '#include <QString>' >"$probe/a.h"
grep -rqE --include='*.h' '#include <Q' "$probe" || { echo "the check itself is broken"; failed=1; }
exit $failed
