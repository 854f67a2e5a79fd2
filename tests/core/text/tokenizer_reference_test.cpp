// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Ids of the reference libraries (tests/reference/README.md, "Tokenizers") for each tokenizer form.
#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/text/byte_alphabet.h"
#include "core/text/tokenizer.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

#include <nlohmann/json.hpp>

#include <cstdlib>

using namespace moescope;
using namespace moescope::text;
using nlohmann::json;

namespace {

std::filesystem::path goldenDir() {
    return tests::referenceDir() / "tokenizers";
}

json golden(const std::string& name) {
    return json::parse(readTextFile(goldenDir() / (name + ".json")));
}

const std::vector<std::string>& texts() {
    static const auto list = golden("texts").at("texts").get<std::vector<std::string>>();
    return list;
}

/// Numbers of the texts whose ids are not the expected ones, with the first difference told.
std::size_t mismatches(const Tokenizer& tokenizer, const json& expected) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < texts().size(); ++i) {
        auto wanted = expected.at("ids").at(i).get<std::vector<TokenId>>();
        if (expected.contains("with_specials") &&
            expected["with_specials"].contains(std::to_string(i))) {
            wanted = expected["with_specials"][std::to_string(i)].get<std::vector<TokenId>>();
        }
        const auto ids = tokenizer.encode(texts()[i], false);
        if (ids != wanted) {
            const auto at = std::mismatch(ids.begin(), ids.end(), wanted.begin(), wanted.end());
            UNSCOPED_INFO("text " << i << " differs from token " << at.first - ids.begin() << ": "
                                  << json(texts()[i]).dump().substr(0, 200));
            ++count;
        }
    }
    return count;
}

/// The file's own string of each id, and its bytes joined to the text.
void checkPieces(const Tokenizer& tokenizer, const json& expected) {
    std::size_t wrong = 0;
    for (const auto& [id, piece] : expected.at("pieces").items()) {
        const auto found = tokenizer.idOf(piece.get<std::string>());
        wrong += found != static_cast<TokenId>(std::stoul(id));
    }
    CHECK(wrong == 0);
    CHECK(tokenizer.vocabularySize() == expected.at("size").get<std::size_t>());
}

void checkAll(const Tokenizer& tokenizer, const json& expected) {
    CHECK(mismatches(tokenizer, expected) == 0);
    checkPieces(tokenizer, expected);
    if (expected.contains("prefix")) {
        const auto prefix = expected["prefix"].get<std::vector<TokenId>>();
        const auto with = tokenizer.encode("a", true);
        REQUIRE(with.size() >= prefix.size());
        CHECK(std::equal(prefix.begin(), prefix.end(), with.begin()));
        CHECK(with.size() == prefix.size() + tokenizer.encode("a", false).size());
    }
}

/// A folder with the real file under the name a checkpoint has it, or nothing where it is absent.
bool unpack(const std::string& file, const tests::TemporaryFolder& folder) {
    const auto source = tests::sharedDataDir() / "tokenizers" / file;
    if (!std::filesystem::exists(source)) {
        WARN("skipped: " << source << " is absent");
        return false;
    }
    const bool isPacked = source.extension() == ".xz";
    const auto target = folder / (isPacked ? "tokenizer.json" : "tokenizer.model");
    const std::string command =
        (isPacked ? "xz -dc '" : "cat '") + source.string() + "' > '" + target.string() + "'";
    REQUIRE(std::system(command.c_str()) == 0);
    return true;
}

}  // namespace

TEST_CASE("Tokenizer: ids of the reference libraries", "[core][text]") {
    const std::string name = GENERATE("sentencepiece", "llama", "llama-metaspace",
                                      "byte-level-split", "byte-level-plain");
    INFO(name);
    checkAll(*loadTokenizer(goldenDir() / name), golden(name));
}

TEST_CASE("Tokenizer: ids of the demo's tokenizers", "[core][text]") {
    const std::string name = GENERATE("tiny-mistral", "tiny-deepseekmoe");
    INFO(name);
    const json expected = golden("demo-" + name);
    const auto file = tests::sourceDir() / expected.at("file").get<std::string>();
    checkAll(*loadTokenizer(file.parent_path()), expected);
}

TEST_CASE("Tokenizer: ids of published tokenizers", "[core][text]") {
    const std::string name = GENERATE("mixtral-8x7b", "mixtral-8x22b-instruct-v3", "grok-1",
                                      "olmoe", "qwen3", "deepseek_v3", "gptoss");
    INFO(name);
    const json expected = golden("real-" + name);
    const tests::TemporaryFolder folder;
    if (unpack(expected.at("file").get<std::string>(), folder)) {
        checkAll(*loadTokenizer(folder.path()), expected);
    }
}

TEST_CASE("Tokenizer: bytes of tokens join to the text", "[core][text]") {
    const std::string name = GENERATE("llama", "byte-level-plain", "sentencepiece");
    const auto tokenizer = loadTokenizer(goldenDir() / name);
    for (const std::string text :
         {"Hello world", "na\xC3\xAFve \xE4\xB8\xAD\xE6\x96\x87\n\t\xF0\x9F\xA6\x99"}) {
        std::string joined;
        for (const TokenId id : tokenizer->encode(text, false)) {
            joined += tokenizer->tokenBytes(id);
        }
        CHECK(joined == " " + text);  // all three put a space before a text
    }
}

TEST_CASE("Tokenizer: refuses text that is not UTF-8, naming the byte", "[core][text]") {
    const json cases = golden("texts").at("invalid");
    const std::string name = GENERATE("llama", "byte-level-split", "sentencepiece");
    const auto tokenizer = loadTokenizer(goldenDir() / name);
    for (const json& one : cases) {
        const auto hex = one.at(0).get<std::string>();
        std::string bytes;
        for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
            bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
        }
        try {
            (void)tokenizer->encode(bytes, true);
            FAIL("accepted " << hex);
        } catch (const Error& error) {
            CHECK(error.code() == ErrorCode::BadText);
            CHECK_THAT(error.what(),
                       Catch::Contains("offset " + std::to_string(one.at(1).get<int>())));
        }
    }
}
