// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/info_options.h"

#include "core/base/error.h"

#include <CLI/CLI.hpp>

namespace moescope::cli {

void InfoCommand::attach(CLI::App& program) {
    m_app = program.add_subcommand("info", "Say what a checkpoint or a session holds");
    m_app->add_option("PATH", m_path,
                      "Checkpoint folder, GGUF file, folder of checkpoints, or session (RUN.h5)");
    m_app->add_flag("--json", m_json, "One JSON document on stdout");
    m_app->add_flag("--datasets", m_datasets, "Also list the datasets in a session's file");
    m_app->add_flag("--experiments", m_experiments,
                    "Without PATH: list the experiments that analyze can do, and their groups");
    m_app->footer(
        "Examples:\n"
        "  moescope info Mixtral-8x7B-v0.1\n"
        "  moescope info run.h5 --json\n"
        "  moescope info --experiments");
}

bool InfoCommand::wasCalled() const {
    return m_app != nullptr && m_app->parsed();
}

InfoOptions InfoCommand::result() const {
    if (m_experiments != m_path.empty()) {
        throw Error(ErrorCode::Usage,
                    m_experiments
                        ? "--experiments lists what analyze can do: give it without " + m_path +
                              ". \"moescope info " + m_path + "\" says what that holds."
                        : std::string("Say what to look at: a checkpoint or a session; "
                                      "or --experiments."));
    }
    if (m_experiments && m_datasets) {
        throw Error(ErrorCode::Usage,
                    "--datasets lists what a session holds, --experiments what analyze can do: "
                    "give one of them, --datasets with a session (RUN.h5).");
    }
    return {.path = m_path, .json = m_json, .datasets = m_datasets, .experiments = m_experiments};
}

}  // namespace moescope::cli
