// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/info_options.h"

#include <CLI/CLI.hpp>

namespace moescope::cli {

void InfoCommand::attach(CLI::App& program) {
    m_app = program.add_subcommand("info", "Say what a checkpoint or a session holds");
    m_app
        ->add_option("PATH", m_path,
                     "Checkpoint folder, GGUF file, folder of checkpoints, or session (RUN.h5)")
        ->required();
    m_app->add_flag("--json", m_json, "One JSON document on stdout");
    m_app->add_flag("--datasets", m_datasets, "Also list the datasets in a session's file");
    m_app->footer(
        "Examples:\n"
        "  moescope info Mixtral-8x7B-v0.1\n"
        "  moescope info run.h5 --json");
}

bool InfoCommand::wasCalled() const {
    return m_app != nullptr && m_app->parsed();
}

InfoOptions InfoCommand::result() const {
    return {.path = m_path, .json = m_json, .datasets = m_datasets};
}

}  // namespace moescope::cli
