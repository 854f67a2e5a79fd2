// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/engine/forward_trace.h"
#include "core/model/load_spec.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace moescope::tests {

/// A checkpoint and what transformers made of it: a fixture of tests/data/reference/models, or a
/// model of the demo.
struct ReferenceModel {
    explicit ReferenceModel(const std::string& name)
        : ReferenceModel(referenceDir() / "models" / name,
                         referenceDir() / "models" / name / "expected.safetensors") {}
    ReferenceModel(std::filesystem::path checkpointFolder,
                   const std::filesystem::path& expectedFile)
        : folder(std::move(checkpointFolder)),
          checkpoint(folder),
          spec(model::loadSpec(checkpoint)),
          expected(expectedFile) {
        for (const double id : expected.array("token_ids").toDoubles()) {
            corpus.ids.push_back(static_cast<text::TokenId>(id));
        }
        for (const double offset : expected.array("document_offsets").toDoubles()) {
            corpus.offsets.push_back(static_cast<std::uint64_t>(offset));
        }
        corpus.tokenBytes.resize(corpus.ids.size());
        corpus.sources.resize(corpus.documentCount());
        corpus.domainOf.assign(corpus.documentCount(), -1);
    }

    /// Bytes of all stored tensors, of the embeddings only the rows the text touches; without the
    /// final norm and the head if so asked.
    [[nodiscard]] std::uint64_t neededBytes(bool withHead) const {
        std::uint64_t bytes = 0;
        for (const auto& tensor : checkpoint.tensors()) {
            if (tensor.name == spec.embeddingName.name) {
                const std::set<text::TokenId> rows(corpus.ids.begin(), corpus.ids.end());
                bytes += rows.size() * tensor.bytes.size() / tensor.shape[0];
            } else if (withHead || (tensor.name != spec.finalNormName.name &&
                                    tensor.name != spec.head.weight.name)) {
                bytes += tensor.bytes.size();
            }
        }
        return bytes;
    }
    [[nodiscard]] engine::TracedModel traced() const { return {&checkpoint, &spec}; }
    [[nodiscard]] engine::ForwardTrace trace(const engine::TraceRequest& request = {}) const {
        return engine::traceForward(traced(), {}, corpus, request);
    }

    std::filesystem::path folder;
    checkpoint::Checkpoint checkpoint;
    model::ModelSpec spec;
    ReferenceFile expected;
    text::TokenizedCorpus corpus;
};

inline constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// Largest absolute difference of rows [0, T) that are kept, of two arrays [T, ...] in float32.
/// NaN in either counts as infinite.
inline double largestDifference(std::span<const float> a, std::span<const float> b,
                                std::size_t rows, const std::vector<bool>& leftOut = {}) {
    if (a.size() != b.size() || rows == 0 || a.size() % rows != 0) {
        return kInfinite;
    }
    double largest = 0.0;
    const std::size_t width = a.size() / rows;
    for (std::size_t i = 0; i < a.size(); ++i) {
        // Equal infinities are equal: experts that groups exclude have a score of minus infinity.
        if ((!leftOut.empty() && leftOut[i / width]) || a[i] == b[i]) {
            continue;
        }
        const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        if (std::isnan(difference)) {
            return kInfinite;
        }
        largest = std::max(largest, difference);
    }
    return largest;
}

/// The same of `ours` [T, ...] and a stored array that has all T rows or only the last ones: most
/// fixtures hold what is as wide as the hidden state for the last document alone.
inline double lastRowsDifference(std::span<const float> ours, std::span<const float> stored,
                                 std::size_t tokens, const std::vector<bool>& leftOut = {}) {
    const std::size_t width = tokens == 0 ? 0 : ours.size() / tokens;
    if (width == 0 || stored.size() % width != 0 || stored.size() > ours.size()) {
        return kInfinite;
    }
    const std::size_t rows = stored.size() / width;
    std::vector<bool> last;
    if (!leftOut.empty()) {
        last.assign(leftOut.end() - static_cast<std::ptrdiff_t>(rows), leftOut.end());
    }
    return largestDifference(ours.last(stored.size()), stored, rows, last);
}

/// The first `experts` of the outputs [N, T, H], token by token: [T, experts, H].
inline std::vector<float> outputsByToken(std::span<const float> outputs, std::size_t experts,
                                         std::size_t tokens, std::size_t hidden) {
    std::vector<float> byToken(tokens * experts * hidden);
    for (std::size_t e = 0; e < experts; ++e) {
        for (std::size_t t = 0; t < tokens; ++t) {
            std::copy_n(outputs.begin() + static_cast<std::ptrdiff_t>((e * tokens + t) * hidden),
                        hidden,
                        byToken.begin() + static_cast<std::ptrdiff_t>((t * experts + e) * hidden));
        }
    }
    return byToken;
}

/// Euclidean norms of the vectors of `width` that `values` holds one after the other.
inline std::vector<float> norms(std::span<const float> values, std::size_t width) {
    std::vector<float> result;
    for (std::size_t begin = 0; begin < values.size(); begin += width) {
        double sum = 0.0;
        for (const float value : values.subspan(begin, width)) {
            sum += static_cast<double>(value) * static_cast<double>(value);
        }
        result.push_back(static_cast<float>(std::sqrt(sum)));
    }
    return result;
}

}  // namespace moescope::tests
