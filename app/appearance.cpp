// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/appearance.h"

#include "widgets/support/theme.h"

#include <QApplication>
#include <QPainter>
#include <QProxyStyle>
#include <QStyle>
#include <QStyleFactory>
#include <QStyleOption>

namespace moescope::app {

using widgets::ColourScheme;

namespace {

constexpr int kDark = 128;  ///< lightness of a window below which colours are dark

/// Fusion draws the edges of boxes and fields darker than the window, which in dark colours nobody
/// sees: they get a light edge there.
class VisibleEdges final : public QProxyStyle {
public:
    VisibleEdges() : QProxyStyle(QStringLiteral("fusion")) {}

    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                       const QWidget* widget) const override {
        QProxyStyle::drawPrimitive(element, option, painter, widget);
        const bool isRound = element == PE_IndicatorRadioButton;
        if (option->palette.color(QPalette::Window).lightness() >= kDark ||
            !(isRound || hasEdge(element, option))) {
            return;
        }
        QColor colour = option->palette.color(QPalette::PlaceholderText);
        colour.setAlphaF(option->state.testFlag(State_Enabled) ? 0.7F : 0.3F);
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(QPen(colour, 1.0));
        painter->setBrush(Qt::NoBrush);
        const QRectF edge = QRectF(option->rect).adjusted(0.5, 0.5, -0.5, -0.5);
        isRound ? painter->drawEllipse(edge) : painter->drawRoundedRect(edge, 2.0, 2.0);
        painter->restore();
    }

private:
    static bool hasEdge(PrimitiveElement element, const QStyleOption* option) {
        // A field inside a spin box has no frame of its own.
        const auto* frame = qstyleoption_cast<const QStyleOptionFrame*>(option);
        return element == PE_IndicatorCheckBox || element == PE_IndicatorItemViewItemCheck ||
               (element == PE_PanelLineEdit && frame != nullptr && frame->lineWidth > 0);
    }
};

}  // namespace

Appearance::Appearance(widgets::Settings& settings, QObject* parent)
    : QObject(parent),
      m_settings(settings),
      m_systemFont(QApplication::font()),
      m_systemStyle(QApplication::style()->objectName()) {
    connect(&m_settings, &widgets::Settings::colourSchemeChanged, this, &Appearance::applyColours);
    connect(&m_settings, &widgets::Settings::fontScaleChanged, this, &Appearance::applyFont);
}

Appearance::~Appearance() = default;

void Appearance::apply() {
    applyColours();
    applyFont();
}

void Appearance::applyColours() {
    const ColourScheme scheme = m_settings.colourScheme();
    // Only Fusion follows a given palette everywhere.
    const bool isFusion =
        scheme != ColourScheme::System || m_systemStyle == QLatin1String("fusion");
    if (isFusion != m_isFusion) {
        m_isFusion = isFusion;
        QApplication::setStyle(isFusion ? new VisibleEdges : QStyleFactory::create(m_systemStyle));
    }
    switch (scheme) {
        case ColourScheme::System:
            QApplication::setPalette(QPalette());
            break;
        case ColourScheme::Light:
            QApplication::setPalette(widgets::lightPalette());
            break;
        case ColourScheme::Dark:
            QApplication::setPalette(widgets::darkPalette());
            break;
    }
}

void Appearance::applyFont() {
    QFont font = m_systemFont;
    if (font.pointSizeF() > 0) {
        font.setPointSizeF(font.pointSizeF() * m_settings.fontScale() / 100.0);
    } else {
        font.setPixelSize(font.pixelSize() * m_settings.fontScale() / 100);
    }
    QApplication::setFont(font);
}

}  // namespace moescope::app
