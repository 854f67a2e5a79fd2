// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// How long the window takes to open a session and to draw another layer. Prints a table; nothing is
// asserted, since times depend on the machine. With a path the session is that file, with --large
// GIGABYTES a made-up one with norms and scores of so many, else made-up ones of several sizes.
#include "app/main_window.h"
#include "core/session/run_store.h"
#include "tests/bench/waiting.h"
#include "tests/support/open_synthetic.h"
#include "widgets/figures/figure_view.h"
#include "widgets/panels/figure_panel.h"
#include "widgets/panels/figures_area.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QStandardPaths>
#include <QTest>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace moescope;
using bench::milliseconds;
using bench::spinUntil;

/// Anonymous and shared memory of this process in MiB.
double residentMebibytes() {
    std::ifstream file("/proc/self/status");
    double kibi = 0.0;
    for (std::string word; file >> word;) {
        if (word == "RssAnon:" || word == "RssShmem:") {
            double value = 0.0;
            file >> value;
            kibi += value;
        }
    }
    return kibi / 1024.0;
}

class Bench {
public:
    Bench(const std::string& title, const QString& session, const QString& settings)
        : m_settings(settings), m_workspace({}, m_settings) {
        QElapsedTimer timer;
        timer.start();
        m_window = std::make_unique<app::MainWindow>(m_workspace);
        m_window->resize(1280, 800);
        m_window->show();
        m_before = residentMebibytes();
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
            // What the session does not hold has no figure.
            constexpr int kPatienceMs = 3000;
            if (!spinUntil([&] { return figure() != nullptr; }, kPatienceMs)) {
                continue;
            }
            if (panel().info().perLayer) {
                stepThroughLayers();
            }
            m_peak = std::max(m_peak, residentMebibytes());
        }
        std::printf("  memory: %.0f MiB of the program and an empty window, %.0f at most\n",
                    m_before, m_peak);
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
            m_peak = std::max(m_peak, residentMebibytes());
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
    double m_before = 0.0, m_peak = 0.0;
};

void benchSynthetic(const std::string& title, const tests::SyntheticRun& run) {
    const tests::SyntheticSession session(run);
    const auto settings = session.folder() / "settings.ini";
    Bench bench(title, session.path(), QString::fromStdString(settings.string()));
    bench.stepThroughFigures();
}

/// Norms and scores of as many tokens as make up the size, beside what else a run keeps.
void writeLargeSession(const std::filesystem::path& path, double gigabytes) {
    constexpr int kLayers = 28;  // the first is dense
    constexpr int kExperts = 64;
    constexpr double kBytesPerToken = 2.0 * sizeof(float) * kExperts * (kLayers - 1);
    const int tokens = static_cast<int>(gigabytes * 1e9 / kBytesPerToken);
    tests::SyntheticRun run{.layers = kLayers,
                            .experts = kExperts,
                            .topK = 6,
                            .tokens = tokens,
                            .documents = std::max(1, tokens / 1000),
                            .experiments = {"weight_similarity", "output_similarity", "rank_counts",
                                            "chosen_experts", "coloured_text"}};
    tests::SyntheticRun large = run;
    large.experiments.emplace_back("norms_scores");
    session::RunStore store(path);
    store.begin(tests::syntheticHead(large));
    for (const session::Part& part : tests::syntheticParts(run)) {
        store.writePart(part);
    }
    // All layers have the numbers of one: a few layers at a time fit into memory, all do not.
    large.layers = 2;
    large.experiments = {"norms_scores"};
    for (session::Part& part : tests::syntheticParts(large)) {
        for (int layer = 1; layer < kLayers; ++layer) {
            part.key.layer = LayerId{layer};
            store.writePart(part);
        }
    }
    store.finish();
}

}  // namespace

int main(int argc, char** argv) {
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM")) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
    }
    QStandardPaths::setTestModeEnabled(true);
    if (argc > 2 && std::string(argv[1]) == "--large") {
        const tests::TemporaryFolder folder;
        const auto path = folder / "large.h5";
        // In a process of its own, whose memory is not counted.
        const pid_t writer = ::fork();
        if (writer == 0) {
            writeLargeSession(path, std::atof(argv[2]));
            std::_Exit(0);
        }
        ::waitpid(writer, nullptr, 0);
        const QApplication application(argc, argv);
        const auto settings = QString::fromStdString((folder / "settings.ini").string());
        Bench bench(std::string("norms and scores of ") + argv[2] + " GB",
                    QString::fromStdString(path.string()), settings);
        bench.stepThroughFigures();
        return 0;
    }
    const QApplication application(argc, argv);
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
