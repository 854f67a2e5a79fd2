// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/text/json_tokenizer.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/use_tokenizer.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/temporary_folder.h"

using namespace moescope;

/// The input as a tokenizer.json.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const tests::TemporaryFolder folder;
    tests::writeFile(folder / "tokenizer.json", {reinterpret_cast<const char*>(data), size});
    try {
        tests::useTokenizer(*text::loadJsonTokenizer(folder.path()));
    } catch (const Error&) {
        // Refusing is what most inputs deserve.
    }
    return 0;
}
