#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
# What `cmake --install` puts below DESTDIR, as a packager calls it, runs from there, brings its desktop files and its
# demo, and a desktop takes the files in.
set -u
build=$1
id=$2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
DESTDIR=$root cmake --install "$build" --prefix /usr --component runtime >/dev/null || exit 1
prefix=$root/usr
failed=0
for file in bin/moescope share/applications/$id.desktop share/metainfo/$id.metainfo.xml share/mime/packages/$id.xml \
    share/icons/hicolor/scalable/apps/$id.svg \
    share/icons/hicolor/scalable/mimetypes/application-x-moescope-session.svg share/moescope/demo/demo.h5; do
    [ -e "$prefix/$file" ] || { echo "not installed: $file"; failed=1; }
done
if grep -rIl --exclude-dir=demo -e "$root" -e "$build" "$prefix/share"; then
    echo "installed files name folders of the build"
    failed=1
fi
if command -v update-mime-database >/dev/null; then
    update-mime-database "$prefix/share/mime" || failed=1
    [ -e "$prefix/share/mime/application/x-moescope-session.xml" ] || { echo "no MIME type"; failed=1; }
    grep -q '[*].moescope.h5' "$prefix/share/mime/globs" || { echo "the MIME type has no names"; failed=1; }
fi
export QT_QPA_PLATFORM=offscreen
version=$("$prefix/bin/moescope" --version) || failed=1
case $version in
    *[0-9].[0-9]*) ;;
    *) echo "the installed program says '$version'"; failed=1 ;;
esac
"$prefix/bin/moescope" export "$prefix/share/moescope/demo/demo.h5" --figure rank-counts --layers 3 -o "$root/figures" \
    >/dev/null || failed=1
ls "$root"/figures/*.png >/dev/null || failed=1
if [ -x "$prefix/bin/moescope-engine" ]; then
    "$prefix/bin/moescope-engine" --version >/dev/null || failed=1
fi
exit $failed
