// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/sentencepiece_model.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/throws.h"

#include <nlohmann/json.hpp>

#include <string>

using namespace moescope;
using namespace moescope::text;
using moescope::tests::checkThrows;

namespace {

std::filesystem::path folder() {
    return tests::referenceDir() / "tokenizers/sentencepiece-rules";
}

SentencePieceModel modelOf(const std::string& bytes) {
    return {parseSentencePiece(bytes, "test.model"), "test.model"};
}

std::string field(unsigned tag, const std::string& bytes) {
    return std::string{static_cast<char>(tag << 3U | 2U), static_cast<char>(bytes.size())} + bytes;
}

std::string number(unsigned tag, unsigned value) {
    return {static_cast<char>(tag << 3U), static_cast<char>(value)};
}

/// A piece of a kind (1 normal, 2 unknown, 3 control, 6 byte) as a field of the model.
std::string piece(const std::string& text, unsigned kind) {
    return field(1, field(1, text) + number(3, kind));
}

}  // namespace

TEST_CASE("SentencePieceModel: ids of the library for rules, user-defined and unused pieces",
          "[core][text]") {
    const auto golden = nlohmann::json::parse(readTextFile(folder() / "expected.json"));
    for (const auto& [name, expected] : golden["ids"].items()) {
        const SentencePieceModel model = modelOf(readTextFile(folder() / (name + ".model")));
        for (std::size_t i = 0; i < golden["texts"].size(); ++i) {
            const std::string text = golden["texts"][i];
            CAPTURE(name, text);
            std::vector<TokenId> ids;
            model.encode(text, true, ids);
            CHECK(ids == expected[i].get<std::vector<TokenId>>());
        }
    }
}

TEST_CASE("SentencePieceModel: the prefix space can be left out", "[core][text]") {
    const SentencePieceModel model = modelOf(readTextFile(folder() / "bpe.model"));
    const SentencePieceModel bare = modelOf(readTextFile(folder() / "bpe-bare.model"));
    std::vector<TokenId> with;
    std::vector<TokenId> without;
    std::vector<TokenId> again;
    model.encode("expert", true, with);
    model.encode("expert", false, without);
    CHECK(with != without);
    bare.encode("expert", true, again);
    std::string left;
    std::string right;
    for (const TokenId id : without) {
        left += model.piece(id);
    }
    for (const TokenId id : again) {
        right += bare.piece(id);
    }
    CHECK(left == right);
}

TEST_CASE("SentencePieceModel: a model cut off anywhere is refused or smaller, never a crash",
          "[core][text]") {
    const std::string whole = readTextFile(folder() / "unigram.model");
    std::size_t refused = 0;
    std::size_t tried = 0;
    for (std::size_t size = 0; size < whole.size(); size += 1 + size / 64) {
        try {
            const SentencePieceModel model = modelOf(whole.substr(0, size));
            std::vector<TokenId> ids;
            model.encode("a b", true, ids);
        } catch (const Error& error) {
            CHECK(error.code() == ErrorCode::BadTokenizer);
            ++refused;
        }
        ++tried;
    }
    CHECK(refused > tried / 2);
}

TEST_CASE("SentencePieceModel: damaged bytes are refused or harmless", "[core][text]") {
    const std::string whole = readTextFile(folder() / "unigram.model");
    for (std::size_t at = 0; at < whole.size(); at += 137) {
        for (const char value : {'\x00', '\x7F', '\xFF'}) {
            std::string damaged = whole;
            damaged[at] = value;
            try {
                const SentencePieceModel model = modelOf(damaged);
                std::vector<TokenId> ids;
                model.encode("\xEF\xAC\x81ne words and <sep>", true, ids);
                for (const TokenId id : ids) {
                    CHECK(id < model.size());
                }
            } catch (const Error& error) {
                CHECK(error.code() == ErrorCode::BadTokenizer);
            }
        }
    }
}

TEST_CASE("SentencePieceModel: contradictions are refused by name", "[core][text]") {
    const std::string unknown = piece("<unk>", 2);
    const auto load = [](const std::string& bytes) {
        return [bytes] { static_cast<void>(modelOf(bytes)); };
    };
    CHECK(modelOf(unknown + piece("a", 1)).size() == 2);
    checkThrows(load(""), ErrorCode::BadTokenizer, {"test.model", "no pieces"});
    checkThrows(load(piece("a", 1)), ErrorCode::BadTokenizer, {"unknown piece"});
    checkThrows(load(unknown + piece("x", 2)), ErrorCode::BadTokenizer, {"unknown piece"});
    checkThrows(load(unknown + piece("a", 1) + piece("a", 1)), ErrorCode::BadTokenizer, {"twice"});
    checkThrows(load(unknown + piece("", 1)), ErrorCode::BadTokenizer, {"empty"});
    checkThrows(load(unknown + piece("\xFF", 1)), ErrorCode::BadTokenizer, {"UTF-8"});
    checkThrows(load(unknown + piece("a", 9)), ErrorCode::BadTokenizer, {"kind"});
    checkThrows(load(unknown + piece("<0xZZ>", 6)), ErrorCode::BadTokenizer, {"byte piece"});
    checkThrows(load(unknown + field(2, number(3, 3))), ErrorCode::BadTokenizer, {"word"});
    checkThrows(load(unknown + field(3, field(2, "abc"))), ErrorCode::BadTokenizer, {"rules"});
    const std::string fallback = std::string{'\x98', '\x02', '\x01'};  // field 35: 1
    checkThrows(load(unknown + field(2, fallback)), ErrorCode::BadTokenizer, {"256"});
}
