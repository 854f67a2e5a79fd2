// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/byte_reader.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::gguf {

/// The typed key-value pairs of a GGUF file. Text and arrays are views of the file's bytes, which
/// must outlive the metadata. Look-ups give nothing for an absent key and throw
/// Error(BadCheckpoint) naming file and key for one of another type; any integer type serves as an
/// integer, any number as a number. Thread-safe once read.
class Metadata {
public:
    /// Reads `count` pairs. Throws Error(BadCheckpoint) for malformed, doubled or nested values.
    Metadata(ByteReader& reader, std::uint64_t count);

    [[nodiscard]] bool has(std::string_view key) const;
    [[nodiscard]] std::vector<std::string_view> keys() const;  ///< sorted
    [[nodiscard]] bool isArray(std::string_view key) const;

    [[nodiscard]] std::optional<std::string_view> text(std::string_view key) const;
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key) const;
    [[nodiscard]] std::optional<double> number(std::string_view key) const;
    [[nodiscard]] std::optional<bool> flag(std::string_view key) const;
    [[nodiscard]] std::optional<std::vector<std::string_view>> texts(std::string_view key) const;
    [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(std::string_view key) const;
    [[nodiscard]] std::optional<std::vector<float>> numbers(std::string_view key) const;

    /// The value in short, for messages and notes.
    [[nodiscard]] std::string shown(std::string_view key) const;
    [[nodiscard]] const std::string& where() const noexcept { return m_where; }

private:
    /// Numbers of the format (ggml's gguf.h, gguf_type).
    enum class Type : std::uint32_t {
        U8,
        I8,
        U16,
        I16,
        U32,
        I32,
        F32,
        Bool,
        Text,
        Array,
        U64,
        I64,
        F64
    };
    struct Value {
        Type type = Type::U8;  ///< of the elements, for arrays
        bool array = false;
        std::uint64_t count = 1;
        std::span<const std::byte> bytes;
    };

    static std::uint64_t sizeOf(Type type);
    [[nodiscard]] Type readType(ByteReader& reader) const;
    [[nodiscard]] Value readValue(ByteReader& reader, std::string_view key) const;
    [[nodiscard]] const Value* find(std::string_view key) const;
    [[nodiscard]] const Value* scalar(std::string_view key) const;
    [[nodiscard]] const Value* array(std::string_view key) const;
    [[nodiscard]] std::int64_t integerAt(const Value& value, std::uint64_t index,
                                         std::string_view key) const;
    [[nodiscard]] double numberAt(const Value& value, std::uint64_t index,
                                  std::string_view key) const;
    [[noreturn]] void wrongType(std::string_view key, std::string_view expected) const;

    std::string m_where;
    std::map<std::string_view, Value> m_values;
};

}  // namespace moescope::gguf
