// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/export/export_options.h"

#include <span>

namespace moescope::cli {

/// Throws Error(Usage) for an option of the plan that none of the figures takes notice of, naming
/// those that do.
void requireUsed(const ExportPlan& plan, std::span<const figures::FigureInfo* const> wanted);

/// The same for what depends on the session: which experts are gone in a figure about that, by
/// default as well; and layers of a picture of all of them.
void requireUsed(const ExportPlan& plan, const figures::FigureInfo& info,
                 const figures::RemovalChoice& removal);

}  // namespace moescope::cli
