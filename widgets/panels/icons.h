// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QIcon>
#include <QString>

namespace moescope::widgets {

/// One of the program's stroke icons (resources/icons/NAME.svg), drawn in the palette's text
/// colour whenever it is painted, so that it follows light and dark. *GUI thread only*.
[[nodiscard]] QIcon icon(const QString& name);
/// The program's own icon, in its colours.
[[nodiscard]] QIcon programIcon();

}  // namespace moescope::widgets
