// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace moescope::figures {
namespace {

constexpr std::size_t kMostTokens = 20;  // of a set
constexpr std::uint64_t kAround = 6;

/// Losses of a text's tokens: [sets, tokens] without experts, [tokens] of the intact model.
struct Losses {
    std::vector<std::string> sets;
    NdArray without, intact;
    [[nodiscard]] std::size_t tokens() const { return static_cast<std::size_t>(intact.size()); }
    [[nodiscard]] double rise(std::size_t set, std::size_t token) const {
        return without.at(set * tokens() + token) - intact.at(token);
    }
};

Losses lossesOf(const BuildContext& context) {
    const session::QuantityInfo& info = context.require("set_token_loss");
    Losses losses{
        {}, context.read("set_token_loss", std::nullopt), context.read("token_loss", std::nullopt)};
    const Shape& shape = losses.without.shape();
    if (shape.size() != 2 || shape[1] != losses.intact.size() ||
        shape[1] != context.head().corpus.tokenCount()) {
        throw Error(ErrorCode::BadSession,
                    "expert_removal/set_token_loss in the session is not a table of sets and of "
                    "the text's tokens; the file is damaged.");
    }
    losses.sets = labelsOf(info.axes.front(), static_cast<std::size_t>(shape[0]));
    return losses;
}

/// Whether another token of the document follows, whatever the session's numbers say.
bool hasNext(const TokenTable& tokens, std::uint64_t token) {
    return token + 1 < tokens.documentOffsets()[tokens.documentOf(token) + 1];
}

/// The tokens whose next one loses most, the largest rise first; those without a next one are none.
std::vector<std::size_t> worstOf(const Losses& losses, std::size_t set, const TokenTable& tokens) {
    std::vector<std::size_t> order;
    const std::uint64_t count =
        std::min<std::uint64_t>(losses.tokens(), tokens.documentOffsets().back());
    for (std::size_t token = 0; token < count; ++token) {
        if (std::isfinite(losses.rise(set, token)) && hasNext(tokens, token)) {
            order.push_back(token);
        }
    }
    const auto most = static_cast<std::ptrdiff_t>(std::min(order.size(), kMostTokens));
    std::partial_sort(
        order.begin(), order.begin() + most, order.end(),
        [&](std::size_t a, std::size_t b) { return losses.rise(set, a) > losses.rise(set, b); });
    order.resize(static_cast<std::size_t>(most));
    return order;
}

/// Share of all rise of the loss that falls on the tokens shown, of the tokens whose loss rises.
double shareOf(const Losses& losses, std::size_t set, const std::vector<std::size_t>& shown) {
    double all = 0.0;
    for (std::size_t token = 0; token < losses.tokens(); ++token) {
        const double rise = losses.rise(set, token);
        all += rise > 0.0 ? rise : 0.0;  // NaN is not
    }
    const double part =
        std::accumulate(shown.begin(), shown.end(), 0.0, [&](double sum, std::size_t token) {
            return sum + std::max(losses.rise(set, token), 0.0);
        });
    return all > 0.0 ? part / all : 0.0;
}

}  // namespace

Figure buildRemovalTokens(const BuildContext& context) {
    using Kind = TableColumn::Kind;
    const auto tokens = context.memory.tokens();
    const Losses losses = lossesOf(context);
    if (tokens == nullptr) {
        throw Error(ErrorCode::Usage,
                    "The figure expert-removal-tokens needs a text, and this "
                    "session has none.");
    }
    TableFigure table;
    table.columns = {{"without", Kind::Text, {}, {}},    {"token", Kind::Count, {}, {}},
                     {"in context", Kind::Text, {}, {}}, {"rises by", Kind::Number, {}, {}},
                     {"loss", Kind::Number, {}, {}},     {"intact", Kind::Number, {}, {}}};
    table.columns[0].isDataOnly = true;  // the sections say it
    table.columns[2].wraps = true;
    for (std::size_t set = 0; set < losses.sets.size(); ++set) {
        const std::vector<std::size_t> worst = worstOf(losses, set, *tokens);
        table.sections.push_back(
            {table.rows, fmt::format("without {}: these tokens take {:.0f} % of all rise",
                                     losses.sets[set], 100.0 * shareOf(losses, set, worst))});
        for (const std::size_t token : worst) {
            const double loss = losses.without.at(set * losses.tokens() + token);
            table.columns[0].texts.push_back(losses.sets[set]);
            // The loss is of the token that follows.
            table.columns[2].texts.push_back(excerptAround(*tokens, token + 1, kAround));
            const std::array<double, 4> numbers{static_cast<double>(token + 1),
                                                losses.rise(set, token), loss,
                                                losses.intact.at(token)};
            const std::array<std::size_t, 4> columns{1, 3, 4, 5};
            for (std::size_t i = 0; i < numbers.size(); ++i) {
                table.columns[columns[i]].numbers.push_back(numbers[i]);
                table.columns[columns[i]].texts.emplace_back();
            }
            ++table.rows;
        }
    }
    Figure figure = context.frame("tokens that lose most without experts", losses.tokens());
    figure.howToRead = fmt::format(
        "Up to {} tokens of the text that the model predicts worst once the experts of a set are "
        "gone, between marks in what is before and after them: loss without the set, of the intact "
        "model, and the rise.",
        kMostTokens);
    figure.body = std::move(table);
    return figure;
}

}  // namespace moescope::figures
