// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

/// What the intact model predicts to follow each token, where a run has kept it (with C4). Private
/// to the builders.
namespace moescope::figures {

/// [T] of the session's text; nullopt where they are not kept. Throws Error(BadSession) where they
/// are not as many as the text's tokens.
[[nodiscard]] std::optional<std::vector<text::TokenId>> predictedIds(const BuildContext& context);

/// How ids are shown: as they first stand in the text. One that stands nowhere in it, as a
/// prediction may, by its number.
class IdTexts {
public:
    /// `tokens` outlive this.
    IdTexts(const std::vector<text::TokenId>& ids, const TokenTable& tokens);
    [[nodiscard]] std::string of(text::TokenId id) const;
    /// The first token with the id.
    [[nodiscard]] std::optional<std::uint64_t> placeOf(text::TokenId id) const;

private:
    const TokenTable& m_tokens;
    std::unordered_map<text::TokenId, std::uint64_t> m_first;
};

/// Of each token the one that these ids, predicted to follow each token of the text, name in its
/// place; nothing for the first of a document.
[[nodiscard]] std::shared_ptr<const PredictedTokens> predictedFrom(
    const BuildContext& context, const std::vector<text::TokenId>& following);

/// Of each token the one that the intact model predicted in its place, nothing for the first of a
/// document; kept between figures. nullptr where the session does not have it.
[[nodiscard]] std::shared_ptr<const PredictedTokens> predictedTokens(const BuildContext& context);

}  // namespace moescope::figures
