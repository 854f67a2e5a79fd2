#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Every source says its licence, is ASCII, and is formatted; no file grows beyond what anybody reads.
set -u
failed=0
complain() { printf '%s:\n%s\n' "$1" "$2"; failed=1; }
mapfile -t sources < <(find core widgets app tests -name '*.h' -o -name '*.cpp' -o -name '*.in' | sort)
[ ${#sources[@]} -gt 50 ] || complain "found too few sources" "${#sources[@]}"

unlicensed=$(grep -L 'SPDX-License-Identifier: GPL-3.0-or-later' "${sources[@]}")
[ -z "$unlicensed" ] || complain "no SPDX licence line" "$unlicensed"

foreign=$(LC_ALL=C grep -lP '[^\x00-\x7F]' "${sources[@]}")
[ -z "$foreign" ] || complain "not ASCII (write \\u escapes)" "$foreign"

unguarded=$(printf '%s\n' "${sources[@]}" | grep '\.h$' | xargs grep -L '#pragma once')
[ -z "$unguarded" ] || complain "no #pragma once" "$unguarded"

badNames=$(printf '%s\n' "${sources[@]}" | grep -vE '^[a-z0-9_/.]+$')
[ -z "$badNames" ] || complain "not snake_case" "$badNames"

unfinished=$(grep -nE '\b(TODO|FIXME|XXX)\b' "${sources[@]}")
[ -z "$unfinished" ] || complain "unfinished work" "$unfinished"

long=$(wc -l "${sources[@]}" | awk '$2 != "total" && $1 > 700 {print $2 ": " $1 " lines"}')
[ -z "$long" ] || complain "longer than 700 lines: split by responsibility" "$long"

if command -v clang-format-14 >/dev/null; then
    unformatted=$(printf '%s\n' "${sources[@]}" | grep -E '\.(h|cpp)$' |
        xargs clang-format-14 --dry-run 2>&1 | grep 'warning:' | cut -d: -f1 | sort -u)
    [ -z "$unformatted" ] || complain "not formatted (clang-format-14 -i)" "$unformatted"
fi
exit $failed
