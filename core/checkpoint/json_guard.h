// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

namespace moescope::checkpoint {

/// Throws Error(BadCheckpoint) unless `text` is valid JSON whose outermost value is an object, that
/// is nested at most `maxDepth` deep, and in which no object has a key twice (a parser would keep
/// one of them silently). `where` names the file in the message. Reads without building anything,
/// so that hostile text costs no memory.
void checkJson(std::string_view text, std::string_view where, int maxDepth = 64);

}  // namespace moescope::checkpoint
