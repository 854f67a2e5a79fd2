// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/removed_experts.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace moescope::experiments {

/// Which experts the controls of a part of expert_removal went without. A control's name says only
/// its set and its number: of another device's loads, or beside more controls, others may have
/// been drawn under it. Immutable.
class KeptControls {
public:
    explicit KeptControls(const engine::KeptPart& part);
    /// By the labels of set_controls' axes; ascending. Empty where the part does not say.
    [[nodiscard]] std::vector<RemovedExpert> of(const std::string& set,
                                                const std::string& control) const;

private:
    std::map<std::pair<std::string, std::string>, std::vector<RemovedExpert>> m_removed;
};

}  // namespace moescope::experiments
