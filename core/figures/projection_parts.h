// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"

#include <string>
#include <vector>

/// Private to the builders: what projections of experts and of neurons share.
namespace moescope::figures {

/// The roles asked for, gate, up and down without any. Throws Error(Usage) for others.
[[nodiscard]] std::vector<std::string> projectionRoles(const BuildContext& context);
[[nodiscard]] std::size_t projectionRoleIndex(const std::string& role);
/// "PC 1 (34.2 %)", from explained [roles, components].
[[nodiscard]] std::string componentTitle(const NdArray& explained, std::size_t role,
                                         std::size_t component);
/// The group of a column by its label: an expert's number, F or S.
[[nodiscard]] ScatterGroup projectionGroup(const std::string& label);

}  // namespace moescope::figures
