// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/jinja_expression_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace moescope::text::jinja {
namespace {

using Kind = Expression::Kind;

constexpr int kDeepest = 100;
/// Also chains such as a ~ b ~ c are trees as deep as they are long.
constexpr int kDeepestTree = 300;

/// Counts how deep expressions are nested, so that no template exhausts the stack.
class DepthGuard {
public:
    DepthGuard(int& depth, const TokenStream& stream) : m_depth(depth) {
        if (++m_depth > kDeepest) {
            stream.fail("the expression is nested too deeply");
        }
    }
    ~DepthGuard() { --m_depth; }
    DepthGuard(const DepthGuard&) = delete;
    DepthGuard& operator=(const DepthGuard&) = delete;

private:
    int& m_depth;
};

}  // namespace

const Token& TokenStream::peek(std::size_t ahead) const {
    static const Token kNone{Token::Kind::Text, "", 0};
    return m_at + ahead < m_tokens.size() ? m_tokens[m_at + ahead] : kNone;
}

const Token& TokenStream::next() {
    const Token& token = peek();
    ++m_at;
    return token;
}

bool TokenStream::acceptOperator(std::string_view symbol) {
    const bool found = isOperator(symbol);
    m_at += found ? 1 : 0;
    return found;
}

bool TokenStream::acceptName(std::string_view name) {
    const bool found = isName(name);
    m_at += found ? 1 : 0;
    return found;
}

void TokenStream::expectOperator(std::string_view symbol) {
    if (!acceptOperator(symbol)) {
        fail(fmt::format("expected \"{}\", found \"{}\"", symbol, peek().text));
    }
}

std::string TokenStream::expectAnyName() {
    if (peek().kind != Token::Kind::Name) {
        fail(fmt::format("expected a name, found \"{}\"", peek().text));
    }
    return next().text;
}

void TokenStream::fail(const std::string& problem) const {
    const int line = atEnd() && !m_tokens.empty() ? m_tokens.back().line : peek().line;
    throwUnsupported(fmt::format("line {}: {}", line, problem));
}

ExpressionPtr ExpressionParser::make(Kind kind) const {
    auto expression = std::make_unique<Expression>();
    expression->kind = kind;
    expression->line = m_stream.peek().line;
    return expression;
}

ExpressionPtr ExpressionParser::binary(const std::string& symbol, ExpressionPtr left,
                                       ExpressionPtr right) const {
    auto out = make(Kind::Binary);
    out->text = symbol;
    adopt(*out, std::move(left));
    adopt(*out, std::move(right));
    return out;
}

void ExpressionParser::adopt(Expression& parent, ExpressionPtr child) const {
    if (child != nullptr) {
        parent.depth = std::max(parent.depth, child->depth + 1);
    }
    if (parent.depth > kDeepestTree) {
        m_stream.fail("the expression is too long");
    }
    parent.operands.push_back(std::move(child));
}

ExpressionPtr ExpressionParser::parse() {
    const DepthGuard guard(m_depth, m_stream);
    ExpressionPtr result = parseOr();
    while (m_stream.acceptName("if")) {
        auto out = make(Kind::Conditional);
        adopt(*out, std::move(result));
        adopt(*out, parseOr());
        adopt(*out, m_stream.acceptName("else") ? parse() : nullptr);
        result = std::move(out);
    }
    return result;
}

ExpressionPtr ExpressionParser::parseTuple() {
    ExpressionPtr first = parse();
    if (!m_stream.isOperator(",")) {
        return first;
    }
    auto list = make(Kind::MakeList);
    adopt(*list, std::move(first));
    while (m_stream.acceptOperator(",")) {
        const Token& token = m_stream.peek();
        if (token.kind == Token::Kind::BlockEnd || token.kind == Token::Kind::OutputEnd) {
            break;
        }
        adopt(*list, parse());
    }
    return list;
}

ExpressionPtr ExpressionParser::parseOr() {
    ExpressionPtr left = parseAnd();
    while (m_stream.acceptName("or")) {
        auto out = make(Kind::Or);
        adopt(*out, std::move(left));
        adopt(*out, parseAnd());
        left = std::move(out);
    }
    return left;
}

ExpressionPtr ExpressionParser::parseAnd() {
    ExpressionPtr left = parseNot();
    while (m_stream.acceptName("and")) {
        auto out = make(Kind::And);
        adopt(*out, std::move(left));
        adopt(*out, parseNot());
        left = std::move(out);
    }
    return left;
}

ExpressionPtr ExpressionParser::parseNot() {
    const DepthGuard guard(m_depth, m_stream);
    if (m_stream.isName("not") && !m_stream.isName("in", 1)) {
        auto out = make(Kind::Not);
        m_stream.next();
        adopt(*out, parseNot());
        return out;
    }
    return parseComparison();
}

ExpressionPtr ExpressionParser::parseComparison() {
    constexpr std::array<std::string_view, 6> kSymbols = {"==", "!=", "<=", ">=", "<", ">"};
    auto out = make(Kind::Comparison);
    adopt(*out, parseSum());
    while (true) {
        const auto* symbol = std::find_if(kSymbols.begin(), kSymbols.end(),
                                          [this](auto s) { return m_stream.isOperator(s); });
        if (symbol != kSymbols.end()) {
            m_stream.next();
            out->operators.emplace_back(*symbol);
        } else if (m_stream.acceptName("in")) {
            out->operators.emplace_back("in");
        } else if (m_stream.isName("not") && m_stream.isName("in", 1)) {
            m_stream.next();
            m_stream.next();
            out->operators.emplace_back("not in");
        } else {
            break;
        }
        adopt(*out, parseSum());
    }
    return out->operators.empty() ? std::move(out->operands.front()) : std::move(out);
}

ExpressionPtr ExpressionParser::parseSum() {
    ExpressionPtr left = parseConcatenation();
    while (m_stream.isOperator("+") || m_stream.isOperator("-")) {
        const std::string symbol = m_stream.next().text;
        left = binary(symbol, std::move(left), parseConcatenation());
    }
    return left;
}

ExpressionPtr ExpressionParser::parseConcatenation() {
    ExpressionPtr left = parseProduct();
    while (m_stream.acceptOperator("~")) {
        left = binary("~", std::move(left), parseProduct());
    }
    return left;
}

ExpressionPtr ExpressionParser::parseProduct() {
    ExpressionPtr left = parseUnary(true);
    while (m_stream.isOperator("*") || m_stream.isOperator("/") || m_stream.isOperator("//") ||
           m_stream.isOperator("%")) {
        const std::string symbol = m_stream.next().text;
        left = binary(symbol, std::move(left), parseUnary(true));
    }
    return left;
}

ExpressionPtr ExpressionParser::parseUnary(bool withFilters) {
    const DepthGuard guard(m_depth, m_stream);
    ExpressionPtr out;
    if (m_stream.isOperator("-")) {
        out = make(Kind::Negate);
        m_stream.next();
        adopt(*out, parseUnary(false));
    } else if (m_stream.acceptOperator("+")) {
        out = parseUnary(false);
    } else {
        out = parsePostfix(parsePrimary());
    }
    return withFilters ? parseFilters(std::move(out)) : std::move(out);
}

ExpressionPtr ExpressionParser::parsePrimary() {
    const Token& token = m_stream.peek();
    auto out = make(Kind::Literal);
    switch (token.kind) {
        case Token::Kind::Name:
            out->text = m_stream.next().text;
            if (out->text == "true" || out->text == "True") {
                out->value = true;
            } else if (out->text == "false" || out->text == "False") {
                out->value = false;
            } else if (out->text == "none" || out->text == "None") {
                out->value = Value::None{};
            } else {
                out->kind = Kind::Name;
            }
            return out;
        case Token::Kind::String: {
            std::string text = m_stream.next().text;
            while (m_stream.peek().kind == Token::Kind::String) {
                text += m_stream.next().text;
            }
            out->value = std::move(text);
            return out;
        }
        case Token::Kind::Integer:
            out->value = static_cast<std::int64_t>(std::stoll(m_stream.next().text));
            return out;
        case Token::Kind::Float:
            out->value = std::stod(m_stream.next().text);
            return out;
        case Token::Kind::Operator:
            return parseBracketed();
        default:
            m_stream.fail(fmt::format("expected an expression, found \"{}\"", token.text));
    }
}

ExpressionPtr ExpressionParser::parseBracketed() {
    if (m_stream.acceptOperator("(")) {
        auto list = make(Kind::MakeList);
        bool isTuple = m_stream.isOperator(")");
        while (!m_stream.isOperator(")")) {
            adopt(*list, parse());
            if (!m_stream.acceptOperator(",")) {
                break;
            }
            isTuple = true;
        }
        m_stream.expectOperator(")");
        return isTuple ? std::move(list) : std::move(list->operands.front());
    }
    const bool isList = m_stream.acceptOperator("[");
    if (!isList && !m_stream.acceptOperator("{")) {
        m_stream.fail(fmt::format("expected an expression, found \"{}\"", m_stream.peek().text));
    }
    const std::string_view close = isList ? "]" : "}";
    auto out = make(isList ? Kind::MakeList : Kind::MakeDict);
    while (!m_stream.isOperator(close)) {
        adopt(*out, parse());
        if (!isList) {
            m_stream.expectOperator(":");
            adopt(*out, parse());
        }
        if (!m_stream.acceptOperator(",")) {
            break;
        }
    }
    m_stream.expectOperator(close);
    return out;
}

ExpressionPtr ExpressionParser::parsePostfix(ExpressionPtr object) {
    while (true) {
        if (m_stream.acceptOperator(".")) {
            auto out = make(Kind::Attribute);
            if (m_stream.peek().kind == Token::Kind::Integer) {
                out->kind = Kind::Subscript;
                adopt(*out, std::move(object));
                adopt(*out, parsePrimary());
            } else {
                out->text = m_stream.expectAnyName();
                adopt(*out, std::move(object));
            }
            object = std::move(out);
        } else if (m_stream.acceptOperator("[")) {
            object = parseSubscript(std::move(object));
        } else if (m_stream.isOperator("(")) {
            auto out = make(Kind::Call);
            adopt(*out, std::move(object));
            parseArguments(*out);
            object = std::move(out);
        } else {
            return object;
        }
    }
}

ExpressionPtr ExpressionParser::parseSubscript(ExpressionPtr object) {
    auto out = make(Kind::Subscript);
    adopt(*out, std::move(object));
    adopt(*out, m_stream.isOperator(":") ? nullptr : parse());
    if (m_stream.isOperator(":")) {
        out->kind = Kind::Slice;
        while (out->operands.size() < 4 && m_stream.acceptOperator(":")) {
            const bool isEmpty = m_stream.isOperator(":") || m_stream.isOperator("]");
            adopt(*out, isEmpty ? nullptr : parse());
        }
        out->operands.resize(4);
    }
    m_stream.expectOperator("]");
    return out;
}

void ExpressionParser::parseArguments(Expression& call) {
    m_stream.expectOperator("(");
    while (!m_stream.isOperator(")")) {
        if (m_stream.isOperator("*") || m_stream.isOperator("**")) {
            m_stream.fail("unpacking of arguments (*, **) is not supported");
        }
        if (m_stream.peek().kind == Token::Kind::Name && m_stream.isOperator("=", 1)) {
            std::string name = m_stream.next().text;
            m_stream.next();
            call.named.emplace_back(std::move(name), parse());
        } else {
            adopt(call, parse());
        }
        if (!m_stream.acceptOperator(",")) {
            break;
        }
    }
    m_stream.expectOperator(")");
}

ExpressionPtr ExpressionParser::parseFilters(ExpressionPtr input) {
    while (true) {
        if (m_stream.acceptOperator("|")) {
            input = parseFilter(std::move(input));
        } else if (m_stream.acceptName("is")) {
            input = parseTest(std::move(input));
        } else if (m_stream.isOperator("(")) {
            auto out = make(Kind::Call);
            adopt(*out, std::move(input));
            parseArguments(*out);
            input = std::move(out);
        } else {
            return input;
        }
    }
}

ExpressionPtr ExpressionParser::parseFilter(ExpressionPtr input) {
    auto out = make(Kind::Filter);
    out->text = m_stream.expectAnyName();
    adopt(*out, std::move(input));
    if (m_stream.isOperator("(")) {
        parseArguments(*out);
    }
    return out;
}

ExpressionPtr ExpressionParser::parseTest(ExpressionPtr input) {
    const bool negated = m_stream.acceptName("not");
    auto out = make(Kind::Test);
    out->text = m_stream.expectAnyName();
    adopt(*out, std::move(input));
    const Token& token = m_stream.peek();
    const bool isWord = token.kind == Token::Kind::Name && token.text != "else" &&
                        token.text != "or" && token.text != "and" && token.text != "is" &&
                        token.text != "if" && token.text != "in" && token.text != "not";
    if (m_stream.isOperator("(")) {
        parseArguments(*out);
    } else if (isWord || token.kind == Token::Kind::String || token.kind == Token::Kind::Integer ||
               token.kind == Token::Kind::Float || m_stream.isOperator("[") ||
               m_stream.isOperator("{")) {
        adopt(*out, parsePostfix(parsePrimary()));
    }
    if (!negated) {
        return out;
    }
    auto inverse = make(Kind::Not);
    adopt(*inverse, std::move(out));
    return inverse;
}

}  // namespace moescope::text::jinja
