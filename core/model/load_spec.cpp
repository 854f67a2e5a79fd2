// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/load_spec.h"

#include "core/base/error.h"
#include "core/model/check_tensors.h"
#include "core/model/config.h"
#include "core/model/config_keys.h"
#include "core/model/families/family.h"
#include "core/model/quantisation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace moescope::model {
namespace {

const Family& familyOf(const Config& config) {
    const auto all = families();
    const auto found = std::find_if(
        all.begin(), all.end(), [&](const Family& family) { return family.recognises(config); });
    if (found == all.end()) {
        const std::string type = config.modelType();
        const std::string architecture = config.architecture();
        throw Error(
            ErrorCode::UnknownFamily,
            fmt::format("{} describes a model of type \"{}\" (architecture \"{}\"), which "
                        "Moescope does not know. It knows: {}.",
                        config.where(), type, architecture, fmt::join(knownFamilies(), ", ")));
    }
    return *found;
}

}  // namespace

ModelSpec loadSpec(const checkpoint::Checkpoint& checkpoint) {
    return loadSpec(checkpoint, checkpoint.configText(), checkpoint.configPath().string());
}

ModelSpec loadSpec(const checkpoint::Checkpoint& checkpoint, std::string_view configText,
                   const std::string& where) {
    // A key that only a recogniser looked at has not been understood.
    const Family& family = familyOf(Config(configText, where));
    const Config config(configText, where);
    std::vector<std::string> notes;
    const Quantisation quantisation = readQuantisation(config, notes);
    ModelSpec spec = family.describe({config, checkpoint});
    spec.family = family.id;
    spec.familyTitle = family.title;
    spec.storage = quantisationText(quantisation);
    spec.notes.insert(spec.notes.end(), notes.begin(), notes.end());
    const auto unknown = checkUnreadKeys(config);
    if (!unknown.empty()) {
        spec.notes.push_back(
            fmt::format("config.json keys without a known meaning: {}", fmt::join(unknown, ", ")));
    }
    applyQuantisation(quantisation, checkpoint, spec);
    checkTensors(checkpoint, spec);
    return spec;
}

std::vector<std::string> knownFamilies() {
    std::vector<std::string> titles;
    for (const auto& family : families()) {
        titles.emplace_back(family.title);
    }
    return titles;
}

}  // namespace moescope::model
