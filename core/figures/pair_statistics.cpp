// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/pair_statistics.h"

#include "core/numerics/chosen_together.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace moescope::figures {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<double> loadsOf(const PairStatistics& pairs) {
    std::vector<double> loads(pairs.experts);
    for (std::size_t i = 0; i < pairs.experts; ++i) {
        loads[i] = pairs.share(i, i);
    }
    return loads;
}

void addDiscoveries(PairStatistics& pairs) {
    const std::size_t experts = pairs.experts;
    std::vector<double> surprises;
    surprises.reserve(experts * experts / 2);
    for (std::size_t i = 0; i < experts; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const std::uint64_t first = pairs.counts[i * experts + i];
            const std::uint64_t second = pairs.counts[j * experts + j];
            const numerics::Together together{pairs.tokens, first, second,
                                              pairs.counts[i * experts + j]};
            surprises.push_back(
                first == 0 || second == 0
                    ? kNaN  // no pair that could be
                    : numerics::tailsOf(together, pairs.byChance[i * experts + j]).twoSided());
        }
    }
    const std::vector<std::uint8_t> found = numerics::discoveries(surprises);
    pairs.differs.resize(experts * experts);
    std::size_t at = 0;
    for (std::size_t i = 0; i < experts; ++i) {
        for (std::size_t j = 0; j < i; ++j, ++at) {
            pairs.differs[i * experts + j] = pairs.differs[j * experts + i] = found[at];
        }
    }
}

/// Documents, or random parts of the text where there are more than can be drawn so often.
std::vector<std::size_t> unitsOf(const RoutedText& text) {
    std::vector<std::size_t> units(text.documents());
    std::iota(units.begin(), units.end(), std::size_t{0});
    if (units.size() > kMostUnits) {
        numerics::RandomBits random(1);
        for (std::size_t i = units.size(); i > 1; --i) {
            std::swap(units[i - 1], units[random.below(i)]);
        }
        for (std::size_t& unit : units) {
            unit %= kMostUnits;
        }
    }
    return units;
}

/// Calls with the unit and each ordered pair of different experts that a token chose.
template <typename Visit>
void forEachPair(const RoutedText& text, std::span<const std::size_t> units, const Visit& visit) {
    for (const RoutedText::Piece& piece : text.pieces()) {
        const numerics::Choices choices = text.of(piece);
        for (std::size_t token = 0; token < choices.tokens(); ++token) {
            const auto chosen = choices.of(token);
            for (const std::uint16_t i : chosen) {
                for (const std::uint16_t j : chosen) {
                    visit(units[piece.document], std::size_t{i}, std::size_t{j});
                }
            }
        }
    }
}

/// Bootstrap of all documents, without groups.
numerics::Intervals intervalsOf(std::size_t width, std::span<const double> counts,
                                std::span<const double> totals, std::size_t rounds) {
    const std::vector<std::int32_t> none(totals.size(), -1);
    return numerics::bootstrapShares({width, counts, totals, none, 0}, 0.95, rounds);
}

}  // namespace

const char* PairStatistics::beyondChance(std::size_t a, std::size_t b) const {
    if (differs[a * experts + b] == 0) {
        return "";
    }
    return share(a, b) > byChance[a * experts + b] ? "more" : "fewer";
}

std::vector<std::uint8_t> PairStatistics::marks() const {
    std::vector<std::uint8_t> marks(differs.size());
    for (std::size_t a = 0; a < experts; ++a) {
        for (std::size_t b = 0; b < experts; ++b) {
            const std::size_t pair = a * experts + b;
            if (differs[pair] != 0) {
                marks[pair] = share(a, b) > byChance[pair] ? HeatMapPanel::kMarked
                                                           : HeatMapPanel::kMarkedOpen;
            }
        }
    }
    return marks;
}

PairStatistics pairStatistics(const RoutedText& text) {
    PairStatistics pairs;
    pairs.experts = static_cast<std::size_t>(text.experts());
    pairs.tokens = text.tokens();
    pairs.counts = numerics::pairCounts(text.choices());
    pairs.byChance = numerics::chancesOfBoth(loadsOf(pairs), text.topK());
    addDiscoveries(pairs);
    return pairs;
}

numerics::Intervals shareIntervals(const RoutedText& text,
                                   std::span<const std::pair<std::size_t, std::size_t>> pairs) {
    const auto experts = static_cast<std::size_t>(text.experts());
    std::vector<std::size_t> columnOf(experts * experts, pairs.size());
    for (std::size_t c = 0; c < pairs.size(); ++c) {
        columnOf[pairs[c].first * experts + pairs[c].second] = c;
    }
    std::vector<std::size_t> documents(text.documents());
    std::iota(documents.begin(), documents.end(), std::size_t{0});
    std::vector<double> counts(documents.size() * pairs.size());
    forEachPair(text, documents, [&](std::size_t document, std::size_t i, std::size_t j) {
        if (const std::size_t column = columnOf[i * experts + j]; column < pairs.size()) {
            counts[document * pairs.size() + column] += 1.0;
        }
    });
    std::vector<double> totals(documents.size());
    for (const RoutedText::Piece& piece : text.pieces()) {
        totals[piece.document] += static_cast<double>(piece.count);
    }
    return intervalsOf(pairs.size(), counts, totals, 0);
}

ConditionalIntervals conditionalIntervals(const RoutedText& text) {
    constexpr double kWork = 3e8;
    constexpr double kFewestRounds = 200.0;
    constexpr double kMostRounds = 1000.0;
    const auto experts = static_cast<std::size_t>(text.experts());
    const std::size_t units = std::min(text.documents(), kMostUnits);
    const double rounds = kWork / static_cast<double>(units * experts * experts);
    if (rounds < kFewestRounds) {
        return {};
    }
    std::vector<double> counts(experts * units * experts);  // [i][unit][j]
    forEachPair(text, unitsOf(text), [&](std::size_t unit, std::size_t i, std::size_t j) {
        counts[(i * units + unit) * experts + j] += 1.0;
    });
    ConditionalIntervals result;
    for (Matrix* matrix : {&result.low, &result.high}) {
        *matrix = {experts, experts, {}};
        matrix->values.reserve(experts * experts);
    }
    std::vector<double> own(units);
    for (std::size_t i = 0; i < experts; ++i) {
        const auto row = std::span(counts).subspan(i * units * experts, units * experts);
        for (std::size_t unit = 0; unit < units; ++unit) {
            own[unit] = row[unit * experts + i];
        }
        const numerics::Intervals intervals =
            intervalsOf(experts, row, own, static_cast<std::size_t>(std::min(rounds, kMostRounds)));
        result.low.values.insert(result.low.values.end(), intervals.low.begin(),
                                 intervals.low.end());
        result.high.values.insert(result.high.values.end(), intervals.high.begin(),
                                  intervals.high.end());
    }
    return result;
}

std::string fewDocumentsText(std::size_t documents) {
    constexpr std::size_t kEnough = 5;
    if (documents == 1) {
        return " One document: there are no intervals, which draw documents anew.";
    }
    return documents < kEnough
               ? fmt::format(" Intervals draw documents anew: of {} they say little.", documents)
               : std::string();
}

std::string intervalsText(std::size_t documents, bool has) {
    if (!has) {
        return documents > 1 ? fmt::format(
                                   " No intervals: so many pairs of experts in {} documents "
                                   "would take too long.",
                                   documents)
                             : fewDocumentsText(documents);
    }
    return documents > kMostUnits
               ? fmt::format(" Intervals draw {} random parts of the {} documents anew.",
                             kMostUnits, documents)
               : fewDocumentsText(documents);
}

}  // namespace moescope::figures
