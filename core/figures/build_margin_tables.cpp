// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// E2 as tables: how close choices are layer by layer, and where they are closest.
#include "core/figures/margins.h"
#include "core/figures/routed_text.h"
#include "core/figures/token_table.h"
#include "core/numerics/expert_use.h"
#include "core/numerics/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace moescope::figures {
namespace {

constexpr std::string_view kExperiment = "router_margin";
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::array kThresholds{0.01, 0.05, 0.1};
constexpr std::size_t kMostNear = 50;
constexpr std::uint64_t kContext = 4;
const std::string kDash = "\xE2\x80\x93";

double shareBelow(const std::vector<double>& values, double threshold) {
    double count = 0.0;
    double finite = 0.0;  // a layer that chooses all its experts has no margins
    for (const double value : values) {
        count += value < threshold ? 1.0 : 0.0;
        finite += std::isfinite(value) ? 1.0 : 0.0;
    }
    return finite > 0.0 ? count / finite : kNaN;
}

double shareFlipped(const LayerMargins& layer, std::size_t change) {
    double count = 0.0;
    for (std::size_t row = 0; row < layer.selection.size(); ++row) {
        count += layer.flipped(row, change) ? 1.0 : 0.0;
    }
    return layer.selection.empty() ? kNaN : count / static_cast<double>(layer.selection.size());
}

/// Writes a table row by row; the first row names the columns.
class RowWriter {
public:
    explicit RowWriter(TableFigure& table) : m_table(table) {}
    void begin() { m_next = 0; }
    void number(const std::string& name, double value, TableColumn::Kind kind) {
        TableColumn& into = next(name, kind);
        into.numbers.push_back(value);
        into.texts.push_back(std::isnan(value) ? kDash : std::string());
    }
    void number(const std::string& name, double value) {
        number(name, value, TableColumn::Kind::Number);
    }
    void text(const std::string& name, std::string value, bool wraps = false) {
        TableColumn& into = next(name, TableColumn::Kind::Text);
        into.texts.push_back(std::move(value));
        into.wraps = wraps;
    }
    void end() { ++m_table.rows; }

private:
    TableColumn& next(const std::string& name, TableColumn::Kind kind) {
        if (m_next == m_table.columns.size()) {
            m_table.columns.push_back({name, kind, {}, {}});
        }
        return m_table.columns[m_next++];
    }
    TableFigure& m_table;
    std::size_t m_next = 0;
};

/// "0.2, bfloat16", ">=0.05" (with the sign): sizes of noise, ascending, and the rounded router
/// behind them; what flips under some noise mostly does so under more.
std::string flipsText(const LayerMargins& layer, std::size_t row) {
    std::string text;
    const std::size_t sizes = layer.changes.size() - std::min<std::size_t>(layer.changes.size(), 1);
    for (std::size_t change = 0; change < layer.changes.size(); ++change) {
        if (!layer.flipped(row, change)) {
            continue;
        }
        std::size_t end = change;
        while (end < sizes && layer.flipped(row, end)) {
            ++end;
        }
        const bool isFrom = change + 1 < sizes && end == sizes;
        text += (text.empty() ? "" : ", ") + std::string(isFrom ? "\u2265" : "") +
                layer.changes[change];
        change = isFrom ? sizes - 1 : change;
    }
    return text;
}

/// One layer's row; logits, entropy and flips only where all layers have them.
void addLayer(const LayerMargins& layer, bool isWhole, RowWriter& rows) {
    rows.begin();
    rows.number("layer", layer.layer.value, TableColumn::Kind::Count);
    rows.number("median margin", numerics::quantile(layer.selection, 0.5));
    for (const double threshold : kThresholds) {
        rows.number(fmt::format("below {}", threshold), shareBelow(layer.selection, threshold));
    }
    if (isWhole) {
        rows.number("median of logits", numerics::quantile(layer.logit, 0.5));
        rows.number("entropy", numerics::finiteMean(layer.relativeEntropies()));
        for (std::size_t change = 0; change < layer.changes.size(); ++change) {
            const bool rounds = change + 1 == layer.changes.size();
            rows.number(
                rounds ? "flips in " + layer.changes[change] : "flips at " + layer.changes[change],
                shareFlipped(layer, change));
        }
    }
    rows.end();
}

/// Rows by rising margin, at most `most` of them.
std::vector<std::size_t> closestRows(const LayerMargins& layer, std::size_t most) {
    std::vector<std::size_t> order(layer.selection.size());
    std::iota(order.begin(), order.end(), 0U);
    std::erase_if(order, [&](std::size_t row) { return std::isnan(layer.selection[row]); });
    const std::size_t shown = std::min(most, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown),
                      order.end(), [&](std::size_t a, std::size_t b) {
                          return std::pair(layer.selection[a], a) <
                                 std::pair(layer.selection[b], b);
                      });
    order.resize(shown);
    return order;
}

}  // namespace

Figure buildMarginTable(const BuildContext& context) {
    const bool isWhole = hasWholeMargins(context);
    TableFigure table;
    RowWriter rows(table);
    std::uint64_t tokens = 0;
    forEachMargins(context, [&](const LayerMargins& layer) {
        addLayer(layer, isWhole, rows);
        table.layers.push_back(layer.layer);
        tokens = layer.selection.size();
    });
    if (table.rows == 0) {
        return withoutMargins(context, "margins of routers, table");
    }
    Figure figure = derivedFrame(context, kExperiment, "margins of routers, table", tokens);
    figure.howToRead =
        "Below: share of tokens whose selection score margin is smaller. Entropy: mean over ln E. "
        "Flips: share of tokens that get other experts with noise of this size on the router's "
        "input, or with the router in bfloat16." +
        onlyMarginText(isWhole);
    figure.body = std::move(table);
    return figure;
}

Figure buildNearFlips(const BuildContext& context) {
    const std::vector<LayerId> layers = layersWithMargins(context);
    const auto found =
        layers.empty() ? std::optional<LayerMargins>() : marginsOf(context, layers.front());
    if (!found) {
        return withoutMargins(context, "tokens near a flip");
    }
    const LayerMargins& layer = *found;
    const auto routing = figures::rowsOf(context.routing(layer.layer), context.tokens());
    const auto tokens = context.memory.tokens();
    TableFigure table;
    RowWriter rows(table);
    for (const std::size_t row : closestRows(layer, kMostNear)) {
        const std::uint64_t token = routing->tokenAt(row);
        rows.begin();
        rows.number("token", static_cast<double>(token), TableColumn::Kind::Count);
        rows.text("in its context", excerptAround(*tokens, token, kContext), true);
        const int last = routing->id(row, routing->topK - 1);
        rows.number("last chosen", last, TableColumn::Kind::Count);
        table.tokens.push_back(token);
        table.experts.push_back(last);
        table.layers.push_back(layer.layer);
        if (!layer.next.empty()) {
            rows.number("next", layer.next[row], TableColumn::Kind::Count);
        }
        rows.number("margin", layer.selection[row]);
        if (layer.isWhole()) {
            rows.number("of logits", layer.logit[row]);
            rows.number("entropy", layer.relativeEntropy(row));
            rows.text("flips under", flipsText(layer, row), true);
        }
        rows.end();
    }
    Figure figure =
        derivedFrame(context, kExperiment, "tokens near a flip", layer.selection.size());
    if (table.rows == 0) {
        figure.body = NoticeFigure{"Every expert is chosen: there is no margin"};
        return figure;
    }
    figure.howToRead = fmt::format(
        "The {} tokens whose choice is closest. Next: the expert that takes the place of the last "
        "chosen one when the margin is lost. Flips under: noise on the router's input that "
        "changes the choice, over the input's own size (\u2265: this one and all larger ones).{}",
        table.rows, onlyMarginText(layer.isWhole()));
    figure.body = std::move(table);
    return figure;
}

}  // namespace moescope::figures
