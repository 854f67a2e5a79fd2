// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/predicted_tokens.h"
#include "core/figures/routed_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

namespace moescope::figures {
namespace {

constexpr std::uint64_t kFewest = 10;  ///< rarer ids are left out (OLMoE)
constexpr std::size_t kIdsPerExpert = 10;
constexpr std::uint64_t kContext = 4;  ///< tokens on either side

/// How often a token id occurs, and goes to each expert.
struct Occurrences {
    std::uint64_t count = 0;
    std::vector<std::uint64_t> routed;   ///< [E]
    std::vector<std::uint64_t> example;  ///< [E] the first token that was routed there
};
using Vocabulary = std::map<text::TokenId, Occurrences>;

/// Which id stands for a token that was routed: its own, that of the one that follows it in its
/// document, or the one that the model says will follow.
struct Reading {
    const char* name;
    bool isNext = false;
    std::vector<text::TokenId> ids{};  ///< [tokens]
};

std::vector<Reading> readingsOf(const BuildContext& context) {
    const std::vector<text::TokenId>& ids = context.head().corpus.ids;
    std::vector<Reading> readings{{"input", false, ids}, {"next", true, {}}};
    if (!ids.empty()) {
        readings.back().ids.assign(std::next(ids.begin()), ids.end());
        readings.back().ids.push_back(0);  // behind the end of the last document: not counted
    }
    if (auto predicted = predictedIds(context)) {
        readings.push_back({"predicted", false, std::move(*predicted)});
    }
    return readings;
}

/// Tokens of a piece that have an id by this reading: all but a document's last one, maybe.
std::uint64_t readTokens(const TokenTable& tokens, const RoutedText::Piece& piece,
                         const Reading& reading) {
    const std::uint64_t end = tokens.documentOffsets()[tokens.documentOf(piece.firstToken) + 1] -
                              (reading.isNext ? 1 : 0);
    return std::min(piece.count, end - std::min(end, piece.firstToken));
}

/// The ids that are not too rare, each with room for its experts: most ids of a text are rare.
Vocabulary frequentIds(const TokenTable& tokens, const RoutedText& text, const Reading& reading) {
    std::unordered_map<text::TokenId, std::uint64_t> counts;
    for (const RoutedText::Piece& piece : text.pieces()) {
        const std::uint64_t count = readTokens(tokens, piece, reading);
        for (std::uint64_t i = 0; i < count; ++i) {
            ++counts[reading.ids[piece.firstToken + i]];
        }
    }
    Vocabulary vocabulary;
    const auto experts = static_cast<std::size_t>(text.experts());
    for (const auto& [id, count] : counts) {
        if (count >= kFewest) {
            vocabulary[id] = {count, std::vector<std::uint64_t>(experts),
                              std::vector<std::uint64_t>(experts)};
        }
    }
    return vocabulary;
}

Vocabulary vocabularyOf(const BuildContext& context, const RoutedText& text,
                        const Reading& reading) {
    const TokenTable& tokens = *context.memory.tokens();
    Vocabulary vocabulary = frequentIds(tokens, text, reading);
    for (const RoutedText::Piece& piece : text.pieces()) {
        context.throwIfStopped();
        const numerics::Choices choices = text.of(piece);
        const std::uint64_t count = readTokens(tokens, piece, reading);
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t token = piece.firstToken + i;
            const auto found = vocabulary.find(reading.ids[token]);
            if (found == vocabulary.end()) {
                continue;
            }
            for (const std::uint16_t expert : choices.of(i)) {
                if (found->second.routed[expert]++ == 0) {
                    found->second.example[expert] = token;
                }
            }
        }
    }
    return vocabulary;
}

/// One row: an id that an expert takes a large share of.
struct Entry {
    text::TokenId id;
    const Occurrences* of;
    double share;
};

std::vector<Entry> topOf(const Vocabulary& vocabulary, std::size_t expert) {
    std::vector<Entry> entries;
    for (const auto& [id, found] : vocabulary) {
        if (found.routed[expert] > 0) {
            entries.push_back(
                {id, &found,
                 static_cast<double>(found.routed[expert]) / static_cast<double>(found.count)});
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

/// All, or the one that is asked for.
std::vector<std::size_t> expertsShown(const BuildContext& context, const RoutedText& text) {
    const std::optional<int> asked = context.request.expert;
    if (asked && (*asked < 0 || *asked >= text.experts())) {
        throw Error(ErrorCode::Usage,
                    fmt::format("Expert {} was asked for, but the layer has experts 0 to {}.",
                                *asked, text.experts() - 1));
    }
    std::vector<std::size_t> experts(asked ? 1 : static_cast<std::size_t>(text.experts()));
    std::iota(experts.begin(), experts.end(), static_cast<std::size_t>(asked.value_or(0)));
    return experts;
}

}  // namespace

Figure buildVocabulary(const BuildContext& context) {
    const LayerId layer = context.layerOf(context.require("ids"));
    const RoutedText text = routedText(context, layer);
    const auto tokens = context.memory.tokens();
    using Kind = TableColumn::Kind;
    TableFigure table;
    table.columns = {{"expert", Kind::Count, {}, {}},    {"as", Kind::Text, {}, {}},
                     {"token", Kind::Text, {}, {}},      {"seen", Kind::Count, {}, {}},
                     {"share", Kind::Number, {}, {}},    {"mean share", Kind::Number, {}, {}},
                     {"for example", Kind::Text, {}, {}}};
    table.columns.back().wraps = true;
    const IdTexts texts(context.head().corpus.ids, *tokens);
    const std::vector<Reading> readings = readingsOf(context);
    for (const Reading& reading : readings) {
        context.throwIfStopped();
        const Vocabulary vocabulary = vocabularyOf(context, text, reading);
        for (const std::size_t e : expertsShown(context, text)) {
            const double mean = specialisation(vocabulary, e);
            for (const Entry& entry : topOf(vocabulary, e)) {
                table.columns[0].numbers.push_back(static_cast<double>(e));
                table.columns[1].texts.emplace_back(reading.name);
                table.columns[2].texts.push_back(texts.of(entry.id));
                table.columns[3].numbers.push_back(static_cast<double>(entry.of->count));
                table.columns[4].numbers.push_back(entry.share);
                table.columns[5].numbers.push_back(mean);
                table.columns[6].texts.push_back(
                    excerptAround(*tokens, entry.of->example[e], kContext));
                table.experts.push_back(static_cast<int>(e));
                table.tokens.push_back(entry.of->example[e]);
                ++table.rows;
            }
        }
    }
    const std::uint64_t counted = text.tokens();
    Figure figure = derivedFrame(
        context, "vocabulary_specialisation",
        context.request.expert ? fmt::format("tokens that expert {} takes", *context.request.expert)
                               : std::string("tokens that experts take"),
        counted);
    if (table.rows == 0) {
        figure.body = NoticeFigure{
            fmt::format("No token of this text occurs {} times: a longer text is needed", kFewest)};
        return figure;
    }
    figure.howToRead +=
        fmt::format(" An even spread gives {}/{} = {:.3f}.", text.topK(), text.experts(),
                    static_cast<double>(text.topK()) / text.experts());
    if (readings.size() < 3) {
        figure.caption +=
            " By predicted token as well: in sessions with expert_removal, which computes the "
            "predictions.";
    }
    figure.body = std::move(table);
    return figure;
}

}  // namespace moescope::figures
