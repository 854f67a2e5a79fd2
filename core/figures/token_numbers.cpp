// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/token_numbers.h"

#include "core/base/error.h"
#include "core/figures/stopped.h"
#include "core/numerics/ranks.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace moescope::figures {
namespace {

/// Numbers in a slice, two chunks of a session's datasets: none is read twice.
constexpr std::uint64_t kSliceNumbers = std::uint64_t{1} << 18U;
/// Norm and score, as values and as ranks.
constexpr std::size_t kBytesWithRanks = 2 * (sizeof(float) + sizeof(std::uint16_t));
constexpr std::size_t kMostBytes = std::size_t{96} << 20U;

NdArray readFloats(const FigureSource& source, const session::QuantityId& id, LayerId layer,
                   std::uint64_t first, std::uint64_t rows) {
    NdArray values = source.readRows(id, layer, first, rows);
    if (values.shape().size() != 2 || values.shape()[0] != rows ||
        values.type() != ElementType::F32) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("norms_scores/{} of layer {} is not a table of tokens and experts "
                                "in float32; the session is damaged.",
                                id.quantity, layer.value));
    }
    return values;
}

void addSums(std::span<const float> values, std::vector<double>& sums) {
    for (std::size_t i = 0; i < values.size(); i += sums.size()) {
        for (std::size_t e = 0; e < sums.size(); ++e) {
            sums[e] += static_cast<double>(values[i + e]);
        }
    }
}

std::vector<std::uint16_t> ranksOf(std::span<const float> values, std::size_t experts) {
    std::vector<std::uint16_t> all(values.size());
    std::vector<std::uint32_t> ranks(experts);
    for (std::size_t i = 0; i < values.size(); i += experts) {
        numerics::ranksAscending(values.subspan(i, experts), ranks);
        std::transform(ranks.begin(), ranks.end(), all.begin() + static_cast<std::ptrdiff_t>(i),
                       [](std::uint32_t rank) { return static_cast<std::uint16_t>(rank - 1); });
    }
    return all;
}

/// Calls `take` with each slice's index and the part of the rows that lies in it.
template <typename Take>
void forEachSlice(const std::vector<TokenRange>& rows, std::uint64_t rowsOfSlice, Take take) {
    for (const TokenRange& range : rows) {
        for (std::uint64_t row = range.first; row < range.end();) {
            const std::uint64_t index = row / rowsOfSlice;
            const std::uint64_t end = std::min((index + 1) * rowsOfSlice, range.end());
            take(index, TokenRange{row, end - row});
            row = end;
        }
    }
}

}  // namespace

const session::QuantityInfo& TokenNumbers::info(const char* quantity, BranchId branch) const {
    const session::QuantityInfo* found = m_source->find({branch, "norms_scores", quantity});
    if (found == nullptr) {
        throw Error(ErrorCode::Internal, "Norms and scores were asked for and are not there.");
    }
    return *found;
}

bool TokenNumbers::has(LayerId layer, BranchId branch) const {
    const session::QuantityInfo* norm = m_source->find({branch, "norms_scores", "norm"});
    const session::QuantityInfo* score = m_source->find({branch, "norms_scores", "score"});
    const auto covers = [layer](const session::QuantityInfo* quantity) {
        return quantity != nullptr && std::find(quantity->layers.begin(), quantity->layers.end(),
                                                layer) != quantity->layers.end();
    };
    return covers(norm) && covers(score);
}

KeptTokens TokenNumbers::kept(LayerId layer, BranchId branch) const {
    return keptTokens(*m_source, info("norm", branch), layer);
}

std::uint64_t TokenNumbers::rowsOfSlice(LayerId layer) const {
    const auto& layers = m_source->head().model.layers;
    const auto experts = static_cast<std::uint64_t>(
        std::max(layers.at(static_cast<std::size_t>(layer.value)).experts, 1));
    return std::max<std::uint64_t>(2 * (kSliceNumbers / 2 / experts), 1);
}

template <typename Kind>
std::shared_ptr<const Kind> TokenNumbers::find(const Key& key,
                                               std::shared_ptr<const Kind> Slice::*member) const {
    const std::lock_guard lock(m_mutex);
    const auto found = std::find_if(m_slices.begin(), m_slices.end(), [&](const Slice& slice) {
        return slice.key == key && slice.*member != nullptr;
    });
    if (found == m_slices.end()) {
        return nullptr;
    }
    m_slices.splice(m_slices.begin(), m_slices, found);
    return (*found).*member;
}

std::size_t TokenNumbers::bytesOf(const Slice& slice) {
    std::size_t bytes = sizeof(Slice);
    if (slice.values) {
        bytes += slice.values->norms.bytes().size() + slice.values->scores.bytes().size();
    }
    if (slice.ranks) {
        bytes += 2 * sizeof(std::uint16_t) * slice.ranks->scores.size();
    }
    return bytes;
}

void TokenNumbers::keep(Slice slice) const {
    const std::lock_guard lock(m_mutex);
    m_slices.push_front(std::move(slice));
    std::size_t bytes = 0;
    for (auto entry = m_slices.begin(); entry != m_slices.end();) {
        bytes += bytesOf(*entry);
        entry = bytes > kMostBytes && entry != m_slices.begin() ? m_slices.erase(entry)
                                                                : std::next(entry);
    }
}

std::shared_ptr<const TokenValues> TokenNumbers::values(const Key& key,
                                                        std::uint64_t rowsInAll) const {
    if (auto known = find(key, &Slice::values)) {
        return known;
    }
    const std::uint64_t first = key.index * rowsOfSlice(key.layer);
    const std::uint64_t rows = std::min(rowsOfSlice(key.layer), rowsInAll - first);
    auto values = std::make_shared<TokenValues>();
    values->firstRow = first;
    values->norms =
        readFloats(*m_source, {key.branch, "norms_scores", "norm"}, key.layer, first, rows);
    values->scores =
        readFloats(*m_source, {key.branch, "norms_scores", "score"}, key.layer, first, rows);
    if (values->norms.shape() != values->scores.shape()) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("norms_scores of layer {}: norm and score have different shapes; "
                                "the session is damaged.",
                                key.layer.value));
    }
    keep({key, values, nullptr});
    return values;
}

std::shared_ptr<const TokenRanks> TokenNumbers::ranks(const Key& key,
                                                      std::uint64_t rowsInAll) const {
    if (auto known = find(key, &Slice::ranks)) {
        return known;
    }
    const auto from = values(key, rowsInAll);
    auto ranks = std::make_shared<TokenRanks>();
    ranks->firstRow = from->firstRow;
    ranks->experts = static_cast<std::size_t>(from->norms.shape()[1]);
    if (ranks->experts > 0) {
        ranks->norms = ranksOf(from->norms.values<float>(), ranks->experts);
        ranks->scores = ranksOf(from->scores.values<float>(), ranks->experts);
    }
    keep({key, nullptr, ranks});
    return ranks;
}

void TokenNumbers::addRankCounts(LayerId layer, BranchId branch,
                                 const std::vector<TokenRange>& rows,
                                 std::vector<std::uint64_t>& counts,
                                 const std::stop_token& stop) const {
    const std::uint64_t all = kept(layer, branch).count();
    forEachSlice(rows, rowsOfSlice(layer), [&](std::uint64_t index, const TokenRange& part) {
        throwIfStopped(stop);
        const auto from = ranks({branch, layer, index}, all);
        const std::size_t experts = from->experts;
        if (counts.size() != experts * experts) {
            throw Error(ErrorCode::BadSession,
                        fmt::format("norms_scores of layer {} has {} experts, rank_counts another "
                                    "number; the session is damaged.",
                                    layer.value, experts));
        }
        const std::size_t begin = static_cast<std::size_t>(part.first - from->firstRow) * experts;
        const std::size_t end = begin + static_cast<std::size_t>(part.count) * experts;
        for (std::size_t i = begin; i < end; ++i) {
            ++counts[from->scores[i] * experts + from->norms[i]];
        }
    });
}

TokenNumbers::Sums TokenNumbers::sums(LayerId layer, BranchId branch,
                                      const std::vector<TokenRange>& rows,
                                      const std::stop_token& stop) const {
    const std::uint64_t all = kept(layer, branch).count();
    Sums sums;
    forEachSlice(rows, rowsOfSlice(layer), [&](std::uint64_t index, const TokenRange& part) {
        throwIfStopped(stop);
        const auto from = values({branch, layer, index}, all);
        const auto experts = static_cast<std::size_t>(from->norms.shape()[1]);
        sums.norms.resize(experts);
        sums.scores.resize(experts);
        const std::size_t begin = static_cast<std::size_t>(part.first - from->firstRow) * experts;
        const std::size_t count = static_cast<std::size_t>(part.count) * experts;
        addSums(from->norms.values<float>().subspan(begin, count), sums.norms);
        addSums(from->scores.values<float>().subspan(begin, count), sums.scores);
    });
    return sums;
}

void TokenNumbers::prepare(LayerId layer, BranchId branch, const std::stop_token& stop) const {
    if (!has(layer, branch)) {
        return;
    }
    const std::uint64_t all = kept(layer, branch).count();
    const std::uint64_t slices = (all + rowsOfSlice(layer) - 1) / rowsOfSlice(layer);
    if (slices * kSliceNumbers * kBytesWithRanks > kMostBytes) {
        return;  // the first ones would be dropped for the last
    }
    forEachSlice({{0, all}}, rowsOfSlice(layer), [&](std::uint64_t index, const TokenRange&) {
        if (!stop.stop_requested()) {
            (void)ranks({branch, layer, index}, all);
        }
    });
}

}  // namespace moescope::figures
