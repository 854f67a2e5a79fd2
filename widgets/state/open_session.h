// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/builder.h"
#include "core/figures/source.h"
#include "widgets/state/selection.h"

#include <QList>
#include <QString>
#include <QStringList>

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>

namespace moescope::widgets {

/// What reading a session file gives; made on the I/O lane.
struct LoadedSession {
    std::shared_ptr<const figures::FigureSource> source;
    std::shared_ptr<const figures::FigureBuilder> builder;
    bool isPartial = false;  ///< a run is in progress or was interrupted
    QString schemaVersion;
    QStringList warnings;  ///< what the engine recorded with the numbers
};

/// Reads a session. Throws moescope::Error.
using SessionLoader = std::function<LoadedSession(const std::filesystem::path&)>;

/// The loader of the program: session::Session::open and a figure builder on it. While a run adds
/// to a session, its finished parts show beside what was there.
[[nodiscard]] LoadedSession loadSession(const std::filesystem::path& path);

/// One session of the window as it was when opened or last reloaded. Immutable; shared between
/// threads as SessionSnapshot.
struct OpenSession {
    int id = 0;        ///< the window's handle; survives reloads
    int revision = 0;  ///< counts reloads
    QString path;      ///< RUN.h5, also while only its parts exist
    QString title;     ///< what the tree and the breadcrumb show
    LoadedSession content;

    [[nodiscard]] const session::Head& head() const { return content.source->head(); }
};

using SessionSnapshot = std::shared_ptr<const OpenSession>;

/// A figure of the first of some sessions, the others beside it. Throws moescope::Error.
[[nodiscard]] std::shared_ptr<const figures::Figure> buildFigure(
    const QList<SessionSnapshot>& sessions, const figures::FigureRequest& request,
    const std::stop_token& stop);
/// What a selection may point to in this session.
[[nodiscard]] SelectionBounds boundsOf(const session::Head& head);
/// Whether the session holds what the figure is drawn from.
[[nodiscard]] bool isDrawable(const OpenSession& session, const figures::FigureInfo& figure);
/// What tells a session from the others: its title and the file it is in ("tiny-mixtral . demo"),
/// with as much of the path as it takes to be none of `taken`.
[[nodiscard]] QString titleOf(const session::Head& head, const QString& path,
                              const QStringList& taken = {});
/// What a person reads for a token: visible marks for spaces, newlines and bytes.
[[nodiscard]] QString tokenText(const session::Head& head, std::uint64_t token);

}  // namespace moescope::widgets
