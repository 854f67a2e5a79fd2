// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/routed_text.h"

/// What each experiment says on an expert's card. Private to its builder.
namespace moescope::figures {

/// Everything that the sections are made from.
struct CardInput {
    const BuildContext& context;
    const RoutedText& text;  ///< of the layer
    LayerId layer;
    std::size_t expert = 0;

    /// Tokens that choose each expert, of all choices or of one.
    [[nodiscard]] std::vector<std::uint64_t> counts(int choice = numerics::kAnyChoice) const {
        return numerics::expertCounts(text.choices(), choice);
    }
    [[nodiscard]] std::size_t experts() const { return static_cast<std::size_t>(text.experts()); }
    /// nullptr where the session does not have it for the layer.
    [[nodiscard]] const session::QuantityInfo* find(const char* experiment, const char* quantity,
                                                    bool perLayer = true) const;
};

// From the chosen experts.
[[nodiscard]] CardSection loadSection(const CardInput& input);
[[nodiscard]] CardSection layerLoadSection(const CardInput& input);
[[nodiscard]] CardSection layersSection(const CardInput& input);
[[nodiscard]] CardSection domainSection(const CardInput& input);
[[nodiscard]] CardSection tokenSection(const CardInput& input);
[[nodiscard]] CardSection partnerSection(const CardInput& input);

// From other experiments; they say which one is missing.
[[nodiscard]] CardSection similarSection(const CardInput& input);
[[nodiscard]] CardSection normSection(const CardInput& input);
[[nodiscard]] CardSection importanceSection(const CardInput& input);
[[nodiscard]] CardSection removalSection(const CardInput& input);

/// "rank 3 of 64" by falling value; NaN values come last.
[[nodiscard]] std::string rankText(const std::vector<double>& values, std::size_t of);

}  // namespace moescope::figures
