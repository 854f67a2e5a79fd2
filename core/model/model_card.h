// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/model/model_spec.h"
#include "core/model/parameters.h"

#include <optional>
#include <string>
#include <vector>

namespace moescope::model {

/// What a checkpoint is, from its headers alone: what `moescope info CHECKPOINT` prints. A model
/// that cannot be run still has a card, with the reason in `unsupported` and no spec.
struct ModelCard {
    std::string name;
    std::string folder;
    std::string modelType;     ///< config.json's, may be empty
    std::string architecture;  ///< config.json's, may be empty
    std::string tokenizer;     ///< as the tokenizer describes itself; empty: none given

    std::optional<ModelSpec> spec;
    ParameterAccount parameters;  ///< zero without a spec
    std::string unsupported;      ///< why there is no spec

    std::vector<DtypeShare> disk;
    std::uint64_t fileCount = 0;
    std::uint64_t fileBytes = 0;  ///< as they are; less than `disk` for header-only files
    std::uint64_t storedElements = 0;
};

/// Reads no weight. Throws only for a config.json that cannot be read at all.
[[nodiscard]] ModelCard makeModelCard(const checkpoint::Checkpoint& checkpoint,
                                      std::string tokenizer = {});

/// For a terminal: lines of at most about 100 columns, ending in a newline.
[[nodiscard]] std::string toText(const ModelCard& card);
/// One JSON object, indented.
[[nodiscard]] std::string toJson(const ModelCard& card);

}  // namespace moescope::model
