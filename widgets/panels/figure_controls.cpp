// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/figure_controls.h"

#include "widgets/panels/flow_layout.h"
#include "widgets/panels/tick_menu.h"

#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QSlider>
#include <QSpinBox>
#include <QToolButton>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

constexpr int kSpacing = 8;
constexpr int kThisLayer = 0;
constexpr int kTogether = 1;
constexpr int kSideBySide = 2;
constexpr int kMostBatchTokens = 1 << 20;
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
    addLoad();
    addPruning();
    addRemoval();
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
        const bool isSideBySide =
            (m_info.totalIsOfPanels && !m_info.takesRanks) || m_info.hasSideBySide;
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
    if (m_info.canCluster) {
        m_order = addCombo(QStringLiteral("orderCombo"), tr("Order"),
                           tr("Experts by index, or beside those that they are alike (average "
                              "linkage)"));
        m_order->addItem(tr("by index"), false);
        m_order->addItem(tr("clustered"), true);
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
    if (!m_info.needsOther) {
        return;
    }
    if (m_info.takesSeries) {
        addSeries();
        return;
    }
    m_other = addCombo(QStringLiteral("otherCombo"), tr("Compare with"),
                       tr("Another open session: of a model of the same shape, on the same text"));
    connect(m_other, &QComboBox::activated, this, [this] { m_chosenOthers = others(); });
}

// A menu of sessions, each with its mark.
void FigureControls::addSeries() {
    auto* pair = new QWidget(this);
    auto* caption = new QLabel(tr("Compare with"), pair);
    m_series = new QToolButton(pair);
    m_series->setObjectName(QStringLiteral("seriesButton"));
    m_series->setToolTip(
        tr("Other open sessions: checkpoints of the same model on the same text, or another model "
           "of its shape. Several make a series, in the order of the list of sessions; the last "
           "one is what all others are compared with."));
    m_series->setAccessibleName(caption->text());
    m_series->setPopupMode(QToolButton::InstantPopup);
    m_series->setFocusPolicy(Qt::TabFocus);
    m_series->setMenu(new TickMenu(m_series));
    m_series->menu()->setToolTipsVisible(true);
    caption->setBuddy(m_series);
    auto* row = new QHBoxLayout(pair);
    row->setContentsMargins(0, 0, kSpacing, 0);
    row->setSpacing(kSpacing);
    row->addWidget(caption);
    row->addWidget(m_series);
    m_row->addWidget(pair);
}

void FigureControls::setOthers(const QList<OtherSession>& others) {
    if (m_series != nullptr) {
        setSeries(others);
    }
    if (m_other == nullptr) {
        return;
    }
    const QSignalBlocker quiet(m_other);
    m_other->clear();
    for (const OtherSession& other : others) {
        m_other->addItem(other.title, other.id);
    }
    const int chosen = m_chosenOthers.isEmpty() ? 0 : m_chosenOthers.front();
    m_other->setCurrentIndex(std::max(0, m_other->findData(chosen)));
    m_other->setEnabled(!others.isEmpty());
}

void FigureControls::setSeries(const QList<OtherSession>& others) {
    QMenu* menu = m_series->menu();
    menu->clear();
    QAction* first = nullptr;  // that fits
    bool hasChosen = false;
    for (const OtherSession& other : others) {
        QAction* action = menu->addAction(other.title);
        action->setCheckable(true);
        action->setData(other.id);
        action->setEnabled(other.difference.isEmpty());
        action->setToolTip(other.difference);
        action->setChecked(action->isEnabled() && m_chosenOthers.contains(other.id));
        hasChosen = hasChosen || action->isChecked();
        first = first == nullptr && action->isEnabled() ? action : first;
        connect(action, &QAction::toggled, this, [this] {
            m_chosenOthers = this->others();
            showSeries();
            Q_EMIT changed();
        });
    }
    if (!hasChosen && first != nullptr) {
        const QSignalBlocker quiet(first);
        first->setChecked(true);
    }
    m_series->setEnabled(!others.isEmpty());
    showSeries();
}

void FigureControls::showSeries() {
    const QList<int> chosen = others();
    QString text = tr("no session");
    for (const QAction* action : m_series->menu()->actions()) {
        if (chosen.size() == 1 && action->isChecked()) {
            text = action->text();
        }
    }
    m_series->setText(chosen.size() > 1 ? tr("%1 sessions").arg(chosen.size()) : text);
}

QList<int> FigureControls::others() const {
    QList<int> chosen;
    if (m_other != nullptr && m_other->currentIndex() >= 0) {
        chosen.append(m_other->currentData().toInt());
    }
    if (m_series != nullptr) {
        for (const QAction* action : m_series->menu()->actions()) {
            if (action->isChecked()) {
                chosen.append(action->data().toInt());
            }
        }
    }
    return chosen;
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

void FigureControls::addNumber(QAbstractSpinBox* box, const char* name, const QString& label,
                               const QString& toolTip) {
    auto* pair = new QWidget(this);
    auto* caption = new QLabel(label, pair);
    box->setParent(pair);
    box->setObjectName(QLatin1String(name));
    box->setToolTip(toolTip);
    box->setAccessibleName(label);
    box->setKeyboardTracking(false);  // a number is drawn when it is written, not while it is
    caption->setBuddy(box);
    auto* row = new QHBoxLayout(pair);
    row->setContentsMargins(0, 0, kSpacing, 0);
    row->setSpacing(kSpacing);
    row->addWidget(caption);
    row->addWidget(box);
    m_row->addWidget(pair);
}

// How many devices there can be comes with the session: setExperts().
void FigureControls::addLoad() {
    if (!m_info.simulatesLoad) {
        return;
    }
    const figures::LoadSimulation usual;
    m_batchTokens = new QSpinBox(this);
    m_batchTokens->setRange(1, kMostBatchTokens);
    m_batchTokens->setSingleStep(64);
    m_batchTokens->setValue(static_cast<int>(usual.batchTokens));
    addNumber(m_batchTokens, "batchTokens", tr("Tokens of a batch"),
              tr("How many consecutive tokens are served at once"));
    m_capacity = new QDoubleSpinBox(this);
    m_capacity->setRange(0.05, 100.0);
    m_capacity->setSingleStep(0.05);
    m_capacity->setValue(usual.capacities.back());
    addNumber(
        m_capacity, "capacity", tr("Capacity"),
        tr("Room of an expert over its even share of a batch; what a capacity of 1 would drop "
           "is shown beside it"));
    m_devices = new QSpinBox(this);
    m_devices->setRange(0, 1);
    addNumber(m_devices, "devices", tr("Devices"),
              tr("On how many devices a layer's experts lie; usual are 8, or half as many as there "
                 "are experts"));
    setExperts(1);
    connect(m_batchTokens, &QSpinBox::valueChanged, this, &FigureControls::changed);
    connect(m_capacity, &QDoubleSpinBox::valueChanged, this, &FigureControls::changed);
    connect(m_devices, &QSpinBox::valueChanged, this, &FigureControls::changed);
}

void FigureControls::setExperts(int experts) {
    if (m_devices == nullptr) {
        return;
    }
    const QSignalBlocker quiet(m_devices);
    m_devices->setMaximum(std::max(experts, 1));
    m_devices->setSpecialValueText(tr("usual (%1)").arg(figures::usualDevices(experts)));
}

void FigureControls::addPruning() {
    if (!m_info.prunes) {
        return;
    }
    m_criterion = addCombo(QStringLiteral("criterionCombo"), tr("Measure"),
                           tr("By which measure experts would go"));
    m_criterion->addItem(tr("REAP, else load"), QString());
    m_criterion->setItemData(0, tr("REAP where the session has it, the load where not"),
                             Qt::ToolTipRole);
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

// Sets come when a session is there: setRemovals().
void FigureControls::addRemoval() {
    if (!m_info.removes) {
        return;
    }
    m_removal = addCombo(QStringLiteral("removalCombo"), tr("Without"),
                         tr("Which experts are gone: the selected one in this layer, its index in "
                            "all layers, or a chosen set"));
    if (m_info.name != "expert-removal-text") {
        return;
    }
    auto* group = new QWidget(this);
    auto* row = new QHBoxLayout(group);
    row->setContentsMargins(0, 0, kSpacing, 0);
    row->setSpacing(4);
    const auto add = [&](const char* name, const QString& text, const QString& tip, int direction) {
        auto* button = new QToolButton(group);
        button->setObjectName(QLatin1String(name));
        button->setText(text);
        button->setToolTip(tip);
        button->setAccessibleName(tip);
        button->setAutoRaise(true);
        button->setFocusPolicy(Qt::TabFocus);
        row->addWidget(button);
        connect(button, &QToolButton::clicked, this,
                [this, direction] { Q_EMIT riseRequested(direction); });
    };
    add("previousRiseButton", QStringLiteral("\u25C0"), tr("The next larger rise (Shift+R)"), -1);
    add("nextRiseButton", tr("Largest rise") + QStringLiteral(" \u25B6"),
        tr("The token whose loss rises most, then the next lower one (R)"), +1);
    m_rises = group;
    m_rise = new QLabel(group);
    m_rise->setObjectName(QStringLiteral("riseLabel"));
    m_rise->setForegroundRole(QPalette::PlaceholderText);
    row->addWidget(m_rise);
    m_row->addWidget(group);
}

void FigureControls::setRemovals(const figures::KeptRemovals& kept) {
    if (m_removal == nullptr) {
        return;
    }
    QList<std::pair<QString, QString>> items;  // id, text
    if (kept.inLayer) {
        items.append({QStringLiteral("layer"), tr("the expert in this layer")});
    }
    if (kept.everywhere) {
        items.append({QStringLiteral("everywhere"), tr("its index in all layers")});
    }
    if (m_info.name != "expert-removal-text" && kept.sets.size() > 1) {
        items.append({QStringLiteral("sets"), tr("each chosen set")});
    }
    for (const std::string& set : kept.sets) {
        const QString text = QString::fromStdString(set);
        items.append({text, tr("set %1").arg(text)});
    }
    const QString chosen = m_removal->currentData().toString();
    const QSignalBlocker quiet(m_removal);
    m_removal->clear();
    for (const auto& [id, text] : items) {
        m_removal->addItem(text, id);
    }
    m_removal->setCurrentIndex(std::max(0, m_removal->findData(chosen)));
    m_removal->parentWidget()->setVisible(!items.isEmpty());  // with its label
}

void FigureControls::setRise(const QString& text, bool hasRises) {
    if (m_rise != nullptr) {
        m_rise->setText(text);
        m_rises->setEnabled(hasRises);
    }
}

void FigureControls::setPrune(const figures::PruneChoice& choice) {
    if (m_share == nullptr) {
        return;
    }
    const QSignalBlocker share(m_share);
    const QSignalBlocker criterion(m_criterion);
    const QSignalBlocker over(m_pruneOver);
    m_share->setValue(static_cast<int>(std::lround(choice.share * kShareSteps)));
    m_criterion->setCurrentIndex(
        std::max(0, m_criterion->findData(QString::fromStdString(choice.criterion))));
    m_pruneOver->setCurrentIndex(choice.acrossLayers ? 1 : 0);
    showShare();
}

void FigureControls::setPrunedShare(double share) {
    if (m_shareText != nullptr) {
        m_shareText->setText(tr("%1 %").arg(100.0 * share, 0, 'g', 3));
    }
}

// Until the figure says what goes.
void FigureControls::showShare() {
    m_shareText->setText(tr("%1 %").arg(100.0 * m_share->value() / kShareSteps));
}

void FigureControls::addColours() {
    if (!m_info.hasColourScale) {
        return;
    }
    using figures::ColourMap;
    if (m_info.perLayer) {
        m_range = addCombo(QStringLiteral("rangeCombo"), tr("Colour range"),
                           tr("Which values set the ends of the colour scale"));
        m_range->addItem(m_info.removes ? tr("this removal") : tr("this layer"), 0);
        m_range->addItem(m_info.removes ? tr("those beside it") : tr("all layers"), 1);
        m_range->addItem(m_info.removes ? QStringLiteral("\u22121 to 1") : tr("0 to 1"), 2);
    } else if (m_info.hasUsualRange) {
        m_range = addCombo(QStringLiteral("rangeCombo"), tr("Colour range"),
                           tr("Whether a few far values set the ends of the colour scale"));
        m_range->addItem(tr("usual values"), 0);
        m_range->addItem(tr("all values"), 1);
    }
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
    form.clustered = m_order != nullptr && m_order->currentData().toBool();
    form.relative = m_relative != nullptr && m_relative->isChecked();
    if (m_batchTokens != nullptr) {
        form.load.batchTokens = static_cast<std::size_t>(m_batchTokens->value());
        form.load.capacities = {1.0};
        // What the box shows: its steps add up to a little more or less.
        const double capacity = std::round(m_capacity->value() * 100.0) / 100.0;
        if (capacity != 1.0) {
            form.load.capacities.push_back(capacity);
        }
        if (m_devices->value() > 0) {
            form.load.devices = m_devices->value();
        }
    }
    if (m_share != nullptr) {
        form.prune =
            figures::PruneChoice{.criterion = m_criterion->currentData().toString().toStdString(),
                                 .share = static_cast<double>(m_share->value()) / kShareSteps,
                                 .acrossLayers = m_pruneOver->currentData().toBool()};
    }
    if (m_removal != nullptr && m_removal->currentIndex() >= 0) {
        // A damaged session's label is none.
        form.removal = figures::findRemovalChoice(m_removal->currentData().toString().toStdString())
                           .value_or(figures::RemovalChoice());
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
