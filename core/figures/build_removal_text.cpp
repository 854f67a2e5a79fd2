// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Where in the text the loss rises without some experts (C4).
#include "core/base/error.h"
#include "core/figures/limits.h"
#include "core/figures/predicted_tokens.h"
#include "core/figures/token_losses.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

namespace moescope::figures {
namespace {

constexpr std::size_t kMostWorst = 1000;  ///< tokens to jump to

TokenRange rangeAsked(const BuildContext& context) {
    const TokenSelection asked = context.tokens();
    if (!asked.isOneRange()) {
        throw Error(ErrorCode::Usage,
                    "The figure expert-removal-text draws one range of tokens, and several were "
                    "asked for; expert-removal-tokens lists single ones.");
    }
    return asked.ranges().front();
}

/// Symmetric about 0 for the diverging map, whose middle is no change.
ScaleBar barOf(const BuildContext& context, const KeptRemoval& removal,
               const LossTextFigure& body) {
    const ColourRange& range = context.request.range;
    using Kind = ColourRange::Kind;
    std::pair<double, double> ends(range.low, range.high);
    if (range.kind != Kind::Fixed) {
        const double most = usualRise(context, removal, range.kind == Kind::AllLayers);
        ends = most > 0.0 ? std::pair(-most, most) : std::pair(-1.0, 1.0);
    }
    ScaleBar bar{makeScale(context.request.colourMap.value_or(ColourMap::Diverging), ends),
                 "rise of loss (nat)"};
    for (std::uint64_t token = body.range.first; token < body.range.end(); ++token) {
        const auto rise = static_cast<double>(body.rise(token));  // NaN compares false
        bar.scale.hasAbove = bar.scale.hasAbove || rise > bar.scale.high;
        bar.scale.hasBelow = bar.scale.hasBelow || rise < bar.scale.low;
    }
    return bar;
}

/// Of the tokens shown: how much, and on how few of them.
std::string summaryOf(const LossTextFigure& body) {
    std::vector<double> rises;
    double sum = 0.0;
    for (std::uint64_t token = body.range.first; token < body.range.end(); ++token) {
        const auto rise = static_cast<double>(body.rise(token));
        if (std::isfinite(rise)) {
            sum += rise;
            rises.push_back(std::max(rise, 0.0));
        }
    }
    const double all = std::accumulate(rises.begin(), rises.end(), 0.0);
    if (!(all > 0.0)) {
        return "No token's loss rises.";
    }
    std::sort(rises.begin(), rises.end(), std::greater<>());
    std::size_t few = 0;
    for (double part = 0.0; part < all / 2.0 && few < rises.size(); ++few) {
        part += rises[few];
    }
    const auto count = static_cast<double>(rises.size());
    return fmt::format(
        "Mean rise of the {} tokens shown: {:+.3g} nat. Half of all rise (falls left out) is on "
        "{:.2g} % of them.",
        rises.size(), sum / count, 100.0 * static_cast<double>(few) / count);
}

/// Those to go to, and how many there would be.
void addWorst(const TokenLosses& losses, LossTextFigure& body) {
    for (std::uint64_t token = body.range.first; token < body.range.end(); ++token) {
        const float rise = body.rise(token);
        body.rising += std::isfinite(rise) && rise > 0.0F ? 1 : 0;
    }
    body.worst = largestRises(losses, body.range, kMostWorst);
}

/// Which colours mean what.
std::string colourText(ColourMap map) {
    return map == ColourMap::Diverging
               ? "red where it is predicted worse, blue where better"
               : "the upper end of the scale where it is predicted worse, the lower end where "
                 "better";
}

void addPredictions(const BuildContext& context, const KeptRemoval& removal, LossTextFigure& body) {
    if (const auto without = predictedWithout(context, removal)) {
        body.predictedWithout = predictedFrom(context, *without);
    }
    body.predicted = predictedTokens(context);
    if (body.predicted == nullptr) {
        return;
    }
    const auto& ids = context.head().corpus.ids;
    body.isPredicted.reserve(body.range.count);
    for (std::uint64_t token = body.range.first; token < body.range.end(); ++token) {
        body.isPredicted.push_back(body.predicted->ids[token] == ids[token]);
    }
}

}  // namespace

Figure buildRemovalText(const BuildContext& context) {
    LossTextFigure body;
    body.tokens = requireTokens(context);
    body.range = rangeAsked(context);
    const KeptRemoval removal = removalsAsked(context, true).front();
    const TokenLosses losses = lossesWithout(context, removal);
    body.without = removal.name;
    const auto part = [&](const std::vector<float>& of) {
        const auto first = of.begin() + static_cast<std::ptrdiff_t>(body.range.first);
        return std::vector<float>(first, first + static_cast<std::ptrdiff_t>(body.range.count));
    };
    body.intactLoss = part(losses.intact);
    body.loss = part(losses.without);
    addWorst(losses, body);
    body.bar = barOf(context, removal, body);
    addPredictions(context, removal, body);
    Figure figure = context.frame("rise of loss without " + removal.name, body.range.count);
    figure.provenance.layer = removal.layer;
    context.saySelection(figure, body.range.count, body.range.count, "losses");
    figure.howToRead =
        fmt::format("Colour = loss of the token without {}, less that of the intact model: {}. {}",
                    removal.name, colourText(body.bar.scale.map), summaryOf(body));
    figure.howToRead += defaultText(removal);
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
