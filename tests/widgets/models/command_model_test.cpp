// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/models/command_model.h"

#include "tests/support/catch.h"

#include <QAbstractItemModelTester>
#include <QAction>

#include <memory>

using namespace moescope::widgets;

TEST_CASE("fuzzyScore: letters in order, better at word starts and in runs", "[widgets][models]") {
    const QString text = QStringLiteral("View: Next layer");
    CHECK(fuzzyScore({}, text) > 0);
    CHECK(fuzzyScore(QStringLiteral("nl"), text) > 0);
    CHECK(fuzzyScore(QStringLiteral("LAYER"), text) > 0);
    CHECK(fuzzyScore(QStringLiteral("ln"), text) == 0);
    CHECK(fuzzyScore(QStringLiteral("xyz"), text) == 0);
    CHECK(fuzzyScore(QStringLiteral("layer"), text) >
          fuzzyScore(QStringLiteral("layer"), QStringLiteral("l-a-y-e-r")));
}

TEST_CASE("CommandModel: names with their menu and shortcut", "[widgets][models]") {
    QAction next(QStringLiteral("&Next layer..."));
    next.setShortcut(QKeySequence(Qt::CTRL | Qt::Key_L));
    auto gone = std::make_unique<QAction>(QStringLiteral("Gone"));
    QAction off(QStringLiteral("Off"));
    off.setEnabled(false);
    CommandModel model;
    const QAbstractItemModelTester tester(&model);
    model.setCommands({{QStringLiteral("View"), &next},
                       {QStringLiteral("File"), gone.get()},
                       {QStringLiteral("File"), &off}});
    gone.reset();
    CHECK(model.index(0, 0).data().toString() == QStringLiteral("View: Next layer"));
    CHECK(model.index(0, 1).data().toString() == QStringLiteral("Ctrl+L"));
    CHECK_FALSE(model.index(1, 0).data().isValid());
    CHECK_FALSE(model.flags(model.index(2, 0)).testFlag(Qt::ItemIsEnabled));
}

TEST_CASE("FuzzyFilter: the best match comes first", "[widgets][models]") {
    QAction play(QStringLiteral("Play layers"));
    QAction next(QStringLiteral("Next layer"));
    QAction about(QStringLiteral("About"));
    CommandModel model;
    model.setCommands({{QStringLiteral("View"), &play},
                       {QStringLiteral("View"), &next},
                       {QStringLiteral("Help"), &about}});
    FuzzyFilter filter;
    filter.setSourceModel(&model);
    CHECK(filter.rowCount() == 3);
    CHECK(filter.index(0, 0).data().toString() == QStringLiteral("View: Play layers"));
    filter.setPattern(QStringLiteral("nextl"));
    REQUIRE(filter.rowCount() == 1);
    CHECK(filter.index(0, 0).data().toString() == QStringLiteral("View: Next layer"));
}
