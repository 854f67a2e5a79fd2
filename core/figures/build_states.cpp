// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace moescope::figures {
namespace {

constexpr std::size_t kMostMaps = 8;
constexpr double kUpperEnd = 1.0;  // as in the paper's figures

/// A kept token: its row in the arrays and its place in the text.
struct KeptToken {
    std::uint64_t row = 0, token = 0;
};

std::vector<KeptToken> wantedTokens(const BuildContext& context, const KeptTokens& kept) {
    const auto of = [&kept](std::uint64_t row) { return KeptToken{row, kept.tokenAt(row)}; };
    if (!context.request.tokens) {
        // The first token of a document is usually a mark of its beginning, the second is text.
        return {of(kept.count() > 1 ? 1 : 0)};
    }
    const TokenSelection asked = context.tokens();
    std::vector<KeptToken> wanted;
    for (const TokenRange& rows : kept.rowsOf(asked)) {
        for (std::uint64_t row = rows.first; row < rows.end(); ++row) {
            wanted.push_back(of(row));
        }
    }
    if (wanted.empty()) {
        wanted.push_back(of(kept.nearestRow(asked.ranges().front().first)));
    }
    return wanted;
}

/// "states" and the quantities of columns as wide as nothing else: "states_F".
std::vector<std::string> stateQuantities(const BuildContext& context) {
    std::vector<std::string> names{"states"};
    const auto add = [&](const std::string& label) {
        if (context.find("states_" + label) != nullptr) {
            names.push_back("states_" + label);
        }
    };
    const std::size_t baselines = context.head().baselines.size();
    for (const std::string letter : {"F", "S"}) {
        add(letter);
        for (std::size_t i = 0; i < std::max<std::size_t>(baselines, 2) + 1; ++i) {
            add(letter + std::to_string(i));
        }
    }
    return names;
}

Matrix readStates(const BuildContext& context, const std::string& quantity, LayerId layer,
                  std::uint64_t row) {
    const session::QuantityInfo& info = context.require(quantity);
    const NdArray states = context.source.readRows(info.id, layer, row, 1);
    if (states.shape().size() != 3) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("intermediate_states/{} is not a table of tokens, experts and "
                                "neurons; the session is damaged.",
                                quantity));
    }
    Matrix matrix{static_cast<std::size_t>(states.shape()[1]),
                  static_cast<std::size_t>(states.shape()[2]),
                  {}};
    const auto values = states.values<float>();
    matrix.values.assign(values.begin(), values.end());
    return matrix;
}

void addShares(NeuronMapPanel& panel, double threshold) {
    const Matrix& values = panel.values;
    for (std::size_t row = 0; row < values.rows; ++row) {
        std::size_t above = 0;
        std::size_t finite = 0;
        double sum = 0.0;
        for (std::size_t neuron = 0; neuron < values.columns; ++neuron) {
            const double magnitude = std::abs(static_cast<double>(values.at(row, neuron)));
            if (std::isfinite(magnitude)) {
                ++finite;
                above += magnitude > threshold ? 1 : 0;
                sum += magnitude;
            }
        }
        const double count = finite > 0 ? static_cast<double>(finite) : std::nan("");
        panel.shareAbove.push_back(static_cast<float>(static_cast<double>(above) / count));
        panel.meanAbsolute.push_back(static_cast<float>(sum / count));
    }
}

NeuronMapPanel statesPanel(const BuildContext& context, const std::string& quantity,
                           const KeptToken& kept, double threshold) {
    const LayerId layer = *context.request.layer;
    const session::QuantityInfo& info = context.require(quantity);
    NeuronMapPanel panel;
    panel.values = readStates(context, quantity, layer, kept.row);
    panel.rowLabels =
        labelsOf(info.axes.size() > 1 ? info.axes[1] : session::Axis{}, panel.values.rows);
    const auto texts = context.memory.tokens();
    std::string chosen;
    if (quantity == "states") {
        const auto routing = context.routing(layer);
        for (int k = 0; k < routing->topK; ++k) {
            panel.chosen.push_back(routing->id(kept.token, k));
        }
        chosen = fmt::format(": {}", fmt::join(panel.chosen, ", "));
    }
    panel.title =
        fmt::format("{} \"{}\"{}", kept.token, texts ? texts->text(kept.token) : "", chosen);
    addShares(panel, threshold);
    return panel;
}

/// The lower end: of what is shown, or of the same tokens in all layers; the upper end is 1.
ColourScale scaleOf(const BuildContext& context, const NeuronMapFigure& body,
                    const std::vector<KeptToken>& tokens) {
    const ColourMap map = context.request.colourMap.value_or(ColourMap::Viridis);
    const ColourRange& range = context.request.range;
    if (range.kind == ColourRange::Kind::Fixed) {
        return {map, range.low, range.high};
    }
    Limits limits;
    for (const NeuronMapPanel& panel : body.panels) {
        limits = widened(limits, panel.values, false);
    }
    if (range.kind == ColourRange::Kind::AllLayers) {
        for (const LayerId layer : context.require("states").layers) {
            for (const KeptToken& one : tokens) {
                limits = widened(limits, readStates(context, "states", layer, one.row), false);
            }
        }
    }
    const double low = limits ? std::min(limits->first, 0.0) : 0.0;
    return makeScale(map, std::pair(low, kUpperEnd));
}

/// Mean over the experts of the share above the threshold, over all tokens of the text.
std::string shareOfAll(const BuildContext& context, double threshold) {
    if (context.find("active_share") == nullptr) {
        return {};
    }
    const NdArray shares = context.read("active_share", context.request.layer);
    const auto experts = static_cast<std::uint64_t>(context.experts(*context.request.layer));
    double sum = 0.0;
    for (std::uint64_t i = 0; i < std::min(experts, shares.size()); ++i) {
        sum += shares.at(i);
    }
    return fmt::format(" Over all tokens, {:.1f} % of the experts' values are above {}.",
                       100.0 * sum / static_cast<double>(std::max<std::uint64_t>(experts, 1)),
                       threshold);
}

}  // namespace

Figure buildIntermediateStates(const BuildContext& context) {
    if (!context.request.layer) {
        throw Error(ErrorCode::Usage, "The figure intermediate-states needs a layer.");
    }
    const KeptTokens kept =
        keptTokens(context.source, context.require("states"), context.request.layer);
    std::vector<KeptToken> tokens = wantedTokens(context, kept);
    const std::size_t inRange = tokens.size();
    tokens.resize(std::min(inRange, kMostMaps));
    NeuronMapFigure body;
    if (context.find("threshold") != nullptr) {
        body.threshold = context.read("threshold", std::nullopt).at(0);
    }
    for (const KeptToken& one : tokens) {
        for (const std::string& quantity : stateQuantities(context)) {
            body.panels.push_back(statesPanel(context, quantity, one, body.threshold));
        }
    }
    body.bar = {scaleOf(context, body, tokens), "act(gate\xC2\xB7x)"};
    for (const NeuronMapPanel& panel : body.panels) {
        markBeyond(body.bar.scale, panel.values, false);
    }
    const std::string what =
        tokens.size() == 1 ? fmt::format("intermediate states, token {}", tokens.front().token)
                           : fmt::format("intermediate states, {} tokens", tokens.size());
    Figure figure = context.frame(what, tokens.size());
    figure.howToRead =
        "A row is an expert, a column a neuron; where neurons share a pixel the one of largest "
        "magnitude shows. Marked rows: the chosen experts. On the right: the share of neurons with "
        "a value above the threshold.";
    if (context.request.tokens && !context.request.tokens->contains(tokens.front().token)) {
        context.giveNotice(figure, *context.request.tokens, tokens.front().token,
                           "intermediate states", kept.count());
    }
    figure.caption += shareOfAll(context, body.threshold);
    if (inRange > tokens.size()) {
        figure.caption +=
            fmt::format(" The first {} of {} kept tokens in the range.", tokens.size(), inRange);
    }
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
