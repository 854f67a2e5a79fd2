// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiments/removed_experts.h"

#include <filesystem>
#include <string>
#include <vector>

namespace moescope::experiments {

/// What a prune list is checked against.
struct PrunedModel {
    struct Layer {
        int experts = 0;  ///< 0: not routed
        int topK = 0;
    };
    std::string name, identity;
    std::vector<Layer> layers;
};

/// The experts that a file says to remove, named after the file. It is JSON: what `export --format
/// json` writes of a figure with a list, or whatever has such a "list", [{"layer": 0, "expert": 3},
/// ...], or pairs [[0, 3], ...], alone or in an object. Where the file names a model by its
/// identity, that has to be this one. Throws Error(FileNotFound | FileUnreadable), and Error(Usage)
/// naming the file with line or entry and what is valid: no such JSON, an empty list, another
/// model, an expert that is not there or named twice, a layer left with fewer than it chooses.
[[nodiscard]] ExpertList readPruneList(const std::filesystem::path& file, const PrunedModel& model);

}  // namespace moescope::experiments
