// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/gguf_pre_tokenizer.h"

#include "core/text/json_reading.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace moescope::text {
namespace {

constexpr const char* kGpt2 =
    R"re('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)re";
constexpr const char* kLlama3 =
    R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p)re"
    R"re({N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";
constexpr const char* kQwen2 =
    R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+)re"
    R"re([\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";
/// As kQwen2, with marks among the letters.
constexpr const char* kQwen35 =
    R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L)re"
    R"re(}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";
constexpr const char* kDeepSeek3Words =
    R"re([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\)re"
    R"re(p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";
constexpr const char* kGpt4o =
    R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?)re"
    R"re(i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+)re"
    R"re([\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L})re"
    R"re(\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";
constexpr const char* kBailing =
    R"re('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n)re"
    R"re(]*|\s*[\r\n]|\s+(?!\S)|\s+)re";
constexpr const char* kKimiK2 =
    R"re(\p{Han}+|[^\r\n\p{L}\p{N}]?(?:(?!\p{Han})[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])*(?:()re"
    R"re(?!\p{Han})[\p{Ll}\p{Lm}\p{Lo}\p{M}])+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L})re"
    R"re(\p{N}]?(?:(?!\p{Han})[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])+(?:(?!\p{Han})[\p{Ll}\p{)re"
    R"re(Lm}\p{Lo}\p{M}])*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\)re"
    R"re(r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";
constexpr const char* kOneDigit = R"re(\p{N})re";
constexpr const char* kThreeDigits = R"re(\p{N}{1,3})re";
constexpr const char* kChineseJapanese =
    R"re([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)re";
/// DeepSeek LLM: letters of listed scripts, among them some that normalisation would change.
constexpr const char* kDeepSeekLetters =
    R"re(\s?[A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4})re"
    R"re(-\x{293}\x{295}-\x{2AF}\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{3)re"
    R"re(86}\x{388}-\x{38A}\x{38C}\x{38E}-\x{3A1}\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-)re"
    R"re(\x{52F}\x{531}-\x{556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}\x{13F8}-\x{13FD}\x{1C)re"
    R"re(90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9)re"
    R"re(A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50})re"
    R"re(-\x{1F57}\x{1F59}\x{1F5B}\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x)re"
    R"re({1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1)re"
    R"re(FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A)re"
    R"re(}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124}\x{2126}\x{2128}\x{212A}-\x{212D}\x)re"
    R"re({212F}-\x{2134}\x{2139}\x{213C}-\x{213F}\x{2145}-\x{2149}\x{214E}\x{2183}\x{21)re"
    R"re(84}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4}\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640})re"
    R"re(-\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787}\x{A78B}-\x{A78E}\)re"
    R"re(x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-\x)re"
    R"re({FF5A}\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10)re"
    R"re(CB2}\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}]+)re";
constexpr const char* kDeepSeekPunctuation =
    R"re(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002})re"
    R"re(]+)re";
constexpr const char* kDeepSeekChinese =
    R"re([\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+)re";
constexpr const char* kLineEnd = R"re([\r\n])re";
constexpr const char* kTrailingSpace = R"re(\s+$)re";

/// Patterns are applied one after another, each to the pieces of the one before.
struct Kind {
    std::span<const std::string_view> words;
    std::vector<const char*> patterns;
    bool normalizeNfc = false;
    bool ignoreMerges = false;
};

using Words = std::string_view;
constexpr std::array<Words, 3> kGpt2Words{"gpt-2", "mpt", "default"};
constexpr std::array<Words, 1> kOlmo{"olmo"};
constexpr std::array<Words, 3> kLlama3Words{"llama-bpe", "llama3", "llama-v3"};
constexpr std::array<Words, 4> kGpt4Words{"dbrx", "smaug-bpe", "chatglm-bpe", "glm4"};
constexpr std::array<Words, 4> kQwen2Words{"qwen2", "hunyuan", "grok-2", "deepseek-r1-qwen"};
constexpr std::array<Words, 3> kDeepSeek3{"deepseek-v3", "hunyuan-dense", "joyai-llm"};
constexpr std::array<Words, 3> kGpt4oWords{"gpt-4o", "llama4", "minimax-m2"};
constexpr std::array<Words, 2> kBailingWords{"bailingmoe", "bailingmoe2"};
constexpr std::array<Words, 5> kRefactWords{"refact", "starcoder", "command-r", "smollm",
                                            "codeshell"};
constexpr std::array<Words, 1> kDeepSeekLlm{"deepseek-llm"};
constexpr std::array<Words, 2> kKimi{"kimi-k2", "kimi-k25"};
constexpr std::array<Words, 1> kQwen35Words{"qwen35"};

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> kKinds{
        {.words = kGpt2Words, .patterns = {kGpt2}},
        {.words = kOlmo, .patterns = {kGpt2}, .normalizeNfc = true},
        {.words = kLlama3Words, .patterns = {kLlama3}, .ignoreMerges = true},
        {.words = kGpt4Words, .patterns = {kLlama3}},
        {.words = kQwen2Words, .patterns = {kQwen2}, .normalizeNfc = true},
        {.words = kQwen35Words, .patterns = {kQwen35}, .normalizeNfc = true},
        {.words = kDeepSeek3, .patterns = {kThreeDigits, kChineseJapanese, kDeepSeek3Words}},
        {.words = kGpt4oWords, .patterns = {kGpt4o}, .ignoreMerges = true},
        {.words = kBailingWords, .patterns = {kBailing}},
        {.words = kRefactWords, .patterns = {kOneDigit, kGpt2}},
        {.words = kDeepSeekLlm,
         .patterns = {kLineEnd, kDeepSeekLetters, kDeepSeekPunctuation, kTrailingSpace,
                      kDeepSeekChinese, kOneDigit}},
        {.words = kKimi, .patterns = {kKimiK2}},
    };
    return kKinds;
}

}  // namespace

GgufPreTokenizer ggufPreTokenizer(std::string_view word, const std::string& where) {
    std::vector<std::string_view> known;
    for (const Kind& kind : kinds()) {
        known.insert(known.end(), kind.words.begin(), kind.words.end());
        if (std::find(kind.words.begin(), kind.words.end(), word) == kind.words.end()) {
            continue;
        }
        GgufPreTokenizer result{.steps = {},
                                .normalizeNfc = kind.normalizeNfc,
                                .ignoreMerges = kind.ignoreMerges,
                                .addBos = word.starts_with("llama")};
        for (const char* pattern : kind.patterns) {
            result.steps.add(PreTokenizer::Split{.pattern = Regex(pattern, where)});
        }
        result.steps.add(PreTokenizer::ByteLevel{});
        return result;
    }
    throwBadTokenizer(where,
                      fmt::format("the pre-tokenizer \"{}\" is not known; known are {}. Copy "
                                  "the model's tokenizer.json beside the file",
                                  word, fmt::join(known, ", ")));
}

}  // namespace moescope::text
