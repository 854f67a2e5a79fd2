// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/paper_values.h"
#include "core/figures/source.h"

#include <limits>
#include <string>
#include <string_view>

/// Published values taken again from the arrays of a session.
namespace moescope::figures {

/// What is measured, in words.
struct MeasureInfo {
    std::string_view experiment;  ///< "router_similarity"
    std::string_view name;        ///< "mean r2 of router and {}", {} is the role
    std::string_view procedure;   ///< what in it could explain a difference, one or two sentences
};
[[nodiscard]] const MeasureInfo& infoOf(Measure measure);

/// The session's side of a published value.
struct Measured {
    double value = std::numeric_limits<double>::quiet_NaN();  ///< NaN: the session has none
    std::string shown;    ///< in place of the number: "2 of 8"; empty: the number itself
    std::string detail;   ///< what it is made of: "gate 0.31, up 0.29, down 0.30"; may be empty
    std::string missing;  ///< what to do to have it; empty: the arrays are there
    bool isComparable = true;  ///< false: of another scale, so that a difference means nothing
};

/// Takes a value from a session that may be of another model (isSame = false: layers are then those
/// of the same relative depth, and none are singled out where the paper chose some to save time).
/// NaN in the session is left out of means and told in the detail. Throws Error(BadSession) for
/// arrays of another form than the experiment's.
[[nodiscard]] Measured measured(const FigureSource& source, BranchId branch,
                                const PaperModel& model, const PaperValue& value, bool isSame);

/// How a row of the reproduction stands.
enum class RowState {
    Agrees,      ///< within what the paper gives
    Deviates,    ///< outside
    OtherModel,  ///< there is a value, of a model that is not the paper's
    NotRun,      ///< the session lacks the experiment
    NoValue,     ///< the experiment has no finite value
};
[[nodiscard]] RowState stateOf(const PaperValue& value, const Measured& measured, bool isSame);
[[nodiscard]] std::string_view nameOf(RowState state);  ///< "agrees", "other model"

}  // namespace moescope::figures
