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
/// Where a part lies of which there is something, but not all.
[[nodiscard]] std::filesystem::path interimFile(const std::filesystem::path& folder,
                                                const PartKey& key);
[[nodiscard]] bool hasHead(const std::filesystem::path& folder);
/// True when the folder holds something that a resumed run would not have to do again: a part, or
/// the engine's scratch files (*.bin).
[[nodiscard]] bool hasWork(const std::filesystem::path& folder);
/// Removes what a killed clean-up may have left; the lock stays.
void clear(const std::filesystem::path& folder);

struct Contents {
    Head head;
    ResultIndex index;
    std::string formatVersion;
};

/// The head and the finished parts, with those of the session beside the folder (if it is of the
/// same run) that the plan still matches. A part file that cannot be read is left out: its writer
/// was stopped by something worse than a kill.
[[nodiscard]] Contents read(const std::filesystem::path& folder);

/// True when results of this version and options answer what the head plans.
[[nodiscard]] bool matchesPlan(const Head& head, const std::string& experiment,
                               const FinishedExperiment& found);

/// Sets every experiment's state and finished layers from what is there. Until the run has ended a
/// part about the whole model may still follow the layers.
void updateStates(Head& head, const ResultIndex& index, bool runEnded);

}  // namespace moescope::session::parts
