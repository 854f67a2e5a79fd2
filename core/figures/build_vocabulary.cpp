// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/predicted_tokens.h"
#include "core/figures/repeated_passages.h"
#include "core/figures/routed_text.h"
#include "core/figures/vocabulary_counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

namespace moescope::figures {
namespace {

constexpr std::size_t kIdsPerExpert = 10;
constexpr std::uint64_t kContext = 4;  ///< tokens on either side

/// One row: an id that an expert takes a large share of.
struct Entry {
    text::TokenId id;
    const Occurrences* of;
    double share;
};

std::vector<Entry> topOf(const Vocabulary& vocabulary, std::size_t expert) {
    std::vector<Entry> entries;
    for (const auto& [id, found] : vocabulary.ids) {
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
    for (const auto& [id, found] : vocabulary.ids) {
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
                     {"share", Kind::Number, {}, {}},    {"beyond chance", Kind::Text, {}, {}},
                     {"of all", Kind::Number, {}, {}},   {"mean share", Kind::Number, {}, {}},
                     {"for example", Kind::Text, {}, {}}};
    table.columns.back().wraps = true;
    const IdTexts texts(context);
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
                table.columns[5].texts.emplace_back(entry.of->isBeyondChance[e] != 0 ? "yes" : "");
                table.columns[6].numbers.push_back(static_cast<double>(vocabulary.load[e]) /
                                                   static_cast<double>(vocabulary.tokens));
                table.columns[7].numbers.push_back(mean);
                table.columns[8].texts.push_back(
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
        figure.body = NoticeFigure{fmt::format(
            "No token of this text occurs {} times: a longer text is needed", kFewestSeen)};
        return figure;
    }
    figure.howToRead +=
        fmt::format(" An even spread gives {}/{} = {:.3f}.", text.topK(), text.experts(),
                    static_cast<double>(text.topK()) / text.experts());
    figure.howToRead += repetitionCaution(context);
    if (readings.size() < 3) {
        figure.caption +=
            " By predicted token as well: in sessions with expert_removal, which computes the "
            "predictions.";
    }
    figure.body = std::move(table);
    return figure;
}

}  // namespace moescope::figures
