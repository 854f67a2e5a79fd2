// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/source.h"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

/// What the inspector shows of a session, read and counted on the I/O lane. Plain data, no Qt.
namespace moescope::widgets {

/// One chosen expert of one token at one layer.
struct Choice {
    int expert = 0;
    float weight = 0.0F;  ///< what multiplied the expert's output
};

/// The chosen experts of a token at one routed layer, by falling selection score.
struct TokenStep {
    LayerId layer;
    std::vector<Choice> choices;
    /// k-th minus (k+1)-th selection score, where the session keeps it.
    std::optional<float> margin;
};

/// A token's way through the model.
struct TokenPath {
    std::uint64_t token = 0;
    std::uint64_t document = 0;
    std::uint64_t position = 0;  ///< within its document
    std::vector<TokenStep> steps;
};

/// A token string an expert was chosen for, with one place where it stands.
struct ExpertToken {
    std::uint32_t id = 0;
    std::uint64_t routed = 0;   ///< times this expert was chosen for it
    std::uint64_t seen = 0;     ///< times it occurs in the text
    std::uint64_t example = 0;  ///< token index: where the expert's weight for it is largest
    float exampleWeight = 0.0F;
};

/// One expert of one layer.
struct ExpertFacts {
    LayerId layer;
    int expert = 0;
    int experts = 0;
    int topK = 0;
    std::uint64_t tokens = 0;       ///< tokens behind the numbers
    std::uint64_t chosen = 0;       ///< for how many this expert was chosen
    std::uint64_t firstChoice = 0;  ///< for how many it came first
    double meanWeight = 0.0;        ///< over the tokens it was chosen for
    double meanNorm = 0.0;          ///< of its output over all tokens; NaN where norms are not kept
    std::vector<std::uint64_t> load;  ///< [experts] tokens per expert of this layer
    std::vector<ExpertToken> topTokens;
};

/// One similarity quantity of a pair of rows, layer by layer.
struct PairSeries {
    std::string experiment;
    std::string quantity;
    std::vector<LayerId> layers;
    std::vector<double> values;  ///< NaN where the pair does not exist in that layer
};

/// All choices of one token. Throws Error(BadSession) when the session has no chosen experts.
[[nodiscard]] TokenPath readTokenPath(const figures::FigureSource& source, BranchId branch,
                                      std::uint64_t token, const std::stop_token& stop);

/// Counts over the tokens of the text. At most `maxTokens` top tokens are kept.
[[nodiscard]] ExpertFacts readExpertFacts(const figures::FigureSource& source, BranchId branch,
                                          LayerId layer, int expert, std::size_t maxTokens,
                                          const std::stop_token& stop);

/// Values of the pair (labels of a similarity map) in every similarity quantity there is.
[[nodiscard]] std::vector<PairSeries> readPair(const figures::FigureSource& source, BranchId branch,
                                               const std::string& row, const std::string& column,
                                               const std::stop_token& stop);

}  // namespace moescope::widgets
