// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/kept_tokens.h"

#include "core/base/error.h"
#include "core/figures/whole_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace moescope::figures {

std::uint64_t KeptTokens::nearestRow(std::uint64_t token) const {
    if (m_isAll) {
        return std::min(token, m_count - 1);
    }
    const auto after = std::lower_bound(m_tokens.begin(), m_tokens.end(), token);
    const auto row = static_cast<std::uint64_t>(after - m_tokens.begin());
    if (after == m_tokens.end() ||
        (row > 0 && token - m_tokens[row - 1] <= m_tokens[row] - token)) {
        return row - 1;
    }
    return row;
}

std::vector<TokenRange> KeptTokens::rowsOf(const TokenSelection& tokens) const {
    if (m_isAll) {
        return tokens.ranges();
    }
    std::vector<TokenRange> rows;
    for (const TokenRange& range : tokens.ranges()) {
        const auto first = std::lower_bound(m_tokens.begin(), m_tokens.end(), range.first);
        const auto end = std::lower_bound(first, m_tokens.end(), range.end());
        if (first != end) {
            rows.push_back({static_cast<std::uint64_t>(first - m_tokens.begin()),
                            static_cast<std::uint64_t>(end - first)});
        }
    }
    return rows;
}

KeptTokens keptTokens(const FigureSource& source, const session::QuantityInfo& array,
                      std::optional<LayerId> layer) {
    const std::uint64_t total = source.head().corpus.tokenCount();
    if (array.axes.empty() || array.axes.front().name != "kept_token") {
        return KeptTokens(total);
    }
    const session::QuantityId id{array.id.branch, array.id.experiment, "kept_tokens"};
    const session::QuantityInfo* info = source.find(id);
    const NdArray kept = info == nullptr
                             ? NdArray(ElementType::U64, {0})
                             : source.read(id, info->layers.empty() ? std::nullopt : layer);
    std::vector<std::uint64_t> tokens;
    tokens.reserve(kept.size());
    for (std::uint64_t row = 0; row < kept.size(); ++row) {
        tokens.push_back(wholeNumberAt(kept, row, array.id.experiment + "/kept_tokens"));
    }
    const bool ascends =
        std::adjacent_find(tokens.begin(), tokens.end(), std::greater_equal<>()) == tokens.end();
    if (!ascends || tokens.empty() || tokens.back() >= total) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("{}/kept_tokens does not say for which of the {} tokens {} was "
                                "kept; the session is damaged.",
                                array.id.experiment, total, array.id.quantity));
    }
    return KeptTokens(std::move(tokens));
}

}  // namespace moescope::figures
