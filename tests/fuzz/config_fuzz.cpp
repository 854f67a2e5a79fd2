// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/model/load_spec.h"
#include "core/model/parameters.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/model_shapes.h"
#include "tests/support/temporary_folder.h"

#include <cstdlib>

using namespace moescope;

namespace {

/// One checkpoint that holds the tensors of a tiny Mixtral: inputs are config texts for it.
const checkpoint::Checkpoint& tinyCheckpoint() {
    static const checkpoint::Checkpoint kCheckpoint = [] {
        const tests::TemporaryFolder root;
        tests::ShapeWriter({}).skeleton().mixtral(3, 6).write(root / "tiny", "{}");
        return checkpoint::Checkpoint(root / "tiny", checkpoint::Contents::HeadersOnly);
    }();
    return kCheckpoint;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto& checkpoint = tinyCheckpoint();
    try {
        const auto spec =
            model::loadSpec(checkpoint, {reinterpret_cast<const char*>(data), size}, "fuzz");
        // What was accepted fits the checkpoint, so its parameters are at most those stored.
        std::uint64_t stored = 0;
        for (const auto& tensor : checkpoint.tensors()) {
            stored += elementCount(tensor.shape);
        }
        if (model::sum(model::countParameters(spec).total) > stored) {
            std::abort();
        }
    } catch (const Error&) {
        // Refusing is what most inputs deserve.
    }
    return 0;
}
