// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Which experts are taken away in a figure about single tokens (C4).
namespace moescope::figures {

struct RemovalChoice {
    enum class Kind {
        InLayer,     ///< the expert asked for, in the layer asked for
        Everywhere,  ///< the experts of the index asked for, in every layer
        Set,         ///< a set as experiments::parseRemoved() reads it
        AllSets      ///< of lists: every chosen set of the session
    };
    Kind kind = Kind::InLayer;
    std::string set{};  ///< Set: in its shortest form
    bool operator==(const RemovalChoice&) const = default;
};

/// "layer", "everywhere", "sets", or a set such as "0:3,5:1"; nothing for another text.
[[nodiscard]] std::optional<RemovalChoice> findRemovalChoice(std::string_view text);
/// The same; throws Error(Usage) saying what is accepted.
[[nodiscard]] RemovalChoice parseRemovalChoice(std::string_view text);

/// Of which removals a session keeps the losses of single tokens.
struct KeptRemovals {
    bool inLayer = false, everywhere = false;
    std::vector<std::string> sets{};
    [[nodiscard]] bool empty() const { return !inLayer && !everywhere && sets.empty(); }
    bool operator==(const KeptRemovals&) const = default;
};

/// What is shown unless something else is asked for: one expert before sets.
[[nodiscard]] RemovalChoice usualRemoval(const KeptRemovals& kept);

}  // namespace moescope::figures
