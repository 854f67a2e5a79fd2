#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The window never loads LibTorch, not even through others. The engine does not link Qt; Debian's LibTorch itself
# brings a Qt 5 along through OpenCV, which a LibTorch from elsewhere does not.
set -u
failed=0
if ldd "$1" | grep -E 'libtorch|libc10|libcaffe'; then
    echo "$1 loads LibTorch"
    failed=1
fi
if readelf -d "$2" | grep NEEDED | grep -iE 'libqt|qcustomplot'; then
    echo "$2 links Qt"
    failed=1
fi
# What must be there shows that ldd told us something at all.
ldd "$1" | grep -q libQt6Widgets || { echo "$1 does not link Qt: wrong file?"; failed=1; }
ldd "$2" | grep -q libtorch || { echo "$2 does not link LibTorch: wrong file?"; failed=1; }
exit $failed
