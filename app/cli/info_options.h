// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

namespace CLI {
class App;
}

namespace moescope::cli {

struct InfoOptions {
    std::filesystem::path path{};  ///< a checkpoint, a folder of checkpoints, or a session
    bool json = false;
    bool datasets = false;     ///< lists those of a session
    bool experiments = false;  ///< lists what can be run, in place of what lies at `path`
};

/// The `info` subcommand: attach() before parsing, result() after. Thread-compatible.
class InfoCommand {
public:
    void attach(CLI::App& program);
    [[nodiscard]] bool wasCalled() const;
    /// Throws Error(Usage) where there is nothing to say something about.
    [[nodiscard]] InfoOptions result() const;

private:
    std::string m_path;
    bool m_json = false, m_datasets = false, m_experiments = false;
    CLI::App* m_app = nullptr;
};

}  // namespace moescope::cli
