// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/token_read_out.h"

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

constexpr int kBarPx = 120;

QString textOf(const figures::TokenTable& tokens, std::uint64_t token) {
    const std::string_view text = tokens.text(token);
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QString weightText(float weight) {
    return std::isfinite(weight) ? QString::number(static_cast<double>(weight), 'f', 3)
                                 : QStringLiteral("n/a");
}

}  // namespace

std::string tokenReadOut(const figures::TokenTable& tokens, const figures::Routing& routing,
                         std::uint64_t row) {
    const std::uint64_t token = routing.tokenAt(row);
    return QStringLiteral("token %1 \"%2\":").arg(token).arg(textOf(tokens, token)).toStdString() +
           choicesReadOut(routing, row);
}

std::string choicesReadOut(const figures::Routing& routing, std::uint64_t row) {
    QString out;
    for (int k = 0; k < routing.topK; ++k) {
        out += QStringLiteral("%1 expert %2 (%3)")
                   .arg(k == 0 ? QString() : QStringLiteral(","))
                   .arg(routing.id(row, k))
                   .arg(weightText(routing.weight(row, k)));
    }
    return out.toStdString();
}

QString tokenCard(const figures::TokenTable& tokens, const figures::Routing& routing,
                  std::uint64_t row, const Theme& theme) {
    const std::uint64_t token = routing.tokenAt(row);
    QString card = QStringLiteral("<p style='white-space:pre'>token %1&nbsp; <code>%2</code>")
                       .arg(token)
                       .arg(textOf(tokens, token).toHtmlEscaped());
    if (routing.layer) {
        card += QStringLiteral("&nbsp; layer %1").arg(routing.layer->value);
    }
    card += QStringLiteral("</p><table cellspacing='2'>");
    float most = 0.0F;
    for (int k = 0; k < routing.topK; ++k) {
        most = std::max(most, routing.weight(row, k));
    }
    for (int k = 0; k < routing.topK; ++k) {
        const int expert = routing.id(row, k);
        const float weight = routing.weight(row, k);
        const float share = most > 0.0F && std::isfinite(weight) ? weight / most : 0.0F;
        card += QStringLiteral(
                    "<tr><td align='right'>%1</td><td><table cellspacing='0' "
                    "cellpadding='0'><tr><td bgcolor='%2' width='%3' height='10'></td>"
                    "</tr></table></td><td align='right'>%4</td></tr>")
                    .arg(expert)
                    .arg(theme.expertColour(expert, routing.experts).name())
                    .arg(std::max(1, static_cast<int>(std::lround(share * kBarPx))))
                    .arg(weightText(weight));
    }
    const std::uint64_t document = tokens.documentOf(token);
    return card + QStringLiteral("</table><p>%1</p>")
                      .arg(QString::fromStdString(tokens.documentName(document)).toHtmlEscaped());
}

}  // namespace moescope::widgets
