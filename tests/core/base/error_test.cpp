// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"

#include "tests/support/catch.h"

#include <set>

using namespace moescope;

TEST_CASE("Error: every code has its own name and a non-zero exit code", "[core][base]") {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(ErrorCode::Internal); ++i) {
        const auto code = static_cast<ErrorCode>(i);
        CHECK(names.insert(name(code)).second);
        CHECK(exitCode(code) != 0);
    }
    CHECK(exitCode(ErrorCode::Usage) == 2);
    CHECK(exitCode(ErrorCode::Cancelled) == 130);
}
