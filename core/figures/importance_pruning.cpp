// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/importance.h"
#include "core/figures/measured_lists.h"
#include "core/numerics/expert_use.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace moescope::figures {
namespace {

/// What goes first is low.
std::vector<double> ordered(const ImportanceColumn& column) {
    std::vector<double> scores = column.values;
    for (double& score : scores) {
        score = column.criterion->lowGoes ? score : -score;
    }
    return scores;
}

/// Rows of one layer after another.
std::vector<std::vector<std::size_t>> lowestOfEach(const std::vector<ImportanceLayer>& layers,
                                                   const std::vector<double>& scores,
                                                   double share) {
    std::vector<std::vector<std::size_t>> removed;
    removed.reserve(layers.size());
    for (const ImportanceLayer& layer : layers) {
        removed.push_back(numerics::lowestPlaces(
            std::span(scores).subspan(layer.firstRow, static_cast<std::size_t>(layer.experts)),
            numerics::prunedCount(share, layer.experts, layer.topK)));
    }
    return removed;
}

/// The lowest of all together; a layer keeps as many as it chooses.
std::vector<std::vector<std::size_t>> lowestOfAll(const std::vector<ImportanceLayer>& layers,
                                                  const std::vector<double>& scores, double share) {
    std::vector<double> all;
    std::vector<std::size_t> layerOf;
    for (std::size_t l = 0; l < layers.size(); ++l) {
        const auto first = scores.begin() + static_cast<std::ptrdiff_t>(layers[l].firstRow);
        all.insert(all.end(), first, first + layers[l].experts);
        layerOf.resize(all.size(), l);
    }
    std::vector<std::size_t> starts(layers.size());
    for (std::size_t l = 1; l < layers.size(); ++l) {
        starts[l] = starts[l - 1] + static_cast<std::size_t>(layers[l - 1].experts);
    }
    std::size_t left = numerics::prunedCount(share, static_cast<int>(all.size()), 0);
    std::vector<std::vector<std::size_t>> removed(layers.size());
    for (const std::size_t place : numerics::lowestPlaces(all, all.size())) {
        const std::size_t l = layerOf[place];
        if (left > 0 &&
            removed[l].size() < numerics::prunedCount(1.0, layers[l].experts, layers[l].topK)) {
            removed[l].push_back(place - starts[l]);
            --left;
        }
    }
    return removed;
}

PruneEffect effectOf(const NdArray& intact, const NdArray& values, std::size_t at) {
    return {.intactLoss = intact.at(0),
            .loss = values.at(at),
            .intactAccuracy = intact.at(1),
            .accuracy = values.at(at + 1),
            .changed = values.at(at + 2)};
}

constexpr std::size_t kMeasures = 3;

/// From the removal of single experts in single layers.
std::optional<PruneEffect> effectOfOne(const BuildContext& context, const PruneList& list) {
    const BranchId branch = context.request.branch;
    const session::QuantityInfo* single = context.source.find({branch, "expert_removal", "single"});
    const auto layer = std::find_if(list.layers.begin(), list.layers.end(),
                                    [](const auto& each) { return !each.removed.empty(); });
    if (single == nullptr || single->axes.size() != kMeasures || layer == list.layers.end() ||
        context.isSelection()) {
        return std::nullopt;
    }
    const NdArray values = context.source.read(single->id, std::nullopt);
    const NdArray intact = context.source.read({branch, "expert_removal", "intact"}, std::nullopt);
    const std::vector<std::string> rows =
        labelsOf(single->axes[0], static_cast<std::size_t>(values.shape().at(0)));
    const auto row = std::find(rows.begin(), rows.end(), std::to_string(layer->layer.value));
    const auto experts = static_cast<std::size_t>(values.shape().at(1));
    const auto expert = static_cast<std::size_t>(layer->removed.front());
    if (row == rows.end() || expert >= experts) {
        return std::nullopt;
    }
    return effectOf(intact, values,
                    (static_cast<std::size_t>(row - rows.begin()) * experts + expert) * kMeasures);
}

bool removesAsMany(const PruneList& list, const ImportanceTable& table, double share) {
    return list.layers.size() == table.layers.size() &&
           std::equal(list.layers.begin(), list.layers.end(), table.layers.begin(),
                      [&](const PruneList::Layer& removed, const ImportanceLayer& layer) {
                          return removed.removed.size() ==
                                 numerics::prunedCount(share, layer.experts, layer.topK);
                      });
}

/// From the curves of the experiment pruning, where a step of them removes as many of every layer.
std::optional<PruneEffect> effectOfMany(const BuildContext& context, const PruneList& list,
                                        const ImportanceTable& table) {
    const BranchId branch = context.request.branch;
    const session::QuantityInfo* curves = context.source.find({branch, "pruning", "curves"});
    if (curves == nullptr || curves->axes.size() != kMeasures || list.choice.acrossLayers ||
        context.isSelection()) {
        return std::nullopt;
    }
    const auto& criteria = curves->axes[0].labels;
    const auto& shares = curves->axes[1].labels;
    const auto row = std::find(criteria.begin(), criteria.end(), list.criterion->id);
    for (std::size_t step = 0; step < shares.size() && row != criteria.end(); ++step) {
        double share = 0.0;
        const auto parsed =
            std::from_chars(shares[step].data(), shares[step].data() + shares[step].size(), share);
        if (parsed.ec == std::errc() && removesAsMany(list, table, share)) {
            const NdArray values = context.source.read(curves->id, std::nullopt);
            const NdArray intact = context.source.read({branch, "pruning", "intact"}, std::nullopt);
            const auto at =
                (static_cast<std::size_t>(row - criteria.begin()) * shares.size() + step) *
                kMeasures;
            return effectOf(intact, values, at);
        }
    }
    return std::nullopt;
}

ExpertSet expertsOf(const PruneList& list) {
    ExpertSet experts;
    for (const PruneList::Layer& layer : list.layers) {
        for (const int expert : layer.removed) {
            experts.emplace_back(layer.layer.value, expert);
        }
    }
    return experts;
}

/// From prune lists and chosen sets that happen to be the same experts.
std::optional<PruneEffect> effectOfSet(const BuildContext& context, const PruneList& list) {
    if (context.isSelection()) {
        return std::nullopt;
    }
    const ExpertSet experts = expertsOf(list);
    for (const auto& sets : {measuredLists(context), measuredSets(context)}) {
        for (const MeasuredSet& set : sets) {
            if (set.experts == experts && std::isfinite(set.effect.loss)) {
                return set.effect;
            }
        }
    }
    return std::nullopt;
}

std::optional<double> sumOfSingle(const PruneList& list, const ImportanceTable& table) {
    const ImportanceColumn& removal = *table.find("removal");
    if (!removal.isThere()) {
        return std::nullopt;
    }
    double sum = 0.0;
    for (const PruneList::Layer& layer : list.layers) {
        const auto place =
            std::find_if(table.layers.begin(), table.layers.end(),
                         [&](const ImportanceLayer& each) { return each.layer == layer.layer; });
        for (const int expert : layer.removed) {
            sum += removal.values[place->firstRow + static_cast<std::size_t>(expert)];
        }
    }
    return std::isfinite(sum) ? std::optional(sum) : std::nullopt;
}

/// Throws when it is not there.
const ImportanceColumn& requireColumn(const BuildContext& context, const ImportanceTable& table,
                                      const std::string& criterion) {
    const ImportanceColumn& column = columnOf(table, criterion);
    if (column.isThere()) {
        return column;
    }
    const std::string why =
        column.missing == "all tokens"
            ? std::string("is known of the whole text only, not of selected tokens")
            : fmt::format(
                  "needs the experiment {}, which this session does not hold for all "
                  "layers. Add it with: moescope analyze ... --experiments {}",
                  column.missing, column.missing);
    throw Error(ErrorCode::Usage,
                fmt::format("The figure {}: {} {}.", context.info.name, column.criterion->id, why));
}

bool isMeasuredBy(const ImportanceCriterion& criterion) {
    return std::any_of(numerics::kUseMeasures.begin(), numerics::kUseMeasures.end(),
                       [&](const auto& measure) { return measure.second == criterion.id; });
}

/// Why no measured loss is known of a list that is not empty.
void explain(const BuildContext& context, const ImportanceTable& table, PruneList& list) {
    const auto isStep = [&](double share) { return removesAsMany(list, table, share); };
    if (context.isSelection()) {
        list.note = "it is measured on the whole text";
    } else if (!context.request.layer && !list.choice.acrossLayers &&
               isMeasuredBy(*list.criterion) &&
               std::any_of(numerics::kPrunedShares.begin(), numerics::kPrunedShares.end(),
                           isStep)) {
        list.note = "pruning curves (experiment pruning) would tell";
        list.measurement = PruneList::Measurement::Curves;
    } else {  // no step of the curves
        list.note = "the exported list can be measured (experiment pruning)";
        list.measurement = PruneList::Measurement::List;
    }
}

}  // namespace

const ImportanceColumn& columnOf(const ImportanceTable& table, std::string_view criterion) {
    if (criterion.empty()) {
        const ImportanceColumn& reap = *table.find("reap");
        return reap.isThere() ? reap : *table.find("load");
    }
    const ImportanceColumn* column = table.find(criterion);
    if (column == nullptr) {
        throw Error(ErrorCode::Usage, fmt::format("There is no criterion \"{}\"; there are: {}.",
                                                  criterion, criterionNames()));
    }
    return *column;
}

PruneList pruneList(const BuildContext& context, const ImportanceTable& table,
                    const PruneChoice& choice) {
    if (!(choice.share >= 0.0 && choice.share < 1.0)) {
        throw Error(ErrorCode::Usage,
                    fmt::format("A share of {} of the experts cannot go: give a number from 0 to "
                                "below 1.",
                                choice.share));
    }
    const ImportanceColumn& column = requireColumn(context, table, choice.criterion);
    const std::vector<ImportanceLayer> layers = shownLayers(context, table);
    const std::vector<double> scores = ordered(column);
    const auto removed = choice.acrossLayers ? lowestOfAll(layers, scores, choice.share)
                                             : lowestOfEach(layers, scores, choice.share);
    PruneList list;
    list.choice = choice;
    list.criterion = column.criterion;
    std::optional<double> highest;  // of all that go
    for (std::size_t l = 0; l < layers.size(); ++l) {
        PruneList::Layer entry{layers[l].layer, layers[l].topK, {}, {}, {}};
        const auto first = column.values.begin() + static_cast<std::ptrdiff_t>(layers[l].firstRow);
        entry.scores.assign(first, first + layers[l].experts);
        for (const std::size_t expert : removed[l]) {
            entry.removed.push_back(static_cast<int>(expert));
        }
        if (!removed[l].empty()) {
            entry.threshold = entry.scores[removed[l].back()];
            const double last = scores[layers[l].firstRow + removed[l].back()];
            highest = std::max(highest.value_or(last), last);
        }
        std::sort(entry.removed.begin(), entry.removed.end());
        list.layers.push_back(std::move(entry));
    }
    for (PruneList::Layer& layer : list.layers) {
        if (choice.acrossLayers && highest) {
            layer.threshold = column.criterion->lowGoes ? *highest : -*highest;
        }
    }
    list.measured = effectOfMany(context, list, table);
    if (!list.measured && list.removedCount() == 1) {
        list.measured = effectOfOne(context, list);
    }
    if (list.measured && !std::isfinite(list.measured->loss)) {
        list.measured.reset();  // of a run that has not come so far
    }
    if (!list.measured && list.removedCount() > 0) {
        list.measured = effectOfSet(context, list);
    }
    list.sumOfSingle = sumOfSingle(list, table);
    if (!list.measured && list.removedCount() > 0) {
        explain(context, table, list);
    }
    return list;
}

}  // namespace moescope::figures
