// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#define PCRE2_CODE_UNIT_WIDTH 8

#include "core/base/error.h"
#include "core/text/regex.h"

#include <fmt/format.h>

#include <pcre2.h>

#include <algorithm>
#include <vector>

namespace moescope::text {
namespace {

/// White space as Oniguruma's \s: Unicode's White_Space property.
constexpr std::string_view kSpaceMembers =
    "\\x{09}-\\x{0D}\\x{20}\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}"
    "\\x{205F}\\x{3000}";

constexpr int kDeepest = 8;
constexpr std::size_t kLongestScript = 32;

/// Whether the name of a property is that of a script.
bool isScript(std::string_view name) {
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
        return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    });
    if (!plain || name.size() < 3 || name.size() > kLongestScript) {
        return false;  // one or two letters are a category
    }
    const std::string pattern = fmt::format("\\p{{sc:{}}}", name);
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code* const code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()),
                                           pattern.size(), PCRE2_UTF, &error, &offset, nullptr);
    pcre2_code_free(code);
    return code != nullptr;
}

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
    /// A script in \p{...}: PCRE2 takes the bare name for all characters that the script shares
    /// with others too, so that Han would have the Chinese full stop.
    std::string scriptProperty() {
        constexpr std::size_t kBefore = 1;  // the brace
        const std::string_view rest = m_pattern.substr(m_at);
        const std::size_t close = rest.find('}');
        if (!rest.starts_with('{') || close == std::string_view::npos) {
            return {};
        }
        std::string_view name = rest.substr(kBefore, close - kBefore);
        const bool negated = name.starts_with('^');
        name.remove_prefix(negated ? 1 : 0);
        if (!isScript(name)) {
            return {};
        }
        m_at += close + 1;
        return fmt::format("{{{}sc:{}}}", negated ? "^" : "", name);
    }

    /// A backslash and what it escapes; other \p{...} and \x{...} go on as ordinary text.
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
        if (kind == 'p' || kind == 'P') {
            return std::string(raw) + scriptProperty();
        }
        return std::string(raw);
    }

    [[noreturn]] void unsupported() const {
        throw Error(ErrorCode::Unsupported,
                    fmt::format("The pattern \"{}\" nests character classes in a way that is not "
                                "supported (only intersections, &&, are).",
                                m_pattern));
    }

    /// An operand of &&: a bare list of members, or one complete nested class.
    struct Operand {
        std::string text;
        bool isClass = false;

        [[nodiscard]] std::string asClass() const {
            return isClass ? text : fmt::format("[{}]", text);
        }
    };

    /// [A&&B&&[^C]] is A with the look-aheads B and [^C] before it.
    std::string characterClass() {
        if (++m_depth > kDeepest) {
            unsupported();
        }
        ++m_at;
        const bool negated = m_at < m_pattern.size() && m_pattern[m_at] == '^';
        m_at += negated ? 1 : 0;
        const std::vector<Operand> operands = classOperands();
        --m_depth;
        if (operands.size() == 1) {
            if (operands.front().isClass) {
                unsupported();  // a class as the only member of a class
            }
            return fmt::format("[{}{}]", negated ? "^" : "", operands.front().text);
        }
        std::string all;
        for (std::size_t i = operands.size(); i-- > 0;) {
            const std::string one = operands[i].asClass();
            all += i > 0 ? fmt::format("(?={})", one) : one;
        }
        return negated ? fmt::format("(?:(?!{})[\\s\\S])", all) : fmt::format("(?:{})", all);
    }

    /// The operands up to the closing bracket, which is passed.
    std::vector<Operand> classOperands() {
        std::vector<Operand> operands(1);
        bool first = true;  // a bracket right after the opening one is a member
        while (m_at < m_pattern.size()) {
            const std::string_view rest = m_pattern.substr(m_at);
            Operand& operand = operands.back();
            if (rest.front() == ']' && !first) {
                ++m_at;
                return operands;
            }
            if (rest.starts_with("&&")) {
                m_at += 2;
                operands.emplace_back();
            } else if (operand.isClass) {
                unsupported();
            } else if (rest.starts_with("[:")) {
                copyPosixClass(operand.text);
            } else if (rest.front() == '[') {
                if (!operand.text.empty()) {
                    unsupported();
                }
                operand = {characterClass(), true};
            } else if (rest.front() == '\\') {
                operand.text += escape(true);
            } else {
                operand.text += rest.front();
                ++m_at;
            }
            first = false;
        }
        throw Error(
            ErrorCode::BadTokenizer,
            fmt::format("The pattern \"{}\" has a bracket that is never closed.", m_pattern));
    }

    void copyPosixClass(std::string& out) {
        const std::size_t end = m_pattern.find(":]", m_at);
        const std::size_t stop = end == std::string_view::npos ? m_pattern.size() : end + 2;
        out += m_pattern.substr(m_at, stop - m_at);
        m_at = stop;
    }

    std::string_view m_pattern;
    std::size_t m_at = 0;
    int m_depth = 0;  ///< of nested classes
};

}  // namespace

std::string toPcre2Syntax(std::string_view pattern) {
    return Rewriter(pattern).rewrite();
}

}  // namespace moescope::text
