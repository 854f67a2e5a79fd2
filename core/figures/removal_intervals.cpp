// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/removal_intervals.h"

#include "core/base/error.h"
#include "core/numerics/resampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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

DocumentRises sumsOf(const BuildContext& context, const std::string& quantity) {
    const auto& offsets = context.head().corpus.offsets;
    const NdArray intactValues = context.read("token_loss", std::nullopt);
    const NdArray withoutValues = context.read(quantity, std::nullopt);
    const auto total = static_cast<std::size_t>(context.head().corpus.tokenCount());
    if (intactValues.type() != ElementType::F32 || withoutValues.type() != ElementType::F32 ||
        intactValues.size() != total || total == 0 || withoutValues.size() % total != 0) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("{}/{} in the session does not fit its text; the file is damaged.",
                                context.info.experiment, quantity));
    }
    const std::span<const float> intact = intactValues.values<float>();
    const std::span<const float> without = withoutValues.values<float>();
    DocumentRises sums;
    sums.rows = without.size() / total;
    sums.rises.resize((offsets.size() - 1) * sums.rows);
    sums.tokens.resize(offsets.size() - 1);
    for (std::size_t d = 0; d + 1 < offsets.size(); ++d) {
        context.throwIfStopped();
        for (auto t = static_cast<std::size_t>(offsets[d]); t < offsets[d + 1]; ++t) {
            sums.tokens[d] += std::isnan(intact[t]) ? 0.0 : 1.0;
        }
        for (std::size_t row = 0; row < sums.rows; ++row) {
            double& rise = sums.rises[d * sums.rows + row];
            for (auto t = static_cast<std::size_t>(offsets[d]); t < offsets[d + 1]; ++t) {
                rise += std::isnan(intact[t]) ? 0.0
                                              : static_cast<double>(without[row * total + t]) -
                                                    static_cast<double>(intact[t]);
            }
        }
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
        return " From, to: what 95 of 100 texts like this one would give (bootstrap over "
               "documents).";
    }
    if (context.head().corpus.documentCount() < 2) {
        return " A text of several documents would give intervals.";
    }
    return " No intervals: the losses of single tokens that make them were not kept "
           "(--kept-size).";
}

}  // namespace moescope::figures
