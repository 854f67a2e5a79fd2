// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// How the window moves through a long text: a made-up session of 1,000,000 tokens (or as many as
// the first argument says), 64 experts, 8 of them chosen, 4 routed layers. Prints a table; nothing
// is asserted, since times depend on the machine.
#include "app/main_window.h"
#include "core/session/run_store.h"
#include "tests/bench/waiting.h"
#include "tests/support/session_builder.h"
#include "tests/support/temporary_folder.h"
#include "widgets/figures/figure_view.h"
#include "widgets/panels/text_strip_panel.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QLabel>
#include <QLineEdit>
#include <QScrollBar>
#include <QStandardPaths>
#include <QTest>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace moescope;
using bench::milliseconds;
using bench::spinUntil;

constexpr int kExperts = 64;
constexpr int kTopK = 8;
constexpr int kLayers = 5;  // the first is dense

/// Choices alone: what the text needs.
session::Part routingPart(std::uint64_t tokens, LayerId layer) {
    std::mt19937 random(static_cast<unsigned>(layer.value));
    NdArray ids(ElementType::U8, {tokens, kTopK});
    NdArray weights(ElementType::F32, {tokens, kTopK});
    for (std::uint64_t i = 0; i < ids.size(); ++i) {
        // Eight apart, so that a token chooses no expert twice.
        const std::uint64_t place = i % kTopK;
        ids.values<std::uint8_t>()[i] =
            static_cast<std::uint8_t>(((place + i / kTopK) * 8 + random() % 8) % kExperts);
        weights.values<float>()[i] = 0.3F / static_cast<float>(place + 1);
    }
    session::Part part{{BranchId(0), "chosen_experts", layer, 0}, tokens, {}, {}};
    part.quantities.push_back({"ids", {{"token", {}}, {"k", {}}}, "expert", "1", std::move(ids)});
    part.quantities.push_back(
        {"weights", {{"token", {}}, {"k", {}}}, "routing weight", "1", std::move(weights)});
    return part;
}

void writeSession(const std::filesystem::path& path, int tokens) {
    const tests::SyntheticRun run{.layers = kLayers,
                                  .experts = kExperts,
                                  .topK = kTopK,
                                  .tokens = tokens,
                                  .documents = std::max(1, tokens / 1000),
                                  .experiments = {"chosen_experts"}};
    session::RunStore store(path);
    store.begin(tests::syntheticHead(run));
    for (int layer = 1; layer < kLayers; ++layer) {
        store.writePart(routingPart(static_cast<std::uint64_t>(tokens), LayerId(layer)));
    }
    store.finish();
}

/// Highest resident memory so far, in MB.
double peakMemory() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind("VmHWM:", 0) == 0) {
            return std::atof(line.c_str() + 6) * 1024.0 / 1e6;
        }
    }
    return 0.0;
}

class Bench {
public:
    Bench(const QString& session, const QString& settings, std::uint64_t tokens)
        : m_settings(settings), m_workspace({}, m_settings), m_tokens(tokens) {
        QElapsedTimer timer;
        timer.start();
        m_window = std::make_unique<app::MainWindow>(m_workspace);
        m_window->resize(1280, 800);
        m_window->show();
        m_window->openPaths({session});
        m_view = m_window->findChild<widgets::FigureView*>(QStringLiteral("textStripView"));
        spinUntil([&] { return m_view->figure() != nullptr; });
        m_view->grab();
        std::printf("| open, until the text is there | %.0f |\n", milliseconds(timer));
    }

    void run() {
        QScrollBar* bar = m_view->verticalScrollBar();
        measure("wheel: three lines", 300, [&](int) { bar->setValue(bar->value() + 3); });
        measure("three lines up", 300, [&](int) { bar->setValue(bar->value() - 3); });
        measure("page down", 300, [&](int) { QTest::keyClick(m_view, Qt::Key_PageDown); });
        measure("bar dragged to anywhere", 200, [&](int) {
            bar->setValue(static_cast<int>(m_random() % static_cast<unsigned>(bar->maximum())));
        });
        measure("jump to a token", 200,
                [&](int) { m_workspace.selection().selectToken(m_random() % m_tokens); });
        measure("end, start", 20,
                [&](int i) { QTest::keyClick(m_view, i % 2 == 0 ? Qt::Key_End : Qt::Key_Home); });
        measure("another width", 60, [&](int i) { m_window->resize(1280 + i % 30, 800); });
        m_workspace.selection().setExperts({17});
        QTest::qWait(3000);  // the inspector counts what the expert takes
        measureAnswers("next token of an expert", 50, [&] { strip().findNextOfExpert(+1); });
        auto* search = m_window->findChild<QLineEdit*>(QStringLiteral("tokenSearch"));
        auto* count = m_window->findChild<QLabel*>(QStringLiteral("searchResult"));
        QElapsedTimer timer;
        timer.start();
        search->setFocus();
        QTest::keyClicks(search, QStringLiteral("router"));
        spinUntil([&] { return !count->text().isEmpty(); });
        std::printf("| search for a word, all %s counted | %.0f |\n",
                    count->text().section(QStringLiteral(" of "), 1).toUtf8().constData(),
                    milliseconds(timer));
        measure("next place of a search", 100, [&](int) { strip().findNext(+1); });
        steps();
    }

private:
    [[nodiscard]] widgets::TextStripPanel& strip() {
        return *m_window->findChild<widgets::TextStripPanel*>(QStringLiteral("textStrip"));
    }

    static void print(const char* name, std::vector<double>& times) {
        std::sort(times.begin(), times.end());
        std::printf("| %s | %.1f / %.1f |\n", name, times[times.size() / 2], times.back());
    }

    /// What happens on the GUI thread alone: until the view is painted anew.
    void measure(const char* name, int times, const std::function<void(int)>& change) {
        std::vector<double> took;
        for (int i = 0; i < times; ++i) {
            QElapsedTimer timer;
            timer.start();
            change(i);
            m_view->viewport()->repaint();
            took.push_back(milliseconds(timer));
            QCoreApplication::processEvents();
        }
        print(name, took);
    }

    /// Until the selection has changed, by an answer of the I/O lane.
    void measureAnswers(const char* name, int times, const std::function<void()>& ask) {
        std::vector<double> took;
        for (int i = 0; i < times; ++i) {
            const auto before = m_workspace.selection().currentToken();
            QElapsedTimer timer;
            timer.start();
            ask();
            spinUntil([&] { return m_workspace.selection().currentToken() != before; });
            m_view->viewport()->repaint();
            took.push_back(milliseconds(timer));
        }
        print(name, took);
    }

    void steps() {
        std::vector<double> first;
        std::vector<double> again;
        for (int round = 0; round < 2; ++round) {
            for (int layer = kLayers - 1; layer >= 1; --layer) {
                if (m_workspace.selection().state().layer == LayerId(layer)) {
                    continue;
                }
                QElapsedTimer timer;
                timer.start();
                m_workspace.selection().setLayer(LayerId(layer));
                spinUntil([&] {
                    return m_view->figure() != nullptr &&
                           m_view->figure()->provenance.layer == LayerId(layer);
                });
                m_view->viewport()->repaint();
                (round == 0 ? first : again).push_back(milliseconds(timer));
            }
        }
        print("layer step, read from the file", first);
        print("layer step, seen before", again);
    }

    widgets::Settings m_settings;
    widgets::Workspace m_workspace;
    std::uint64_t m_tokens;
    std::unique_ptr<app::MainWindow> m_window;
    widgets::FigureView* m_view = nullptr;
    std::mt19937 m_random{1};
};

}  // namespace

int main(int argc, char** argv) {
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM")) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
    }
    QStandardPaths::setTestModeEnabled(true);
    const int tokens = argc > 1 ? std::atoi(argv[1]) : 1'000'000;
    const char* made = argc > 2 ? argv[2] : nullptr;  // a session of this bench, to open again
    const tests::TemporaryFolder folder;
    const std::filesystem::path path = made != nullptr ? made : folder / "text.h5";
    if (made == nullptr) {
        writeSession(path, tokens);
        // Read in another process: the memory that writing takes does not count.
        const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
        const std::string command =
            "'" + self + "' " + std::to_string(tokens) + " '" + path.string() + "'";
        return std::system(command.c_str()) == 0 ? 0 : 1;
    }
    QApplication application(argc, argv);
    std::printf("| %d tokens, %d experts | ms, median / worst |\n| --- | --- |\n", tokens,
                kExperts);
    const auto settings = QString::fromStdString((folder / "settings.ini").string());
    Bench bench(QString::fromStdString(path.string()), settings,
                static_cast<std::uint64_t>(tokens));
    bench.run();
    std::printf("| peak memory, MB | %.0f |\n", peakMemory());
    return 0;
}
