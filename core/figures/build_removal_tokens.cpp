// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// The tokens that lose most without some experts, in their context (C4).
#include "core/figures/predicted_tokens.h"
#include "core/figures/token_losses.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace moescope::figures {
namespace {

constexpr std::size_t kMostOfSet = 20;
constexpr std::size_t kMostOfOne = 50;
constexpr std::uint64_t kAround = 6;

/// Share of all rise of the loss of the tokens asked for that falls on those shown, of the tokens
/// whose loss rises.
double shareOf(const TokenLosses& losses, const TokenSelection& asked,
               const std::vector<std::uint64_t>& shown) {
    const auto above = [&](std::uint64_t token) {
        const auto rise = static_cast<double>(losses.rise(token));
        return rise > 0.0 ? rise : 0.0;  // NaN is not
    };
    double all = 0.0;
    for (const TokenRange& range : asked.ranges()) {
        for (std::uint64_t token = range.first; token < range.end(); ++token) {
            all += above(token);
        }
    }
    double part = 0.0;
    for (const std::uint64_t token : shown) {
        part += above(token);
    }
    return all > 0.0 ? part / all : 0.0;
}

/// Writes rows of one removal after the other.
class Rows {
public:
    Rows(const BuildContext& context, TableFigure& table)
        : m_context(context),
          m_tokens(requireTokens(context)),
          m_texts(context),
          m_intactPredicts(predictedIds(context)),
          m_table(table) {
        using Kind = TableColumn::Kind;
        table.columns = {{"without", Kind::Text, {}, {}},    {"token", Kind::Count, {}, {}},
                         {"in context", Kind::Text, {}, {}}, {"rises by", Kind::Number, {}, {}},
                         {"loss", Kind::Number, {}, {}},     {"intact", Kind::Number, {}, {}}};
        table.columns[0].isDataOnly = true;  // the sections say it
        table.columns[1].keep = -1;          // the context says which it is
        table.columns[2].wraps = true;
        table.columns[2].keep = 1;
    }

    /// What is predicted without the experts is asked of all removals of a table or of none.
    void begin(const KeptRemoval& removal) {
        m_predicts = predictedWithout(m_context, removal);
        if (m_table.columns.size() == kNumbers) {
            addColumnIf(m_predicts, "predicts");
            if (addColumnIf(m_intactPredicts, "intact predicts")) {
                m_table.columns.back().keep = -1;
            }
        }
    }

    void add(const KeptRemoval& removal, const TokenLosses& losses, std::uint64_t token) {
        m_table.columns[0].texts.push_back(removal.name);
        m_table.columns[2].texts.push_back(excerptAround(*m_tokens, token, kAround));
        const std::array<double, 4> numbers{
            static_cast<double>(token), static_cast<double>(losses.rise(token)),
            static_cast<double>(losses.without[token]), static_cast<double>(losses.intact[token])};
        const std::array<std::size_t, 4> columns{1, 3, 4, 5};
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            m_table.columns[columns[i]].numbers.push_back(numbers[i]);
            m_table.columns[columns[i]].texts.emplace_back();
        }
        std::size_t column = kNumbers;
        for (const Predictions* predictions : {&m_predicts, &m_intactPredicts}) {
            if (*predictions) {  // with the token before, which it follows
                m_table.columns[column++].texts.push_back(m_texts.of((**predictions)[token - 1]));
            }
        }
        m_table.tokens.push_back(token);
        if (removal.expert) {
            m_table.experts.push_back(*removal.expert);
        }
        if (removal.layer) {
            m_table.layers.push_back(*removal.layer);
        }
        ++m_table.rows;
    }

private:
    using Predictions = std::optional<std::vector<text::TokenId>>;
    static constexpr std::size_t kNumbers = 6;  ///< columns before the predictions

    bool addColumnIf(const Predictions& predictions, const char* name) {
        if (predictions) {
            m_table.columns.push_back({name, TableColumn::Kind::Text, {}, {}});
        }
        return predictions.has_value();
    }

    const BuildContext& m_context;
    std::shared_ptr<const TokenTable> m_tokens;
    IdTexts m_texts;
    Predictions m_predicts, m_intactPredicts;
    TableFigure& m_table;
};

}  // namespace

Figure buildRemovalTokens(const BuildContext& context) {
    TableFigure table;
    Rows rows(context, table);
    const std::vector<KeptRemoval> removals = removalsAsked(context, false);
    const std::size_t most = removals.size() == 1 ? kMostOfOne : kMostOfSet;
    const TokenSelection asked = context.tokens();
    for (const KeptRemoval& removal : removals) {
        const TokenLosses losses = lossesWithout(context, removal);
        rows.begin(removal);
        const std::vector<std::uint64_t> worst = largestRises(losses, asked, most);
        // Of a single removal the title says what is gone.
        table.sections.push_back(
            {table.rows,
             fmt::format("{}these tokens take {:.0f} % of all rise",
                         removals.size() > 1 ? fmt::format("without {}: ", removal.name) : "",
                         100.0 * shareOf(losses, asked, worst))});
        for (const std::uint64_t token : worst) {
            rows.add(removal, losses, token);
        }
    }
    const bool isOne = removals.size() == 1;
    Figure figure = context.frame(
        "tokens that lose most without " + (isOne ? removals.front().name : "experts"),
        asked.count());
    context.saySelection(figure, asked.count(), asked.count(), "losses");
    figure.provenance.layer = isOne ? removals.front().layer : std::nullopt;
    figure.howToRead = fmt::format(
        "Up to {} tokens whose loss rises most once the experts are gone, the largest rise first, "
        "between marks in what is before and after them: the rise, the loss without the experts "
        "and that of the intact model.",
        most);
    figure.howToRead += defaultText(removals.front());
    if (table.rows == 0) {
        figure.body = NoticeFigure{"The loss of none of these tokens rises without " +
                                   (isOne ? removals.front().name : "these experts")};
        return figure;
    }
    figure.body = std::move(table);
    return figure;
}

}  // namespace moescope::figures
