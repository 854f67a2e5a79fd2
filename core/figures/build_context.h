// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "core/figures/kept_tokens.h"
#include "core/figures/request.h"
#include "core/figures/source.h"
#include "core/figures/token_numbers.h"

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Private to the builders.
namespace moescope::figures {

/// Smallest and largest finite value; nothing when there is none.
using Limits = std::optional<std::pair<double, double>>;

/// What FigureBuilder keeps between figures. Thread-safe.
class BuildMemory {
public:
    virtual ~BuildMemory() = default;
    [[nodiscard]] virtual std::shared_ptr<const TokenTable> tokens() const = 0;
    /// Throws Error(Cancelled) when asked to stop.
    [[nodiscard]] virtual std::shared_ptr<const Routing> routing(
        LayerId layer, BranchId branch, const std::stop_token& stop) const = 0;
    /// Of a few tokens, from the file, which leaves the whole layers in memory alone.
    [[nodiscard]] virtual std::shared_ptr<const Routing> routingOf(
        LayerId layer, BranchId branch, const TokenRange& tokens,
        const std::stop_token& stop) const = 0;
    [[nodiscard]] virtual const session::Head& head() const = 0;
    /// The layers an experiment's figures can be drawn for.
    [[nodiscard]] virtual std::vector<LayerId> layersOf(std::string_view experiment,
                                                        BranchId branch) const = 0;
    [[nodiscard]] virtual const TokenNumbers& numbers() const = 0;
    /// What `make` gives, kept under `key` until a few others are: for what many figures in a row
    /// are made of, and small.
    [[nodiscard]] virtual std::shared_ptr<const void> remembered(
        const std::string& key, const std::function<std::shared_ptr<const void>()>& make) const = 0;
    /// Limits of a quantity over all its layers, kept under `key`.
    [[nodiscard]] virtual Limits cachedLimits(const std::string& key,
                                              Limits (*compute)(const FigureSource&,
                                                                const session::QuantityInfo&, bool),
                                              const session::QuantityInfo& info,
                                              bool offDiagonal) const = 0;
};

/// Everything one build needs to know.
struct BuildContext {
    const FigureSource& source;
    const FigureRequest& request;
    const FigureInfo& info;
    const BuildMemory& memory;
    std::stop_token stop{};
    const BuildMemory* other = nullptr;         ///< of the session to compare with
    std::vector<const BuildMemory*> further{};  ///< of those after it in a series

    [[nodiscard]] const session::Head& head() const { return source.head(); }
    [[nodiscard]] session::QuantityId id(std::string quantity) const;
    [[nodiscard]] const session::QuantityInfo* find(const std::string& quantity) const;
    /// Throws Error(Usage) naming figure and quantity, and what the session holds.
    [[nodiscard]] const session::QuantityInfo& require(const std::string& quantity) const;
    /// The layer asked for, else the quantity's first. Throws Error(BadSession) where it has none.
    [[nodiscard]] LayerId layerOf(const session::QuantityInfo& quantity) const;
    /// Of small multiples: the layers asked for, else all of the quantity's. Throws Error(Usage)
    /// for one that it does not have.
    [[nodiscard]] std::vector<LayerId> layersOf(const session::QuantityInfo& quantity) const;
    /// "all layers", or "layers 0, 15, 31".
    [[nodiscard]] std::string layersText() const;
    /// Throws Error(Cancelled) as throwIfStopped() does.
    [[nodiscard]] NdArray read(const std::string& quantity, std::optional<LayerId> layer) const;
    /// What the layer's router chose, in the branch asked for. Throws Error(Usage) for a layer that
    /// the session does not have it for, Error(Cancelled) as throwIfStopped() does.
    [[nodiscard]] std::shared_ptr<const Routing> routing(LayerId layer) const {
        return memory.routing(layer, request.branch, stop);
    }
    /// The same of a few of the session's tokens: for a walk over layers.
    [[nodiscard]] std::shared_ptr<const Routing> routing(LayerId layer,
                                                         const TokenRange& tokens) const {
        return memory.routingOf(layer, request.branch, tokens, stop);
    }
    /// Experts of a layer.
    [[nodiscard]] int experts(LayerId layer) const;

    /// Title, caption and provenance, without a body. `what` is the last part of the title.
    [[nodiscard]] Figure frame(const std::string& what, std::uint64_t tokens) const;

    /// Throws Error(Cancelled) when the figure is not wanted any more.
    void throwIfStopped() const;
    /// The tokens asked for, all of them by default. Throws Error(Usage) when there are none such.
    [[nodiscard]] TokenSelection tokens() const;
    /// True when some tokens are asked for, and not all.
    [[nodiscard]] bool isSelection() const;
    /// Less each document's first token, where the experiment left those out.
    [[nodiscard]] TokenSelection counted(const TokenSelection& tokens) const;
    /// Says that a token stands in for those asked for, of which none is among the `kept` ones.
    void giveNotice(Figure& figure, const TokenSelection& asked, std::uint64_t shown,
                    const std::string& what, std::uint64_t kept) const;
    /// Says in title, caption and provenance that the figure is of some tokens. `used` of the
    /// `asked` ones have `what` ("norms and scores") kept.
    void saySelection(Figure& figure, std::uint64_t used, std::uint64_t asked,
                      const std::string& what) const;
};

/// "0" ... "n-1" where the axis has no labels.
[[nodiscard]] std::vector<std::string> labelsOf(const session::Axis& axis, std::size_t count);
/// Experts in front, baselines and shared experts after them: how many come first; 0 when all are
/// experts.
[[nodiscard]] std::size_t countBeforeGap(const std::vector<std::string>& labels);
[[nodiscard]] Matrix toMatrix(const NdArray& array);
/// The rows of some tokens as a table of their own; the whole table is shared, not copied.
[[nodiscard]] std::shared_ptr<const Routing> rowsOf(std::shared_ptr<const Routing> all,
                                                    const TokenSelection& tokens);

/// The session's text. Throws Error(Usage) where there is none.
[[nodiscard]] std::shared_ptr<const TokenTable> requireTokens(const BuildContext& context);

/// " F = tiny-mistral." for the dense baselines that the labels end with ("F", or "F1", "F2", ...).
[[nodiscard]] std::string baselinesOf(const session::Head& head,
                                      const std::vector<std::string>& labels);

[[nodiscard]] Figure buildSimilarity(const BuildContext& context);
[[nodiscard]] Figure buildSimilarityTrend(const BuildContext& context);
[[nodiscard]] Figure buildRankCounts(const BuildContext& context);
[[nodiscard]] Figure buildNormsScores(const BuildContext& context);
[[nodiscard]] Figure buildChosenExperts(const BuildContext& context);
[[nodiscard]] Figure buildColouredText(const BuildContext& context);
[[nodiscard]] Figure buildRoutingComparison(const BuildContext& context);
[[nodiscard]] Figure buildRoutingAgreement(const BuildContext& context);
[[nodiscard]] Figure buildRouterSaturation(const BuildContext& context);
[[nodiscard]] Figure buildExpertCard(const BuildContext& context);
[[nodiscard]] Figure buildRouterSimilarity(const BuildContext& context);
[[nodiscard]] Figure buildRouterRegression(const BuildContext& context);
[[nodiscard]] Figure buildRouterTable(const BuildContext& context);
[[nodiscard]] Figure buildExpertProjection(const BuildContext& context);
[[nodiscard]] Figure buildIntermediateStates(const BuildContext& context);
[[nodiscard]] Figure buildNeuronProjection(const BuildContext& context);
[[nodiscard]] Figure buildWeightOutput(const BuildContext& context);
[[nodiscard]] Figure buildParameters(const BuildContext& context);
[[nodiscard]] Figure buildReproduction(const BuildContext& context);
[[nodiscard]] Figure buildMargins(const BuildContext& context);
[[nodiscard]] Figure buildMarginTable(const BuildContext& context);
[[nodiscard]] Figure buildNearFlips(const BuildContext& context);
[[nodiscard]] Figure buildFewerExperts(const BuildContext& context);
[[nodiscard]] Figure buildFewerExpertsTable(const BuildContext& context);
[[nodiscard]] Figure buildPruning(const BuildContext& context);
[[nodiscard]] Figure buildPruningTable(const BuildContext& context);
[[nodiscard]] Figure buildImportance(const BuildContext& context);
[[nodiscard]] Figure buildImportanceMap(const BuildContext& context);
[[nodiscard]] Figure buildImportanceCorrelation(const BuildContext& context);
[[nodiscard]] Figure buildDomainBars(const BuildContext& context);
[[nodiscard]] Figure buildDomains(const BuildContext& context);
[[nodiscard]] Figure buildRepetition(const BuildContext& context);
[[nodiscard]] Figure buildRepetitionTable(const BuildContext& context);
[[nodiscard]] Figure buildLoadBars(const BuildContext& context);
[[nodiscard]] Figure buildLoadMap(const BuildContext& context);
[[nodiscard]] Figure buildLoadTable(const BuildContext& context);
[[nodiscard]] Figure buildLoadCurve(const BuildContext& context);
[[nodiscard]] Figure buildCoactivation(const BuildContext& context);
[[nodiscard]] Figure buildCoactivationTable(const BuildContext& context);
[[nodiscard]] Figure buildTransitions(const BuildContext& context);
[[nodiscard]] Figure buildRemoval(const BuildContext& context);
[[nodiscard]] Figure buildRemovalBars(const BuildContext& context);
[[nodiscard]] Figure buildRemovalTable(const BuildContext& context);
[[nodiscard]] Figure buildRemovalText(const BuildContext& context);
[[nodiscard]] Figure buildRemovalTokens(const BuildContext& context);
[[nodiscard]] Figure buildVocabulary(const BuildContext& context);

}  // namespace moescope::figures
