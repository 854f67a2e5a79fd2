// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/jinja_parser.h"

#include "core/text/jinja_expression_parser.h"
#include "core/text/jinja_lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

namespace moescope::text::jinja {
namespace {

using Kind = Statement::Kind;

constexpr int kDeepest = 100;

class Parser {
public:
    explicit Parser(std::string_view source)
        : m_stream(tokenizeTemplate(source)), m_expressions(m_stream) {}

    Body parseAll() {
        Body body = parseBody({});
        if (!m_stream.atEnd()) {
            m_stream.fail(fmt::format("\"{}\" ends nothing", m_stream.peek(1).text));
        }
        return body;
    }

private:
    /// Statements up to a block that begins with one of `ends`, which is left for the caller.
    Body parseBody(std::initializer_list<std::string_view> ends) {
        if (++m_depth > kDeepest) {
            m_stream.fail("blocks are nested too deeply");
        }
        Body body;
        while (!m_stream.atEnd()) {
            const Token& token = m_stream.peek();
            if (token.kind == Token::Kind::Text) {
                body.push_back(make(Kind::Text));
                body.back()->text = m_stream.next().text;
            } else if (token.kind == Token::Kind::OutputBegin) {
                m_stream.next();
                body.push_back(make(Kind::Output));
                body.back()->expressions.push_back(m_expressions.parseTuple());
                expect(Token::Kind::OutputEnd);
            } else if (token.kind == Token::Kind::BlockBegin) {
                const std::string& word = m_stream.peek(1).text;
                if (std::find(ends.begin(), ends.end(), word) != ends.end() ||
                    (ends.size() == 0 && word.starts_with("end"))) {
                    break;
                }
                m_stream.next();
                body.push_back(parseBlock());
            } else {
                m_stream.fail(fmt::format("\"{}\" is not expected here", token.text));
            }
        }
        --m_depth;
        return body;
    }

    [[nodiscard]] std::unique_ptr<Statement> make(Kind kind) const {
        auto statement = std::make_unique<Statement>();
        statement->kind = kind;
        statement->line = m_stream.peek().line;
        return statement;
    }

    void expect(Token::Kind kind) {
        if (m_stream.peek().kind != kind) {
            m_stream.fail(fmt::format("\"{}\" is not expected here", m_stream.peek().text));
        }
        m_stream.next();
    }

    /// The block {% word %} that must stand here.
    void expectEnd(std::string_view word) {
        if (m_stream.atEnd()) {
            m_stream.fail(fmt::format("{{% {} %}} is missing", word));
        }
        m_stream.next();
        if (!m_stream.acceptName(word)) {
            m_stream.fail(fmt::format("expected {{% {} %}}", word));
        }
        expect(Token::Kind::BlockEnd);
    }

    [[nodiscard]] bool isBlock(std::string_view word) const {
        return m_stream.peek().kind == Token::Kind::BlockBegin && m_stream.isName(word, 1);
    }

    std::unique_ptr<Statement> parseBlock() {
        const std::string word = m_stream.expectAnyName();
        if (word == "if") {
            return parseIf();
        }
        if (word == "for") {
            return parseFor();
        }
        if (word == "set") {
            return parseSet();
        }
        if (word == "macro") {
            return parseMacro();
        }
        if (word == "generation") {
            auto scope = make(Kind::Scope);
            expect(Token::Kind::BlockEnd);
            scope->bodies.push_back(parseBody({"endgeneration"}));
            expectEnd("endgeneration");
            return scope;
        }
        if (word == "break" || word == "continue") {
            auto jump = make(word == "break" ? Kind::Break : Kind::Continue);
            expect(Token::Kind::BlockEnd);
            return jump;
        }
        m_stream.fail(fmt::format("{{% {} %}} is not supported", word));
    }

    std::unique_ptr<Statement> parseIf() {
        auto out = make(Kind::If);
        out->expressions.push_back(m_expressions.parse());
        expect(Token::Kind::BlockEnd);
        out->bodies.push_back(parseBody({"elif", "else", "endif"}));
        while (isBlock("elif")) {
            m_stream.next();
            m_stream.next();
            out->expressions.push_back(m_expressions.parse());
            expect(Token::Kind::BlockEnd);
            out->bodies.push_back(parseBody({"elif", "else", "endif"}));
        }
        if (isBlock("else")) {
            expectEnd("else");
            out->bodies.push_back(parseBody({"endif"}));
        }
        expectEnd("endif");
        return out;
    }

    std::unique_ptr<Statement> parseFor() {
        auto out = make(Kind::For);
        const bool inBrackets = m_stream.acceptOperator("(");
        do {
            out->names.push_back(m_stream.expectAnyName());
        } while (m_stream.acceptOperator(","));
        if (inBrackets) {
            m_stream.expectOperator(")");
        }
        if (!m_stream.acceptName("in")) {
            m_stream.fail("expected \"in\"");
        }
        out->expressions.push_back(m_expressions.parseOr());
        out->expressions.push_back(m_stream.acceptName("if") ? m_expressions.parse() : nullptr);
        if (m_stream.isName("recursive")) {
            m_stream.fail("recursive loops are not supported");
        }
        expect(Token::Kind::BlockEnd);
        out->bodies.push_back(parseBody({"else", "endfor"}));
        if (isBlock("else")) {
            expectEnd("else");
            out->bodies.push_back(parseBody({"endfor"}));
        }
        expectEnd("endfor");
        return out;
    }

    std::unique_ptr<Statement> parseSet() {
        auto out = make(Kind::Set);
        out->names.push_back(m_stream.expectAnyName());
        if (m_stream.acceptOperator(".")) {
            out->text = out->names.front();
            out->names.front() = m_stream.expectAnyName();
        }
        while (m_stream.acceptOperator(",")) {
            out->names.push_back(m_stream.expectAnyName());
        }
        if (m_stream.acceptOperator("=")) {
            out->expressions.push_back(m_expressions.parseTuple());
            expect(Token::Kind::BlockEnd);
            return out;
        }
        if (m_stream.isOperator("|") || out->names.size() > 1) {
            m_stream.fail("this form of {% set %} is not supported");
        }
        out->kind = Kind::SetBlock;
        expect(Token::Kind::BlockEnd);
        out->bodies.push_back(parseBody({"endset"}));
        expectEnd("endset");
        return out;
    }

    std::unique_ptr<Statement> parseMacro() {
        auto out = make(Kind::Macro);
        out->text = m_stream.expectAnyName();
        m_stream.expectOperator("(");
        while (!m_stream.isOperator(")")) {
            out->names.push_back(m_stream.expectAnyName());
            out->expressions.push_back(m_stream.acceptOperator("=") ? m_expressions.parse()
                                                                    : nullptr);
            if (!m_stream.acceptOperator(",")) {
                break;
            }
        }
        m_stream.expectOperator(")");
        expect(Token::Kind::BlockEnd);
        out->bodies.push_back(parseBody({"endmacro"}));
        expectEnd("endmacro");
        return out;
    }

    TokenStream m_stream;
    ExpressionParser m_expressions;
    int m_depth = 0;
};

}  // namespace

Body parseTemplate(std::string_view source) {
    return Parser(source).parseAll();
}

}  // namespace moescope::text::jinja
