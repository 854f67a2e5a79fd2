// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::experiments {

/// An expert of one layer, or the experts of this index in every routed layer.
struct RemovedExpert {
    std::optional<int> layer;
    int expert = 0;
    auto operator<=>(const RemovedExpert&) const = default;
};

/// A set of experts that are removed together: "0:3,5:1" is expert 3 of layer 0 and expert 1 of
/// layer 5, "3" is expert 3 of every routed layer. Sorted, without repetitions. Throws Error(Usage)
/// saying what is accepted.
[[nodiscard]] std::vector<RemovedExpert> parseRemoved(std::string_view text);
/// The shortest text that parseRemoved() reads as this set.
[[nodiscard]] std::string describe(const std::vector<RemovedExpert>& removed);

/// What a session keeps of a token without some experts: its loss and the id predicted to follow.
inline constexpr std::uint64_t kTokenOutcomeBytes = sizeof(float) + sizeof(std::uint32_t);

/// A set with a name of its own, such as a prune list.
struct ExpertList {
    std::string name;     ///< "reap-25"
    std::string experts;  ///< as describe() writes them: "0:3,5:1"
    auto operator<=>(const ExpertList&) const = default;
};

/// Lists with sets in their shortest form and a name for each set: one that stands for another set
/// already becomes "NAME (2)"; a list that is there twice is there once. Throws Error(Usage).
[[nodiscard]] std::vector<ExpertList> canonicalLists(const std::vector<ExpertList>& lists);

/// In a list of sets: every index in all layers, and every expert of every layer alone.
inline constexpr std::string_view kEachInTurn = "all";

/// Texts of sets, or kEachInTurn, in their shortest form and without repetitions; what is in turn
/// comes first, sets keep their order. Throws Error(Usage).
[[nodiscard]] std::vector<std::string> canonicalRemovals(const std::vector<std::string>& sets);

}  // namespace moescope::experiments
