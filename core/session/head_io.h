// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/h5_handle.h"
#include "core/session/head.h"

namespace moescope::session {

/// The head's groups (SCHEMA.md, "Head") into an open file, and back. Throw as h5_value.h says.
void writeHead(hid_t file, const Head& head);
[[nodiscard]] Head readHead(hid_t file);

[[nodiscard]] const char* name(ExperimentState state) noexcept;

}  // namespace moescope::session
