// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace moescope::widgets {

/// A message of the engine, which names its options ("-o", "--baseline"), in the words of the
/// window's fields. An option that the window has no field for is named as the command line's.
[[nodiscard]] QString inWindowWords(QString message);

}  // namespace moescope::widgets
