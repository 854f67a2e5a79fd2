// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/nd_array.h"
#include "core/base/strong_id.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace moescope::session {

/// One named axis of a quantity. Labels are kept when they are not simply 0 .. n-1 ("0" ... "7",
/// "F", "S").
struct Axis {
    std::string name;  ///< "token", "expert", "score_rank", "role", "row", "column", "k", ...
    std::vector<std::string> labels;  ///< empty, or one per element
    bool operator==(const Axis&) const = default;
};

/// One array of an experiment at one layer, or for the whole model when the part has no layer.
/// A quantity whose first axis is named "token" has one row per token of the text, in document
/// order.
struct Quantity {
    std::string name;  ///< snake_case, unique within the experiment
    std::vector<Axis> axes;
    std::string longName;  ///< axis or colour-bar title
    std::string units;     ///< "1", "count", ...
    NdArray values;        ///< float NaN = not available
};

/// What a finished piece of a run is identified by.
struct PartKey {
    BranchId branch;
    std::string experiment;
    std::optional<LayerId> layer;  ///< absent: about the whole model
    int shard = 0;
    auto operator<=>(const PartKey&) const = default;
};

/// A finished piece: everything one experiment says about one layer of one branch.
struct Part {
    PartKey key;
    std::uint64_t tokens = 0;  ///< number of tokens behind the numbers; 0 for static experiments
    std::vector<Quantity> quantities;
    std::vector<std::string> warnings;  ///< "NaN in up_proj of expert 2"
};

}  // namespace moescope::session
