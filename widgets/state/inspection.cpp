// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/inspection.h"

#include "core/base/error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

namespace moescope::widgets {
namespace {

using figures::FigureSource;
using session::QuantityId;
using session::QuantityInfo;

constexpr std::string_view kChosen = "chosen_experts";
constexpr std::string_view kNorms = "norms_scores";
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

QuantityId quantityId(BranchId branch, std::string_view experiment, std::string_view quantity) {
    return {branch, std::string(experiment), std::string(quantity)};
}

const QuantityInfo& chosenInfo(const FigureSource& source, BranchId branch,
                               std::string_view quantity) {
    const QuantityInfo* info = source.find(quantityId(branch, kChosen, quantity));
    if (info == nullptr) {
        throw Error(ErrorCode::BadSession,
                    "there are no chosen experts in this session; analyze the model with a text");
    }
    return *info;
}

bool hasLayer(const QuantityInfo* info, LayerId layer) {
    return info != nullptr &&
           std::find(info->layers.begin(), info->layers.end(), layer) != info->layers.end();
}

/// Sessions before 1.1 keep no margin. It cannot be had from the scores: families with a selection
/// bias or with groups choose by something else.
std::optional<float> readMargin(const FigureSource& source, BranchId branch, LayerId layer,
                                std::uint64_t token) {
    const QuantityId id = quantityId(branch, kChosen, "margin");
    const QuantityInfo* info = source.find(id);
    if (!hasLayer(info, layer) || info->shape.size() != 2 || token >= info->shape[0]) {
        return std::nullopt;
    }
    const NdArray row = source.readRows(id, layer, token, 1);
    const double margin = row.size() == 1 ? row.at(0) : kMissing;
    return std::isnan(margin) ? std::nullopt : std::optional(static_cast<float>(margin));
}

TokenStep readStep(const FigureSource& source, BranchId branch, LayerId layer,
                   std::uint64_t token) {
    const NdArray ids = source.readRows(quantityId(branch, kChosen, "ids"), layer, token, 1);
    const NdArray weights =
        source.readRows(quantityId(branch, kChosen, "weights"), layer, token, 1);
    TokenStep step{layer, {}, std::nullopt};
    for (std::uint64_t i = 0; i < std::min(ids.size(), weights.size()); ++i) {
        step.choices.push_back({static_cast<int>(ids.at(i)), static_cast<float>(weights.at(i))});
    }
    step.margin = readMargin(source, branch, layer, token);
    return step;
}

/// Counts of one layer's assignments, gathered in one walk over the rows.
class ExpertCounter {
public:
    ExpertCounter(ExpertFacts& facts, const std::vector<std::uint32_t>& tokenIds)
        : m_facts(facts), m_tokenIds(tokenIds) {}

    /// The same for ids in whatever width they are stored.
    template <typename Id>
    void addRows(std::uint64_t firstToken, std::size_t topK, std::span<const Id> ids,
                 std::span<const float> weights) {
        const auto experts = static_cast<std::size_t>(m_facts.experts);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const auto expert = static_cast<std::size_t>(ids[i]);
            if (expert < experts) {
                ++m_facts.load[expert];
            }
            if (expert == static_cast<std::size_t>(m_facts.expert)) {
                addHit(firstToken + i / topK, i % topK == 0, weights[i]);
            }
        }
    }

    void finish(std::size_t maxTokens) {
        m_facts.meanWeight =
            m_facts.chosen == 0 ? 0.0 : m_weightSum / static_cast<double>(m_facts.chosen);
        for (const std::uint32_t id : m_tokenIds) {
            if (const auto found = m_tokens.find(id); found != m_tokens.end()) {
                ++found->second.seen;
            }
        }
        for (const auto& [id, entry] : m_tokens) {
            m_facts.topTokens.push_back(entry);
        }
        const auto byCount = [](const ExpertToken& a, const ExpertToken& b) {
            return a.routed != b.routed ? a.routed > b.routed : a.id < b.id;
        };
        std::sort(m_facts.topTokens.begin(), m_facts.topTokens.end(), byCount);
        m_facts.topTokens.resize(std::min(maxTokens, m_facts.topTokens.size()));
    }

private:
    void addHit(std::uint64_t token, bool first, float weight) {
        ++m_facts.chosen;
        m_facts.firstChoice += first ? 1 : 0;
        m_weightSum += static_cast<double>(weight);
        if (token >= m_tokenIds.size()) {
            return;
        }
        ExpertToken& entry = m_tokens[m_tokenIds[token]];
        entry.id = m_tokenIds[token];
        if (entry.routed++ == 0 || weight > entry.exampleWeight) {
            entry.example = token;
            entry.exampleWeight = weight;
        }
    }

    ExpertFacts& m_facts;
    const std::vector<std::uint32_t>& m_tokenIds;
    std::unordered_map<std::uint32_t, ExpertToken> m_tokens;
    double m_weightSum = 0.0;
};

constexpr std::uint64_t kBlock = 65536;  ///< tokens read at a time, between looks at the stop token

/// Rows of one layer's array [T, n]: layers may differ in n, and a damaged file in anything.
NdArray readTable(const FigureSource& source, const QuantityId& id, LayerId layer,
                  std::uint64_t first, std::uint64_t count) {
    NdArray rows = source.readRows(id, layer, first, count);
    if (rows.shape().size() != 2 || rows.shape()[0] != count) {
        throw Error(ErrorCode::BadSession, id.experiment + "/" + id.quantity + " of layer " +
                                               std::to_string(layer.value) +
                                               " is not a table of tokens; the session is damaged");
    }
    return rows;
}

/// What the run kept of it; sessions before 1.3 have the norms alone.
std::optional<double> keptMeanNorm(const FigureSource& source, BranchId branch, LayerId layer,
                                   int expert) {
    const QuantityId id = quantityId(branch, kNorms, "mean_norm");
    if (!hasLayer(source.find(id), layer)) {
        return std::nullopt;
    }
    const NdArray means = source.read(id, layer);
    const auto place = static_cast<std::uint64_t>(expert);
    return place < means.size() ? std::optional(means.at(place)) : std::nullopt;
}

/// Mean of one expert's output norm over all tokens, NaN entries left out; NaN where not kept.
double readMeanNorm(const FigureSource& source, BranchId branch, LayerId layer, int expert,
                    const std::stop_token& stop) {
    const QuantityId id = quantityId(branch, kNorms, "norm");
    const QuantityInfo* info = source.find(id);
    if (const auto kept = keptMeanNorm(source, branch, layer, expert)) {
        return *kept;
    }
    if (!hasLayer(info, layer) || info->shape.size() != 2) {
        return kMissing;
    }
    const auto column = static_cast<std::uint64_t>(expert);
    double sum = 0.0;
    std::uint64_t count = 0;
    for (std::uint64_t first = 0; first < info->shape[0] && !stop.stop_requested();
         first += kBlock) {
        const std::uint64_t rows = std::min(kBlock, info->shape[0] - first);
        const NdArray norms = readTable(source, id, layer, first, rows);
        const std::uint64_t experts = norms.shape()[1];
        for (std::uint64_t row = 0; row < rows && column < experts; ++row) {
            const double value = norms.at(row * experts + column);
            if (!std::isnan(value)) {
                sum += value;
                ++count;
            }
        }
    }
    return count == 0 ? kMissing : sum / static_cast<double>(count);
}

void countRows(const FigureSource& source, BranchId branch, LayerId layer, ExpertCounter& counter,
               ExpertFacts& facts, const std::stop_token& stop) {
    for (std::uint64_t first = 0; first < facts.tokens && !stop.stop_requested(); first += kBlock) {
        const std::uint64_t rows = std::min(kBlock, facts.tokens - first);
        const NdArray chosen =
            readTable(source, quantityId(branch, kChosen, "ids"), layer, first, rows);
        const NdArray factors =
            readTable(source, quantityId(branch, kChosen, "weights"), layer, first, rows);
        if (chosen.shape() != factors.shape()) {
            throw Error(ErrorCode::BadSession,
                        "chosen_experts of layer " + std::to_string(layer.value) +
                            ": ids and weights have different shapes; the session is damaged");
        }
        const std::uint64_t topK = chosen.shape()[1];
        facts.topK = static_cast<int>(topK);
        const auto weights = factors.values<float>();
        if (chosen.type() == ElementType::U8) {
            counter.addRows(first, topK, chosen.values<std::uint8_t>(), weights);
        } else if (chosen.type() == ElementType::U16) {
            counter.addRows(first, topK, chosen.values<std::uint16_t>(), weights);
        } else {
            const std::vector<double> ids = chosen.toDoubles();
            const std::vector<std::uint64_t> whole(ids.begin(), ids.end());
            counter.addRows(first, topK, std::span<const std::uint64_t>(whole), weights);
        }
    }
}

/// The quantities that are a similarity map per layer, in the order they are shown.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kPairMaps{{
    {"weight_similarity", "gate"},
    {"weight_similarity", "up"},
    {"weight_similarity", "down"},
    {"weight_similarity", "gate_relative"},
    {"weight_similarity", "up_relative"},
    {"weight_similarity", "down_relative"},
    {"mean_neuron_similarity", "gate"},
    {"mean_neuron_similarity", "up"},
    {"mean_neuron_similarity", "down"},
    {"output_similarity", "mean_angular"},
    {"output_similarity", "mean_angular_relative"},
}};

std::optional<std::uint64_t> labelIndex(const QuantityInfo& info, std::size_t axis,
                                        const std::string& label) {
    for (std::uint64_t i = 0; i < info.shape[axis]; ++i) {
        const bool named = axis < info.axes.size() && i < info.axes[axis].labels.size();
        if ((named ? info.axes[axis].labels[i] : std::to_string(i)) == label) {
            return i;
        }
    }
    return std::nullopt;
}

/// NaN where a layer's map is smaller than the first one's (layers may differ in their experts).
double pairValue(const FigureSource& source, const QuantityInfo& info, LayerId layer,
                 std::uint64_t row, std::uint64_t column) {
    const NdArray map = source.read(info.id, layer);
    const Shape& shape = map.shape();
    if (shape.size() != 2 || row >= shape[0] || column >= shape[1]) {
        return kMissing;
    }
    return map.at(row * shape[1] + column);
}

}  // namespace

TokenPath readTokenPath(const FigureSource& source, BranchId branch, std::uint64_t token,
                        const std::stop_token& stop) {
    const QuantityInfo& info = chosenInfo(source, branch, "ids");
    TokenPath path;
    path.token = token;
    const auto& offsets = source.head().corpus.offsets;
    const auto next = std::upper_bound(offsets.begin(), offsets.end(), token);
    if (next != offsets.begin()) {
        path.document = static_cast<std::uint64_t>(next - offsets.begin() - 1);
        path.position = token - offsets[path.document];
    }
    for (const LayerId layer : info.layers) {
        if (stop.stop_requested()) {
            break;
        }
        path.steps.push_back(readStep(source, branch, layer, token));
    }
    return path;
}

ExpertFacts readExpertFacts(const FigureSource& source, BranchId branch, LayerId layer, int expert,
                            std::size_t maxTokens, const std::stop_token& stop) {
    const QuantityInfo& info = chosenInfo(source, branch, "ids");
    ExpertFacts facts;
    facts.layer = layer;
    facts.expert = expert;
    const auto& layers = source.head().model.layers;
    if (layer.value >= 0 && static_cast<std::size_t>(layer.value) < layers.size()) {
        facts.experts = layers[static_cast<std::size_t>(layer.value)].experts;
    }
    facts.load.resize(static_cast<std::size_t>(std::max(0, facts.experts)));
    facts.meanNorm = kMissing;
    if (!hasLayer(&info, layer) || info.shape.size() != 2) {
        return facts;
    }
    facts.tokens = info.shape[0];
    ExpertCounter counter(facts, source.head().corpus.ids);
    countRows(source, branch, layer, counter, facts, stop);
    counter.finish(maxTokens);
    facts.meanNorm = readMeanNorm(source, branch, layer, expert, stop);
    return facts;
}

std::vector<PairSeries> readPair(const FigureSource& source, BranchId branch,
                                 const std::string& row, const std::string& column,
                                 const std::stop_token& stop) {
    std::vector<PairSeries> result;
    for (const auto& [experiment, quantity] : kPairMaps) {
        const QuantityInfo* info = source.find(quantityId(branch, experiment, quantity));
        if (info == nullptr || info->shape.size() != 2) {
            continue;
        }
        const auto i = labelIndex(*info, 0, row);
        const auto j = labelIndex(*info, 1, column);
        if (!i || !j) {
            continue;
        }
        PairSeries series{std::string(experiment), std::string(quantity), info->layers, {}};
        for (const LayerId layer : info->layers) {
            if (stop.stop_requested()) {
                return result;
            }
            series.values.push_back(pairValue(source, *info, layer, *i, *j));
        }
        result.push_back(std::move(series));
    }
    return result;
}

}  // namespace moescope::widgets
