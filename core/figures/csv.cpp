// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace moescope::figures {
namespace {

std::string csvCell(std::string_view text) {
    if (text.find_first_of(",\"\n\r") == std::string_view::npos) {
        return std::string(text);
    }
    std::string out = "\"";
    for (const char c : text) {
        out += c;
        if (c == '"') {
            out += c;
        }
    }
    return out + "\"";
}

template <typename Number>
std::string number(Number value) {
    return std::isnan(value) ? "nan" : fmt::format("{}", value);
}

/// The heading over a row; nothing above the first one and in the summary.
std::string_view sectionOf(const TableFigure& table, std::size_t row) {
    const auto after =
        std::find_if(table.sections.begin(), table.sections.end(),
                     [row](const TableSection& section) { return section.firstRow > row; });
    const bool isIn = after != table.sections.begin() && row + table.summaryRows < table.rows;
    return isIn ? std::string_view(std::prev(after)->title) : std::string_view();
}

/// Writes the table of a body after the comment lines.
struct Writer {
    std::string& out;

    void row(std::initializer_list<std::string> cells) {
        bool first = true;
        for (const std::string& cell : cells) {
            out += (first ? "" : ",") + cell;
            first = false;
        }
        out += '\n';
    }

    void operator()(const NoticeFigure& notice) { row({"notice"}), row({csvCell(notice.message)}); }

    /// What the cells are: the label of the bar that the panels share.
    static std::string valueName(const HeatMapFigure& figure) {
        const bool isShared =
            std::none_of(figure.panels.begin(), figure.panels.end(),
                         [](const HeatMapPanel& panel) { return panel.ownScale.has_value(); });
        return figure.integral                         ? "count"
               : isShared && !figure.bar.label.empty() ? csvCell(figure.bar.label)
                                                       : "value";
    }
    static const char* mark(const HeatMapPanel& panel, std::size_t cell, std::uint8_t kind) {
        return panel.cellMarks.empty() ? "," : panel.cellMarks[cell] == kind ? ",1" : ",0";
    }

    void operator()(const HeatMapFigure& figure) {
        const bool hasIntervals =
            std::any_of(figure.panels.begin(), figure.panels.end(),
                        [](const HeatMapPanel& panel) { return !panel.low.values.empty(); });
        const bool hasMarks =
            std::any_of(figure.panels.begin(), figure.panels.end(),
                        [](const HeatMapPanel& panel) { return !panel.cellMarks.empty(); });
        const bool hasOpenMarks = hasMarks && !figure.openMarkName.empty();
        out += fmt::format(
            "panel,{},{},{}{}{}{}\n", figure.rowTitle.empty() ? "row" : csvCell(figure.rowTitle),
            figure.columnTitle.empty() ? "column" : csvCell(figure.columnTitle), valueName(figure),
            hasIntervals ? ",low,high" : "", hasMarks ? "," + csvCell(figure.markName) : "",
            hasOpenMarks ? "," + csvCell(figure.openMarkName) : "");
        for (const HeatMapPanel& panel : figure.panels) {
            const Matrix& matrix = panel.matrix;
            for (std::size_t r = 0; r < matrix.rows; ++r) {
                for (std::size_t c = 0; c < matrix.columns; ++c) {
                    out += fmt::format("{},{},{},{}", csvCell(panel.title),
                                       csvCell(panel.rowLabels[r]), csvCell(panel.columnLabels[c]),
                                       number(matrix.at(r, c)));
                    if (hasIntervals) {
                        const bool has = !panel.low.values.empty();
                        out += has ? "," + number(panel.low.at(r, c)) + "," +
                                         number(panel.high.at(r, c))
                                   : ",,";
                    }
                    if (hasMarks) {
                        const std::size_t cell = r * matrix.columns + c;
                        out += mark(panel, cell, HeatMapPanel::kMarked);
                        out += hasOpenMarks ? mark(panel, cell, HeatMapPanel::kMarkedOpen) : "";
                    }
                    out += '\n';
                }
            }
        }
    }

    void operator()(const GroupedBarsFigure& figure) {
        row({"panel", "score_rank", "norm_rank", "count"});
        for (const RankCountsPanel& panel : figure.panels) {
            for (int s = 0; s < panel.ranks; ++s) {
                for (int n = 0; n < panel.ranks; ++n) {
                    row({csvCell(panel.title), std::to_string(panel.firstRank + s + 1),
                         std::to_string(panel.firstRank + n + 1),
                         std::to_string(panel.count(s, n))});
                }
            }
        }
    }

    void operator()(const PairedBarsFigure& figure) {
        row({"token", "text", "expert", "norm", "score", "choice"});
        for (const PairedBarsPanel& panel : figure.panels) {
            for (std::size_t e = 0; e < figure.labels.size(); ++e) {
                std::string choice;
                for (std::size_t k = 0; k < panel.chosen.size(); ++k) {
                    if (panel.chosen[k] == static_cast<int>(e)) {
                        choice = std::to_string(k + 1);
                    }
                }
                row({panel.tokens > 0 ? fmt::format("mean of {}", panel.tokens)
                                      : std::to_string(panel.token),
                     csvCell(panel.tokenText), csvCell(figure.labels[e]), number(panel.norms[e]),
                     number(panel.scores[e]), choice});
            }
        }
    }

    void operator()(const BarChartFigure& figure) {
        const BarChartPanel* first = figure.panels.empty() ? nullptr : &figure.panels.front();
        const bool hasIntervals = first != nullptr && !first->low.empty();
        const bool hasMarks = first != nullptr && !first->marks.empty();
        out += fmt::format("panel,{},series,value{}{}\n", csvCell(figure.categoryTitle),
                           hasIntervals ? ",low,high" : "",
                           hasMarks ? "," + csvCell(figure.markName) : "");
        for (const BarChartPanel& panel : figure.panels) {
            for (std::size_t c = 0; c < figure.categories.size(); ++c) {
                for (std::size_t s = 0; s < figure.series.size(); ++s) {
                    out += fmt::format("{},{},{},{}", csvCell(panel.title),
                                       csvCell(figure.categories[c]), csvCell(figure.series[s]),
                                       number(panel.bars[s][c]));
                    if (hasIntervals) {
                        out += "," + number(panel.low[s][c]) + "," + number(panel.high[s][c]);
                    }
                    if (hasMarks) {
                        out += panel.marks[s][c] != 0 ? ",1" : ",0";
                    }
                    out += '\n';
                }
            }
        }
    }

    void operator()(const HistogramFigure& figure) {
        row({"panel", "from", "to", "share"});
        for (const HistogramPanel& panel : figure.panels) {
            for (std::size_t bin = 0; bin < panel.shares.size(); ++bin) {
                row({csvCell(panel.valueName), bin == 0 ? "" : number(panel.edges[bin - 1]),
                     bin == panel.edges.size() ? "" : number(panel.edges[bin]),
                     number(panel.shares[bin])});
            }
        }
    }

    void operator()(const ScatterFigure& figure) {
        const bool isDeep = !figure.panels.empty() && !figure.panels.front().z.empty();
        out += isDeep ? "panel,group,name,x,y,z\n" : "panel,group,name,x,y\n";
        for (const ScatterPanel& panel : figure.panels) {
            for (std::size_t i = 0; i < panel.size(); ++i) {
                const std::string name =
                    !panel.pairs.empty()
                        ? fmt::format("{}-{}", panel.pairs[i].first, panel.pairs[i].second)
                    : !panel.member.empty() ? std::to_string(panel.member[i])
                    : !panel.labels.empty() ? panel.labels[i]
                                            : std::string();
                out += fmt::format("{},{},{},{},{}", csvCell(panel.title),
                                   csvCell(figure.groups[panel.group[i]].name), csvCell(name),
                                   number(panel.x[i]), number(panel.y[i]));
                out += isDeep ? "," + number(panel.z[i]) + "\n" : "\n";
            }
        }
    }

    void operator()(const TableFigure& figure) {
        const bool hasNotes = figure.notes.size() == figure.rows && figure.rows > 0;
        for (std::size_t c = 0; c < figure.columns.size(); ++c) {
            out += (c == 0 ? "" : ",") + csvCell(figure.columns[c].name);
        }
        out += hasNotes ? ",note" : "";
        out += figure.sections.empty() ? "\n" : ",section\n";
        for (std::size_t r = 0; r < figure.rows; ++r) {
            for (std::size_t c = 0; c < figure.columns.size(); ++c) {
                const TableColumn& column = figure.columns[c];
                out += c == 0 ? "" : ",";
                out += column.kind == TableColumn::Kind::Text ? csvCell(column.texts[r])
                                                              : number(column.numbers[r]);
            }
            out += hasNotes ? "," + csvCell(figure.notes[r]) : "";
            out += figure.sections.empty() ? "\n" : "," + csvCell(sectionOf(figure, r)) + "\n";
        }
    }

    void operator()(const NeuronMapFigure& figure) {
        row({"panel", "expert", "neuron", "value"});
        for (const NeuronMapPanel& panel : figure.panels) {
            for (std::size_t r = 0; r < panel.values.rows; ++r) {
                const std::string start =
                    csvCell(panel.title) + "," + csvCell(panel.rowLabels[r]) + ",";
                for (std::size_t c = 0; c < panel.values.columns; ++c) {
                    out += fmt::format("{}{},{}\n", start, c, number(panel.values.at(r, c)));
                }
            }
        }
    }

    void routing(const TokenTable& tokens, const Routing& routing) {
        row({"token", "text", "choice", "expert", "weight"});
        for (std::uint64_t r = 0; r < routing.tokenCount(); ++r) {
            const std::uint64_t token = routing.tokenAt(r);
            for (int k = 0; k < routing.topK; ++k) {
                row({std::to_string(token), csvCell(tokens.text(token)), std::to_string(k + 1),
                     std::to_string(routing.id(r, k)), number(routing.weight(r, k))});
            }
        }
    }
    void operator()(const RoutingMapFigure& figure) {
        if (figure.beside == nullptr) {
            routing(*figure.tokens, *figure.routing);
            return;
        }
        row({"token", "text", "choice", "expert", "weight", "other_expert", "other_weight"});
        const Routing& here = *figure.routing;
        const Routing& there = *figure.beside;
        for (std::uint64_t r = 0; r < here.tokenCount(); ++r) {
            const std::uint64_t token = here.tokenAt(r);
            for (int k = 0; k < here.topK; ++k) {
                row({std::to_string(token), csvCell(figure.tokens->text(token)),
                     std::to_string(k + 1), std::to_string(here.id(r, k)),
                     number(here.weight(r, k)), std::to_string(there.id(r, k)),
                     number(there.weight(r, k))});
            }
        }
    }
    void operator()(const ColouredTextFigure& figure) { routing(*figure.tokens, *figure.routing); }
    void operator()(const LossTextFigure& figure) {
        row({"token", "text", "loss", "intact_loss", "rise", "predicted_by_intact"});
        for (std::uint64_t token = figure.range.first; token < figure.range.end(); ++token) {
            const std::uint64_t at = token - figure.range.first;
            row({std::to_string(token), csvCell(figure.tokens->text(token)),
                 number(figure.loss[at]), number(figure.intactLoss[at]), number(figure.rise(token)),
                 figure.isPredicted.empty() || std::isnan(figure.intactLoss[at]) ? ""
                 : figure.isPredicted[at]                                        ? "1"
                                                                                 : "0"});
        }
    }
    void operator()(const ColouredPassageFigure& figure) {
        row({"layer", "token", "text", "choice", "expert", "weight"});
        for (const auto& layer : figure.layers) {
            const std::string name = layer->layer ? std::to_string(layer->layer->value) : "";
            for (std::uint64_t r = 0; r < layer->tokenCount(); ++r) {
                const std::uint64_t token = layer->tokenAt(r);
                for (int k = 0; k < layer->topK; ++k) {
                    row({name, std::to_string(token), csvCell(figure.tokens->text(token)),
                         std::to_string(k + 1), std::to_string(layer->id(r, k)),
                         number(layer->weight(r, k))});
                }
            }
        }
    }

    void operator()(const LineChartFigure& figure) {
        row({"group", "panel", csvCell(figure.positionTitle), "line", "value"});
        for (const LineChartGroup& group : figure.groups) {
            for (const LineChartPanel& panel : group.panels) {
                lines(figure, group, panel);
                points(figure, group, panel);
            }
        }
    }

    void points(const LineChartFigure& figure, const LineChartGroup& group,
                const LineChartPanel& panel) {
        for (const LineChartPoint& point : panel.points) {
            row({csvCell(group.title), csvCell(panel.title), number(point.x),
                 csvCell(figure.points[point.name]), number(point.y)});
        }
    }

    // Positions without any value are absent, as in the session.
    void lines(const LineChartFigure& figure, const LineChartGroup& group,
               const LineChartPanel& panel) {
        for (std::size_t i = 0; i < figure.positions.size(); ++i) {
            const std::string position = figure.positionNames.empty()
                                             ? number(figure.positions[i])
                                             : csvCell(figure.positionNames[i]);
            const auto add = [&](const std::string& line, double value) {
                row({csvCell(group.title), csvCell(panel.title), position, csvCell(line),
                     number(value)});
            };
            if (std::all_of(panel.lines.begin(), panel.lines.end(),
                            [i](const auto& line) { return std::isnan(line[i]); })) {
                continue;
            }
            for (std::size_t line = 0; line < panel.lines.size(); ++line) {
                add(figure.lines[line], panel.lines[line][i]);
                if (!panel.lineLow.empty()) {
                    add(figure.lines[line] + ", from", panel.lineLow[line][i]);
                    add(figure.lines[line] + ", to", panel.lineHigh[line][i]);
                }
            }
            if (!panel.low.empty()) {
                add(figure.band + ", low", panel.low[i]);
                add(figure.band + ", high", panel.high[i]);
            }
        }
    }

    void operator()(const ExpertCardFigure& figure) {
        row({"section", "name", "value", "text"});
        for (const CardSection& section : figure.sections) {
            if (!section.missing.empty()) {
                row({csvCell(section.title), "", "", csvCell(section.missing)});
            }
            for (const CardRow& line : section.rows) {
                row({csvCell(section.title), csvCell(line.label), number(line.value),
                     csvCell(line.text)});
            }
        }
    }

    void operator()(const ParametersFigure& figure) {
        row({"quantity", "name", "value"});
        for (std::size_t i = 0; i < figure.components.size(); ++i) {
            row({"total", csvCell(figure.components[i]), std::to_string(figure.total[i])});
            row({"active", csvCell(figure.components[i]), std::to_string(figure.active[i])});
        }
        for (std::size_t i = 0; i < figure.batchTokens.size(); ++i) {
            row({"touched_expert_bytes", std::to_string(figure.batchTokens[i]),
                 fmt::format("{}", figure.touchedExpertBytes[i])});
        }
        for (std::size_t i = 0; i < figure.contextTokens.size(); ++i) {
            row({"operations_per_token", std::to_string(figure.contextTokens[i]),
                 fmt::format("{}", figure.operationsPerToken[i])});
        }
    }
};

std::string oneLine(std::string text) {
    for (char& c : text) {
        if (c == '\n' || c == '\r') {
            c = ' ';
        }
    }
    return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> metadata(const Figure& figure) {
    const Provenance& from = figure.provenance;
    std::vector<std::pair<std::string, std::string>> pairs;
    const auto add = [&](const char* key, std::string value) {
        if (!value.empty()) {
            pairs.emplace_back(key, oneLine(std::move(value)));
        }
    };
    add("Title", figure.title);
    add("Figure", figure.name);
    add("Session", from.sessionUuid);
    add("SessionTitle", from.sessionTitle);
    add("Model", from.model);
    add("ModelIdentity", from.modelIdentity);
    add("Family", from.family);
    add("Experiment", from.experiment);
    add("Definition", from.definition);
    add("Source", from.source);
    add("Layer", from.layer ? std::to_string(from.layer->value) : std::string());
    add("Role", from.role);
    add("Branch", from.branch);
    add("Tokens", from.tokens > 0 ? std::to_string(from.tokens) : std::string());
    add("Selection", from.selection);
    add("ComparedWith", from.other);
    if (figure.prunes != nullptr) {
        const PruneList& list = *figure.prunes;
        add("WouldGo", fmt::format("{} of {} experts, {} by {}, share {:.4g} ({:.4g} asked) of {}",
                                   list.removedCount(), list.expertCount(),
                                   list.criterion->lowGoes ? "lowest" : "highest",
                                   list.criterion->id, list.share(), list.choice.share,
                                   list.choice.acrossLayers ? "all layers" : "each layer"));
    }
    add("Notice", figure.notice);
    add("Dtype", from.dtype);
    add("Device", from.device);
    add("Created", from.createdUtc);
    add("Software",
        "Moescope" + (from.programVersion.empty() ? std::string() : " " + from.programVersion));
    return pairs;
}

std::string toCsv(const Figure& figure) {
    std::string out;
    for (const auto& [key, value] : metadata(figure)) {
        out += fmt::format("# {}: {}\n", key, value);
    }
    std::visit(Writer{out}, figure.body);
    return out;
}

}  // namespace moescope::figures
