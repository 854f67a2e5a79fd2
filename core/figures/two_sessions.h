// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"

#include <string>
#include <vector>

/// For the builders of figures that set two sessions beside each other. Private to them.
namespace moescope::figures {

/// The session beside this one. Throws Error(Usage) when there is none, several of a figure of two,
/// or it does not fit.
[[nodiscard]] const BuildMemory& requireOther(const BuildContext& context);
/// This session and all beside it, in their order. Throws Error(Usage) where one does not fit this.
[[nodiscard]] std::vector<const BuildMemory*> requireSeries(const BuildContext& context);
/// What tells each of several sessions from the others: models, or titles, or numbers from 1.
[[nodiscard]] std::vector<std::string> namesOf(const std::vector<const BuildMemory*>& series);

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
/// The same of all but this one.
void saySeries(const std::vector<const BuildMemory*>& series, Figure& figure);

[[nodiscard]] double missingValue();  ///< not a number

}  // namespace moescope::figures
