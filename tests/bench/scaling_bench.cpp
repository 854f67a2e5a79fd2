// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// How a run's time and memory grow with tokens, layers and experts: bench_scaling DEMO FOLDER
// [tokens|layers|experts]. DEMO is resources/demo; checkpoints and figures come into FOLDER. Runs
// are moescope-engine's, a process each; the charts are the program's own, exported by it.
#include "core/base/error.h"
#include "core/figures/figure.h"
#include "tests/bench/measured_process.h"
#include "tests/bench/random_checkpoint.h"
#include "widgets/figures/export.h"

#include <fmt/format.h>

#include <QApplication>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

using namespace moescope;

namespace {

const std::vector<std::string> kExperiments{"output_similarity", "norms_scores", "rank_counts",
                                            "chosen_experts"};
/// The best of so many runs: other work disturbs each in its own way.
constexpr int kRuns = 3;
/// Of one product's 256 million weights, so that threads are worth their while and disks not full.
constexpr bench::ModelShape kShape{.name = "scaling",
                                   .type = "qwen3_moe",
                                   .layers = 2,
                                   .hiddenSize = 1024,
                                   .headsQ = 8,
                                   .headsKv = 2,
                                   .headDim = 128,
                                   .vocabulary = 4096,
                                   .experts = 16,
                                   .topK = 4,
                                   .expertWidth = 512,
                                   .denseWidth = 2048,
                                   .ropeTheta = 1e6};

struct Point {
    double size = 0.0;
    bench::ProcessUse use;
};

class Bench {
public:
    Bench(std::filesystem::path engine, std::filesystem::path demo, std::filesystem::path folder)
        : m_engine(std::move(engine)), m_demo(std::move(demo)), m_folder(std::move(folder)) {
        std::filesystem::create_directories(m_folder);
    }

    void tokens() const {
        std::vector<Point> points;
        for (const int count : {1'000, 3'000, 10'000, 30'000, 100'000}) {
            const auto text = repeatedText(static_cast<std::size_t>(count));
            points.push_back({static_cast<double>(count),
                              best({(m_demo / "tiny-mixtral").string(), "--jsonl", text.string(),
                                    "--column", "text", "--max-tokens", std::to_string(count)})});
        }
        report("tokens", "tiny-mixtral of the demo", points);
    }

    void layers() const {
        std::vector<Point> points;
        for (const int count : {2, 4, 8, 16}) {
            bench::ModelShape shape = kShape;
            shape.layers = count;
            points.push_back({static_cast<double>(count), best(onShape(shape))});
        }
        report("layers", "1,024 tokens, 16 experts of 1,024 x 512", points);
    }

    void experts() const {
        std::vector<Point> points;
        for (const int count : {8, 16, 32, 64, 128, 256}) {
            bench::ModelShape shape = kShape;
            shape.experts = count;
            points.push_back({static_cast<double>(count), best(onShape(shape))});
        }
        report("experts", "1,024 tokens, 2 layers, experts of 1,024 x 512", points);
    }

private:
    /// The demo's documents over and over, more than `tokens` of them.
    [[nodiscard]] std::filesystem::path repeatedText(std::size_t tokens) const {
        std::ifstream file(m_demo / "text" / "corpus.jsonl");
        std::ostringstream content;
        content << file.rdbuf();
        const std::string corpus = content.str();
        constexpr std::size_t kMostBytesPerToken = 8;
        auto path = m_folder / fmt::format("text-{}.jsonl", tokens);
        std::ofstream repeated(path);
        for (std::size_t bytes = 0; bytes < tokens * kMostBytesPerToken; bytes += corpus.size()) {
            repeated << corpus;
        }
        return path;
    }

    [[nodiscard]] std::vector<std::string> onShape(const bench::ModelShape& shape) const {
        const auto checkpoint =
            m_folder / fmt::format("{}-layers-{}-experts", shape.layers, shape.experts);
        bench::writeRandomCheckpoint(checkpoint, shape);
        // A character is a token.
        constexpr std::size_t kTokens = 1024;
        std::string text;
        for (std::size_t i = 0; i < kTokens; ++i) {
            text += static_cast<char>('a' + static_cast<char>(i * i % 26));
        }
        return {checkpoint.string(), "--prompt", text, "--max-tokens", std::to_string(kTokens)};
    }

    [[nodiscard]] bench::ProcessUse best(std::vector<std::string> arguments) const {
        const auto session = m_folder / "scaling.h5";
        arguments.insert(arguments.begin(), {m_engine.string(), "analyze"});
        arguments.insert(arguments.end(), {"-o", session.string(), "--experiments"});
        arguments.insert(arguments.end(), kExperiments.begin(), kExperiments.end());
        bench::ProcessUse least{1e300, 1e300, 0};
        for (int run = 0; run < kRuns; ++run) {
            std::filesystem::remove(session);
            const bench::ProcessUse use = bench::runMeasured(arguments);
            least.wallSeconds = std::min(least.wallSeconds, use.wallSeconds);
            least.processorSeconds = std::min(least.processorSeconds, use.processorSeconds);
            least.peakBytes = std::max(least.peakBytes, use.peakBytes);
        }
        return least;
    }

    void report(const std::string& axis, const std::string& what,
                const std::vector<Point>& points) const {
        fmt::print("{} ({})\n{:>10} {:>10} {:>12} {:>12} {:>22}\n", axis, what, axis, "wall s",
                   "processor s", "peak MiB", "processor s per step");
        for (std::size_t i = 0; i < points.size(); ++i) {
            const bench::ProcessUse& use = points[i].use;
            // What one more costs, without what every run costs.
            const double slope = i == 0
                                     ? 0.0
                                     : (use.processorSeconds - points[i - 1].use.processorSeconds) /
                                           (points[i].size - points[i - 1].size);
            fmt::print("{:>10} {:>10.2f} {:>12.2f} {:>12.0f} {:>22}\n", points[i].size,
                       use.wallSeconds, use.processorSeconds, mebi(use),
                       i == 0 ? "" : fmt::format("{:.3g}", slope));
        }
        std::fflush(stdout);
        const figures::Figure figure = chart(axis, what, points);
        for (const auto format : {widgets::FileFormat::Png, widgets::FileFormat::Svg}) {
            widgets::exportFigure(
                figure, {.format = format},
                m_folder / fmt::format("scaling-{}.{}", axis, widgets::suffix(format)));
        }
    }

    static double mebi(const bench::ProcessUse& use) {
        return static_cast<double>(use.peakBytes) / (1024.0 * 1024.0);
    }

    static figures::Figure chart(const std::string& axis, const std::string& what,
                                 const std::vector<Point>& points) {
        figures::LineChartFigure lines;
        lines.positionTitle = axis;
        lines.positionsAreLayers = false;
        lines.logarithmic = true;
        lines.lines = {"wall", "processor", "peak", "in proportion to the last"};
        figures::LineChartPanel seconds;
        figures::LineChartPanel memory;
        seconds.lines.resize(lines.lines.size());
        memory.lines.resize(lines.lines.size());
        const Point& last = points.back();
        for (const Point& point : points) {
            lines.positions.push_back(point.size);
            const double share = point.size / last.size;
            const double none = std::nan("");
            const double rowOfSeconds[] = {point.use.wallSeconds, point.use.processorSeconds, none,
                                           share * last.use.processorSeconds};
            const double rowOfMemory[] = {none, none, mebi(point.use), share * mebi(last.use)};
            for (std::size_t line = 0; line < lines.lines.size(); ++line) {
                seconds.lines[line].push_back(rowOfSeconds[line]);
                memory.lines[line].push_back(rowOfMemory[line]);
            }
        }
        lines.groups = {{"time", "seconds", {}, {seconds}}, {"memory", "MiB", {}, {memory}}};
        figures::Figure figure;
        figure.name = "scaling-" + axis;
        figure.title = "Time and memory of a run over " + axis;
        figure.caption =
            what + "; output similarity, norms and scores, rank counts, chosen experts.";
        figure.howToRead =
            "In proportion where a line runs beside the last; every run costs "
            "something before its first token.";
        figure.body = std::move(lines);
        return figure;
    }

    std::filesystem::path m_engine, m_demo, m_folder;
};

}  // namespace

int main(int argc, char** argv) {
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
    }
    const QApplication application(argc, argv);
    if (argc < 3) {
        fmt::print(stderr, "bench_scaling DEMO FOLDER [tokens|layers|experts]\n");
        return 2;
    }
    const std::string only = argc > 3 ? argv[3] : "";
    try {
        const auto beside = std::filesystem::canonical("/proc/self/exe").parent_path();
        const Bench bench(beside / "moescope-engine", argv[1], argv[2]);
        const std::vector<std::pair<std::string, std::function<void()>>> parts{
            {"tokens", [&] { bench.tokens(); }},
            {"layers", [&] { bench.layers(); }},
            {"experts", [&] { bench.experts(); }}};
        for (const auto& [name, run] : parts) {
            if (only.empty() || only == name) {
                run();
            }
        }
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
        return 1;
    }
    return 0;
}
