// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// A run over a checkpoint that may be larger than memory, against the speed of its processor and of
// its disk: bench_streaming FOLDER [LAYERS [MEMORY_GIB [dynamic|static]]]. DeepSeekMoE 16B's shapes
// with random weights; 28 layers are the whole model, 33 GB.
#include "core/base/error.h"
#include "core/engine/device.h"
#include "core/engine/machine.h"
#include "core/engine/run.h"
#include "core/experiments/factory.h"
#include "tests/bench/random_checkpoint.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

using namespace moescope;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::uint64_t kTokens = 1024;
constexpr double kGiga = 1e9;
constexpr double kGibi = 1024.0 * 1024.0 * 1024.0;

double secondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<std::filesystem::path> shardsOf(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> shards;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".safetensors") {
            shards.push_back(entry.path());
        }
    }
    std::sort(shards.begin(), shards.end());
    return shards;
}

/// Out of the page cache, as far as the kernel follows.
void forget(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        ::fsync(file);
        ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
        ::close(file);
    }
}

/// Reads a file from end to end; its bytes.
std::uint64_t readThrough(const std::filesystem::path& path) {
    static std::vector<char> buffer(std::size_t{16} << 20U);
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::uint64_t bytes = 0;
    for (ssize_t got = 1; file >= 0 && got > 0;) {
        got = ::read(file, buffer.data(), buffer.size());
        bytes += got > 0 ? static_cast<std::uint64_t>(got) : 0;
    }
    ::close(file);
    return bytes;
}

/// Bytes per second of the disk, or of the page cache.
double readRate(const std::vector<std::filesystem::path>& shards, bool cold) {
    // Of a few layers, so that the measurement does not take as long as the run.
    constexpr std::size_t kMost = 3;
    std::uint64_t bytes = 0;
    const std::size_t count = std::min(shards.size(), kMost);
    for (std::size_t i = 0; i < count; ++i) {
        if (cold) {
            forget(shards[i]);
        } else {
            static_cast<void>(readThrough(shards[i]));
        }
    }
    const auto start = Clock::now();
    for (std::size_t i = 0; i < count; ++i) {
        bytes += readThrough(shards[i]);
    }
    return static_cast<double>(bytes) / secondsSince(start);
}

/// Operations per second of the best of several plain products of the experts' shape.
double productRate(const bench::ModelShape& shape) {
    const auto options = at::TensorOptions().dtype(at::kBFloat16);
    const at::Tensor x = at::randn({static_cast<std::int64_t>(kTokens), shape.hiddenSize}, options);
    const at::Tensor weight = at::randn({shape.expertWidth, shape.hiddenSize}, options);
    double best = 1e300;
    for (int round = 0; round < 12; ++round) {
        const auto start = Clock::now();
        static_cast<void>(at::linear(x, weight));
        best = std::min(best, secondsSince(start));
    }
    return 2.0 * static_cast<double>(kTokens) * shape.hiddenSize * shape.expertWidth / best;
}

/// Of all tokens through all layers, every expert.
double operationsOf(const bench::ModelShape& shape) {
    const double hidden = shape.hiddenSize;
    const double tokens = static_cast<double>(kTokens);
    const double attention =
        2.0 * hidden * shape.headDim * (shape.headsQ + shape.headsKv) +
        2.0 * tokens * shape.headsQ * shape.headDim;  // scores and values, half of them masked
    const double experts = 3.0 * hidden * shape.expertWidth * (shape.experts + shape.sharedExperts);
    const double dense = 3.0 * hidden * shape.denseWidth;
    return 2.0 * tokens *
           (shape.layers * attention + shape.denseLayers * dense +
            (shape.layers - shape.denseLayers) * experts);
}

text::TokenizedCorpus madeText() {
    text::TokenizedCorpus corpus;
    std::uint32_t state = 7;
    for (std::uint64_t i = 0; i < kTokens; ++i) {
        state = state * 1664525U + 1013904223U;
        corpus.ids.push_back(static_cast<text::TokenId>(3U + (state >> 8U) % 90U));
        corpus.tokenBytes.emplace_back("x");
    }
    corpus.offsets = {0, kTokens};
    corpus.sources = {"made up"};
    corpus.domainOf = {-1};
    return corpus;
}

struct ProcessorSeconds {
    double user = 0.0, kernel = 0.0;
};

ProcessorSeconds processorSeconds() {
    struct rusage usage {};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return {seconds(usage.ru_utime), seconds(usage.ru_stime)};
}

class Silent : public engine::RunObserver {
    void onEvent(const session::RunEvent& event) override { static_cast<void>(event); }
};

engine::RunRequest requestFor(const std::filesystem::path& folder,
                              const std::filesystem::path& checkpoint, double gibi, bool isStatic) {
    engine::RunRequest request;
    request.checkpoint = checkpoint;
    request.session = folder / "bench.h5";
    request.memoryBytes = static_cast<std::uint64_t>(gibi * kGibi);
    request.interrupted = engine::Interrupted::Discard;
    request.device = "cpu";
    request.dtype = "bfloat16";
    if (isStatic) {
        for (const char* id : {"weight_similarity", "mean_neuron_similarity", "router_similarity",
                               "expert_projection"}) {
            request.experiments.push_back({.id = id});
        }
    } else {
        request.corpus = madeText();
        for (const char* id :
             {"output_similarity", "norms_scores", "rank_counts", "chosen_experts"}) {
            request.experiments.push_back({.id = id});
        }
    }
    return request;
}

void measure(const std::filesystem::path& folder, const bench::ModelShape& shape, double gibi,
             bool isStatic, bool cold) {
    const auto checkpoint = folder / fmt::format("{}-{}", shape.name, shape.layers);
    const std::vector<std::filesystem::path> shards = shardsOf(checkpoint);
    std::uint64_t fileBytes = 0;
    for (const auto& shard : shards) {
        fileBytes += std::filesystem::file_size(shard);
    }
    const double disk = readRate(shards, cold);
    const double products = productRate(shape);
    const engine::RunRequest request = requestFor(folder, checkpoint, gibi, isStatic);
    std::filesystem::remove(request.session);
    const engine::Estimate estimate = engine::estimate(request, experiments::makeProbes);
    for (const auto& shard : shards) {
        if (cold) {
            forget(shard);
        } else {
            static_cast<void>(readThrough(shard));
        }
    }
    std::atomic<std::uint64_t> peak = 0;
    std::jthread watcher([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            peak = std::max(peak.load(), engine::residentMemory());
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    });
    Silent observer;
    const ProcessorSeconds before = processorSeconds();
    const auto start = Clock::now();
    const engine::RunReport report =
        engine::run(request, experiments::makeProbes, observer, std::stop_token());
    const double seconds = secondsSince(start);
    const ProcessorSeconds after = processorSeconds();
    watcher.request_stop();
    watcher.join();
    const double reading = static_cast<double>(report.bytesRead) / disk;
    const double computing = isStatic ? 0.0 : operationsOf(shape) / products;
    const double bound = std::max(reading, computing);
    fmt::print(
        "{}, {} of {}, {} GiB allowed, weights {}\n", isStatic ? "static" : "dynamic", shape.name,
        fmt::format("{} layers, {:.1f} GB", shape.layers, static_cast<double>(fileBytes) / kGiga),
        gibi, cold ? "on the disk" : "in the page cache");
    fmt::print(
        "  read rate {:.2f} GB/s, products {:.0f} GFLOP/s: bound {:.1f} s (read {:.1f}, "
        "compute {:.1f})\n",
        disk / kGiga, products / kGiga, bound, reading, computing);
    fmt::print("  run {:.1f} s = {:.2f} x the bound; estimated {:.1f} s = {:.2f} x the run\n",
               seconds, seconds / bound, estimate.seconds, estimate.seconds / seconds);
    fmt::print("  of all processors {:.1f} s in the program, {:.1f} s in the kernel\n",
               after.user - before.user, after.kernel - before.kernel);
    fmt::print(
        "  read {:.2f} GB = {:.3f} x what the plan needs; peak {:.2f} GiB (the engine saw "
        "{:.2f}, planned {:.2f})\n",
        static_cast<double>(report.bytesRead) / kGiga,
        static_cast<double>(report.bytesRead) / static_cast<double>(estimate.readBytes),
        static_cast<double>(peak.load()) / kGibi,
        static_cast<double>(report.peakMemoryBytes) / kGibi,
        static_cast<double>(estimate.memoryBytes) / kGibi);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "bench_streaming FOLDER [LAYERS [MEMORY_GIB [dynamic|static]]]\n");
        return 2;
    }
    try {
        const std::filesystem::path folder = argv[1];
        bench::ModelShape shape = bench::findShape("deepseekmoe-16b");
        shape.layers = argc > 2 ? std::atoi(argv[2]) : 4;
        const double gibi = argc > 3 ? std::atof(argv[3]) : 6.0;
        const std::string kind = argc > 4 ? argv[4] : "";
        bench::writeRandomCheckpoint(folder / fmt::format("{}-{}", shape.name, shape.layers),
                                     shape);
        engine::setThreads(0);
        const at::NoGradGuard noGradients;
        for (const bool isStatic : {false, true}) {
            if (kind.empty() || (kind == "static") == isStatic) {
                measure(folder, shape, gibi, isStatic, true);
                if (isStatic) {
                    measure(folder, shape, gibi, isStatic, false);
                }
            }
        }
    } catch (const Error& error) {
        fmt::print(stderr, "{}\n", error.what());
        return exitCode(error.code());
    }
    return 0;
}
