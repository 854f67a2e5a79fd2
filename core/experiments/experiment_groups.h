// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string_view>
#include <vector>

/// Names for several experiments at once, as the command line takes them. Membership follows from
/// the catalogue where it can, so that a new experiment is in its groups without being listed.
namespace moescope::experiments {

struct ExperimentInfo;

struct ExperimentGroup {
    std::string_view name;     ///< "routing"
    std::string_view meaning;  ///< "what follows from the chosen experts, ..."
    bool (*holds)(const ExperimentInfo& info);
};

/// "all" first. `importance` is both a group and the id of one of its experiments: as a group it is
/// all that the table of importance shows, the experiment alone goes by its label, E1.
[[nodiscard]] std::span<const ExperimentGroup> experimentGroups();

/// nullptr when unknown.
[[nodiscard]] const ExperimentGroup* findGroup(std::string_view name);

/// The ids of its experiments, in the catalogue's order.
[[nodiscard]] std::vector<std::string_view> membersOf(const ExperimentGroup& group);

}  // namespace moescope::experiments
