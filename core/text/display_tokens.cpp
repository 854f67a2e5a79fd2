// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/tokenizer.h"
#include "core/text/utf8.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::text {
namespace {

/// All tokens' bytes in a row, and where each token ends.
struct Joined {
    std::string bytes;
    std::vector<std::size_t> ends;

    explicit Joined(std::span<const std::string> tokens) {
        for (const std::string& token : tokens) {
            bytes += token;
            ends.push_back(bytes.size());
        }
    }
    /// The token that holds the byte at `offset`; empty tokens hold none.
    [[nodiscard]] std::size_t tokenAt(std::size_t offset) const {
        return static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), offset) -
                                        ends.begin());
    }
    /// The tokens that hold bytes of [begin, end).
    [[nodiscard]] std::vector<std::size_t> tokensIn(std::size_t begin, std::size_t end) const {
        std::vector<std::size_t> tokens;
        for (std::size_t i = begin; i < end; ++i) {
            if (const std::size_t token = tokenAt(i); tokens.empty() || tokens.back() != token) {
                tokens.push_back(token);
            }
        }
        return tokens;
    }
};

std::string partMark(std::size_t part, std::size_t parts) {
    return fmt::format("\xE2\x80\xB9{}/{}\xE2\x80\xBA", part + 1, parts);
}

/// The texts being built, and bytes of single tokens that wait to be shown together.
struct Output {
    std::vector<std::string> texts;
    std::vector<std::string> waiting;

    explicit Output(std::size_t count) : texts(count), waiting(count) {}
    void flush(std::size_t token) {
        texts[token] += displayText(waiting[token]);
        waiting[token].clear();
    }
};

}  // namespace

std::vector<std::string> displayTexts(std::span<const std::string> tokenBytes) {
    const Joined joined(tokenBytes);
    Output out(tokenBytes.size());
    std::size_t end = 0;
    for (std::size_t at = 0; at < joined.bytes.size(); at = end) {
        end = at + std::max<std::size_t>(1, utf8SequenceLength(joined.bytes, at));
        const std::string_view bytes = std::string_view(joined.bytes).substr(at, end - at);
        const auto tokens = joined.tokensIn(at, end);
        if (tokens.size() == 1) {
            out.waiting[tokens.front()] += bytes;
            continue;
        }
        const std::string character = displayText(bytes);
        for (std::size_t part = 0; part < tokens.size(); ++part) {
            out.flush(tokens[part]);
            out.texts[tokens[part]] += character + partMark(part, tokens.size());
        }
    }
    for (std::size_t token = 0; token < tokenBytes.size(); ++token) {
        out.flush(token);
    }
    return std::move(out.texts);
}

}  // namespace moescope::text
