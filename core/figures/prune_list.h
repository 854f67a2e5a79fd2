// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/strong_id.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Which experts would go, for whoever prunes a checkpoint.
namespace moescope::figures {

struct Figure;

/// What experts can be ordered by.
struct ImportanceCriterion {
    std::string_view id;     ///< "ean_mean": on the command line and in files
    std::string_view title;  ///< "EAN mean": above a column
    std::string_view name;   ///< "mean output norm": in a sentence, beside a colour bar
    bool lowGoes = true;     ///< what is small goes first; else what is large
};
[[nodiscard]] std::span<const ImportanceCriterion> importanceCriteria();
/// Hyphens for underscores are accepted. nullptr when unknown.
[[nodiscard]] const ImportanceCriterion* findCriterion(std::string_view id);
/// "load, weight_mass, ...", for messages.
[[nodiscard]] std::string criterionNames();

/// What is asked for.
struct PruneChoice {
    std::string criterion{};    ///< an id; empty: REAP where it is known, else load
    double share = 0.25;        ///< of the experts, [0, 1); rounded down to whole ones
    bool acrossLayers = false;  ///< the lowest of all layers together, not of each
    bool operator==(const PruneChoice&) const = default;
};

/// What happens to the text's loss when these experts go.
struct PruneEffect {
    double intactLoss = 0.0, loss = 0.0;  ///< mean over next tokens, nats
    double intactAccuracy = 0.0, accuracy = 0.0;
    double changed = 0.0;  ///< share of predictions that are others
};

/// Which experts would go.
struct PruneList {
    struct Layer {
        LayerId layer;
        int topK = 0;
        std::vector<int> removed;         ///< ascending
        std::optional<double> threshold;  ///< score of the last that goes
        std::vector<double> scores;       ///< [E]
    };
    PruneChoice choice;
    const ImportanceCriterion* criterion = nullptr;
    std::vector<Layer> layers;
    std::optional<PruneEffect> measured;  ///< where a run has removed just these
    /// Sum of the rises when each of them goes alone; absent where that is not known.
    std::optional<double> sumOfSingle;
    std::string note;  ///< why there is no measured loss and how to get it; empty with one
    /// What would measure it; nothing where it is, or is of selected tokens.
    enum class Measurement { None, Curves, List };
    Measurement measurement = Measurement::None;
    [[nodiscard]] std::size_t removedCount() const;
    [[nodiscard]] std::size_t expertCount() const;
    /// Of the experts, what really goes: no more than was asked for.
    [[nodiscard]] double share() const;
};

/// The figure's list with the scores of all experts, the model, the session and the measured loss,
/// as JSON; its keys are described in the help. Throws Error(Usage) for a figure without a list.
[[nodiscard]] std::string toJson(const Figure& figure);

}  // namespace moescope::figures
