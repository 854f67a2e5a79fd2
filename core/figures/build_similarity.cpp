// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/clustered.h"
#include "core/figures/limits.h"
#include "core/numerics/similarity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace moescope::figures {
namespace {

constexpr std::size_t kMostTokenMaps = 64;

std::vector<std::string> wantedRoles(const BuildContext& context) {
    static const std::vector<std::string> kRoles{"gate", "up", "down"};
    for (const std::string& role : context.request.roles) {
        if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
            throw Error(ErrorCode::Usage,
                        fmt::format("The figure {} has no role \"{}\"; it has gate, up and down.",
                                    context.info.name, role));
        }
    }
    return context.request.roles.empty() ? kRoles : context.request.roles;
}

HeatMapPanel makePanel(std::string title, Matrix matrix, const session::QuantityInfo& info,
                       std::size_t rowAxis) {
    HeatMapPanel panel;
    panel.title = std::move(title);
    panel.rowLabels =
        labelsOf(info.axes.size() > rowAxis ? info.axes[rowAxis] : session::Axis{}, matrix.rows);
    panel.columnLabels = labelsOf(
        info.axes.size() > rowAxis + 1 ? info.axes[rowAxis + 1] : session::Axis{}, matrix.columns);
    panel.rowsBeforeGap = countBeforeGap(panel.rowLabels);
    panel.columnsBeforeGap = countBeforeGap(panel.columnLabels);
    panel.matrix = std::move(matrix);
    return panel;
}

void setScale(const BuildContext& context, HeatMapFigure& body, Limits overLayers,
              const std::string& label) {
    const ColourRange& range = context.request.range;
    const ColourMap map = context.request.colourMap.value_or(
        context.request.relative ? ColourMap::Diverging : ColourMap::Viridis);
    Limits limits;
    if (range.kind == ColourRange::Kind::Fixed) {
        body.bar.scale = {map, range.low, range.high};
    } else {
        for (const HeatMapPanel& panel : body.panels) {
            limits = widened(limits, panel.matrix, body.diagonalMasked);
        }
        body.bar.scale =
            makeScale(map, range.kind == ColourRange::Kind::AllLayers ? overLayers : limits);
    }
    body.bar.label = label;
    for (const HeatMapPanel& panel : body.panels) {
        markBeyond(body.bar.scale, panel.matrix, body.diagonalMasked);
    }
}

/// Figures of one experiment that differ in what they show of each role.
struct Measure {
    std::string_view figure, suffix, what, barLabel, howToRead;
};
constexpr std::array kMeasures{
    Measure{"matched-similarity", "", "similarity of matched neurons", "cosine similarity",
            "1 = the same neurons, perhaps in another order. Matching makes even random matrices "
            "alike: compare with the value for them, which is above 0."},
    Measure{
        "matched-growth-similarity", "_growth", "growth of similarity by matching",
        "growth of cosine similarity",
        "Similarity of matched neurons minus that of the matrices as they are. Near 0: matching "
        "changes little, the neurons already stand in a common order."},
    Measure{"matched-order-similarity", "_tau", "order of matched neurons", "Kendall's \xCF\x84",
            "1 = matched neurons stand in the same order in both experts, as after a common "
            "start; 0 = in no common order."},
};

const Measure* measureOf(const BuildContext& context) {
    const auto* found = std::find_if(kMeasures.begin(), kMeasures.end(), [&](const Measure& m) {
        return m.figure == context.info.name;
    });
    return found == kMeasures.end() ? nullptr : found;
}

std::string quantityOf(const BuildContext& context, const std::string& role) {
    const Measure* measure = measureOf(context);
    return context.request.relative ? role + "_relative"
           : measure != nullptr     ? role + std::string(measure->suffix)
                                    : role;
}

std::string barLabel(const BuildContext& context, const session::QuantityInfo& info) {
    if (const Measure* measure = measureOf(context)) {
        return std::string(measure->barLabel);
    }
    const std::string base =
        context.info.experiment == "output_similarity" && info.id.quantity != "token_cosine"
            ? "angular similarity"
            : "cosine similarity";
    return context.request.relative ? base + ", relative" : base;
}

Matrix tokenMap(const BuildContext& context, const session::QuantityInfo& info,
                std::optional<LayerId> layer, std::uint64_t row) {
    const NdArray map = context.source.readRows(info.id, layer, row, 1);
    Matrix matrix{static_cast<std::size_t>(map.shape().at(1)),
                  static_cast<std::size_t>(map.shape().at(2)),
                  {}};
    for (const double value : map.toDoubles()) {
        matrix.values.push_back(static_cast<float>(value));
    }
    return matrix;
}

// Short text: one map per kept token, titled with the chosen experts.
void addTokens(const BuildContext& context, const KeptTokens& kept,
               const std::vector<std::uint64_t>& rows, HeatMapFigure& body) {
    const session::QuantityInfo& info = context.require("token_cosine");
    const auto texts = context.memory.tokens();
    const auto routing = context.routing(*context.request.layer);
    for (const std::uint64_t row : rows) {
        const std::uint64_t token = kept.tokenAt(row);
        std::string chosen;
        for (int k = 0; routing != nullptr && k < routing->topK; ++k) {
            chosen += (k == 0 ? "" : ", ") + std::to_string(routing->id(token, k));
        }
        body.panels.push_back(
            makePanel(fmt::format("{} \"{}\": {}", token, texts ? texts->text(token) : "", chosen),
                      tokenMap(context, info, context.request.layer, row), info, 1));
    }
}

/// The maps of the tokens asked for, as many as can be read; of the nearest where none was kept.
std::vector<std::uint64_t> tokenRows(const KeptTokens& kept, const TokenSelection& asked) {
    std::vector<std::uint64_t> rows;
    for (const TokenRange& range : kept.rowsOf(asked)) {
        for (std::uint64_t row = range.first; row < range.end() && rows.size() < kMostTokenMaps;
             ++row) {
            rows.push_back(row);
        }
    }
    if (rows.empty()) {
        rows.push_back(kept.nearestRow(asked.ranges().front().first));
    }
    return rows;
}

// Of these tokens' maps in every layer.
Limits tokenLimits(const BuildContext& context, const std::vector<std::uint64_t>& rows) {
    const session::QuantityInfo& info = context.require("token_cosine");
    Limits limits;
    for (const LayerId layer : info.layers) {
        for (const std::uint64_t row : rows) {
            limits =
                widened(limits, tokenMap(context, info, layer, row), context.request.maskDiagonal);
        }
    }
    return limits;
}

// The averaged map of selected tokens, from the maps of those of them that have one. A map of
// cosines is the Gram matrix of the same vectors at length 1.
Matrix selectedMean(const BuildContext& context, const KeptTokens& kept, LayerId layer) {
    const TokenSelection asked = context.counted(context.tokens());
    const auto rows = kept.rowsOf(asked);
    const std::uint64_t count = TokenSelection(rows).count();
    if (count == 0) {
        throw Error(
            ErrorCode::Usage,
            fmt::format("None of {} has a similarity map of its own; the session keeps {} "
                        "maps, the first for token {}. More are kept with --kept-tokens, or "
                        "with --kept-from spread over the whole text.",
                        describe(asked), kept.count(), kept.tokenAt(0)));
    }
    const session::QuantityInfo& info = context.require("token_cosine");
    Matrix mean;
    std::vector<double> sums;
    for (const TokenRange& range : rows) {
        const NdArray maps = context.source.readRows(info.id, layer, range.first, range.count);
        mean.rows = static_cast<std::size_t>(maps.shape().at(1));
        mean.columns = static_cast<std::size_t>(maps.shape().at(2));
        sums.resize(mean.rows * mean.columns);
        const std::vector<double> cosines = maps.toDoubles();
        for (std::size_t at = 0; at < cosines.size(); at += sums.size()) {
            numerics::addAngularSimilarities(std::span(cosines).subspan(at, sums.size()), mean.rows,
                                             sums);
        }
    }
    for (const double sum : sums) {
        mean.values.push_back(static_cast<float>(sum / static_cast<double>(count)));
    }
    return mean;
}

// One panel per layer, one quantity; a click goes to the layer.
void addLayers(const BuildContext& context, const std::string& quantity,
               const std::optional<KeptTokens>& selected, HeatMapFigure& body) {
    const session::QuantityInfo& info = context.require(quantity);
    for (const LayerId layer : context.layersOf(info)) {
        HeatMapPanel panel = makePanel(fmt::format("layer {}", layer.value),
                                       selected ? selectedMean(context, *selected, layer)
                                                : toMatrix(context.read(quantity, layer)),
                                       info, 0);
        panel.layer = layer;
        body.panels.push_back(std::move(panel));
    }
}

std::string whatOf(const BuildContext& context, const HeatMapFigure& body,
                   const std::vector<std::string>& roles) {
    const Measure* measure = measureOf(context);
    std::string what = measure != nullptr                               ? std::string(measure->what)
                       : context.info.experiment == "weight_similarity" ? "weight similarity"
                       : context.info.experiment == "mean_neuron_similarity"
                           ? "mean neuron similarity"
                           : "expert output similarity";
    if (context.request.relative) {
        what += ", relative";
    }
    if (context.info.hasRoles && (body.panels.size() == 1 || !context.request.layer)) {
        what += fmt::format(" ({})", roles.front());
    }
    return context.request.layer ? what : what + ", " + context.layersText();
}

/// What two unrelated matrices give after matching.
std::string randomOf(const BuildContext& context) {
    const session::QuantityInfo* random =
        context.info.name == "matched-similarity" ? context.find("random") : nullptr;
    if (random == nullptr || random->layers.empty()) {
        return {};
    }
    return fmt::format(" Gaussian matrices of this shape: {:.4f}.",
                       context.source.read(random->id, random->layers.front()).at(0));
}

}  // namespace

namespace {

// Of selected tokens there are only the maps that were kept.
std::optional<KeptTokens> selectedTokens(const BuildContext& context) {
    if (!context.info.hasMean || !context.request.tokens ||
        (context.request.mean && !context.isSelection())) {
        return std::nullopt;
    }
    if (context.request.relative) {
        throw Error(ErrorCode::Usage,
                    "The relative similarity is kept as the mean over all tokens only: draw it "
                    "without tokens, or those tokens without relative.");
    }
    return keptTokens(context.source, context.require("token_cosine"), context.request.layer);
}

void sayTokens(const BuildContext& context, const KeptTokens& kept, bool perToken,
               const std::vector<std::uint64_t>& rows, Figure& figure) {
    if (!perToken) {
        const TokenSelection asked = context.counted(context.tokens());
        context.saySelection(figure, TokenSelection(kept.rowsOf(asked)).count(), asked.count(),
                             "a map of their own");
    } else if (!context.request.tokens->contains(kept.tokenAt(rows.front()))) {
        context.giveNotice(figure, *context.request.tokens, kept.tokenAt(rows.front()),
                           "similarity maps", kept.count());
    }
}

void sayWhatItShows(const BuildContext& context, const HeatMapFigure& body, Figure& figure) {
    if (const Measure* measure = measureOf(context)) {
        figure.howToRead = measure->howToRead;
    }
    figure.caption += baselinesOf(context.head(), body.panels.front().rowLabels);
    figure.caption += randomOf(context);
    if (body.diagonalMasked) {
        figure.caption += context.info.name == "matched-growth-similarity"
                              ? " The diagonal is 0 by definition and left out."
                              : " The diagonal is 1 by definition and left out.";
    }
}

}  // namespace

Figure buildSimilarity(const BuildContext& context) {
    HeatMapFigure body;
    const std::optional<KeptTokens> selected = selectedTokens(context);
    const bool perToken = selected && !context.request.mean;
    const std::vector<std::uint64_t> rows =
        perToken ? tokenRows(*selected, context.tokens()) : std::vector<std::uint64_t>{};
    if (perToken && !context.request.layer) {
        throw Error(ErrorCode::Usage, fmt::format("The figure {} of single tokens needs a layer.",
                                                  context.info.name));
    }
    // A mean angular similarity and a cosine with itself are 1 by definition.
    body.diagonalMasked = context.request.maskDiagonal;
    std::vector<std::string> roles;
    std::vector<std::string> shownRoles;
    std::vector<std::string> quantities;
    if (context.info.hasRoles) {
        roles = wantedRoles(context);
        for (const std::string& role : roles) {
            const bool isThere = context.find(quantityOf(context, role)) != nullptr;
            // Matching can be asked for single roles.
            if (isThere || !context.request.roles.empty() || measureOf(context) == nullptr) {
                quantities.push_back(quantityOf(context, role));
                shownRoles.push_back(role);
            }
        }
    } else {
        quantities = {quantityOf(context, "mean_angular")};
    }
    if (context.info.hasRoles) {
        roles = shownRoles;
    }
    if (perToken) {
        addTokens(context, *selected, rows, body);
    } else if (!context.request.layer) {
        addLayers(context, quantities.front(), selected, body);
    } else {
        for (std::size_t i = 0; i < quantities.size(); ++i) {
            body.panels.push_back(
                makePanel(roles.empty() ? "" : roles[i],
                          selected ? selectedMean(context, *selected, *context.request.layer)
                                   : toMatrix(context.read(quantities[i], context.request.layer)),
                          context.require(quantities[i]), 0));
        }
    }
    if (context.request.clustered) {
        orderByClustering(body, &meanOfHalves);
    }
    Limits overLayers;
    if (context.request.range.kind == ColourRange::Kind::AllLayers) {
        for (const std::string& quantity : quantities) {
            const session::QuantityInfo& info = context.require(quantity);
            const Limits more = perToken ? tokenLimits(context, rows)
                                         : context.memory.cachedLimits(quantity, &limitsOverLayers,
                                                                       info, body.diagonalMasked);
            if (more) {
                overLayers = overLayers ? std::pair(std::min(overLayers->first, more->first),
                                                    std::max(overLayers->second, more->second))
                                        : *more;
            }
        }
    }
    const session::QuantityInfo& first =
        context.require(perToken ? "token_cosine" : quantities.front());
    setScale(context, body, overLayers, barLabel(context, first));
    const std::uint64_t tokens =
        perToken   ? body.panels.size()
        : selected ? TokenSelection(selected->rowsOf(context.counted(context.tokens()))).count()
                   : first.tokens;
    Figure figure = context.frame(whatOf(context, body, roles), tokens);
    if (selected) {
        sayTokens(context, *selected, perToken, rows, figure);
    }
    sayWhatItShows(context, body, figure);
    figure.caption += context.request.clustered ? kClusteredText : "";
    if (roles.size() == 1) {
        figure.provenance.role = roles.front();
    }
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
