// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/safetensors_json.h"

#include "core/base/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

namespace moescope::checkpoint {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxDimensions = 16;

/// A state machine over the parser's events. The form of the header is fixed, so anything else is
/// refused at the event where it appears and no document is ever built.
class HeaderListener : public nlohmann::json_sax<Json> {
public:
    explicit HeaderListener(std::string_view where) : m_where(where) {}
    [[nodiscard]] std::vector<StoredTensor> take() { return std::move(m_entries); }

    bool null() override { fail("null"); }
    bool boolean(bool /*value*/) override { fail("a boolean"); }
    bool number_integer(number_integer_t value) override {
        fail(fmt::format("the negative number {}", value));
    }
    bool number_float(number_float_t /*value*/, const string_t& text) override {
        fail(fmt::format("the number {}, which is not an integer in the 64-bit range", text));
    }
    bool binary(binary_t& /*value*/) override { fail("binary data"); }

    bool number_unsigned(number_unsigned_t value) override {
        if (m_place == Place::Shape) {
            if (entry().shape.size() >= kMaxDimensions) {
                fail(fmt::format("more than {} dimensions", kMaxDimensions));
            }
            entry().shape.push_back(value);
        } else if (m_place == Place::Offsets && m_offsetCount < 2) {
            (m_offsetCount == 0 ? entry().begin : entry().end) = value;
            ++m_offsetCount;
        } else {
            fail(fmt::format("the number {}", value));
        }
        return true;
    }

    bool string(string_t& value) override {
        if (m_place == Place::MetadataValue) {
            m_place = Place::Metadata;
        } else if (m_place == Place::DtypeValue) {
            const auto dtype = dtypeFromName(value);
            if (!dtype) {
                throw Error(ErrorCode::Unsupported,
                            fmt::format("{}: tensor \"{}\" is stored as \"{}\", a type that "
                                        "Moescope cannot read.",
                                        m_where, entry().name, value));
            }
            entry().dtype = *dtype;
            m_place = Place::Tensor;
        } else {
            fail(fmt::format("the string \"{}\"", value));
        }
        return true;
    }

    bool start_object(std::size_t /*size*/) override {
        switch (m_place) {
            case Place::Start:
                m_place = Place::Names;
                return true;
            case Place::MetadataStart:
                m_place = Place::Metadata;
                return true;
            case Place::TensorStart:
                m_place = Place::Tensor;
                return true;
            default:
                fail("an object");
        }
    }

    bool end_object() override {
        if (m_place == Place::Tensor) {
            finishTensor();
        }
        m_place = m_place == Place::Names ? Place::End : Place::Names;
        return true;
    }

    bool start_array(std::size_t /*size*/) override {
        if (m_place == Place::ShapeStart) {
            m_place = Place::Shape;
        } else if (m_place == Place::OffsetsStart) {
            m_place = Place::Offsets;
        } else {
            fail("an array");
        }
        return true;
    }

    bool end_array() override {
        if (m_place == Place::Offsets && m_offsetCount != 2) {
            fail("data_offsets without two numbers");
        }
        m_place = Place::Tensor;
        return true;
    }

    bool key(string_t& name) override {
        if (m_place == Place::Names) {
            startTensor(name);
        } else if (m_place == Place::Metadata) {
            m_place = Place::MetadataValue;
        } else {
            startField(name);
        }
        return true;
    }

    bool parse_error(std::size_t position, const std::string& /*token*/,
                     const nlohmann::detail::exception& /*error*/) override {
        throw Error(ErrorCode::BadCheckpoint,
                    fmt::format("{}: the header is not valid JSON at byte {}. The file is damaged; "
                                "download it again.",
                                m_where, position));
    }

private:
    enum class Place {
        Start,
        Names,
        MetadataStart,
        Metadata,
        MetadataValue,
        TensorStart,
        Tensor,
        DtypeValue,
        ShapeStart,
        Shape,
        OffsetsStart,
        Offsets,
        End
    };

    StoredTensor& entry() { return m_entries.back(); }

    [[noreturn]] void fail(const std::string& found) const {
        const bool inTensor = m_place >= Place::TensorStart && m_place <= Place::Offsets;
        throw Error(
            ErrorCode::BadCheckpoint,
            fmt::format("{}: the header is malformed{}: found {}. The file is damaged; download "
                        "it again.",
                        m_where,
                        inTensor ? fmt::format(" at tensor \"{}\"", m_entries.back().name) : "",
                        found));
    }

    void startTensor(const std::string& name) {
        if (!m_names.insert(name).second) {
            fail(fmt::format("the name \"{}\" twice", name));
        }
        if (name == "__metadata__") {
            m_place = Place::MetadataStart;
            return;
        }
        m_entries.push_back({.name = name});
        m_hasDtype = m_hasShape = m_hasOffsets = false;
        m_offsetCount = 0;
        m_place = Place::TensorStart;
    }

    void startField(const std::string& name) {
        if (name == "dtype" && !std::exchange(m_hasDtype, true)) {
            m_place = Place::DtypeValue;
        } else if (name == "shape" && !std::exchange(m_hasShape, true)) {
            m_place = Place::ShapeStart;
        } else if (name == "data_offsets" && !std::exchange(m_hasOffsets, true)) {
            m_place = Place::OffsetsStart;
        } else {
            fail(fmt::format("the field \"{}\" twice, or one that the format does not have", name));
        }
    }

    void finishTensor() const {
        if (!m_hasDtype || !m_hasShape || !m_hasOffsets) {
            fail("no dtype, shape or data_offsets");
        }
    }

    std::string_view m_where;
    Place m_place = Place::Start;
    std::vector<StoredTensor> m_entries;
    std::unordered_set<std::string> m_names;
    bool m_hasDtype = false;
    bool m_hasShape = false;
    bool m_hasOffsets = false;
    int m_offsetCount = 0;
};

}  // namespace

std::vector<StoredTensor> parseSafetensorsJson(std::string_view json, std::string_view where) {
    HeaderListener listener(where);
    Json::sax_parse(json.begin(), json.end(), &listener);
    return listener.take();
}

}  // namespace moescope::checkpoint
