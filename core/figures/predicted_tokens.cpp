// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/predicted_tokens.h"

#include "core/base/error.h"
#include "core/figures/whole_number.h"

#include <fmt/format.h>

#include <limits>

namespace moescope::figures {

std::optional<std::vector<text::TokenId>> predictedIds(const BuildContext& context) {
    const session::QuantityInfo* kept =
        context.source.find({context.request.branch, "expert_removal", "predicted"});
    if (kept == nullptr) {
        return std::nullopt;
    }
    const NdArray predicted = context.source.read(kept->id, std::nullopt);
    if (predicted.size() != context.head().corpus.ids.size()) {
        throw Error(ErrorCode::BadSession,
                    "expert_removal/predicted has another number of tokens than the text; the "
                    "session is damaged.");
    }
    std::vector<text::TokenId> ids;
    ids.reserve(predicted.size());
    constexpr auto kMostId = std::numeric_limits<text::TokenId>::max();
    for (std::uint64_t token = 0; token < predicted.size(); ++token) {
        ids.push_back(static_cast<text::TokenId>(
            wholeNumberAt(predicted, token, "expert_removal/predicted", kMostId)));
    }
    return ids;
}

IdTexts::IdTexts(const std::vector<text::TokenId>& ids, const TokenTable& tokens)
    : m_tokens(tokens) {
    for (std::uint64_t token = 0; token < ids.size(); ++token) {
        m_first.emplace(ids[token], token);
    }
}

std::string IdTexts::of(text::TokenId id) const {
    const auto place = placeOf(id);
    return place ? std::string(m_tokens.text(*place)) : fmt::format("id {}", id);
}

std::optional<std::uint64_t> IdTexts::placeOf(text::TokenId id) const {
    const auto found = m_first.find(id);
    return found == m_first.end() ? std::nullopt : std::optional(found->second);
}

std::shared_ptr<const PredictedTokens> predictedFrom(const BuildContext& context,
                                                     const std::vector<text::TokenId>& following) {
    const text::TokenizedCorpus& corpus = context.head().corpus;
    const IdTexts texts(corpus.ids, *requireTokens(context));
    auto made = std::make_shared<PredictedTokens>();
    made->ids.resize(corpus.ids.size(), PredictedTokens::kNothing);
    made->places.resize(corpus.ids.size(), PredictedTokens::kNowhere);
    for (std::size_t d = 0; d + 1 < corpus.offsets.size(); ++d) {
        for (std::uint64_t token = corpus.offsets[d] + 1; token < corpus.offsets[d + 1]; ++token) {
            made->ids[token] = following[token - 1];
            if (const auto place = texts.placeOf(made->ids[token])) {
                made->places[token] = static_cast<std::uint32_t>(*place);
            }
        }
    }
    return made;
}

std::shared_ptr<const PredictedTokens> predictedTokens(const BuildContext& context) {
    const auto make = [&context]() -> std::shared_ptr<const void> {
        const auto predicted = predictedIds(context);
        return predicted ? predictedFrom(context, *predicted) : nullptr;
    };
    return std::static_pointer_cast<const PredictedTokens>(context.memory.remembered(
        fmt::format("predicted tokens/{}", context.request.branch.value), make));
}

}  // namespace moescope::figures
