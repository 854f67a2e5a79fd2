// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/inspector_pages.h"

#include "widgets/panels/expert_chip_delegate.h"
#include "widgets/panels/load_bars.h"
#include "widgets/support/fonts.h"
#include "widgets/support/format.h"

#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

QVBoxLayout* pageLayout(QWidget* page) {
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    return column;
}

/// As tall as its rows: a short table inside a page that scrolls elsewhere.
void fitHeight(QTableView* table) {
    int height = 2 * table->frameWidth();
    for (int row = 0; row < table->model()->rowCount(); ++row) {
        height += table->rowHeight(row);
    }
    table->setFixedHeight(height);
}

void hideHeaders(QTableView* table) {
    table->horizontalHeader()->hide();
    table->horizontalHeader()->setStretchLastSection(true);
    table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
}

Properties factsOf(const ExpertFacts& facts) {
    const auto share = [&](std::uint64_t count) {
        const double of = facts.tokens == 0
                              ? 0.0
                              : static_cast<double>(count) / static_cast<double>(facts.tokens);
        return ExpertPage::tr("%1 tokens, %2").arg(formatCount(count), formatPercent(of));
    };
    Properties properties{
        {ExpertPage::tr("Chosen for"), share(facts.chosen)},
        {ExpertPage::tr("First choice"), share(facts.firstChoice)},
        {ExpertPage::tr("Weight"),
         facts.chosen == 0
             ? ExpertPage::tr("never chosen")
             : ExpertPage::tr("%1, mean of its tokens").arg(formatValue(facts.meanWeight))}};
    if (facts.experts > 0) {
        properties.append({ExpertPage::tr("Even share"),
                           formatPercent(static_cast<double>(facts.topK) / facts.experts)});
    }
    if (!std::isnan(facts.meanNorm)) {
        properties.append(
            {ExpertPage::tr("Output norm"),
             ExpertPage::tr("%1, mean of all tokens").arg(formatValue(facts.meanNorm))});
    }
    return properties;
}

}  // namespace

QTableView* inspectorTable(const QString& name, const QString& accessibleName, QWidget* parent) {
    auto* table = new QTableView(parent);
    table->setObjectName(name);
    table->setAccessibleName(accessibleName);
    table->setFrameShape(QFrame::NoFrame);
    table->setShowGrid(false);
    table->setWordWrap(false);
    table->setTabKeyNavigation(false);
    table->viewport()->setAutoFillBackground(false);
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->setSelectionMode(QAbstractItemView::SingleSelection);
    table->setFont(withTabularFigures(table->font()));
    table->verticalHeader()->hide();
    table->verticalHeader()->setDefaultSectionSize(table->fontMetrics().height() + 8);
    table->horizontalHeader()->setHighlightSections(false);
    table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    return table;
}

PropertyPage::PropertyPage(const QString& name, QWidget* parent)
    : QWidget(parent),
      m_model(new PropertyModel(this)),
      m_table(inspectorTable(name, tr("Properties"), this)) {
    m_table->setModel(m_model);
    m_table->setSelectionMode(QAbstractItemView::NoSelection);
    m_table->setWordWrap(true);
    hideHeaders(m_table);
    pageLayout(this)->addWidget(m_table);
}

void PropertyPage::setProperties(const Properties& properties) {
    m_model->setProperties(properties);
    m_table->resizeRowsToContents();
}

TokenPage::TokenPage(QWidget* parent)
    : QWidget(parent),
      m_model(new TokenPathModel(this)),
      m_delegate(new ExpertChipDelegate(this)),
      m_table(inspectorTable(QStringLiteral("tokenPathTable"),
                             tr("Experts of the token through all layers"), this)) {
    m_table->setModel(m_model);
    m_table->setItemDelegate(m_delegate);
    auto* hint = new QLabel(
        tr("Chosen experts by falling score, with the weight that multiplied their output."), this);
    hint->setWordWrap(true);
    hint->setForegroundRole(QPalette::PlaceholderText);
    auto* column = pageLayout(this);
    column->addWidget(hint);
    column->addWidget(m_table, 1);
    connect(m_table, &QTableView::clicked, this, [this](const QModelIndex& index) {
        const int layer = index.data(TokenPathModel::LayerRole).toInt();
        const QVariant expert = index.data(TokenPathModel::ExpertRole);
        if (expert.isValid()) {
            Q_EMIT expertChosen(layer, expert.toInt());
        } else {
            Q_EMIT layerChosen(layer);
        }
    });
}

void TokenPage::setPath(std::shared_ptr<const TokenPath> path, int experts) {
    m_delegate->setExpertCount(experts);
    m_model->setPath(std::move(path));
    m_table->resizeColumnsToContents();
}

void TokenPage::setLayer(LayerId layer) {
    const int row = m_model->rowOfLayer(layer);
    if (row >= 0) {
        m_table->selectRow(row);
        m_table->scrollTo(m_model->index(row, 0));
    } else {
        m_table->clearSelection();
    }
}

ExpertPage::ExpertPage(QWidget* parent)
    : QWidget(parent),
      m_load(new LoadBars(this)),
      m_facts(new PropertyModel(this)),
      m_factsTable(inspectorTable(QStringLiteral("expertFactsTable"), tr("Expert"), this)),
      m_tokens(new ExpertTokensModel(this)),
      m_sorted(new QSortFilterProxyModel(this)),
      m_tokensTable(inspectorTable(QStringLiteral("expertTokensTable"), tr("Top tokens"), this)) {
    m_factsTable->setModel(m_facts);
    m_factsTable->setSelectionMode(QAbstractItemView::NoSelection);
    hideHeaders(m_factsTable);
    m_sorted->setSourceModel(m_tokens);
    m_sorted->setSortRole(ExpertTokensModel::SortRole);
    m_tokensTable->setModel(m_sorted);
    m_tokensTable->setSortingEnabled(true);
    m_tokensTable->sortByColumn(static_cast<int>(ExpertTokensModel::Column::Times),
                                Qt::DescendingOrder);
    m_tokensTable->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_tokensTable->horizontalHeader()->setSectionResizeMode(
        static_cast<int>(ExpertTokensModel::Column::Context), QHeaderView::Stretch);
    auto* card = new QPushButton(tr("Expert card"), this);
    card->setObjectName(QStringLiteral("expertCardButton"));
    card->setToolTip(
        tr("All that the session tells of this expert (Ctrl+I); a double click on an "
           "expert anywhere shows it as well"));
    connect(card, &QPushButton::clicked, this, &ExpertPage::cardRequested);
    auto* loadTitle = new QLabel(tr("Tokens per expert at this layer"), this);
    loadTitle->setWordWrap(true);
    loadTitle->setForegroundRole(QPalette::PlaceholderText);
    auto* tokensTitle = new QLabel(tr("Top tokens, each with one place where it stands"), this);
    tokensTitle->setWordWrap(true);
    tokensTitle->setForegroundRole(QPalette::PlaceholderText);
    auto* column = pageLayout(this);
    column->addWidget(card, 0, Qt::AlignLeft);
    column->addWidget(loadTitle);
    column->addWidget(m_load);
    column->addWidget(m_factsTable);
    column->addWidget(tokensTitle);
    column->addWidget(m_tokensTable, 1);
    connect(m_load, &LoadBars::expertClicked, this, &ExpertPage::expertChosen);
    connect(m_tokensTable, &QTableView::clicked, this, [this](const QModelIndex& index) {
        Q_EMIT tokenChosen(index.data(ExpertTokensModel::TokenRole).toULongLong());
    });
}

void ExpertPage::setFacts(const std::shared_ptr<const ExpertFacts>& facts,
                          std::shared_ptr<const figures::TokenTable> tokens) {
    m_load->setLoad(facts ? facts->load : std::vector<std::uint64_t>(), facts ? facts->expert : -1);
    m_facts->setProperties(facts ? factsOf(*facts) : Properties());
    m_tokens->setFacts(facts, std::move(tokens));
    fitHeight(m_factsTable);
}

PairPage::PairPage(QWidget* parent)
    : QWidget(parent),
      m_model(new PairModel(this)),
      m_table(inspectorTable(QStringLiteral("pairTable"), tr("Similarities of the pair"), this)) {
    m_table->setModel(m_model);
    pageLayout(this)->addWidget(m_table);
    connect(m_table, &QTableView::clicked, this, [this](const QModelIndex& index) {
        Q_EMIT layerChosen(index.data(PairModel::LayerRole).toInt());
    });
}

void PairPage::setSeries(PairModel::Series series) {
    m_model->setSeries(std::move(series));
    m_table->resizeColumnsToContents();
}

void PairPage::setLayer(LayerId layer) {
    const int row = m_model->rowOfLayer(layer);
    if (row >= 0) {
        m_table->selectRow(row);
        m_table->scrollTo(m_model->index(row, 0));
    } else {
        m_table->clearSelection();
    }
}

}  // namespace moescope::widgets
