// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// How long the window takes to open a session and to draw another layer. Prints a table; nothing is
// asserted, since times depend on the machine. With a path the session is that file, else made-up
// ones of several sizes.
#include "app/main_window.h"
#include "tests/bench/waiting.h"
#include "tests/support/open_synthetic.h"
#include "widgets/figures/figure_view.h"
#include "widgets/panels/figure_panel.h"
#include "widgets/panels/figures_area.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QStandardPaths>
#include <QTest>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace moescope;
using bench::milliseconds;
using bench::spinUntil;

class Bench {
public:
    Bench(const std::string& title, const QString& session, const QString& settings)
        : m_settings(settings), m_workspace({}, m_settings) {
        QElapsedTimer timer;
        timer.start();
        m_window = std::make_unique<app::MainWindow>(m_workspace);
        m_window->resize(1280, 800);
        m_window->show();
        m_window->openPaths({session});
        const bool opened =
            spinUntil([&] { return m_workspace.current() != nullptr && figure() != nullptr; });
        m_window->grab();
        std::printf("%s\n  open and draw: %.0f ms%s\n", title.c_str(), milliseconds(timer),
                    opened ? "" : " (gave up)");
    }

    void stepThroughFigures() {
        for (int i = 0; i < m_window->figures().panels().size(); ++i) {
            if (m_window->figures().panels().at(i)->info().needsOther) {
                continue;
            }
            m_window->figures().setCurrent(i);
            spinUntil([&] { return figure() != nullptr; });
            if (panel().info().perLayer) {
                stepThroughLayers();
            }
        }
    }

private:
    [[nodiscard]] widgets::FigurePanel& panel() { return *m_window->figures().current(); }
    [[nodiscard]] widgets::FigurePointer figure() { return panel().figure(); }

    /// Each step: select the layer, wait for its figure, paint the window.
    void stepThroughLayers() {
        std::vector<double> times;
        const auto& layers = m_workspace.current()->head().model.layers;
        for (std::size_t layer = 0; layer < layers.size(); ++layer) {
            const LayerId id(static_cast<int>(layer));
            if (!layers[layer].isRouted() || m_workspace.selection().state().layer == id) {
                continue;
            }
            QElapsedTimer timer;
            timer.start();
            m_workspace.selection().setLayer(id);
            spinUntil([&] { return figure() != nullptr && figure()->provenance.layer == id; });
            panel().grab();
            times.push_back(milliseconds(timer));
        }
        if (times.empty()) {
            return;
        }
        std::sort(times.begin(), times.end());
        std::printf("  %-24s layer step: median %6.1f ms, worst %6.1f ms\n",
                    std::string(panel().info().name).c_str(), times[times.size() / 2],
                    times.back());
    }

    widgets::Settings m_settings;
    widgets::Workspace m_workspace;
    std::unique_ptr<app::MainWindow> m_window;
};

void benchSynthetic(const std::string& title, const tests::SyntheticRun& run) {
    const tests::SyntheticSession session(run);
    const auto settings = session.folder() / "settings.ini";
    Bench bench(title, session.path(), QString::fromStdString(settings.string()));
    bench.stepThroughFigures();
}

}  // namespace

int main(int argc, char** argv) {
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM")) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
    }
    QStandardPaths::setTestModeEnabled(true);
    QApplication application(argc, argv);
    if (argc > 1) {
        const tests::TemporaryFolder folder;
        const auto settings = QString::fromStdString((folder / "settings.ini").string());
        Bench bench(argv[1], QString::fromLocal8Bit(argv[1]), settings);
        bench.stepThroughFigures();
        return 0;
    }
    benchSynthetic("8 experts, 32 layers, 4,000 tokens", {.layers = 32, .tokens = 4000});
    benchSynthetic("64 experts, 28 layers, 4,000 tokens",
                   {.layers = 28, .experts = 64, .topK = 6, .tokens = 4000});
    benchSynthetic("8 experts, 4 layers, 1,000,000 tokens",
                   {.layers = 4, .tokens = 1'000'000, .documents = 1000});
    return 0;
}
