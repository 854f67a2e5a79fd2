// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/importance.h"

#include "core/base/error.h"
#include "core/figures/routed_text.h"
#include "core/numerics/expert_use.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace moescope::figures {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kExperiment = "importance";

/// Fills the columns of a table.
class TableMaker {
public:
    explicit TableMaker(const BuildContext& context)
        : m_context(context), m_tokens(context.tokens()) {
        m_table.tokens = m_tokens.count();
        for (const ImportanceCriterion& criterion : importanceCriteria()) {
            m_table.columns.push_back({&criterion, {}, {}});
        }
    }

    ImportanceTable make() {
        const session::QuantityInfo& ids = m_context.require("ids");
        for (const LayerId layer : ids.layers) {
            const auto routing = m_context.routing(layer);
            m_table.layers.push_back({layer, routing->experts, routing->topK, m_table.rows()});
            m_context.throwIfStopped();
            addUse(layer, *routing);
        }
        if (!hasNorms()) {
            for (const char* id : {"ean_sum", "ean_mean", "reap"}) {
                miss(id, kExperiment);
            }
        }
        addLargest();
        addNearest("output_similarity", {"mean_angular"}, true);
        addNearest("weight_similarity", {"gate", "up", "down"}, false);
        addRemoval();
        return std::move(m_table);
    }

private:
    [[nodiscard]] const session::QuantityInfo* find(std::string_view experiment,
                                                    const std::string& quantity) const {
        return m_context.source.find({m_context.request.branch, std::string(experiment), quantity});
    }
    [[nodiscard]] NdArray read(std::string_view experiment, const std::string& quantity,
                               std::optional<LayerId> layer) const {
        return m_context.source.read({m_context.request.branch, std::string(experiment), quantity},
                                     layer);
    }
    static bool covers(const session::QuantityInfo* info, LayerId layer) {
        return info != nullptr &&
               std::find(info->layers.begin(), info->layers.end(), layer) != info->layers.end();
    }
    /// For all layers, or there would be a list that forgets some.
    [[nodiscard]] bool coversAll(const session::QuantityInfo* info) const {
        return std::all_of(m_table.layers.begin(), m_table.layers.end(),
                           [&](const ImportanceLayer& each) { return covers(info, each.layer); });
    }
    [[nodiscard]] bool hasNorms() const { return coversAll(find(kExperiment, "norm")); }

    ImportanceColumn& column(std::string_view id) {
        return *std::find_if(m_table.columns.begin(), m_table.columns.end(),
                             [&](const auto& each) { return each.criterion->id == id; });
    }
    void miss(std::string_view id, std::string_view experiment) {
        column(id).missing = experiment;
        column(id).values.assign(m_table.rows(), kNaN);
    }
    void missSelection(std::string_view id) {
        column(id).missing = "all tokens";
        column(id).values.assign(m_table.rows(), kNaN);
    }

    void addUse(LayerId layer, const Routing& routing) {
        const numerics::Choices all{routing.ids, routing.topK, routing.experts};
        const session::QuantityInfo* norms = find(kExperiment, "norm");
        const bool known = covers(norms, layer);
        const auto k = static_cast<std::size_t>(routing.topK);
        numerics::ExpertUse use(routing.experts);
        for (const TokenRange& range : m_tokens.ranges()) {
            const numerics::Choices part = all.part(range.first, range.count);
            const auto weights =
                std::span(routing.weights).subspan(range.first * k, range.count * k);
            NdArray own;
            if (known) {
                own = m_context.source.readRows(norms->id, layer, range.first, range.count);
                if (own.type() != ElementType::F32 || own.size() != part.ids.size()) {
                    throw Error(ErrorCode::BadSession,
                                fmt::format("importance of layer {}: norm has another shape than "
                                            "the chosen experts; the session is damaged.",
                                            layer.value));
                }
            }
            numerics::addUse(part, weights, known ? own.values<float>() : std::span<const float>(),
                             use);
        }
        for (const auto& [measure, id] : numerics::kUseMeasures) {
            const std::vector<double> values = numerics::measureOf(use, measure, m_tokens.count());
            auto& into = column(id).values;
            into.insert(into.end(), values.begin(), values.end());
        }
    }

    void addLargest() {
        if (m_context.isSelection()) {
            missSelection("largest_output");
            return;
        }
        if (!coversAll(find(kExperiment, "largest_output"))) {
            miss("largest_output", kExperiment);
            return;
        }
        std::vector<std::vector<double>> largest;
        for (const ImportanceLayer& layer : m_table.layers) {
            largest.push_back(read(kExperiment, "largest_output", layer.layer).toDoubles());
            largest.back().resize(static_cast<std::size_t>(layer.experts), kNaN);
            auto& into = column("largest_output").values;
            into.insert(into.end(), largest.back().begin(), largest.back().end());
        }
        for (const auto& flags : numerics::superExperts(largest)) {
            m_table.super.insert(m_table.super.end(), flags.begin(), flags.end());
        }
    }

    /// The largest similarity with another expert of the layer, mean over the quantities.
    void addNearest(std::string_view experiment, const std::vector<std::string>& quantities,
                    bool ofText) {
        if (ofText && m_context.isSelection()) {
            missSelection(experiment);
            return;
        }
        for (const std::string& quantity : quantities) {
            if (!coversAll(find(experiment, quantity))) {
                miss(experiment, experiment);
                return;
            }
        }
        for (const ImportanceLayer& layer : m_table.layers) {
            const auto experts = static_cast<std::size_t>(layer.experts);
            std::vector<double> mean(experts * experts);
            for (const std::string& quantity : quantities) {
                const NdArray all = read(experiment, quantity, layer.layer);
                const bool isMatrix = all.shape().size() == 2;
                const auto width = static_cast<std::size_t>(isMatrix ? all.shape()[1] : 0);
                if (width < experts || all.size() < experts * width) {
                    throw Error(ErrorCode::BadSession,
                                fmt::format("{} of layer {} has fewer rows than the layer has "
                                            "experts; the session is damaged.",
                                            experiment, layer.layer.value));
                }
                for (std::size_t i = 0; i < mean.size(); ++i) {
                    mean[i] += all.at(i / experts * width + i % experts) /
                               static_cast<double>(quantities.size());
                }
            }
            for (std::size_t e = 0; e < experts; ++e) {
                double nearest = kNaN;
                for (std::size_t other = 0; other < experts; ++other) {
                    nearest = other == e ? nearest : std::fmax(nearest, mean[e * experts + other]);
                }
                column(experiment).values.push_back(nearest);
            }
        }
    }

    void addRemoval() {
        if (m_context.isSelection()) {
            missSelection("removal");
            return;
        }
        const session::QuantityInfo* single = find("expert_removal", "single");
        if (single == nullptr || single->axes.size() != 3) {
            miss("removal", "expert_removal");
            return;
        }
        const NdArray values = read("expert_removal", "single", std::nullopt);
        const double intact = read("expert_removal", "intact", std::nullopt).at(0);
        const auto experts = static_cast<std::size_t>(values.shape().at(1));
        const std::size_t measures = values.shape().at(2);
        const std::vector<std::string> rows =
            labelsOf(single->axes[0], static_cast<std::size_t>(values.shape().at(0)));
        auto& into = column("removal").values;
        for (const ImportanceLayer& layer : m_table.layers) {
            const auto row = std::find(rows.begin(), rows.end(), std::to_string(layer.layer.value));
            for (std::size_t e = 0; e < static_cast<std::size_t>(layer.experts); ++e) {
                const auto at = static_cast<std::size_t>(row - rows.begin()) * experts + e;
                into.push_back(
                    row == rows.end() || e >= experts ? kNaN : values.at(at * measures) - intact);
            }
        }
    }

    const BuildContext& m_context;
    TokenSelection m_tokens;
    ImportanceTable m_table;
};

}  // namespace

const ImportanceColumn* ImportanceTable::find(std::string_view criterion) const {
    const ImportanceCriterion* known = findCriterion(criterion);
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [&](const auto& each) { return each.criterion == known; });
    return found == columns.end() ? nullptr : &*found;
}

std::shared_ptr<const ImportanceTable> importanceTable(const BuildContext& context) {
    const std::string key =
        fmt::format("importance/{}/{}", context.request.branch.value, listOf(context.tokens()));
    return std::static_pointer_cast<const ImportanceTable>(
        context.memory.remembered(key, [&]() -> std::shared_ptr<const void> {
            return std::make_shared<const ImportanceTable>(TableMaker(context).make());
        }));
}

}  // namespace moescope::figures
