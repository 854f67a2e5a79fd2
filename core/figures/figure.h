// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/strong_id.h"
#include "core/figures/chart_figures.h"
#include "core/figures/colour.h"
#include "core/figures/prune_list.h"
#include "core/figures/token_selection.h"
#include "core/figures/token_table.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

/// What is drawn, as plain data: the window, the exported file and the CSV all come from the same
/// Figure. No Qt, no HDF5. Values here are never shortened or rounded; missing is NaN.
namespace moescope::figures {

/// A row-major matrix of values; NaN = not available.
struct Matrix {
    std::size_t rows = 0, columns = 0;
    std::vector<float> values;  ///< [rows * columns]
    [[nodiscard]] float at(std::size_t row, std::size_t column) const {
        return values[row * columns + column];
    }
};

/// Limits, map and label of a colour bar.
struct ScaleBar {
    ColourScale scale;
    std::string label;      ///< "cosine similarity", "tokens"
    bool integral = false;  ///< counts: no decimals
};

/// One labelled matrix of a small multiple.
struct HeatMapPanel {
    std::string title;  ///< "gate", "layer 3", "token 17 . chosen 3, 5"
    Matrix matrix;
    std::vector<std::string> rowLabels, columnLabels;
    std::size_t rowsBeforeGap = 0;        ///< rows from here on (F, S) are set apart; 0: no gap
    std::size_t columnsBeforeGap = 0;     ///< the same for columns
    std::optional<ScaleBar> ownScale;     ///< set where the panels do not share one scale
    std::optional<LayerId> layer;         ///< set where panels are layers: a click goes there
    std::vector<std::uint8_t> cellMarks;  ///< [rows * columns], kMarked...; may be empty
    Matrix low, high;                     ///< interval of each value; may be empty
    std::vector<int> columnMarks;         ///< a row to mark in each column; -1: none; may be empty
    bool isCurrent = false;               ///< outlined
    static constexpr std::uint8_t kMarked = 1;      ///< as HeatMapFigure::markName says: a dot
    static constexpr std::uint8_t kMarkedOpen = 2;  ///< as openMarkName says: a ring
};

/// Small multiples of labelled matrices. A cell is (row, column) of every panel alike.
struct HeatMapFigure {
    std::vector<HeatMapPanel> panels;
    ScaleBar bar;          ///< shared by the panels without an own one
    std::string rowTitle;  ///< axis titles: "score rank", "norm rank", or empty
    std::string columnTitle;
    bool diagonalMasked = false;  ///< the diagonal is 1 by definition, not drawn and not in limits
    bool firstRowAtBottom = false;
    bool integral = false;      ///< values are counts
    bool diagonalLine = false;  ///< a thin line where row and column are equal
    enum class ExpertAxis { None, Rows, Columns };
    ExpertAxis expertAxis = ExpertAxis::None;  ///< a click on a cell selects this axis's expert
    bool rowsAreLayers = false;                ///< row labels are layers: a click goes there
    bool isPair = true;          ///< rows and columns are experts: a cell is a pair of them
    std::string markName;        ///< what the marks are: "most frequent score rank"
    std::string openMarkName{};  ///< what open marks are: "fewer than by chance"; empty: none
};

/// One map of the neurons' values for a token.
struct NeuronMapPanel {
    std::string title;
    std::vector<std::string> rowLabels;           ///< experts, F, S
    Matrix values;                                ///< [rows, neurons]
    std::vector<float> shareAbove, meanAbsolute;  ///< [rows]
    std::vector<int> chosen;                      ///< rows of the chosen experts
};

/// Intermediate states, experts x neurons: many more columns than pixels.
struct NeuronMapFigure {
    std::vector<NeuronMapPanel> panels;
    ScaleBar bar;
    double threshold = 0.001;  ///< of |value|, for shareAbove
};

/// Counts of norm rank (x, smallest to largest) by score rank (one bar each).
struct RankCountsPanel {
    std::string title;                  ///< "layer 3", "ALL"
    int ranks = 0;                      ///< ranks shown: E, or fewer
    int firstRank = 0;                  ///< the first of them, from 0
    int allRanks = 0;                   ///< E
    std::vector<std::uint64_t> counts;  ///< [score_rank * ranks + norm_rank], ranks from 0 here
    double uniform = 0.0;               ///< expected count when norm and score are unrelated
    std::optional<double> spearman, diagonalShare;
    std::optional<int> agreeingRanks;
    [[nodiscard]] std::uint64_t count(int scoreRank, int normRank) const {
        return counts[static_cast<std::size_t>(scoreRank) * static_cast<std::size_t>(ranks) +
                      static_cast<std::size_t>(normRank)];
    }
};

/// Grouped bars, up to 16 experts (above that the builder makes a HeatMapFigure of the counts).
struct GroupedBarsFigure {
    std::vector<RankCountsPanel> panels;
};

/// Chosen experts and weights of all tokens at one layer, by falling selection score.
struct Routing {
    int experts = 0, topK = 0;
    TokenSelection tokens;           ///< of the rows, in their order
    std::vector<std::uint16_t> ids;  ///< [tokens * topK]
    std::vector<float> weights;      ///< [tokens * topK]
    std::optional<LayerId> layer;
    [[nodiscard]] std::size_t bytes() const {
        return ids.size() * sizeof(std::uint16_t) + weights.size() * sizeof(float);
    }
    [[nodiscard]] std::uint64_t tokenCount() const {
        return topK == 0 ? 0 : ids.size() / static_cast<std::uint64_t>(topK);
    }
    [[nodiscard]] std::uint64_t firstToken() const {
        return tokens.empty() ? 0 : tokens.ranges().front().first;
    }
    [[nodiscard]] std::uint64_t tokenAt(std::uint64_t row) const { return tokens.at(row); }
    /// Of the first selected token from this one on; tokenCount() when there is none.
    [[nodiscard]] std::uint64_t rowFrom(std::uint64_t token) const { return tokens.rank(token); }
    [[nodiscard]] std::optional<std::uint64_t> rowOf(std::uint64_t token) const {
        return tokens.contains(token) ? std::optional(tokens.rank(token)) : std::nullopt;
    }
    [[nodiscard]] std::uint16_t id(std::uint64_t row, int k) const {
        return ids[row * static_cast<std::uint64_t>(topK) + static_cast<std::uint64_t>(k)];
    }
    [[nodiscard]] float weight(std::uint64_t row, int k) const {
        return weights[row * static_cast<std::uint64_t>(topK) + static_cast<std::uint64_t>(k)];
    }
};

/// Token x expert map of the weights used; not chosen is not a colour.
struct RoutingMapFigure {
    std::shared_ptr<const TokenTable> tokens;
    std::shared_ptr<const Routing> routing;
    ScaleBar bar;
    std::shared_ptr<const Routing> beside;  ///< of another model for the same tokens; mostly none
    std::string name, besideName;           ///< above the two maps
};

/// The text with each token on the colour of its first choice.
struct ColouredTextFigure {
    std::shared_ptr<const TokenTable> tokens;
    std::shared_ptr<const Routing> routing;
    double mostWeight = 0.0;         ///< of all choices
    std::vector<double> firstShare;  ///< [experts] share of the tokens that choose it first
};

/// What a model predicted in place of each token.
struct PredictedTokens {
    static constexpr std::uint32_t kNothing = ~std::uint32_t{0};  ///< no id
    std::vector<std::uint32_t> ids;  ///< [T] kNothing: nothing comes before the token
    /// How each of them is shown, where that is known.
    std::unordered_map<std::uint32_t, std::string> texts;
};

/// The text with each token on the colour of how much its loss rises without some experts.
struct LossTextFigure {
    std::shared_ptr<const TokenTable> tokens;
    TokenRange range;     ///< of the text; what follows has an entry for each of its tokens
    std::string without;  ///< "expert 3 of layer 2"
    std::vector<float> intactLoss, loss;  ///< nats; NaN: nothing comes before the token
    std::vector<bool> isPredicted;        ///< by the intact model; empty: not known
    /// By the intact model and without the experts, of the whole text; nullptr: not known.
    std::shared_ptr<const PredictedTokens> predicted, predictedWithout;
    std::vector<std::uint64_t> worst;  ///< tokens whose loss rises, the largest rise first
    std::size_t rising = 0;            ///< tokens whose loss rises: `worst` may be fewer
    ScaleBar bar;
    [[nodiscard]] float rise(std::uint64_t token) const {
        return loss[token - range.first] - intactLoss[token - range.first];
    }
};

/// One passage at several layers, as small multiples: one range of tokens, the same in all.
struct ColouredPassageFigure {
    std::shared_ptr<const TokenTable> tokens;
    std::vector<std::shared_ptr<const Routing>> layers;
    double mostWeight = 0.0;  ///< of all choices in all layers
    int experts = 0;          ///< of the layer with most
};

/// Parameter accounting: all and active per token, by component.
struct ParametersFigure {
    std::vector<std::string> components;  ///< for people: "routed experts"
    std::vector<std::uint64_t> total, active;
    std::vector<std::uint64_t> batchTokens;  ///< 1, 2, 4 ...
    std::vector<double> touchedExpertBytes;  ///< expected bytes of expert weights touched
    std::vector<std::uint64_t> contextTokens;
    std::vector<double> operationsPerToken;  ///< floating-point, at the end of such a context
};

/// In place of a figure: "Layer 0 is dense: no router".
struct NoticeFigure {
    std::string message;
};

/// Where a figure comes from: goes into the metadata of exported files.
struct Provenance {
    std::string sessionUuid, sessionTitle, model, modelIdentity, family;
    std::string dtype, device, programVersion, createdUtc;
    std::string experiment, definition, source;
    std::optional<LayerId> layer;
    std::uint64_t tokens = 0;
    std::string selection;  ///< "tokens 10 to 321" where it is not about all tokens
    std::string role;       ///< empty: all roles or none
    std::string branch;
    std::string other;  ///< the session compared with
};

using FigureBody =
    std::variant<NoticeFigure, ExpertCardFigure, HeatMapFigure, GroupedBarsFigure, PairedBarsFigure,
                 RoutingMapFigure, ColouredTextFigure, LossTextFigure, ColouredPassageFigure,
                 ParametersFigure, LineChartFigure, BarChartFigure, HistogramFigure, ScatterFigure,
                 TableFigure, NeuronMapFigure>;

/// A figure. Immutable once built; share it as shared_ptr<const Figure>.
struct Figure {
    std::string name;       ///< as on the command line: "rank-counts"
    std::string title;      ///< "tiny-mixtral, layer 3: rank counts"
    std::string caption;    ///< definition, tokens, dtype
    std::string howToRead;  ///< one plain line
    std::string notice;     ///< what is shown in place of what was asked for; mostly empty
    Provenance provenance;
    std::shared_ptr<const PruneList> prunes;  ///< which experts would go, where that was asked
    FigureBody body;
};

/// The data behind a figure, after "# key: value" lines that say what it is. One header line, comma
/// separated, C locale, shortest digits that read back to the same number.
[[nodiscard]] std::string toCsv(const Figure& figure);

/// "key: value" pairs for PNG text, SVG and PDF metadata and the head of the CSV.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> metadata(const Figure& figure);

}  // namespace moescope::figures
