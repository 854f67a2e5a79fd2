// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/request.h"

#include <QList>
#include <QWidget>

#include <utility>

class QCheckBox;
class QComboBox;
class QLabel;
class QSlider;

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

/// The row of controls above a figure: only those it has. *GUI thread only*.
class FigureControls : public QWidget {
    Q_OBJECT
public:
    explicit FigureControls(const figures::FigureInfo& info, QWidget* parent = nullptr);

    [[nodiscard]] FigureOptions options() const;
    /// Whether the colour range can be chosen.
    [[nodiscard]] bool hasRange() const { return m_range != nullptr; }
    /// Sessions to compare with, by OpenSession::id. What the user chose stays where it is still
    /// there; else it is the first.
    void setOthers(const QList<std::pair<int, QString>>& others);
    /// The session to compare with; 0: none, or no such choice.
    [[nodiscard]] int other() const;

Q_SIGNALS:
    void changed();

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
    void addPruning();
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
    QComboBox* m_criterion = nullptr;
    QComboBox* m_pruneOver = nullptr;
    QSlider* m_share = nullptr;
    QLabel* m_shareText = nullptr;
    QComboBox* m_other = nullptr;
    int m_chosenOther = 0;  ///< by the user
    QCheckBox* m_relative = nullptr;
    QCheckBox* m_outliers = nullptr;
    QCheckBox* m_diagonal = nullptr;
};

}  // namespace moescope::widgets
