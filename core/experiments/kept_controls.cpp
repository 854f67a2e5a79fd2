// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/kept_controls.h"

#include <algorithm>
#include <array>
#include <limits>

namespace moescope::experiments {

KeptControls::KeptControls(const engine::KeptPart& part) {
    constexpr std::size_t kColumns = 4;  // set, control, layer, expert
    const auto table = part.read("set_controls");
    const auto experts = part.read("set_control_experts");
    if (!table || !experts || table->axes.empty() || experts->values.shape().size() != 2 ||
        experts->values.shape()[1] != kColumns) {
        return;
    }
    const std::vector<std::string>& sets = table->axes[0].labels;
    const auto isSound = [](double number) {
        return number >= 0.0 && number <= double{std::numeric_limits<int>::max()};
    };
    for (std::uint64_t row = 0; row < experts->values.shape()[0]; ++row) {
        std::array<double, kColumns> numbers{};
        for (std::size_t column = 0; column < kColumns; ++column) {
            numbers[column] = experts->values.at(row * kColumns + column);
        }
        const auto [set, control, layer, expert] = numbers;
        if (!std::all_of(numbers.begin(), numbers.end(), isSound) ||
            set >= static_cast<double>(sets.size())) {
            m_removed.clear();
            return;
        }
        m_removed[{sets[static_cast<std::size_t>(set)], std::to_string(static_cast<int>(control))}]
            .push_back({static_cast<int>(layer), static_cast<int>(expert)});
    }
    for (auto& [key, removed] : m_removed) {
        std::sort(removed.begin(), removed.end());
    }
}

std::vector<RemovedExpert> KeptControls::of(const std::string& set,
                                            const std::string& control) const {
    const auto found = m_removed.find({set, control});
    return found == m_removed.end() ? std::vector<RemovedExpert>() : found->second;
}

}  // namespace moescope::experiments
