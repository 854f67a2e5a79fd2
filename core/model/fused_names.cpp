// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/fused_names.h"

#include "core/model/skeleton.h"

namespace moescope::model {
namespace {

using checkpoint::TensorPart;

std::uint64_t size(int value) {
    return static_cast<std::uint64_t>(value);
}

bool isInterleaved(FusedLayout layout) {
    return layout == FusedLayout::InterleavedRows || layout == FusedLayout::InterleavedColumns;
}

bool isTransposed(FusedLayout layout) {
    return layout == FusedLayout::Columns || layout == FusedLayout::InterleavedColumns;
}

/// Which of an expert's 2I outputs are those of gate (0) or of up (1), counted from `first`.
TensorPart::Rows outputs(FusedLayout layout, std::uint64_t first, std::uint64_t width, int which) {
    if (isInterleaved(layout)) {
        return {.first = first + size(which), .count = width, .run = 1, .step = 2};
    }
    return {.first = first + size(which) * width, .count = width, .run = width, .step = width};
}

/// One expert's map of `in` to `out` values, whole.
TensorRef whole(std::string name, const FusedSizes& sizes, FusedLayout layout, std::uint64_t out,
                std::uint64_t in, std::uint64_t expert) {
    if (!isTransposed(layout)) {
        return checkpoint::rowsOf(std::move(name), {size(sizes.experts), out, in}, expert * out,
                                  out);
    }
    return checkpoint::transposedOf(std::move(name), {size(sizes.experts), in, out},
                                    {.first = 0, .count = out, .run = out, .step = out},
                                    {.first = expert * in, .count = in});
}

}  // namespace

namespace {

FeedForwardNames flatExpert(const std::string& prefix, const FusedNames& names,
                            const FusedSizes& sizes, int expert) {
    const std::uint64_t width = size(sizes.width);
    const std::uint64_t hidden = size(sizes.hidden);
    const std::uint64_t first = size(expert) * width;
    const Shape shape{size(sizes.experts) * width, hidden};
    FeedForwardNames result;
    result.gate = checkpoint::rowsOf(prefix + std::string(names.gateUp), shape, first, width);
    result.up = checkpoint::rowsOf(prefix + std::string(names.up), shape, first, width);
    result.down =
        checkpoint::transposedOf(prefix + std::string(names.down), shape,
                                 {.first = 0, .count = hidden, .run = hidden, .step = hidden},
                                 {.first = first, .count = width});
    return result;
}

}  // namespace

FeedForwardNames fusedExpert(const std::string& prefix, const FusedNames& names,
                             const FusedSizes& sizes, int expert) {
    if (names.layout == FusedLayout::Flat) {
        return flatExpert(prefix, names, sizes, expert);
    }
    const std::uint64_t width = size(sizes.width);
    const std::uint64_t hidden = size(sizes.hidden);
    const std::uint64_t index = size(expert);
    const auto named = [&](std::string_view name) { return prefix + std::string(name); };
    const auto gateOrUp = [&](int which) {
        if (!isTransposed(names.layout)) {
            return checkpoint::rowRunsOf(named(names.gateUp),
                                         {size(sizes.experts), 2 * width, hidden},
                                         outputs(names.layout, index * 2 * width, width, which));
        }
        return checkpoint::transposedOf(
            named(names.gateUp), {size(sizes.experts), hidden, 2 * width},
            outputs(names.layout, 0, width, which), {.first = index * hidden, .count = hidden});
    };
    FeedForwardNames result;
    result.gate = gateOrUp(0);
    result.up = gateOrUp(1);
    result.down = whole(named(names.down), sizes, names.layout, hidden, width, index);
    if (!names.gateUpBias.empty()) {
        const Shape shape{size(sizes.experts), 2 * width};
        const std::uint64_t first = index * 2 * width;
        result.gateBias = checkpoint::elementsOf(named(names.gateUpBias), shape,
                                                 outputs(names.layout, first, width, 0));
        result.upBias = checkpoint::elementsOf(named(names.gateUpBias), shape,
                                               outputs(names.layout, first, width, 1));
    }
    if (!names.downBias.empty()) {
        result.downBias = checkpoint::elementsOf(
            named(names.downBias), {size(sizes.experts), hidden},
            {.first = index * hidden, .count = hidden, .run = hidden, .step = hidden});
    }
    return result;
}

FeedForwardNames fusedMlp(const std::string& prefix, const FusedNames& names, int hidden,
                          int width) {
    const Shape shape{2 * size(width), size(hidden)};
    const std::string gateUp = prefix + std::string(names.gateUp);
    FeedForwardNames result;
    result.gate = checkpoint::rowsOf(gateUp, shape, 0, size(width));
    result.up = checkpoint::rowsOf(gateUp, shape, size(width), size(width));
    result.down = prefix + std::string(names.down);
    return result;
}

void setFusedQkv(ModelSpec& spec, std::string_view name, bool bias) {
    for (int i = 0; i < spec.layerCount(); ++i) {
        auto& layer = spec.layers[static_cast<std::size_t>(i)];
        const std::string stored = layerPrefix(spec, i).append(name);
        const std::uint64_t headDim = size(layer.attention.headDim);
        const std::uint64_t q = size(layer.attention.headsQ) * headDim;
        const std::uint64_t kv = size(layer.attention.headsKv) * headDim;
        const auto part = [&](std::uint64_t first, std::uint64_t count) {
            LinearNames names;
            names.weight = checkpoint::rowsOf(stored + ".weight",
                                              {q + 2 * kv, size(spec.hiddenSize)}, first, count);
            if (bias) {
                names.bias = checkpoint::elementsOf(stored + ".bias", {q + 2 * kv},
                                                    {first, count, count, count});
            }
            return names;
        };
        layer.attention.qkvBias = bias;
        layer.names.q = part(0, q);
        layer.names.k = part(q, kv);
        layer.names.v = part(q + kv, kv);
    }
}

}  // namespace moescope::model
