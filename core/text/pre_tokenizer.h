// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/regex.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace moescope::text {

/// The `pre_tokenizer` of a tokenizer.json: cuts a stretch of text into the words that are encoded
/// one by one; every step works on the pieces of the step before. Thread-safe once built.
class PreTokenizer {
public:
    /// What happens with matches: see the tokenizers documentation, SplitDelimiterBehavior.
    enum class Behavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };

    struct Split {
        Regex pattern;
        Behavior behavior = Behavior::Isolated;
        bool invert = false;  ///< matches are what lies between
    };
    /// Replaces spaces by a mark, puts the mark before a piece, and cuts before marks.
    struct Metaspace {
        enum class Prepend { Always, First, Never };
        std::string mark;
        Prepend prepend = Prepend::Always;
        bool split = true;
    };
    /// The prefix space and pattern of byte-level tokenizers. That their words are bytes in an
    /// alphabet of printable characters is undone in the vocabulary instead, see ByteAlphabet.
    struct ByteLevel {
        bool addPrefixSpace = false;
        std::optional<Regex> pattern;
    };
    using Step = std::variant<Split, Metaspace, ByteLevel>;

    void add(Step step);
    [[nodiscard]] bool isByteLevel() const noexcept { return m_isByteLevel; }

    /// Words as views of the text, or of `storage` where a step changed them.
    struct Words {
        std::vector<std::string_view> list;
        std::deque<std::string> storage;
    };
    /// `isTextStart`: the stretch begins where the whole text begins.
    void apply(std::string_view text, bool isTextStart, Words& words) const;

private:
    std::vector<Step> m_steps;
    bool m_isByteLevel = false;
};

}  // namespace moescope::text
