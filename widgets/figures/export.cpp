// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/figures/export.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "widgets/figures/figure_painter.h"
#include "widgets/figures/svg_document.h"

#include <fmt/format.h>

#include <QBuffer>
#include <QImage>
#include <QMimeData>
#include <QPageLayout>
#include <QPageSize>
#include <QPainter>
#include <QPdfWriter>
#include <QSvgGenerator>

#include <array>
#include <cmath>

namespace moescope::widgets {
namespace {

constexpr double kPixelsPerMm = 96.0 / 25.4;
constexpr int kPdfDpi = 1200;
constexpr double kMostPixels = 400e6;
constexpr double kMostPixelsPerSide = 32767.0;
constexpr double kMostPdfPoints = 14400.0;  // readers accept no larger page

constexpr std::array<std::pair<FileFormat, std::string_view>, 5> kFormats{{
    {FileFormat::Png, "png"},
    {FileFormat::Svg, "svg"},
    {FileFormat::Pdf, "pdf"},
    {FileFormat::Csv, "csv"},
    {FileFormat::Json, "json"},
}};

void check(const ExportOptions& options) {
    if (!(options.widthMm >= 30.0 && options.widthMm <= 2000.0)) {
        throw Error(ErrorCode::Usage,
                    fmt::format("A figure of {} mm is out of range; give a width of 30 to 2000 mm "
                                "(85 is one column, 174 two).",
                                options.widthMm));
    }
    if (!(options.dpi >= 36.0 && options.dpi <= 2400.0)) {
        throw Error(ErrorCode::Usage,
                    fmt::format("{} DPI is out of range; give 36 to 2400.", options.dpi));
    }
}

FigurePainter makePainter(const figures::Figure& figure, const ExportOptions& options,
                          double deviceScale, bool vectorCells) {
    FigureStyle style = FigureStyle::forExport(options.dark ? Theme::dark() : Theme::light());
    style.deviceScale = deviceScale;
    style.vectorCells = vectorCells;
    style.withTitle = options.withTitle;
    style.withCaption = options.withCaption;
    // The figure outlives the painter: both live within one call.
    FigurePainter painter(std::shared_ptr<const figures::Figure>(&figure, [](const auto*) {}),
                          style);
    painter.layout(std::round(options.widthMm * kPixelsPerMm));
    return painter;
}

void tooLarge(const QSizeF& size) {
    throw Error(
        ErrorCode::Usage,
        fmt::format("The picture would be {:.0f} x {:.0f} pixels, too large to draw; choose "
                    "fewer tokens, a smaller width or a lower DPI.",
                    size.width(), size.height()));
}

QByteArray renderPng(const figures::Figure& figure, const ExportOptions& options) {
    const double scale = options.dpi / 96.0;
    const FigurePainter painter = makePainter(figure, options, scale, false);
    const QSizeF pixels = painter.size() * scale;
    if (pixels.width() * pixels.height() > kMostPixels ||
        std::max(pixels.width(), pixels.height()) > kMostPixelsPerSide) {
        tooLarge(pixels);
    }
    QImage image(static_cast<int>(std::lround(options.widthMm / 25.4 * options.dpi)),
                 static_cast<int>(std::lround(pixels.height())), QImage::Format_RGB32);
    if (image.isNull()) {
        tooLarge(pixels);
    }
    image.fill(painter.style().theme.background);
    const int dotsPerMeter = static_cast<int>(std::lround(options.dpi / 0.0254));
    QPainter device(&image);
    device.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
    device.scale(image.width() / painter.size().width(), scale);
    painter.paint(device);
    device.end();
    // After painting: the resolution would change the size of fonts.
    image.setDotsPerMeterX(dotsPerMeter);
    image.setDotsPerMeterY(dotsPerMeter);
    for (const auto& [key, value] : figures::metadata(figure)) {
        image.setText(QString::fromStdString(key), QString::fromStdString(value));
    }
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "PNG");
    return bytes;
}

QByteArray renderSvg(const figures::Figure& figure, const ExportOptions& options) {
    const FigurePainter painter = makePainter(figure, options, 4.0, true);
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setResolution(96);
    generator.setSize(painter.size().toSize());
    generator.setViewBox(QRectF(QPointF(0, 0), painter.size()));
    generator.setTitle(QString::fromStdString(figure.title));
    generator.setDescription(QString::fromStdString(figure.howToRead));
    QPainter device(&generator);
    device.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
    painter.paint(device);
    device.end();
    return finishSvg(bytes, figures::metadata(figure), painter.size(), options.widthMm);
}

QByteArray renderPdf(const figures::Figure& figure, const ExportOptions& options) {
    const FigurePainter painter = makePainter(figure, options, kPdfDpi / 96.0, true);
    // Laid out on whole pixels, and as wide as asked for.
    const double scale = options.widthMm / 25.4 * 72.0 / painter.size().width();
    const QSizeF points = painter.size() * scale;
    if (std::max(points.width(), points.height()) > kMostPdfPoints) {
        tooLarge(painter.size());
    }
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    writer.setResolution(kPdfDpi);
    writer.setPageLayout(
        QPageLayout(QPageSize(points, QPageSize::Point, QString(), QPageSize::ExactMatch),
                    QPageLayout::Portrait, QMarginsF(0, 0, 0, 0)));
    writer.setTitle(QString::fromStdString(figure.title));
    QString subject;
    for (const auto& [key, value] : figures::metadata(figure)) {
        subject += QString::fromStdString(key) + QStringLiteral(": ") +
                   QString::fromStdString(value) + QStringLiteral("; ");
    }
    writer.setCreator(QStringLiteral("Moescope. ") + subject);
    QPainter device(&writer);
    // Heat maps must not become JPEG.
    device.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing |
                          QPainter::LosslessImageRendering);
    device.scale(kPdfDpi / 72.0 * scale, kPdfDpi / 72.0 * scale);
    painter.paint(device);
    device.end();
    return bytes;
}

}  // namespace

std::optional<FileFormat> parseFileFormat(std::string_view name) {
    for (const auto& [format, text] : kFormats) {
        if (text == name) {
            return format;
        }
    }
    return std::nullopt;
}

bool isPicture(FileFormat format) {
    return format != FileFormat::Csv && format != FileFormat::Json;
}

std::string_view suffix(FileFormat format) {
    return kFormats[static_cast<std::size_t>(format)].second;
}

QByteArray renderFigure(const figures::Figure& figure, const ExportOptions& options) {
    if (options.format == FileFormat::Csv) {
        return QByteArray::fromStdString(figures::toCsv(figure));
    }
    if (options.format == FileFormat::Json) {
        return QByteArray::fromStdString(figures::toJson(figure));
    }
    check(options);
    switch (options.format) {
        case FileFormat::Png:
            return renderPng(figure, options);
        case FileFormat::Svg:
            return renderSvg(figure, options);
        default:
            return renderPdf(figure, options);
    }
}

void exportFigure(const figures::Figure& figure, const ExportOptions& options,
                  const std::filesystem::path& path) {
    const QByteArray bytes = renderFigure(figure, options);
    writeFileAtomically(
        path, std::string_view(bytes.constData(), static_cast<std::size_t>(bytes.size())));
}

QMimeData* clipboardData(const figures::Figure& figure, double widthMm) {
    auto data = std::make_unique<QMimeData>();
    ExportOptions options;
    options.widthMm = widthMm;
    options.dpi = 192.0;
    const QByteArray png = renderFigure(figure, options);
    data->setImageData(QImage::fromData(png, "PNG"));
    data->setData(QStringLiteral("image/png"), png);
    options.format = FileFormat::Svg;
    data->setData(QStringLiteral("image/svg+xml"), renderFigure(figure, options));
    const QByteArray csv = QByteArray::fromStdString(figures::toCsv(figure));
    data->setData(QStringLiteral("text/csv"), csv);
    data->setText(QString::fromUtf8(csv));
    return data.release();
}

}  // namespace moescope::widgets
