// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/source.h"
#include "core/figures/token_selection.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace moescope::figures {

/// For which tokens an array has a row: for all of them, or for some.
class KeptTokens {
public:
    /// All tokens of a text.
    explicit KeptTokens(std::uint64_t tokens) : m_count(tokens) {}
    /// These, ascending.
    explicit KeptTokens(std::vector<std::uint64_t> tokens)
        : m_isAll(false), m_count(tokens.size()), m_tokens(std::move(tokens)) {}

    [[nodiscard]] bool isAll() const noexcept { return m_isAll; }
    /// Number of rows.
    [[nodiscard]] std::uint64_t count() const noexcept { return m_count; }
    [[nodiscard]] std::uint64_t tokenAt(std::uint64_t row) const {
        return m_isAll ? row : m_tokens[row];
    }
    /// The row of the token, or of the one nearest to it, the earlier of two. count() must not be
    /// 0.
    [[nodiscard]] std::uint64_t nearestRow(std::uint64_t token) const;
    /// The rows of selected tokens, as ranges of rows.
    [[nodiscard]] std::vector<TokenRange> rowsOf(const TokenSelection& tokens) const;

private:
    bool m_isAll = true;
    std::uint64_t m_count = 0;
    std::vector<std::uint64_t> m_tokens;
};

/// Which tokens the rows of an array are of: its first axis is "token" (all), or "kept_token" with
/// the experiment's kept_tokens beside it. Throws Error(BadSession) when those contradict the array
/// or the text.
[[nodiscard]] KeptTokens keptTokens(const FigureSource& source, const session::QuantityInfo& array,
                                    std::optional<LayerId> layer);

}  // namespace moescope::figures
