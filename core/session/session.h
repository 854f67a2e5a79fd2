// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/head.h"
#include "core/session/quantity.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::session {

/// Which array: experiment and quantity of a branch.
struct QuantityId {
    BranchId branch;
    std::string experiment;
    std::string quantity;
    auto operator<=>(const QuantityId&) const = default;
};

/// A quantity without its values.
struct QuantityInfo {
    QuantityId id;
    std::vector<LayerId> layers;  ///< ascending; empty: about the whole model
    std::vector<Axis> axes;       ///< of one layer's array
    Shape shape;                  ///< of one layer's array
    ElementType type = ElementType::F32;
    std::string longName, units;
    std::uint64_t tokens = 0;
    std::string path;  ///< dataset inside the file
};

/// A session opened for reading: a finished RUN.h5, or the parts of a run in progress
/// (RUN.h5.partial, also found when RUN.h5 itself is given and only parts exist). What it holds is
/// a snapshot: open again to see more. Thread-safe: calls are serialised inside, since HDF5 has one
/// lock anyway; keep them off the GUI thread.
class Session {
public:
    /// Throws Error(FileNotFound | BadSession | SessionTooNew) naming file and dataset and what to
    /// do.
    [[nodiscard]] static std::shared_ptr<const Session> open(const std::filesystem::path& path);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    [[nodiscard]] const Head& head() const;
    [[nodiscard]] const std::filesystem::path& path() const;
    [[nodiscard]] bool isPartial() const;  ///< true: a run is in progress or was interrupted
    [[nodiscard]] std::string schemaVersion() const;

    [[nodiscard]] const std::vector<QuantityInfo>& quantities() const;
    [[nodiscard]] const QuantityInfo* find(const QuantityId& id) const;

    /// One layer's array (layer absent: the whole-model array). Throws Error(BadSession) when it is
    /// not there.
    [[nodiscard]] NdArray read(const QuantityId& id, std::optional<LayerId> layer) const;
    /// Rows [first, first + count) of the first axis of one layer's array.
    [[nodiscard]] NdArray readRows(const QuantityId& id, std::optional<LayerId> layer,
                                   std::uint64_t first, std::uint64_t count) const;
    /// Warnings the engine recorded with the parts, each with its experiment and layer.
    [[nodiscard]] std::vector<std::string> warnings() const;

private:
    struct Impl;
    explicit Session(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

}  // namespace moescope::session
