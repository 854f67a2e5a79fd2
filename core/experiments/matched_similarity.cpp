// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/matched_similarity.h"

#include "core/base/error.h"
#include "core/experiments/neuron_matching.h"
#include "core/experiments/quantities.h"
#include "core/experiments/roles.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace moescope::experiments {
namespace {

/// What a unit keeps of each role, in this order.
constexpr std::size_t kSimilarity = 0;
constexpr std::size_t kTau = 1;
constexpr std::size_t kPlain = 2;
constexpr std::size_t kMeanCosine = 3;
constexpr std::size_t kKeptCount = 4;

/// One unit: two columns, or none for the baseline at random.
struct Unit {
    int first = -1, second = -1;
    [[nodiscard]] bool isRandom() const { return first < 0; }
};

class MatchedSimilarity final : public engine::UnitProbe {
public:
    explicit MatchedSimilarity(const ExperimentOptions& options)
        : m_joint(options.matching == Matching::Joint), m_pairs(options.matchPairs) {
        for (const engine::Role role : kRoles) {
            if (options.matchRoles.empty() || options.matchRoles.contains(roleName(role))) {
                m_roles.push_back(role);
            }
        }
    }

    [[nodiscard]] std::string_view experiment() const override { return "matched_similarity"; }

    void check(const engine::LayerContext& layer) const override {
        const std::vector<int> columns = columnsOf(layer);
        for (const LabelPair& pair : m_pairs) {
            for (const std::string& label : {pair.first, pair.second}) {
                const bool known = std::any_of(columns.begin(), columns.end(), [&](int column) {
                    return layer.columns[static_cast<std::size_t>(column)].label == label;
                });
                if (!known) {
                    throw Error(ErrorCode::Usage,
                                "Pair " + pair.first + ":" + pair.second +
                                    " of matched similarity: layer " +
                                    std::to_string(layer.layer.value) + " has no " + label +
                                    " as wide as an expert. There are: " + labelList(layer) + ".");
                }
            }
        }
    }

    [[nodiscard]] std::vector<engine::WorkUnit> units(
        const engine::LayerContext& layer) const override {
        const double perRole = matchingOperations(neuronsOf(layer), hiddenOf(layer));
        std::vector<engine::WorkUnit> units;
        for (const Unit& unit : unitsOf(layer)) {
            engine::WorkUnit work;
            work.ofAllLayers = unit.isRandom();
            const std::size_t roles = unit.isRandom() && !m_joint ? 1 : m_roles.size();
            work.operations = perRole * static_cast<double>(roles);
            work.key = unit.isRandom()
                           ? "random " + std::to_string(neuronsOf(layer)) + "x" +
                                 std::to_string(hiddenOf(layer))
                           : labelOf(layer, unit.first) + ":" + labelOf(layer, unit.second);
            units.push_back(std::move(work));
        }
        return units;
    }

    [[nodiscard]] std::uint64_t unitBytes(const engine::LayerContext& layer) const override {
        return matchingBytes(neuronsOf(layer), hiddenOf(layer), m_joint);
    }
    [[nodiscard]] std::uint64_t resultBytes(const engine::LayerContext& layer) const override {
        const std::uint64_t columns = layer.columns.size();
        return m_roles.size() * kKeptCount * columns * columns * sizeof(float);
    }

    [[nodiscard]] std::vector<double> compute(const engine::LayerContext& layer, std::size_t unit,
                                              const engine::NeuronSource& neurons,
                                              const std::function<void()>& poll) const override {
        const Unit pair = unitsOf(layer)[unit];
        const GaussianNeurons gaussian(hiddenOf(layer));
        const auto roles =
            std::span(m_roles).first(pair.isRandom() && !m_joint ? 1 : m_roles.size());
        const NeuronPair task{pair.isRandom() ? 0 : pair.first, pair.isRandom() ? 1 : pair.second,
                              neuronsOf(layer), hiddenOf(layer), roles};
        std::vector<double> result;
        const auto matches = pair.isRandom() ? matchNeurons(task, m_joint, gaussian, poll)
                                             : matchNeurons(task, m_joint, neurons, poll);
        for (const RoleMatch& match : matches) {
            result.insert(result.end(),
                          {match.similarity, match.tau, match.plain, match.meanCosine});
        }
        return result;
    }

    [[nodiscard]] session::Part assemble(
        const engine::LayerContext& layer,
        const std::vector<std::vector<double>>& results) const override {
        session::Part part;
        const std::vector<Unit> units = unitsOf(layer);
        for (std::size_t r = 0; r < m_roles.size(); ++r) {
            addRole(layer, units, results, r, part);
        }
        for (std::size_t u = 0; u < units.size(); ++u) {
            if (units[u].isRandom()) {
                part.quantities.push_back(
                    scalar("random", "matched similarity of Gaussian matrices of this shape",
                           meanSimilarity(results[u])));
            }
        }
        return part;
    }

private:
    /// Columns as wide as an expert.
    static std::vector<int> columnsOf(const engine::LayerContext& layer) {
        std::vector<int> columns;
        for (std::size_t c = 0; c < layer.columns.size(); ++c) {
            if (layer.columns[c].intermediateSize == layer.columns.front().intermediateSize) {
                columns.push_back(static_cast<int>(c));
            }
        }
        return columns;
    }
    static std::uint64_t neuronsOf(const engine::LayerContext& layer) {
        return static_cast<std::uint64_t>(layer.columns.front().intermediateSize);
    }
    static std::uint64_t hiddenOf(const engine::LayerContext& layer) {
        return static_cast<std::uint64_t>(layer.hiddenSize);
    }
    static const std::string& labelOf(const engine::LayerContext& layer, int column) {
        return layer.columns[static_cast<std::size_t>(column)].label;
    }
    static std::string labelList(const engine::LayerContext& layer) {
        std::string list;
        for (const int column : columnsOf(layer)) {
            list += (list.empty() ? "" : ", ") + labelOf(layer, column);
        }
        return list;
    }

    [[nodiscard]] bool isWanted(const std::string& a, const std::string& b) const {
        return m_pairs.empty() ||
               std::any_of(m_pairs.begin(), m_pairs.end(), [&](const LabelPair& pair) {
                   return (pair.first == a && pair.second == b) ||
                          (pair.first == b && pair.second == a);
               });
    }

    /// The baseline at random first: it is the same work as a pair, and tells its time early.
    [[nodiscard]] std::vector<Unit> unitsOf(const engine::LayerContext& layer) const {
        std::vector<Unit> units{Unit{}};
        const std::vector<int> columns = columnsOf(layer);
        for (std::size_t i = 0; i < columns.size(); ++i) {
            for (std::size_t j = i + 1; j < columns.size(); ++j) {
                if (isWanted(labelOf(layer, columns[i]), labelOf(layer, columns[j]))) {
                    units.push_back({columns[i], columns[j]});
                }
            }
        }
        return units;
    }

    static double meanSimilarity(const std::vector<double>& result) {
        double sum = 0.0;
        for (std::size_t i = kSimilarity; i < result.size(); i += kKeptCount) {
            sum += result[i];
        }
        const std::size_t pairs = result.size() / kKeptCount;
        return sum / static_cast<double>(pairs);
    }

    void addRole(const engine::LayerContext& layer, const std::vector<Unit>& units,
                 const std::vector<std::vector<double>>& results, std::size_t r,
                 session::Part& part) const {
        const std::vector<int> columns = columnsOf(layer);
        const std::size_t n = columns.size();
        std::vector<std::string> labels;
        labels.reserve(n);
        for (const int column : columns) {
            labels.push_back(labelOf(layer, column));
        }
        const auto matrix = [&](double diagonal, const auto& value) {
            std::vector<double> values(n * n, std::numeric_limits<double>::quiet_NaN());
            for (std::size_t i = 0; i < n; ++i) {
                values[i * n + i] = diagonal;
            }
            for (std::size_t u = 0; u < units.size(); ++u) {
                if (!units[u].isRandom()) {
                    const auto i = placeOf(columns, units[u].first);
                    const auto j = placeOf(columns, units[u].second);
                    const double entry = value(results[u].data() + r * kKeptCount);
                    values[i * n + j] = entry;
                    values[j * n + i] = entry;
                }
            }
            return values;
        };
        const std::string name = roleName(m_roles[r]);
        const auto add = [&](const std::string& quantity, const std::string& longName,
                             double diagonal, const auto& value) {
            part.quantities.push_back(
                similarityMatrix(quantity, longName, labels, matrix(diagonal, value)));
        };
        add(name, "cosine of " + name + " matrices after matching neurons", 1.0,
            [](const double* kept) { return kept[kSimilarity]; });
        add(name + "_growth", "growth of the cosine of " + name + " matrices by matching", 0.0,
            [](const double* kept) { return kept[kSimilarity] - kept[kPlain]; });
        add(name + "_tau", "Kendall's tau of matched " + name + " neurons", 1.0,
            [](const double* kept) { return kept[kTau]; });
        add(name + "_neurons", "mean cosine of matched " + name + " neurons", 1.0,
            [](const double* kept) { return kept[kMeanCosine]; });
    }

    static std::size_t placeOf(const std::vector<int>& columns, int column) {
        return static_cast<std::size_t>(std::find(columns.begin(), columns.end(), column) -
                                        columns.begin());
    }

    bool m_joint;
    std::vector<engine::Role> m_roles;
    std::vector<LabelPair> m_pairs;  // empty: all
};

}  // namespace

std::unique_ptr<engine::UnitProbe> makeMatchedSimilarity(const ExperimentOptions& options) {
    return std::make_unique<MatchedSimilarity>(options);
}

}  // namespace moescope::experiments
