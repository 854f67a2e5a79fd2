// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/text/gguf_tokenizer.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/use_tokenizer.h"

using namespace moescope;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const auto tokenizer =
            text::readGgufTokenizer({reinterpret_cast<const std::byte*>(data), size}, "fuzz");
        tests::useTokenizer(*tokenizer);
    } catch (const Error&) {
        // Refusing is what most inputs deserve.
    }
    return 0;
}
