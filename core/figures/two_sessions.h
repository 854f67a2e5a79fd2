// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"

#include <string>
#include <vector>

/// For the builders of figures that set two sessions beside each other. Private to them.
namespace moescope::figures {

/// The session beside this one. Throws Error(Usage) when there is none or it does not fit.
[[nodiscard]] const BuildMemory& requireOther(const BuildContext& context);

struct SessionNames {
    std::string here, there;
};
/// By their models, or by their titles where those are the same.
[[nodiscard]] SessionNames namesOf(const BuildContext& context);

/// What both chose for the tokens asked for.
struct RoutingPair {
    std::shared_ptr<const Routing> here, there;
};
[[nodiscard]] RoutingPair routingsAt(const BuildContext& context, LayerId layer);

/// Throws Error(Usage) when there is no layer that both have.
void requireCommonLayers(const std::vector<double>& layers, const SessionNames& names);
/// Names the other session in the figure's provenance, and what it was computed in.
void sayOther(const BuildContext& context, Figure& figure);

[[nodiscard]] double missingValue();  ///< not a number

}  // namespace moescope::figures
