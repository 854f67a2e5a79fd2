// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/analysis_request.h"
#include "widgets/state/open_session.h"

#include <optional>

namespace moescope::widgets {

/// What adds `experiments` to a session with its own text and options (requestToAdd). Where nothing
/// is at the checkpoint's path, that path is tried from the session's folder: models move with
/// their sessions. nullopt when the session does not say how it was made.
[[nodiscard]] std::optional<AnalysisRequest> requestToAdd(const OpenSession& session,
                                                          const QStringList& experiments);

/// The same with paths that hold in any folder.
[[nodiscard]] AnalysisRequest withAbsolutePaths(AnalysisRequest request);

/// Ids of the experiments that the session has, in its order.
[[nodiscard]] QStringList experimentsDone(const session::Head& head);

/// Copies a session file so that the copy can be written; why not, or empty.
[[nodiscard]] QString copySession(const QString& from, const QString& to);

}  // namespace moescope::widgets
