#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Desktop entry, metainfo and MIME type are what the standards ask for.
set -u
generated=$1
id=$2
mime=$3
failed=0
ran=0
if command -v desktop-file-validate >/dev/null; then
    ran=1
    desktop-file-validate "$generated/$id.desktop" || failed=1
fi
if command -v appstreamcli >/dev/null; then
    ran=1
    appstreamcli validate --no-net "$generated/$id.metainfo.xml" | grep -E '^E:' && failed=1
fi
if command -v xmllint >/dev/null; then
    ran=1
    xmllint --noout "$mime" "$generated/$id.metainfo.xml" || failed=1
fi
[ $ran = 1 ] || exit 4
exit $failed
