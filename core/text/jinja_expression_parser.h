// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/jinja_ast.h"
#include "core/text/jinja_lexer.h"

#include <string_view>
#include <vector>

namespace moescope::text::jinja {

/// Reads tokens one after another, with errors that name the line.
class TokenStream {
public:
    explicit TokenStream(std::vector<Token> tokens) : m_tokens(std::move(tokens)) {}

    [[nodiscard]] bool atEnd() const { return m_at >= m_tokens.size(); }
    [[nodiscard]] const Token& peek(std::size_t ahead = 0) const;
    const Token& next();
    [[nodiscard]] bool isOperator(std::string_view symbol, std::size_t ahead = 0) const {
        return peek(ahead).is(Token::Kind::Operator, symbol);
    }
    [[nodiscard]] bool isName(std::string_view name, std::size_t ahead = 0) const {
        return peek(ahead).is(Token::Kind::Name, name);
    }
    /// Passes the token if it is the one named.
    bool acceptOperator(std::string_view symbol);
    bool acceptName(std::string_view name);
    void expectOperator(std::string_view symbol);
    std::string expectAnyName();
    [[noreturn]] void fail(const std::string& problem) const;

private:
    std::vector<Token> m_tokens;
    std::size_t m_at = 0;
};

/// Parses expressions with Jinja's precedence.
class ExpressionParser {
public:
    explicit ExpressionParser(TokenStream& stream) : m_stream(stream) {}

    [[nodiscard]] ExpressionPtr parse();
    /// Several expressions with commas between are a list, as in `for x in 1, 2`.
    [[nodiscard]] ExpressionPtr parseTuple();
    /// Without the conditional form, whose `if` would be the loop's: `for x in a if b`.
    [[nodiscard]] ExpressionPtr parseOr();

private:
    ExpressionPtr parseAnd();
    ExpressionPtr parseNot();
    ExpressionPtr parseComparison();
    ExpressionPtr parseSum();
    ExpressionPtr parseConcatenation();
    ExpressionPtr parseProduct();
    ExpressionPtr parseUnary(bool withFilters);
    ExpressionPtr parsePrimary();
    ExpressionPtr parseBracketed();
    ExpressionPtr parsePostfix(ExpressionPtr object);
    ExpressionPtr parseSubscript(ExpressionPtr object);
    ExpressionPtr parseFilters(ExpressionPtr input);
    ExpressionPtr parseFilter(ExpressionPtr input);
    ExpressionPtr parseTest(ExpressionPtr input);
    void parseArguments(Expression& call);
    [[nodiscard]] ExpressionPtr make(Expression::Kind kind) const;
    void adopt(Expression& parent, ExpressionPtr child) const;
    [[nodiscard]] ExpressionPtr binary(const std::string& symbol, ExpressionPtr left,
                                       ExpressionPtr right) const;

    TokenStream& m_stream;
    int m_depth = 0;
};

}  // namespace moescope::text::jinja
