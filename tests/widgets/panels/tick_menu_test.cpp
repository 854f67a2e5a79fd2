// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/tick_menu.h"

#include "tests/support/catch.h"

#include <QAction>
#include <QTest>

using moescope::widgets::TickMenu;

TEST_CASE("TickMenu: ticked by a left click inside and nothing else", "[widgets][gui]") {
    TickMenu menu;
    QAction* action = menu.addAction(QStringLiteral("one"));
    action->setCheckable(true);
    menu.popup(QPoint(50, 50));
    REQUIRE(QTest::qWaitForWindowExposed(&menu));
    const QPoint place = menu.actionGeometry(action).center();
    QTest::mouseRelease(&menu, Qt::LeftButton, {}, place);  // of the press that opened it
    CHECK_FALSE(action->isChecked());
    QTest::mouseClick(&menu, Qt::RightButton, {}, place);
    CHECK_FALSE(action->isChecked());
    CHECK(menu.isVisible());
    QTest::mouseClick(&menu, Qt::LeftButton, {}, place);
    CHECK(action->isChecked());
    QTest::mouseClick(&menu, Qt::LeftButton, {}, place);
    CHECK_FALSE(action->isChecked());
    CHECK(menu.isVisible());
}
