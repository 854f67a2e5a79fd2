#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
# What `cmake --install` puts into a prefix runs from there and brings its desktop files and demo.
set -u
build=$1
id=$2
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install "$build" --prefix "$prefix" --component runtime >/dev/null || exit 1
failed=0
for file in bin/moescope share/applications/$id.desktop share/metainfo/$id.metainfo.xml share/mime/packages/$id.xml \
    share/icons/hicolor/scalable/apps/$id.svg; do
    [ -e "$prefix/$file" ] || { echo "not installed: $file"; failed=1; }
done
version=$(QT_QPA_PLATFORM=offscreen "$prefix/bin/moescope" --version) || failed=1
case $version in
    *[0-9].[0-9]*) ;;
    *) echo "the installed program says '$version'"; failed=1 ;;
esac
if [ -x "$prefix/bin/moescope-engine" ]; then
    "$prefix/bin/moescope-engine" --version >/dev/null || failed=1
fi
exit $failed
