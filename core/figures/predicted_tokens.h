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

/// How ids are shown by themselves, wherever they stand: by the bytes of their token, which the
/// session knows of ids of its text and of those that were predicted; else "id 1787". Bytes that
/// are no whole character show as such (the text shows the character of which they are a part).
class IdTexts {
public:
    /// `context` outlives this. Throws Error(BadSession) where what is kept of predicted ids does
    /// not fit together.
    explicit IdTexts(const BuildContext& context);
    [[nodiscard]] std::string of(text::TokenId id) const;
    [[nodiscard]] std::optional<std::string> find(text::TokenId id) const;

private:
    void addPredicted(const BuildContext& context);

    const text::TokenizedCorpus& m_corpus;
    std::unordered_map<text::TokenId, std::uint64_t> m_first;  ///< token of the text
    std::unordered_map<text::TokenId, std::string> m_others;   ///< bytes
};

/// Of each token the one that these ids, predicted to follow each token of the text, name in its
/// place; nothing for the first of a document.
[[nodiscard]] std::shared_ptr<const PredictedTokens> predictedFrom(
    const BuildContext& context, const std::vector<text::TokenId>& following);

/// Of each token the one that the intact model predicted in its place, nothing for the first of a
/// document; kept between figures. nullptr where the session does not have it.
[[nodiscard]] std::shared_ptr<const PredictedTokens> predictedTokens(const BuildContext& context);

}  // namespace moescope::figures
