// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/strong_id.h"
#include "core/figures/token_selection.h"

#include <cstdint>
#include <optional>
#include <string>

namespace moescope::figures {

/// What lies under a point of a drawn figure. Only what applies is set.
struct Hit {
    int panel = -1;
    std::optional<int> row, column;  ///< a cell of a heat map; expert pair of a similarity map
    std::optional<std::uint64_t> token;
    std::optional<int> expert;
    std::optional<LayerId> layer;
    std::string readOut;  ///< one line: "gate, experts 2 and 5: 0.8731"; empty: nothing there
    bool operator==(const Hit&) const = default;
    [[nodiscard]] bool isEmpty() const { return readOut.empty(); }
};

/// What is selected in the whole window, drawn as an outline where it appears.
struct Selection {
    std::optional<std::uint64_t> token;
    TokenSelection tokens;  ///< several, shaded; empty where one or none is selected
    std::optional<int> expert;
    std::optional<int> pairRow, pairColumn;
    std::optional<LayerId> layer;  ///< marked in figures over layers
    bool operator==(const Selection&) const = default;
};

}  // namespace moescope::figures
