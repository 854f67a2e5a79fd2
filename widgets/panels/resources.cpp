// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/resources.h"

#include <QFile>

// Qt's macro wants to stand outside of any namespace.
static void registerResources() {
    Q_INIT_RESOURCE(moescope);
}

namespace moescope::widgets {

void loadResources() {
    static const bool done = [] {
        registerResources();
        return true;
    }();
    Q_UNUSED(done)
}

QString resourceText(const QString& name) {
    loadResources();
    QFile file(name);
    return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
}

}  // namespace moescope::widgets
