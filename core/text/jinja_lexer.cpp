// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/jinja_lexer.h"

#include "core/text/jinja_value.h"
#include "core/text/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace moescope::text::jinja {
namespace {

bool isNameStart(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool isDigit(char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

bool isBlank(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
}

/// \r\n and \r become \n and one final line end goes, as Jinja does when it loads a template.
std::string unified(std::string_view source) {
    std::string out;
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source[i] == '\r') {
            out.push_back('\n');
            i += i + 1 < source.size() && source[i + 1] == '\n' ? 1 : 0;
        } else {
            out.push_back(source[i]);
        }
    }
    if (out.ends_with('\n')) {
        out.pop_back();
    }
    return out;
}

class Lexer {
public:
    explicit Lexer(std::string source) : m_source(std::move(source)) {}

    std::vector<Token> run() {
        while (m_at < m_source.size()) {
            const std::size_t tag = nextTag();
            addText(tag);
            if (m_at >= m_source.size()) {
                break;
            }
            readTag();
        }
        return std::move(m_tokens);
    }

private:
    using Kind = Token::Kind;

    [[noreturn]] void fail(const std::string& problem) const {
        throwUnsupported(fmt::format("line {}: {}", m_line, problem));
    }
    [[nodiscard]] std::string_view rest() const { return std::string_view(m_source).substr(m_at); }

    void add(Kind kind, std::string text) { m_tokens.push_back({kind, std::move(text), m_line}); }

    void pass(std::size_t count) {
        const std::string_view passed = rest().substr(0, count);
        m_line += static_cast<int>(std::count(passed.begin(), passed.end(), '\n'));
        if (!passed.empty()) {
            m_atLineStart = passed.back() == '\n';
        }
        m_at += passed.size();
    }

    [[nodiscard]] std::size_t nextTag() const {
        for (std::size_t at = m_source.find('{', m_at); at != std::string::npos;
             at = m_source.find('{', at + 1)) {
            const char next = at + 1 < m_source.size() ? m_source[at + 1] : '\0';
            if (next == '{' || next == '%' || next == '#') {
                return at;
            }
        }
        return m_source.size();
    }

    /// The text up to a tag, without the white space that the tag takes.
    void addText(std::size_t tag) {
        std::string_view text = rest().substr(0, tag - m_at);
        if (tag < m_source.size()) {
            const char sign = tag + 2 < m_source.size() ? m_source[tag + 2] : '\0';
            if (sign == '-') {
                while (!text.empty() && isBlank(text.back())) {
                    text.remove_suffix(1);
                }
            } else if (sign != '+' && m_source[tag + 1] != '{') {
                text = withoutIndent(text);
            }
        }
        if (!text.empty()) {
            add(Kind::Text, std::string(text));
        }
        pass(tag - m_at);
    }

    /// lstrip_blocks: blanks between the start of a line and a tag go.
    [[nodiscard]] std::string_view withoutIndent(std::string_view text) const {
        const std::size_t lineEnd = text.rfind('\n');
        const std::size_t start = lineEnd == std::string_view::npos ? 0 : lineEnd + 1;
        const bool beginsLine = start > 0 || m_atLineStart;
        const bool isBlankLine =
            std::all_of(text.begin() + static_cast<std::ptrdiff_t>(start), text.end(), isBlank);
        return beginsLine && isBlankLine ? text.substr(0, start) : text;
    }

    void readTag() {
        const char kind = m_source[m_at + 1];
        pass(2);
        if (kind == '#') {
            readComment();
            return;
        }
        if (!rest().empty() && (rest().front() == '-' || rest().front() == '+')) {
            pass(1);
        }
        const bool isBlock = kind == '%';
        if (isBlock && readRaw()) {
            return;
        }
        add(isBlock ? Kind::BlockBegin : Kind::OutputBegin, isBlock ? "{%" : "{{");
        readSymbols(isBlock ? "%}" : "}}");
        add(isBlock ? Kind::BlockEnd : Kind::OutputEnd, isBlock ? "%}" : "}}");
    }

    /// After the closing bracket: '-' takes all white space, a block takes one line end.
    void closeTag(char sign, bool isBlock) {
        if (sign == '-') {
            std::size_t blanks = 0;
            while (blanks < rest().size() && isBlank(rest()[blanks])) {
                ++blanks;
            }
            pass(blanks);
        } else if (isBlock && sign != '+' && rest().starts_with('\n')) {
            pass(1);
        }
    }

    void readComment() {
        const std::size_t end = m_source.find("#}", m_at);
        if (end == std::string::npos) {
            fail("a comment is never closed");
        }
        const char sign = end > m_at ? m_source[end - 1] : '\0';
        pass(end + 2 - m_at);
        closeTag(sign == '-' || sign == '+' ? sign : '\0', true);
    }

    /// {% raw %} ... {% endraw %}: text in which nothing is a tag. False when this is another tag.
    bool readRaw() {
        std::string_view inside = rest();
        const std::size_t close = inside.find("%}");
        if (close == std::string_view::npos) {
            return false;
        }
        inside = stripped(inside.substr(0, close));
        char sign = '\0';
        if (inside.ends_with('-') || inside.ends_with('+')) {
            sign = inside.back();
            inside = stripped(inside.substr(0, inside.size() - 1));
        }
        if (inside != "raw") {
            return false;
        }
        pass(close + 2);
        closeTag(sign, true);
        for (std::size_t tag = nextTag(); tag < m_source.size();
             tag = m_source.find("{%", tag + 1)) {
            const std::string_view after = std::string_view(m_source).substr(tag + 2);
            const std::size_t word = after.find_first_not_of("-+ \t\n");
            if (m_source[tag + 1] == '%' && word != std::string_view::npos &&
                after.substr(word).starts_with("endraw")) {
                addText(tag);
                const std::size_t end = m_source.find("%}", m_at);
                if (end == std::string::npos) {
                    break;
                }
                const char before = m_source[end - 1];
                pass(end + 2 - m_at);
                closeTag(before == '-' || before == '+' ? before : '\0', true);
                return true;
            }
        }
        fail("{% raw %} is never closed");
    }

    void readSymbols(std::string_view end) {
        const bool isBlock = end == "%}";
        int open = 0;  // brackets, so that "}}" can close two dictionaries
        while (true) {
            while (!rest().empty() && isBlank(rest().front())) {
                pass(1);
            }
            if (rest().empty()) {
                fail(fmt::format("a tag is never closed with {}", end));
            }
            const char c = rest().front();
            const bool isSigned = (c == '-' || c == '+') && rest().substr(1).starts_with(end);
            if (open == 0 && (isSigned || rest().starts_with(end))) {
                pass(isSigned ? 3 : 2);
                closeTag(isSigned ? c : '\0', isBlock);
                return;
            }
            readSymbol(open);
        }
    }

    void readSymbol(int& open) {
        const char c = rest().front();
        if (c == '"' || c == '\'') {
            readString(c);
        } else if (isDigit(c)) {
            readNumber();
        } else if (isNameStart(c)) {
            std::size_t length = 1;
            while (length < rest().size() &&
                   (isNameStart(rest()[length]) || isDigit(rest()[length]))) {
                ++length;
            }
            add(Kind::Name, std::string(rest().substr(0, length)));
            pass(length);
        } else {
            readOperator(open);
        }
    }

    void readOperator(int& open) {
        constexpr std::array<std::string_view, 6> kLong = {"==", "!=", "<=", ">=", "//", "**"};
        constexpr std::string_view kShort = "+-*/%~<>=()[]{}.,:|";
        for (const std::string_view symbol : kLong) {
            if (rest().starts_with(symbol)) {
                add(Kind::Operator, std::string(symbol));
                pass(2);
                return;
            }
        }
        const char c = rest().front();
        if (kShort.find(c) == std::string_view::npos) {
            fail(fmt::format("the character '{}' is not understood", c));
        }
        open += c == '(' || c == '[' || c == '{' ? 1 : 0;
        open -= c == ')' || c == ']' || c == '}' ? 1 : 0;
        if (open < 0) {
            fail(fmt::format("'{}' closes nothing", c));
        }
        add(Kind::Operator, std::string(1, c));
        pass(1);
    }

    /// Of e5, E-3 ... at rest()[at]; 0 for anything else.
    [[nodiscard]] std::size_t exponentLength(std::size_t at) const {
        const std::string_view text = rest().substr(at);
        if (text.empty() || (text.front() != 'e' && text.front() != 'E')) {
            return 0;
        }
        const std::size_t sign = text.size() > 1 && (text[1] == '+' || text[1] == '-') ? 1 : 0;
        std::size_t length = 1 + sign;
        while (length < text.size() && isDigit(text[length])) {
            ++length;
        }
        return length > 1 + sign && length < 6 ? length : 0;
    }

    void readNumber() {
        std::size_t length = 0;
        const auto digits = [&] {
            while (length < rest().size() && (isDigit(rest()[length]) || rest()[length] == '_')) {
                ++length;
            }
        };
        digits();
        bool isFloat = false;
        if (length + 1 < rest().size() && rest()[length] == '.' && isDigit(rest()[length + 1])) {
            isFloat = true;
            ++length;
            digits();
        }
        if (const std::size_t exponent = exponentLength(length); exponent > 0) {
            isFloat = true;
            length += exponent;
        }
        std::string text(rest().substr(0, length));
        std::erase(text, '_');
        if (text.size() > 18) {
            fail("a number is too long");
        }
        add(isFloat ? Kind::Float : Kind::Integer, std::move(text));
        pass(length);
    }

    void readString(char quote) {
        std::string out;
        std::size_t at = 1;
        while (at < rest().size() && rest()[at] != quote) {
            if (rest()[at] == '\\' && at + 1 < rest().size()) {
                at = readEscape(at, out);
            } else {
                out.push_back(rest()[at++]);
            }
        }
        if (at >= rest().size()) {
            fail("a string is never closed");
        }
        add(Kind::String, std::move(out));
        pass(at + 1);
    }

    /// The escape at rest()[at]; returns the offset behind it.
    std::size_t readEscape(std::size_t at, std::string& out) const {
        const char kind = rest()[at + 1];
        constexpr std::string_view kNames = "nrtfvab0\\'\"";
        constexpr std::string_view kMeanings{"\n\r\t\f\v\a\b\0\\'\"", 11};
        if (const std::size_t known = kNames.find(kind); known != std::string_view::npos) {
            out.push_back(kMeanings[known]);
            return at + 2;
        }
        const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
        const std::string hex(rest().substr(std::min(at + 2, rest().size()), digits));
        const bool isHex = hex.size() == digits && std::all_of(hex.begin(), hex.end(), [](char c) {
                               return std::isxdigit(static_cast<unsigned char>(c)) != 0;
                           });
        if (digits == 0 || !isHex) {
            out.push_back('\\');  // unknown escapes stand for themselves, as in Python
            return at + 1;
        }
        const auto value = static_cast<char32_t>(std::stoul(hex, nullptr, 16));
        if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
            fail(fmt::format("\\{}{} is no character", kind, hex));
        }
        appendUtf8(out, value);
        return at + 2 + digits;
    }

    std::string m_source;
    std::size_t m_at = 0;
    int m_line = 1;
    bool m_atLineStart = true;
    std::vector<Token> m_tokens;
};

}  // namespace

std::vector<Token> tokenizeTemplate(std::string_view source) {
    return Lexer(unified(source)).run();
}

}  // namespace moescope::text::jinja
