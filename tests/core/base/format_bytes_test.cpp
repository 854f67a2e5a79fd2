// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/format_bytes.h"

#include "tests/support/catch.h"

#include <limits>

using moescope::formatBytes;

TEST_CASE("formatBytes: the largest unit that fits", "[core][base]") {
    CHECK(formatBytes(0) == "0 B");
    CHECK(formatBytes(1023) == "1023 B");
    CHECK(formatBytes(1536) == "1.5 KiB");
    CHECK(formatBytes(1000 << 10U) == "1000.0 KiB");
    CHECK(formatBytes((std::uint64_t{1} << 20U) - 1) == "1.0 MiB");
    CHECK(formatBytes(std::uint64_t{8} << 30U) == "8.0 GiB");
    CHECK(formatBytes(std::uint64_t{3} << 40U) == "3.0 TiB");
    CHECK(formatBytes(std::numeric_limits<std::uint64_t>::max()) == "16777216.0 TiB");
}
