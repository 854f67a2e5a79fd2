// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/removal_intervals.h"

#include "core/base/error.h"
#include "core/numerics/resampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

namespace moescope::figures {
namespace {

/// Sums over each document's tokens that have a next one.
struct DocumentRises {
    std::size_t rows = 0;
    std::vector<double> rises;   ///< [documents, rows]
    std::vector<double> tokens;  ///< [documents]
};

std::size_t documentsWithTokens(const DocumentRises& sums) {
    return static_cast<std::size_t>(std::count_if(sums.tokens.begin(), sums.tokens.end(),
                                                  [](double tokens) { return tokens > 0.0; }));
}

/// Adds rows of losses, [rows, T], to the sums from row `first` on.
void addRows(const BuildContext& context, std::span<const float> intact,
             std::span<const float> without, std::size_t first, DocumentRises& sums) {
    const auto& offsets = context.head().corpus.offsets;
    const std::size_t total = intact.size();
    for (std::size_t row = 0; row < without.size() / total; ++row) {
        context.throwIfStopped();
        for (std::size_t d = 0; d + 1 < offsets.size(); ++d) {
            double& rise = sums.rises[d * sums.rows + first + row];
            for (auto t = static_cast<std::size_t>(offsets[d]); t < offsets[d + 1]; ++t) {
                rise += std::isnan(intact[t]) ? 0.0
                                              : static_cast<double>(without[row * total + t]) -
                                                    static_cast<double>(intact[t]);
            }
        }
    }
}

/// Of all rows but the last axis, which is the text; a layer's, say, at a time.
DocumentRises sumsOf(const BuildContext& context, const std::string& quantity) {
    const auto& offsets = context.head().corpus.offsets;
    const NdArray intactValues = context.read("token_loss", std::nullopt);
    const session::QuantityInfo& info = context.require(quantity);
    const auto total = static_cast<std::size_t>(context.head().corpus.tokenCount());
    const auto isSound = [&](const NdArray& values) {
        return values.type() == ElementType::F32 && !values.shape().empty() &&
               values.shape().back() == total;
    };
    const auto refuse = [&] {
        throw Error(ErrorCode::BadSession,
                    fmt::format("{}/{} in the session does not fit its text; the file is damaged.",
                                context.info.experiment, quantity));
    };
    if (!isSound(intactValues) || total == 0 || info.shape.size() < 2 ||
        info.shape.back() != total) {
        refuse();
    }
    const std::span<const float> intact = intactValues.values<float>();
    DocumentRises sums;
    sums.rows = std::accumulate(info.shape.begin(), info.shape.end() - 1, std::size_t{1},
                                std::multiplies<>());
    sums.rises.resize((offsets.size() - 1) * sums.rows);
    sums.tokens.resize(offsets.size() - 1);
    for (std::size_t d = 0; d + 1 < offsets.size(); ++d) {
        for (auto t = static_cast<std::size_t>(offsets[d]); t < offsets[d + 1]; ++t) {
            sums.tokens[d] += std::isnan(intact[t]) ? 0.0 : 1.0;
        }
    }
    for (std::uint64_t i = 0; i < info.shape.front(); ++i) {
        const NdArray values = context.source.readRows(info.id, std::nullopt, i, 1);
        const std::size_t rows = sums.rows / info.shape.front();
        if (!isSound(values) || values.size() != rows * total) {
            refuse();
        }
        addRows(context, intact, values.values<float>(), i * rows, sums);
    }
    return sums;
}

RiseIntervals intervalsOf(const BuildContext& context, const std::string& table) {
    const std::string quantity = table + "_token_loss";
    if (context.find(quantity) == nullptr || context.find("token_loss") == nullptr ||
        context.head().corpus.documentCount() < 2) {
        return {};
    }
    const DocumentRises sums = sumsOf(context, quantity);
    if (documentsWithTokens(sums) < 2) {
        return {};
    }
    const std::vector<std::int32_t> group(sums.tokens.size(), -1);
    numerics::Intervals intervals = numerics::bootstrapShares(
        {.width = sums.rows, .counts = sums.rises, .totals = sums.tokens, .group = group});
    return {std::move(intervals.low), std::move(intervals.high)};
}

}  // namespace

std::shared_ptr<const RiseIntervals> riseIntervals(const BuildContext& context,
                                                   const std::string& table) {
    const std::string key = fmt::format("rises of {} {}", context.request.branch.value, table);
    return std::static_pointer_cast<const RiseIntervals>(context.memory.remembered(
        key, [&] { return std::make_shared<const RiseIntervals>(intervalsOf(context, table)); }));
}

std::string intervalText(const BuildContext& context, bool areKnown) {
    if (areKnown) {
        return " From, to: 95 % intervals (bootstrap over documents).";
    }
    if (context.head().corpus.documentCount() < 2) {
        return " A text of several documents would give intervals.";
    }
    return " No intervals: the losses of single tokens that make them were not kept.";
}

}  // namespace moescope::figures
