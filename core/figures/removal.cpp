// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/removal.h"

#include "core/base/error.h"
#include "core/experiments/removed_experts.h"
#include "core/figures/routed_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace moescope::figures {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
/// As experiments keep them: loss, accuracy, changed; of questions by sums and normalised by
/// tokens.
constexpr std::size_t kMeasures = 3;
constexpr std::size_t kChoiceMeasures = 2;

}  // namespace

std::optional<RemovalTable> RemovalTable::read(const BuildContext& context,
                                               const std::string& quantity, std::size_t axes,
                                               std::string_view experiment) {
    session::QuantityId id = context.id(quantity);
    id.experiment = experiment.empty() ? id.experiment : experiment;
    const session::QuantityInfo* info = context.source.find(id);
    if (info == nullptr) {
        return std::nullopt;
    }
    context.throwIfStopped();
    RemovalTable table;
    table.m_values = context.source.read(id, std::nullopt);
    const Shape& shape = table.m_values.shape();
    if (shape.size() != axes + 1 || shape.back() != kMeasures ||
        info->axes.size() != shape.size()) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("{}/{} in the session has another shape than this program writes; "
                                "the file is damaged.",
                                id.experiment, quantity));
    }
    for (std::size_t axis = 0; axis < axes; ++axis) {
        table.m_labels.push_back(labelsOf(info->axes[axis], static_cast<std::size_t>(shape[axis])));
    }
    table.m_size = static_cast<std::size_t>(table.m_values.size() / kMeasures);
    id.quantity += "_choices";
    if (context.source.find(id) != nullptr) {
        NdArray choices = context.source.read(id, std::nullopt);
        if (choices.size() == table.m_size * kChoiceMeasures) {
            table.m_choices = std::move(choices);
        }
    }
    return table;
}

RemovalOutcome RemovalTable::at(std::size_t row) const {
    const std::size_t at = row * kMeasures;
    RemovalOutcome outcome{m_values.at(at), m_values.at(at + 1), m_values.at(at + 2), kNaN, kNaN};
    if (m_choices) {
        outcome.choices = m_choices->at(row * kChoiceMeasures);
        outcome.choicesNormalised = m_choices->at(row * kChoiceMeasures + 1);
    }
    return outcome;
}

RemovalOutcome intactOutcome(const BuildContext& context) {
    (void)context.require("intact");
    return RemovalTable::read(context, "intact", 0).value().at(0);
}

std::string intactText(const BuildContext& context, const RemovalOutcome& intact) {
    std::string text = fmt::format(" Intact: loss {:.4f}, perplexity {:.2f}, accuracy {:.3f}",
                                   intact.loss, std::exp(intact.loss), intact.accuracy);
    if (!std::isnan(intact.choices)) {
        text += fmt::format(", of choices {:.3f} (normalised by tokens {:.3f})", intact.choices,
                            intact.choicesNormalised);
    }
    const text::TokenizedChoices& questions = context.head().choices;
    if (!std::isnan(intact.choices) && !questions.empty()) {
        text += fmt::format(" of {} questions, by chance {:.3f}", questions.answer.size(),
                            questions.chance());
    }
    return text + ".";
}

std::string setForPeople(const std::string& set) {
    constexpr std::size_t kMostShown = 8;
    constexpr std::size_t kShown = 6;
    const auto count = static_cast<std::size_t>(std::count(set.begin(), set.end(), ',')) + 1;
    const std::size_t shown = count <= kMostShown ? count : kShown;
    std::string text;
    std::size_t entry = 0;
    for (const char c : set) {
        entry += c == ',' ? 1 : 0;
        if (entry == shown) {
            break;
        }
        text += c == ',' ? std::string(", ") : std::string(1, c);
    }
    return shown < count ? fmt::format("{}, ... ({} in all)", text, count) : text;
}

const std::vector<double>& ExpertShares::of(const std::string& layerLabel) const {
    const auto known = m_known.find(layerLabel);
    if (known != m_known.end()) {
        return known->second;
    }
    std::vector<double>& shares = m_known[layerLabel];
    const session::QuantityId id{m_context.request.branch, "chosen_experts", "ids"};
    const session::QuantityInfo* info = m_context.source.find(id);
    const std::vector<LayerId> layers = info == nullptr ? std::vector<LayerId>() : info->layers;
    const auto layer = std::find_if(layers.begin(), layers.end(), [&](LayerId each) {
        return std::to_string(each.value) == layerLabel;
    });
    if (layer != layers.end()) {
        const std::uint64_t tokens = m_context.head().corpus.tokenCount();
        const auto counts = countAssignments(m_context, *layer, TokenRange{0, tokens});
        shares.reserve(counts.size());
        for (const std::uint64_t count : counts) {
            shares.push_back(static_cast<double>(count) / static_cast<double>(tokens));
        }
    }
    return shares;
}

double ExpertShares::at(const std::string& layer, int expert) const {
    const std::vector<double>& shares = of(layer);
    const auto place = static_cast<std::size_t>(expert);
    return expert >= 0 && place < shares.size() ? shares[place] : kNaN;
}

double ExpertShares::meanOf(const std::string& set) const {
    std::vector<experiments::RemovedExpert> removed;
    try {
        removed = experiments::parseRemoved(set);
    } catch (const Error&) {
        return kNaN;  // a set of another program
    }
    double sum = 0.0;
    double count = 0.0;
    const auto add = [&](int layer, int expert) {
        sum += at(std::to_string(layer), expert);
        count += 1.0;
    };
    const auto& layers = m_context.head().model.layers;
    for (const experiments::RemovedExpert& one : removed) {
        for (int layer = 0; layer < static_cast<int>(layers.size()); ++layer) {
            const bool isMeant = one.layer ? *one.layer == layer
                                           : layers[static_cast<std::size_t>(layer)].isRouted();
            if (isMeant) {
                add(layer, one.expert);
            }
        }
    }
    return sum / count;
}

}  // namespace moescope::figures
