// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/figures/svg_document.h"

#include <QRegularExpression>
#include <QString>

namespace moescope::widgets {
namespace {

QString escaped(const std::string& text) {
    return QString::fromStdString(text).toHtmlEscaped();
}

QString metadataElement(const std::vector<std::pair<std::string, std::string>>& metadata) {
    QString out = QStringLiteral(
        "<metadata><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" "
        "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
        "xmlns:moescope=\"https://moescope.github.io/ns#\"><rdf:Description rdf:about=\"\">"
        "<dc:creator>Moescope</dc:creator>");
    for (const auto& [key, value] : metadata) {
        const QString name = QString::fromStdString(key);
        out += QStringLiteral("<moescope:%1>%2</moescope:%1>").arg(name, escaped(value));
    }
    return out + QStringLiteral("</rdf:Description></rdf:RDF></metadata>\n");
}

}  // namespace

QByteArray finishSvg(const QByteArray& svg,
                     const std::vector<std::pair<std::string, std::string>>& metadata,
                     const QSizeF& size, double widthMm) {
    QString text = QString::fromUtf8(svg);
    // Qt takes millimetres from whole pixels.
    static const QRegularExpression rootSize(
        QStringLiteral("<svg width=\"[^\"]*\" height=\"[^\"]*\""));
    const auto root = rootSize.match(text);
    if (root.hasMatch()) {
        text.replace(root.capturedStart(), root.capturedLength(),
                     QStringLiteral("<svg width=\"%1mm\" height=\"%2mm\"")
                         .arg(widthMm)
                         .arg(size.height() * widthMm / size.width()));
    }
    text.replace(QStringLiteral("font-family=\"DejaVu Sans Mono\""),
                 QStringLiteral("font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\""));
    for (const char* family :
         {"Liberation Sans", "DejaVu Sans", "Arial", "Helvetica", "Noto Sans"}) {
        const QString name = QString::fromLatin1(family);
        text.replace(QStringLiteral("font-family=\"%1\"").arg(name),
                     QStringLiteral("font-family=\"%1, Arial, Helvetica, sans-serif\"").arg(name));
    }
    text.replace(QStringLiteral("<image "),
                 QStringLiteral("<image style=\"image-rendering:pixelated\" "));
    // Qt 6.4 writes no clip paths: what a figure draws beyond its frame must not reach the page.
    const QString open = QStringLiteral(
                             "<clipPath id=\"frame\"><rect x=\"0\" y=\"0\" width=\"%1\" "
                             "height=\"%2\"/></clipPath>\n</defs>\n<g clip-path=\"url(#frame)\">\n")
                             .arg(size.width())
                             .arg(size.height());
    const auto defs = text.indexOf(QStringLiteral("<defs>"));
    const auto defsEnd = text.indexOf(QStringLiteral("</defs>"));
    const auto end = text.lastIndexOf(QStringLiteral("</svg>"));
    if (defs >= 0 && defsEnd > defs && end > defsEnd) {
        text.insert(end, QStringLiteral("</g>\n"));
        text.replace(defsEnd, 7, open);
        text.insert(defs, metadataElement(metadata));
    }
    return text.toUtf8();
}

}  // namespace moescope::widgets
