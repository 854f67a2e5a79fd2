// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace moescope::text {

/// Rewrites a pattern of the reference implementation (Oniguruma) for PCRE2 where the two would
/// read it differently: `\s` and `\S` (PCRE2 counts U+180E as white space), scripts (`\p{Han}`;
/// PCRE2 adds what a script shares with others) and intersections of character classes
/// (`[\p{L}&&[^\p{Han}]]`). Throws Error(Unsupported) for nested classes of
/// another kind and Error(BadTokenizer) for one that is never closed.
[[nodiscard]] std::string toPcre2Syntax(std::string_view pattern);

/// A compiled pattern over UTF-8 with Unicode character classes. Line ends are LF, `^` and `$`
/// match at lines, as in the reference implementation. Thread-safe.
///
/// Known deviation from the reference: characters assigned after the Unicode version of the PCRE2
/// library (14 for 10.42, Debian 12) have no category here.
class Regex {
public:
    /// `where` is how errors call the file the pattern is from. Throws Error(BadTokenizer) for a
    /// pattern that does not compile.
    Regex(std::string_view pattern, std::string where);
    ~Regex();
    Regex(Regex&&) noexcept;
    Regex& operator=(Regex&&) noexcept;

    struct Match {
        std::size_t begin = 0;
        std::size_t end = 0;
    };
    /// The first match at or after `from`. Precondition: `text` is valid UTF-8 and `from` is a
    /// character's start. Throws Error(BadText) when the pattern needs more memory than allowed.
    [[nodiscard]] std::optional<Match> find(std::string_view text, std::size_t from) const;

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace moescope::text
