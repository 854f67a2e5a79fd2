// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/removal_everywhere.h"
#include "core/figures/removal_intervals.h"
#include "core/figures/whole_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace moescope::figures {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// One branch.
struct Row {
    std::string removed;          ///< for people
    std::string set{};            ///< of a chosen set, as --remove takes it
    std::optional<int> expert{};  ///< of a single one
    std::optional<int> layer{};   ///< and its layer; absent: all
    RemovalOutcome outcome;
    double low = kNaN, high = kNaN;  ///< interval of the rise
    Beside likeLoad{}, controls{};
    double load = kNaN;
};

/// The table, row after row; columns that no row has anything in are left out at the end.
class Rows {
public:
    explicit Rows(RemovalOutcome intact) : m_intact(intact) {}

    [[nodiscard]] double rise(const RemovalOutcome& outcome) const {
        return outcome.loss - m_intact.loss;
    }
    /// A heading over the rows that follow, drawn if there are any.
    void section(std::string title) { m_heading = std::move(title); }
    void add(Row row) {
        if (!m_heading.empty()) {
            m_table.sections.push_back({m_rows.size(), std::exchange(m_heading, {})});
        }
        m_rows.push_back(std::move(row));
    }
    /// Below all others, whatever they are sorted by.
    void addSummary(Row row) {
        m_heading.clear();
        m_rows.push_back(std::move(row));
        m_table.summaryRows = 1;
    }

    [[nodiscard]] TableFigure take() {
        m_table.rows = m_rows.size();
        addNames();
        const std::size_t firstRise = m_table.columns.size();
        number("loss rises by", [this](const Row& row) { return rise(row.outcome); });
        numberIfAny("from", [](const Row& row) { return row.low; });
        numberIfAny("to", [](const Row& row) { return row.high; });
        addOthers();
        for (std::size_t c = firstRise; c < m_table.columns.size(); ++c) {
            m_table.columns[c].leastDecimals = kRiseDecimals;
        }
        number("loss", [](const Row& row) { return row.outcome.loss; });
        number("perplexity", [](const Row& row) { return std::exp(row.outcome.loss); });
        number("accuracy", [](const Row& row) { return row.outcome.accuracy; });
        number("changed", [](const Row& row) { return row.outcome.changed; });
        number("share of tokens", [](const Row& row) { return row.load; });
        numberIfAny("choices", [](const Row& row) { return row.outcome.choices; });
        numberIfAny("normalised by tokens",
                    [](const Row& row) { return row.outcome.choicesNormalised; });
        for (const Row& row : m_rows) {
            m_table.layers.emplace_back(row.layer.value_or(-1));
            m_table.experts.push_back(row.expert.value_or(-1));
        }
        return std::move(m_table);
    }

private:
    enum class Shown { Everywhere, InData };  // in picture and CSV, or in the CSV alone

    /// What was removed, for people and for programs.
    void addNames() {
        text("removed", Shown::Everywhere, [](const Row& row) { return row.removed; });
        m_table.columns.back().wraps = true;
        text("layer", Shown::InData, [](const Row& row) {
            return row.layer ? std::to_string(*row.layer) : row.expert ? "all" : std::string();
        });
        number(
            "expert",
            [](const Row& row) { return row.expert ? static_cast<double>(*row.expert) : kNaN; },
            Shown::InData);
        m_table.columns.back().kind = TableColumn::Kind::Count;
        text("set", Shown::InData, [](const Row& row) { return row.set; });
    }

    /// What goes in the place of each row's experts.
    void addOthers() {
        numberIfAny("others of like load", [](const Row& row) { return row.likeLoad.rise; });
        numberIfAny(
            "share of tokens of like load", [](const Row& row) { return row.likeLoad.load; },
            Shown::InData);
        if (numberIfAny("controls", [](const Row& row) { return row.controls.rise; })) {
            showRanges(m_table.columns.back());
        }
        numberIfAny(
            "controls from", [](const Row& row) { return row.controls.low; }, Shown::InData);
        numberIfAny(
            "controls to", [](const Row& row) { return row.controls.high; }, Shown::InData);
        numberIfAny(
            "share of tokens of controls", [](const Row& row) { return row.controls.load; },
            Shown::InData);
    }

    /// The mean of the controls with the lowest and highest of them.
    void showRanges(TableColumn& column) const {
        for (std::size_t row = 0; row < m_rows.size(); ++row) {
            const Beside& controls = m_rows[row].controls;
            if (controls.low < controls.high) {
                column.texts[row] =
                    fmt::format("{:.{}f} ({:.{}f}\u2013{:.{}f})", controls.rise, kRiseDecimals,
                                controls.low, kRiseDecimals, controls.high, kRiseDecimals);
            }
        }
    }

    template <typename Value>
    void text(const char* name, Shown shown, Value value) {
        TableColumn column{name, TableColumn::Kind::Text, {}, {}};
        for (const Row& row : m_rows) {
            column.texts.push_back(value(row));
        }
        column.isDataOnly = shown == Shown::InData;
        m_table.columns.push_back(std::move(column));
    }
    template <typename Value>
    void number(const char* name, Value value, Shown shown = Shown::Everywhere) {
        TableColumn column{name, TableColumn::Kind::Number, {}, {}};
        for (const Row& row : m_rows) {
            column.numbers.push_back(value(row));
            column.texts.emplace_back(std::isnan(column.numbers.back()) ? "\xE2\x80\x93" : "");
        }
        column.isDataOnly = shown == Shown::InData;
        m_table.columns.push_back(std::move(column));
    }
    /// Whether a row has a value.
    template <typename Value>
    bool numberIfAny(const char* name, Value value, Shown shown = Shown::Everywhere) {
        const bool isAny = std::any_of(m_rows.begin(), m_rows.end(),
                                       [&](const Row& row) { return !std::isnan(value(row)); });
        if (isAny) {
            number(name, value, shown);
        }
        return isAny;
    }

    TableFigure m_table;
    std::vector<Row> m_rows;
    std::string m_heading;  ///< that waits for its first row
    RemovalOutcome m_intact;
};

/// The interval of a row of a table, where it is known.
void putInterval(const RiseIntervals& intervals, std::size_t at, Row& row) {
    if (at < intervals.low.size()) {
        row.low = intervals.low[at];
        row.high = intervals.high[at];
    }
}

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

/// Mean, lowest and highest of a set's controls, of which it may have fewer than others.
Beside controlsOf(const RemovalTable& controls, std::size_t set, std::size_t draws,
                  const Rows& rows) {
    double sum = 0.0;
    double count = 0.0;
    Beside beside;
    for (std::size_t draw = 0; draw < draws; ++draw) {
        const double rise = rows.rise(controls.at(set * draws + draw));
        sum += std::isnan(rise) ? 0.0 : rise;
        count += std::isnan(rise) ? 0.0 : 1.0;
        beside.low = std::fmin(beside.low, rise);
        beside.high = std::fmax(beside.high, rise);
    }
    beside.rise = sum / count;
    return beside;
}

/// Chosen sets, beside as many experts of the same layers.
void addSets(const BuildContext& context, const ExpertShares& shares, Rows& rows) {
    const auto sets = RemovalTable::read(context, "set", 1);
    if (!sets) {
        return;
    }
    const auto controls = RemovalTable::read(context, "set_controls", 2);
    const std::size_t draws = controls && sets->size() > 0 ? controls->size() / sets->size() : 0;
    const auto intervals = riseIntervals(context, "set");
    rows.section("chosen sets (layer:expert)");
    for (std::size_t set = 0; set < sets->size(); ++set) {
        const std::string& label = sets->labels(0)[set];
        Row row{.removed = setForPeople(label),
                .set = label,
                .outcome = sets->at(set),
                .load = shares.meanOf(label)};
        if (draws > 0) {
            row.controls = controlsOf(*controls, set, draws, rows);
            row.controls.load = controlLoad(context, shares, set);
        }
        putInterval(*intervals, set, row);
        rows.add(std::move(row));
    }
}

void addEverywhere(const BuildContext& context, const RemovalOutcome& intact,
                   const ExpertShares& shares, Rows& rows) {
    const auto found = everywhereRemovals(context, intact, shares);
    if (!found) {
        return;
    }
    const auto intervals = riseIntervals(context, "everywhere");
    rows.section("the same index in all layers");
    for (std::size_t e = 0; e < found->loads.size(); ++e) {
        Row row{.removed = fmt::format("expert {}", e),
                .expert = static_cast<int>(e),
                .outcome = found->outcomes.at(e),
                .likeLoad = likeLoadOf(found->rises, found->loads, e),
                .load = found->loads[e]};
        putInterval(*intervals, e, row);
        rows.add(std::move(row));
    }
}

void addSingle(const BuildContext& context, const RemovalTable& single, const ExpertShares& shares,
               Rows& rows) {
    const auto intervals = riseIntervals(context, "single");
    rows.section("in one layer, the largest rise first");
    std::vector<Row> found;
    found.reserve(single.size());
    const std::size_t experts = single.labels(1).size();
    for (std::size_t l = 0; l < single.labels(0).size(); ++l) {
        const std::string& layer = single.labels(0)[l];
        const std::vector<double>& loads = shares.of(layer);
        int number = -1;
        std::from_chars(layer.data(), layer.data() + layer.size(), number);
        std::vector<double> rises;
        rises.reserve(experts);
        for (std::size_t e = 0; e < experts; ++e) {
            rises.push_back(rows.rise(single.at(l * experts + e)));
        }
        for (std::size_t e = 0; e < experts; ++e) {
            if (!loads.empty() && e >= loads.size()) {
                continue;  // layers may have fewer experts
            }
            Row row{.removed = fmt::format("layer {}, expert {}", layer, e),
                    .expert = static_cast<int>(e),
                    .layer = number,
                    .outcome = single.at(l * experts + e),
                    .likeLoad = likeLoadOf(rises, loads, e),
                    .load = loads.empty() ? kNaN : loads[e]};
            putInterval(*intervals, l * experts + e, row);
            found.push_back(std::move(row));
        }
    }
    // A file may have no room for all: those that matter first, what is not measured yet last.
    const auto orderOf = [&](const Row& row) {
        const double rise = rows.rise(row.outcome);
        return std::isnan(rise) ? -std::numeric_limits<double>::infinity() : rise;
    };
    std::stable_sort(found.begin(), found.end(),
                     [&](const Row& a, const Row& b) { return orderOf(a) > orderOf(b); });
    for (Row& row : found) {
        rows.add(std::move(row));
    }
}

bool has(const TableFigure& table, std::string_view column) {
    return std::any_of(table.columns.begin(), table.columns.end(),
                       [&](const TableColumn& each) { return each.name == column; });
}

std::string explanation(const TableFigure& table) {
    std::string text;
    if (has(table, "others of like load")) {
        text += fmt::format(
            " Others of like load: mean rise when one of the other experts goes whose tokens are "
            "at most {} times as many, or as few.",
            kLikeLoad);
    }
    if (has(table, "controls")) {
        text +=
            " Controls: mean rise (lowest to highest) when as many experts of the same layers go "
            "that have about as many tokens each.";
    }
    text +=
        " Accuracy: share of next tokens predicted rightly. Changed: share of predictions that are "
        "others than the intact model's. Share of tokens: that chooses the expert, the mean over "
        "those of a set.";
    if (has(table, "choices")) {
        text +=
            " Choices: multiple-choice questions answered rightly by the log-likelihood of "
            "the choice; normalised by tokens: by that over the number of its tokens.";
    }
    return text;
}

}  // namespace

Figure buildRemovalTable(const BuildContext& context) {
    const RemovalOutcome intact = intactOutcome(context);
    const ExpertShares shares(context);
    Rows rows(intact);
    addSets(context, shares, rows);
    if (const auto single = RemovalTable::read(context, "single", 2)) {
        addEverywhere(context, intact, shares, rows);
        addSingle(context, *single, shares, rows);
    }
    rows.addSummary({.removed = "nothing (intact model)", .outcome = intact});
    TableFigure table = rows.take();
    Figure figure = context.frame("removal of experts, table", context.require("intact").tokens);
    figure.howToRead += intactText(context, intact) + explanation(table) +
                        intervalText(context, has(table, "from"));
    figure.body = std::move(table);
    return figure;
}

}  // namespace moescope::figures
