// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/limits.h"
#include "core/numerics/routing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

namespace moescope::figures {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
/// Experts whose loads are within this factor are of like load.
constexpr double kLikeLoad = 1.5;

/// As the experiment keeps them.
constexpr std::size_t kMeasures = 3;
struct Outcome {
    double loss = kNaN, accuracy = kNaN, changed = kNaN;
};

Outcome outcomeAt(const NdArray& values, std::size_t place) {
    const std::size_t at = place * kMeasures;
    if (at + kMeasures > values.size()) {
        throw Error(ErrorCode::BadSession,
                    "expert_removal in the session has another shape than this program writes; "
                    "the file is damaged.");
    }
    return {values.at(at), values.at(at + 1), values.at(at + 2)};
}

/// Removals in one layer alone.
struct Single {
    std::vector<std::string> layers, experts;
    NdArray values;  // [layers, experts, measures]
};

Single singleOf(const BuildContext& context) {
    const session::QuantityInfo& info = context.require("single");
    if (info.axes.size() != kMeasures) {
        throw Error(ErrorCode::BadSession,
                    "expert_removal/single in the session has no layers and experts; the file is "
                    "damaged.");
    }
    NdArray values = context.read("single", std::nullopt);
    const auto size = [&](std::size_t axis) {
        return static_cast<std::size_t>(values.shape().at(axis));
    };
    return {labelsOf(info.axes[0], size(0)), labelsOf(info.axes[1], size(1)), std::move(values)};
}

/// Tokens that chose each expert of a layer, empty where that is not known.
std::vector<double> loadsOf(const BuildContext& context, const std::string& layerLabel) {
    const session::QuantityId id{context.request.branch, "chosen_experts", "ids"};
    const session::QuantityInfo* info = context.source.find(id);
    const auto known = [&](LayerId layer) { return std::to_string(layer.value) == layerLabel; };
    const auto layer = info == nullptr
                           ? std::vector<LayerId>::const_iterator()
                           : std::find_if(info->layers.begin(), info->layers.end(), known);
    if (info == nullptr || layer == info->layers.end()) {
        return {};
    }
    const auto routing = context.memory.routing(*layer, context.request.branch);
    const auto counts = numerics::expertCounts({routing->ids, routing->topK, routing->experts});
    const auto tokens = static_cast<double>(routing->tokenCount());
    std::vector<double> loads;
    loads.reserve(counts.size());
    for (const std::uint64_t count : counts) {
        loads.push_back(static_cast<double>(count) / tokens);
    }
    return loads;
}

/// Mean rise of the loss when one of the other experts of like load goes; NaN without any.
double controlOf(const std::vector<double>& rises, const std::vector<double>& loads,
                 std::size_t expert) {
    double sum = 0.0;
    double count = 0.0;
    for (std::size_t other = 0; other < rises.size() && other < loads.size(); ++other) {
        const bool isLike = expert < loads.size() && loads[other] <= kLikeLoad * loads[expert] &&
                            loads[expert] <= kLikeLoad * loads[other];
        if (other != expert && isLike && std::isfinite(rises[other])) {
            sum += rises[other];
            count += 1.0;
        }
    }
    return count > 0.0 ? sum / count : kNaN;
}

/// Writes rows; the first one names and types the columns.
class Rows {
public:
    Rows(TableFigure& table, Outcome intact) : m_table(table), m_intact(intact) {
        using Kind = TableColumn::Kind;
        m_table.columns = {
            {"layer", Kind::Text, {}, {}},           {"expert", Kind::Count, {}, {}},
            {"loss rises by", Kind::Number, {}, {}}, {"others'", Kind::Number, {}, {}},
            {"loss", Kind::Number, {}, {}},          {"perplexity", Kind::Number, {}, {}},
            {"accuracy", Kind::Number, {}, {}},      {"changed", Kind::Number, {}, {}},
            {"tokens", Kind::Number, {}, {}}};
    }
    [[nodiscard]] double rise(const Outcome& outcome) const { return outcome.loss - m_intact.loss; }
    void add(const std::string& layer, double expert, const Outcome& outcome, double control,
             double load) {
        const std::string dash = "\xE2\x80\x93";
        m_table.columns[0].texts.push_back(layer);
        const std::array values{
            expert,           rise(outcome),   control, outcome.loss, std::exp(outcome.loss),
            outcome.accuracy, outcome.changed, load};
        for (std::size_t c = 0; c < values.size(); ++c) {
            m_table.columns[c + 1].numbers.push_back(values[c]);
            m_table.columns[c + 1].texts.push_back(std::isnan(values[c]) ? dash : std::string());
        }
        m_table.experts.push_back(std::isnan(expert) ? -1 : static_cast<int>(expert));
        ++m_table.rows;
    }

private:
    TableFigure& m_table;
    Outcome m_intact;
};

/// Chosen sets, beside as many experts of the same layers drawn by chance.
void addSets(const BuildContext& context, Rows& rows, TableFigure& table) {
    const session::QuantityInfo* info = context.find("set");
    if (info == nullptr || info->axes.empty()) {
        return;
    }
    const NdArray values = context.read("set", std::nullopt);
    const std::size_t sets = values.size() / kMeasures;
    const std::vector<std::string> labels = labelsOf(info->axes.front(), sets);
    const std::optional<NdArray> controls =
        context.find("set_controls") == nullptr
            ? std::nullopt
            : std::optional(context.read("set_controls", std::nullopt));
    const std::size_t draws = controls && sets > 0 ? controls->size() / kMeasures / sets : 0;
    table.sections.push_back({table.rows, "chosen sets (layer:expert)"});
    for (std::size_t set = 0; set < sets; ++set) {
        double control = draws > 0 ? 0.0 : kNaN;
        for (std::size_t draw = 0; draw < draws; ++draw) {
            control +=
                rows.rise(outcomeAt(*controls, set * draws + draw)) / static_cast<double>(draws);
        }
        rows.add(labels[set], kNaN, outcomeAt(values, set), control, kNaN);
    }
}

void addEverywhere(const BuildContext& context, const Single& single, Rows& rows,
                   TableFigure& table) {
    if (context.find("everywhere") == nullptr) {
        return;
    }
    const NdArray values = context.read("everywhere", std::nullopt);
    const std::size_t experts = values.size() / kMeasures;
    std::vector<double> loads(experts);
    for (const std::string& layer : single.layers) {
        const std::vector<double> here = loadsOf(context, layer);
        for (std::size_t e = 0; e < experts; ++e) {
            loads[e] +=
                (e < here.size() ? here[e] : kNaN) / static_cast<double>(single.layers.size());
        }
    }
    std::vector<double> rises;
    for (std::size_t e = 0; e < experts; ++e) {
        rises.push_back(rows.rise(outcomeAt(values, e)));
    }
    table.sections.push_back({table.rows, "the same index in all layers"});
    for (std::size_t e = 0; e < experts; ++e) {
        rows.add("all", static_cast<double>(e), outcomeAt(values, e), controlOf(rises, loads, e),
                 loads[e]);
    }
}

void addSingle(const BuildContext& context, const Single& single, Rows& rows, TableFigure& table) {
    table.sections.push_back({table.rows, "in one layer"});
    const std::size_t experts = single.experts.size();
    for (std::size_t l = 0; l < single.layers.size(); ++l) {
        const std::vector<double> loads = loadsOf(context, single.layers[l]);
        std::vector<double> rises;
        for (std::size_t e = 0; e < experts; ++e) {
            rises.push_back(rows.rise(outcomeAt(single.values, l * experts + e)));
        }
        for (std::size_t e = 0; e < experts; ++e) {
            const Outcome outcome = outcomeAt(single.values, l * experts + e);
            if (loads.empty() || e < loads.size()) {  // layers may have fewer experts
                rows.add(single.layers[l], static_cast<double>(e), outcome,
                         controlOf(rises, loads, e), e < loads.size() ? loads[e] : kNaN);
            }
        }
    }
}

std::string intactText(const Outcome& intact) {
    return fmt::format(" Intact: loss {:.4f}, perplexity {:.2f}, accuracy {:.3f}.", intact.loss,
                       std::exp(intact.loss), intact.accuracy);
}

}  // namespace

Figure buildRemoval(const BuildContext& context) {
    const session::QuantityInfo& info = context.require("single");
    const Single single = singleOf(context);
    const Outcome intact = outcomeAt(context.read("intact", std::nullopt), 0);
    HeatMapPanel panel;
    panel.rowLabels = single.layers;
    panel.columnLabels = single.experts;
    panel.matrix = {single.layers.size(), single.experts.size(), {}};
    for (std::size_t i = 0; i < panel.matrix.rows * panel.matrix.columns; ++i) {
        panel.matrix.values.push_back(
            static_cast<float>(outcomeAt(single.values, i).loss - intact.loss));
    }
    HeatMapFigure body;
    body.isPair = false;
    body.rowTitle = "layer";
    body.columnTitle = "expert";
    body.rowsAreLayers = true;
    body.expertAxis = HeatMapFigure::ExpertAxis::Columns;
    body.firstRowAtBottom = true;
    const ColourRange& range = context.request.range;
    const bool isFixed = range.kind == ColourRange::Kind::Fixed;
    body.bar = {makeScale(context.request.colourMap.value_or(ColourMap::Diverging),
                          isFixed ? Limits(std::pair(range.low, range.high))
                                  : widened({}, panel.matrix, false)),
                "rise of the loss"};
    markBeyond(body.bar.scale, panel.matrix, false);
    body.panels.push_back(std::move(panel));
    Figure figure = context.frame("loss without one expert in one layer", info.tokens);
    figure.howToRead =
        "Far above 0: the text needs this expert. About 0: the others stand in for it. Below 0: "
        "the model is better without." +
        intactText(intact);
    figure.body = std::move(body);
    return figure;
}

Figure buildRemovalTable(const BuildContext& context) {
    const Outcome intact = outcomeAt(context.read("intact", std::nullopt), 0);
    TableFigure table;
    Rows rows(table, intact);
    addSets(context, rows, table);
    if (context.find("single") != nullptr) {
        const Single single = singleOf(context);
        addEverywhere(context, single, rows, table);
        addSingle(context, single, rows, table);
    }
    rows.add("intact", kNaN, intact, kNaN, kNaN);
    table.summaryRows = 1;
    Figure figure = context.frame("removal of experts, table", context.require("intact").tokens);
    figure.howToRead += fmt::format(
        " Others': mean rise when one of the other experts goes whose tokens are at most {} "
        "times as many, or as few; of a chosen set when as many experts of the same layers go, "
        "drawn by chance. Changed: predictions that are others than the intact model's. "
        "Tokens: share that chooses the expert.",
        kLikeLoad);
    figure.body = std::move(table);
    return figure;
}

}  // namespace moescope::figures
