// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/prune_list_file.h"

#include "core/base/error.h"
#include "core/base/json_depth.h"
#include "core/text/text_file.h"
#include "core/text/utf8.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <utility>

namespace moescope::experiments {
namespace {

using Json = nlohmann::json;

/// A list of every expert of the largest models, with scores and all.
constexpr std::size_t kMostBytes = std::size_t{256} << 20U;
constexpr std::string_view kFormat = "moescope-prune-list";
constexpr int kVersion = 1;
constexpr std::string_view kForm = R"([{"layer": 0, "expert": 3}, ...])";

/// Reads one file; says of each problem where it is.
class Reader {
public:
    Reader(const std::filesystem::path& file, const PrunedModel& model)
        : m_file(file), m_model(model) {}

    [[nodiscard]] ExpertList read() {
        std::string listName = name();
        const Json json = parsed();
        if (json.is_object()) {
            checkHead(json);
        }
        const Json& list = listOf(json);
        for (std::size_t i = 0; i < list.size(); ++i) {
            add(entryOf(list[i], i + 1), i + 1);
        }
        if (m_entries.empty()) {
            fail(fmt::format("the list is empty: it names the experts to remove, {}", kForm));
        }
        checkLayers();
        std::vector<RemovedExpert> removed;
        removed.reserve(m_entries.size());
        for (const auto& [expert, entry] : m_entries) {
            removed.push_back({expert.first, expert.second});
        }
        return {std::move(listName), describe(removed)};
    }

private:
    using Expert = std::pair<int, int>;  // layer and expert

    [[noreturn]] void fail(const std::string& problem) const {
        throw Error(ErrorCode::Usage,
                    fmt::format("--prune-list {}: {}.", m_file.string(), problem));
    }
    [[noreturn]] void failAt(std::size_t entry, const std::string& problem) const {
        fail(fmt::format("entry {} of the list: {}", entry, problem));
    }

    /// A session keeps it, and sessions are UTF-8.
    [[nodiscard]] std::string name() const {
        std::string stem = m_file.stem().string();
        if (text::findInvalidUtf8(stem) || stem.find('\0') != std::string::npos) {
            fail("the file's name, which becomes the list's, is not UTF-8; rename the file");
        }
        return stem;
    }

    [[nodiscard]] Json parsed() const {
        std::error_code unknown;  // of a pipe, say: then what came through it counts
        const std::uintmax_t size = std::filesystem::file_size(m_file, unknown);
        const auto checkSize = [this](std::uintmax_t bytes) {
            if (bytes > kMostBytes) {
                fail(fmt::format("{} bytes are more than any list has", bytes));
            }
        };
        checkSize(unknown ? 0 : size);
        const text::TextFile file(m_file);
        checkSize(file.text().size());
        if (isNestedDeeper(file.text())) {
            fail(fmt::format("arrays and objects are nested more than {} deep", kDeepestJson));
        }
        try {
            return Json::parse(file.text());
        } catch (const Json::exception& error) {  // says line and column
            fail(fmt::format("not JSON ({})", error.what()));
        }
    }

    [[nodiscard]] static std::string textOf(const Json& object, const char* key) {
        const auto found = object.find(key);
        return found != object.end() && found->is_string() ? found->get<std::string>()
                                                           : std::string();
    }

    /// Which form it has, and which model it is about, where it says so.
    void checkHead(const Json& json) const {
        const std::string format = textOf(json, "format");
        if (!format.empty() && format != kFormat) {
            fail(fmt::format("its format is \"{}\", not \"{}\"", format, kFormat));
        }
        const auto version = json.find("version");
        if (format == kFormat && version != json.end() && *version != kVersion) {
            fail(fmt::format("a list of version {}; this program reads version {}", version->dump(),
                             kVersion));
        }
        const auto model = json.find("model");
        if (model == json.end() || !model->is_object()) {
            return;
        }
        const std::string identity = textOf(*model, "identity");
        if (!identity.empty() && identity != m_model.identity) {
            fail(
                fmt::format("the list is about another model: {} ({:.12}...), not {} ({:.12}...); "
                            "take \"model\" out of the file to remove the same experts from this "
                            "one",
                            textOf(*model, "name"), identity, m_model.name, m_model.identity));
        }
    }

    [[nodiscard]] const Json& listOf(const Json& json) const {
        if (json.is_array()) {
            return json;
        }
        const auto list = json.is_object() ? json.find("list") : json.end();
        if (!json.is_object() || list == json.end() || !list->is_array()) {
            fail(fmt::format("there is no \"list\" in it; write {{\"list\": {}}}", kForm));
        }
        return *list;
    }

    static std::optional<int> number(const Json& value) {
        constexpr std::uint64_t kMost = std::numeric_limits<int>::max();
        if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMost) {
            return std::nullopt;
        }
        return value.get<int>();
    }

    [[nodiscard]] Expert entryOf(const Json& value, std::size_t entry) const {
        std::optional<int> layer;
        std::optional<int> expert;
        if (value.is_object() && value.contains("layer") && value.contains("expert")) {
            layer = number(value["layer"]);
            expert = number(value["expert"]);
        } else if (value.is_array() && value.size() == 2) {
            layer = number(value[0]);
            expert = number(value[1]);
        }
        if (!layer || !expert) {
            constexpr std::size_t kShown = 80;
            failAt(entry, fmt::format(R"({:.{}} is no expert; write {{"layer": 0, "expert": 3}}, )"
                                      "or [0, 3], counted from 0",
                                      value.dump(), kShown));
        }
        return {*layer, *expert};
    }

    void add(const Expert& expert, std::size_t entry) {
        const auto& [layer, index] = expert;
        const auto layers = static_cast<int>(m_model.layers.size());
        if (layer >= layers) {
            failAt(entry, fmt::format("there is no layer {}; the model has layers 0 to {}", layer,
                                      layers - 1));
        }
        const int experts = m_model.layers[static_cast<std::size_t>(layer)].experts;
        if (experts == 0) {
            failAt(entry, fmt::format("layer {} has no experts; routed are layers {}", layer,
                                      routedLayers()));
        }
        if (index >= experts) {
            failAt(entry, fmt::format("there is no expert {} in layer {}; it has experts 0 to {}",
                                      index, layer, experts - 1));
        }
        const auto [first, isNew] = m_entries.emplace(expert, entry);
        if (!isNew) {
            failAt(entry, fmt::format("expert {} of layer {} is in entry {} already", index, layer,
                                      first->second));
        }
    }

    [[nodiscard]] std::string routedLayers() const {
        std::string text;
        for (std::size_t l = 0; l < m_model.layers.size(); ++l) {
            std::size_t last = l;
            while (last < m_model.layers.size() && m_model.layers[last].experts > 0) {
                ++last;
            }
            if (last > l) {
                text += text.empty() ? "" : ", ";
                text += last == l + 1 ? std::to_string(l) : fmt::format("{} to {}", l, last - 1);
                l = last;
            }
        }
        return text.empty() ? "none" : text;
    }

    /// Each keeps as many as it chooses.
    void checkLayers() const {
        std::map<int, int> counts;
        for (const auto& [expert, entry] : m_entries) {
            ++counts[expert.first];
        }
        for (const auto& [layer, count] : counts) {
            const PrunedModel::Layer& shape = m_model.layers[static_cast<std::size_t>(layer)];
            if (shape.experts - count < shape.topK) {
                fail(
                    fmt::format("{} of the {} experts of layer {} would go; it chooses {} for a "
                                "token and must keep as many",
                                count == shape.experts ? "all" : std::to_string(count),
                                shape.experts, layer, shape.topK));
            }
        }
    }

    const std::filesystem::path& m_file;
    const PrunedModel& m_model;
    std::map<Expert, std::size_t> m_entries;  ///< with the entry that names it
};

}  // namespace

ExpertList readPruneList(const std::filesystem::path& file, const PrunedModel& model) {
    return Reader(file, model).read();
}

}  // namespace moescope::experiments
