// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/token_losses.h"

#include "core/base/error.h"
#include "core/experiments/removed_experts.h"
#include "core/figures/removal.h"
#include "core/figures/whole_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace moescope::figures {
namespace {

using Kind = RemovalChoice::Kind;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

const session::QuantityInfo* findIn(const FigureSource& source, BranchId branch,
                                    std::string_view quantity) {
    return source.find({branch, "expert_removal", std::string(quantity)});
}

std::string lossesOf(std::string_view table) {
    return fmt::format("{}_token_loss", table);
}

std::vector<std::string> labelsOfAxis(const session::QuantityInfo* info, std::size_t axis) {
    return info != nullptr && axis < info->axes.size() ? info->axes[axis].labels
                                                       : std::vector<std::string>();
}

std::optional<std::uint64_t> placeOf(const std::vector<std::string>& labels,
                                     const std::string& label) {
    const auto found = std::find(labels.begin(), labels.end(), label);
    return found == labels.end()
               ? std::nullopt
               : std::optional(static_cast<std::uint64_t>(found - labels.begin()));
}

/// Of a label of the axis at_layer. Throws Error(BadSession).
LayerId layerOf(const std::string& label) {
    int layer = -1;
    const char* const end = label.data() + label.size();
    if (std::from_chars(label.data(), end, layer).ptr != end || layer < 0) {
        throw Error(
            ErrorCode::BadSession,
            fmt::format("expert_removal names the layer \"{}\"; the session is damaged.", label));
    }
    return LayerId{layer};
}

/// What single tokens of all of this session's removals take.
std::uint64_t bytesOfAll(const BuildContext& context) {
    const auto rows = [&](const char* table) {
        const session::QuantityInfo* info = findIn(context.source, context.request.branch, table);
        std::uint64_t count = info == nullptr ? 0 : 1;
        for (std::size_t axis = 0; info != nullptr && axis + 1 < info->axes.size(); ++axis) {
            count *= info->axes[axis].labels.size();
        }
        return count;
    };
    return (rows("single") + rows("everywhere") + rows("set")) *
           context.head().corpus.tokenCount() * experiments::kTokenOutcomeBytes;
}

std::string keptText(const KeptRemovals& kept) {
    std::string text;
    const auto add = [&](bool is, const std::string& what) {
        text += is ? (text.empty() ? "" : ", ") + what : std::string();
    };
    add(kept.inLayer, "one expert in one layer");
    add(kept.everywhere, "one index in all layers");
    for (const std::string& set : kept.sets) {
        add(true, "the set " + set);
    }
    return text.empty() ? "no removal" : text;
}

[[noreturn]] void throwNotKept(const BuildContext& context, const std::string& what,
                               const char* table, const std::string& how) {
    const KeptRemovals kept = keptRemovals(context.source, context.request.branch);
    const bool wasRemoved =
        findIn(context.source, context.request.branch, table) != nullptr && how.empty();
    constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
    throw Error(
        ErrorCode::Usage,
        fmt::format("The session keeps losses of single tokens for {}, not for {}. {}",
                    keptText(kept), what,
                    wasRemoved
                        ? fmt::format("Run expert_removal again with --kept-size {}M: so much "
                                      "room those of all its removals take.",
                                      bytesOfAll(context) / kMiB + 1)
                        : "Add them with: moescope analyze ... --experiments expert_removal" +
                              (how.empty() ? std::string() : " --remove " + how)));
}

/// The expert whose removal costs most in a table of experts by measure, or in a row of one.
std::optional<int> worstExpert(const BuildContext& context, const char* quantity, std::size_t axes,
                               std::uint64_t row) {
    const auto table = RemovalTable::read(context, quantity, axes);
    if (!table) {
        return std::nullopt;
    }
    const std::size_t experts = table->labels(axes - 1).size();
    std::optional<int> worst;
    double most = -std::numeric_limits<double>::infinity();
    for (std::size_t expert = 0; expert < experts; ++expert) {
        const double loss = table->at(row * experts + expert).loss;
        if (loss > most) {
            most = loss;
            worst = static_cast<int>(expert);
        }
    }
    return worst;
}

std::string nameOf(const experiments::RemovedExpert& removed) {
    return removed.layer ? fmt::format("expert {} of layer {}", removed.expert, *removed.layer)
                         : fmt::format("expert {} of every layer", removed.expert);
}

/// Throws where the model has no such expert: to advise its removal would lead nowhere.
void requireExpert(const BuildContext& context, const experiments::RemovedExpert& removed) {
    const auto& layers = context.head().model.layers;
    int experts = 0;
    if (!removed.layer) {
        for (const session::LayerSummary& layer : layers) {
            experts = std::max(experts, layer.experts);
        }
    } else if (static_cast<std::size_t>(*removed.layer) < layers.size()) {
        experts = layers[static_cast<std::size_t>(*removed.layer)].experts;
    }
    if (experts == 0) {
        throw Error(ErrorCode::Usage,
                    fmt::format("There is no layer {} with routed experts, of which expert {} was "
                                "asked for.",
                                removed.layer.value_or(0), removed.expert));
    }
    if (removed.expert < 0 || removed.expert >= experts) {
        const std::string where = removed.layer ? fmt::format("Layer {} has", *removed.layer)
                                                : std::string("The layers have");
        throw Error(ErrorCode::Usage,
                    fmt::format("{} experts 0 to {}, but expert {} was asked for.", where,
                                experts - 1, removed.expert));
    }
}

KeptRemoval inLayer(const BuildContext& context, std::optional<LayerId> layer,
                    std::optional<int> expert) {
    const session::QuantityInfo* info =
        findIn(context.source, context.request.branch, lossesOf(kInLayerTable));
    if (info == nullptr) {
        throwNotKept(context, "one expert in one layer", "single", {});
    }
    const std::vector<std::string> layers = labelsOfAxis(info, 0);
    const auto row =
        layer ? placeOf(layers, std::to_string(layer->value)) : std::optional<std::uint64_t>(0);
    if (!row || layers.empty()) {
        throw Error(ErrorCode::Usage,
                    fmt::format("No expert of layer {} was removed by itself: it has no router, or "
                                "no more experts than it chooses.",
                                layer.value_or(LayerId{0}).value));
    }
    KeptRemoval removal{kInLayerTable, *row};
    removal.layer = layer ? *layer : layerOf(layers[*row]);
    removal.isDefault = !expert;
    if (!expert) {
        expert = worstExpert(context, "single", 2, *row).value_or(0);
    }
    requireExpert(context, {removal.layer->value, *expert});
    removal.expert = expert;
    removal.cell = static_cast<std::uint64_t>(*expert);
    removal.name = nameOf({removal.layer->value, *expert});
    return removal;
}

KeptRemoval everywhere(const BuildContext& context, std::optional<int> expert) {
    const session::QuantityInfo* info =
        findIn(context.source, context.request.branch, lossesOf(kEverywhereTable));
    if (info == nullptr) {
        throwNotKept(context, "one index in all layers", "everywhere", {});
    }
    KeptRemoval removal{kEverywhereTable};
    removal.isDefault = !expert;
    removal.expert = expert ? expert : worstExpert(context, "everywhere", 1, 0);
    requireExpert(context, {std::nullopt, removal.expert.value_or(0)});
    const auto row = placeOf(labelsOfAxis(info, 0), std::to_string(removal.expert.value_or(0)));
    if (!row) {
        throw Error(ErrorCode::Usage,
                    fmt::format("There is no expert {} to be removed in all layers.",
                                removal.expert.value_or(0)));
    }
    removal.row = *row;
    removal.name = nameOf({std::nullopt, removal.expert.value_or(0)});
    return removal;
}

KeptRemoval chosenSet(const BuildContext& context, const std::string& set) {
    const KeptRemovals kept = keptRemovals(context.source, context.request.branch);
    const auto removed = experiments::parseRemoved(set);
    if (const auto row = placeOf(kept.sets, set)) {
        KeptRemoval removal{kSetTable, *row};
        removal.name = removed.size() == 1 ? nameOf(removed.front()) : set;
        return removal;
    }
    if (removed.size() == 1 && removed.front().layer && kept.inLayer) {
        return inLayer(context, LayerId{*removed.front().layer}, removed.front().expert);
    }
    if (removed.size() == 1 && !removed.front().layer && kept.everywhere) {
        return everywhere(context, removed.front().expert);
    }
    for (const experiments::RemovedExpert& each : removed) {
        requireExpert(context, each);
    }
    throwNotKept(context, "the set " + set, "set", set);
}

/// The rows of a table's quantity that stand side by side: [cells, T].
NdArray rowOf(const BuildContext& context, const KeptRemoval& removal,
              const std::string& quantity) {
    context.throwIfStopped();
    NdArray row = context.source.readRows(context.id(quantity), std::nullopt, removal.row, 1);
    const std::uint64_t tokens = context.head().corpus.tokenCount();
    if (row.shape().empty() || row.shape().back() != tokens ||
        row.size() < (removal.cell + 1) * tokens) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("expert_removal/{} in the session is not a table of removals and "
                                "of the text's tokens; the file is damaged.",
                                quantity));
    }
    return row;
}

NdArray lossRowOf(const BuildContext& context, const KeptRemoval& removal) {
    return rowOf(context, removal, lossesOf(removal.table));
}

NdArray intactOf(const BuildContext& context) {
    NdArray intact = context.read("token_loss", std::nullopt);
    if (intact.size() != context.head().corpus.tokenCount()) {
        throw Error(ErrorCode::BadSession,
                    "expert_removal/token_loss in the session is not of the text's tokens; the "
                    "file is damaged.");
    }
    return intact;
}

/// Below which all but a hundredth of the magnitudes lie.
double usualOf(const NdArray& intact, const NdArray& row, std::uint64_t cell) {
    constexpr double kUsual = 0.99;
    const std::uint64_t tokens = intact.size();
    std::vector<float> rises;
    rises.reserve(tokens);
    for (std::uint64_t token = 0; token < tokens; ++token) {
        const auto rise = static_cast<float>(row.at(cell * tokens + token) - intact.at(token));
        if (std::isfinite(rise)) {
            rises.push_back(std::abs(rise));
        }
    }
    if (rises.empty()) {
        return 0.0;
    }
    const auto place =
        static_cast<std::ptrdiff_t>(std::ceil(kUsual * static_cast<double>(rises.size())) - 1.0);
    std::nth_element(rises.begin(), rises.begin() + place, rises.end());
    return static_cast<double>(rises[static_cast<std::size_t>(place)]);
}

}  // namespace

KeptRemovals keptRemovals(const FigureSource& source, BranchId branch) {
    if (findIn(source, branch, "token_loss") == nullptr) {
        return {};
    }
    return {findIn(source, branch, lossesOf(kInLayerTable)) != nullptr,
            findIn(source, branch, lossesOf(kEverywhereTable)) != nullptr,
            labelsOfAxis(findIn(source, branch, lossesOf(kSetTable)), 0)};
}

std::vector<KeptRemoval> removalsAsked(const BuildContext& context, bool onlyOne) {
    (void)context.require("token_loss");
    const RemovalChoice choice = context.request.removal.value_or(
        usualRemoval(keptRemovals(context.source, context.request.branch)));
    switch (choice.kind) {
        case Kind::InLayer:
            return {inLayer(context, context.request.layer, context.request.expert)};
        case Kind::Everywhere:
            return {everywhere(context, context.request.expert)};
        case Kind::Set:
            return {chosenSet(context, choice.set)};
        case Kind::AllSets:
            break;
    }
    std::vector<KeptRemoval> removals;
    for (const std::string& set : keptRemovals(context.source, context.request.branch).sets) {
        removals.push_back(chosenSet(context, set));
    }
    if (removals.empty()) {
        throwNotKept(context, "chosen sets", "set", "SET");
    }
    if (onlyOne) {
        removals.resize(1);
    }
    return removals;
}

std::string defaultText(const KeptRemoval& removal) {
    return removal.isDefault
               ? fmt::format(" No expert is selected: {} is the one whose removal costs most.",
                             removal.name)
               : std::string();
}

TokenLosses lossesWithout(const BuildContext& context, const KeptRemoval& removal) {
    const NdArray intact = intactOf(context);
    const NdArray row = lossRowOf(context, removal);
    const std::uint64_t tokens = intact.size();
    TokenLosses losses{std::vector<float>(tokens, kNaN), std::vector<float>(tokens, kNaN)};
    const auto& offsets = context.head().corpus.offsets;
    for (std::size_t document = 0; document + 1 < offsets.size(); ++document) {
        for (std::uint64_t token = offsets[document] + 1; token < offsets[document + 1]; ++token) {
            // Kept with the token before, which it follows.
            losses.intact.at(token) = static_cast<float>(intact.at(token - 1));
            losses.without.at(token) =
                static_cast<float>(row.at(removal.cell * tokens + token - 1));
        }
    }
    return losses;
}

std::optional<std::vector<text::TokenId>> predictedWithout(const BuildContext& context,
                                                           const KeptRemoval& removal) {
    const std::string quantity = fmt::format("{}_predicted", removal.table);
    if (context.find(quantity) == nullptr) {
        return std::nullopt;
    }
    const NdArray row = rowOf(context, removal, quantity);
    const std::uint64_t tokens = context.head().corpus.tokenCount();
    std::vector<text::TokenId> ids;
    ids.reserve(tokens);
    for (std::uint64_t token = 0; token < tokens; ++token) {
        ids.push_back(static_cast<text::TokenId>(
            wholeNumberAt(row, removal.cell * tokens + token, "expert_removal/" + quantity,
                          std::numeric_limits<text::TokenId>::max())));
    }
    return ids;
}

namespace {

/// The largest usual rise of all removals of a table.
double usualRiseOfAll(const BuildContext& context, const KeptRemoval& removal) {
    const NdArray intact = intactOf(context);
    const session::QuantityInfo* info =
        findIn(context.source, context.request.branch, lossesOf(removal.table));
    double most = 0.0;
    KeptRemoval other = removal;
    for (other.row = 0; other.row < labelsOfAxis(info, 0).size(); ++other.row) {
        const NdArray row = lossRowOf(context, other);
        for (std::uint64_t cell = 0; cell < row.size() / intact.size(); ++cell) {
            context.throwIfStopped();
            most = std::max(most, usualOf(intact, row, cell));
        }
    }
    return most;
}

}  // namespace

double usualRise(const BuildContext& context, const KeptRemoval& removal, bool ofAll) {
    if (!ofAll) {
        return usualOf(intactOf(context), lossRowOf(context, removal), removal.cell);
    }
    const auto make = [&]() -> std::shared_ptr<const void> {
        return std::make_shared<const double>(usualRiseOfAll(context, removal));
    };
    const std::string key =
        fmt::format("usual rise of {} {}", context.request.branch.value, removal.table);
    return *std::static_pointer_cast<const double>(context.memory.remembered(key, make));
}

std::vector<std::uint64_t> largestRises(const TokenLosses& losses, const TokenSelection& within,
                                        std::size_t most) {
    std::vector<std::uint64_t> order;
    for (const TokenRange& range : within.ranges()) {
        for (std::uint64_t token = range.first; token < range.end(); ++token) {
            if (std::isfinite(losses.rise(token)) && losses.rise(token) > 0.0F) {
                order.push_back(token);
            }
        }
    }
    const auto count = static_cast<std::ptrdiff_t>(std::min(order.size(), most));
    std::partial_sort(order.begin(), order.begin() + count, order.end(),
                      [&](std::uint64_t a, std::uint64_t b) {
                          const float rise = losses.rise(a);
                          const float other = losses.rise(b);
                          return rise != other ? rise > other : a < b;
                      });
    order.resize(static_cast<std::size_t>(count));
    return order;
}

}  // namespace moescope::figures
