// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/model/model_spec.h"
#include "core/model/spec_tensors.h"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

/// Parameter accounting (experiments.md A7): how many parameters a model has, how many of them work
/// on a token, and what that costs. Exact, from tensor shapes: loadSpec() has held the spec's
/// shapes against the checkpoint's own.
namespace moescope::model {

/// Parameters by Component; biases count with the matrix they belong to.
using ComponentCounts = std::array<std::uint64_t, kComponents.size()>;
[[nodiscard]] std::uint64_t sum(const ComponentCounts& counts) noexcept;

struct ParameterAccount {
    ComponentCounts total{};
    /// Everything but the routed experts that are not chosen: k of E in each routed layer.
    ComponentCounts active{};
    bool tiedHead = false;

    [[nodiscard]] std::uint64_t of(Component component) const {
        return total[static_cast<std::size_t>(component)];
    }
    [[nodiscard]] std::uint64_t activeOf(Component component) const {
        return active[static_cast<std::size_t>(component)];
    }
    /// Without the input embedding, of which a token reads one row. A tied embedding is the head as
    /// well and stays.
    [[nodiscard]] std::uint64_t activeWithoutInputEmbedding() const;
};

[[nodiscard]] ParameterAccount countParameters(const ModelSpec& spec);

/// Floating-point operations of one token that attends to `context` positions (itself included): 2
/// for each element of every matrix that multiplies it (attention, router, chosen experts, shared
/// experts, dense feed-forward, head), and 4 times heads times head dimension for each position
/// that a layer attends to (a sliding window or a chunk bounds them). A gated DeltaNet takes 6
/// times value heads times key dimension times value dimension at any context. Norms, biases and
/// the embedding row are left out.
[[nodiscard]] std::uint64_t operationsPerToken(const ModelSpec& spec, std::uint64_t context);

/// Expected number of different experts that a batch of tokens uses when each token chooses k of E
/// uniformly and independently: E (1 - (1 - k/E)^B).
[[nodiscard]] double expectedDistinctExperts(int experts, int topK, std::uint64_t batchTokens);
/// The same for a measured load: `chosenShare[e]` is the share of tokens that choose expert e.
[[nodiscard]] double expectedDistinctExperts(std::span<const double> chosenShare,
                                             std::uint64_t batchTokens);

/// Bytes of routed experts' weights that a batch touches in all layers, under uniform routing.
[[nodiscard]] double expertBytesTouched(const ModelSpec& spec, std::uint64_t batchTokens,
                                        double bytesPerWeight);

/// What a checkpoint stores in one dtype.
struct DtypeShare {
    checkpoint::Dtype dtype = checkpoint::Dtype::F32;
    std::uint64_t tensors = 0;
    std::uint64_t elements = 0;
    std::uint64_t bytes = 0;
};
/// By falling bytes.
[[nodiscard]] std::vector<DtypeShare> bytesByDtype(const checkpoint::Checkpoint& checkpoint);

/// A well-known dense model to set beside a mixture. The shapes are the published configuration's;
/// the parameters are exact.
struct DenseReference {
    std::string_view title;
    std::string_view source;
    int vocabSize = 0, hiddenSize = 0, layers = 0, headsQ = 0, headsKv = 0, headDim = 0, width = 0;

    [[nodiscard]] ModelSpec spec() const;
    [[nodiscard]] std::uint64_t parameters() const;
};
[[nodiscard]] std::span<const DenseReference> denseReferences();

}  // namespace moescope::model
