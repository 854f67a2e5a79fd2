// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/strong_id.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Bodies of figures with numeric axes.
namespace moescope::figures {

/// A single value beside the lines, wherever it stands on the x axis.
struct LineChartPoint {
    std::size_t name = 0;  ///< into LineChartFigure::points
    double x = 0.0, y = 0.0;
    std::string note{};  ///< what the read-out says of it besides
};

/// One small multiple of a line chart.
struct LineChartPanel {
    std::string title;                       ///< "gate"
    std::vector<std::vector<double>> lines;  ///< [lines of the figure][positions]; NaN is a gap
    std::vector<double> low, high;           ///< the band, [positions]; empty: none
    /// Interval of each value, as `lines`; empty: none.
    std::vector<std::vector<double>> lineLow{}, lineHigh{};
    std::vector<LineChartPoint> points{};
};

/// Panels that share their y axis.
struct LineChartGroup {
    std::string title;      ///< "weights"
    std::string valueName;  ///< "cosine similarity"
    std::optional<double>
        reference;  ///< expected of unrelated things: a dashed line where in range
    std::vector<LineChartPanel> panels;
};

/// Lines over layers, or over another numeric axis.
struct LineChartFigure {
    std::vector<double> positions;  ///< x, ascending
    std::string positionTitle;      ///< "layer"
    bool positionsAreLayers = true;
    std::vector<std::string> positionNames{};  ///< what stands at each; empty: its number says it
    bool linesAreOrdered = false;              ///< colours run from the first line to the last
    bool logarithmic = false;                  ///< both axes; positions and values are above 0
    std::vector<std::string> lines;            ///< names, the same in every panel
    std::string band;                          ///< name of the band; empty: none
    std::vector<LineChartGroup> groups;
    std::vector<std::string> points{};  ///< names of single values, no line's or band's
};

/// One small multiple of a bar chart. NaN: no bar.
struct BarChartPanel {
    std::string title;                      ///< "first choice", "layer 3"
    std::optional<LayerId> layer;           ///< where panels are layers: a click goes there
    std::vector<std::vector<double>> bars;  ///< [series of the figure][categories]
    /// Interval of each value, as `bars`; empty: none.
    std::vector<std::vector<double>> low{}, high{};
    std::vector<std::vector<std::uint8_t>> marks{};  ///< not 0: marked; empty: none
    std::optional<double> reference{};  ///< expected where nothing is special: a dashed line
};

/// Bars side by side for each category, from 0 up or down. Panels share their y axis; where there
/// are more bars than the width has room for, a panel goes on in further rows.
struct BarChartFigure {
    std::string categoryTitle;            ///< "expert": categories are experts, numbered from 0
    std::vector<std::string> categories;  ///< "0" ... "n-1"
    std::vector<std::string> series;      ///< names in the legend; a single one has no legend
    bool lastIsOfAll = false;             ///< the last series is what the others are parts of
    std::string valueName;                ///< "share of assignments"
    std::string referenceName{}, markName{};
    std::vector<BarChartPanel> panels;
};

/// One histogram. Its bins lie between edges that need not be equally far apart; all are drawn
/// equally wide.
struct HistogramPanel {
    std::string valueName;      ///< "score margin"
    std::vector<double> edges;  ///< between bins, ascending
    /// [edges + 1] of all values; the first bin is below the first edge, the last from the last on.
    std::vector<double> shares;
    double median = 0.0;  ///< NaN: none
};

/// Histograms side by side that share their y axis.
struct HistogramFigure {
    std::string shareName;  ///< "share of tokens"
    std::vector<HistogramPanel> panels;
};

/// Output norm and router score of every expert for one token.
struct PairedBarsPanel {
    std::string title;  ///< of small multiples: "17 "alternative": 3, 5"; empty for one token
    std::uint64_t token = 0;
    std::string tokenText;
    std::uint64_t tokens = 0;          ///< of a mean: how many; 0: of one token
    std::vector<float> norms, scores;  ///< [experts]
    std::vector<int> chosen;           ///< by falling selection score; empty when not known
};

/// Paired bars with two axes, one panel for each token; panels share both axes.
struct PairedBarsFigure {
    std::vector<std::string> labels;  ///< experts
    std::vector<PairedBarsPanel> panels;
};

/// Points that belong together, with one colour and one entry in the legend.
struct ScatterGroup {
    enum class Kind { Expert, Baseline, Shared, Series };
    std::string name;  ///< "expert 3", "F", "layer 4"
    Kind kind = Kind::Expert;
    int index = 0;  ///< of the expert or within the series: decides the colour
};

/// A straight line through the points of a group.
struct ScatterLine {
    std::size_t group = 0;
    double slope = 0.0, intercept = 0.0;
};

/// One small multiple of a scatter. z is empty in flat ones.
struct ScatterPanel {
    std::string title, note;  ///< "gate"; in a corner: "r2 = 0.33"
    std::string xTitle, yTitle, zTitle;
    std::vector<float> x, y, z;
    std::vector<std::uint16_t> group;  ///< of each point, into ScatterFigure::groups
    std::vector<std::string> labels;   ///< beside the marks; empty: none
    std::vector<std::pair<std::uint16_t, std::uint16_t>> pairs;  ///< of experts; empty: none
    std::vector<LayerId> layers;        ///< of each point; empty: not of several layers
    std::vector<std::uint32_t> member;  ///< index within the group; empty: none
    std::vector<ScatterLine> lines;
    [[nodiscard]] std::size_t size() const { return x.size(); }
};

/// Points in two or three dimensions, up to millions.
struct ScatterFigure {
    std::vector<ScatterGroup> groups;
    int groupCount = 0;      ///< experts of the layer, or length of the series: spreads the colours
    std::string memberName;  ///< "neuron"
    bool sharedAxes = false;  ///< panels have the same limits
    std::vector<ScatterPanel> panels;
};

/// A column of a table: texts or numbers, one for each row.
struct TableColumn {
    enum class Kind { Text, Number, Count };
    std::string name;
    Kind kind = Kind::Number;
    std::vector<std::string> texts;  ///< Text; of numbers: drawn in their place where not empty
    std::vector<double> numbers;     ///< Number and Count; NaN: not available
    bool wraps = false;              ///< may be broken into lines where there is little room
    bool isDataOnly = false;         ///< in the CSV, not in the picture
    int leastDecimals = 0;           ///< of Number: that many in every table with this quantity
    int keep = 0;  ///< where there is no room columns of the least go first; < 0: even the first
};

/// Decimals of rises of the loss (nat), the same in all tables.
inline constexpr int kRiseDecimals = 4;

/// A line of a card.
struct CardRow {
    std::string label;
    double value = 0.0;           ///< NaN: only the text
    std::string text{};           ///< behind the value: a context, what it is out of
    std::optional<int> expert{};  ///< where a click leads
    std::optional<LayerId> layer{};
    std::optional<std::uint64_t> token{};
};

/// What one experiment says on a card.
struct CardSection {
    enum class Kind {
        Rows,   ///< label, bar, value, text below one another
        Strip,  ///< an upright bar for each row side by side
        Facts   ///< label, value, text without bars
    };
    std::string title;
    std::string note{};     ///< one line that says what is counted
    std::string missing{};  ///< in place of rows: what must be run for them
    Kind kind = Kind::Rows;
    bool isShare = false;                  ///< values are shares: shown in percent
    std::optional<double> reference{};     ///< expected without specialisation: a dashed line
    std::optional<std::size_t> current{};  ///< the row that the card is about, in a strip
    std::vector<CardRow> rows{};
};

/// All that a session tells of one expert.
struct ExpertCardFigure {
    LayerId layer;
    int expert = 0, experts = 0;
    std::vector<CardSection> sections;
};

/// A heading over the rows from `firstRow` on, while they are in their own order.
struct TableSection {
    std::size_t firstRow = 0;
    std::string title;
};

/// A table. Its last `summaryRows` rows stay below when the others are sorted.
struct TableFigure {
    std::vector<TableColumn> columns;
    std::size_t rows = 0, summaryRows = 0;
    /// Of each row without the summary, -1 where a row is of no single one; empty: of none.
    std::vector<LayerId> layers;
    std::vector<int> experts{};           ///< of each row, -1: none; empty: rows are no experts
    std::vector<std::uint64_t> tokens{};  ///< where each row's example stands; empty: none
    std::vector<TableSection> sections;   ///< by ascending row; none among the summary
    std::vector<std::string> notes;       ///< of each row, in small print below it; empty: none
    std::vector<std::size_t> flagged;     ///< rows that want attention, ascending
};

}  // namespace moescope::figures
