// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/request.h"

#include <QList>
#include <QWidget>

#include <utility>

class QCheckBox;
class QAbstractSpinBox;
class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QSlider;
class QSpinBox;
class QToolButton;

namespace moescope::widgets {

class FlowLayout;

/// What a figure is about, as far as its controls say it.
struct FigureOptions {
    enum class Ranks { All, Largest8, Largest16, Smallest8 };
    bool allLayers = false;       ///< one picture of all layers, or the total
    Ranks ranks = Ranks::All;     ///< of which bars are drawn
    bool singleTokens = false;    ///< selected ones by themselves instead of all together
    figures::FigureRequest form;  ///< roles, relative, range, colour map, diagonal
    bool operator==(const FigureOptions&) const = default;
};

/// A session that another one may be compared with.
struct OtherSession {
    int id = 0;
    QString title;
    QString difference;  ///< why it cannot be; empty: it fits
};

/// The row of controls above a figure: only those it has. *GUI thread only*.
class FigureControls : public QWidget {
    Q_OBJECT
public:
    explicit FigureControls(const figures::FigureInfo& info, QWidget* parent = nullptr);

    [[nodiscard]] FigureOptions options() const;
    /// Whether the colour range can be chosen.
    [[nodiscard]] bool hasRange() const { return m_range != nullptr; }
    /// Sessions to compare with, by OpenSession::id, those that fit first. What the user chose
    /// stays where it is still there; else it is the first.
    void setOthers(const QList<OtherSession>& others);
    /// The sessions to compare with, one or, of a figure that takes a series, several; none: there
    /// is none, or no such choice.
    [[nodiscard]] QList<int> others() const;
    /// Of which removals single tokens can be shown. What the user chose stays where it is still
    /// there.
    void setRemovals(const figures::KeptRemovals& kept);
    /// How many experts each routed layer has at least: devices are no more.
    void setExperts(int experts);
    /// Which experts would go, as another figure says; says nothing of it.
    void setPrune(const figures::PruneChoice& choice);
    /// What really goes, beside the slider: whole experts do.
    void setPrunedShare(double share);
    /// "3 of 1000", beside the buttons that go from one large rise to the next.
    void setRise(const QString& text, bool hasRises);

Q_SIGNALS:
    void changed();
    /// The next (+1) or previous (-1) of the largest rises is wanted.
    void riseRequested(int direction);

private:
    QComboBox* addCombo(const QString& name, const QString& label, const QString& toolTip);
    QCheckBox* addCheck(const QString& name, const QString& label, const QString& toolTip);
    void addScope();
    void addRoles();
    void addColours();
    void addRanks();
    void addOutliers();
    void addDimensions();
    void addSimilarities();
    void addOther();
    void addSeries();
    void setSeries(const QList<OtherSession>& others);
    void showSeries();
    void addLoad();
    void addNumber(QAbstractSpinBox* box, const char* name, const QString& label,
                   const QString& toolTip);
    void addPruning();
    void addRemoval();
    void showShare();

    const figures::FigureInfo& m_info;
    FlowLayout* m_row;
    QComboBox* m_scope = nullptr;
    QComboBox* m_roles = nullptr;
    QComboBox* m_range = nullptr;
    QComboBox* m_map = nullptr;
    QComboBox* m_tokens = nullptr;
    QComboBox* m_ranks = nullptr;
    QComboBox* m_similarity = nullptr;
    QComboBox* m_dimensions = nullptr;
    QSpinBox* m_batchTokens = nullptr;
    QDoubleSpinBox* m_capacity = nullptr;
    QSpinBox* m_devices = nullptr;
    QComboBox* m_criterion = nullptr;
    QComboBox* m_pruneOver = nullptr;
    QSlider* m_share = nullptr;
    QLabel* m_shareText = nullptr;
    QComboBox* m_removal = nullptr;
    QLabel* m_rise = nullptr;
    QWidget* m_rises = nullptr;  ///< the buttons and m_rise
    QComboBox* m_other = nullptr;
    QToolButton* m_series = nullptr;  ///< in its place, where several can be chosen
    QList<int> m_chosenOthers;        ///< by the user
    QCheckBox* m_relative = nullptr;
    QComboBox* m_order = nullptr;
    QCheckBox* m_outliers = nullptr;
    QCheckBox* m_diagonal = nullptr;
};

}  // namespace moescope::widgets
