// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/strong_id.h"
#include "core/figures/colour.h"
#include "core/figures/load_simulation.h"
#include "core/figures/prune_list.h"
#include "core/figures/removal_choice.h"
#include "core/figures/token_selection.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What figure is wanted, as the window's controls and the command line say it.
namespace moescope::figures {

/// Which values set the ends of the colour scale.
struct ColourRange {
    enum class Kind { Layer, AllLayers, Fixed };
    Kind kind = Kind::Layer;
    double low = 0.0, high = 1.0;  ///< Fixed
    bool operator==(const ColourRange&) const = default;
};
/// "layer", "all" or "MIN:MAX". Throws Error(Usage) saying what is accepted.
[[nodiscard]] ColourRange parseColourRange(std::string_view text);

/// Ranks [first, last], both from 1 and both included, as they are drawn.
struct RankRange {
    int first = 1, last = 1;
    bool operator==(const RankRange&) const = default;
};
/// "1:8" or "57:64". Throws Error(Usage) saying what is accepted.
[[nodiscard]] RankRange parseRankRange(std::string_view text);

struct FigureRequest {
    std::string figure;            ///< a name of figureCatalogue(), any spelling findFigure accepts
    std::optional<LayerId> layer;  ///< absent: the whole model (rank counts: ALL; similarity: small
                                   ///< multiples of all layers)
    std::vector<LayerId> layers{};  ///< of small multiples of layers: these; empty: all
    BranchId branch;
    std::vector<std::string> roles;  ///< "gate", "up", "down"; empty: all
    bool relative = false;           ///< similarity relative to the baseline or the experts' mean
    ColourRange range;
    std::optional<ColourMap> colourMap;  ///< absent: the figure's own
    bool maskDiagonal = true;
    bool clustered = false;       ///< experts beside those that they are alike, not by index
    std::optional<int> expert{};  ///< of figures about one expert; absent: the first
    std::optional<TokenSelection> tokens;  ///< absent: all; of figures of single tokens: the first
    bool mean = false;                     ///< over the tokens, where single ones can be drawn too
    bool withTotal = false;                ///< rank counts: ALL beside the layer
    bool sideBySide = false;               ///< rank counts without a layer: each, not their sum
    std::optional<RankRange> ranks;        ///< rank counts: bars of these; absent: all
    int dimensions = 2;                    ///< of a projection
    bool withoutOutliers = false;          ///< projections of experts: by DBSCAN
    std::vector<std::string> experiments;  ///< of a figure drawn of several; empty: all there are
    LoadSimulation load{};                 ///< of the load table
    std::optional<PruneChoice> prune;      ///< which experts would go; absent: none
    std::optional<RemovalChoice> removal{};  ///< which are gone; absent: what the session has
    bool operator==(const FigureRequest&) const = default;
};

/// What a figure is about. The catalogue keeps figures of one subject together, in this order.
enum class FigureSubject { Weights, Outputs, Routing, Model };

/// A figure this program can draw.
struct FigureInfo {
    std::string_view name;        ///< "rank-counts"
    std::string_view experiment;  ///< "rank_counts": what must be in the session
    /// Where a figure is drawn of any of several experiments: all of them, `experiment` first.
    std::span<const std::string_view> anyOf{};
    /// Experiments of which one must be there beside `experiment`; empty: none.
    std::span<const std::string_view> alongside{};
    /// The quantity it is drawn from, where that is not what all figures of `experiment` need.
    std::string_view quantity{};
    std::string_view definedBy{};  ///< the experiment it shows, where others' results make it
    std::string_view title;        ///< "Rank counts"
    std::string_view listTitle{};  ///< under its subject in a list; empty: `title`
    FigureSubject subject = FigureSubject::Weights;
    bool perLayer = true;
    bool hasTotal = false;         ///< also drawn for all layers together
    bool totalIsOfPanels = false;  ///< a panel for each layer, or for those asked for
    bool hasSideBySide =
        false;              ///< also a passage of the text at each layer, or at those asked for
    bool hasRoles = false;  ///< gate, up, down
    bool hasRelative = false;
    bool hasColourScale = false;
    bool hasUsualRange = false;  ///< its colours end where most values do, or with AllLayers all
    bool canCluster = false;     ///< a map of pairs, whose experts can stand in another order
    bool needsToken = false;     ///< about one token
    bool needsExpert = false;    ///< about one expert
    bool takesExpert = false;    ///< or about one where that is asked for
    bool needsOther = false;     ///< sets another session beside this one
    bool takesSeries = false;    ///< or several, in their order
    bool takesTokens = false;
    bool hasMean = false;  ///< of single tokens, or of their mean
    /// About all tokens together unless some are selected: counts, means, or a row for each.
    bool ofSelection = false;
    bool takesRanks = false;
    bool hasOutliers = false;         ///< can leave out what DBSCAN calls outliers
    bool hasDimensions = false;       ///< two or three
    bool choosesExperiments = false;  ///< can be drawn of some of `anyOf`
    bool simulatesLoad = false;       ///< supposes batches, capacities and devices
    bool prunes = false;              ///< shows which experts would go
    bool removes = false;             ///< shows single tokens without some experts
};

[[nodiscard]] std::span<const FigureInfo> figureCatalogue();
/// The experiments a figure is drawn of: one, or any of several.
[[nodiscard]] std::span<const std::string_view> experimentsOf(const FigureInfo& info);
/// Underscores for hyphens, and singular for plural, are accepted. nullptr when unknown.
[[nodiscard]] const FigureInfo* findFigure(std::string_view name);

}  // namespace moescope::figures
