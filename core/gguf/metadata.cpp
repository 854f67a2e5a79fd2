// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/gguf/metadata.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace moescope::gguf {
namespace {

constexpr std::uint64_t kLongestKey = 65535;  ///< the format's own limit
constexpr std::size_t kShown = 80;

std::string shortened(std::string_view text) {
    return text.size() <= kShown ? std::string(text) : std::string(text.substr(0, kShown)) + "...";
}

std::string_view readText(ByteReader& reader) {
    return reader.text(reader.number<std::uint64_t>());
}

template <typename T>
T at(std::span<const std::byte> bytes, std::uint64_t index) {
    T value;
    std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
    return value;
}

}  // namespace

std::uint64_t Metadata::sizeOf(Type type) {
    constexpr std::array<std::uint64_t, 13> kSizes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return kSizes[static_cast<std::size_t>(type)];
}

Metadata::Metadata(ByteReader& reader, std::uint64_t count) : m_where(reader.where()) {
    // A pair takes at least 13 bytes: no loop beyond what the file can hold.
    if (count > reader.left() / 13) {
        throw Error(ErrorCode::BadCheckpoint,
                    fmt::format("{}: the header claims {} metadata entries, more than the file can "
                                "hold. Download it again.",
                                m_where, count));
    }
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::string_view key = readText(reader);
        if (key.size() > kLongestKey) {
            throw Error(ErrorCode::BadCheckpoint,
                        fmt::format("{}: metadata key {} has {} bytes. The file is damaged; "
                                    "download it again.",
                                    m_where, i, key.size()));
        }
        if (!m_values.emplace(key, readValue(reader, key)).second) {
            throw Error(ErrorCode::BadCheckpoint,
                        fmt::format("{}: the metadata key \"{}\" comes twice. The file is damaged; "
                                    "download it again.",
                                    m_where, shortened(key)));
        }
    }
}

Metadata::Type Metadata::readType(ByteReader& reader) const {
    const auto number = reader.number<std::uint32_t>();
    if (number > static_cast<std::uint32_t>(Type::F64)) {
        throw Error(ErrorCode::BadCheckpoint,
                    fmt::format("{}: a metadata value is of the unknown type {}. The file is "
                                "damaged or of a newer format.",
                                m_where, number));
    }
    return static_cast<Type>(number);
}

Metadata::Value Metadata::readValue(ByteReader& reader, std::string_view key) const {
    Value value{.type = readType(reader), .bytes = {}};
    if (value.type == Type::Array) {
        value.array = true;
        value.type = readType(reader);
        value.count = reader.number<std::uint64_t>();
    }
    if (value.type == Type::Array) {
        throw Error(ErrorCode::Unsupported,
                    fmt::format("{}: the metadata value \"{}\" is an array of arrays, which no "
                                "model needs.",
                                m_where, shortened(key)));
    }
    if (value.type != Type::Text) {
        const std::uint64_t size = sizeOf(value.type);
        // Beyond any file, so that the product below cannot wrap.
        const std::uint64_t count = std::min(value.count, reader.left() + 1);
        value.bytes = reader.bytes(count * size);
        return value;
    }
    // Texts have their lengths before them; the walk also checks all of them once.
    ByteReader ahead = reader;
    const std::uint64_t begin = ahead.position();
    for (std::uint64_t i = 0; i < value.count; ++i) {
        static_cast<void>(readText(ahead));
    }
    value.bytes = reader.bytes(ahead.position() - begin);
    return value;
}

const Metadata::Value* Metadata::find(std::string_view key) const {
    const auto found = m_values.find(key);
    return found != m_values.end() ? &found->second : nullptr;
}

void Metadata::wrongType(std::string_view key, std::string_view expected) const {
    throw Error(ErrorCode::BadCheckpoint,
                fmt::format("{}: the metadata value \"{}\" is {}; expected {}.", m_where, key,
                            shown(key), expected));
}

const Metadata::Value* Metadata::scalar(std::string_view key) const {
    const Value* value = find(key);
    if (value != nullptr && value->array) {
        wrongType(key, "a single value");
    }
    return value;
}

const Metadata::Value* Metadata::array(std::string_view key) const {
    const Value* value = find(key);
    if (value != nullptr && !value->array) {
        wrongType(key, "an array");
    }
    return value;
}

bool Metadata::has(std::string_view key) const {
    return find(key) != nullptr;
}

bool Metadata::isArray(std::string_view key) const {
    const Value* value = find(key);
    return value != nullptr && value->array;
}

std::vector<std::string_view> Metadata::keys() const {
    std::vector<std::string_view> result;
    for (const auto& [key, value] : m_values) {
        result.push_back(key);
    }
    return result;
}

std::optional<std::string_view> Metadata::text(std::string_view key) const {
    const Value* value = scalar(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (value->type != Type::Text) {
        wrongType(key, "text");
    }
    ByteReader reader(value->bytes, m_where);
    return readText(reader);
}

std::int64_t Metadata::integerAt(const Value& value, std::uint64_t index,
                                 std::string_view key) const {
    switch (value.type) {
        case Type::U8:
        case Type::Bool:
            return at<std::uint8_t>(value.bytes, index);
        case Type::I8:
            return at<std::int8_t>(value.bytes, index);
        case Type::U16:
            return at<std::uint16_t>(value.bytes, index);
        case Type::I16:
            return at<std::int16_t>(value.bytes, index);
        case Type::U32:
            return at<std::uint32_t>(value.bytes, index);
        case Type::I32:
            return at<std::int32_t>(value.bytes, index);
        case Type::I64:
            return at<std::int64_t>(value.bytes, index);
        case Type::U64: {
            const auto number = at<std::uint64_t>(value.bytes, index);
            if (number <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
                return static_cast<std::int64_t>(number);
            }
            break;
        }
        default:
            break;
    }
    wrongType(key, "integers of at most 63 bits");
}

double Metadata::numberAt(const Value& value, std::uint64_t index, std::string_view key) const {
    if (value.type == Type::F32) {
        return static_cast<double>(at<float>(value.bytes, index));
    }
    if (value.type == Type::F64) {
        return at<double>(value.bytes, index);
    }
    return static_cast<double>(integerAt(value, index, key));
}

std::optional<std::int64_t> Metadata::integer(std::string_view key) const {
    const Value* value = scalar(key);
    return value != nullptr ? std::optional(integerAt(*value, 0, key)) : std::nullopt;
}

std::optional<double> Metadata::number(std::string_view key) const {
    const Value* value = scalar(key);
    return value != nullptr ? std::optional(numberAt(*value, 0, key)) : std::nullopt;
}

std::optional<bool> Metadata::flag(std::string_view key) const {
    const Value* value = scalar(key);
    if (value != nullptr && value->type != Type::Bool) {
        wrongType(key, "true or false");
    }
    return value != nullptr ? std::optional(integerAt(*value, 0, key) != 0) : std::nullopt;
}

std::optional<std::vector<std::string_view>> Metadata::texts(std::string_view key) const {
    const Value* value = array(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (value->type != Type::Text) {
        wrongType(key, "texts");
    }
    ByteReader reader(value->bytes, m_where);
    std::vector<std::string_view> result;
    result.reserve(value->count);
    for (std::uint64_t i = 0; i < value->count; ++i) {
        result.push_back(readText(reader));
    }
    return result;
}

std::optional<std::vector<std::int64_t>> Metadata::integers(std::string_view key) const {
    const Value* value = array(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    std::vector<std::int64_t> result;
    for (std::uint64_t i = 0; i < value->count; ++i) {
        result.push_back(integerAt(*value, i, key));
    }
    return result;
}

std::optional<std::vector<float>> Metadata::numbers(std::string_view key) const {
    const Value* value = array(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    std::vector<float> result;
    for (std::uint64_t i = 0; i < value->count; ++i) {
        result.push_back(static_cast<float>(numberAt(*value, i, key)));
    }
    return result;
}

std::string Metadata::shown(std::string_view key) const {
    const Value* value = find(key);
    if (value == nullptr) {
        return "absent";
    }
    if (value->array) {
        return fmt::format("an array of {}", value->count);
    }
    if (value->type == Type::Text) {
        ByteReader reader(value->bytes, m_where);
        return fmt::format("\"{}\"", shortened(readText(reader)));
    }
    if (value->type == Type::Bool) {
        return integerAt(*value, 0, key) != 0 ? "true" : "false";
    }
    if (value->type == Type::U64) {
        return fmt::format("{}", at<std::uint64_t>(value->bytes, 0));
    }
    return value->type == Type::F32 || value->type == Type::F64
               ? fmt::format("{:g}", numberAt(*value, 0, key))
               : fmt::format("{}", integerAt(*value, 0, key));
}

}  // namespace moescope::gguf
