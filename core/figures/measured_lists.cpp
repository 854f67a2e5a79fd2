// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/measured_lists.h"

#include "core/base/error.h"
#include "core/experiments/removed_experts.h"
#include "core/figures/removal.h"
#include "core/figures/whole_number.h"

#include <algorithm>
#include <limits>

namespace moescope::figures {
namespace {

constexpr std::size_t kListColumns = 3;  // list, layer, expert

/// The rows of a table of sets, which remove nothing yet.
std::vector<MeasuredSet> setsOf(const BuildContext& context, const char* experiment,
                                const char* quantity) {
    const auto table = RemovalTable::read(context, quantity, 1, experiment);
    const auto intact = RemovalTable::read(context, "intact", 0, experiment);
    if (!table || !intact) {
        return {};
    }
    const RemovalOutcome before = intact->at(0);
    std::vector<MeasuredSet> sets;
    sets.reserve(table->size());
    for (std::size_t row = 0; row < table->size(); ++row) {
        const RemovalOutcome outcome = table->at(row);
        sets.push_back({table->labels(0)[row],
                        row,
                        {},
                        {.intactLoss = before.loss,
                         .loss = outcome.loss,
                         .intactAccuracy = before.accuracy,
                         .accuracy = outcome.accuracy,
                         .changed = outcome.changed}});
    }
    return sets;
}

/// The experts of a text; empty where it is not understood.
ExpertSet expertsOf(const std::string& text, const session::ModelSummary& model) {
    std::vector<experiments::RemovedExpert> removed;
    try {
        removed = experiments::parseRemoved(text);
    } catch (const Error&) {
        return {};  // of another program
    }
    ExpertSet experts;
    for (const experiments::RemovedExpert& one : removed) {
        for (std::size_t l = 0; l < model.layers.size(); ++l) {
            const auto layer = static_cast<int>(l);
            if (one.layer ? *one.layer == layer : model.layers[l].isRouted()) {
                experts.emplace_back(layer, one.expert);
            }
        }
    }
    std::sort(experts.begin(), experts.end());
    experts.erase(std::unique(experts.begin(), experts.end()), experts.end());
    return experts;
}

}  // namespace

std::vector<MeasuredSet> measuredLists(const BuildContext& context) {
    std::vector<MeasuredSet> lists = setsOf(context, "pruning", "list");
    const session::QuantityId id{context.request.branch, "pruning", "list_removed"};
    if (lists.empty() || context.source.find(id) == nullptr) {
        return {};
    }
    const NdArray removed = context.source.read(id, std::nullopt);
    for (std::uint64_t row = 0; (row + 1) * kListColumns <= removed.size(); ++row) {
        const auto number = [&](std::uint64_t column, std::uint64_t most) {
            return wholeNumberAt(removed, row * kListColumns + column, "pruning/list_removed",
                                 most);
        };
        constexpr std::uint64_t kMost = std::numeric_limits<int>::max();
        lists[number(0, lists.size() - 1)].experts.emplace_back(static_cast<int>(number(1, kMost)),
                                                                static_cast<int>(number(2, kMost)));
    }
    for (MeasuredSet& list : lists) {
        std::sort(list.experts.begin(), list.experts.end());
    }
    return lists;
}

std::vector<MeasuredSet> measuredSets(const BuildContext& context) {
    std::vector<MeasuredSet> sets = setsOf(context, "expert_removal", "set");
    for (MeasuredSet& set : sets) {
        set.experts = expertsOf(set.name, context.head().model);
    }
    std::erase_if(sets, [](const MeasuredSet& set) { return set.experts.empty(); });
    return sets;
}

std::size_t routedExperts(const session::ModelSummary& model) {
    std::size_t count = 0;
    for (const session::LayerSummary& layer : model.layers) {
        count += static_cast<std::size_t>(layer.experts);
    }
    return count;
}

}  // namespace moescope::figures
