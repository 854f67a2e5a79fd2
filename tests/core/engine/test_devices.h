// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/engine/device.h"
#include "tests/support/catch.h"

#include <vector>

namespace moescope::tests {

/// The CPU, and a GPU where there is one.
inline std::vector<at::Device> devices() {
    std::vector<at::Device> result{at::kCPU};
    try {
        result.push_back(engine::chooseDevice("cuda:0"));
    } catch (const Error& error) {
        REQUIRE(error.code() == ErrorCode::Device);
        WARN("no CUDA device here: the CPU stands for it");
    }
    return result;
}

}  // namespace moescope::tests
