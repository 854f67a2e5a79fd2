// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/removal_everywhere.h"

#include <cmath>
#include <string>
#include <utility>

namespace moescope::figures {

Beside likeLoadOf(const std::vector<double>& rises, const std::vector<double>& loads,
                  std::size_t expert) {
    double rise = 0.0;
    double load = 0.0;
    double count = 0.0;
    for (std::size_t other = 0; other < rises.size() && other < loads.size(); ++other) {
        const bool isLike = expert < loads.size() && loads[other] <= kLikeLoad * loads[expert] &&
                            loads[expert] <= kLikeLoad * loads[other];
        if (other != expert && isLike && std::isfinite(rises[other])) {
            rise += rises[other];
            load += loads[other];
            count += 1.0;
        }
    }
    return count > 0.0 ? Beside{.rise = rise / count, .load = load / count} : Beside{};
}

std::optional<EverywhereRemovals> everywhereRemovals(const BuildContext& context,
                                                     const RemovalOutcome& intact,
                                                     const ExpertShares& shares) {
    auto outcomes = RemovalTable::read(context, "everywhere", 1);
    if (!outcomes) {
        return std::nullopt;
    }
    std::vector<std::string> layers;
    for (std::size_t layer = 0; layer < context.head().model.layers.size(); ++layer) {
        if (context.head().model.layers[layer].isRouted()) {
            layers.push_back(std::to_string(layer));
        }
    }
    EverywhereRemovals found{std::move(*outcomes), {}, {}};
    for (std::size_t e = 0; e < found.outcomes.size(); ++e) {
        double load = 0.0;
        for (const std::string& layer : layers) {
            load += shares.at(layer, static_cast<int>(e)) / static_cast<double>(layers.size());
        }
        found.loads.push_back(load);
        found.rises.push_back(found.outcomes.at(e).loss - intact.loss);
    }
    return found;
}

}  // namespace moescope::figures
