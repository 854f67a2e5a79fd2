#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
# One version and one application id: CMake, changelog, metainfo and desktop entry agree.
set -u
version=$1
id=$2
failed=0
top=$(grep -oE '^## \[?[0-9]+\.[0-9]+\.[0-9]+' CHANGELOG.md | head -1 | grep -oE '[0-9.]+$')
[ "$top" = "$version" ] || { echo "CHANGELOG.md begins with '$top', CMake says $version"; failed=1; }
grep -q '@PROJECT_VERSION@' packaging/linux/moescope.metainfo.xml.in || { echo "metainfo has a version of its own"; failed=1; }
grep -q '@MOESCOPE_APP_ID@' packaging/linux/moescope.metainfo.xml.in || { echo "metainfo has an id of its own"; failed=1; }
grep -q "\"$id\"" CMakeLists.txt || { echo "CMakeLists.txt does not name $id"; failed=1; }
exit $failed
