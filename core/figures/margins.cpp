// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/margins.h"

#include "core/base/error.h"
#include "core/figures/routed_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace moescope::figures {
namespace {

constexpr std::string_view kExperiment = "router_margin";

bool covers(const session::QuantityInfo* info, LayerId layer) {
    return info != nullptr &&
           std::find(info->layers.begin(), info->layers.end(), layer) != info->layers.end();
}

/// Calls `take` with blocks of the rows of the tokens asked for, one after the other.
template <typename Take>
void forEachRows(const BuildContext& context, const session::QuantityInfo& info, LayerId layer,
                 std::size_t width, Take take) {
    const TokenSelection tokens = context.tokens();
    for (const TokenRange& range : tokens.ranges()) {
        const NdArray rows = context.source.readRows(info.id, layer, range.first, range.count);
        if (rows.size() != range.count * width) {
            throw Error(ErrorCode::BadSession,
                        fmt::format("{}/{} of layer {} has another shape than this program writes; "
                                    "the session is damaged.",
                                    info.id.experiment, info.id.quantity, layer.value));
        }
        take(rows.toDoubles());
    }
}

}  // namespace

double LayerMargins::relativeEntropy(std::size_t row) const {
    return experts > 1 ? entropy[row] / std::log(static_cast<double>(experts)) : 0.0;
}

std::vector<double> LayerMargins::relativeEntropies() const {
    std::vector<double> values;
    values.reserve(entropy.size());
    for (std::size_t row = 0; row < entropy.size(); ++row) {
        values.push_back(relativeEntropy(row));
    }
    return values;
}

std::optional<LayerMargins> marginsOf(const BuildContext& context, LayerId layer) {
    const BranchId branch = context.request.branch;
    const auto find = [&](const char* experiment, const char* quantity) {
        return context.source.find({branch, experiment, quantity});
    };
    LayerMargins result;
    result.layer = layer;
    result.experts = context.experts(layer);
    const TokenSelection tokens = context.tokens();
    const session::QuantityInfo* whole = find("router_margin", "margin");
    if (!covers(whole, layer)) {
        const session::QuantityInfo* alone = find("chosen_experts", "margin");
        if (!covers(alone, layer)) {
            return std::nullopt;
        }
        forEachRows(context, *alone, layer, 1, [&](const std::vector<double>& rows) {
            result.selection.insert(result.selection.end(), rows.begin(), rows.end());
        });
        return result;
    }
    for (auto* values : {&result.selection, &result.logit, &result.entropy}) {
        values->reserve(tokens.count());
    }
    forEachRows(context, *whole, layer, LayerMargins::kMeasures,
                [&](const std::vector<double>& rows) {
                    for (std::size_t i = 0; i < rows.size(); i += LayerMargins::kMeasures) {
                        result.selection.push_back(rows[i]);
                        result.logit.push_back(rows[i + 1]);
                        result.entropy.push_back(rows[i + 2]);
                    }
                });
    if (const session::QuantityInfo* next = find("router_margin", "next_expert");
        covers(next, layer)) {
        forEachRows(context, *next, layer, 1, [&](const std::vector<double>& rows) {
            std::transform(rows.begin(), rows.end(), std::back_inserter(result.next),
                           [](double expert) { return static_cast<int>(expert); });
        });
    }
    const session::QuantityInfo* flips = find("router_margin", "flips");
    if (covers(flips, layer) && flips->axes.size() == 2) {
        result.changes = flips->axes[1].labels;
        forEachRows(context, *flips, layer, result.changes.size(),
                    [&](const std::vector<double>& rows) {
                        std::transform(rows.begin(), rows.end(), std::back_inserter(result.flips),
                                       [](double flip) { return flip != 0.0 ? 1 : 0; });
                    });
    }
    return result;
}

std::vector<LayerId> layersWithMargins(const BuildContext& context) {
    const BranchId branch = context.request.branch;
    std::vector<LayerId> result;
    const auto& layers = context.head().model.layers;
    for (std::size_t l = 0; l < layers.size(); ++l) {
        const LayerId layer{static_cast<int>(l)};
        const bool isAsked = !context.request.layer || *context.request.layer == layer;
        if (isAsked && layers[l].isRouted() &&
            (covers(context.source.find({branch, "router_margin", "margin"}), layer) ||
             covers(context.source.find({branch, "chosen_experts", "margin"}), layer))) {
            result.push_back(layer);
        }
    }
    return result;
}

bool hasWholeMargins(const BuildContext& context) {
    const BranchId branch = context.request.branch;
    const std::vector<LayerId> layers = layersWithMargins(context);
    return std::all_of(layers.begin(), layers.end(), [&](LayerId layer) {
        const session::QuantityInfo* flips =
            context.source.find({branch, "router_margin", "flips"});
        return covers(context.source.find({branch, "router_margin", "margin"}), layer) &&
               covers(flips, layer) && flips->axes.size() == 2 && !flips->axes[1].labels.empty();
    });
}

void forEachMargins(const BuildContext& context,
                    const std::function<void(const LayerMargins&)>& take) {
    for (const LayerId layer : layersWithMargins(context)) {
        context.throwIfStopped();
        take(marginsOf(context, layer).value());
    }
}

Figure withoutMargins(const BuildContext& context, const std::string& what) {
    Figure figure = derivedFrame(context, kExperiment, what, 0);
    figure.body = NoticeFigure{"No margins in this session: add the experiment router_margin"};
    return figure;
}

std::string onlyMarginText(bool isWhole) {
    return isWhole ? std::string()
                   : std::string(
                         " Logits, entropy and flips are missing: they need the experiment "
                         "router_margin.");
}

}  // namespace moescope::figures
