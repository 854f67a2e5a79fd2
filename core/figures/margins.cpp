// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/margins.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace moescope::figures {
namespace {

bool covers(const session::QuantityInfo* info, LayerId layer) {
    return info != nullptr &&
           std::find(info->layers.begin(), info->layers.end(), layer) != info->layers.end();
}

/// The rows of the tokens asked for, one after the other.
std::vector<double> rowsOf(const BuildContext& context, const session::QuantityInfo& info,
                           LayerId layer, const TokenSelection& tokens, std::size_t width) {
    std::vector<double> values;
    for (const TokenRange& range : tokens.ranges()) {
        const NdArray rows = context.source.readRows(info.id, layer, range.first, range.count);
        if (rows.size() != range.count * width) {
            throw Error(ErrorCode::BadSession,
                        fmt::format("{}/{} of layer {} has another shape than this program writes; "
                                    "the session is damaged.",
                                    info.id.experiment, info.id.quantity, layer.value));
        }
        const std::vector<double> part = rows.toDoubles();
        values.insert(values.end(), part.begin(), part.end());
    }
    return values;
}

}  // namespace

double LayerMargins::relativeEntropy(std::size_t row) const {
    return experts > 1 ? entropy[row] / std::log(static_cast<double>(experts)) : 0.0;
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
        result.selection = rowsOf(context, *alone, layer, tokens, 1);
        return result;
    }
    const std::vector<double> all = rowsOf(context, *whole, layer, tokens, LayerMargins::kMeasures);
    for (std::size_t i = 0; i < all.size(); i += LayerMargins::kMeasures) {
        result.selection.push_back(all[i]);
        result.logit.push_back(all[i + 1]);
        result.entropy.push_back(all[i + 2]);
    }
    if (const session::QuantityInfo* next = find("router_margin", "next_expert");
        covers(next, layer)) {
        for (const double expert : rowsOf(context, *next, layer, tokens, 1)) {
            result.next.push_back(static_cast<int>(expert));
        }
    }
    const session::QuantityInfo* flips = find("router_margin", "flips");
    if (covers(flips, layer) && flips->axes.size() == 2) {
        result.changes = flips->axes[1].labels;
        for (const double flip : rowsOf(context, *flips, layer, tokens, result.changes.size())) {
            result.flips.push_back(flip != 0.0 ? 1 : 0);
        }
    }
    return result;
}

std::vector<LayerMargins> marginsOfLayers(const BuildContext& context) {
    std::vector<LayerMargins> result;
    const auto& layers = context.head().model.layers;
    for (std::size_t l = 0; l < layers.size(); ++l) {
        const LayerId layer{static_cast<int>(l)};
        if (!layers[l].isRouted() || (context.request.layer && *context.request.layer != layer)) {
            continue;
        }
        context.throwIfStopped();
        if (auto margins = marginsOf(context, layer)) {
            result.push_back(std::move(*margins));
        }
    }
    return result;
}

}  // namespace moescope::figures
