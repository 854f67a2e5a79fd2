// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/limits.h"
#include "core/figures/removal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

/// Losses of branches: fewer experts (C6) and pruning curves (E1).
namespace moescope::figures {
namespace {

constexpr std::size_t kMeasures = 3;  // loss, accuracy, changed predictions
constexpr std::size_t kChoiceMeasures = 2;
constexpr std::size_t kPlainColumns = 8;  // of the table, before those of questions
constexpr std::string_view kRandom = "random";

/// [rows, columns, measures]
struct BranchTable {
    std::vector<std::string> rows, columns;
    NdArray values;
    std::optional<NdArray> choices;  // accuracy on questions by sum and by length
    [[nodiscard]] double at(std::size_t row, std::size_t column, std::size_t measure) const {
        return values.at((row * columns.size() + column) * kMeasures + measure);
    }
    [[nodiscard]] double choice(std::size_t row, std::size_t column, std::size_t measure) const {
        const std::uint64_t at = (row * columns.size() + column) * kChoiceMeasures + measure;
        return choices && at < choices->size() ? choices->at(at)
                                               : std::numeric_limits<double>::quiet_NaN();
    }
};

std::optional<BranchTable> tableOf(const BuildContext& context, const std::string& quantity) {
    const session::QuantityInfo* info = context.find(quantity);
    if (info == nullptr) {
        return std::nullopt;
    }
    BranchTable table;
    table.values = context.read(quantity, std::nullopt);
    const Shape& shape = table.values.shape();
    if (shape.size() != kMeasures || shape[2] != kMeasures || info->axes.size() != kMeasures) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("{}/{} in the session has another shape than this program writes; "
                                "the file is damaged.",
                                context.info.experiment, quantity));
    }
    table.rows = labelsOf(info->axes[0], static_cast<std::size_t>(shape[0]));
    table.columns = labelsOf(info->axes[1], static_cast<std::size_t>(shape[1]));
    if (context.find(quantity + "_choices") != nullptr) {
        table.choices = context.read(quantity + "_choices", std::nullopt);
    }
    return table;
}

HeatMapPanel riseOf(const BranchTable& table, double intact, const std::string& title) {
    HeatMapPanel panel;
    panel.title = title;
    panel.rowLabels = table.rows;
    panel.columnLabels = table.columns;
    panel.matrix = {table.rows.size(), table.columns.size(), {}};
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
        for (std::size_t column = 0; column < table.columns.size(); ++column) {
            panel.matrix.values.push_back(static_cast<float>(table.at(row, column, 0) - intact));
        }
    }
    return panel;
}

void addRows(const BranchTable& table, const NdArray& intact, const std::string& section,
             TableFigure& body) {
    body.sections.push_back({body.rows, section});
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
        for (std::size_t column = 0; column < table.columns.size(); ++column) {
            const double loss = table.at(row, column, 0);
            body.columns[0].texts.push_back(table.rows[row]);
            body.columns[1].texts.push_back(table.columns[column]);
            body.columns[2].numbers.push_back(loss - intact.at(0));
            body.columns[3].numbers.push_back(loss);
            body.columns[4].numbers.push_back(std::exp(loss));
            body.columns[5].numbers.push_back(table.at(row, column, 1));
            body.columns[6].numbers.push_back(table.at(row, column, 1) - intact.at(1));
            body.columns[7].numbers.push_back(table.at(row, column, 2));
            for (std::size_t c = kPlainColumns; c < body.columns.size(); ++c) {
                body.columns[c].numbers.push_back(table.choice(row, column, c - kPlainColumns));
            }
            ++body.rows;
        }
    }
}

TableFigure emptyTable(const std::string& rows, const std::string& columns, bool hasChoices) {
    using Kind = TableColumn::Kind;
    TableFigure body;
    body.columns = {{rows, Kind::Text, {}, {}},
                    {columns, Kind::Text, {}, {}},
                    {"loss rises by", Kind::Number, {}, {}},
                    {"loss", Kind::Number, {}, {}},
                    {"perplexity", Kind::Number, {}, {}},
                    {"accuracy", Kind::Number, {}, {}},
                    {"rises by", Kind::Number, {}, {}},
                    {"changed", Kind::Number, {}, {}}};
    if (hasChoices) {
        body.columns.push_back({"choices", Kind::Number, {}, {}});
        body.columns.push_back({"by length", Kind::Number, {}, {}});
    }
    return body;
}

double numberOf(const std::string& text) {
    double value = std::numeric_limits<double>::quiet_NaN();
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// Lowest and highest loss of the random draws at one share.
std::pair<double, double> randomAt(const BranchTable& table, std::size_t column) {
    double low = std::numeric_limits<double>::quiet_NaN();
    double high = low;
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
        if (table.rows[row].starts_with(kRandom)) {
            low = std::fmin(low, table.at(row, column, 0));
            high = std::fmax(high, table.at(row, column, 0));
        }
    }
    return {low, high};
}

/// Questions answered rightly, by the choice's log-likelihood.
LineChartGroup choicesOf(const BuildContext& context, const BranchTable& table) {
    LineChartPanel panel;
    const double intact = intactOutcome(context).choices;
    panel.low = panel.high = {intact};
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
        if (!table.rows[row].starts_with(kRandom)) {
            panel.lines.push_back({intact});
            for (std::size_t column = 0; column < table.columns.size(); ++column) {
                panel.lines.back().push_back(table.choice(row, column, 0));
            }
        }
    }
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
        double low = std::numeric_limits<double>::quiet_NaN();
        double high = low;
        for (std::size_t row = 0; row < table.rows.size(); ++row) {
            if (table.rows[row].starts_with(kRandom)) {
                low = std::fmin(low, table.choice(row, column, 0));
                high = std::fmax(high, table.choice(row, column, 0));
            }
        }
        panel.low.push_back(low);
        panel.high.push_back(high);
    }
    LineChartGroup group;
    group.title = "questions";
    group.valueName = "accuracy on choices";
    if (!context.head().choices.empty()) {
        group.reference = context.head().choices.chance();
    }
    group.panels.push_back(std::move(panel));
    return group;
}

}  // namespace

Figure buildFewerExperts(const BuildContext& context) {
    const NdArray intact = context.read("intact", std::nullopt);
    HeatMapFigure body;
    if (const auto chosen = tableOf(context, "chosen")) {
        body.panels.push_back(riseOf(*chosen, intact.at(0), "chosen for a token"));
    }
    if (const auto kept = tableOf(context, "kept")) {
        body.panels.push_back(riseOf(*kept, intact.at(0), "experts left, the most used"));
    }
    Figure figure =
        context.frame("loss with fewer experts from a layer on", context.require("intact").tokens);
    if (body.panels.empty()) {
        figure.body = NoticeFigure{"Every layer has as many experts as it chooses: none can go"};
        return figure;
    }
    Limits limits = std::pair(0.0, 0.0);
    for (const HeatMapPanel& panel : body.panels) {
        limits = widened(limits, panel.matrix, false);
    }
    const ColourRange& range = context.request.range;
    if (range.kind == ColourRange::Kind::Fixed) {
        limits = std::pair(range.low, range.high);
    }
    body.isPair = false;
    body.rowTitle = "from layer";
    body.firstRowAtBottom = true;
    body.bar = {makeScale(context.request.colourMap.value_or(ColourMap::Diverging), limits),
                "rise of the loss"};
    for (const HeatMapPanel& panel : body.panels) {
        markBeyond(body.bar.scale, panel.matrix, false);
    }
    figure.howToRead =
        "A row: this layer and all behind it have fewer experts. Up the map fewer layers are "
        "changed. About 0: those layers do not need the others." +
        intactText(context, intactOutcome(context));
    figure.body = std::move(body);
    return figure;
}

Figure buildFewerExpertsTable(const BuildContext& context) {
    const NdArray intact = context.read("intact", std::nullopt);
    TableFigure body =
        emptyTable("from layer", "experts", context.find("intact_choices") != nullptr);
    if (const auto chosen = tableOf(context, "chosen")) {
        addRows(*chosen, intact, "fewer experts chosen for a token", body);
    }
    if (const auto kept = tableOf(context, "kept")) {
        addRows(*kept, intact, "only the most used experts left", body);
    }
    Figure figure = context.frame("fewer experts, table", context.require("intact").tokens);
    figure.howToRead += intactText(context, intactOutcome(context));
    figure.body = std::move(body);
    return figure;
}

Figure buildPruning(const BuildContext& context) {
    const BranchTable table = tableOf(context, "curves").value();
    const NdArray intact = context.read("intact", std::nullopt);
    LineChartFigure body;
    body.positionTitle = "% of each layer's experts that go";
    body.positionsAreLayers = false;
    body.positions = {0.0};
    for (const std::string& share : table.columns) {
        body.positions.push_back(100.0 * numberOf(share));
    }
    LineChartPanel panel;
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
        if (table.rows[row].starts_with(kRandom)) {
            continue;
        }
        const ImportanceCriterion* criterion = findCriterion(table.rows[row]);
        body.lines.emplace_back(criterion == nullptr ? table.rows[row] : criterion->title);
        panel.lines.push_back({intact.at(0)});
        for (std::size_t column = 0; column < table.columns.size(); ++column) {
            panel.lines.back().push_back(table.at(row, column, 0));
        }
    }
    panel.low = panel.high = {intact.at(0)};
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
        const auto [low, high] = randomAt(table, column);
        panel.low.push_back(low);
        panel.high.push_back(high);
    }
    body.band = "at random";
    LineChartGroup group;
    group.title = "pruning";
    group.valueName = "loss";
    group.panels.push_back(std::move(panel));
    body.groups.push_back(std::move(group));
    if (table.choices) {
        body.groups.push_back(choicesOf(context, table));
    }
    Figure figure = context.frame("loss with experts removed", context.require("curves").tokens);
    figure.howToRead += intactText(context, intactOutcome(context));
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
