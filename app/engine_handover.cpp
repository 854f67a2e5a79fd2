// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/engine_handover.h"

#include "core/base/error.h"
#include "widgets/state/engine_process.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

namespace moescope::app {

std::string programFolder() {
    std::error_code error;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? std::string(".") : self.parent_path().string();
}

void handOverToEngine(std::span<const std::string> arguments) {
    const std::string engine =
        widgets::findEngine(QString::fromStdString(programFolder())).toStdString();
    if (engine.empty()) {
        throw Error(ErrorCode::FileNotFound,
                    "moescope-engine was not found beside " + programFolder() +
                        "/moescope, in libexec or in PATH. Install or build it, or set "
                        "MOESCOPE_ENGINE to its path.");
    }
    std::vector<std::string> owned{engine};
    owned.insert(owned.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    pointers.reserve(owned.size() + 1);
    for (std::string& argument : owned) {
        pointers.push_back(argument.data());
    }
    pointers.push_back(nullptr);
    ::execv(engine.c_str(), pointers.data());
    throw Error(ErrorCode::FileUnreadable,
                engine + " could not be started: " + std::strerror(errno) + ".");
}

}  // namespace moescope::app
