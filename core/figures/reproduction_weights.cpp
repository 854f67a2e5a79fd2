// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A1 to A4.

#include "core/figures/reproduction_reader.h"
#include "core/figures/router_regression.h"
#include "core/figures/similarity_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace moescope::figures {
namespace {

constexpr const char* kWeights = "weight_similarity";
constexpr const char* kNeurons = "mean_neuron_similarity";
constexpr const char* kMatched = "matched_similarity";
constexpr const char* kRouter = "router_similarity";

/// Two decimals of r: of its square, half of 0.01 for squares rounded before, and 2 r times half of
/// 0.01 for the rounding of r itself.
constexpr double kSquareMargin = 0.005 + 0.01;

double signedSquare(double r) {
    return std::copysign(r * r, r);
}

/// Where the paper looked at some layers only, those of them that the session has; else all.
LayerNumbers ofPapersLayers(const Reading& reading, LayerNumbers numbers) {
    if (!reading.isSame) {
        return numbers;
    }
    const std::vector<LayerId> chosen = reading.chosenLayers();
    LayerNumbers kept{numbers.quantities, {}, {}, numbers.hasBaseline};
    kept.numbers.resize(numbers.numbers.size());
    for (std::size_t i = 0; i < numbers.layers.size(); ++i) {
        if (std::binary_search(chosen.begin(), chosen.end(), numbers.layers[i])) {
            kept.layers.push_back(numbers.layers[i]);
            for (std::size_t q = 0; q < numbers.numbers.size(); ++q) {
                kept.numbers[q].push_back(numbers.numbers[q][i]);
            }
        }
    }
    return kept.layers.empty() ? std::move(numbers) : kept;
}

/// Growth relative to the similarity before, of every pair that was matched.
void addRelativeGrowth(const Matrix& matched, const Matrix& growth, std::size_t experts,
                       std::vector<double>& all) {
    const std::size_t n = std::min({experts, matched.rows, growth.rows});
    for (std::size_t i = 1; i < n; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const auto gained = static_cast<double>(growth.at(i, j));
            const double before = static_cast<double>(matched.at(i, j)) - gained;
            const double relative = gained / std::abs(before);
            if (std::isfinite(relative)) {
                all.push_back(relative);
            }
        }
    }
}

/// "3.6e-1" with a true minus sign.
std::string inPowersOfTen(double value) {
    if (!(value > 0.0)) {
        return fmt::format("{:.2g}", value);
    }
    const auto power = static_cast<int>(std::floor(std::log10(value)));
    return fmt::format("{:.1f}e{}{}", value / std::pow(10.0, power), power < 0 ? "\u2212" : "",
                       std::abs(power));
}

double median(std::vector<double> values) {
    const std::size_t half = values.size() / 2;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(half);
    std::nth_element(values.begin(), middle, values.end());
    return values.size() % 2 == 1 ? *middle
                                  : (*middle + *std::max_element(values.begin(), middle)) / 2.0;
}

}  // namespace

Measured measureWeightSimilarity(const Reading& reading) {
    const auto numbers = numbersOf(reading, kWeights, roleQuantities(reading.value), &meanOfPairs);
    return numbers.isEmpty() ? notRun(reading, kWeights) : averaged(reading, numbers);
}

Measured measureWeightBaseline(const Reading& reading) {
    const auto numbers =
        numbersOf(reading, kWeights, roleQuantities(reading.value), &meanWithBaseline);
    return numbers.isEmpty()      ? notRun(reading, kWeights)
           : !numbers.hasBaseline ? withoutBaseline()
                                  : averaged(reading, numbers);
}

Measured measureWeightDepth(const Reading& reading) {
    const auto numbers = numbersOf(reading, kWeights, roleQuantities(reading.value), &meanOfPairs);
    return numbers.isEmpty() ? notRun(reading, kWeights) : depthOf(reading, numbers);
}

Measured measureNeuronSimilarity(const Reading& reading) {
    const auto numbers = numbersOf(reading, kNeurons, roleQuantities(reading.value), &meanOfPairs);
    return numbers.isEmpty() ? notRun(reading, kNeurons) : averaged(reading, numbers);
}

Measured measureNeuronLargest(const Reading& reading) {
    const auto numbers = numbersOf(
        reading, kNeurons, roleQuantities(reading.value),
        [](const Matrix& map, std::size_t experts, auto) { return summarise(map, experts).high; });
    if (numbers.isEmpty()) {
        return notRun(reading, kNeurons);
    }
    Measured result;
    for (const auto& line : numbers.numbers) {
        for (std::size_t i = 0; i < line.size(); ++i) {
            if (std::isfinite(line[i]) && !(line[i] <= result.value)) {
                result.value = line[i];
                result.detail = fmt::format("in layer {}", numbers.layers[i].value);
            }
        }
    }
    const std::string covered = coverage(reading, numbers);
    result.detail += (result.detail.empty() || covered.empty() ? "" : "; ") + covered;
    return result;
}

Measured measureNeuronBaseline(const Reading& reading) {
    const auto numbers = numbersOf(
        reading, kNeurons, roleQuantities(reading.value),
        [](const Matrix& map, std::size_t experts, std::optional<std::size_t> baseline) {
            return meanOfPairs(map, experts, baseline) - meanWithBaseline(map, experts, baseline);
        });
    if (numbers.isEmpty() || !numbers.hasBaseline) {
        return numbers.isEmpty() ? notRun(reading, kNeurons) : withoutBaseline();
    }
    const auto& line = numbers.numbers.front();
    const auto with =
        std::count_if(line.begin(), line.end(), [](double x) { return std::isfinite(x); });
    const auto above = std::count_if(line.begin(), line.end(), [](double x) { return x > 0.0; });
    Measured result = averaged(reading, numbers);
    result.detail = "mean difference " + inShort(result.value) +
                    (result.detail.empty() ? "" : "; ") + result.detail;
    result.value = with > 0 ? static_cast<double>(above) / static_cast<double>(with) : result.value;
    result.shown = with > 0 ? fmt::format("{} of {}", above, with) : std::string();
    return result;
}

Measured measureMatchedOrder(const Reading& reading) {
    const auto all =
        numbersOf(reading, kMatched, roleQuantities(reading.value, "_tau"), &meanOfPairs);
    return all.isEmpty() ? notRun(reading, kMatched)
                         : averaged(reading, ofPapersLayers(reading, all));
}

Measured measureMatchedGrowth(const Reading& reading) {
    // Only what layers there are; the growth itself is relative, so that it needs two maps.
    const auto all =
        numbersOf(reading, kMatched, roleQuantities(reading.value, "_growth"), &meanOfPairs);
    if (all.isEmpty()) {
        return notRun(reading, kMatched);
    }
    const LayerNumbers used = ofPapersLayers(reading, all);
    std::vector<double> relative;
    for (const NamedQuantity& one : used.quantities) {
        const session::QuantityInfo* growth = reading.find(kMatched, one.quantity);
        const session::QuantityInfo* matched = reading.find(kMatched, one.name);
        for (const LayerId layer : used.layers) {
            const auto has = [&](const session::QuantityInfo* info) {
                return info != nullptr &&
                       std::binary_search(info->layers.begin(), info->layers.end(), layer);
            };
            if (has(growth) && has(matched)) {
                addRelativeGrowth(toMatrix(reading.source.read(matched->id, layer)),
                                  toMatrix(reading.source.read(growth->id, layer)),
                                  reading.experts(layer), relative);
            }
        }
    }
    Measured result;
    result.detail = coverage(reading, used);
    if (!relative.empty()) {
        const double typical = median(std::move(relative));
        result.value = typical > 0.0 ? std::log10(typical) : result.value;
        result.shown = inPowersOfTen(typical);
        result.detail =
            fmt::format("median over pairs{}", result.detail.empty() ? "" : "; ") + result.detail;
    }
    return result;
}

Measured measureRouterSimilarity(const Reading& reading) {
    const auto numbers = numbersOf(reading, kRouter, {{"router", "router"}}, &meanOfPairs);
    return numbers.isEmpty() ? notRun(reading, kRouter) : averaged(reading, numbers);
}

Measured measureRouterFit(const Reading& reading) {
    const session::QuantityInfo* info = reading.find(kRouter, "regression");
    if (info == nullptr) {
        return notRun(reading, kRouter);
    }
    LayerNumbers numbers{{{std::string(reading.value.role), "regression"}}, info->layers, {{}}};
    for (const LayerId layer : info->layers) {
        numbers.numbers.front().push_back(regressionStatistic(
            *info, reading.source.read(info->id, layer), reading.value.role, "r2"));
    }
    Measured result = averaged(reading, numbers);
    if (!isAgainstMeanNeurons(*info)) {
        result.detail += result.detail.empty() ? "" : "; ";
        result.detail += "against whole matrices, not mean neurons";
    }
    return result;
}

// How many layers have the paper's r. Only layers of the same model can be compared one by one.
Measured measureRouterCorrelation(const Reading& reading) {
    const session::QuantityInfo* info = reading.find(kRouter, "regression");
    if (info == nullptr) {
        return notRun(reading, kRouter);
    }
    Measured result;
    if (!reading.isSame) {
        result.isComparable = false;
        result.detail = "layer by layer only for the paper's own models";
        return result;
    }
    const auto& published = reading.value.series;
    const int first = reading.value.layers.front();
    std::size_t agreeing = 0;
    double largest = -1.0;
    for (const LayerId layer : info->layers) {
        const auto index = static_cast<std::size_t>(layer.value - first);
        if (layer.value < first || index >= published.size()) {
            continue;
        }
        const double r = regressionStatistic(*info, reading.source.read(info->id, layer),
                                             reading.value.role, "r");
        const double off = std::abs(r - published[index]);
        const double squares = signedSquare(r) - signedSquare(published[index]);
        agreeing += std::abs(squares) <= kSquareMargin ? 1 : 0;
        if (off > largest) {
            largest = off;
            result.detail = fmt::format("farthest in layer {}: {}, published {}", layer.value,
                                        inShort(r), inShort(published[index]));
        }
    }
    result.value = static_cast<double>(agreeing);
    result.shown = fmt::format("{} of {}", agreeing, published.size());
    return result;
}

}  // namespace moescope::figures
