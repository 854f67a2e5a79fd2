// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"

#include <QByteArray>

#include <filesystem>
#include <optional>
#include <string_view>

class QMimeData;

namespace moescope::widgets {

enum class FileFormat { Png, Svg, Pdf, Csv, Json };
/// True for a picture, not for data.
[[nodiscard]] bool isPicture(FileFormat format);
[[nodiscard]] std::optional<FileFormat> parseFileFormat(std::string_view name);  ///< "png"
[[nodiscard]] std::string_view suffix(FileFormat format);                        ///< "png"

struct ExportOptions {
    FileFormat format = FileFormat::Png;
    double widthMm = 174.0;  ///< 85 one column, 120, 174 two columns; the height follows
    double dpi = 300.0;      ///< PNG
    bool dark = false;
    bool withTitle = true;
    bool withCaption = true;  ///< definition, tokens, dtype and the how-to-read line
};

/// JSON is of figures that show which experts would go (figures::toJson).
/// The file's content, with the session's identity in its metadata. GUI thread only (fonts).
/// Throws Error(Usage) for a width or DPI out of range or a picture too large to draw.
[[nodiscard]] QByteArray renderFigure(const figures::Figure& figure, const ExportOptions& options);

/// renderFigure into a file, atomically. Throws Error(FileUnwritable | DiskFull).
void exportFigure(const figures::Figure& figure, const ExportOptions& options,
                  const std::filesystem::path& path);

/// PNG at twice the size of `widthMm` on screen, SVG and CSV, for the clipboard; the caller owns
/// it.
[[nodiscard]] QMimeData* clipboardData(const figures::Figure& figure, double widthMm = 174.0);

}  // namespace moescope::widgets
