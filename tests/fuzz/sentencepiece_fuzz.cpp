// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/text/sentencepiece_tokenizer.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/use_tokenizer.h"

using namespace moescope;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        auto proto = text::parseSentencePiece({reinterpret_cast<const char*>(data), size}, "fuzz");
        const auto tokenizer = text::makeSentencePiece(std::move(proto), "fuzz", {});
        tests::useTokenizer(*tokenizer);
    } catch (const Error&) {
        // Refusing is what most inputs deserve.
    }
    return 0;
}
