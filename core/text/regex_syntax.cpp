// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/text/regex.h"

#include <fmt/format.h>

#include <vector>

namespace moescope::text {
namespace {

/// White space as Oniguruma's \s: Unicode's White_Space property.
constexpr std::string_view kSpaceMembers =
    "\\x{09}-\\x{0D}\\x{20}\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}"
    "\\x{205F}\\x{3000}";

/// Rewrites one pattern from left to right.
class Rewriter {
public:
    explicit Rewriter(std::string_view pattern) : m_pattern(pattern) {}

    std::string rewrite() {
        std::string out;
        while (m_at < m_pattern.size()) {
            if (m_pattern[m_at] == '[') {
                out += characterClass();
            } else if (m_pattern[m_at] == '\\') {
                out += escape(false);
            } else {
                out += m_pattern[m_at++];
            }
        }
        return out;
    }

private:
    /// A backslash and what it escapes; \p{...} and \x{...} go on as ordinary text.
    std::string escape(bool inClass) {
        if (m_at + 1 >= m_pattern.size()) {
            return std::string(m_pattern.substr(m_at++));
        }
        const char kind = m_pattern[m_at + 1];
        const std::string_view raw = m_pattern.substr(m_at, 2);
        m_at += 2;
        if (kind == 's') {
            return inClass ? std::string(kSpaceMembers) : fmt::format("[{}]", kSpaceMembers);
        }
        if (kind == 'S' && !inClass) {
            return fmt::format("[^{}]", kSpaceMembers);
        }
        return std::string(raw);
    }

    [[noreturn]] void unsupported() const {
        throw Error(ErrorCode::Unsupported,
                    fmt::format("The pattern \"{}\" nests character classes in a way that is not "
                                "supported (only intersections, &&, are).",
                                m_pattern));
    }

    /// [A&&B&&[^C]] is A with the look-aheads B and [^C] before it.
    std::string characterClass() {
        ++m_at;
        const bool negated = m_at < m_pattern.size() && m_pattern[m_at] == '^';
        m_at += negated ? 1 : 0;
        std::vector<std::string> parts = classParts();
        if (parts.size() == 1) {
            if (parts.front().starts_with('[')) {
                unsupported();  // a class as the only member of a class
            }
            return fmt::format("[{}{}]", negated ? "^" : "", parts.front());
        }
        std::string all;
        for (std::size_t i = parts.size(); i-- > 0;) {
            const std::string one =
                parts[i].starts_with('[') ? parts[i] : fmt::format("[{}]", parts[i]);
            all += i > 0 ? fmt::format("(?={})", one) : one;
        }
        return negated ? fmt::format("(?:(?!{})[\\s\\S])", all) : fmt::format("(?:{})", all);
    }

    /// The operands of && up to the closing bracket, which is passed. Each is a bare list of
    /// members, or one complete nested class.
    std::vector<std::string> classParts() {
        std::vector<std::string> parts(1);
        bool first = true;  // a bracket right after the opening one is a member
        while (m_at < m_pattern.size()) {
            const std::string_view rest = m_pattern.substr(m_at);
            if (rest.front() == ']' && !first) {
                ++m_at;
                return parts;
            }
            if (rest.starts_with("&&")) {
                m_at += 2;
                parts.emplace_back();
            } else if (rest.starts_with("[:")) {
                copyPosixClass(parts.back());
            } else if (rest.front() == '[') {
                if (!parts.back().empty()) {
                    unsupported();
                }
                parts.back() = characterClass();
            } else if (rest.front() == '\\') {
                parts.back() += escape(true);
            } else {
                parts.back() += rest.front();
                ++m_at;
            }
            first = false;
        }
        return parts;  // never closed: PCRE2 names the error
    }

    void copyPosixClass(std::string& out) {
        const std::size_t end = m_pattern.find(":]", m_at);
        const std::size_t stop = end == std::string_view::npos ? m_pattern.size() : end + 2;
        out += m_pattern.substr(m_at, stop - m_at);
        m_at = stop;
    }

    std::string_view m_pattern;
    std::size_t m_at = 0;
};

}  // namespace

std::string toPcre2Syntax(std::string_view pattern) {
    return Rewriter(pattern).rewrite();
}

}  // namespace moescope::text
