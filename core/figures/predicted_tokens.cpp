// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/predicted_tokens.h"

#include "core/base/error.h"
#include "core/figures/whole_number.h"
#include "core/text/tokenizer.h"

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

IdTexts::IdTexts(const BuildContext& context) : m_corpus(context.head().corpus) {
    for (std::uint64_t token = 0; token < m_corpus.ids.size(); ++token) {
        m_first.emplace(m_corpus.ids[token], token);
    }
    addPredicted(context);
}

void IdTexts::addPredicted(const BuildContext& context) {
    const auto quantity = [&](const char* name) {
        return session::QuantityId{context.request.branch, "expert_removal", name};
    };
    if (context.source.find(quantity("predicted_ids")) == nullptr) {
        return;
    }
    const auto read = [&](const char* name) {
        return context.source.read(quantity(name), std::nullopt);
    };
    const NdArray ids = read("predicted_ids");
    const NdArray bytes = read("predicted_bytes");
    const NdArray offsets = read("predicted_byte_offsets");
    constexpr auto kMostId = std::numeric_limits<text::TokenId>::max();
    const auto refuse = [] {
        throw Error(ErrorCode::BadSession,
                    "expert_removal/predicted_bytes does not fit to predicted_ids; the session is "
                    "damaged.");
    };
    if (offsets.size() != ids.size() + 1 || bytes.type() != ElementType::U8) {
        refuse();
    }
    std::uint64_t begin = 0;
    for (std::uint64_t i = 0; i < ids.size(); ++i) {
        const std::uint64_t end =
            wholeNumberAt(offsets, i + 1, "expert_removal/predicted_byte_offsets", bytes.size());
        if (end < begin) {
            refuse();
        }
        const auto token = bytes.values<std::uint8_t>().subspan(begin, end - begin);
        m_others.emplace(static_cast<text::TokenId>(
                             wholeNumberAt(ids, i, "expert_removal/predicted_ids", kMostId)),
                         std::string(token.begin(), token.end()));
        begin = end;
    }
}

std::optional<std::string> IdTexts::find(text::TokenId id) const {
    const auto first = m_first.find(id);
    if (first != m_first.end() && first->second < m_corpus.tokenBytes.size()) {
        return text::displayText(m_corpus.tokenBytes[first->second]);
    }
    const auto other = m_others.find(id);
    return other == m_others.end() ? std::nullopt : std::optional(text::displayText(other->second));
}

std::string IdTexts::of(text::TokenId id) const {
    return find(id).value_or(fmt::format("id {}", id));
}

std::shared_ptr<const PredictedTokens> predictedFrom(const BuildContext& context,
                                                     const std::vector<text::TokenId>& following) {
    const text::TokenizedCorpus& corpus = context.head().corpus;
    const IdTexts texts(context);
    auto made = std::make_shared<PredictedTokens>();
    made->ids.resize(corpus.ids.size(), PredictedTokens::kNothing);
    for (std::size_t d = 0; d + 1 < corpus.offsets.size(); ++d) {
        for (std::uint64_t token = corpus.offsets[d] + 1; token < corpus.offsets[d + 1]; ++token) {
            made->ids[token] = following[token - 1];
            if (made->texts.contains(made->ids[token])) {
                continue;
            }
            if (auto text = texts.find(made->ids[token])) {
                made->texts.emplace(made->ids[token], *std::move(text));
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
