// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// How fast the window answers on a made-up session of 100,000 tokens and 64 experts: under the
// mouse, to another layer or colour range, and when tokens are selected; and with 300,000 neurons
// projected. Prints a table; nothing is asserted, since times depend on the machine.
#include "app/main_window.h"
#include "tests/bench/waiting.h"
#include "tests/support/open_synthetic.h"
#include "widgets/figures/figure_view.h"
#include "widgets/panels/figure_panel.h"
#include "widgets/panels/figures_area.h"

#include <QApplication>
#include <QComboBox>
#include <QElapsedTimer>
#include <QStandardPaths>
#include <QTest>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace moescope;
using bench::milliseconds;
using bench::spinUntil;

constexpr int kTokens = 100'000;
constexpr int kLayers = 21;  // of which the first is dense

/// Times of one thing done several times.
class Times {
public:
    void add(double ms) { m_ms.push_back(ms); }
    [[nodiscard]] std::string text() {
        if (m_ms.empty()) {
            return "-";
        }
        std::sort(m_ms.begin(), m_ms.end());
        char out[64];
        std::snprintf(out, sizeof out, "%.1f / %.1f", m_ms[m_ms.size() / 2], m_ms.back());
        return out;
    }

private:
    std::vector<double> m_ms;
};

class Bench {
public:
    Bench(const QString& session, const QString& other, const QString& settings)
        : m_settings(settings), m_workspace({}, m_settings) {
        m_window = std::make_unique<app::MainWindow>(m_workspace);
        m_window->resize(1280, 800);
        m_window->show();
        m_window->openPaths({other, session});
        spinUntil([&] { return m_workspace.sessions().sessions().size() == 2; });
        m_workspace.setCurrent(m_workspace.sessions().findPath(session)->id);
        spinUntil([&] { return figure() != nullptr; });
    }

    void run(const char* name, int tokensChoice = 0, int dimensions = 0) {
        for (int i = 0; i < m_window->figures().panels().size(); ++i) {
            if (m_window->figures().panels().at(i)->info().name == name) {
                m_window->figures().setCurrent(i);
            }
        }
        m_workspace.selection().setTokens({});
        m_workspace.selection().setLayer(LayerId(1));
        choose("tokensCombo", tokensChoice);
        choose("dimensionsCombo", dimensions);
        spinUntil([&] { return figure() != nullptr && figure()->name == name; });
        rest();
        const std::string hover = hoverAnswers();
        const std::string layer = layerSteps();
        const std::string jump = layerJumps();
        rest();
        const std::string range = rangeChanges();
        std::printf("| %s%s | %s | %s | %s | %s |", name,
                    dimensions > 0     ? ", 3-D"
                    : tokensChoice > 0 ? ", mean"
                                       : "",
                    hover.c_str(), layer.c_str(), jump.c_str(), range.c_str());
        if (panel().info().ofSelection && (tokensChoice > 0 || !panel().info().needsToken)) {
            std::printf(" %s | %s | %s |\n", select(1'000).c_str(), select(50'000).c_str(),
                        documentsText().c_str());
        } else {
            std::printf(" - | - | - |\n");
        }
    }

private:
    [[nodiscard]] widgets::FigurePanel& panel() { return *m_window->figures().current(); }
    [[nodiscard]] widgets::FigurePointer figure() { return panel().figure(); }

    /// Lets what is fetched ahead come in, as while a user looks at the figure.
    static void rest() { QTest::qWait(1500); }

    void choose(const char* combo, int index) {
        if (auto* box = panel().findChild<QComboBox*>(QString::fromLatin1(combo))) {
            box->setCurrentIndex(index);
        }
    }

    /// The mouse over the figure: the read-out and the repainted view.
    std::string hoverAnswers() {
        Times times;
        QWidget* viewport = panel().view().viewport();
        for (int i = 0; i < 200; ++i) {
            const QPoint at(viewport->width() * ((i * 37) % 100) / 100,
                            viewport->height() * ((i * 61) % 100) / 100);
            QElapsedTimer timer;
            timer.start();
            QTest::mouseMove(viewport, at);
            QCoreApplication::processEvents();
            viewport->repaint();
            times.add(milliseconds(timer));
        }
        return times.text();
    }

    template <typename Change, typename Done>
    double timed(Change change, Done done) {
        QElapsedTimer timer;
        timer.start();
        change();
        spinUntil(done);
        panel().view().grab();
        return milliseconds(timer);
    }

    /// To the next layers, while they are fetched ahead.
    std::string layerSteps() {
        return panel().info().perLayer ? times({1, 2, 3, 4}).text() : Times().text();
    }

    /// To layers that nobody has been at, beyond those fetched ahead.
    std::string layerJumps() {
        return panel().info().perLayer ? times({8, 12, 16, 20}).text() : Times().text();
    }

    Times times(const std::vector<int>& layers) {
        Times times;
        for (const int layer : layers) {
            if (m_workspace.selection().state().layer == LayerId(layer)) {
                continue;
            }
            times.add(timed([&] { m_workspace.selection().setLayer(LayerId(layer)); },
                            [&] {
                                return figure() != nullptr &&
                                       figure()->provenance.layer == LayerId(layer);
                            }));
        }
        return times;
    }

    std::string rangeChanges() {
        Times times;
        auto* box = panel().findChild<QComboBox*>(QStringLiteral("rangeCombo"));
        for (int i = 0; box != nullptr && i < box->count(); ++i) {
            const widgets::FigurePointer before = figure();
            const bool changes = box->currentIndex() != i;
            if (changes) {
                times.add(timed([&] { box->setCurrentIndex(i); },
                                [&] { return figure() != nullptr && figure() != before; }));
            }
        }
        return times.text();
    }

    /// Ranges of so many tokens: from the first time on, each another one.
    std::string select(std::uint64_t count) {
        Times times;
        for (std::uint64_t i = 0; i < 6; ++i) {
            const std::uint64_t first = 7'001 * i;
            times.add(selectOnce({{first, count}}));
        }
        return times.text();
    }

    /// Every tenth piece of 100 tokens: many ranges.
    std::string documentsText() {
        std::vector<widgets::TokenRange> ranges;
        for (std::uint64_t first = 50; first + 100 < kTokens; first += 1'000) {
            ranges.push_back({first, 100});
        }
        Times times;
        times.add(selectOnce(ranges));
        return times.text();
    }

    double selectOnce(const std::vector<widgets::TokenRange>& ranges) {
        const std::string wanted = figures::describe(figures::TokenSelection(ranges));
        return timed(
            [&] { m_workspace.selection().setTokens(ranges); },
            [&] { return figure() != nullptr && figure()->provenance.selection == wanted; });
    }

    widgets::Settings m_settings;
    widgets::Workspace m_workspace;
    std::unique_ptr<app::MainWindow> m_window;
};

}  // namespace

int main(int argc, char** argv) {
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM")) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
    }
    QStandardPaths::setTestModeEnabled(true);
    QApplication application(argc, argv);
    const tests::SyntheticRun run{.layers = kLayers,
                                  .experts = 64,
                                  .topK = 6,
                                  .tokens = kTokens,
                                  .documents = 100,
                                  .neurons = 300'000 / 65,
                                  .withTokenMaps = true};
    const tests::SyntheticSession session(run);
    tests::SyntheticRun otherRun = run;
    otherRun.experiments = {"chosen_experts"};
    const tests::SyntheticSession other(otherRun, "other.h5");
    const auto settings = session.folder() / "settings.ini";
    Bench bench(session.path(), other.path(), QString::fromStdString(settings.string()));
    std::printf(
        "| figure | hover | layer step | jump | range change | 1,000 selected | 50,000 selected | "
        "100 ranges |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    const auto wanted = [&](const char* name) {
        return argc < 2 || std::any_of(argv + 1, argv + argc, [&](const char* argument) {
                   return std::string_view(argument) == name;
               });
    };
    // One of each row of figures that are drawn from the same numbers.
    for (const char* name :
         {"output-similarity", "norms-scores", "rank-counts", "intermediate-states",
          "chosen-experts", "coloured-text", "routing-comparison", "routing-agreement",
          "weight-similarity", "router-regression", "expert-projection", "neuron-projection",
          "domain-share", "coactivation", "vocabulary-specialisation", "paths", "load-curve"}) {
        if (wanted(name)) {
            bench.run(name);
        }
    }
    if (wanted("norms-scores")) {
        bench.run("norms-scores", 1);
    }
    if (wanted("neuron-projection")) {
        bench.run("neuron-projection", 0, 1);
    }
    return 0;
}
