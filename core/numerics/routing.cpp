// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/routing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace moescope::numerics {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double share(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? kNaN : static_cast<double>(part) / static_cast<double>(whole);
}

std::uint64_t sumOf(std::span<const std::uint64_t> counts) {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

double maxOverMean(std::span<const std::uint64_t> counts) {
    const std::uint64_t sum = sumOf(counts);
    return sum == 0 ? kNaN
                    : static_cast<double>(*std::max_element(counts.begin(), counts.end())) *
                          static_cast<double>(counts.size()) / static_cast<double>(sum);
}

bool overlaps(std::span<const std::uint16_t> a, std::span<const std::uint16_t> b) {
    return std::any_of(a.begin(), a.end(), [&](std::uint16_t id) {
        return std::find(b.begin(), b.end(), id) != b.end();
    });
}

}  // namespace

std::vector<std::uint64_t> expertCounts(const Choices& choices, int choice) {
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(choices.experts));
    const auto k = static_cast<std::size_t>(choices.topK);
    const std::size_t first = choice == kAnyChoice ? 0 : static_cast<std::size_t>(choice);
    const std::size_t last = choice == kAnyChoice ? k : std::min(first + 1, k);
    for (std::size_t token = 0; token < choices.tokens(); ++token) {
        for (std::size_t i = first; i < last; ++i) {
            ++counts[choices.ids[token * k + i]];
        }
    }
    return counts;
}

std::vector<std::uint64_t> pairCounts(const Choices& choices) {
    const auto experts = static_cast<std::size_t>(choices.experts);
    std::vector<std::uint64_t> counts(experts * experts);
    for (std::size_t token = 0; token < choices.tokens(); ++token) {
        const auto chosen = choices.of(token);
        for (const std::uint16_t i : chosen) {
            for (const std::uint16_t j : chosen) {
                ++counts[i * experts + j];
            }
        }
    }
    return counts;
}

std::vector<std::uint64_t> pairCountsOf(const Choices& choices, std::uint16_t expert) {
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(choices.experts));
    for (std::size_t token = 0; token < choices.tokens(); ++token) {
        const auto chosen = choices.of(token);
        if (std::find(chosen.begin(), chosen.end(), expert) != chosen.end()) {
            for (const std::uint16_t other : chosen) {
                ++counts[other];
            }
        }
    }
    return counts;
}

std::vector<std::uint64_t> transitionCounts(const Choices& from, const Choices& to) {
    const auto columns = static_cast<std::size_t>(to.experts);
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(from.experts) * columns);
    const std::size_t tokens = std::min(from.tokens(), to.tokens());
    for (std::size_t token = 0; token < tokens; ++token) {
        ++counts[from.of(token).front() * columns + to.of(token).front()];
    }
    return counts;
}

Repetition& Repetition::operator+=(const Repetition& other) {
    positions += other.positions;
    sameFirst += other.sameFirst;
    overlapping += other.overlapping;
    return *this;
}

double Repetition::firstShare() const {
    return share(sameFirst, positions);
}

double Repetition::overlapShare() const {
    return share(overlapping, positions);
}

Repetition repetitionOf(const Choices& choices) {
    Repetition found;
    for (std::size_t token = 1; token < choices.tokens(); ++token) {
        const auto before = choices.of(token - 1);
        const auto now = choices.of(token);
        ++found.positions;
        found.sameFirst += before.front() == now.front() ? 1 : 0;
        found.overlapping += overlaps(before, now) ? 1 : 0;
    }
    return found;
}

double expectedFirstRepetition(int experts) {
    return 1.0 / experts;
}

double expectedOverlap(int experts, int topK) {
    // C(E - k, k) / C(E, k), factor by factor; 0 where 2 k > E.
    double apart = 1.0;
    for (int i = 0; i < topK; ++i) {
        apart *= std::max(0.0, static_cast<double>(experts - topK - i)) / (experts - i);
    }
    return 1.0 - apart;
}

LoadSummary loadOf(std::span<const std::uint64_t> counts) {
    LoadSummary load;
    load.idle =
        static_cast<std::uint64_t>(std::count(counts.begin(), counts.end(), std::uint64_t{0}));
    const auto total = static_cast<double>(sumOf(counts));
    if (total == 0.0) {
        load.maxOverMean = load.variation = load.entropy = kNaN;
        return load;
    }
    const auto experts = static_cast<double>(counts.size());
    const double mean = total / experts;
    double square = 0.0;
    double entropy = 0.0;
    for (const std::uint64_t count : counts) {
        const auto value = static_cast<double>(count);
        square += (value - mean) * (value - mean);
        entropy -= count == 0 ? 0.0 : value / total * std::log(value / total);
    }
    load.maxOverMean = maxOverMean(counts);
    load.variation = std::sqrt(square / experts) / mean;
    load.entropy = counts.size() < 2 ? kNaN : entropy / std::log(experts);
    return load;
}

std::vector<double> lorenzCurve(std::span<const std::uint64_t> counts) {
    std::vector<std::uint64_t> sorted(counts.begin(), counts.end());
    std::sort(sorted.begin(), sorted.end());
    const std::uint64_t total = sumOf(counts);
    std::vector<double> curve{0.0};
    std::uint64_t sum = 0;
    for (const std::uint64_t count : sorted) {
        sum += count;
        curve.push_back(share(sum, total));
    }
    return curve;
}

BatchLoad batchLoad(const Choices& choices, std::size_t batchTokens, double capacityFactor) {
    BatchLoad load;
    const std::size_t size = std::min(std::max<std::size_t>(batchTokens, 1), choices.tokens());
    if (size == 0) {
        load.meanMaxOverMean = load.worstMaxOverMean = load.dropped = kNaN;
        return load;
    }
    const auto assignments = static_cast<double>(size) * choices.topK;
    const auto capacity =
        static_cast<std::uint64_t>(std::ceil(capacityFactor * assignments / choices.experts));
    std::uint64_t dropped = 0;
    for (std::size_t first = 0; first + size <= choices.tokens(); first += size) {
        const std::vector<std::uint64_t> counts = expertCounts(choices.part(first, size));
        const double ratio = maxOverMean(counts);
        ++load.batches;
        load.meanMaxOverMean += ratio;
        load.worstMaxOverMean = std::max(load.worstMaxOverMean, ratio);
        for (const std::uint64_t count : counts) {
            dropped += count > capacity ? count - capacity : 0;
        }
    }
    load.meanMaxOverMean /= static_cast<double>(load.batches);
    load.dropped = static_cast<double>(dropped) / (assignments * static_cast<double>(load.batches));
    return load;
}

double placementImbalance(std::span<const std::uint64_t> counts, int devices, Placement placement) {
    const auto places = static_cast<std::size_t>(std::max(devices, 1));
    std::vector<std::uint64_t> loads(places);
    if (placement == Placement::Contiguous) {
        for (std::size_t expert = 0; expert < counts.size(); ++expert) {
            loads[expert * places / counts.size()] += counts[expert];
        }
        return maxOverMean(loads);
    }
    std::vector<std::uint64_t> falling(counts.begin(), counts.end());
    std::sort(falling.begin(), falling.end(), std::greater<>());
    for (const std::uint64_t count : falling) {
        *std::min_element(loads.begin(), loads.end()) += count;
    }
    return maxOverMean(loads);
}

}  // namespace moescope::numerics
