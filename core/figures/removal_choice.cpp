// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/removal_choice.h"

#include "core/base/error.h"
#include "core/experiments/removed_experts.h"

#include <fmt/format.h>

#include <utility>

namespace moescope::figures {

std::optional<RemovalChoice> findRemovalChoice(std::string_view text) {
    using Kind = RemovalChoice::Kind;
    if (text == "layer") {
        return RemovalChoice{Kind::InLayer, {}};
    }
    if (text == "everywhere") {
        return RemovalChoice{Kind::Everywhere, {}};
    }
    if (text == "sets") {
        return RemovalChoice{Kind::AllSets, {}};
    }
    try {
        return RemovalChoice{Kind::Set, experiments::describe(experiments::parseRemoved(text))};
    } catch (const Error&) {
        return std::nullopt;
    }
}

RemovalChoice parseRemovalChoice(std::string_view text) {
    auto choice = findRemovalChoice(text);
    if (!choice) {
        throw Error(ErrorCode::Usage,
                    fmt::format("The experts \"{}\" are not understood: give layer (one expert in "
                                "one layer), everywhere (one index in all layers), sets (each "
                                "chosen set), or a set such as 0:3,5:1.",
                                text));
    }
    return *std::move(choice);
}

RemovalChoice usualRemoval(const KeptRemovals& kept) {
    using Kind = RemovalChoice::Kind;
    if (kept.inLayer || kept.empty()) {
        return {Kind::InLayer, {}};
    }
    return {kept.everywhere ? Kind::Everywhere : Kind::AllSets, {}};
}

}  // namespace moescope::figures
