// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/session/result_index.h"

#include "core/experiments/catalogue.h"
#include "core/session/h5_file.h"
#include "core/session/schema.h"

#include <fmt/format.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <charconv>

namespace moescope::session {
namespace {

/// Each may hold a megabyte of inflated chunks (HDF5's default).
constexpr std::size_t kMostDatasets = 12;
constexpr std::int32_t kWholeModel = -1;  ///< stands for "no layer" in integer lists

std::optional<LayerId> layerFromNumber(std::int32_t value) {
    return value == kWholeModel ? std::nullopt : std::optional(LayerId(value));
}

std::int32_t numberOf(const std::optional<LayerId>& layer) {
    return layer ? layer->value : kWholeModel;
}

FinishedExperiment readFinished(hid_t group) {
    FinishedExperiment finished;
    finished.version = static_cast<int>(h5::readInteger(group, "version"));
    finished.optionsJson = h5::readString(group, "options");
    for (const std::int32_t value : h5::readIntegers(group, "parts")) {
        finished.parts.insert(layerFromNumber(value));
    }
    const auto texts = h5::readStrings(group, "warnings");
    const auto layers = h5::readIntegers(group, "warning_layers");
    if (texts.size() != layers.size()) {
        h5::failReading(group, "the warnings (lists of different length)");
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
        finished.warnings[layerFromNumber(layers[i])].push_back(texts[i]);
    }
    return finished;
}

std::vector<Axis> readAxes(hid_t group) {
    std::vector<Axis> axes;
    for (const std::string& name : h5::readStrings(group, "axis_names")) {
        Axis axis{name, {}};
        if (h5::exists(group, name + "_labels")) {
            axis.labels = h5::readTexts(group, name + "_labels");
        }
        axes.push_back(std::move(axis));
    }
    return axes;
}

/// One NXdata group.
struct StoredQuantity {
    QuantityInfo info;
    std::vector<LayerId> layers;
    std::string dataset;
};

StoredQuantity readQuantity(hid_t parent, const std::string& parentPath, const std::string& child) {
    const h5::Group group = h5::openGroup(parent, child);
    StoredQuantity stored;
    stored.info.id.quantity = h5::readString(group.get(), "quantity");
    stored.info.tokens = static_cast<std::uint64_t>(h5::readInteger(group.get(), "tokens"));
    stored.info.axes = readAxes(group.get());
    const h5::Dataset data = h5::openDataset(group.get(), "data");
    stored.info.longName = h5::readString(data.get(), "long_name", "");
    stored.info.units = h5::readString(data.get(), "units", "");
    const auto description = h5::describe(data);
    stored.info.type = description.type;
    stored.info.shape = description.shape;
    if (h5::exists(group.get(), "layer")) {
        const NdArray layers = h5::readDataset(group.get(), "layer");
        for (const std::int32_t layer : layers.values<std::int32_t>()) {
            stored.layers.emplace_back(layer);
        }
        if (stored.info.shape.empty() || stored.info.shape.front() != stored.layers.size()) {
            h5::failReading(group.get(), "the layer axis (another length than the data)");
        }
        stored.info.shape.erase(stored.info.shape.begin());
    }
    if (stored.info.axes.size() != stored.info.shape.size()) {
        h5::failReading(group.get(), "axis_names (another number than the data has axes)");
    }
    for (std::size_t i = 0; i < stored.info.axes.size(); ++i) {
        const auto& labels = stored.info.axes[i].labels;
        if (!labels.empty() && labels.size() != stored.info.shape[i]) {
            h5::failReading(group.get(),
                            fmt::format("the labels of axis {}", stored.info.axes[i].name));
        }
    }
    stored.dataset = parentPath + "/" + child + "/data";
    stored.info.path = "/" + stored.dataset;
    return stored;
}

void merge(ResultIndex& index, const StoredQuantity& stored, const std::filesystem::path& path) {
    auto& entry = index.quantities[stored.info.id];
    if (entry.where.empty()) {
        entry.info = stored.info;
    }
    if (stored.layers.empty()) {
        entry.where[std::nullopt] = {path, stored.dataset, std::nullopt};
        entry.shapes[std::nullopt] = stored.info.shape;
    }
    for (std::size_t row = 0; row < stored.layers.size(); ++row) {
        entry.where[stored.layers[row]] = {path, stored.dataset, row};
        entry.shapes[stored.layers[row]] = stored.info.shape;
    }
    entry.info.layers.clear();
    for (const auto& [layer, location] : entry.where) {
        if (layer) {
            entry.info.layers.push_back(*layer);
        }
    }
}

std::optional<BranchId> branchOf(const std::string& groupName) {
    constexpr std::string_view prefix = "branch_";
    int value = 0;
    if (groupName.rfind(prefix, 0) != 0) {
        return std::nullopt;
    }
    const char* end = groupName.data() + groupName.size();
    const auto parsed = std::from_chars(groupName.data() + prefix.size(), end, value);
    return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(BranchId(value))
                                                         : std::nullopt;
}

std::vector<std::string> groupsIn(hid_t parent, const std::string& path) {
    const h5::Group group = h5::openGroup(parent, path);
    auto names = h5::childNames(group.get());
    std::erase_if(names, [&](const std::string& name) { return !h5::isGroup(group.get(), name); });
    return names;
}

void addExperiment(ResultIndex& index, hid_t file, const std::filesystem::path& path,
                   BranchId branch, const std::string& experimentPath,
                   const std::string& experiment, const ResultIndex::Accept& accept) {
    const h5::Group group = h5::openGroup(file, experimentPath);
    FinishedExperiment finished = readFinished(group.get());
    if (!accept(branch, experiment, finished)) {
        return;
    }
    for (const std::string& child : groupsIn(file, experimentPath)) {
        StoredQuantity stored = readQuantity(group.get(), experimentPath, child);
        stored.info.id.branch = branch;
        stored.info.id.experiment = experiment;
        merge(index, stored, path);
    }
    auto& known = index.experiments[{branch, experiment}];
    known.version = finished.version;
    known.optionsJson = finished.optionsJson;
    known.parts.merge(finished.parts);
    known.warnings.merge(finished.warnings);
}

}  // namespace

void ResultIndex::add(hid_t file, const std::filesystem::path& path, const Accept& accept) {
    for (const std::string& branchGroup : groupsIn(file, schema::kRun)) {
        const auto branch = branchOf(branchGroup);
        if (!branch) {
            continue;
        }
        const std::string branchPath = std::string(schema::kRun) + "/" + branchGroup;
        for (const std::string& kind : groupsIn(file, branchPath)) {
            const std::string kindPath = fmt::format("{}/{}", branchPath, kind);
            for (const std::string& experiment : groupsIn(file, kindPath)) {
                addExperiment(*this, file, path, *branch,
                              fmt::format("{}/{}", kindPath, experiment), experiment, accept);
            }
        }
    }
}

bool ResultIndex::has(const PartKey& key) const {
    const auto found = experiments.find({key.branch, key.experiment});
    return found != experiments.end() && found->second.parts.contains(key.layer);
}

hid_t FileCache::open(const std::filesystem::path& path) {
    const auto found = std::find_if(m_files.begin(), m_files.end(),
                                    [&](const auto& entry) { return entry.first == path; });
    if (found != m_files.end()) {
        m_files.splice(m_files.begin(), m_files, found);
        return m_files.front().second.get();
    }
    keep(path, h5::openFile(path));
    return m_files.front().second.get();
}

void FileCache::keep(const std::filesystem::path& path, h5::File file) {
    m_files.emplace_front(path, std::move(file));
    if (m_files.size() > m_mostFiles) {
        // Closing a file closes what is open in it.
        std::erase_if(m_datasets,
                      [&](const OpenDataset& entry) { return entry.file == m_files.back().first; });
        m_files.pop_back();
    }
}

const h5::Dataset& FileCache::dataset(const std::filesystem::path& path, const std::string& name) {
    const auto found = std::find_if(
        m_datasets.begin(), m_datasets.end(),
        [&](const OpenDataset& entry) { return entry.name == name && entry.file == path; });
    if (found != m_datasets.end()) {
        m_datasets.splice(m_datasets.begin(), m_datasets, found);
        return m_datasets.front().dataset;
    }
    const hid_t file = open(path);
    m_datasets.push_front({path, name, h5::openDataset(file, name)});
    if (m_datasets.size() > kMostDatasets) {
        m_datasets.pop_back();
    }
    return m_datasets.front().dataset;
}

void FileCache::clear() {
    m_datasets.clear();
    m_files.clear();
}

NdArray readArray(FileCache& files, const ArrayLocation& location, std::uint64_t first,
                  std::optional<std::uint64_t> count) {
    const h5::Dataset& dataset = files.dataset(location.file, location.dataset);
    Shape extent = h5::describe(dataset).shape;
    Shape start(extent.size(), 0);
    const std::size_t rowAxis = location.row ? 1 : 0;
    if (location.row) {
        start.at(0) = *location.row;
        extent.at(0) = 1;
    }
    if (count) {
        if (rowAxis >= extent.size()) {
            h5::failReading(dataset.get(), "rows of an array without axes");
        }
        start[rowAxis] = first;
        extent[rowAxis] = *count;
    }
    Shape shape(extent.begin() + static_cast<std::ptrdiff_t>(rowAxis), extent.end());
    return h5::readSlab(dataset, start, extent).reshaped(std::move(shape));
}

std::string resultsPath(BranchId branch, const std::string& experiment) {
    const auto* info = experiments::findExperiment(experiment);
    const char* kind = "other";
    if (info != nullptr) {
        switch (info->kind) {
            case experiments::ExperimentKind::Static:
                kind = "static";
                break;
            case experiments::ExperimentKind::Dynamic:
                kind = "dynamic";
                break;
            case experiments::ExperimentKind::Derived:
                kind = "derived";
                break;
        }
    }
    return fmt::format("{}{}/{}/{}", schema::kResults, branch.value, kind, experiment);
}

/// Many floating-point numbers of one layer (a norm for each token and expert, points of neurons)
/// are noise: deflate takes a fifth off and makes reading ten times slower.
h5::Storage storageOf(const QuantityInfo& info) {
    constexpr std::uint64_t kPlainFrom = std::uint64_t{1} << 19U;
    const bool isFloating = info.type == ElementType::F32 || info.type == ElementType::F64;
    return isFloating && elementCount(info.shape) * sizeOf(info.type) >= kPlainFrom
               ? h5::Storage::Plain
               : h5::Storage::Deflated;
}

void writeQuantity(hid_t experimentGroup, const std::string& groupName, const QuantityInfo& info,
                   const std::vector<LayerId>& layers,
                   const std::function<void(const h5::Dataset&, std::size_t)>& fill) {
    const h5::Group group = h5::createGroup(experimentGroup, groupName, "NXdata");
    const hid_t id = group.get();
    Shape shape = info.shape;
    std::vector<std::string> axisNames;
    std::vector<std::string> nxAxes;
    if (!layers.empty()) {
        shape.insert(shape.begin(), layers.size());
        nxAxes.emplace_back("layer");
        std::vector<std::int32_t> numbers;
        std::transform(layers.begin(), layers.end(), std::back_inserter(numbers), numberOf);
        h5::writeDataset(id, "layer", NdArray::from<std::int32_t>({numbers.size()}, numbers));
    }
    for (const Axis& axis : info.axes) {
        axisNames.push_back(axis.name);
        nxAxes.emplace_back(".");
        if (!axis.labels.empty() && !h5::exists(id, axis.name + "_labels")) {
            h5::writeTexts(id, axis.name + "_labels", axis.labels);
        }
    }
    h5::writeAttribute(id, "signal", std::string_view("data"));
    h5::writeAttribute(id, "axes", nxAxes);
    h5::writeAttribute(id, "axis_names", axisNames);
    h5::writeAttribute(id, "quantity", info.id.quantity);
    h5::writeAttribute(id, "tokens", static_cast<std::int64_t>(info.tokens));
    const h5::Dataset data = h5::createDataset(id, "data", info.type, shape, storageOf(info));
    h5::writeAttribute(data.get(), "long_name", info.longName);
    h5::writeAttribute(data.get(), "units", info.units);
    h5::writeAttribute(data.get(), "interpretation",
                       std::string_view(shape.size() >= 2 ? "image" : "spectrum"));
    unsigned dimension = 0;
    if (!layers.empty()) {
        // A dimension scale beside NeXus, for viewers that know only one of the two conventions.
        const h5::Dataset layerAxis = h5::openDataset(id, "layer");
        H5DSset_scale(layerAxis.get(), "layer");
        H5DSattach_scale(data.get(), layerAxis.get(), 0);
        H5DSset_label(data.get(), dimension++, "layer");
    }
    for (const std::string& name : axisNames) {
        H5DSset_label(data.get(), dimension++, name.c_str());
    }
    for (std::size_t i = 0; i < std::max<std::size_t>(1, layers.size()); ++i) {
        fill(data, i);
    }
}

h5::Group writeExperimentGroup(hid_t file, BranchId branch, const ExperimentRecord& record,
                               const FinishedExperiment& finished) {
    h5::Group group = h5::createGroup(file, resultsPath(branch, record.id), "NXcollection");
    const hid_t id = group.get();
    std::vector<std::int32_t> parts;
    std::transform(finished.parts.begin(), finished.parts.end(), std::back_inserter(parts),
                   numberOf);
    std::vector<std::string> warnings;
    std::vector<std::int32_t> warningLayers;
    for (const auto& [layer, texts] : finished.warnings) {
        for (const std::string& text : texts) {
            warnings.push_back(text);
            warningLayers.push_back(numberOf(layer));
        }
    }
    h5::writeAttribute(id, "title", record.title);
    h5::writeAttribute(id, "definition", record.definition);
    h5::writeAttribute(id, "version", std::int64_t{record.version});
    h5::writeAttribute(id, "options", record.optionsJson);
    h5::writeAttribute(id, "parts", parts);
    h5::writeAttribute(id, "warnings", warnings);
    h5::writeAttribute(id, "warning_layers", warningLayers);
    return group;
}

}  // namespace moescope::session
