// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/export/export_options.h"
#include "core/figures/builder.h"

#include <functional>

namespace moescope::cli {

/// What `export` reports while it works; each may be empty.
struct ExportReport {
    std::function<void(const std::filesystem::path&)> written;
    std::function<void(const std::string&)> note;  ///< "tokens 0 to 511 of 3812; ..."
};

/// Lets Qt draw without a display: call before the QApplication is made.
void prepareDrawing();

/// Opens the session and writes what the plan asks for, one file for each layer, with names such as
/// weight-similarity-gate-layer-03.svg. Needs a QApplication; GUI thread only. Returns the number
/// of files. Throws Error naming figure, layer and what exists.
std::size_t exportFigures(const ExportPlan& plan, const ExportReport& report);

/// The same for a session already open.
std::size_t exportFigures(const figures::FigureBuilder& builder, const ExportPlan& plan,
                          const ExportReport& report);

/// The subcommand from a parsed command line to an exit code: makes the QApplication, prints the
/// paths on stdout, notes and errors on stderr.
int runExport(const ExportPlan& plan, int argc, char** argv);

}  // namespace moescope::cli
