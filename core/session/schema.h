// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>

/// Names in a session file. SCHEMA.md describes them; a test compares the two.
namespace moescope::session::schema {

inline constexpr const char* kFormat = "moescope-session";
inline constexpr std::int32_t kMajor = 1;  ///< a newer major is refused
inline constexpr std::int32_t kMinor = 6;  ///< minors only add

inline constexpr const char* kRun = "run";
inline constexpr const char* kModel = "run/model";
inline constexpr const char* kBaselines = "run/baselines";
inline constexpr const char* kText = "run/text";
inline constexpr const char* kChoices = "run/choices";
inline constexpr const char* kProcess = "run/process";
inline constexpr const char* kBranches = "run/branches";
inline constexpr const char* kPlan = "run/plan";
/// Results of branch N: kResults + N, then static | dynamic | derived, experiment, quantity.
inline constexpr const char* kResults = "run/branch_";

inline constexpr const char* kAttrFormat = "moescope_format";
inline constexpr const char* kAttrVersion = "moescope_format_version";

}  // namespace moescope::session::schema
