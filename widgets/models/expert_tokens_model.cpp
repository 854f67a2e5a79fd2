// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/models/expert_tokens_model.h"

#include "widgets/support/format.h"

#include <algorithm>

namespace moescope::widgets {
namespace {

constexpr std::uint64_t kContext = 4;  ///< tokens on either side

double shareOf(const ExpertToken& entry) {
    return entry.seen == 0 ? 0.0
                           : static_cast<double>(entry.routed) / static_cast<double>(entry.seen);
}

}  // namespace

ExpertTokensModel::ExpertTokensModel(QObject* parent) : QAbstractTableModel(parent) {}

void ExpertTokensModel::setFacts(std::shared_ptr<const ExpertFacts> facts,
                                 std::shared_ptr<const figures::TokenTable> tokens) {
    beginResetModel();
    m_facts = std::move(facts);
    m_tokens = std::move(tokens);
    endResetModel();
}

int ExpertTokensModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() || !m_facts ? 0 : static_cast<int>(m_facts->topTokens.size());
}

int ExpertTokensModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : 4;
}

QString ExpertTokensModel::textOf(std::uint64_t token) const {
    if (!m_tokens || token >= m_tokens->size()) {
        return {};
    }
    const std::string_view text = m_tokens->text(token);
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QString ExpertTokensModel::contextOf(std::uint64_t token) const {
    if (!m_tokens || token >= m_tokens->size()) {
        return {};
    }
    const auto& offsets = m_tokens->documentOffsets();
    const std::uint64_t document = m_tokens->documentOf(token);
    const std::uint64_t begin = std::max(offsets[document], token - std::min(token, kContext));
    const std::uint64_t end = std::min(offsets[document + 1], token + kContext + 1);
    QString context;
    for (std::uint64_t at = begin; at < end; ++at) {
        context += at == token ? QStringLiteral("[%1]").arg(textOf(at)) : textOf(at);
    }
    return context;
}

QVariant ExpertTokensModel::display(const ExpertToken& entry, Column column) const {
    switch (column) {
        case Column::Token:
            return textOf(entry.example);
        case Column::Times:
            return formatCount(entry.routed);
        case Column::Share:
            return formatPercent(shareOf(entry));
        case Column::Context:
            return contextOf(entry.example);
    }
    return {};
}

QVariant ExpertTokensModel::sortKey(const ExpertToken& entry, Column column) {
    switch (column) {
        case Column::Times:
            return QVariant::fromValue(static_cast<qulonglong>(entry.routed));
        case Column::Share:
            return shareOf(entry);
        default:
            return {};
    }
}

QVariant ExpertTokensModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) {
        return {};
    }
    const ExpertToken& entry = m_facts->topTokens[static_cast<std::size_t>(index.row())];
    const auto column = static_cast<Column>(index.column());
    const bool isNumber = column == Column::Times || column == Column::Share;
    switch (role) {
        case Qt::DisplayRole:
            return display(entry, column);
        case Qt::ToolTipRole:
            return tr("Chosen for %1 of its %2 occurrences; largest weight %3 at token %4")
                .arg(formatCount(entry.routed), formatCount(entry.seen),
                     formatValue(static_cast<double>(entry.exampleWeight)))
                .arg(entry.example);
        case Qt::TextAlignmentRole:
            return QVariant::fromValue(
                Qt::Alignment(Qt::AlignVCenter | (isNumber ? Qt::AlignRight : Qt::AlignLeft)));
        case TokenRole:
            return QVariant::fromValue(static_cast<qulonglong>(entry.example));
        case SortRole:
            return isNumber ? sortKey(entry, column) : display(entry, column);
        default:
            return {};
    }
}

QVariant ExpertTokensModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) {
        return {};
    }
    switch (static_cast<Column>(section)) {
        case Column::Token:
            return tr("Token");
        case Column::Times:
            return tr("Times");
        case Column::Share:
            return tr("Share");
        case Column::Context:
            return tr("Where");
    }
    return {};
}

}  // namespace moescope::widgets
