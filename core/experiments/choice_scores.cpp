// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/choice_scores.h"

#include "core/experiments/tensor_host.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace moescope::experiments {

void ChoiceScores::begin(const text::TokenizedChoices& choices, std::uint64_t first,
                         std::size_t branches) {
    m_choices = choices;
    m_first = first;
    m_next.assign(choices.ids.size(), -1);
    m_textOf.assign(choices.ids.size(), 0);
    for (std::size_t text = 0; text < choices.textCount(); ++text) {
        const std::uint64_t begin = choices.offsets[text];
        // The last token of the question says how likely the choice's first one is.
        for (std::uint64_t t = begin + choices.contextLength[text]; t < choices.offsets[text + 1];
             ++t) {
            m_next[t - 1] = static_cast<std::int64_t>(choices.ids[t]);
            m_textOf[t - 1] = static_cast<std::uint32_t>(text);
        }
    }
    m_sums.assign(branches + 1, std::vector<double>(choices.textCount()));
}

void ChoiceScores::consume(const engine::LogitsBlock& block) {
    const auto rows = static_cast<std::uint64_t>(block.logits.size(0));
    const std::uint64_t skipped = std::min(rows, m_first - std::min(m_first, block.firstToken));
    const std::uint64_t first =
        block.firstToken + skipped - std::min(block.firstToken + skipped, m_first);
    const std::uint64_t count =
        std::min(rows - skipped, m_next.size() - std::min<std::uint64_t>(first, m_next.size()));
    std::vector<std::int64_t> scored;  // rows of the block
    std::vector<std::int64_t> wanted;
    std::vector<std::uint32_t> texts;
    for (std::uint64_t i = 0; i < count; ++i) {
        if (m_next[first + i] >= 0) {
            scored.push_back(static_cast<std::int64_t>(skipped + i));
            wanted.push_back(m_next[first + i]);
            texts.push_back(m_textOf[first + i]);
        }
    }
    if (scored.empty()) {
        return;
    }
    const auto length = static_cast<std::int64_t>(scored.size());
    const auto device = block.logits.device();
    const at::Tensor logits =
        block.logits.index_select(0, at::from_blob(scored.data(), {length}, at::kLong).to(device));
    const at::Tensor ids = at::from_blob(wanted.data(), {length, 1}, at::kLong).to(device);
    const at::Tensor logs = toHost<float>(logits.gather(1, ids) - logits.logsumexp(1, true));
    std::vector<double>& sums = m_sums[block.branch ? *block.branch + 1 : 0];
    for (std::size_t i = 0; i < texts.size(); ++i) {
        sums[texts[i]] += static_cast<double>(elements<float>(logs)[i]);
    }
}

std::vector<double> ChoiceScores::perToken(const std::vector<double>& sums) const {
    std::vector<double> scores(sums.size());
    for (std::size_t text = 0; text < sums.size(); ++text) {
        const std::uint64_t tokens =
            m_choices.offsets[text + 1] - m_choices.offsets[text] - m_choices.contextLength[text];
        scores[text] = sums[text] / static_cast<double>(tokens);
    }
    return scores;
}

double ChoiceScores::accuracy(const std::vector<double>& scores) const {
    std::size_t text = 0;
    double right = 0.0;
    for (std::size_t q = 0; q < m_choices.answer.size(); ++q) {
        const std::size_t first = text;
        std::size_t best = text;
        for (; text < scores.size() && m_choices.question[text] == q; ++text) {
            if (std::isnan(scores[text])) {  // would lose to any other, and win as the first
                return scores[text];
            }
            best = scores[text] > scores[best] ? text : best;
        }
        right += best - first == m_choices.answer[q] ? 1.0 : 0.0;
    }
    return right / static_cast<double>(m_choices.answer.size());
}

ChoiceScores::Accuracies ChoiceScores::accuracies(std::optional<std::size_t> branch) const {
    if (empty()) {
        constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
        return {kNaN, kNaN};
    }
    return {accuracy(sums(branch)), accuracy(perToken(sums(branch)))};
}

std::vector<session::Quantity> ChoiceScores::intact() const {
    const std::vector<double>& scores = sums(std::nullopt);
    const auto quantity = [](const char* name, const char* longName,
                             const std::vector<double>& values) {
        return session::Quantity{name,
                                 {{"choice", {}}},
                                 longName,
                                 "nat",
                                 NdArray::from<double>({values.size()}, values)};
    };
    return {
        quantity("choice_scores", "log-probability of each choice, intact model", scores),
        quantity("choice_scores_per_token",
                 "log-probability of each choice over its tokens, intact model", perToken(scores))};
}

}  // namespace moescope::experiments
