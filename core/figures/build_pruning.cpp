// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/branch_table.h"
#include "core/figures/measured_lists.h"
#include "core/numerics/expert_use.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

/// Losses along pruning curves, and of prune lists beside them (E1).
namespace moescope::figures {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kRandom = "random";

bool isRandom(const std::string& row) {
    return row.starts_with(kRandom);
}

/// "REAP" of "reap", "random 1" of "random_1".
std::string titleOf(const std::string& row) {
    if (const ImportanceCriterion* criterion = findCriterion(row)) {
        return std::string(criterion->title);
    }
    return isRandom(row) ? "random " + row.substr(row.find('_') + 1) : row;
}

/// A step of the curves.
struct Step {
    std::size_t column = 0;
    std::size_t removed = 0;  ///< experts of all layers
    double percent = 0.0;     ///< of all experts
};

/// Experts are removed as whole ones and each layer keeps as many as it chooses, so that steps may
/// remove the same: those that remove more than the one before.
std::vector<Step> stepsOf(const BuildContext& context, const BranchTable& table) {
    const session::ModelSummary& model = context.head().model;
    const auto all = static_cast<double>(routedExperts(model));
    std::vector<Step> steps;
    std::size_t last = 0;
    for (std::size_t column = 0; column < table.columns().size(); ++column) {
        const std::string& text = table.columns()[column];
        double share = 0.0;
        std::from_chars(text.data(), text.data() + text.size(), share);
        std::size_t removed = 0;
        for (const session::LayerSummary& layer : model.layers) {
            removed +=
                layer.isRouted() ? numerics::prunedCount(share, layer.experts, layer.topK) : 0;
        }
        if (removed > last) {
            steps.push_back({column, removed, 100.0 * static_cast<double>(removed) / all});
            last = removed;
        }
    }
    return steps;
}

/// What was measured of the curves: nothing where lists were measured alone.
struct Curves {
    explicit Curves(const BuildContext& context) : table(BranchTable::read(context, "curves")) {
        if (table) {
            steps = stepsOf(context, *table);
            rows = table->rows();
        }
    }
    std::optional<BranchTable> table;
    std::vector<Step> steps;
    std::vector<std::string> rows;  ///< criteria, and draws at random
};

double lossOf(const RemovalOutcome& outcome) {
    return outcome.loss;
}
double choicesOf(const RemovalOutcome& outcome) {
    return outcome.choices;
}
using Measure = double (*)(const RemovalOutcome&);

/// A curve for each criterion, the random draws as a band; without curves the intact model.
LineChartPanel curvesOf(const Curves& curves, const RemovalOutcome& intact, Measure measure) {
    LineChartPanel panel;
    if (!curves.table) {
        panel.lines = {{measure(intact), measure(intact)}};
        return panel;
    }
    panel.low = panel.high = {measure(intact)};
    for (const Step& step : curves.steps) {
        double low = kNaN;
        double high = kNaN;
        for (std::size_t row = 0; row < curves.rows.size(); ++row) {
            const double value = measure(curves.table->at(row, step.column));
            low = isRandom(curves.rows[row]) ? std::fmin(low, value) : low;
            high = isRandom(curves.rows[row]) ? std::fmax(high, value) : high;
        }
        panel.low.push_back(low);
        panel.high.push_back(high);
    }
    for (std::size_t row = 0; row < curves.rows.size(); ++row) {
        if (!isRandom(curves.rows[row])) {
            panel.lines.push_back({measure(intact)});
            for (const Step& step : curves.steps) {
                panel.lines.back().push_back(measure(curves.table->at(row, step.column)));
            }
        }
    }
    return panel;
}

/// A list as figures name it.
std::string nameOf(const MeasuredSet& list) {
    return "list " + list.name;
}

double percentOf(const BuildContext& context, const MeasuredSet& list) {
    return 100.0 * static_cast<double>(list.experts.size()) /
           static_cast<double>(routedExperts(context.head().model));
}

/// Lists with what came of each.
struct Lists {
    explicit Lists(const BuildContext& context)
        : sets(measuredLists(context)), outcomes(RemovalTable::read(context, "list", 1)) {}
    [[nodiscard]] RemovalOutcome at(const MeasuredSet& list) const {
        return outcomes->at(list.row);
    }
    std::vector<MeasuredSet> sets;
    std::optional<RemovalTable> outcomes;
};

std::vector<LineChartPoint> pointsOf(const BuildContext& context, const Lists& lists,
                                     Measure measure) {
    std::vector<LineChartPoint> points;
    for (const MeasuredSet& list : lists.sets) {
        points.push_back({.name = points.size(),
                          .x = percentOf(context, list),
                          .y = measure(lists.at(list)),
                          .note = fmt::format("{} of {} experts", list.experts.size(),
                                              routedExperts(context.head().model))});
    }
    return points;
}

/// The curves of one measure and the marks of the lists.
LineChartGroup groupOf(const BuildContext& context, const Curves& curves,
                       const RemovalOutcome& intact, const Lists& lists, Measure measure) {
    LineChartGroup group;
    group.panels.push_back(curvesOf(curves, intact, measure));
    group.panels.back().points = pointsOf(context, lists, measure);
    return group;
}

LineChartGroup lossGroup(const BuildContext& context, const Curves& curves,
                         const RemovalOutcome& intact, const Lists& lists) {
    LineChartGroup group = groupOf(context, curves, intact, lists, lossOf);
    group.title = "pruning";
    group.valueName = "loss";
    return group;
}

/// Questions answered rightly, by the choice's log-likelihood.
LineChartGroup choicesGroup(const BuildContext& context, const Curves& curves,
                            const RemovalOutcome& intact, const Lists& lists) {
    LineChartGroup group = groupOf(context, curves, intact, lists, choicesOf);
    group.title = "questions";
    group.valueName = "accuracy on choices";
    if (!context.head().choices.empty()) {
        group.reference = context.head().choices.chance();
    }
    return group;
}

void addRow(const std::string& what, std::size_t experts, double percent,
            const RemovalOutcome& outcome, OutcomeRows& rows) {
    rows.lead(0).texts.push_back(what);
    rows.lead(1).numbers.push_back(static_cast<double>(experts));
    rows.lead(2).numbers.push_back(percent);
    rows.add(outcome);
}

/// Criteria, or random draws: a row for each step of each.
void addCurves(const Curves& curves, bool random, OutcomeRows& rows) {
    for (std::size_t row = 0; row < curves.rows.size(); ++row) {
        if (isRandom(curves.rows[row]) != random) {
            continue;
        }
        for (const Step& step : curves.steps) {
            addRow(titleOf(curves.rows[row]), step.removed, step.percent,
                   curves.table->at(row, step.column), rows);
        }
    }
}

/// Where there are neither steps nor lists: why.
Figure nothingGoes(const BuildContext& context, const Curves& curves) {
    Figure figure = context.frame("loss with experts removed", context.require("intact").tokens);
    figure.body = NoticeFigure{
        curves.table ? "Every layer has about as many experts as it chooses: none can go"
                     : "No list has been measured yet, and the curves were not asked for"};
    return figure;
}

/// How far right the lists' marks stand, where there are no curves.
double farthest(const BuildContext& context, const Lists& lists) {
    double most = 0.0;
    for (const MeasuredSet& list : lists.sets) {
        most = std::max(most, percentOf(context, list));
    }
    return most;
}

void sayHowToRead(const BuildContext& context, const Curves& curves, const Lists& lists,
                  const RemovalOutcome& intact, Figure& figure) {
    if (!curves.table) {
        figure.howToRead =
            "The loss without the experts of each list, beside the intact model's. The curves to "
            "compare it with have not been measured (experiment pruning).";
    } else {
        if (!std::isnan(intact.choices)) {
            figure.howToRead +=
                " Of accuracy on questions it is the other way round: the higher, the better.";
        }
        if (!lists.sets.empty()) {
            figure.howToRead +=
                " A mark: the experts of a prune list, which may be more of one layer than of "
                "another.";
        }
    }
    figure.howToRead += intactText(context, intact);
}

}  // namespace

Figure buildPruning(const BuildContext& context) {
    const RemovalOutcome intact = intactOutcome(context);
    const Curves curves(context);
    const Lists lists(context);
    if (curves.steps.empty() && lists.sets.empty()) {
        return nothingGoes(context, curves);
    }
    LineChartFigure body;
    body.positionTitle = "% of experts that go";
    body.positionsAreLayers = false;
    body.positions = {0.0};
    for (const Step& step : curves.steps) {
        body.positions.push_back(step.percent);
    }
    for (const std::string& row : curves.rows) {
        if (!isRandom(row)) {
            body.lines.push_back(titleOf(row));
        }
    }
    if (curves.table) {
        body.band = "at random";
    } else {
        body.positions.push_back(farthest(context, lists));
        body.lines = {"intact model"};
    }
    for (const MeasuredSet& list : lists.sets) {
        body.points.push_back(nameOf(list));
    }
    body.groups.push_back(lossGroup(context, curves, intact, lists));
    if (!std::isnan(intact.choices)) {
        body.groups.push_back(choicesGroup(context, curves, intact, lists));
    }
    Figure figure = context.frame("loss with experts removed", context.require("intact").tokens);
    sayHowToRead(context, curves, lists, intact, figure);
    figure.body = std::move(body);
    return figure;
}

Figure buildPruningTable(const BuildContext& context) {
    using Kind = TableColumn::Kind;
    const RemovalOutcome intact = intactOutcome(context);
    const Curves curves(context);
    const Lists lists(context);
    if (curves.steps.empty() && lists.sets.empty()) {
        return nothingGoes(context, curves);
    }
    OutcomeRows rows({{"what goes", Kind::Text, {}, {}},
                      {"experts", Kind::Count, {}, {}},
                      {"% of all", Kind::Number, {}, {}}},
                     intact);
    rows.lead(0).wraps = true;  // names of files
    if (!lists.sets.empty()) {
        rows.section("prune lists");
        for (const MeasuredSet& list : lists.sets) {
            addRow(list.name, list.experts.size(), percentOf(context, list), lists.at(list), rows);
        }
    }
    if (!curves.steps.empty()) {
        rows.section("a share of each layer's experts, the lowest by a measure");
        addCurves(curves, false, rows);
        rows.section("as many at random");
        addCurves(curves, true, rows);
    }
    Figure figure = context.frame("pruning, table", context.require("intact").tokens);
    figure.howToRead =
        "Each row: what goes, and what the loss comes to beside the intact model's. The less the "
        "loss rises where as many experts go, the better the choice.";
    if (curves.table) {
        figure.howToRead += " What does no better than random tells nothing.";
    }
    figure.howToRead += intactText(context, intact);
    figure.body = rows.take();
    return figure;
}

}  // namespace moescope::figures
