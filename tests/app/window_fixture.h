// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/main_window.h"
#include "app/window_actions.h"
#include "tests/support/catch.h"
#include "tests/support/open_synthetic.h"
#include "widgets/figures/figure_view.h"
#include "widgets/panels/figure_panel.h"
#include "widgets/panels/figures_area.h"

#include <QAction>
#include <QTest>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace moescope::tests {

/// A window over a made-up session, with settings of its own.
class WindowFixture {
public:
    explicit WindowFixture(const SyntheticRun& run = {}, widgets::InstallPaths paths = {})
        : m_session(run),
          m_settings(QString::fromStdString((m_session.folder() / "settings.ini").string())),
          m_workspace(std::move(paths), m_settings) {
        restart();
    }

    /// Closes the window, as a user would, and opens a new one.
    void restart() {
        if (m_window) {
            m_window->close();
        }
        m_window = std::make_unique<app::MainWindow>(m_workspace);
        m_window->resize(1280, 800);
        m_window->show();
        REQUIRE(QTest::qWaitForWindowExposed(m_window.get()));
    }

    void openSession() {
        openWithoutFigure();
        waitFigure();
    }

    /// For sessions that lack what the first panel shows.
    void openWithoutFigure() {
        m_window->openPaths({m_session.path()});
        REQUIRE(QTest::qWaitFor([this] { return m_workspace.current() != nullptr; }));
    }

    /// Until the current panel shows a figure for what is selected now.
    void waitFigure() {
        REQUIRE(QTest::qWaitFor([this] { return figure() != nullptr; }));
        // What is under way when a figure is there is the next one.
        QTest::qWait(30);
    }

    /// Where the window lists a figure, from 0.
    [[nodiscard]] static int indexOf(std::string_view figure) {
        const auto catalogue = figures::figureCatalogue();
        const auto found =
            std::find_if(catalogue.begin(), catalogue.end(),
                         [&](const figures::FigureInfo& info) { return info.name == figure; });
        REQUIRE(found != catalogue.end());
        return static_cast<int>(found - catalogue.begin());
    }

    void showFigure(std::string_view name) {
        window().figures().setCurrent(indexOf(name));
        waitFigure();
    }

    [[nodiscard]] app::MainWindow& window() { return *m_window; }
    [[nodiscard]] widgets::Workspace& workspace() { return m_workspace; }
    [[nodiscard]] widgets::Selection& selection() { return m_workspace.selection(); }
    [[nodiscard]] widgets::Settings& settings() { return m_settings; }
    [[nodiscard]] const SyntheticSession& session() const { return m_session; }
    [[nodiscard]] app::WindowActions& actions() { return m_window->actions(); }
    [[nodiscard]] widgets::FigurePanel& panel() { return *m_window->figures().current(); }
    [[nodiscard]] widgets::FigurePointer figure() { return panel().figure(); }

    /// The widget of that objectName; it must exist.
    template <typename T>
    [[nodiscard]] T& find(const char* name) {
        T* widget = m_window->findChild<T*>(QString::fromLatin1(name));
        INFO("looking for " << name);
        REQUIRE(widget != nullptr);
        return *widget;
    }

    /// A key, as the widget with the focus gets it.
    void key(Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
        QWidget* focus = m_window->focusWidget();
        QTest::keyClick(focus != nullptr ? focus : m_window.get(), key, modifiers);
    }

private:
    SyntheticSession m_session;
    widgets::Settings m_settings;
    widgets::Workspace m_workspace;
    std::unique_ptr<app::MainWindow> m_window;
};

}  // namespace moescope::tests
