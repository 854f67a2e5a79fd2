// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// How long the window takes to open a session and to draw another layer. Prints a table; nothing is
// asserted, since times depend on the machine. With a path the session is that file, with --large
// GIGABYTES a made-up one of that size, else made-up ones of several sizes. --write GIGABYTES PATH
// only makes one, to look at it more than once.
#include "app/main_window.h"
#include "core/session/run_store.h"
#include "tests/bench/waiting.h"
#include "tests/support/open_synthetic.h"
#include "widgets/figures/figure_view.h"
#include "widgets/panels/figure_panel.h"
#include "widgets/panels/figures_area.h"

#include <fmt/format.h>

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
        m_window->grab();
        const double empty = milliseconds(timer);
        m_before = residentMebibytes();
        timer.restart();
        m_window->openPaths({session});
        bool opened = spinUntil([&] { return m_workspace.current() != nullptr; });
        const double read = milliseconds(timer);
        opened = opened && spinUntil([&] { return figure() != nullptr; });
        panel().grab();
        const double drawn = milliseconds(timer);
        const auto* strip =
            m_window->findChild<widgets::FigureView*>(QStringLiteral("textStripView"));
        spinUntil([&] { return strip->figure() != nullptr || !strip->isVisible(); });
        m_window->grab();
        std::printf(
            "%s\n  window %.0f ms; session read %.0f, first figure %.0f, with its text %.0f%s\n",
            title.c_str(), empty, read, drawn, milliseconds(timer), opened ? "" : " (gave up)");
    }

    void stepThroughFigures() {
        for (int i = 0; i < m_window->figures().panels().size(); ++i) {
            const figures::FigureInfo& info = m_window->figures().panels().at(i)->info();
            if (info.needsOther || !widgets::isDrawable(*m_workspace.current(), info)) {
                continue;
            }
            QElapsedTimer timer;
            timer.start();
            m_window->figures().setCurrent(i);
            if (!spinUntil([&] { return figure() != nullptr; })) {
                continue;
            }
            panel().grab();
            const double first = milliseconds(timer);
            const std::string steps = info.perLayer ? stepThroughLayers() : std::string();
            const double resident = residentMebibytes();
            m_peak = std::max(m_peak, resident);
            std::printf("  %-26s first %7.1f ms%s, %.0f MiB\n", std::string(info.name).c_str(),
                        first, steps.c_str(), resident);
        }
        std::printf("  memory: %.0f MiB of the program and an empty window, %.0f at most\n",
                    m_before, m_peak);
    }

private:
    [[nodiscard]] widgets::FigurePanel& panel() { return *m_window->figures().current(); }
    [[nodiscard]] widgets::FigurePointer figure() { return panel().figure(); }

    /// Each step: select the layer, wait for its figure, paint the window.
    std::string stepThroughLayers() {
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
            return {};
        }
        std::sort(times.begin(), times.end());
        return fmt::format(", layer step {:6.1f} / {:6.1f} ms", times[times.size() / 2],
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

/// A run of so many tokens that it takes the size: norms and scores of all experts, which are most
/// of it, choices, margins and importance of 64 experts in 27 layers.
void writeLargeSession(const std::filesystem::path& path, double gigabytes) {
    constexpr int kLayers = 28;  // the first is dense
    constexpr int kExperts = 64;
    constexpr int kTopK = 6;
    constexpr double kBytesOfToken = 2.0 * sizeof(float) * kExperts +       // norms, scores
                                     (2.0 * sizeof(float) + 1.0) * kTopK +  // weights, norms, ids
                                     4.0 * sizeof(float) + 6.0;             // margins, flips
    const int tokens = static_cast<int>(gigabytes * 1e9 / kBytesOfToken / (kLayers - 1));
    const tests::SyntheticRun run{
        .layers = kLayers,
        .experts = kExperts,
        .topK = kTopK,
        .tokens = tokens,
        .documents = std::max(1, tokens / 1000),
        .experiments = {"weight_similarity", "output_similarity", "norms_scores", "rank_counts",
                        "chosen_experts", "coloured_text", "importance", "router_margin"}};
    session::RunStore store(path);
    store.begin(tests::syntheticHead(run));
    // All layers have the numbers of one, which fits into memory.
    tests::SyntheticRun oneLayer = run;
    oneLayer.layers = 2;
    for (session::Part& part : tests::syntheticParts(oneLayer)) {
        const bool isOfLayer = part.key.layer.has_value();
        for (int layer = 1; layer < (isOfLayer ? kLayers : 2); ++layer) {
            part.key.layer = isOfLayer ? std::optional(LayerId{layer}) : std::nullopt;
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
    if (argc > 3 && std::string(argv[1]) == "--write") {
        writeLargeSession(argv[3], std::atof(argv[2]));
        return 0;
    }
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
        Bench bench(std::string("session of ") + argv[2] + " GB",
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
