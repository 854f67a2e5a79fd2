// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>

/// What experiments exist and what their numbers mean, for the engine, the command line, the
/// session file and the window alike. No LibTorch, no HDF5, no Qt.
namespace moescope::experiments {

enum class ExperimentKind {
    Static,   ///< needs weights only
    Dynamic,  ///< needs a text and a forward pass
    Derived   ///< computed from what other experiments keep, without the model
};

struct ExperimentInfo {
    std::string_view id;     ///< "rank_counts": in code, session and command line
    std::string_view label;  ///< "B3": its place in the definitions
    std::string_view title;  ///< "Rank counts"
    ExperimentKind kind = ExperimentKind::Dynamic;
    /// Takes hours where the others take minutes: done when asked for by name or group only.
    bool isCostly = false;
    int version = 1;  ///< goes up when the definition of a stored number changes: older results are
                      ///< not reused
    std::string_view definition;     ///< exact, stored in the session beside the numbers
    std::string_view howToRead;      ///< one plain line under the figure
    std::string_view source;         ///< "arXiv 2406.18219, section 4.2"
    std::string_view derivedFrom{};  ///< Derived: the experiment whose results it needs most
};

/// All experiments this program computes, in the order of their labels.
[[nodiscard]] std::span<const ExperimentInfo> catalogue();

/// By id, with hyphens for underscores if you like, or by label ("B3"). nullptr when unknown.
[[nodiscard]] const ExperimentInfo* findExperiment(std::string_view id);

/// For messages about an id that is unknown: " Did you mean "rank_counts"?", or nothing.
[[nodiscard]] std::string closestExperiment(std::string_view id);

}  // namespace moescope::experiments
