// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace moescope::widgets {

/// Makes the icons, prompts and help pages that are linked in readable under ":/". Cheap to repeat.
void loadResources();
/// A text among them; empty when there is none of that name.
[[nodiscard]] QString resourceText(const QString& name);

}  // namespace moescope::widgets
