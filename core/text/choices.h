// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/corpus.h"
#include "core/text/tokenizer.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// Multiple-choice questions: what a model knows, told by which choice it finds likeliest.
namespace moescope::text {

struct ChoiceQuestion {
    std::string question;
    std::vector<std::string> choices;  ///< two or more
    std::size_t answer = 0;            ///< the right one
    std::string source;                ///< "questions.jsonl:3", for messages
};

/// JSONL, an object on each line: "question" (or "context"), "choices" (or "endings"), a list of
/// texts, and "answer" (or "label"), the index of the right one from 0, as a number or its digits.
/// Throws Error(BadText | FileNotFound | FileUnreadable) naming file and line.
[[nodiscard]] std::vector<ChoiceQuestion> readChoices(const std::filesystem::path& path);

/// Questions as the model reads them: a text for each choice, the question followed by it.
struct TokenizedChoices {
    std::vector<TokenId> ids;
    std::vector<std::uint64_t> offsets;        ///< [N + 1], text n is ids[offsets[n] ..)
    std::vector<std::uint32_t> contextLength;  ///< [N] tokens before the choice, at least 1
    std::vector<std::uint32_t> question;       ///< [N] ascending from 0, without gaps
    std::vector<std::uint32_t> answer;         ///< [Q] the right one of each question's choices
    std::string source;                        ///< name of the file

    [[nodiscard]] bool empty() const noexcept { return answer.empty(); }
    [[nodiscard]] std::size_t textCount() const noexcept { return question.size(); }
    /// Expected share of right answers when one is picked by chance.
    [[nodiscard]] double chance() const;
    /// Changes with anything that changes a score.
    [[nodiscard]] std::string digest() const;
    bool operator==(const TokenizedChoices&) const = default;
};

/// A blank stands between question and choice unless either has one there. A choice's tokens are
/// those behind what question and whole text begin with alike. Throws Error(BadText) for a choice
/// without a token, and for a first token that nothing stands before.
[[nodiscard]] TokenizedChoices tokenizeChoices(const std::vector<ChoiceQuestion>& questions,
                                               const Tokenizer& tokenizer);

/// The corpus with a document for each choice behind its own; without their sources and domains.
[[nodiscard]] TokenizedCorpus withChoices(const TokenizedCorpus& corpus,
                                          const TokenizedChoices& choices);

}  // namespace moescope::text
