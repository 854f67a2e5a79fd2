// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/figure_controls.h"

#include "widgets/panels/flow_layout.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>

namespace moescope::widgets {
namespace {

constexpr int kSpacing = 8;

bool isSimilarity(const figures::FigureInfo& info) {
    return info.name.find("similarity") != std::string_view::npos;
}

}  // namespace

FigureControls::FigureControls(const figures::FigureInfo& info, QWidget* parent)
    : QWidget(parent), m_info(info), m_row(new FlowLayout(this)) {
    setObjectName(QStringLiteral("figureControls"));
    m_row->setSpacing(kSpacing);
    addScope();
    addRoles();
    addColours();
}

QComboBox* FigureControls::addCombo(const QString& name, const QString& label,
                                    const QString& toolTip) {
    // Label and field stay together when the row breaks.
    auto* pair = new QWidget(this);
    auto* caption = new QLabel(label, pair);
    auto* combo = new QComboBox(pair);
    combo->setObjectName(name);
    combo->setToolTip(toolTip);
    combo->setAccessibleName(label);
    combo->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    // Keys step layers and tokens in this window; a combo box must not swallow them by hovering.
    combo->setFocusPolicy(Qt::TabFocus);
    caption->setBuddy(combo);
    auto* row = new QHBoxLayout(pair);
    row->setContentsMargins(0, 0, kSpacing, 0);
    row->setSpacing(kSpacing);
    row->addWidget(caption);
    row->addWidget(combo);
    m_row->addWidget(pair);
    connect(combo, &QComboBox::currentIndexChanged, this, &FigureControls::changed);
    return combo;
}

QCheckBox* FigureControls::addCheck(const QString& name, const QString& label,
                                    const QString& toolTip) {
    auto* check = new QCheckBox(label, this);
    check->setObjectName(name);
    check->setToolTip(toolTip);
    check->setFocusPolicy(Qt::TabFocus);
    m_row->addWidget(check);
    connect(check, &QCheckBox::toggled, this, &FigureControls::changed);
    return check;
}

void FigureControls::addScope() {
    if (m_info.hasTotal) {
        m_scope = addCombo(QStringLiteral("scopeCombo"), tr("Show"),
                           tr("One layer, or all of them in one picture"));
        m_scope->addItem(tr("this layer"), false);
        m_scope->addItem(
            isSimilarity(m_info) ? tr("all layers side by side") : tr("all layers together"), true);
    }
    if (m_info.takesTokens && isSimilarity(m_info)) {
        m_tokens = addCombo(QStringLiteral("tokensCombo"), tr("Tokens"),
                            tr("The mean over the text, or the selected token's own map where it "
                               "was kept"));
        m_tokens->addItem(tr("mean of all"), false);
        m_tokens->addItem(tr("selected token"), true);
    }
}

void FigureControls::addRoles() {
    if (m_info.hasRoles) {
        m_roles = addCombo(QStringLiteral("roleCombo"), tr("Role"),
                           tr("Which of the experts' matrices are compared"));
        m_roles->addItem(tr("gate, up, down"), QString());
        for (const auto& role :
             {QStringLiteral("gate"), QStringLiteral("up"), QStringLiteral("down")}) {
            m_roles->addItem(role, role);
        }
    }
    if (m_info.hasRelative) {
        m_relative = addCheck(QStringLiteral("relativeCheck"), tr("Relative"),
                              tr("After subtracting the dense baseline, or the experts' mean: what "
                                 "sets the experts apart"));
    }
}

void FigureControls::addColours() {
    if (!m_info.hasColourScale) {
        return;
    }
    using figures::ColourMap;
    m_range = addCombo(QStringLiteral("rangeCombo"), tr("Colour range"),
                       tr("Which values set the ends of the colour scale"));
    m_range->addItem(tr("this layer"), 0);
    m_range->addItem(tr("all layers"), 1);
    m_range->addItem(tr("0 to 1"), 2);
    if (isSimilarity(m_info)) {
        m_range->addItem(QStringLiteral("\u22121 to 1"), 3);
        m_range->setCurrentIndex(1);
    }
    m_map = addCombo(QStringLiteral("colourMapCombo"), tr("Colours"),
                     tr("Colour map; viridis and cividis are safe for colour-blind readers"));
    m_map->addItem(tr("default"), -1);
    for (const ColourMap map : {ColourMap::Viridis, ColourMap::Cividis, ColourMap::Inferno,
                                ColourMap::Greys, ColourMap::WhiteBlue, ColourMap::Diverging}) {
        const std::string_view word = figures::name(map);
        m_map->addItem(QString::fromLatin1(word.data(), static_cast<qsizetype>(word.size())),
                       static_cast<int>(map));
    }
    if (isSimilarity(m_info)) {
        m_diagonal = addCheck(QStringLiteral("diagonalCheck"), tr("Diagonal"),
                              tr("Show the diagonal, which is 1 by definition"));
    }
}

FigureOptions FigureControls::options() const {
    FigureOptions options;
    figures::FigureRequest& form = options.form;
    options.allLayers = m_scope != nullptr && m_scope->currentData().toBool();
    options.selectedToken = m_tokens != nullptr && m_tokens->currentData().toBool();
    if (m_roles != nullptr && !m_roles->currentData().toString().isEmpty()) {
        form.roles = {m_roles->currentData().toString().toStdString()};
    }
    form.relative = m_relative != nullptr && m_relative->isChecked();
    if (m_range != nullptr) {
        using Kind = figures::ColourRange::Kind;
        const int choice = m_range->currentData().toInt();
        form.range.kind = choice == 0 ? Kind::Layer : choice == 1 ? Kind::AllLayers : Kind::Fixed;
        form.range.low = choice == 3 ? -1.0 : 0.0;
    }
    if (m_map != nullptr && m_map->currentData().toInt() >= 0) {
        form.colourMap = static_cast<figures::ColourMap>(m_map->currentData().toInt());
    }
    form.maskDiagonal = m_diagonal == nullptr || !m_diagonal->isChecked();
    return options;
}

}  // namespace moescope::widgets
