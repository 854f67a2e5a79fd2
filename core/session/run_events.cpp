// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/session/run_events.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace moescope::session {
namespace {

using Json = nlohmann::ordered_json;
using Kind = RunEvent::Kind;

constexpr std::array<std::pair<Kind, std::string_view>, 8> kKinds{{
    {Kind::Estimate, "estimate"},
    {Kind::Started, "started"},
    {Kind::Progress, "progress"},
    {Kind::PartDone, "part_done"},
    {Kind::Warning, "warning"},
    {Kind::Finished, "finished"},
    {Kind::Failed, "failed"},
    {Kind::Cancelled, "cancelled"},
}};

std::string_view wordOf(Kind kind) {
    const auto* found = std::find_if(kKinds.begin(), kKinds.end(),
                                     [&](const auto& entry) { return entry.first == kind; });
    return found->second;
}

/// Reads members that may be absent; one of another type makes the whole line invalid.
class Members {
public:
    explicit Members(const Json& json) : m_json(json) {}

    [[nodiscard]] bool valid() const { return m_valid; }

    void read(const char* key, std::string& to) {
        read(key, to, [](const Json& value) { return value.is_string(); });
    }
    void read(const char* key, std::uint64_t& to) {
        read(key, to, [](const Json& value) { return value.is_number_unsigned(); });
    }
    void read(const char* key, double& to) {
        read(key, to, [](const Json& value) { return value.is_number(); });
    }
    template <typename T>
    void read(const char* key, std::optional<T>& to) {
        const auto found = m_json.find(key);
        if (found != m_json.end() && !found->is_null()) {
            T value{};
            read(key, value, [](const Json& entry) { return entry.is_number(); });
            to = value;
        }
    }

private:
    template <typename T, typename Check>
    void read(const char* key, T& to, const Check& check) {
        const auto found = m_json.find(key);
        if (found == m_json.end()) {
            return;
        }
        if (check(*found)) {
            to = found->template get<T>();
        } else {
            m_valid = false;
        }
    }

    const Json& m_json;
    bool m_valid = true;
};

void addMembers(const RunEvent& event, Json& json) {
    switch (event.kind) {
        case Kind::Estimate:
            json["memory_bytes"] = event.memoryBytes;
            json["disk_bytes"] = event.diskBytes;
            json["read_bytes"] = event.readBytes;
            json["seconds"] = std::isfinite(event.seconds) ? event.seconds : 0.0;
            break;
        case Kind::Progress:
            json["stage"] = event.stage;
            json["fraction"] = std::isfinite(event.fraction) ? event.fraction : 0.0;
            if (event.remainingSeconds && std::isfinite(*event.remainingSeconds)) {
                json["remaining_seconds"] = *event.remainingSeconds;
            }
            break;
        case Kind::PartDone:
            json["experiment"] = event.experiment;
            if (event.layer) {
                json["layer"] = *event.layer;
            }
            break;
        case Kind::Started:
        case Kind::Finished:
            json["path"] = event.path;
            break;
        case Kind::Warning:
            json["message"] = event.message;
            break;
        case Kind::Failed:
        case Kind::Cancelled:
            json["code"] = event.errorCode;
            json["message"] = event.message;
            break;
    }
}

std::optional<Kind> kindOf(const Json& json) {
    const auto version = json.find("v");
    const auto word = json.find("event");
    if (version == json.end() || word == json.end() || !version->is_number_integer() ||
        *version != kEventVersion || !word->is_string()) {
        return std::nullopt;
    }
    const auto* found = std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& entry) {
        return entry.second == word->get_ref<const std::string&>();
    });
    return found == kKinds.end() ? std::nullopt : std::optional(found->first);
}

}  // namespace

std::string toJsonLine(const RunEvent& event) {
    Json json;
    json["v"] = kEventVersion;
    json["event"] = wordOf(event.kind);
    addMembers(event, json);
    // Paths and messages may hold bytes that are no UTF-8; a line must be valid JSON all the same.
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<RunEvent> parseJsonLine(std::string_view line) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) {
        return std::nullopt;
    }
    const std::optional<Kind> kind = kindOf(json);
    if (!kind) {
        return std::nullopt;
    }
    RunEvent event;
    event.kind = *kind;
    Members members(json);
    members.read("memory_bytes", event.memoryBytes);
    members.read("disk_bytes", event.diskBytes);
    members.read("read_bytes", event.readBytes);
    members.read("seconds", event.seconds);
    members.read("stage", event.stage);
    members.read("fraction", event.fraction);
    members.read("remaining_seconds", event.remainingSeconds);
    members.read("experiment", event.experiment);
    members.read("layer", event.layer);
    members.read("message", event.message);
    members.read("code", event.errorCode);
    members.read("path", event.path);
    return members.valid() ? std::optional(event) : std::nullopt;
}

}  // namespace moescope::session
