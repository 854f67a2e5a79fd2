// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/jinja_builtins.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace moescope::text::jinja {
namespace {

constexpr int kDeepest = 50;

std::string jsonString(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        constexpr std::string_view kNamed = "\"\\\n\r\t\b\f";
        constexpr std::string_view kLetters = "\"\\nrtbf";
        if (const std::size_t known = kNamed.find(c); known != std::string_view::npos) {
            out.push_back('\\');
            out.push_back(kLetters[known]);
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        } else {
            out.push_back(c);
        }
    }
    return out + "\"";
}

class Writer {
public:
    Writer(int indent, bool sortKeys) : m_indent(indent), m_sortKeys(sortKeys) {}

    void write(const Value& value) {
        if (++m_depth > kDeepest) {
            throwUnsupported("a value is nested too deeply for tojson");
        }
        if (const auto* text = value.string()) {
            m_out += jsonString(*text);
        } else if (value.isNone()) {
            m_out += "null";
        } else if (value.isBool()) {
            m_out += value.isTrue() ? "true" : "false";
        } else if (value.isNumber()) {
            m_out += value.toText();
        } else if (const auto* list = value.list()) {
            writeAll('[', ']', list->size(), [&](std::size_t i) { write((*list)[i]); });
        } else if (const auto* dict = value.dict()) {
            writeDict(*dict);
        } else {
            throwUnsupported(fmt::format("tojson cannot write {}", value.kind()));
        }
        --m_depth;
    }
    [[nodiscard]] std::string take() { return std::move(m_out); }

private:
    void writeDict(Dict entries) {
        if (m_sortKeys) {
            std::sort(entries.begin(), entries.end(),
                      [](const auto& a, const auto& b) { return a.first < b.first; });
        }
        writeAll('{', '}', entries.size(), [&](std::size_t i) {
            m_out += jsonString(entries[i].first) + ": ";
            write(entries[i].second);
        });
    }

    template <typename WriteOne>
    void writeAll(char open, char close, std::size_t count, WriteOne writeOne) {
        m_out.push_back(open);
        for (std::size_t i = 0; i < count; ++i) {
            m_out += i == 0 ? "" : m_indent < 0 ? ", " : ",";
            newLine(m_depth);
            writeOne(i);
        }
        if (count > 0) {
            newLine(m_depth - 1);
        }
        m_out.push_back(close);
    }

    void newLine(int depth) {
        if (m_indent >= 0) {
            m_out += "\n" + std::string(static_cast<std::size_t>(m_indent * depth), ' ');
        }
    }

    int m_indent;
    bool m_sortKeys;
    int m_depth = 0;
    std::string m_out;
};

}  // namespace

std::string toJson(const Value& value, int indent, bool sortKeys) {
    Writer writer(std::min(indent, 64), sortKeys);
    writer.write(value);
    return writer.take();
}

}  // namespace moescope::text::jinja
