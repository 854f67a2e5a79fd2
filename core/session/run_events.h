// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The lines moescope-engine prints on stdout with --json and the window reads: one JSON object per
/// line,
/// {"v":1,"event":"progress",...}. Kept in one place so that both sides agree. No Qt, no LibTorch.
namespace moescope::session {

inline constexpr int kEventVersion = 1;

struct RunEvent {
    enum class Kind { Estimate, Started, Progress, PartDone, Warning, Finished, Failed, Cancelled };
    Kind kind = Kind::Progress;

    // Estimate (before anything is run)
    std::uint64_t memoryBytes = 0, diskBytes = 0, readBytes = 0;
    double seconds = 0.0;

    // Progress
    std::string stage;  ///< "layer 7/32"
    double fraction = 0.0;
    std::optional<double> remainingSeconds;

    // PartDone
    std::string experiment;
    std::optional<int> layer;

    // Warning, Failed, Cancelled
    std::string message;
    std::string errorCode;  ///< name(ErrorCode)

    // Finished, Started
    std::string path;  ///< the session
};

[[nodiscard]] std::string toJsonLine(const RunEvent& event);  ///< without the newline
/// nullopt for a line that is not an event of a version we know (unknown kinds are skipped by
/// readers).
[[nodiscard]] std::optional<RunEvent> parseJsonLine(std::string_view line);

}  // namespace moescope::session
