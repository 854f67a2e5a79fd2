// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QSizeF>

#include <utility>
#include <vector>

namespace moescope::widgets {

/// Finishes what Qt's SVG generator writes of a picture of `size`: `widthMm` wide, metadata as
/// RDF/Dublin Core with our own keys, generic font families behind the one used here, a clip path
/// around the picture, crisp images.
[[nodiscard]] QByteArray finishSvg(const QByteArray& svg,
                                   const std::vector<std::pair<std::string, std::string>>& metadata,
                                   const QSizeF& size, double widthMm);

}  // namespace moescope::widgets
