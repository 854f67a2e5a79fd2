// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/models/session_tree_model.h"

#include "core/experiments/catalogue.h"
#include "core/figures/request.h"
#include "widgets/models/summary_text.h"

#include <algorithm>

namespace moescope::widgets {

struct SessionTreeModel::Node {
    SessionNode kind = SessionNode::Session;
    int session = 0;
    int row = 0;
    Node* parent = nullptr;
    QString name, state, toolTip, experiment;
    ExperimentStatus status = ExperimentStatus::NotRun;
    bool derived = false;
    std::vector<std::unique_ptr<Node>> children;

    Node* add(SessionNode childKind, const QString& childName, const QString& childState = {}) {
        auto child = std::make_unique<Node>();
        child->kind = childKind;
        child->session = session;
        child->row = static_cast<int>(children.size());
        child->parent = this;
        child->name = childName;
        child->state = childState;
        children.push_back(std::move(child));
        return children.back().get();
    }
};

namespace {

QString text(std::string_view view) {
    return QString::fromUtf8(view.data(), static_cast<qsizetype>(view.size()));
}

const session::ExperimentRecord* recordOf(const session::Head& head, std::string_view id) {
    const auto found = std::find_if(head.experiments.begin(), head.experiments.end(),
                                    [&](const auto& record) { return record.id == id; });
    return found == head.experiments.end() ? nullptr : &*found;
}

ExperimentStatus statusOf(const session::ExperimentRecord* record, bool running) {
    if (record != nullptr && record->state == session::ExperimentState::Done) {
        return ExperimentStatus::Done;
    }
    if (running) {
        return ExperimentStatus::Running;
    }
    return record == nullptr ? ExperimentStatus::NotRun : ExperimentStatus::Planned;
}

QString stateText(ExperimentStatus status, const session::ExperimentRecord* record) {
    const int done = record == nullptr ? 0 : static_cast<int>(record->layersDone.size());
    const int all = record == nullptr ? 0 : static_cast<int>(record->layers.size());
    switch (status) {
        case ExperimentStatus::Done:
            return SessionTreeModel::tr("done");
        case ExperimentStatus::Running:
            return all > 0 ? SessionTreeModel::tr("running %1/%2").arg(done).arg(all)
                           : SessionTreeModel::tr("running");
        case ExperimentStatus::Planned:
            return all > 0 && done > 0 ? SessionTreeModel::tr("stopped %1/%2").arg(done).arg(all)
                                       : SessionTreeModel::tr("not run yet");
        case ExperimentStatus::NotRun:
            break;
    }
    return SessionTreeModel::tr("not run");
}

/// All its figures set another session beside this one, which alone shows nothing of it.
bool comparesSessions(std::string_view experiment) {
    bool some = false;
    for (const figures::FigureInfo& figure : figures::figureCatalogue()) {
        const std::string_view shown =
            figure.definedBy.empty() ? figure.experiment : figure.definedBy;
        if (shown == experiment && !figure.needsOther) {
            return false;
        }
        some = some || shown == experiment;
    }
    return some;
}

/// Derived experiments are there as soon as what they derive from is.
ExperimentStatus derivedStatus(const session::Head& head, const experiments::ExperimentInfo& info) {
    return statusOf(recordOf(head, info.derivedFrom), false);
}

}  // namespace

SessionTreeModel::SessionTreeModel(QObject* parent) : QAbstractItemModel(parent) {}

SessionTreeModel::~SessionTreeModel() = default;

int SessionTreeModel::rowOfSession(int id) const {
    const auto found = std::find_if(m_roots.begin(), m_roots.end(),
                                    [id](const Root& root) { return root.entry.id == id; });
    return found == m_roots.end() ? -1 : static_cast<int>(found - m_roots.begin());
}

std::unique_ptr<SessionTreeModel::Node> SessionTreeModel::makeTree(
    const SessionEntry& entry) const {
    const int row = rowOfSession(entry.id);
    const QSet<QString> running =
        row < 0 ? QSet<QString>() : m_roots[static_cast<std::size_t>(row)].running;
    auto root = std::make_unique<Node>();
    root->session = entry.id;
    root->name = entry.title;
    root->toolTip = entry.path;
    root->state = !running.isEmpty() ? tr("running")
                  : entry.isPartial  ? tr("unfinished")
                                     : QString();
    const session::Head& head = *entry.head;
    root->add(SessionNode::Model, modelLine(head.model))->toolTip = modelToolTip(head.model);
    root->add(SessionNode::Text, textLine(head.corpus));
    Node* group = root->add(SessionNode::Experiments, tr("Experiments"));
    for (const experiments::ExperimentInfo& info : experiments::catalogue()) {
        const QString id = text(info.id);
        const bool derived = info.kind == experiments::ExperimentKind::Derived;
        const auto* record = recordOf(head, info.id);
        const ExperimentStatus status =
            derived ? derivedStatus(head, info) : statusOf(record, running.contains(id));
        Node* node =
            group->add(SessionNode::Experiment, text(info.title), stateText(status, record));
        if (status == ExperimentStatus::Done && comparesSessions(info.id)) {
            node->state = tr("compares two");
        }
        node->experiment = id;
        node->status = status;
        node->derived = derived;
        node->toolTip = text(info.label) + QStringLiteral(": ") + text(info.definition);
    }
    return root;
}

void SessionTreeModel::setSession(const SessionEntry& entry) {
    const int row = rowOfSession(entry.id);
    if (row < 0) {
        const int last = static_cast<int>(m_roots.size());
        beginInsertRows({}, last, last);
        m_roots.push_back({entry, {}, makeTree(entry)});
        m_roots.back().node->row = last;
        endInsertRows();
        return;
    }
    // The shape is the same whatever was computed meanwhile: views keep what is expanded.
    Root& root = m_roots[static_cast<std::size_t>(row)];
    const std::unique_ptr<Node> fresh = makeTree(entry);
    root.entry = entry;
    const auto copy = [](auto&& self, Node& to, const Node& from) -> void {
        to.name = from.name;
        to.state = from.state;
        to.toolTip = from.toolTip;
        to.status = from.status;
        for (std::size_t i = 0; i < to.children.size(); ++i) {
            self(self, *to.children[i], *from.children[i]);
        }
    };
    copy(copy, *root.node, *fresh);
    const auto announce = [this](auto&& self, const QModelIndex& parent) -> void {
        const int rows = rowCount(parent);
        if (rows > 0) {
            Q_EMIT dataChanged(index(0, 0, parent), index(rows - 1, kStateColumn, parent));
        }
        for (int child = 0; child < rows; ++child) {
            self(self, index(child, 0, parent));
        }
    };
    Q_EMIT dataChanged(index(row, 0), index(row, kStateColumn));
    announce(announce, index(row, 0));
}

void SessionTreeModel::removeSession(int id) {
    const int row = rowOfSession(id);
    if (row < 0) {
        return;
    }
    beginRemoveRows({}, row, row);
    m_roots.erase(m_roots.begin() + row);
    for (std::size_t i = 0; i < m_roots.size(); ++i) {
        m_roots[i].node->row = static_cast<int>(i);
    }
    endRemoveRows();
}

void SessionTreeModel::setRunning(int id, const QSet<QString>& experiments) {
    const int row = rowOfSession(id);
    if (row < 0) {
        return;
    }
    Root& root = m_roots[static_cast<std::size_t>(row)];
    root.running = experiments;
    setSession(SessionEntry(root.entry));
}

QModelIndex SessionTreeModel::indexOfSession(int id) const {
    const int row = rowOfSession(id);
    return row < 0 ? QModelIndex() : index(row, 0);
}

const SessionTreeModel::Node* SessionTreeModel::nodeOf(const QModelIndex& index) {
    return static_cast<const Node*>(index.constInternalPointer());
}

QModelIndex SessionTreeModel::index(int row, int column, const QModelIndex& parent) const {
    if (!hasIndex(row, column, parent)) {
        return {};
    }
    const auto at = static_cast<std::size_t>(row);
    const Node* node =
        parent.isValid() ? nodeOf(parent)->children[at].get() : m_roots[at].node.get();
    return createIndex(row, column, node);
}

QModelIndex SessionTreeModel::parent(const QModelIndex& child) const {
    if (!child.isValid() || nodeOf(child)->parent == nullptr) {
        return {};
    }
    const Node* node = nodeOf(child)->parent;
    return createIndex(node->row, 0, node);
}

int SessionTreeModel::rowCount(const QModelIndex& parent) const {
    if (!parent.isValid()) {
        return static_cast<int>(m_roots.size());
    }
    return parent.column() == 0 ? static_cast<int>(nodeOf(parent)->children.size()) : 0;
}

int SessionTreeModel::columnCount(const QModelIndex& /*parent*/) const {
    return 2;
}

QVariant SessionTreeModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) {
        return {};
    }
    const Node& node = *nodeOf(index);
    switch (role) {
        case Qt::DisplayRole:
            return index.column() == kNameColumn ? node.name : node.state;
        case Qt::AccessibleTextRole:
            return node.state.isEmpty() ? node.name : node.name + QStringLiteral(", ") + node.state;
        case Qt::ToolTipRole:
            return node.toolTip.isEmpty() ? QVariant() : QVariant(node.toolTip);
        case NodeRole:
            return static_cast<int>(node.kind);
        case SessionRole:
            return node.session;
        case ExperimentRole:
            return node.experiment;
        case StatusRole:
            return static_cast<int>(node.status);
        case DerivedRole:
            return node.derived;
        default:
            return {};
    }
}

QVariant SessionTreeModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) {
        return {};
    }
    return section == kNameColumn ? tr("Session") : tr("State");
}

Qt::ItemFlags SessionTreeModel::flags(const QModelIndex& index) const {
    return index.isValid() ? Qt::ItemIsEnabled | Qt::ItemIsSelectable : Qt::NoItemFlags;
}

}  // namespace moescope::widgets
