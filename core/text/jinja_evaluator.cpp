// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/jinja_evaluator.h"

#include "core/base/error.h"
#include "core/text/jinja_builtins.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::text::jinja {
namespace {

constexpr std::int64_t kMostSteps = 1'000'000;
constexpr std::int64_t kCostOfRound = 10;  // of a loop, in steps
constexpr int kDeepest = 60;               // macros that call macros
constexpr int kMostNested = 600;           // expressions and statements inside each other

/// Counts nesting while it lives.
class NestingGuard {
public:
    explicit NestingGuard(int& nesting) : m_nesting(nesting) {
        if (++m_nesting > kMostNested) {
            throwUnsupported("the template is nested too deeply");
        }
    }
    ~NestingGuard() { --m_nesting; }
    NestingGuard(const NestingGuard&) = delete;
    NestingGuard& operator=(const NestingGuard&) = delete;

private:
    int& m_nesting;
};

/// Names and their values; a loop or macro has a scope of its own inside another.
struct Scope {
    Dict variables;
    Scope* parent = nullptr;

    [[nodiscard]] const Value* find(const std::string& name) const {
        for (const Scope* scope = this; scope != nullptr; scope = scope->parent) {
            if (const Value* found = findKey(scope->variables, name)) {
                return found;
            }
        }
        return nullptr;
    }
    void set(const std::string& name, Value value) {
        const auto found = std::find_if(variables.begin(), variables.end(),
                                        [&](const auto& entry) { return entry.first == name; });
        if (found != variables.end()) {
            found->second = std::move(value);
        } else {
            variables.emplace_back(name, std::move(value));
        }
    }
};

class Evaluator {
public:
    explicit Evaluator(Dict variables) {
        m_root.variables = std::move(variables);
        addGlobals();
    }

    std::string run(const Body& body) {
        try {
            execute(body, m_root);
        } catch (const Error& error) {
            throw Error(error.code(), fmt::format("line {}: {}", m_line, error.what()));
        }
        return std::move(m_out);
    }

private:
    enum class Flow { Next, Break, Continue };

    void addGlobals() {
        m_root.set("namespace", Function([](const Arguments& a) {
                       return Value::Namespace{std::make_shared<Dict>(a.named)};
                   }));
        m_root.set("dict", Function([](const Arguments& a) { return Value(a.named); }));
        m_root.set("raise_exception", Function([](const Arguments& a) -> Value {
                       const Value* message = a.find(0, "message");
                       throw Error(ErrorCode::BadText,
                                   message != nullptr ? message->toText() : "raise_exception()");
                   }));
        m_root.set("range", Function(rangeOf));
    }

    static Value rangeOf(const Arguments& arguments) {
        constexpr std::size_t kLongest = 100'000;  // as Jinja's sandbox
        const auto given = [&](std::size_t i) { return arguments.find(i, "")->toInteger(); };
        const std::size_t count = arguments.positional.size();
        if (count < 1 || count > 3 || (count == 3 && given(2) == 0)) {
            throwUnsupported("range() needs an end, or begin, end and a step");
        }
        const std::int64_t step = count == 3 ? given(2) : 1;
        const std::int64_t end = given(count == 1 ? 0 : 1);
        List out;
        for (std::int64_t i = count == 1 ? 0 : given(0); step > 0 ? i < end : i > end; i += step) {
            out.emplace_back(i);
            if (out.size() > kLongest) {
                throwUnsupported("range() is too long");
            }
        }
        return out;
    }

    void step(int line, std::int64_t cost = 1) {
        m_line = line;
        m_steps += cost;
        if (m_steps > kMostSteps) {
            throwUnsupported("the template takes too many steps");
        }
    }

    void print(const std::string& text) {
        requireTextSize(m_out.size() + text.size());
        m_out += text;
    }

    Flow execute(const Body& body, Scope& scope) {
        for (const auto& statement : body) {
            if (const Flow flow = execute(*statement, scope); flow != Flow::Next) {
                return flow;
            }
        }
        return Flow::Next;
    }

    Flow execute(const Statement& statement, Scope& scope) {
        using Kind = Statement::Kind;
        const NestingGuard guard(m_nesting);
        step(statement.line);
        switch (statement.kind) {
            case Kind::Text:
                print(statement.text);
                return Flow::Next;
            case Kind::Output:
                print(evaluate(*statement.expressions[0], scope).toText());
                return Flow::Next;
            case Kind::If:
                return executeIf(statement, scope);
            case Kind::For:
                return executeFor(statement, scope);
            case Kind::Set:
                assign(statement, evaluate(*statement.expressions[0], scope), scope);
                return Flow::Next;
            case Kind::SetBlock:
                assign(statement, captured(statement.bodies[0], scope), scope);
                return Flow::Next;
            case Kind::Macro:
                defineMacro(statement, scope);
                return Flow::Next;
            case Kind::Scope: {
                Scope inner{{}, &scope};
                return execute(statement.bodies[0], inner);
            }
            case Kind::Break:
                return Flow::Break;
            case Kind::Continue:
                return Flow::Continue;
        }
        return Flow::Next;
    }

    Flow executeIf(const Statement& statement, Scope& scope) {
        for (std::size_t i = 0; i < statement.expressions.size(); ++i) {
            if (evaluate(*statement.expressions[i], scope).isTrue()) {
                return execute(statement.bodies[i], scope);
            }
        }
        const bool hasElse = statement.bodies.size() > statement.expressions.size();
        return hasElse ? execute(statement.bodies.back(), scope) : Flow::Next;
    }

    Flow executeFor(const Statement& statement, Scope& scope) {
        const List items = wantedItems(statement, scope);
        if (items.empty() && statement.bodies.size() > 1) {
            return execute(statement.bodies[1], scope);
        }
        for (std::size_t i = 0; i < items.size(); ++i) {
            step(statement.line, kCostOfRound);
            Scope inner{{}, &scope};
            unpack(statement.names, items[i], inner);
            inner.set("loop", loopValue(items, i));
            if (execute(statement.bodies[0], inner) == Flow::Break) {
                break;
            }
        }
        return Flow::Next;
    }

    List wantedItems(const Statement& statement, Scope& scope) {
        List items = evaluate(*statement.expressions[0], scope).items();
        if (statement.expressions[1] == nullptr) {
            return items;
        }
        std::erase_if(items, [&](const Value& item) {
            step(statement.line, kCostOfRound);
            Scope inner{{}, &scope};
            unpack(statement.names, item, inner);
            return !evaluate(*statement.expressions[1], inner).isTrue();
        });
        return items;
    }

    static void unpack(const std::vector<std::string>& names, const Value& value, Scope& scope) {
        if (names.size() == 1) {
            scope.set(names.front(), value);
            return;
        }
        const List parts = value.items();
        if (parts.size() != names.size()) {
            throwUnsupported(
                fmt::format("{} values cannot be given {} names", parts.size(), names.size()));
        }
        for (std::size_t i = 0; i < names.size(); ++i) {
            scope.set(names[i], parts[i]);
        }
    }

    static Value loopValue(const List& items, std::size_t at) {
        const auto count = static_cast<std::int64_t>(items.size());
        const auto index = static_cast<std::int64_t>(at);
        Dict loop = {{"index", index + 1},
                     {"index0", index},
                     {"revindex", count - index},
                     {"revindex0", count - index - 1},
                     {"first", index == 0},
                     {"last", index + 1 == count},
                     {"length", count}};
        if (at > 0) {
            loop.emplace_back("previtem", items[at - 1]);
        }
        if (at + 1 < items.size()) {
            loop.emplace_back("nextitem", items[at + 1]);
        }
        loop.emplace_back("cycle", Function([at](const Arguments& a) {
                              if (a.positional.empty()) {
                                  throwUnsupported("loop.cycle() needs values");
                              }
                              return a.positional[at % a.positional.size()];
                          }));
        return loop;
    }

    static void assign(const Statement& statement, Value value, Scope& scope) {
        if (statement.text.empty()) {
            unpack(statement.names, value, scope);
            return;
        }
        const Value* found = scope.find(statement.text);
        Dict* members = found != nullptr ? found->namespaceMembers() : nullptr;
        if (members == nullptr) {
            throwUnsupported(
                fmt::format("\"{}\" is no namespace: its members cannot be set", statement.text));
        }
        if (value.namespaceMembers() != nullptr) {
            throwUnsupported("a namespace inside a namespace is not supported");
        }
        const auto member = std::find_if(members->begin(), members->end(), [&](const auto& entry) {
            return entry.first == statement.names.front();
        });
        if (member != members->end()) {
            member->second = std::move(value);
        } else {
            members->emplace_back(statement.names.front(), std::move(value));
        }
    }

    std::string captured(const Body& body, Scope& scope) {
        std::string outer = std::exchange(m_out, {});
        Scope inner{{}, &scope};
        execute(body, inner);
        return std::exchange(m_out, std::move(outer));
    }

    void defineMacro(const Statement& statement, Scope& scope) {
        if (&scope != &m_root) {
            throwUnsupported("macros inside loops and macros are not supported");
        }
        m_root.set(statement.text, Function([this, &statement](const Arguments& arguments) {
                       return callMacro(statement, arguments);
                   }));
    }

    Value callMacro(const Statement& macro, const Arguments& arguments) {
        if (++m_depth > kDeepest) {
            throwUnsupported(fmt::format("the macro \"{}\" calls itself too often", macro.text));
        }
        if (arguments.positional.size() > macro.names.size()) {
            throwUnsupported(fmt::format("the macro \"{}\" takes {} arguments, found {}",
                                         macro.text, macro.names.size(),
                                         arguments.positional.size()));
        }
        Scope scope{{}, &m_root};
        for (std::size_t i = 0; i < macro.names.size(); ++i) {
            const Value* given = arguments.find(i, macro.names[i]);
            const Expression* otherwise = macro.expressions[i].get();
            scope.set(macro.names[i], given != nullptr ? *given
                                      : otherwise != nullptr
                                          ? evaluate(*otherwise, scope)
                                          : Value(Value::Undefined{macro.names[i]}));
        }
        std::string text = captured(macro.bodies[0], scope);
        --m_depth;
        return text;
    }

    Value evaluate(const Expression& expression, Scope& scope) {
        using Kind = Expression::Kind;
        const NestingGuard guard(m_nesting);
        step(expression.line);
        const auto operand = [&](std::size_t i) {
            return evaluate(*expression.operands[i], scope);
        };
        switch (expression.kind) {
            case Kind::Literal:
                return expression.value;
            case Kind::Name:
                return lookUp(expression.text, scope);
            case Kind::MakeList:
                return makeList(expression, scope);
            case Kind::MakeDict:
                return makeDict(expression, scope);
            case Kind::Attribute:
                return memberOf(named(*expression.operands[0], operand(0)), expression.text);
            case Kind::Subscript:
                return itemOf(named(*expression.operands[0], operand(0)), operand(1));
            case Kind::Slice:
                return slice(expression, scope);
            case Kind::Call:
                return call(expression, scope);
            case Kind::Filter:
                return applyFilter(expression.text, operand(0), arguments(expression, scope));
            case Kind::Test:
                return applyTest(expression.text, operand(0), arguments(expression, scope));
            case Kind::Not:
                return !operand(0).isTrue();
            case Kind::Negate:
                return combined("*", operand(0), std::int64_t{-1});
            case Kind::And: {
                Value left = operand(0);
                return left.isTrue() ? operand(1) : left;
            }
            case Kind::Or: {
                Value left = operand(0);
                return left.isTrue() ? left : operand(1);
            }
            case Kind::Binary:
                return combined(expression.text, operand(0), operand(1));
            case Kind::Comparison:
                return compare(expression, scope);
            case Kind::Conditional:
                if (operand(1).isTrue()) {
                    return operand(0);
                }
                return expression.operands[2] != nullptr ? operand(2) : Value();
        }
        return {};
    }

    static Value lookUp(const std::string& name, const Scope& scope) {
        const Value* found = scope.find(name);
        return found != nullptr ? *found : Value(Value::Undefined{name});
    }

    /// The value again, once it is known to have members: an undefined one is named by its source.
    static Value named(const Expression& source, Value value) {
        if (value.isUndefined() && !source.text.empty()) {
            throwUnsupported(fmt::format("\"{}\" is undefined", source.text));
        }
        return value;
    }

    Value makeList(const Expression& expression, Scope& scope) {
        List out;
        for (const auto& member : expression.operands) {
            out.push_back(evaluate(*member, scope));
        }
        return out;
    }

    Value makeDict(const Expression& expression, Scope& scope) {
        Scope entries;
        for (std::size_t i = 0; i + 1 < expression.operands.size(); i += 2) {
            const Value key = evaluate(*expression.operands[i], scope);
            if (key.string() == nullptr) {
                throwUnsupported("keys of dictionaries must be strings");
            }
            entries.set(*key.string(), evaluate(*expression.operands[i + 1], scope));
        }
        return std::move(entries.variables);
    }

    Value slice(const Expression& expression, Scope& scope) {
        const auto bound = [&](std::size_t i) {
            const auto& operand = expression.operands[i];
            return operand != nullptr ? evaluate(*operand, scope) : Value(Value::None{});
        };
        return sliceOf(evaluate(*expression.operands[0], scope), bound(1), bound(2), bound(3));
    }

    Arguments arguments(const Expression& expression, Scope& scope) {
        Arguments out;
        for (std::size_t i = 1; i < expression.operands.size(); ++i) {
            out.positional.push_back(evaluate(*expression.operands[i], scope));
        }
        for (const auto& [name, value] : expression.named) {
            out.named.emplace_back(name, evaluate(*value, scope));
        }
        return out;
    }

    Value call(const Expression& expression, Scope& scope) {
        const Expression& callee = *expression.operands[0];
        if (callee.kind != Expression::Kind::Attribute) {
            return callFunction(callee.text, evaluate(callee, scope), arguments(expression, scope));
        }
        const Value object = named(*callee.operands[0], evaluate(*callee.operands[0], scope));
        const Arguments given = arguments(expression, scope);
        if (auto result = callMethod(object, callee.text, given)) {
            return *std::move(result);
        }
        if (object.dict() == nullptr) {
            throwUnsupported(fmt::format("the method \"{}\" of {} is not supported", callee.text,
                                         object.kind()));
        }
        return callFunction(callee.text, memberOf(object, callee.text), given);
    }

    static Value callFunction(const std::string& name, const Value& callee,
                              const Arguments& arguments) {
        if (callee.function() == nullptr) {
            throwUnsupported(fmt::format("the function \"{}\" is not known", name));
        }
        return (*callee.function())(arguments);
    }

    Value compare(const Expression& expression, Scope& scope) {
        Value left = evaluate(*expression.operands[0], scope);
        for (std::size_t i = 0; i < expression.operators.size(); ++i) {
            Value right = evaluate(*expression.operands[i + 1], scope);
            if (!compared(expression.operators[i], left, right)) {
                return false;
            }
            left = std::move(right);
        }
        return true;
    }

    Scope m_root;
    std::string m_out;
    int m_line = 1;
    int m_depth = 0;
    int m_nesting = 0;
    std::int64_t m_steps = 0;
};

}  // namespace

std::string render(const Body& body, Dict variables) {
    return Evaluator(std::move(variables)).run(body);
}

}  // namespace moescope::text::jinja
