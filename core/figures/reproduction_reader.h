// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"
#include "core/figures/reproduction.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

/// Private to the reproduction.
namespace moescope::figures {

/// A session asked for one published value.
struct Reading {
    const FigureSource& source;
    BranchId branch;
    const PaperModel& model;
    const PaperValue& value;
    bool isSame = false;

    [[nodiscard]] const session::QuantityInfo* find(std::string_view experiment,
                                                    const std::string& quantity) const;
    /// Routed experts of a layer; 0: it has none.
    [[nodiscard]] std::size_t experts(LayerId layer) const;
    /// A layer of the paper's model as one of the session's, by relative depth where they differ.
    [[nodiscard]] LayerId like(int paperLayer) const;
    /// The same for the layers of the value, ascending, each once.
    [[nodiscard]] std::vector<LayerId> chosenLayers() const;
};

/// Mean of the finite values among those added.
class FiniteMean {
public:
    void add(double value);
    [[nodiscard]] double mean() const;                         ///< NaN without any
    [[nodiscard]] std::size_t left() const { return m_left; }  ///< how many were not finite

private:
    double m_sum = 0.0;
    std::size_t m_count = 0, m_left = 0;
};

/// Three significant digits with a true minus sign, for notes: "0.31".
[[nodiscard]] std::string inShort(double value);

/// A quantity with its name for people: {"gate", "gate_tau"}.
struct NamedQuantity {
    std::string name, quantity;
};
/// The value's role, or all three, each with a suffix.
[[nodiscard]] std::vector<NamedQuantity> roleQuantities(const PaperValue& value,
                                                        std::string_view suffix = "");

/// A number of one layer's map: given the map, its experts and the column of the dense baseline.
using OfMap = std::function<double(const Matrix& map, std::size_t experts,
                                   std::optional<std::size_t> baseline)>;

/// Every such number of an experiment: [quantities][layers]; empty when the session has none.
struct LayerNumbers {
    std::vector<NamedQuantity> quantities;
    std::vector<LayerId> layers;               ///< ascending
    std::vector<std::vector<double>> numbers;  ///< NaN where a quantity lacks a layer
    bool hasBaseline = false;                  ///< any of the maps has a column F
    [[nodiscard]] bool isEmpty() const { return quantities.empty(); }
    /// Over the quantities, [layers].
    [[nodiscard]] std::vector<double> means() const;
};
[[nodiscard]] LayerNumbers numbersOf(const Reading& reading, std::string_view experiment,
                                     const std::vector<NamedQuantity>& wanted, const OfMap& ofMap);

/// Mean over quantities of the means over layers, and how it comes about.
[[nodiscard]] Measured averaged(const Reading& reading, const LayerNumbers& numbers);
/// Mean over the chosen layers minus that over the others.
[[nodiscard]] Measured depthOf(const Reading& reading, const LayerNumbers& numbers);

/// For want of an experiment's arrays: what to run, or that it is under way, or that it kept none.
[[nodiscard]] Measured notRun(const Reading& reading, std::string_view experiment);
[[nodiscard]] Measured withoutBaseline();
[[nodiscard]] double meanOfPairs(const Matrix& map, std::size_t experts,
                                 std::optional<std::size_t> baseline);
/// Mean over the experts of the similarity with the baseline; NaN without one.
[[nodiscard]] double meanWithBaseline(const Matrix& map, std::size_t experts,
                                      std::optional<std::size_t> baseline);

/// "2 of 32 layers", "layers 0, 5 and 31", "no value in 3 maps": empty where there is nothing to
/// say.
[[nodiscard]] std::string coverage(const Reading& reading, const LayerNumbers& numbers);

// One function per measure; in reproduction_weights.cpp and reproduction_outputs.cpp.
[[nodiscard]] Measured measureWeightSimilarity(const Reading& reading);
[[nodiscard]] Measured measureWeightBaseline(const Reading& reading);
[[nodiscard]] Measured measureWeightDepth(const Reading& reading);
[[nodiscard]] Measured measureNeuronSimilarity(const Reading& reading);
[[nodiscard]] Measured measureNeuronLargest(const Reading& reading);
[[nodiscard]] Measured measureNeuronBaseline(const Reading& reading);
[[nodiscard]] Measured measureMatchedOrder(const Reading& reading);
[[nodiscard]] Measured measureMatchedGrowth(const Reading& reading);
[[nodiscard]] Measured measureRouterSimilarity(const Reading& reading);
[[nodiscard]] Measured measureRouterFit(const Reading& reading);
[[nodiscard]] Measured measureRouterCorrelation(const Reading& reading);
[[nodiscard]] Measured measureOutputOrder(const Reading& reading);
[[nodiscard]] Measured measureOutputDepth(const Reading& reading);
[[nodiscard]] Measured measureOutputBaseline(const Reading& reading);
[[nodiscard]] Measured measureOutputCosine(const Reading& reading);
[[nodiscard]] Measured measureRankAgreement(const Reading& reading);
[[nodiscard]] Measured measureTopRanks(const Reading& reading);
[[nodiscard]] Measured measureRankCorrelation(const Reading& reading);
[[nodiscard]] Measured measureActiveShare(const Reading& reading);
[[nodiscard]] Measured measureWeightsTellOutputs(const Reading& reading);

}  // namespace moescope::figures
