// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/figure_controls.h"

#include "widgets/panels/flow_layout.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QSlider>

#include <algorithm>

namespace moescope::widgets {
namespace {

constexpr int kSpacing = 8;
constexpr int kThisLayer = 0;
constexpr int kTogether = 1;
constexpr int kSideBySide = 2;
constexpr int kShareSteps = 16;  ///< of all experts; at every second one the loss is measured

bool isSimilarity(const figures::FigureInfo& info) {
    return info.name.find("similarity") != std::string_view::npos;
}

}  // namespace

FigureControls::FigureControls(const figures::FigureInfo& info, QWidget* parent)
    : QWidget(parent), m_info(info), m_row(new FlowLayout(this)) {
    setObjectName(QStringLiteral("figureControls"));
    m_row->setSpacing(kSpacing);
    addOther();
    addScope();
    addSimilarities();
    addRoles();
    addRanks();
    addOutliers();
    addDimensions();
    addPruning();
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
        m_scope->addItem(tr("this layer"), kThisLayer);
        const bool isSideBySide = isSimilarity(m_info) || m_info.hasSideBySide;
        if (!isSideBySide) {
            m_scope->addItem(tr("all layers together"), kTogether);
        }
        if (isSideBySide || m_info.takesRanks) {
            m_scope->addItem(tr("all layers side by side"), kSideBySide);
        }
    }
    if (m_info.hasMean) {
        m_tokens = addCombo(QStringLiteral("tokensCombo"), tr("Tokens"),
                            tr("The mean over the text, or over several selected tokens; or single "
                               "tokens, where theirs were kept"));
        // Data: whether it is the mean.
        if (m_info.needsToken) {
            m_tokens->addItem(tr("single"), false);
            m_tokens->addItem(tr("mean"), true);
        } else {
            m_tokens->addItem(tr("mean"), true);
            m_tokens->addItem(tr("selected token"), false);
        }
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

void FigureControls::addRanks() {
    if (!m_info.takesRanks) {
        return;
    }
    using Ranks = FigureOptions::Ranks;
    m_ranks = addCombo(QStringLiteral("ranksCombo"), tr("Ranks"),
                       tr("Bars of some ranks, where there are too many experts for bars of all"));
    const auto add = [this](const QString& name, Ranks ranks) {
        m_ranks->addItem(name, static_cast<int>(ranks));
    };
    add(tr("all"), Ranks::All);
    add(tr("largest 8"), Ranks::Largest8);
    add(tr("largest 16"), Ranks::Largest16);
    add(tr("smallest 8"), Ranks::Smallest8);
}

void FigureControls::addSimilarities() {
    if (!m_info.choosesExperiments) {
        return;
    }
    m_similarity = addCombo(QStringLiteral("similarityCombo"), tr("Similarity"),
                            tr("Which similarities are drawn, where the session has them"));
    m_similarity->addItem(tr("all"), QString());
    for (const std::string_view id : m_info.anyOf) {
        const QString text = QString::fromLatin1(id.data(), static_cast<qsizetype>(id.size()));
        m_similarity->addItem(QString(text).replace(QLatin1Char('_'), QLatin1Char(' ')), text);
    }
}

void FigureControls::addOther() {
    if (m_info.needsOther) {
        m_other = addCombo(QStringLiteral("otherCombo"), tr("Compare with"),
                           tr("Another open session: of a model of the same shape, on the same "
                              "text"));
        connect(m_other, &QComboBox::activated, this, [this] { m_chosenOther = other(); });
    }
}

void FigureControls::setOthers(const QList<std::pair<int, QString>>& others) {
    if (m_other == nullptr) {
        return;
    }
    const QSignalBlocker quiet(m_other);
    m_other->clear();
    for (const auto& [id, title] : others) {
        m_other->addItem(title, id);
    }
    m_other->setCurrentIndex(std::max(0, m_other->findData(m_chosenOther)));
    m_other->setEnabled(!others.isEmpty());
}

int FigureControls::other() const {
    return m_other == nullptr ? 0 : m_other->currentData().toInt();
}

void FigureControls::addOutliers() {
    if (m_info.hasOutliers) {
        m_outliers = addCheck(QStringLiteral("outliersCheck"), tr("Outliers"),
                              tr("Show what DBSCAN calls outliers; they are listed in any case"));
        m_outliers->setChecked(true);
    }
}

void FigureControls::addDimensions() {
    if (m_info.hasDimensions) {
        m_dimensions = addCombo(QStringLiteral("dimensionsCombo"), tr("Dimensions"),
                                tr("Two, or three that turn with the mouse"));
        m_dimensions->addItem(tr("two"), 2);
        m_dimensions->addItem(tr("three"), 3);
    }
}

void FigureControls::addPruning() {
    if (!m_info.prunes) {
        return;
    }
    m_criterion = addCombo(QStringLiteral("criterionCombo"), tr("Measure"),
                           tr("By which measure experts would go"));
    m_criterion->addItem(tr("default"), QString());
    for (const figures::ImportanceCriterion& criterion : figures::importanceCriteria()) {
        const auto text = [](std::string_view view) {
            return QString::fromLatin1(view.data(), static_cast<qsizetype>(view.size()));
        };
        m_criterion->addItem(text(criterion.title), text(criterion.id));
        m_criterion->setItemData(m_criterion->count() - 1, text(criterion.name), Qt::ToolTipRole);
    }
    auto* group = new QWidget(this);
    auto* caption = new QLabel(tr("Without"), group);
    m_share = new QSlider(Qt::Horizontal, group);
    m_share->setObjectName(QStringLiteral("pruneShare"));
    m_share->setAccessibleName(tr("Share of the experts that would go"));
    m_share->setToolTip(tr("How many experts would go: the lowest by the measure"));
    m_share->setRange(0, kShareSteps - 1);
    m_share->setPageStep(2);
    m_share->setMinimumWidth(120);
    m_share->setFocusPolicy(Qt::TabFocus);
    m_shareText = new QLabel(group);
    m_shareText->setMinimumWidth(
        fontMetrics().horizontalAdvance(tr("%1 %").arg(QStringLiteral("88.8"))));
    caption->setBuddy(m_share);
    auto* row = new QHBoxLayout(group);
    row->setContentsMargins(0, 0, kSpacing, 0);
    row->setSpacing(kSpacing);
    row->addWidget(caption);
    row->addWidget(m_share);
    row->addWidget(m_shareText);
    m_row->addWidget(group);
    connect(m_share, &QSlider::valueChanged, this, [this] {
        showShare();
        Q_EMIT changed();
    });
    m_pruneOver = addCombo(QStringLiteral("pruneOverCombo"), tr("of"),
                           tr("The share of each layer, or the lowest of all layers together"));
    m_pruneOver->addItem(tr("each layer"), false);
    m_pruneOver->addItem(tr("all layers"), true);
    showShare();
}

void FigureControls::showShare() {
    m_shareText->setText(tr("%1 %").arg(100.0 * m_share->value() / kShareSteps));
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
    const int scope = m_scope != nullptr ? m_scope->currentData().toInt() : kThisLayer;
    options.allLayers = scope != kThisLayer;
    form.sideBySide = scope == kSideBySide && m_info.takesRanks;
    if (m_ranks != nullptr) {
        options.ranks = static_cast<FigureOptions::Ranks>(m_ranks->currentData().toInt());
    }
    if (m_similarity != nullptr && !m_similarity->currentData().toString().isEmpty()) {
        form.experiments = {m_similarity->currentData().toString().toStdString()};
    }
    form.mean = m_tokens != nullptr && m_tokens->currentData().toBool();
    options.singleTokens = m_info.needsToken ? !form.mean : m_tokens != nullptr && !form.mean;
    if (m_roles != nullptr && !m_roles->currentData().toString().isEmpty()) {
        form.roles = {m_roles->currentData().toString().toStdString()};
    }
    form.dimensions = m_dimensions != nullptr ? m_dimensions->currentData().toInt() : 2;
    form.withoutOutliers = m_outliers != nullptr && !m_outliers->isChecked();
    form.relative = m_relative != nullptr && m_relative->isChecked();
    if (m_share != nullptr) {
        form.prune =
            figures::PruneChoice{.criterion = m_criterion->currentData().toString().toStdString(),
                                 .share = static_cast<double>(m_share->value()) / kShareSteps,
                                 .acrossLayers = m_pruneOver->currentData().toBool()};
    }
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
