// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/engine/program.h"
#include "core/experiments/factory.h"
#include "core/jobs/fault_signals.h"
#include "core/jobs/termination_signals.h"

#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
    using namespace moescope;
    jobs::reportFaults("moescope-engine");
    const jobs::CancelSource cancel;
    const jobs::TerminationSignals signals(cancel);
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return app::runEngineProgram(
        arguments, experiments::makeProbes, cancel.token().stopToken(),
        {.out = std::cout, .err = std::cerr, .errIsTerminal = ::isatty(STDERR_FILENO) == 1});
}
