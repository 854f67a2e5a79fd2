// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/loss_text_body.h"

#include "widgets/canvas/colour_bar.h"
#include "widgets/support/colour_maps.h"
#include "widgets/support/format.h"

#include <QPainter>

#include <cmath>

namespace moescope::widgets {
namespace {

constexpr double kGapBelow = 8.0;
constexpr int kDecimals = 3;

const figures::LossTextFigure& textOf(const figures::Figure& figure) {
    return std::get<figures::LossTextFigure>(figure.body);
}

QString nats(float value) {
    return signedNumber(static_cast<double>(value), kDecimals);
}

QString rise(float value) {
    return (value > 0.0F ? QStringLiteral("+") : QString()) + nats(value);
}

QString probability(float loss) {
    return formatValue(std::exp(-static_cast<double>(loss)), kDecimals);
}

}  // namespace

LossTextBody::LossTextBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                           int zoomLevel, std::shared_ptr<FlowMemory> memory)
    : TextBody(textOf(*figure).tokens, textOf(*figure).range, std::move(style), zoomLevel,
               std::move(memory)),
      m_figure(std::move(figure)),
      m_text(textOf(*m_figure)),
      m_look(this->style(), TokenLook::Under::Nothing, zoomLevel) {}

double LossTextBody::headHeight(double width) const {
    return colourStripHeight(width, m_text.bar, style()) + kGapBelow;
}

void LossTextBody::layoutHead(double width) {
    m_width = width;
}

void LossTextBody::paintHead(QPainter& painter) const {
    paintColourStrip(painter, m_width, m_text.bar, style());
}

void LossTextBody::paintLine(QPainter& painter, const figures::FlowLine& line,
                             const QRectF& area) const {
    const figures::ColourScale& scale = m_text.bar.scale;
    m_look.paintTokens(painter, flow(), line, tokens(), area,
                       [&](std::uint64_t token, const QString& text, const QRectF& box) {
                           const float value = m_text.rise(token);
                           m_look.paintBox(
                               painter, text, box,
                               std::isfinite(value)
                                   ? colourOn(style().theme.isDark, scale.map,
                                              scale.position(static_cast<double>(value)))
                                   : style().theme.background);
                       });
}

QString LossTextBody::textOfToken(std::uint64_t token) const {
    const std::string_view text = tokens().text(token);
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QString LossTextBody::predictionOf(const figures::PredictedTokens& predicted, std::uint64_t token) {
    const auto text = predicted.texts.find(predicted.ids[token]);
    return text == predicted.texts.end()
               ? QStringLiteral("id %1").arg(predicted.ids[token])
               : QStringLiteral("\"%1\"").arg(QString::fromStdString(text->second));
}

figures::Hit LossTextBody::hitOf(std::uint64_t token) const {
    figures::Hit hit;
    hit.token = token;
    QString text = QStringLiteral("token %1 \"%2\": ").arg(token).arg(textOfToken(token));
    const std::uint64_t at = token - m_text.range.first;
    if (!std::isfinite(m_text.rise(token))) {
        text += QStringLiteral("predicted from nothing, no loss");
        hit.readOut = text.toStdString();
        return hit;
    }
    text += QStringLiteral("loss %1 (%2), intact %3, probability %4 to %5")
                .arg(nats(m_text.loss[at]), rise(m_text.rise(token)), nats(m_text.intactLoss[at]),
                     probability(m_text.intactLoss[at]), probability(m_text.loss[at]));
    if (!m_text.isPredicted.empty()) {
        text += m_text.isPredicted[at] ? QStringLiteral("; the intact model predicts it")
                                       : QStringLiteral("; the intact model predicts ") +
                                             predictionOf(*m_text.predicted, token);
    }
    if (m_text.predictedWithout != nullptr) {
        text += QStringLiteral("; without %1 it predicts ")
                    .arg(QString::fromStdString(m_text.without)) +
                predictionOf(*m_text.predictedWithout, token);
    }
    hit.readOut = text.toStdString();
    return hit;
}

QString LossTextBody::cardOf(std::uint64_t token) const {
    const auto row = [](const QString& name, const QString& loss, const QString& share) {
        return QStringLiteral(
                   "<tr><td>%1</td><td align='right'>&nbsp;%2</td><td "
                   "align='right'>&nbsp;%3</td></tr>")
            .arg(name, loss, share);
    };
    QString card = QStringLiteral("<p style='white-space:pre'>token %1&nbsp; <code>%2</code></p>")
                       .arg(token)
                       .arg(textOfToken(token).toHtmlEscaped());
    const std::uint64_t at = token - m_text.range.first;
    if (std::isfinite(m_text.rise(token))) {
        card += QStringLiteral("<table cellspacing='2'>") +
                row(QString(), QStringLiteral("loss (nat)"), QStringLiteral("probability")) +
                row(QStringLiteral("intact"), nats(m_text.intactLoss[at]),
                    probability(m_text.intactLoss[at])) +
                row(QStringLiteral("without %1").arg(QString::fromStdString(m_text.without)),
                    nats(m_text.loss[at]), probability(m_text.loss[at])) +
                row(QStringLiteral("rise"), rise(m_text.rise(token)), QString()) +
                QStringLiteral("</table>");
        if (!m_text.isPredicted.empty()) {
            card += QStringLiteral("<p>intact model predicts <code>%1</code></p>")
                        .arg(m_text.isPredicted[at]
                                 ? QStringLiteral("this token")
                                 : predictionOf(*m_text.predicted, token).toHtmlEscaped());
        }
        if (m_text.predictedWithout != nullptr) {
            card += QStringLiteral("<p>without them it predicts <code>%1</code></p>")
                        .arg(predictionOf(*m_text.predictedWithout, token).toHtmlEscaped());
        }
    }
    const std::uint64_t document = tokens().documentOf(token);
    return card + QStringLiteral("<p>%1</p>")
                      .arg(QString::fromStdString(tokens().documentName(document)).toHtmlEscaped());
}

}  // namespace moescope::widgets
