// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/head.h"

#include <QList>
#include <QPair>
#include <QString>

/// Short sentences about models, texts and runs, the same wherever they appear.
namespace moescope::widgets {

using Properties = QList<QPair<QString, QString>>;  ///< name, value

/// "32 layers, 8 experts, top-2".
[[nodiscard]] QString modelLine(const session::ModelSummary& model);
[[nodiscard]] QString modelToolTip(const session::ModelSummary& model);
/// "3 documents, 1 204 tokens" or "no text".
[[nodiscard]] QString textLine(const text::TokenizedCorpus& corpus);
/// "Layer 7: 8 experts, top-2" or "Layer 0 is dense: no router".
[[nodiscard]] QString layerLine(const session::ModelSummary& model, LayerId layer);

/// Always so many digits after the point, so that columns line up; empty for not-a-number.
[[nodiscard]] QString fixedText(double value, int digits);

/// The model card of a session, with how its numbers were made.
[[nodiscard]] Properties modelCard(const session::Head& head);
/// A JSON document of `moescope info` as lines for people; nested objects give "a, b" names.
[[nodiscard]] Properties cardOfJson(const QByteArray& json);

}  // namespace moescope::widgets
