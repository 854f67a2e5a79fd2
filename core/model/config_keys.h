// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/config.h"

#include <string>
#include <string_view>
#include <vector>

namespace moescope::model {

/// What to do about the keys that the family's adapter did not read. A key that changes the
/// computation in some family and is not at its neutral value throws Error(Unsupported) with key
/// and value: a switch that is not understood is never ignored. Returned: keys that we know nothing
/// about, for a note in the model card. Keys known to be without effect on the forward pass are
/// silent.
[[nodiscard]] std::vector<std::string> checkUnreadKeys(const Config& config);

/// The keys that change the computation in some family.
[[nodiscard]] std::vector<std::string_view> switchKeys();

}  // namespace moescope::model
