// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

namespace moescope::experiments {

/// Whether an experiment's results have a column for dense baselines F: all others are the same
/// with and without --baseline. `id` as in the catalogue.
[[nodiscard]] bool comparesBaselines(std::string_view id);

}  // namespace moescope::experiments
