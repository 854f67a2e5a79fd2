// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/safetensors.h"

#include <string_view>
#include <vector>

namespace moescope::checkpoint {

/// The JSON part of a safetensors header. Offsets in the result are still relative to the data and
/// nothing but the JSON itself has been checked: form, names, types, duplicate names.
[[nodiscard]] std::vector<StoredTensor> parseSafetensorsJson(std::string_view json,
                                                             std::string_view where);

}  // namespace moescope::checkpoint
