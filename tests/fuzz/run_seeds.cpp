// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/fuzz/fuzz_target.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

// Runs a fuzz target without libFuzzer: over every seed, over each of its prefixes, and over seeds
// damaged at random (with a fixed seed). A crash or a sanitizer report fails the test.
namespace {

namespace fs = std::filesystem;

std::vector<std::string> readSeeds(int folders, char** paths) {
    std::vector<std::string> seeds;
    for (int i = 0; i < folders; ++i) {
        for (const auto& entry : fs::recursive_directory_iterator(paths[i])) {
            if (entry.is_regular_file()) {
                std::ifstream file(entry.path(), std::ios::binary);
                seeds.emplace_back(std::istreambuf_iterator<char>(file),
                                   std::istreambuf_iterator<char>());
            }
        }
    }
    std::sort(seeds.begin(), seeds.end());
    return seeds;
}

void run(const std::string& input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): one that comes out is the failure looked for
int main(int argc, char** argv) {
    constexpr int kDamagedCopies = 300;
    const auto seeds = readSeeds(argc - 1, argv + 1);
    if (seeds.empty()) {
        std::fputs("no seeds found\n", stderr);
        return 1;
    }
    std::mt19937 random(1);
    std::size_t inputs = 0;
    for (const auto& seed : seeds) {
        for (std::size_t size = 0; size <= std::min<std::size_t>(seed.size(), 400); ++size) {
            run(seed.substr(0, size));
        }
        run(seed);
        for (int copy = 0; copy < kDamagedCopies && !seed.empty(); ++copy) {
            std::string damaged = seed;
            for (auto changes = 1 + random() % 4U; changes > 0; --changes) {
                damaged[random() % damaged.size()] = static_cast<char>(random() & 0xFFU);
            }
            run(damaged);
        }
        inputs += kDamagedCopies;
    }
    std::printf("%zu seeds, %zu damaged copies, no crash\n", seeds.size(), inputs);
    return 0;
}
