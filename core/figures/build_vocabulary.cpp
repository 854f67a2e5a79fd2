// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/routed_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

namespace moescope::figures {
namespace {

constexpr std::uint64_t kFewest = 10;  ///< rarer ids are left out (OLMoE)
constexpr std::size_t kIdsPerExpert = 10;
constexpr std::uint64_t kContext = 4;  ///< tokens on either side

/// How often a token id occurs, and goes to each expert.
struct Occurrences {
    std::uint64_t count = 0;
    std::vector<std::uint64_t> routed;  ///< [E]
    std::uint64_t example = 0;          ///< the token that was routed
};
using Vocabulary = std::map<text::TokenId, Occurrences>;

/// By the token that was routed, or by the one that follows it in its document.
Vocabulary vocabularyOf(const BuildContext& context, const RoutedText& text, bool next) {
    const std::vector<text::TokenId>& ids = context.head().corpus.ids;
    const TokenTable& tokens = *context.memory.tokens();
    Vocabulary vocabulary;
    for (const RoutedText::Piece& piece : text.pieces()) {
        const numerics::Choices choices = text.of(piece);
        const std::uint64_t end =
            tokens.documentOffsets()[tokens.documentOf(piece.firstToken) + 1] - (next ? 1 : 0);
        for (std::uint64_t i = 0; i < piece.count && piece.firstToken + i < end; ++i) {
            const std::uint64_t token = piece.firstToken + i;
            Occurrences& found = vocabulary[ids[token + (next ? 1 : 0)]];
            found.routed.resize(static_cast<std::size_t>(text.experts()));
            found.example = found.count == 0 ? token : found.example;
            ++found.count;
            for (const std::uint16_t expert : choices.of(i)) {
                ++found.routed[expert];
            }
        }
    }
    std::erase_if(vocabulary, [](const auto& entry) { return entry.second.count < kFewest; });
    return vocabulary;
}

/// One row: an id that an expert takes a large share of.
struct Entry {
    const Occurrences* of;
    double share;
};

std::vector<Entry> topOf(const Vocabulary& vocabulary, std::size_t expert) {
    std::vector<Entry> entries;
    for (const auto& [id, found] : vocabulary) {
        if (found.routed[expert] > 0) {
            entries.push_back({&found, static_cast<double>(found.routed[expert]) /
                                           static_cast<double>(found.count)});
        }
    }
    const std::size_t kept = std::min(kIdsPerExpert, entries.size());
    std::partial_sort(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(kept),
                      entries.end(), [](const Entry& a, const Entry& b) {
                          return a.share != b.share ? a.share > b.share : a.of->count > b.of->count;
                      });
    entries.resize(kept);
    return entries;
}

/// Mean of the shares over the ids that the expert handles.
double specialisation(const Vocabulary& vocabulary, std::size_t expert) {
    double sum = 0.0;
    double handled = 0.0;
    for (const auto& [id, found] : vocabulary) {
        if (found.routed[expert] > 0) {
            sum += static_cast<double>(found.routed[expert]) / static_cast<double>(found.count);
            handled += 1.0;
        }
    }
    return handled > 0.0 ? sum / handled : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

Figure buildVocabulary(const BuildContext& context) {
    const LayerId layer = context.request.layer.value_or(context.require("ids").layers.front());
    const RoutedText text = routedText(context, layer);
    const auto tokens = context.memory.tokens();
    using Kind = TableColumn::Kind;
    TableFigure table;
    table.columns = {{"expert", Kind::Count, {}, {}},    {"as", Kind::Text, {}, {}},
                     {"token", Kind::Text, {}, {}},      {"seen", Kind::Count, {}, {}},
                     {"share", Kind::Number, {}, {}},    {"mean share", Kind::Number, {}, {}},
                     {"for example", Kind::Text, {}, {}}};
    for (const bool next : {false, true}) {
        const Vocabulary vocabulary = vocabularyOf(context, text, next);
        for (std::size_t e = 0; e < static_cast<std::size_t>(text.experts()); ++e) {
            const double mean = specialisation(vocabulary, e);
            for (const Entry& entry : topOf(vocabulary, e)) {
                const std::uint64_t token = entry.of->example;
                table.columns[0].numbers.push_back(static_cast<double>(e));
                table.columns[1].texts.emplace_back(next ? "next" : "input");
                table.columns[2].texts.emplace_back(tokens->text(token + (next ? 1 : 0)));
                table.columns[3].numbers.push_back(static_cast<double>(entry.of->count));
                table.columns[4].numbers.push_back(entry.share);
                table.columns[5].numbers.push_back(mean);
                table.columns[6].texts.push_back(excerptAround(*tokens, token, kContext));
                ++table.rows;
            }
        }
    }
    const std::uint64_t counted = text.tokens();
    Figure figure =
        derivedFrame(context, "vocabulary_specialisation", "tokens that experts take", counted);
    if (table.rows == 0) {
        figure.body = NoticeFigure{
            fmt::format("No token of this text occurs {} times: a longer text is needed", kFewest)};
        return figure;
    }
    figure.howToRead +=
        fmt::format(" An even spread gives {}/{} = {:.3f}.", text.topK(), text.experts(),
                    static_cast<double>(text.topK()) / text.experts());
    figure.body = std::move(table);
    return figure;
}

}  // namespace moescope::figures
