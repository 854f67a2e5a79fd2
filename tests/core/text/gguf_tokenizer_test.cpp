// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// GGUF files made here from the vocabularies of the reference tokenizers must give the ids that the
// reference libraries give (tests/reference/README.md, "Tokenizers").
#include "core/text/gguf_tokenizer.h"

#include "core/base/file_system.h"
#include "core/text/gguf_pre_tokenizer.h"
#include "core/text/sentencepiece_proto.h"
#include "tests/support/catch.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>

using namespace moescope;
using namespace moescope::text;
using nlohmann::json;
using tests::GgufBuilder;
namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t kFloats = 6, kIntegers = 5, kFlag = 7;

json golden(const std::string& name) {
    return json::parse(readTextFile(tests::referenceDir() / "tokenizers" / (name + ".json")));
}

std::size_t mismatches(const Tokenizer& tokenizer, const json& expected) {
    const auto texts = golden("texts").at("texts").get<std::vector<std::string>>();
    std::size_t count = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        auto wanted = expected.at("ids").at(i).get<std::vector<TokenId>>();
        const std::string number = std::to_string(i);
        if (expected.contains("with_specials") && expected["with_specials"].contains(number)) {
            wanted = expected["with_specials"][number].get<std::vector<TokenId>>();
        }
        if (tokenizer.encode(texts[i], false) != wanted) {
            UNSCOPED_INFO("text " << i << ": " << json(texts[i]).dump().substr(0, 200));
            ++count;
        }
    }
    return count;
}

/// The real file, unpacked, where it is there.
std::optional<std::string> shared(const std::string& name, const tests::TemporaryFolder& folder) {
    const fs::path source = tests::sharedDataDir() / "tokenizers" / name;
    if (!fs::exists(source)) {
        WARN("skipped: " << source << " is absent");
        return std::nullopt;
    }
    const fs::path target = folder / fs::path(name).stem();
    const std::string command = (source.extension() == ".xz" ? "xz -dc '" : "cat '") +
                                source.string() + "' > '" + target.string() + "'";
    REQUIRE(std::system(command.c_str()) == 0);
    return readTextFile(target);
}

std::unique_ptr<Tokenizer> read(const std::string& file) {
    return readGgufTokenizer(std::as_bytes(std::span(file)), "some.gguf");
}

/// The vocabulary of a tokenizer.model as llama.cpp's conversion writes it.
std::string fromSentencePiece(const std::string& model) {
    const SentencePieceProto proto = parseSentencePiece(model, "model");
    std::vector<std::string> tokens;
    std::vector<float> scores;
    std::vector<std::int32_t> types;
    for (const auto& piece : proto.pieces) {
        tokens.push_back(piece.text);
        scores.push_back(piece.score);
        types.push_back(static_cast<std::int32_t>(piece.type));
    }
    return GgufBuilder()
        .text("tokenizer.ggml.model", "llama")
        .texts("tokenizer.ggml.tokens", tokens)
        .numbers("tokenizer.ggml.scores", kFloats, scores)
        .numbers("tokenizer.ggml.token_type", kIntegers, types)
        .integer("tokenizer.ggml.bos_token_id", 1)
        .integer("tokenizer.ggml.eos_token_id", 2)
        .bytes();
}

/// A byte-level tokenizer.json likewise.
std::string fromJson(const json& file, const std::string& pre, std::int64_t bos) {
    std::vector<std::string> tokens;
    std::vector<std::int32_t> types;
    const auto put = [&](const std::string& token, std::size_t id, std::int32_t type) {
        if (id >= tokens.size()) {
            tokens.resize(id + 1, "[PAD]");
            types.resize(id + 1, 5);
        }
        tokens[id] = token;
        types[id] = type;
    };
    for (const auto& [token, id] : file["model"]["vocab"].items()) {
        put(token, id.get<std::size_t>(), 1);
    }
    for (const json& token : file["added_tokens"]) {
        put(token["content"].get<std::string>(), token["id"].get<std::size_t>(),
            token["special"].get<bool>() ? 3 : 4);
    }
    std::vector<std::string> merges;
    for (const json& merge : file["model"]["merges"]) {
        merges.push_back(merge.is_string()
                             ? merge.get<std::string>()
                             : merge[0].get<std::string>() + " " + merge[1].get<std::string>());
    }
    GgufBuilder builder;
    builder.text("tokenizer.ggml.model", "gpt2")
        .text("tokenizer.ggml.pre", pre)
        .texts("tokenizer.ggml.tokens", tokens)
        .numbers("tokenizer.ggml.token_type", kIntegers, types)
        .texts("tokenizer.ggml.merges", merges);
    if (bos >= 0) {
        builder.integer("tokenizer.ggml.bos_token_id", static_cast<std::uint32_t>(bos))
            .number("tokenizer.ggml.add_bos_token", kFlag, std::uint8_t{1});
    }
    return builder.bytes();
}

}  // namespace

TEST_CASE("GgufTokenizer: a real GGUF vocabulary gives the reference ids", "[core][text]") {
    const tests::TemporaryFolder folder;
    const auto file = shared("deepseek-llm.vocab.gguf.xz", folder);
    if (!file) {
        return;
    }
    const json expected = golden("real-deepseek-llm");
    const auto tokenizer = loadTokenizer(folder / "deepseek-llm.vocab.gguf");
    CHECK(mismatches(*tokenizer, expected) == 0);
    CHECK(tokenizer->vocabularySize() == expected.at("size").get<std::size_t>());
    const auto prefix = expected.at("prefix").get<std::vector<TokenId>>();
    CHECK(tokenizer->encode("", true) == prefix);
    CHECK(tokenizer->bosId() == prefix.front());
    CHECK(tokenizer->isSpecial(prefix.front()));
}

TEST_CASE("GgufTokenizer: SentencePiece pieces with scores", "[core][text]") {
    const fs::path model = tests::referenceDir() / "tokenizers/sentencepiece/tokenizer.model";
    const auto tokenizer = read(fromSentencePiece(readTextFile(model)));
    CHECK(mismatches(*tokenizer, golden("sentencepiece")) == 0);
    CHECK(tokenizer->identity() == loadTokenizer(model.parent_path())->identity());
    CHECK(tokenizer->encode("a", true).front() == 1);
}

TEST_CASE("GgufTokenizer: published SentencePiece models", "[core][text]") {
    const std::string name = GENERATE("mixtral-8x7b", "mixtral-8x22b-instruct-v3", "grok-1");
    INFO(name);
    const tests::TemporaryFolder folder;
    if (const auto model = shared(name + ".tokenizer.model", folder)) {
        CHECK(mismatches(*read(fromSentencePiece(*model)), golden("real-" + name)) == 0);
    }
}

TEST_CASE("GgufTokenizer: published byte-level vocabularies by the names of their patterns",
          "[core][text]") {
    const auto [name, pre] =
        GENERATE(table<std::string, std::string>({{"qwen3", "qwen2"},
                                                  {"olmoe", "olmo"},
                                                  {"deepseek_v3", "deepseek-v3"},
                                                  {"gptoss", "gpt-4o"}}));
    INFO(name);
    const tests::TemporaryFolder folder;
    const auto file = shared(name + ".tokenizer.json.xz", folder);
    if (!file) {
        return;
    }
    const json parsed = json::parse(*file);
    const auto tokenizer = read(fromJson(parsed, pre, -1));
    CHECK(mismatches(*tokenizer, golden("real-" + name)) == 0);
    CHECK(tokenizer->vocabularySize() == golden("real-" + name).at("size").get<std::size_t>());
}

TEST_CASE("GgufTokenizer: patterns cut texts as the publishers' own do", "[core][text]") {
    const json expected = golden("pre_tokenizers");
    const auto texts = golden("texts").at("texts").get<std::vector<std::string>>();
    for (const auto& [name, lengths] : expected.items()) {
        if (name == "library") {
            continue;
        }
        const auto rule = ggufPreTokenizer(name, "some.gguf");
        REQUIRE(lengths.size() == texts.size());
        for (std::size_t i = 0; i < texts.size(); ++i) {
            INFO(name << ", text " << i << ": " << texts[i]);
            PreTokenizer::Words words;
            rule.steps.apply(texts[i], true, words);
            std::vector<std::size_t> ours;
            for (const auto word : words.list) {
                ours.push_back(word.size());
            }
            CHECK(ours == lengths[i].get<std::vector<std::size_t>>());
        }
    }
    CHECK(expected.size() == 14);
}

TEST_CASE("GgufTokenizer: patterns that are known compile", "[core][text]") {
    for (const char* word :
         {"gpt-2", "llama-bpe", "dbrx", "glm4", "qwen2", "hunyuan", "deepseek-v3", "gpt-4o",
          "minimax-m2", "bailingmoe2", "refact", "deepseek-llm", "kimi-k2"}) {
        INFO(word);
        PreTokenizer::Words words;
        const auto rule = ggufPreTokenizer(word, "some.gguf");
        const std::string text = "Hello World's 12345  caf\xC3\xA9 \xE4\xB8\xAD\xE6\x96\x87!\n\n";
        rule.steps.apply(text, true, words);
        std::string joined;
        for (const auto piece : words.list) {
            joined += piece;
        }
        CHECK(joined == text);
        CHECK(words.list.size() > 5);
    }
    // Kimi-K2: runs of Han stand alone, words change where small letters end.
    PreTokenizer::Words words;
    const auto rule = ggufPreTokenizer("kimi-k2", "some.gguf");
    const std::string text =
        "camelCase\xE4\xB8\xAD\xE6\x96\x87"
        "abc";
    rule.steps.apply(text, true, words);
    CHECK(words.list ==
          std::vector<std::string_view>{"camel", "Case", "\xE4\xB8\xAD\xE6\x96\x87", "abc"});
}

TEST_CASE("GgufTokenizer: what is missing or contradicts itself", "[core][text]") {
    const auto builder = [] {
        GgufBuilder result;
        result.text("tokenizer.ggml.model", "gpt2")
            .texts("tokenizer.ggml.tokens", {"a", "b", "ab"});
        return result;
    };
    const auto refuse = [](const GgufBuilder& from, ErrorCode code,
                           const std::vector<std::string>& words) {
        const std::string file = from.bytes();
        tests::checkThrows([&] { (void)read(file); }, code, words);
    };
    refuse(GgufBuilder(), ErrorCode::FileNotFound, {"some.gguf", "no tokenizer"});
    refuse(GgufBuilder().text("tokenizer.ggml.model", "bert"), ErrorCode::BadTokenizer, {"bert"});
    refuse(GgufBuilder().text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", "gpt-2"),
           ErrorCode::BadTokenizer, {"tokenizer.ggml.tokens"});
    refuse(builder(), ErrorCode::BadTokenizer, {"tokenizer.ggml.pre"});
    refuse(builder().text("tokenizer.ggml.pre", "falcon9"), ErrorCode::BadTokenizer,
           {"falcon9", "qwen2"});
    refuse(builder().text("tokenizer.ggml.pre", "gpt-2"), ErrorCode::BadTokenizer, {"merges"});
    refuse(builder().text("tokenizer.ggml.pre", "gpt-2").texts("tokenizer.ggml.merges", {"a c"}),
           ErrorCode::BadTokenizer, {"merge 0", "\"c\""});
    refuse(builder().text("tokenizer.ggml.pre", "gpt-2").texts("tokenizer.ggml.merges", {"ab"}),
           ErrorCode::BadTokenizer, {"merge 0", "a b"});
    refuse(
        builder().numbers("tokenizer.ggml.token_type", kIntegers, std::vector<std::int32_t>{1, 1}),
        ErrorCode::BadTokenizer, {"2 entries for 3"});
    refuse(GgufBuilder()
               .text("tokenizer.ggml.model", "llama")
               .texts("tokenizer.ggml.tokens", {"<unk>", "\xFF"})
               .numbers("tokenizer.ggml.scores", kFloats, std::vector<float>{0.0F, 0.0F}),
           ErrorCode::BadTokenizer, {"token 1", "UTF-8"});
    const auto good =
        builder().text("tokenizer.ggml.pre", "gpt-2").texts("tokenizer.ggml.merges", {"a b"});
    CHECK(read(good.bytes())->encode("abba", true) == std::vector<TokenId>{2, 1, 0});
}

TEST_CASE("GgufTokenizer: files beside a GGUF file help out", "[core][text]") {
    const tests::TemporaryFolder folder;
    std::ofstream(folder / "m.gguf", std::ios::binary) << GgufBuilder().bytes();
    tests::checkThrows([&] { (void)loadTokenizer(folder / "m.gguf"); }, ErrorCode::FileNotFound,
                       {"m.gguf", "beside"});
    fs::copy_file(tests::referenceDir() / "tokenizers/llama/tokenizer.json",
                  folder / "tokenizer.json");
    CHECK(mismatches(*loadTokenizer(folder / "m.gguf"), golden("llama")) == 0);
    const fs::path model = tests::referenceDir() / "tokenizers/sentencepiece/tokenizer.model";
    std::ofstream(folder / "m.gguf", std::ios::binary) << fromSentencePiece(readTextFile(model));
    CHECK(mismatches(*loadTokenizer(folder / "m.gguf"), golden("sentencepiece")) == 0);
}

TEST_CASE("GgufTokenizer: the chat template in a file", "[core][text]") {
    const tests::TemporaryFolder folder;
    const auto write = [&](const GgufBuilder& builder) {
        std::ofstream(folder / "m.gguf", std::ios::binary) << builder.bytes();
    };
    GgufBuilder builder;
    builder.texts("tokenizer.ggml.tokens", {"<s>", "</s>"})
        .integer("tokenizer.ggml.bos_token_id", 0)
        .integer("tokenizer.ggml.eos_token_id", 1);
    write(builder);
    tests::checkThrows([&] { (void)loadChatTemplate(folder / "m.gguf"); }, ErrorCode::BadTokenizer,
                       {"m.gguf", "no chat template"});
    builder.text("tokenizer.chat_template",
                 "{{ bos_token }}{{ messages[0]['content'] }}{{ eos_token }}");
    write(builder);
    CHECK(loadChatTemplate(folder / "m.gguf").renderUserMessage("hi") == "<s>hi</s>");
}
