// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace moescope::figures {
namespace {

Limits weightLimits(const Routing& routing) {
    float most = 0.0F;
    for (const float weight : routing.weights) {
        most = std::max(most, weight);  // NaN compares false
    }
    return std::pair(0.0, static_cast<double>(most));
}

std::shared_ptr<const Routing> routingOf(const BuildContext& context) {
    if (!context.request.layer) {
        throw Error(ErrorCode::Usage,
                    fmt::format("The figure {} needs a layer.", context.info.name));
    }
    return rowsOf(context.routing(*context.request.layer), context.tokens());
}

constexpr std::uint64_t kMostTokenBars = 64;

// The rows of the tokens asked for; of the nearest one where none of them was kept.
std::vector<TokenRange> barRows(const BuildContext& context, const KeptTokens& kept,
                                const TokenSelection& asked) {
    std::vector<TokenRange> rows = kept.rowsOf(asked);
    const TokenSelection found(rows);
    if (found.empty() && kept.count() > 0) {
        return {{kept.nearestRow(asked.ranges().front().first), 1}};
    }
    if (found.count() > kMostTokenBars) {
        throw Error(ErrorCode::Usage,
                    fmt::format("The figure {} draws at most {} tokens side by side; {} were asked "
                                "for. Their mean is drawn with --mean.",
                                context.info.name, kMostTokenBars, found.count()));
    }
    return rows;
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

std::shared_ptr<const TokenTable> requireTokens(const BuildContext& context) {
    auto tokens = context.memory.tokens();
    if (tokens == nullptr) {
        throw Error(ErrorCode::Usage,
                    fmt::format("The figure {} needs a text, and this session has none.",
                                context.info.name));
    }
    return tokens;
}

std::shared_ptr<const Routing> rowsOf(std::shared_ptr<const Routing> all,
                                      const TokenSelection& tokens) {
    if (tokens.count() == all->tokenCount()) {
        return all;
    }
    auto part = std::make_shared<Routing>();
    part->experts = all->experts;
    part->topK = all->topK;
    part->layer = all->layer;
    part->tokens = tokens;
    const auto k = static_cast<std::ptrdiff_t>(all->topK);
    for (const TokenRange& range : tokens.ranges()) {
        const auto begin = static_cast<std::ptrdiff_t>(range.first) * k;
        const auto end = static_cast<std::ptrdiff_t>(range.end()) * k;
        part->ids.insert(part->ids.end(), all->ids.begin() + begin, all->ids.begin() + end);
        part->weights.insert(part->weights.end(), all->weights.begin() + begin,
                             all->weights.begin() + end);
    }
    return part;
}

Figure buildChosenExperts(const BuildContext& context) {
    RoutingMapFigure body;
    body.tokens = requireTokens(context);
    body.routing = routingOf(context);
    const ColourMap map = context.request.colourMap.value_or(ColourMap::WhiteBlue);
    const ColourRange& range = context.request.range;
    Limits limits = weightLimits(*body.routing);
    if (range.kind == ColourRange::Kind::Fixed) {
        limits = std::pair(range.low, range.high);
    } else if (range.kind == ColourRange::Kind::AllLayers) {
        for (const LayerId layer : context.require("weights").layers) {
            context.throwIfStopped();
            const Limits other = weightLimits(*context.routing(layer));
            limits->second = std::max(limits->second, other->second);
        }
    }
    body.bar = {makeScale(map, limits), "routing weight"};
    for (const float weight : body.routing->weights) {
        const auto value = static_cast<double>(weight);
        body.bar.scale.hasAbove = body.bar.scale.hasAbove || value > body.bar.scale.high;
        body.bar.scale.hasBelow = body.bar.scale.hasBelow || value < body.bar.scale.low;
    }
    const std::uint64_t tokens = body.routing->tokenCount();
    Figure figure = context.frame("chosen experts", tokens);
    context.saySelection(figure, tokens, tokens, "routing");
    figure.body = std::move(body);
    return figure;
}

namespace {

PairedBarsFigure emptyBars(const session::QuantityInfo& norm, std::size_t experts) {
    PairedBarsFigure body;
    body.labels = labelsOf(norm.axes.size() > 1 ? norm.axes[1] : session::Axis{}, experts);
    return body;
}

PairedBarsFigure singleBars(const BuildContext& context, const KeptTokens& kept,
                            const std::vector<TokenRange>& rows) {
    const auto tokens = requireTokens(context);
    const LayerId layer = *context.request.layer;
    const session::QuantityInfo& info = context.require("norm");
    const session::QuantityInfo& score = context.require("score");
    const auto routing = context.routing(layer);
    PairedBarsFigure body = emptyBars(info, static_cast<std::size_t>(context.experts(layer)));
    for (const TokenRange& range : rows) {
        const NdArray norms = context.source.readRows(info.id, layer, range.first, range.count);
        const NdArray scores = context.source.readRows(score.id, layer, range.first, range.count);
        const std::size_t experts = norms.size() / range.count;
        for (std::uint64_t i = 0; i < range.count; ++i) {
            body.panels.push_back(tokenBars(*tokens, *routing, kept.tokenAt(range.first + i),
                                            norms.values<float>().subspan(i * experts, experts),
                                            scores.values<float>().subspan(i * experts, experts)));
        }
    }
    return body;
}

std::string whatOf(const PairedBarsFigure& body) {
    const PairedBarsPanel& first = body.panels.front();
    return body.panels.size() > 1 ? fmt::format("norms and scores, tokens {} to {}", first.token,
                                                body.panels.back().token)
                                  : fmt::format("token {} \"{}\", chosen {}", first.token,
                                                first.tokenText, fmt::join(first.chosen, ", "));
}

Figure meanFigure(const BuildContext& context, PairedBarsPanel panel) {
    const std::uint64_t tokens = panel.tokens;
    PairedBarsFigure body = emptyBars(context.require("norm"), panel.norms.size());
    body.panels.push_back(std::move(panel));
    Figure figure = context.frame("mean norms and scores", tokens);
    figure.body = std::move(body);
    return figure;
}

/// The mean over all tokens, where the run has kept it: sessions before 1.3 have not.
std::optional<PairedBarsPanel> keptMean(const BuildContext& context) {
    const session::QuantityInfo* norms = context.find("mean_norm");
    const auto covers = [&](const session::QuantityInfo& info) {
        return std::find(info.layers.begin(), info.layers.end(), *context.request.layer) !=
               info.layers.end();
    };
    if (context.isSelection() || norms == nullptr || !covers(*norms)) {
        return std::nullopt;
    }
    const auto values = [&](const std::string& quantity) {
        const std::vector<double> means = context.read(quantity, context.request.layer).toDoubles();
        return std::vector<float>(means.begin(), means.end());
    };
    PairedBarsPanel panel;
    panel.norms = values("mean_norm");
    panel.scores = values("mean_score");
    panel.tokens = context.head().corpus.tokenCount();
    if (panel.norms.size() != panel.scores.size()) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("norms_scores of layer {}: mean_norm and mean_score have different "
                                "lengths; the session is damaged.",
                                context.request.layer->value));
    }
    return panel;
}

/// The mean over the tokens asked for.
Figure buildMeanNormsScores(const BuildContext& context, const KeptTokens& kept) {
    if (auto mean = keptMean(context)) {
        return meanFigure(context, std::move(*mean));
    }
    const LayerId layer = *context.request.layer;
    const TokenSelection asked = context.tokens();
    const std::vector<TokenRange> rows = kept.rowsOf(asked);
    const std::uint64_t count = TokenSelection(rows).count();
    if (count == 0) {
        throw Error(ErrorCode::Usage,
                    fmt::format("No norms and scores are kept of {}; the session keeps them for {} "
                                "of its {} tokens.",
                                describe(asked), kept.count(), context.head().corpus.tokenCount()));
    }
    const TokenNumbers::Sums sums =
        context.memory.numbers().sums(layer, context.request.branch, rows, context.stop);
    PairedBarsPanel panel;
    const auto mean = [count](double sum) {
        return static_cast<float>(sum / static_cast<double>(count));
    };
    std::transform(sums.norms.begin(), sums.norms.end(), std::back_inserter(panel.norms), mean);
    std::transform(sums.scores.begin(), sums.scores.end(), std::back_inserter(panel.scores), mean);
    panel.tokens = count;
    Figure figure = meanFigure(context, std::move(panel));
    context.saySelection(figure, count, asked.count(), "norms and scores");
    return figure;
}

}  // namespace

Figure buildNormsScores(const BuildContext& context) {
    if (!context.request.layer) {
        throw Error(ErrorCode::Usage, "The figure norms-scores needs a layer.");
    }
    const KeptTokens kept =
        keptTokens(context.source, context.require("norm"), context.request.layer);
    Figure figure;
    if (context.request.mean) {
        figure = buildMeanNormsScores(context, kept);
    } else {
        const TokenSelection asked = context.request.tokens ? context.tokens() : TokenRange{0, 1};
        PairedBarsFigure body = singleBars(context, kept, barRows(context, kept, asked));
        figure = context.frame(whatOf(body), body.panels.size());
        if (!asked.contains(body.panels.front().token)) {
            context.giveNotice(figure, asked, body.panels.front().token, "norms and scores",
                               kept.count());
        }
        figure.body = std::move(body);
    }
    figure.howToRead =
        "One bar is the norm of the expert's output, the other the router's score, each on its own "
        "axis. Both long at one expert: the router found a large output.";
    return figure;
}

}  // namespace moescope::figures
