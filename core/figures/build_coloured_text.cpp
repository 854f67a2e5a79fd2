// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// The text on the colours of first choices (C3): at one layer, or a passage at several.
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/routed_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::figures {
namespace {

/// Of a passage at several layers; more would not be compared by eye.
constexpr std::uint64_t kMostOfPassage = 512;
constexpr std::uint64_t kUsualPassage = 128;

double mostWeight(const Routing& routing) {
    float most = 0.0F;
    for (const float weight : routing.weights) {
        most = std::max(most, weight);  // NaN compares false
    }
    return static_cast<double>(most);
}

std::vector<double> firstShares(const Routing& routing) {
    const auto counts = numerics::expertCounts({routing.ids, routing.topK, routing.experts}, 0);
    std::vector<double> shares;
    shares.reserve(counts.size());
    for (const std::uint64_t count : counts) {
        shares.push_back(static_cast<double>(count) /
                         static_cast<double>(std::max<std::uint64_t>(routing.tokenCount(), 1)));
    }
    return shares;
}

void sayText(const BuildContext& context, Figure& figure, std::uint64_t tokens) {
    context.saySelection(figure, tokens, tokens, "routing");
    figure.caption =
        "Each token on the colour of its first choice, the expert with the largest "
        "selection score." +
        figure.caption.substr(figure.provenance.definition.size());
}

/// One range, since lines join what follows one another.
void requireOneRange(const TokenSelection& tokens) {
    if (!tokens.isOneRange() && !tokens.empty()) {
        throw Error(ErrorCode::Usage,
                    "The figure coloured-text draws one range of tokens, and several were asked "
                    "for; chosen-experts draws them all.");
    }
}

Figure buildPassage(const BuildContext& context) {
    const TokenSelection asked = context.tokens();
    requireOneRange(asked);
    const std::uint64_t most = context.request.tokens ? kMostOfPassage : kUsualPassage;
    const TokenRange passage{asked.ranges().front().first, std::min(asked.count(), most)};
    ColouredPassageFigure body;
    body.tokens = requireTokens(context);
    for (const LayerId layer : context.layersOf(context.require("ids"))) {
        context.throwIfStopped();
        const auto routing = context.routing(layer, passage);
        body.mostWeight = std::max(body.mostWeight, mostWeight(*routing));
        body.experts = std::max(body.experts, routing->experts);
        body.layers.push_back(routing);
    }
    Figure figure = context.frame("first choice of each token, layer by layer", passage.count);
    sayText(context, figure, passage.count);
    if (passage.count < asked.count()) {
        figure.notice = fmt::format("A passage of {} tokens is shown, from token {} on.",
                                    passage.count, passage.first);
        figure.caption += " " + figure.notice;
    }
    figure.howToRead =
        "The same passage at each layer: colour = the expert chosen first there. An expert's "
        "colour means another expert in every layer.";
    figure.body = std::move(body);
    return figure;
}

}  // namespace

Figure buildColouredText(const BuildContext& context) {
    if (!context.request.layer) {
        return buildPassage(context);
    }
    ColouredTextFigure body;
    body.tokens = requireTokens(context);
    body.routing = rowsOf(context.routing(*context.request.layer), context.tokens());
    requireOneRange(body.routing->tokens);
    body.mostWeight = mostWeight(*body.routing);
    body.firstShare = firstShares(*body.routing);
    const std::uint64_t tokens = body.routing->tokenCount();
    Figure figure = context.frame("first choice of each token", tokens);
    sayText(context, figure, tokens);
    figure.howToRead =
        "Colour = the expert chosen first; the bar under a token is as high as that expert's "
        "weight. Above: each expert's share of the first choices.";
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
