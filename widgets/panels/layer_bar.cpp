// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/layer_bar.h"

#include "widgets/models/summary_text.h"
#include "widgets/panels/icons.h"
#include "widgets/support/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QSignalBlocker>
#include <QSlider>
#include <QSpinBox>
#include <QStyle>
#include <QStyleOptionSlider>
#include <QToolButton>

#include <algorithm>

namespace moescope::widgets {
namespace {

constexpr int kPlayMs = 500;

QToolButton* stepButton(const QString& name, const QString& iconName, const QString& toolTip,
                        QWidget* parent) {
    auto* button = new QToolButton(parent);
    button->setObjectName(name);
    button->setIcon(icon(iconName));
    button->setAutoRaise(true);
    button->setToolTip(toolTip);
    button->setAccessibleName(toolTip);
    button->setFocusPolicy(Qt::TabFocus);
    return button;
}

/// Draws its ticks in a colour that can be seen: Fusion's are darker than the window, whatever its
/// colour.
class LayerSlider final : public QSlider {
public:
    using QSlider::QSlider;

protected:
    void paintEvent(QPaintEvent* event) override {
        QSlider::paintEvent(event);
        QStyleOptionSlider option;
        initStyleOption(&option);
        const int space = style()->pixelMetric(QStyle::PM_SliderSpaceAvailable, &option, this);
        const int half = style()->pixelMetric(QStyle::PM_SliderLength, &option, this) / 2;
        const int top = style()->pixelMetric(QStyle::PM_SliderTickmarkOffset, &option, this) +
                        style()->pixelMetric(QStyle::PM_SliderControlThickness, &option, this);
        QPainter painter(this);
        painter.setPen(Theme::fromPalette(palette()).axis);
        for (int value = minimum(); value <= maximum(); value += std::max(tickInterval(), 1)) {
            const int x =
                half + QStyle::sliderPositionFromValue(minimum(), maximum(), value, space);
            painter.drawLine(x, top, x, top + kTick);
        }
    }

private:
    static constexpr int kTick = 4;
};

}  // namespace

LayerBar::LayerBar(Workspace& workspace, QWidget* parent)
    : QWidget(parent),
      m_workspace(workspace),
      m_slider(new LayerSlider(Qt::Horizontal, this)),
      m_number(new QSpinBox(this)),
      m_note(new QLabel(this)),
      m_previous(stepButton(QStringLiteral("previousLayerButton"), QStringLiteral("previous"),
                            tr("Previous routed layer (Down or [)"), this)),
      m_play(stepButton(QStringLiteral("playButton"), QStringLiteral("play"),
                        tr("Play through the layers (Space)"), this)),
      m_next(stepButton(QStringLiteral("nextLayerButton"), QStringLiteral("next"),
                        tr("Next routed layer (Up or ])"), this)) {
    setObjectName(QStringLiteral("layerBar"));
    m_timer.setInterval(kPlayMs);
    build();
    Selection& selection = m_workspace.selection();
    connect(m_slider, &QSlider::valueChanged, &selection,
            [&selection](int layer) { selection.setLayer(LayerId{layer}); });
    connect(m_number, &QSpinBox::valueChanged, &selection,
            [&selection](int layer) { selection.setLayer(LayerId{layer}); });
    connect(m_previous, &QToolButton::clicked, this, [this] { step(-1); });
    connect(m_next, &QToolButton::clicked, this, [this] { step(+1); });
    connect(m_play, &QToolButton::clicked, this, [this] { setPlaying(!isPlaying()); });
    connect(&m_timer, &QTimer::timeout, this, &LayerBar::advance);
    connect(&m_workspace, &Workspace::currentChanged, this, &LayerBar::takeSession);
    connect(&selection, &Selection::changed, this, &LayerBar::takeLayer);
    takeSession();
}

void LayerBar::build() {
    auto* label = new QLabel(tr("Layer"), this);
    label->setBuddy(m_number);
    m_slider->setObjectName(QStringLiteral("layerSlider"));
    m_slider->setAccessibleName(tr("Layer"));
    m_slider->setToolTip(tr("The layer all figures show"));
    m_slider->setTickPosition(QSlider::TicksBelow);
    m_slider->setPageStep(4);
    m_number->setObjectName(QStringLiteral("layerNumber"));
    m_number->setAccessibleName(tr("Layer number"));
    m_number->setToolTip(tr("The model's own layer number, from 0"));
    m_number->setKeyboardTracking(false);
    m_number->setFocusPolicy(Qt::ClickFocus);
    m_note->setObjectName(QStringLiteral("layerNote"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 4, 12, 4);
    row->setSpacing(8);
    row->addWidget(label);
    row->addWidget(m_previous);
    row->addWidget(m_play);
    row->addWidget(m_next);
    row->addWidget(m_slider, 1);
    row->addWidget(m_number);
    row->addWidget(m_note);
}

void LayerBar::takeSession() {
    const SessionSnapshot session = m_workspace.current();
    const int layers = session ? static_cast<int>(session->head().model.layers.size()) : 0;
    setEnabled(layers > 0);
    if (layers == 0) {
        setPlaying(false);
    }
    {
        const QSignalBlocker slider(m_slider);
        const QSignalBlocker number(m_number);
        m_slider->setRange(0, std::max(0, layers - 1));
        m_number->setRange(0, std::max(0, layers - 1));
        m_slider->setTickInterval(layers > 40 ? 8 : layers > 20 ? 4 : 1);
    }
    takeLayer();
}

void LayerBar::takeLayer() {
    const LayerId layer = m_workspace.selection().state().layer;
    const QSignalBlocker slider(m_slider);
    const QSignalBlocker number(m_number);
    m_slider->setValue(layer.value);
    m_number->setValue(layer.value);
    const SessionSnapshot session = m_workspace.current();
    m_note->setText(session ? layerLine(session->head().model, layer) : QString());
}

void LayerBar::step(int direction) {
    m_workspace.selection().stepLayer(direction);
}

void LayerBar::setPlaying(bool playing) {
    if (playing == isPlaying()) {
        return;
    }
    if (playing && m_workspace.current() && !m_workspace.selection().stepLayer(+1)) {
        // At the end: start over from the first routed layer.
        while (m_workspace.selection().stepLayer(-1)) {
        }
    }
    const bool starts = playing && m_workspace.current();
    starts ? m_timer.start() : m_timer.stop();
    m_play->setIcon(icon(starts ? QStringLiteral("pause") : QStringLiteral("play")));
    Q_EMIT playingChanged(starts);
}

void LayerBar::advance() {
    if (!m_workspace.selection().stepLayer(+1)) {
        setPlaying(false);
    }
}

}  // namespace moescope::widgets
