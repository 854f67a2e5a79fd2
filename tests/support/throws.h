// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "tests/support/catch.h"

#include <functional>
#include <string>
#include <vector>

namespace moescope::tests {

/// Runs `work`, which must throw moescope::Error with this code and a message that holds every one
/// of `words` (the file, the tensor, the value in question).
inline void checkThrows(const std::function<void()>& work, ErrorCode code,
                        const std::vector<std::string>& words) {
    try {
        work();
        FAIL_CHECK("nothing was thrown; expected " << name(code));
    } catch (const Error& error) {
        INFO(error.what());
        CHECK(name(error.code()) == name(code));
        for (const auto& word : words) {
            CHECK_THAT(error.what(), Catch::Contains(word));
        }
    }
}

}  // namespace moescope::tests
