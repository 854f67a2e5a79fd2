// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Writes a checkpoint of a published model's shapes with random weights:
// bench_checkpoint SHAPE FOLDER [LAYERS]
#include "core/base/error.h"
#include "tests/bench/random_checkpoint.h"

#include <fmt/format.h>

#include <cstdlib>

using namespace moescope;

int main(int argc, char** argv) {
    if (argc < 3) {
        fmt::print(stderr, "bench_checkpoint SHAPE FOLDER [LAYERS]\nShapes:");
        for (const bench::ModelShape& shape : bench::modelShapes()) {
            fmt::print(stderr, " {}", shape.name);
        }
        fmt::print(stderr, "\n");
        return 2;
    }
    try {
        bench::ModelShape shape = bench::findShape(argv[1]);
        if (argc > 3) {
            shape.layers = std::atoi(argv[3]);
        }
        bench::writeRandomCheckpoint(argv[2], shape);
    } catch (const Error& error) {
        fmt::print(stderr, "{}\n", error.what());
        return exitCode(error.code());
    }
    return 0;
}
