// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/models/expert_tokens_model.h"
#include "widgets/models/pair_model.h"
#include "widgets/models/property_model.h"
#include "widgets/models/token_path_model.h"

#include <QWidget>

class QSortFilterProxyModel;
class QTableView;

namespace moescope::widgets {

class ExpertChipDelegate;
class LoadBars;

/// A table set up as all of the inspector's are.
[[nodiscard]] QTableView* inspectorTable(const QString& name, const QString& accessibleName,
                                         QWidget* parent);

/// Names and values. *GUI thread only*.
class PropertyPage : public QWidget {
    Q_OBJECT
public:
    explicit PropertyPage(const QString& name, QWidget* parent = nullptr);
    void setProperties(const Properties& properties);

private:
    PropertyModel* m_model;
    QTableView* m_table;
};

/// A token's experts through all layers. *GUI thread only*.
class TokenPage : public QWidget {
    Q_OBJECT
public:
    explicit TokenPage(QWidget* parent = nullptr);
    void setPath(std::shared_ptr<const TokenPath> path, int experts);
    void setLayer(LayerId layer);

Q_SIGNALS:
    void layerChosen(int layer);
    void expertChosen(int layer, int expert);

private:
    TokenPathModel* m_model;
    ExpertChipDelegate* m_delegate;
    QTableView* m_table;
};

/// An expert's load, numbers and top tokens. *GUI thread only*.
class ExpertPage : public QWidget {
    Q_OBJECT
public:
    explicit ExpertPage(QWidget* parent = nullptr);
    void setFacts(const std::shared_ptr<const ExpertFacts>& facts,
                  std::shared_ptr<const figures::TokenTable> tokens);

Q_SIGNALS:
    void expertChosen(int expert);
    void tokenChosen(quint64 token);
    void cardRequested();

private:
    LoadBars* m_load;
    PropertyModel* m_facts;
    QTableView* m_factsTable;
    ExpertTokensModel* m_tokens;
    QSortFilterProxyModel* m_sorted;
    QTableView* m_tokensTable;
};

/// A pair's similarities in all roles and layers. *GUI thread only*.
class PairPage : public QWidget {
    Q_OBJECT
public:
    explicit PairPage(QWidget* parent = nullptr);
    void setSeries(PairModel::Series series);
    void setLayer(LayerId layer);

Q_SIGNALS:
    void layerChosen(int layer);

private:
    PairModel* m_model;
    QTableView* m_table;
};

}  // namespace moescope::widgets
