// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Ways through the text and from expert to expert, in the whole window.
#include "tests/app/window_fixture.h"
#include "tests/support/catch.h"
#include "widgets/panels/message_bar.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSlider>
#include <QSpinBox>
#include <QToolButton>

#include <algorithm>
#include <cstdlib>

using namespace moescope;
using namespace moescope::widgets;
using moescope::tests::WindowFixture;

TEST_CASE("MainWindow: search counts places and goes on by buttons", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    auto& search = w.find<QLineEdit>("tokenSearch");
    auto& count = w.find<QLabel>("searchResult");
    search.setFocus();
    QTest::keyClicks(&search, QStringLiteral("router"));
    REQUIRE(QTest::qWaitFor([&] { return count.text().contains(QStringLiteral(" of ")); }));
    const auto& tokens = w.workspace().current()->head().corpus.tokenBytes;
    const auto places = std::count(tokens.begin(), tokens.end(), " router");
    CHECK(count.text() == QStringLiteral("1 of %1").arg(places));
    w.find<QToolButton>("findNextButton").click();
    CHECK(count.text() == QStringLiteral("2 of %1").arg(places));
    w.find<QToolButton>("findPreviousButton").click();
    w.find<QToolButton>("findPreviousButton").click();
    CHECK(count.text() == QStringLiteral("%1 of %1").arg(places));  // the last one, going round
}

TEST_CASE("MainWindow: tokens of an expert, of a document and of a domain", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    const auto routing = w.workspace().current()->content.builder->routing(LayerId{1});
    const int expert = routing->id(7, 0);
    w.selection().setExperts({expert});
    w.actions().nextOfExpert->trigger();
    REQUIRE(QTest::qWaitFor([&] { return w.selection().currentToken().has_value(); }));
    std::vector<std::uint64_t> tokens;  // that choose it at all
    for (std::uint64_t token = 0; token < routing->tokenCount(); ++token) {
        if (routing->id(token, 0) == expert || routing->id(token, 1) == expert) {
            tokens.push_back(token);
        }
    }
    auto& place = w.find<QLabel>("expertPlace");
    CHECK(w.selection().currentToken() == tokens.front());
    CHECK(place.text() == QStringLiteral("1 of %1").arg(tokens.size()));
    w.actions().previousOfExpert->trigger();  // going round
    CHECK(w.selection().currentToken() == tokens.back());
    CHECK(place.text() == QStringLiteral("%1 of %1").arg(tokens.size()));
    w.selection().setLayer(LayerId{2});
    CHECK(place.text().isEmpty());
    w.selection().setLayer(LayerId{1});
    // Without a selected expert it is the first choice of the current token.
    w.selection().clear();
    w.selection().selectToken(9);
    w.actions().nextOfExpert->trigger();
    REQUIRE(QTest::qWaitFor([&] { return w.selection().currentToken() != 9U; }));
    CHECK(w.selection().state().experts == std::vector<int>{routing->id(9, 0)});
    w.selection().selectToken(25);  // documents of 20 tokens; the second is alone in its domain
    w.actions().selectDomain->trigger();
    CHECK(w.selection().state().tokens == std::vector<TokenRange>{{20, 20}});
    w.selection().setTokens({{5, 1}});
    w.find<QToolButton>("selectDomain").click();
    CHECK(w.selection().state().tokens == std::vector<TokenRange>{{0, 20}, {40, 20}});
}

TEST_CASE("MainWindow: a long text goes to the token that is selected", "[app][gui]") {
    WindowFixture w({.tokens = 20'000, .experiments = {"chosen_experts"}});
    w.openWithoutFigure();
    w.showFigure("coloured-text");
    const auto isInView = [](const FigureView& view, std::uint64_t token) {
        const auto tokens = view.tokensInView();
        return tokens && tokens->first <= token && token < tokens->end();
    };
    auto& strip = w.find<FigureView>("textStripView");
    REQUIRE(QTest::qWaitFor([&] { return strip.figure() != nullptr; }));
    for (const std::uint64_t token : {15'000U, 3U, 19'999U, 7'777U}) {
        w.selection().selectToken(token);
        CHECK(isInView(w.panel().view(), token));
        CHECK(isInView(strip, token));
    }
    // A layer step stays there.
    w.selection().setLayer(LayerId{3});
    w.waitFigure();
    REQUIRE(QTest::qWaitFor([&] { return w.figure()->provenance.layer == LayerId{3}; }));
    CHECK(isInView(w.panel().view(), 7'777));
}

TEST_CASE("MainWindow: the text by the rise of loss follows expert and layer", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    w.selection().setLayer(LayerId{2});
    w.selection().setExperts({5});
    w.showFigure("expert-removal-text");
    const auto without = [&] {
        const FigurePointer figure = w.figure();
        const auto* text = figure ? std::get_if<figures::LossTextFigure>(&figure->body) : nullptr;
        return text == nullptr ? std::string() : text->without;
    };
    REQUIRE(QTest::qWaitFor([&] { return without() == "expert 5 of layer 2"; }));
    w.selection().setExperts({1});
    REQUIRE(QTest::qWaitFor([&] { return without() == "expert 1 of layer 2"; }));
    w.selection().setLayer(LayerId{3});
    REQUIRE(QTest::qWaitFor([&] { return without() == "expert 1 of layer 3"; }));
    // The largest rise, then the next lower one, and back.
    const FigurePointer shown = w.figure();
    const auto& worst = std::get<figures::LossTextFigure>(shown->body).worst;
    w.key(Qt::Key_R);
    CHECK(w.selection().currentToken() == worst[0]);
    CHECK(w.find<QLabel>("riseLabel").text().startsWith(QStringLiteral("1 of ")));
    w.panel().findChild<QToolButton*>(QStringLiteral("nextRiseButton"))->click();
    CHECK(w.selection().currentToken() == worst[1]);
    w.key(Qt::Key_R, Qt::ShiftModifier);
    CHECK(w.selection().currentToken() == worst[0]);
    // A chosen set does not depend on the selected expert.
    auto& removal = *w.panel().findChild<QComboBox*>(QStringLiteral("removalCombo"));
    removal.setCurrentIndex(removal.findData(QStringLiteral("1:0,2:1")));
    REQUIRE(QTest::qWaitFor([&] { return without() == "1:0,2:1"; }));
    w.selection().setExperts({4});
    QTest::qWait(30);
    CHECK(without() == "1:0,2:1");
}

TEST_CASE("MainWindow: a row about a token leads to it, and says which of its expert's it is",
          "[app][gui]") {
    WindowFixture w;
    w.openSession();
    w.selection().setLayer(LayerId{2});
    w.showFigure("near-flips");
    FigureView& view = w.panel().view();
    QPoint row;
    figures::Hit hit;
    for (int y = 40; y < view.viewport()->height() && row.isNull(); y += 4) {
        hit = view.hitAt(QPointF(20.0, y));
        row = hit.token && hit.expert ? QPoint(20, y) : QPoint();
    }
    REQUIRE_FALSE(row.isNull());
    QTest::mouseClick(view.viewport(), Qt::LeftButton, {}, row);
    CHECK(w.selection().currentToken() == hit.token);
    CHECK(w.selection().state().experts == std::vector<int>{*hit.expert});
    CHECK(w.selection().state().focus == Focus::Token);
    auto& place = w.find<QLabel>("expertPlace");
    REQUIRE(QTest::qWaitFor([&] { return place.text().contains(QStringLiteral(" of ")); }));
    // Of another layer's tokens it may be none; what was looked for here does not move there.
    const auto token = w.selection().currentToken();
    w.actions().nextOfExpert->trigger();
    const auto next = w.selection().currentToken();
    CHECK(next != token);
    w.selection().setLayer(LayerId{3});
    w.actions().nextOfExpert->trigger();
    w.selection().setLayer(LayerId{1});  // before it was found
    QTest::qWait(200);
    CHECK(w.selection().currentToken() == next);
}

TEST_CASE("MainWindow: counting an expert's tokens takes no search's place", "[app][gui]") {
    WindowFixture w({.tokens = 20'000, .experiments = {"chosen_experts"}});
    w.openWithoutFigure();
    w.selection().setExperts({1});
    w.selection().setLayer(LayerId{2});
    w.actions().nextOfExpert->trigger();
    w.selection().selectToken(9);  // before it was found
    REQUIRE(QTest::qWaitFor([&] { return w.selection().currentToken() != 9U; }));
    const auto routing = w.workspace().current()->content.builder->routing(LayerId{2});
    const std::uint64_t row = *w.selection().currentToken();
    CHECK((routing->id(row, 0) == 1 || routing->id(row, 1) == 1));
    // Counting reads nothing of its own, and waits for the text.
    w.selection().setLayer(LayerId{3});
    CHECK(w.find<QLabel>("expertPlace").text().isEmpty());
}

TEST_CASE("MainWindow: what there is nothing for is not offered", "[app][gui]") {
    WindowFixture w({.experiments = {"chosen_experts"}});
    w.openWithoutFigure();
    w.window().figures().setCurrent(WindowFixture::indexOf("expert-removal-text"));
    auto* bar = w.panel().findChild<MessageBar*>(QStringLiteral("figureMessages"));
    REQUIRE(QTest::qWaitFor([&] { return bar->isVisible(); }));
    CHECK_FALSE(w.panel().findChild<QComboBox*>(QStringLiteral("removalCombo"))->isVisible());
    CHECK_FALSE(w.panel().findChild<QToolButton*>(QStringLiteral("nextRiseButton"))->isEnabled());
}

TEST_CASE("MainWindow: the card of an expert, back and forward", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    CHECK_FALSE(w.actions().back->isEnabled());
    w.selection().setExperts({3});
    w.actions().expertCard->trigger();
    REQUIRE(QTest::qWaitFor([&] { return w.figure() && w.figure()->name == "expert-card"; }));
    const auto shown = [&] { return std::get<figures::ExpertCardFigure>(w.figure()->body).expert; };
    CHECK(shown() == 3);
    // A click on another expert's bar leads to its card.
    FigureView& view = w.panel().view();
    QPoint other;
    for (int y = 2; y < view.viewport()->height() && other.isNull(); y += 4) {
        for (int x = 2; x < view.viewport()->width() && other.isNull(); x += 4) {
            other = view.hitAt(QPointF(x, y)).expert == 6 ? QPoint(x, y) : QPoint();
        }
    }
    REQUIRE_FALSE(other.isNull());
    QTest::mouseClick(view.viewport(), Qt::LeftButton, {}, other);
    REQUIRE(QTest::qWaitFor([&] { return shown() == 6; }));
    REQUIRE(w.actions().back->isEnabled());
    w.actions().back->trigger();
    REQUIRE(QTest::qWaitFor([&] { return shown() == 3; }));
    w.actions().forward->trigger();
    REQUIRE(QTest::qWaitFor([&] { return shown() == 6; }));
    // From the inspector, whatever figure is shown.
    w.showFigure("load-balance");
    w.selection().setExperts({2});
    REQUIRE(QTest::qWaitFor([&] { return w.find<QPushButton>("expertCardButton").isVisible(); }));
    w.find<QPushButton>("expertCardButton").click();
    REQUIRE(QTest::qWaitFor(
        [&] { return w.figure() && w.figure()->name == "expert-card" && shown() == 2; }));
}

TEST_CASE("MainWindow: a cell of load leads to its layer and expert", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    w.showFigure("load-balance");
    FigureView& view = w.panel().view();
    QPoint cell;
    for (int y = 2; y < view.viewport()->height() && cell.isNull(); y += 4) {
        for (int x = 2; x < view.viewport()->width() && cell.isNull(); x += 4) {
            const figures::Hit hit = view.hitAt(QPointF(x, y));
            cell = hit.expert == 4 && hit.layer == LayerId{3} ? QPoint(x, y) : QPoint();
        }
    }
    REQUIRE_FALSE(cell.isNull());
    QTest::mouseDClick(view.viewport(), Qt::LeftButton, {}, cell);
    QTest::mouseClick(view.viewport(), Qt::LeftButton, {}, cell);
    CHECK(w.selection().state().layer == LayerId{3});
    CHECK(w.selection().state().experts == std::vector<int>{4});
    REQUIRE(QTest::qWaitFor([&] { return w.figure() && w.figure()->name == "expert-card"; }));
}

TEST_CASE("Importance: the figure stays in its place while the slider moves", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    w.showFigure("importance");
    auto* scope = w.panel().findChild<QComboBox*>(QStringLiteral("scopeCombo"));
    auto* slider = w.panel().findChild<QSlider*>(QStringLiteral("pruneShare"));
    auto* messages = w.panel().findChild<MessageBar*>(QStringLiteral("figureMessages"));
    auto* view = w.panel().findChild<FigureView*>();
    bool isOffered = false;
    bool isNot = false;
    int top = -1;
    for (int share = 1; share < 8; ++share) {
        slider->setValue(share);
        w.waitFigure();
        REQUIRE(QTest::qWaitFor([&] {
            return w.figure()->prunes != nullptr &&
                   w.figure()->prunes->choice.share * 16.0 == Approx(share);
        }));
        QTest::qWait(50);
        (messages->isVisible() ? isOffered : isNot) = true;
        top = top < 0 ? view->y() : top;
        CHECK(view->y() == top);
    }
    CHECK(isOffered);
    CHECK(isNot);
    // A label, the slider and the combo box beside it have one middle.
    const auto middle = [](const QWidget* widget) { return widget->geometry().center().y(); };
    CHECK(std::abs(middle(slider->parentWidget()) - middle(scope->parentWidget())) <= 1);
    // Maps of all layers have no "this layer"; those of rises may leave far values out.
    w.showFigure("load-balance");
    CHECK(w.panel().findChild<QComboBox*>(QStringLiteral("rangeCombo")) == nullptr);
    w.showFigure("expert-removal");
    const auto* range = w.panel().findChild<QComboBox*>(QStringLiteral("rangeCombo"));
    REQUIRE(range != nullptr);
    CHECK(range->findText(QStringLiteral("this layer")) < 0);
    CHECK(range->findText(QStringLiteral("all values")) >= 0);
}

TEST_CASE("Load table: it supposes what its boxes say", "[app][gui]") {
    WindowFixture w;
    w.openWithoutFigure();
    w.showFigure("load-table");
    auto* batch = w.panel().findChild<QSpinBox*>(QStringLiteral("batchTokens"));
    auto* capacity = w.panel().findChild<QDoubleSpinBox*>(QStringLiteral("capacity"));
    auto* devices = w.panel().findChild<QSpinBox*>(QStringLiteral("devices"));
    REQUIRE((batch != nullptr && capacity != nullptr && devices != nullptr));
    CHECK(devices->text() == QStringLiteral("usual (4)"));
    CHECK(devices->maximum() == 8);
    const auto says = [&](const char* words) {
        return QTest::qWaitFor(
            [&] { return w.figure()->caption.find(words) != std::string::npos; });
    };
    CHECK(says("of 512 consecutive tokens"));
    batch->setValue(16);
    CHECK(says("of 16 consecutive tokens"));
    devices->setValue(2);
    CHECK(says("Devices: 2."));
    capacity->setValue(1.5);
    CHECK(QTest::qWaitFor([&] {
        const auto& columns = std::get<figures::TableFigure>(w.figure()->body).columns;
        return std::any_of(columns.begin(), columns.end(), [](const figures::TableColumn& column) {
            return column.name == "dropped at 1.5";
        });
    }));
    capacity->setValue(1.0);  // one column, not two
    CHECK(QTest::qWaitFor(
        [&] { return std::get<figures::TableFigure>(w.figure()->body).columns.size() == 11; }));
}
