// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/removal.h"
#include "core/figures/whole_number.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace moescope::figures {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
/// Experts whose loads are within this factor are of like load.
constexpr double kLikeLoad = 1.5;

/// What happens when others of like load go; NaN: not known.
struct Control {
    double rise = kNaN, load = kNaN;
};

/// Means over the other experts of like load.
Control controlOf(const std::vector<double>& rises, const std::vector<double>& loads,
                  std::size_t expert) {
    Control sum{0.0, 0.0};
    double count = 0.0;
    for (std::size_t other = 0; other < rises.size() && other < loads.size(); ++other) {
        const bool isLike = expert < loads.size() && loads[other] <= kLikeLoad * loads[expert] &&
                            loads[expert] <= kLikeLoad * loads[other];
        if (other != expert && isLike && std::isfinite(rises[other])) {
            sum.rise += rises[other];
            sum.load += loads[other];
            count += 1.0;
        }
    }
    return count > 0.0 ? Control{sum.rise / count, sum.load / count} : Control{};
}

/// Writes rows; the first one names and types the columns.
class Rows {
public:
    Rows(TableFigure& table, RemovalOutcome intact) : m_table(table), m_intact(intact) {
        using Kind = TableColumn::Kind;
        m_table.columns = {
            {"layer", Kind::Text, {}, {}},           {"expert", Kind::Count, {}, {}},
            {"loss rises by", Kind::Number, {}, {}}, {"others'", Kind::Number, {}, {}},
            {"loss", Kind::Number, {}, {}},          {"perplexity", Kind::Number, {}, {}},
            {"accuracy", Kind::Number, {}, {}},      {"changed", Kind::Number, {}, {}},
            {"tokens", Kind::Number, {}, {}},        {"others' tokens", Kind::Number, {}, {}}};
        if (!std::isnan(intact.choices)) {
            m_table.columns.push_back({"choices", Kind::Number, {}, {}});
            m_table.columns.push_back({"by length", Kind::Number, {}, {}});
        }
    }
    [[nodiscard]] double rise(const RemovalOutcome& outcome) const {
        return outcome.loss - m_intact.loss;
    }
    void add(const std::string& layer, double expert, const RemovalOutcome& outcome,
             const Control& control, double load) {
        const std::string dash = "\xE2\x80\x93";
        m_table.columns[0].texts.push_back(layer);
        const std::array values{expert,
                                rise(outcome),
                                control.rise,
                                outcome.loss,
                                std::exp(outcome.loss),
                                outcome.accuracy,
                                outcome.changed,
                                load,
                                control.load,
                                outcome.choices,
                                outcome.choicesByLength};
        for (std::size_t c = 1; c < m_table.columns.size(); ++c) {
            const double value = values[c - 1];
            m_table.columns[c].numbers.push_back(value);
            m_table.columns[c].texts.push_back(std::isnan(value) ? dash : std::string());
        }
        int at = -1;  // a set, all layers, or none
        const char* const end = layer.data() + layer.size();
        const bool isLayer = std::from_chars(layer.data(), end, at).ptr == end;
        m_table.layers.emplace_back(isLayer && !std::isnan(expert) ? at : -1);
        m_table.experts.push_back(std::isnan(expert) ? -1 : static_cast<int>(expert));
        ++m_table.rows;
    }

private:
    TableFigure& m_table;
    RemovalOutcome m_intact;
};

/// Mean load of the experts that the controls of a set remove.
double controlLoad(const BuildContext& context, const ExpertShares& shares, std::size_t set) {
    if (context.find("set_control_experts") == nullptr) {
        return kNaN;
    }
    constexpr std::size_t kColumns = 4;  // set, control, layer, expert
    const NdArray rows = context.read("set_control_experts", std::nullopt);
    const auto numberAt = [&](std::uint64_t row, std::size_t column) {
        return static_cast<int>(wholeNumberAt(rows, row * kColumns + column,
                                              "expert_removal/set_control_experts",
                                              std::numeric_limits<int>::max()));
    };
    double sum = 0.0;
    double count = 0.0;
    for (std::uint64_t row = 0; (row + 1) * kColumns <= rows.size(); ++row) {
        if (rows.at(row * kColumns) == static_cast<double>(set)) {
            sum += shares.at(std::to_string(numberAt(row, 2)), numberAt(row, 3));
            count += 1.0;
        }
    }
    return sum / count;
}

/// Chosen sets, beside as many experts of the same layers.
void addSets(const BuildContext& context, const ExpertShares& shares, Rows& rows,
             TableFigure& table) {
    const auto sets = RemovalTable::read(context, "set", 1);
    if (!sets) {
        return;
    }
    const auto controls = RemovalTable::read(context, "set_controls", 2);
    const std::size_t draws = controls && sets->size() > 0 ? controls->size() / sets->size() : 0;
    table.sections.push_back({table.rows, "chosen sets (layer:expert)"});
    for (std::size_t set = 0; set < sets->size(); ++set) {
        double sum = 0.0;
        double count = 0.0;  // a set may have fewer than others
        for (std::size_t draw = 0; draw < draws; ++draw) {
            const double rise = rows.rise(controls->at(set * draws + draw));
            sum += std::isnan(rise) ? 0.0 : rise;
            count += std::isnan(rise) ? 0.0 : 1.0;
        }
        const Control control{sum / count, controlLoad(context, shares, set)};
        const std::string& label = sets->labels(0)[set];
        rows.add(label, kNaN, sets->at(set), control, shares.meanOf(label));
    }
}

void addEverywhere(const BuildContext& context, const std::vector<std::string>& layers,
                   const ExpertShares& shares, Rows& rows, TableFigure& table) {
    const auto everywhere = RemovalTable::read(context, "everywhere", 1);
    if (!everywhere) {
        return;
    }
    std::vector<double> loads(everywhere->size());
    std::vector<double> rises;
    for (std::size_t e = 0; e < loads.size(); ++e) {
        for (const std::string& layer : layers) {
            loads[e] += shares.at(layer, static_cast<int>(e)) / static_cast<double>(layers.size());
        }
        rises.push_back(rows.rise(everywhere->at(e)));
    }
    table.sections.push_back({table.rows, "the same index in all layers"});
    for (std::size_t e = 0; e < loads.size(); ++e) {
        rows.add("all", static_cast<double>(e), everywhere->at(e), controlOf(rises, loads, e),
                 loads[e]);
    }
}

void addSingle(const RemovalTable& single, const ExpertShares& shares, Rows& rows,
               TableFigure& table) {
    table.sections.push_back({table.rows, "in one layer"});
    const std::size_t experts = single.labels(1).size();
    for (std::size_t l = 0; l < single.labels(0).size(); ++l) {
        const std::string& layer = single.labels(0)[l];
        const std::vector<double>& loads = shares.of(layer);
        std::vector<double> rises;
        rises.reserve(experts);
        for (std::size_t e = 0; e < experts; ++e) {
            rises.push_back(rows.rise(single.at(l * experts + e)));
        }
        for (std::size_t e = 0; e < experts; ++e) {
            if (loads.empty() || e < loads.size()) {  // layers may have fewer experts
                rows.add(layer, static_cast<double>(e), single.at(l * experts + e),
                         controlOf(rises, loads, e), e < loads.size() ? loads[e] : kNaN);
            }
        }
    }
}

std::string explanation(bool hasChoices) {
    std::string text = fmt::format(
        " Others': mean rise when one of the other experts goes whose tokens are at most {} "
        "times as many, or as few; of a chosen set when as many experts of the same layers go "
        "that have about as many tokens each. Changed: predictions that are others than the "
        "intact model's. Tokens: share that chooses the expert, the mean over those of a set; "
        "others' tokens: the same of those beside it.",
        kLikeLoad);
    if (hasChoices) {
        text +=
            " Choices: multiple-choice questions answered rightly by the log-likelihood of "
            "the choice, by length: by that over its tokens.";
    }
    return text;
}

}  // namespace

Figure buildRemovalTable(const BuildContext& context) {
    const RemovalOutcome intact = intactOutcome(context);
    const ExpertShares shares(context);
    TableFigure table;
    Rows rows(table, intact);
    addSets(context, shares, rows, table);
    if (const auto single = RemovalTable::read(context, "single", 2)) {
        addEverywhere(context, single->labels(0), shares, rows, table);
        addSingle(*single, shares, rows, table);
    }
    rows.add("intact", kNaN, intact, Control{}, kNaN);
    table.summaryRows = 1;
    Figure figure = context.frame("removal of experts, table", context.require("intact").tokens);
    figure.howToRead += intactText(context, intact) + explanation(!std::isnan(intact.choices));
    figure.body = std::move(table);
    return figure;
}

}  // namespace moescope::figures
