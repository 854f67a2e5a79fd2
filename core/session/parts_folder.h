// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/head.h"
#include "core/session/quantity.h"
#include "core/session/result_index.h"

#include <filesystem>
#include <string>

/// Internal to core/session: the folder RUN.h5.partial that holds a run in progress.
namespace moescope::session::parts {

/// RUN.h5 -> RUN.h5.partial; a path that is such a folder already stays.
[[nodiscard]] std::filesystem::path folderFor(const std::filesystem::path& session);
/// RUN.h5.partial -> RUN.h5
[[nodiscard]] std::filesystem::path sessionFor(const std::filesystem::path& folder);
[[nodiscard]] std::filesystem::path headFile(const std::filesystem::path& folder);
[[nodiscard]] std::filesystem::path partFile(const std::filesystem::path& folder,
                                             const PartKey& key);
[[nodiscard]] bool hasHead(const std::filesystem::path& folder);

struct Contents {
    Head head;
    ResultIndex index;
    std::string formatVersion;
};

/// The head and the finished parts, with those of the session beside the folder that the plan still
/// matches. A part file that cannot be read is left out: its writer was stopped by something worse
/// than a kill.
[[nodiscard]] Contents read(const std::filesystem::path& folder);

/// True when results of this version and options answer what the head plans.
[[nodiscard]] bool matchesPlan(const Head& head, const std::string& experiment,
                               const FinishedExperiment& found);

/// Sets every experiment's state and finished layers from what is there.
void updateStates(Head& head, const ResultIndex& index);

}  // namespace moescope::session::parts
