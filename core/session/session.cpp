// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/session/session.h"

#include "core/base/error.h"
#include "core/session/h5_file.h"
#include "core/session/head_io.h"
#include "core/session/parts_folder.h"
#include "core/session/result_index.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::session {
namespace {

constexpr std::size_t kOpenFiles = 24;

/// A quantity whose first axis is "token" must have one row per token, or views would read past the
/// text.
void requireTokenRows(const Head& head, const ResultIndex& index) {
    for (const auto& [id, quantity] : index.quantities) {
        for (const auto& [layer, shape] : quantity.shapes) {
            const bool perToken =
                !quantity.info.axes.empty() && quantity.info.axes.front().name == "token";
            if (perToken && (shape.empty() || shape.front() != head.corpus.tokenCount())) {
                throw Error(
                    ErrorCode::BadSession,
                    fmt::format(
                        "Dataset {} has {} rows for a text of {} tokens. The file is damaged.",
                        quantity.info.path, shape.empty() ? 0 : shape.front(),
                        head.corpus.tokenCount()));
            }
        }
    }
}

}  // namespace

struct Session::Impl {
    std::filesystem::path path;
    Head head;
    ResultIndex index;
    bool partial = false;
    std::string version;
    std::vector<QuantityInfo> quantities;
    mutable FileCache files{kOpenFiles};

    [[nodiscard]] const ArrayLocation& locate(const QuantityId& id,
                                              std::optional<LayerId> layer) const {
        const auto found = index.quantities.find(id);
        if (found != index.quantities.end()) {
            const auto array = found->second.where.find(layer);
            if (array != found->second.where.end()) {
                return array->second;
            }
        }
        throw Error(
            ErrorCode::BadSession,
            fmt::format("{} holds no {} of {} {}.", path.string(), id.quantity, id.experiment,
                        layer ? fmt::format("at layer {}", layer->value) : "for the whole model"));
    }
};

Session::Session(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}

Session::~Session() {
    const h5::Guard guard;
    m_impl.reset();
}

std::shared_ptr<const Session> Session::open(const std::filesystem::path& path) {
    const h5::Guard guard;
    auto impl = std::make_unique<Impl>();
    // A shell completes a folder's name with a slash.
    const std::filesystem::path given = path.has_filename() ? path : path.parent_path();
    const std::filesystem::path parts = parts::folderFor(given);
    std::error_code error;
    impl->path = given;
    impl->partial =
        given == parts || (!std::filesystem::exists(given, error) && parts::hasHead(parts));
    if (impl->partial) {
        impl->path = parts;
        parts::Contents contents = parts::read(parts);
        impl->head = std::move(contents.head);
        impl->index = std::move(contents.index);
        impl->version = contents.formatVersion;
    } else {
        h5::File file = h5::openFile(given);
        impl->head = readHead(file.get());
        impl->index.add(file.get(), given, [](auto&&...) { return true; });
        impl->version = h5::formatVersion(file.get());
        impl->files.keep(given, std::move(file));
    }
    parts::updateStates(impl->head, impl->index, /*runEnded=*/!impl->partial);
    requireTokenRows(impl->head, impl->index);
    for (const auto& [id, quantity] : impl->index.quantities) {
        impl->quantities.push_back(quantity.info);
    }
    return std::shared_ptr<const Session>(new Session(std::move(impl)));
}

const Head& Session::head() const {
    return m_impl->head;
}

const std::filesystem::path& Session::path() const {
    return m_impl->path;
}

bool Session::isPartial() const {
    return m_impl->partial;
}

std::string Session::schemaVersion() const {
    return m_impl->version;
}

const std::vector<QuantityInfo>& Session::quantities() const {
    return m_impl->quantities;
}

const QuantityInfo* Session::find(const QuantityId& id) const {
    const auto found = m_impl->index.quantities.find(id);
    return found == m_impl->index.quantities.end() ? nullptr : &found->second.info;
}

NdArray Session::read(const QuantityId& id, std::optional<LayerId> layer) const {
    const h5::Guard guard;
    return readArray(m_impl->files, m_impl->locate(id, layer), 0, std::nullopt);
}

NdArray Session::readRows(const QuantityId& id, std::optional<LayerId> layer, std::uint64_t first,
                          std::uint64_t count) const {
    const h5::Guard guard;
    return readArray(m_impl->files, m_impl->locate(id, layer), first, count);
}

std::vector<std::string> Session::warnings() const {
    std::vector<std::string> out = m_impl->head.warnings;
    for (const auto& [key, experiment] : m_impl->index.experiments) {
        for (const auto& [layer, texts] : experiment.warnings) {
            for (const std::string& text : texts) {
                out.push_back(layer
                                  ? fmt::format("{}, layer {}: {}", key.second, layer->value, text)
                                  : fmt::format("{}: {}", key.second, text));
            }
        }
    }
    return out;
}

}  // namespace moescope::session
