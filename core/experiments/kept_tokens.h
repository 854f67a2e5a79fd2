// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiments/options.h"
#include "core/model/model_spec.h"
#include "core/text/corpus.h"

#include <cstdint>
#include <string>
#include <vector>

/// Which tokens have rows of their own in a session, within the disk they may take.
namespace moescope::experiments {

/// Bytes that a token's own numbers take over all routed layers, before compression.
struct TokenBytes {
    std::string what;  ///< "norms and scores"
    std::uint64_t perToken = 0;
    std::uint64_t budget = 0;  ///< bytes for all tokens
};

/// B2: norm and score of every expert.
[[nodiscard]] TokenBytes normBytes(const ExperimentOptions& options, const model::ModelSpec& model);
/// B1: a map of the experts' cosines.
[[nodiscard]] TokenBytes mapBytes(const ExperimentOptions& options, const model::ModelSpec& model);
/// B4: every neuron of every expert.
[[nodiscard]] TokenBytes stateBytes(const ExperimentOptions& options,
                                    const model::ModelSpec& model);

/// At most `wanted` of the tokens of a text, as many as fit and at least one; ascending, the same
/// for all layers. Throws Error(Usage) when a token or document was named that the text lacks.
[[nodiscard]] std::vector<std::uint64_t> keptTokens(const ExperimentOptions& options,
                                                    const TokenBytes& bytes, std::uint64_t wanted,
                                                    const text::TokenizedCorpus& corpus);

/// "norms and scores of all 4,000 tokens are kept: 1.9 MiB", or of how many, and what keeps more.
[[nodiscard]] std::string keptNote(const ExperimentOptions& options, const TokenBytes& bytes,
                                   std::uint64_t wanted, const text::TokenizedCorpus& corpus);

}  // namespace moescope::experiments
