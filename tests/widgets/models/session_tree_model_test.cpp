// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/models/session_tree_model.h"

#include "tests/support/catch.h"
#include "tests/support/session_builder.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>

#include <algorithm>

using namespace moescope;
using namespace moescope::widgets;

namespace {

SessionEntry entry(int id, const tests::SyntheticRun& run, bool done) {
    session::Head head = tests::syntheticHead(run);
    for (session::ExperimentRecord& record : head.experiments) {
        record.state = done ? session::ExperimentState::Done : session::ExperimentState::Planned;
        record.layers = {LayerId{1}, LayerId{2}, LayerId{3}};
        record.layersDone = done ? record.layers : std::vector<LayerId>{LayerId{1}};
    }
    SessionEntry result;
    result.id = id;
    result.title = QStringLiteral("session %1").arg(id);
    result.head = std::make_shared<const session::Head>(head);
    return result;
}

QModelIndex experiment(const SessionTreeModel& model, int id, const QString& wanted) {
    const QModelIndexList found =
        model.match(model.indexOfSession(id), SessionTreeModel::ExperimentRole, wanted, 1,
                    Qt::MatchExactly | Qt::MatchRecursive);
    return found.isEmpty() ? QModelIndex() : found.first();
}

ExperimentStatus status(const SessionTreeModel& model, int id, const QString& wanted) {
    return static_cast<ExperimentStatus>(
        experiment(model, id, wanted).data(SessionTreeModel::StatusRole).toInt());
}

}  // namespace

TEST_CASE("SessionTreeModel: model, text and experiments of each session", "[widgets][models]") {
    SessionTreeModel model;
    const QAbstractItemModelTester tester(&model);
    tests::SyntheticRun run;
    run.experiments = {"rank_counts", "chosen_experts"};
    model.setSession(entry(7, run, true));
    const QModelIndex root = model.indexOfSession(7);
    REQUIRE(model.rowCount(root) == 3);
    CHECK(model.index(0, 0, root).data().toString().contains(QStringLiteral("8 experts, top-2")));
    CHECK(model.index(1, 0, root).data().toString().contains(QStringLiteral("60 tokens")));
    CHECK(status(model, 7, QStringLiteral("rank_counts")) == ExperimentStatus::Done);
    CHECK(status(model, 7, QStringLiteral("norms_scores")) == ExperimentStatus::NotRun);
    // Derived from the chosen experts, so it is there as well.
    CHECK(status(model, 7, QStringLiteral("coloured_text")) == ExperimentStatus::Done);
    const auto stateOf = [&](const QString& id) {
        return experiment(model, 7, id).siblingAtColumn(1).data().toString();
    };
    CHECK(stateOf(QStringLiteral("coactivation")) == QStringLiteral("done"));
    // One session shows nothing of it.
    CHECK(stateOf(QStringLiteral("router_saturation")) == QStringLiteral("compares two"));
}

TEST_CASE("SessionTreeModel: a newer state changes rows in place", "[widgets][models]") {
    SessionTreeModel model;
    const QAbstractItemModelTester tester(&model);
    const tests::SyntheticRun run;
    model.setSession(entry(1, run, false));
    model.setRunning(1, {QStringLiteral("rank_counts")});
    CHECK(status(model, 1, QStringLiteral("rank_counts")) == ExperimentStatus::Running);
    const QModelIndex state =
        experiment(model, 1, QStringLiteral("rank_counts")).siblingAtColumn(1);
    CHECK(state.data().toString() == QStringLiteral("running 1/3"));
    const QPersistentModelIndex kept(state);
    QSignalSpy resets(&model, &QAbstractItemModel::modelReset);
    QSignalSpy changes(&model, &QAbstractItemModel::dataChanged);
    model.setSession(entry(1, run, true));
    CHECK(resets.isEmpty());
    CHECK_FALSE(changes.isEmpty());
    CHECK(kept.isValid());
    CHECK(kept.data().toString() == QStringLiteral("done"));
}

TEST_CASE("SessionTreeModel: sessions come and go", "[widgets][models]") {
    SessionTreeModel model;
    const QAbstractItemModelTester tester(&model);
    const tests::SyntheticRun run;
    for (int id = 1; id <= 3; ++id) {
        model.setSession(entry(id, run, true));
    }
    model.removeSession(2);
    model.removeSession(99);
    CHECK(model.rowCount() == 2);
    CHECK(model.indexOfSession(3).row() == 1);
    CHECK_FALSE(model.indexOfSession(2).isValid());
    CHECK(model.index(0, 0, model.indexOfSession(3)).parent() == model.indexOfSession(3));
}
