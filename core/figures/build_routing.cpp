// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/limits.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::figures {
namespace {

std::shared_ptr<const TokenTable> requireTokens(const BuildContext& context) {
    auto tokens = context.memory.tokens();
    if (tokens == nullptr) {
        throw Error(ErrorCode::Usage,
                    fmt::format("The figure {} needs a text, and this session has none.",
                                context.info.name));
    }
    return tokens;
}

// The rows of a range, as a table of their own; the whole table is shared, not copied.
std::shared_ptr<const Routing> rowsOf(std::shared_ptr<const Routing> all,
                                      const std::optional<TokenRange>& range) {
    if (!range) {
        return all;
    }
    if (range->first > all->tokenCount() || range->count > all->tokenCount() - range->first) {
        throw Error(
            ErrorCode::Usage,
            fmt::format("Tokens {} to {} were asked for, but the session has tokens 0 to {}.",
                        range->first, range->first + range->count - 1, all->tokenCount() - 1));
    }
    const auto k = static_cast<std::ptrdiff_t>(all->topK);
    const auto begin = static_cast<std::ptrdiff_t>(range->first) * k;
    const auto end = begin + static_cast<std::ptrdiff_t>(range->count) * k;
    auto part = std::make_shared<Routing>(
        Routing{all->experts,
                all->topK,
                range->first,
                {all->ids.begin() + begin, all->ids.begin() + end},
                {all->weights.begin() + begin, all->weights.begin() + end},
                all->layer});
    return part;
}

Limits weightLimits(const Routing& routing) {
    float most = 0.0F;
    for (const float weight : routing.weights) {
        most = std::max(most, weight);  // NaN compares false
    }
    return std::pair(0.0, static_cast<double>(most));
}

std::string excerpt(const BuildContext& context, const Routing& routing) {
    const std::uint64_t last = routing.firstToken + routing.tokenCount();
    return context.request.tokens ? fmt::format(", tokens {} to {}", routing.firstToken, last - 1)
                                  : std::string();
}

std::shared_ptr<const Routing> routingOf(const BuildContext& context) {
    if (!context.request.layer) {
        throw Error(ErrorCode::Usage,
                    fmt::format("The figure {} needs a layer.", context.info.name));
    }
    return rowsOf(context.memory.routing(*context.request.layer, context.request.branch),
                  context.request.tokens);
}

constexpr std::uint64_t kMostTokenBars = 64;

void checkTokens(const BuildContext& context, const TokenRange& range, std::uint64_t tokens) {
    if (range.first >= tokens || range.count > tokens - range.first || range.count == 0) {
        throw Error(ErrorCode::Usage,
                    fmt::format("Tokens {} to {} were asked for, but the session has tokens 0 to "
                                "{}.",
                                range.first, range.first + range.count - 1, tokens - 1));
    }
    if (range.count > kMostTokenBars) {
        throw Error(ErrorCode::Usage,
                    fmt::format("The figure {} draws at most {} tokens side by side; {} were asked "
                                "for.",
                                context.info.name, kMostTokenBars, range.count));
    }
}

PairedBarsPanel tokenBars(const TokenTable& tokens, const Routing& routing, std::uint64_t token,
                          std::span<const float> norms, std::span<const float> scores) {
    PairedBarsPanel panel;
    panel.token = token;
    panel.tokenText = tokens.text(token);
    panel.norms.assign(norms.begin(), norms.end());
    panel.scores.assign(scores.begin(), scores.end());
    for (int k = 0; k < routing.topK; ++k) {
        panel.chosen.push_back(routing.id(token, k));
    }
    panel.title =
        fmt::format("{} \"{}\": {}", token, panel.tokenText, fmt::join(panel.chosen, ", "));
    return panel;
}

}  // namespace

Figure buildChosenExperts(const BuildContext& context) {
    RoutingMapFigure body{requireTokens(context), routingOf(context), {}};
    const ColourMap map = context.request.colourMap.value_or(ColourMap::WhiteBlue);
    const ColourRange& range = context.request.range;
    Limits limits = weightLimits(*body.routing);
    if (range.kind == ColourRange::Kind::Fixed) {
        limits = std::pair(range.low, range.high);
    } else if (range.kind == ColourRange::Kind::AllLayers) {
        for (const LayerId layer : context.require("weights").layers) {
            const Limits other =
                weightLimits(*context.memory.routing(layer, context.request.branch));
            limits->second = std::max(limits->second, other->second);
        }
    }
    body.bar = {makeScale(map, limits), "routing weight"};
    for (const float weight : body.routing->weights) {
        const auto value = static_cast<double>(weight);
        body.bar.scale.hasAbove = body.bar.scale.hasAbove || value > body.bar.scale.high;
        body.bar.scale.hasBelow = body.bar.scale.hasBelow || value < body.bar.scale.low;
    }
    Figure figure = context.frame("chosen experts" + excerpt(context, *body.routing),
                                  body.routing->tokenCount());
    figure.body = std::move(body);
    return figure;
}

Figure buildColouredText(const BuildContext& context) {
    ColouredTextFigure body{requireTokens(context), routingOf(context)};
    Figure figure = context.frame("first choice of each token" + excerpt(context, *body.routing),
                                  body.routing->tokenCount());
    figure.howToRead =
        "Colour = the expert chosen first; the bar under a token is as high as that expert's "
        "weight.";
    figure.caption =
        "Each token on the colour of its first choice, the expert with the largest "
        "selection score." +
        figure.caption.substr(figure.provenance.definition.size());
    figure.body = std::move(body);
    return figure;
}

Figure buildNormsScores(const BuildContext& context) {
    if (!context.request.layer) {
        throw Error(ErrorCode::Usage, "The figure norms-scores needs a layer.");
    }
    const auto tokens = requireTokens(context);
    const session::QuantityInfo& info = context.require("norm");
    const TokenRange range = context.request.tokens.value_or(TokenRange{0, 1});
    checkTokens(context, range, tokens->size());
    const NdArray norms =
        context.source.readRows(info.id, context.request.layer, range.first, range.count);
    const NdArray scores = context.source.readRows(context.require("score").id,
                                                   context.request.layer, range.first, range.count);
    const auto routing = context.memory.routing(*context.request.layer, context.request.branch);
    PairedBarsFigure body;
    const std::size_t experts = norms.size() / range.count;
    body.labels = labelsOf(info.axes.size() > 1 ? info.axes[1] : session::Axis{}, experts);
    for (std::uint64_t i = 0; i < range.count; ++i) {
        body.panels.push_back(tokenBars(*tokens, *routing, range.first + i,
                                        norms.values<float>().subspan(i * experts, experts),
                                        scores.values<float>().subspan(i * experts, experts)));
    }
    const PairedBarsPanel& first = body.panels.front();
    const std::string what = range.count > 1
                                 ? fmt::format("norms and scores, tokens {} to {}", range.first,
                                               range.first + range.count - 1)
                                 : fmt::format("token {} \"{}\", chosen {}", first.token,
                                               first.tokenText, fmt::join(first.chosen, ", "));
    Figure figure = context.frame(what, range.count);
    figure.howToRead =
        "One bar is the norm of the expert's output, the other the router's score, each on its own "
        "axis. Both long at one expert: the router found a large output.";
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
