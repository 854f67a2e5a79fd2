// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace moescope::app {

/// The program `moescope`: the window, and the commands that need no LibTorch. Returns the exit
/// code (core/base/error.h); messages go to stderr.
int runProgram(int argc, char** argv);

}  // namespace moescope::app
