// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace moescope::jobs {

/// Makes errors of what would end the process without a word: writing beyond a file-size limit
/// (SIGXFSZ, `ulimit -f`) and to a reader that went away (SIGPIPE) fail with an errno; touching a
/// mapped file that was cut short or whose disk fails (SIGBUS) prints a sentence that names the
/// file and exits with exitCode(ErrorCode::FileUnreadable). Any other bus error takes its ordinary
/// course. For main(), once.
void reportFaults(const std::string& program);

}  // namespace moescope::jobs
