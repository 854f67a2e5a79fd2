// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/session_builder.h"
#include "tests/support/temporary_folder.h"
#include "widgets/state/open_session.h"

#include <QString>

namespace moescope::tests {

/// A synthetic session on disk for tests of the window, removed with the object.
class SyntheticSession {
public:
    explicit SyntheticSession(const SyntheticRun& run = {}, const std::string& name = "run.h5") {
        m_file = m_folder / name;
        writeSyntheticSession(m_file, run);
    }
    [[nodiscard]] const std::filesystem::path& file() const { return m_file; }
    [[nodiscard]] QString path() const { return QString::fromStdString(m_file.string()); }
    [[nodiscard]] const TemporaryFolder& folder() const { return m_folder; }
    [[nodiscard]] widgets::LoadedSession load() const { return widgets::loadSession(m_file); }

private:
    TemporaryFolder m_folder;
    std::filesystem::path m_file;
};

}  // namespace moescope::tests
