// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/reproduction_reader.h"

#include "core/figures/similarity_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace moescope::figures {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// F, or the first of several.
std::optional<std::size_t> baselineColumn(const session::QuantityInfo& info) {
    if (info.axes.size() < 2) {
        return std::nullopt;
    }
    const auto& labels = info.axes[1].labels;
    const auto found = std::find_if(labels.begin(), labels.end(), [](const std::string& label) {
        return label == "F" || label == "F1";
    });
    return found == labels.end() ? std::nullopt
                                 : std::optional(static_cast<std::size_t>(found - labels.begin()));
}

std::size_t routedLayers(const session::ModelSummary& model) {
    return static_cast<std::size_t>(
        std::count_if(model.layers.begin(), model.layers.end(),
                      [](const session::LayerSummary& layer) { return layer.isRouted(); }));
}

}  // namespace

const session::QuantityInfo* Reading::find(std::string_view experiment,
                                           const std::string& quantity) const {
    const session::QuantityInfo* info = source.find({branch, std::string(experiment), quantity});
    return info == nullptr || info->layers.empty() ? nullptr : info;
}

std::size_t Reading::experts(LayerId layer) const {
    const auto& layers = source.head().model.layers;
    const auto index = static_cast<std::size_t>(layer.value);
    return layer.value >= 0 && index < layers.size()
               ? static_cast<std::size_t>(std::max(layers[index].experts, 0))
               : 0;
}

LayerId Reading::like(int paperLayer) const {
    const auto layers = static_cast<int>(source.head().model.layers.size());
    if (isSame || model.layers < 2) {
        return LayerId{paperLayer};
    }
    return LayerId{static_cast<int>(
        std::lround(static_cast<double>(paperLayer) * (layers - 1) / (model.layers - 1)))};
}

std::vector<LayerId> Reading::chosenLayers() const {
    std::set<LayerId> chosen;
    for (const int layer : value.layers) {
        chosen.insert(like(layer));
    }
    return {chosen.begin(), chosen.end()};
}

void FiniteMean::add(double value) {
    if (std::isfinite(value)) {
        m_sum += value;
        ++m_count;
    } else {
        ++m_left;
    }
}

double FiniteMean::mean() const {
    return m_count > 0 ? m_sum / static_cast<double>(m_count) : kNaN;
}

std::string inShort(double value) {
    std::string text = fmt::format("{:.3g}", value);
    for (std::size_t at = text.find('-'); at != std::string::npos; at = text.find('-', at + 1)) {
        text.replace(at, 1, "\u2212");
    }
    return text;
}

std::vector<NamedQuantity> roleQuantities(const PaperValue& value, std::string_view suffix) {
    std::vector<NamedQuantity> quantities;
    for (const char* role : {"gate", "up", "down"}) {
        if (value.role.empty() || value.role == role) {
            quantities.push_back({role, role + std::string(suffix)});
        }
    }
    return quantities;
}

LayerNumbers numbersOf(const Reading& reading, std::string_view experiment,
                       const std::vector<NamedQuantity>& wanted, const OfMap& ofMap) {
    LayerNumbers result;
    std::vector<const session::QuantityInfo*> infos;
    std::set<LayerId> layers;
    for (const NamedQuantity& one : wanted) {
        if (const session::QuantityInfo* info = reading.find(experiment, one.quantity)) {
            result.quantities.push_back(one);
            infos.push_back(info);
            layers.insert(info->layers.begin(), info->layers.end());
        }
    }
    result.layers.assign(layers.begin(), layers.end());
    for (const session::QuantityInfo* info : infos) {
        const auto baseline = baselineColumn(*info);
        result.hasBaseline = result.hasBaseline || baseline.has_value();
        std::vector<double> numbers(result.layers.size(), kNaN);
        for (const LayerId layer : info->layers) {
            const auto at = std::lower_bound(result.layers.begin(), result.layers.end(), layer);
            const Matrix map = toMatrix(reading.source.read(info->id, layer));
            numbers[static_cast<std::size_t>(at - result.layers.begin())] =
                ofMap(map, reading.experts(layer), baseline);
        }
        result.numbers.push_back(std::move(numbers));
    }
    return result;
}

std::vector<double> LayerNumbers::means() const {
    std::vector<double> result;
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
        FiniteMean mean;
        for (const auto& line : numbers) {
            mean.add(line[layer]);
        }
        result.push_back(mean.mean());
    }
    return result;
}

Measured averaged(const Reading& reading, const LayerNumbers& numbers) {
    Measured result;
    FiniteMean over;
    for (std::size_t i = 0; i < numbers.quantities.size(); ++i) {
        FiniteMean mean;
        for (const double number : numbers.numbers[i]) {
            mean.add(number);
        }
        over.add(mean.mean());
        if (numbers.quantities.size() > 1) {
            result.detail += fmt::format("{}{} {}", i == 0 ? "" : ", ", numbers.quantities[i].name,
                                         inShort(mean.mean()));
        }
    }
    result.value = over.mean();
    const std::string covered = coverage(reading, numbers);
    result.detail += (result.detail.empty() || covered.empty() ? "" : "; ") + covered;
    return result;
}

Measured depthOf(const Reading& reading, const LayerNumbers& numbers) {
    const std::vector<LayerId> chosen = reading.chosenLayers();
    const std::vector<double> means = numbers.means();
    FiniteMean in;
    FiniteMean out;
    for (std::size_t i = 0; i < means.size(); ++i) {
        const bool isChosen = std::binary_search(chosen.begin(), chosen.end(), numbers.layers[i]);
        (isChosen ? in : out).add(means[i]);
    }
    Measured result;
    result.value = in.mean() - out.mean();
    const std::string where =
        chosen.size() == 1
            ? fmt::format("layer {}", chosen.front().value)
            : fmt::format("layers {} to {}", chosen.front().value, chosen.back().value);
    result.detail =
        fmt::format("{} in {}, {} elsewhere", inShort(in.mean()), where, inShort(out.mean()));
    const std::string covered = coverage(reading, numbers);
    result.detail += (covered.empty() ? "" : "; ") + covered;
    return result;
}

std::string coverage(const Reading& reading, const LayerNumbers& numbers) {
    std::size_t without = 0;
    for (const auto& line : numbers.numbers) {
        without += static_cast<std::size_t>(std::count_if(
            line.begin(), line.end(), [](double number) { return !std::isfinite(number); }));
    }
    std::string text;
    const std::size_t all = routedLayers(reading.source.head().model);
    if (numbers.layers.size() < all) {
        text = fmt::format("{} of {} layers", numbers.layers.size(), all);
    }
    if (without > 0) {
        text += fmt::format("{}{} {} without a value", text.empty() ? "" : ", ", without,
                            without == 1 ? "map" : "maps");
    }
    return text;
}

Measured notRun(const Reading& reading, std::string_view experiment) {
    using State = session::ExperimentState;
    const auto& records = reading.source.head().experiments;
    const auto record =
        std::find_if(records.begin(), records.end(),
                     [&](const session::ExperimentRecord& one) { return one.id == experiment; });
    Measured result;
    if (record == records.end()) {
        result.missing = fmt::format("run {}", experiment);
    } else if (record->state != State::Done) {
        result.missing = fmt::format("{} is not done yet", experiment);
    } else {
        result.detail = fmt::format("{} kept none of it", experiment);
    }
    return result;
}

Measured withoutBaseline() {
    Measured result;
    result.missing = "run it with a dense baseline";
    return result;
}

double meanOfPairs(const Matrix& map, std::size_t experts,
                   std::optional<std::size_t> /*baseline*/) {
    return summarise(map, experts).mean;
}

double meanWithBaseline(const Matrix& map, std::size_t experts,
                        std::optional<std::size_t> baseline) {
    const std::size_t first = std::min({experts, map.rows, map.columns});
    const SimilaritySummary summary = summarise(map, experts);
    return baseline && *baseline >= first && *baseline - first < summary.withOthers.size()
               ? summary.withOthers[*baseline - first]
               : kNaN;
}

}  // namespace moescope::figures
