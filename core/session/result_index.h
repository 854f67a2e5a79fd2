// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/h5_value.h"
#include "core/session/head.h"
#include "core/session/session.h"

#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace moescope::session {

/// Where one layer's array of a quantity lies.
struct ArrayLocation {
    std::filesystem::path file;
    std::string dataset;
    std::optional<std::uint64_t> row;  ///< index on the stacked dataset's layer axis
};

struct IndexedQuantity {
    QuantityInfo info;
    std::map<std::optional<LayerId>, ArrayLocation> where;
    std::map<std::optional<LayerId>, Shape> shapes;
};

/// What the results group of one experiment says besides its arrays.
struct FinishedExperiment {
    int version = 1;
    std::string optionsJson;
    std::set<std::optional<LayerId>> parts;  ///< nullopt: the whole-model part
    std::map<std::optional<LayerId>, std::vector<std::string>> warnings;
};

/// All results found in a set of session-format files: one finished session, or many part files.
struct ResultIndex {
    std::map<QuantityId, IndexedQuantity> quantities;
    std::map<std::pair<BranchId, std::string>, FinishedExperiment> experiments;

    /// Adds what `file` holds; `accept` decides per branch, experiment, version and options.
    using Accept = std::function<bool(BranchId, const std::string&, const FinishedExperiment&)>;
    void add(hid_t file, const std::filesystem::path& path, const Accept& accept);

    [[nodiscard]] bool has(const PartKey& key) const;
};

/// Keeps a few files and datasets open between reads: opening costs more than a small read, and a
/// dataset that stays open keeps the chunk it inflated last, which holds many layers when they are
/// small.
class FileCache {
public:
    explicit FileCache(std::size_t files) : m_mostFiles(files) {}
    FileCache(const FileCache&) = delete;
    FileCache& operator=(const FileCache&) = delete;
    ~FileCache() { clear(); }

    [[nodiscard]] hid_t open(const std::filesystem::path& path);
    void keep(const std::filesystem::path& path, h5::File file);
    /// Valid until the next call. Throws Error(BadSession) when it is not there.
    [[nodiscard]] const h5::Dataset& dataset(const std::filesystem::path& path,
                                             const std::string& name);
    void clear();

private:
    struct OpenDataset {
        std::filesystem::path file;
        std::string name;
        h5::Dataset dataset;
    };
    std::size_t m_mostFiles;
    std::list<std::pair<std::filesystem::path, h5::File>> m_files;  ///< most recently used first
    std::list<OpenDataset> m_datasets;  ///< most recently used first; each of a file above
};

/// Rows [first, first + count) of the array's first axis; the whole array when `count` is absent.
[[nodiscard]] NdArray readArray(FileCache& files, const ArrayLocation& location,
                                std::uint64_t first, std::optional<std::uint64_t> count);

/// "/run/branch_0/dynamic/rank_counts"
[[nodiscard]] std::string resultsPath(BranchId branch, const std::string& experiment);

/// Writes one quantity as an NXdata group below an experiment's group: `data` is [layers...,
/// shape...] when `layers` is not empty, else [shape...]. `fill` gets the dataset and the index of
/// the layer to write.
void writeQuantity(hid_t experimentGroup, const std::string& groupName, const QuantityInfo& info,
                   const std::vector<LayerId>& layers,
                   const std::function<void(const h5::Dataset&, std::size_t)>& fill);

/// The experiment's group with its attributes.
[[nodiscard]] h5::Group writeExperimentGroup(hid_t file, BranchId branch,
                                             const ExperimentRecord& record,
                                             const FinishedExperiment& finished);

}  // namespace moescope::session
