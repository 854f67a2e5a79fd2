// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <iosfwd>
#include <span>
#include <stop_token>
#include <string>

namespace moescope::app {

/// What the program talks to; tests put strings in their place.
struct Terminal {
    std::ostream& out;
    std::ostream& err;
    bool errIsTerminal = false;
};

/// moescope-engine from its arguments (without the program's name) to its exit code. Every error
/// ends here as one message; with --json analyze writes events on `out` and nothing else.
[[nodiscard]] int runEngineProgram(std::span<const std::string> arguments,
                                   const engine::ProbeFactory& factory, std::stop_token stop,
                                   Terminal terminal);

}  // namespace moescope::app
