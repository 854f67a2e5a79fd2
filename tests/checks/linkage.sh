#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The window never loads LibTorch, the engine never loads Qt.
set -u
failed=0
if ldd "$1" | grep -E 'libtorch|libc10|libcaffe'; then
    echo "$1 links LibTorch"
    failed=1
fi
if ldd "$2" | grep -iE 'libqt[56]|qcustomplot'; then
    echo "$2 links Qt"
    failed=1
fi
# What must be there shows that ldd told us something at all.
ldd "$1" | grep -q libQt6Widgets || { echo "$1 does not link Qt: wrong file?"; failed=1; }
ldd "$2" | grep -q libtorch || { echo "$2 does not link LibTorch: wrong file?"; failed=1; }
exit $failed
