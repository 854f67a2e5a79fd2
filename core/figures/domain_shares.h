// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/routed_text.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What goes to each expert from each domain (C1, D3), for maps and for bars. Private to the
/// builders.
namespace moescope::figures {

/// C1 divides by assignments, D3 by tokens.
struct DomainMeasure {
    std::string_view experiment;
    std::string what, barLabel;
    bool perToken;
};
/// By what the figure asked for shows.
[[nodiscard]] DomainMeasure domainMeasure(const BuildContext& context);

/// The choices that panels show one by one: the first, the second or all (numerics::kAnyChoice).
struct ShownChoice {
    std::string title;
    int choice;
};
/// D3 and layers of one choice have one panel, without a title.
[[nodiscard]] std::vector<ShownChoice> shownChoices(const DomainMeasure& measure, int topK);

inline constexpr std::string_view kAllText = "all text";

/// Rows are the domains with tokens and, as the last one, the whole text; columns are experts.
struct DomainShares {
    std::vector<std::string> rows;
    std::size_t experts = 0;
    std::vector<double> shares, low, high;  ///< [rows, experts]; 95 % intervals, NaN: none
    std::vector<std::uint8_t> marks;        ///< not 0: differs from the whole text beyond chance
};
[[nodiscard]] DomainShares domainShares(const RoutedText& text, int choice, bool perToken);

/// A panel for each layer, or for each choice of the one asked for: what `make` makes of the
/// layer's routing and the choice. Panels have a member `layer`.
template <typename Make>
[[nodiscard]] auto domainPanels(const BuildContext& context, const DomainMeasure& measure,
                                Make make) {
    std::vector<decltype(make(std::declval<const RoutedText&>(), ShownChoice{}))> panels;
    if (context.request.layer) {
        const RoutedText text = routedText(context, *context.request.layer);
        for (const ShownChoice& shown : shownChoices(measure, text.topK())) {
            context.throwIfStopped();
            panels.push_back(make(text, shown));
        }
        return panels;
    }
    for (const LayerId layer : routedLayers(context)) {
        context.throwIfStopped();
        panels.push_back(
            make(routedText(context, layer),
                 ShownChoice{"layer " + std::to_string(layer.value), numerics::kAnyChoice}));
        panels.back().layer = layer;
    }
    return panels;
}

/// What an expert gets where all get the same.
[[nodiscard]] double evenShare(const RoutedText& text, bool perToken);
/// What is said below a figure: of an even spread, of domains of too few documents, of a text
/// without domains.
[[nodiscard]] std::string domainText(const RoutedText& text, bool perToken);

}  // namespace moescope::figures
