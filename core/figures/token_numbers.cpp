// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/token_numbers.h"

#include "core/base/error.h"
#include "core/numerics/ranks.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace moescope::figures {
namespace {

/// Numbers in a slice, two chunks of a session's datasets: none is read twice.
constexpr std::uint64_t kSliceNumbers = std::uint64_t{1} << 18U;
constexpr std::size_t kMostBytes = std::size_t{256} << 20U;

struct Values {
    NdArray norms, scores;  ///< [rows, experts]
};

Values readValues(const FigureSource& source, LayerId layer, BranchId branch,
                  const TokenRange& rows) {
    const session::QuantityId norm{branch, "norms_scores", "norm"};
    const session::QuantityId score{branch, "norms_scores", "score"};
    Values values{source.readRows(norm, layer, rows.first, rows.count),
                  source.readRows(score, layer, rows.first, rows.count)};
    if (values.norms.shape().size() != 2 || values.norms.shape() != values.scores.shape()) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("norms_scores of layer {}: norm and score have different shapes; "
                                "the session is damaged.",
                                layer.value));
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

void throwIfStopped(const std::stop_token& stop) {
    if (stop.stop_requested()) {
        throw Error(ErrorCode::Cancelled, "The figure is not wanted any more.");
    }
}

std::size_t bytesOf(const TokenSlice& slice) {
    return 2 * sizeof(std::uint16_t) * slice.scoreRanks.size() +
           2 * sizeof(double) * slice.experts + sizeof(TokenSlice);
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

std::shared_ptr<const TokenSlice> TokenNumbers::find(const Key& key) const {
    const std::lock_guard lock(m_mutex);
    const auto found = std::find_if(m_slices.begin(), m_slices.end(),
                                    [&](const auto& entry) { return entry.first == key; });
    if (found == m_slices.end()) {
        return nullptr;
    }
    m_slices.splice(m_slices.begin(), m_slices, found);
    return found->second;
}

void TokenNumbers::keep(const Key& key, std::shared_ptr<const TokenSlice> slice) const {
    const std::lock_guard lock(m_mutex);
    m_slices.emplace_front(key, std::move(slice));
    std::size_t bytes = 0;
    for (auto entry = m_slices.begin(); entry != m_slices.end();) {
        bytes += bytesOf(*entry->second);
        entry = bytes > kMostBytes && entry != m_slices.begin() ? m_slices.erase(entry)
                                                                : std::next(entry);
    }
}

std::shared_ptr<const TokenSlice> TokenNumbers::slice(const Key& key,
                                                      std::uint64_t rowsInAll) const {
    if (auto known = find(key)) {
        return known;
    }
    const std::uint64_t first = key.index * rowsOfSlice(key.layer);
    const std::uint64_t rows = std::min(rowsOfSlice(key.layer), rowsInAll - first);
    const Values values = readValues(*m_source, key.layer, key.branch, {first, rows});
    auto slice = std::make_shared<TokenSlice>();
    slice->firstRow = first;
    slice->rows = values.norms.shape()[0];
    slice->experts = static_cast<std::size_t>(values.norms.shape()[1]);
    slice->normSums.resize(slice->experts);
    slice->scoreSums.resize(slice->experts);
    if (slice->experts > 0) {
        slice->normRanks = ranksOf(values.norms.values<float>(), slice->experts);
        slice->scoreRanks = ranksOf(values.scores.values<float>(), slice->experts);
        addSums(values.norms.values<float>(), slice->normSums);
        addSums(values.scores.values<float>(), slice->scoreSums);
    }
    keep(key, slice);
    return slice;
}

void TokenNumbers::addRankCounts(LayerId layer, BranchId branch,
                                 const std::vector<TokenRange>& rows,
                                 std::vector<std::uint64_t>& counts,
                                 const std::stop_token& stop) const {
    const std::uint64_t all = kept(layer, branch).count();
    forEachSlice(rows, rowsOfSlice(layer), [&](std::uint64_t index, const TokenRange& part) {
        throwIfStopped(stop);
        const auto from = slice({branch, layer, index}, all);
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
            ++counts[from->scoreRanks[i] * experts + from->normRanks[i]];
        }
    });
}

TokenNumbers::Sums TokenNumbers::sums(LayerId layer, BranchId branch,
                                      const std::vector<TokenRange>& rows,
                                      const std::stop_token& stop) const {
    const std::uint64_t all = kept(layer, branch).count();
    const std::uint64_t step = rowsOfSlice(layer);
    Sums sums;
    const auto add = [&](const std::vector<double>& norms, const std::vector<double>& scores) {
        sums.norms.resize(norms.size());
        sums.scores.resize(scores.size());
        std::transform(norms.begin(), norms.end(), sums.norms.begin(), sums.norms.begin(),
                       std::plus<>());
        std::transform(scores.begin(), scores.end(), sums.scores.begin(), sums.scores.begin(),
                       std::plus<>());
    };
    forEachSlice(rows, step, [&](std::uint64_t index, const TokenRange& part) {
        throwIfStopped(stop);
        if (part.count == std::min(step, all - index * step)) {
            const auto whole = slice({branch, layer, index}, all);
            add(whole->normSums, whole->scoreSums);
            return;
        }
        const Values values = readValues(*m_source, layer, branch, part);
        const auto experts = static_cast<std::size_t>(values.norms.shape()[1]);
        std::vector<double> norms(experts);
        std::vector<double> scores(experts);
        addSums(values.norms.values<float>(), norms);
        addSums(values.scores.values<float>(), scores);
        add(norms, scores);
    });
    return sums;
}

void TokenNumbers::prepare(LayerId layer, BranchId branch, const std::stop_token& stop) const {
    if (!has(layer, branch)) {
        return;
    }
    const std::uint64_t all = kept(layer, branch).count();
    forEachSlice({{0, all}}, rowsOfSlice(layer), [&](std::uint64_t index, const TokenRange&) {
        if (!stop.stop_requested()) {
            (void)slice({branch, layer, index}, all);
        }
    });
}

}  // namespace moescope::figures
