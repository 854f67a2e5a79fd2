// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/gguf_architecture.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace moescope::checkpoint {

/// What a GGUF tensor is called in the Hugging Face checkpoint of its family.
struct GgufName {
    std::string name;  ///< empty: a tensor that is no weight (rope_freqs)
    /// The tensor stacks the routed experts; `name` holds "{}" where the expert's number belongs.
    bool stacked = false;
    /// Not empty: `name` has the first half of each expert's rows, this one the second.
    std::string upper{};
    /// Query or key projection, whose rows some architectures store in another order.
    bool query = false, key = false;
    bool row = false;  ///< a vector that the Hugging Face checkpoint has as a matrix of one row
    bool perChannel = false;  ///< a matrix [a, b] that the checkpoint has as [a, 1, b]
};

/// Nothing for a name that the architecture does not have.
[[nodiscard]] std::optional<GgufName> hubName(std::string_view ggufName,
                                              const GgufArchitecture& architecture);

}  // namespace moescope::checkpoint
