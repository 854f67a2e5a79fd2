// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/jinja_value.h"

#include <memory>
#include <string>
#include <vector>

namespace moescope::text::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

/// A node of an expression. What `text` and `operands` are depends on the kind.
struct Expression {
    enum class Kind {
        Literal,    ///< value
        Name,       ///< text
        MakeList,   ///< operands: members
        MakeDict,   ///< operands: key, value, key, value ...
        Attribute,  ///< operands[0].text
        Subscript,  ///< operands[0][operands[1]]
        Slice,      ///< operands[0][operands[1]:operands[2]:operands[3]], any of the three null
        Call,       ///< operands[0](operands[1...], named)
        Filter,     ///< operands[0] | text(operands[1...], named)
        Test,       ///< operands[0] is text(operands[1...])
        Not,        ///< not operands[0]
        Negate,     ///< -operands[0]
        And,
        Or,
        Binary,      ///< operands[0] text operands[1], text an arithmetic operator or ~
        Comparison,  ///< operands[0] operators[0] operands[1] operators[1] operands[2] ...
        Conditional  ///< operands[0] if operands[1] else operands[2], which may be null
    };
    Kind kind = Kind::Literal;
    int line = 1;
    int depth = 1;  ///< of the tree below, itself included
    std::string text;
    Value value;
    std::vector<ExpressionPtr> operands;
    std::vector<std::pair<std::string, ExpressionPtr>> named;
    std::vector<std::string> operators;
};

struct Statement;
using Body = std::vector<std::unique_ptr<Statement>>;

/// A node of a template.
struct Statement {
    enum class Kind {
        Text,      ///< text
        Output,    ///< expressions[0]
        If,        ///< expressions: conditions; bodies: one for each, then that of else
        For,       ///< names in expressions[0] if expressions[1] (may be null); bodies: loop, else
        Set,       ///< names (or text.names[0] of a namespace) = expressions[0]
        SetBlock,  ///< names[0] = what bodies[0] prints
        Macro,     ///< text(names = expressions (null: none)); bodies[0]
        Scope,     ///< bodies[0], printed as it is: {% generation %}
        Break,
        Continue
    };
    Kind kind = Kind::Text;
    int line = 1;
    std::string text;
    std::vector<std::string> names;
    std::vector<ExpressionPtr> expressions;
    std::vector<Body> bodies;
};

}  // namespace moescope::text::jinja
