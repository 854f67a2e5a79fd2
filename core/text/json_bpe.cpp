// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/byte_alphabet.h"
#include "core/text/json_components.h"
#include "core/text/json_reading.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace moescope::text {
namespace {

using nlohmann::json;

/// Reads the vocabulary and the merges of a model entry.
class Reader {
public:
    Reader(const json& value, bool byteLevel, const std::string& where)
        : m_value(value), m_where(where) {
        m_bpe.parts.bytesAsSymbols = byteLevel;
    }

    JsonBpe read() {
        requireKnown();
        readVocabulary();
        readMerges();
        m_bpe.parts.byteFallback = boolMember(m_value, "byte_fallback", false, m_where);
        m_bpe.parts.fuseUnknown = boolMember(m_value, "fuse_unk", false, m_where);
        m_bpe.parts.ignoreMerges = boolMember(m_value, "ignore_merges", false, m_where);
        readUnknown();
        return std::move(m_bpe);
    }

private:
    void requireKnown() const {
        // Files of early versions leave the type out.
        const std::string type =
            m_value.contains("type") ? stringMember(m_value, "type", m_where) : std::string("BPE");
        if (type != "BPE") {
            throwBadTokenizer(m_where, fmt::format("models of type \"{}\" are not supported, only "
                                                   "BPE",
                                                   type));
        }
        for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
            const auto found = m_value.find(key);
            if (found != m_value.end() && found->is_string() &&
                !found->get_ref<const std::string&>().empty()) {
                throwBadTokenizer(m_where, fmt::format("\"{}\" is not supported", key));
            }
        }
    }

    /// A piece as the text holds it; nothing for one that no text can give.
    [[nodiscard]] std::optional<std::string> inText(const std::string& piece) const {
        return m_bpe.parts.bytesAsSymbols ? fromByteAlphabet(piece) : std::optional(piece);
    }

    void readVocabulary() {
        const json& vocabulary = member(m_value, "vocab", m_where);
        if (!vocabulary.is_object()) {
            throwBadTokenizer(m_where, "\"vocab\" must be an object of pieces and ids");
        }
        m_bpe.parts.vocabulary.reserve(vocabulary.size());
        for (const auto& [piece, value] : vocabulary.items()) {
            const TokenId id = tokenIdOf(value, m_where);
            if (id > kLargestId) {
                throwBadTokenizer(m_where, fmt::format("the id {} is implausibly large", id));
            }
            if (id >= m_bpe.pieces.size()) {
                m_bpe.pieces.resize(id + 1);
            }
            m_bpe.pieces[id] = piece;
            if (auto text = inText(piece)) {
                m_bpe.parts.vocabulary.emplace(*std::move(text), id);
            }
        }
    }

    void readMerges() {
        const json& merges = member(m_value, "merges", m_where);
        if (!merges.is_array()) {
            throwBadTokenizer(m_where, "\"merges\" must be a list");
        }
        m_bpe.parts.merges.reserve(merges.size());
        for (const json& merge : merges) {
            if (merge.is_string()) {
                const auto& text = merge.get_ref<const std::string&>();
                const std::size_t space = text.find(' ');
                if (space != std::string::npos && text.find(' ', space + 1) == std::string::npos) {
                    addMerge(text.substr(0, space), text.substr(space + 1));
                    continue;
                }
            } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
                       merge[1].is_string()) {
                addMerge(merge[0].get_ref<const std::string&>(),
                         merge[1].get_ref<const std::string&>());
                continue;
            }
            throwBadTokenizer(m_where, fmt::format("merge {} is neither \"a b\" nor [\"a\", "
                                                   "\"b\"]",
                                                   m_bpe.parts.merges.size()));
        }
    }

    void addMerge(const std::string& left, const std::string& right) {
        const std::string leftText = require(inText(left), left);
        const std::string rightText = require(inText(right), right);
        m_bpe.parts.merges.push_back({idOf(leftText), idOf(rightText), idOf(leftText + rightText)});
    }

    [[nodiscard]] std::string require(std::optional<std::string> text,
                                      const std::string& piece) const {
        if (!text) {
            throwBadTokenizer(m_where, fmt::format("\"{}\" in merge {} is not in the byte-level "
                                                   "alphabet",
                                                   piece, m_bpe.parts.merges.size()));
        }
        return *std::move(text);
    }

    [[nodiscard]] TokenId idOf(const std::string& text) const {
        const auto found = m_bpe.parts.vocabulary.find(text);
        if (found == m_bpe.parts.vocabulary.end()) {
            throwBadTokenizer(m_where, fmt::format("merge {} needs the piece \"{}\", which is not "
                                                   "in the vocabulary",
                                                   m_bpe.parts.merges.size(), text));
        }
        return found->second;
    }

    void readUnknown() {
        const auto found = m_value.find("unk_token");
        if (found != m_value.end() && found->is_string()) {
            m_bpe.parts.unknownId = idOf(found->get<std::string>());
        }
    }

    const json& m_value;
    const std::string& m_where;
    JsonBpe m_bpe;
};

}  // namespace

JsonBpe bpeOf(const json& value, bool byteLevel, const std::string& where) {
    return Reader(value, byteLevel, where).read();
}

}  // namespace moescope::text
